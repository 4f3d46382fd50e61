//! Changes of the `users` table in every shape that a change stream must carry.
//!
//! A [`Feeder`] holds one connection, knows which keys are alive, and counts what it committed and what it rolled
//! back. It never prints or logs a row.

mod keys;
mod load;
mod operation;
mod unit;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::person::Generator;
use crate::probe::PROBE_ID;
use keys::Keys;
pub use operation::{Mix, Operation};
use unit::Statements;

/// Rows that one [`Operation::BigTransaction`] inserts by default: several frames of every buffer on the way.
const BIG_TRANSACTION_ROWS: usize = 500;

/// Row changes by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows inserted.
    pub inserts: u64,
    /// Rows updated, key changes aside.
    pub updates: u64,
    /// Rows deleted.
    pub deletes: u64,
    /// Rows whose primary key was updated.
    pub key_changes: u64,
}

impl Changes {
    /// Row changes of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inserts + self.updates + self.deletes + self.key_changes
    }

    fn add(&mut self, other: Self) {
        self.inserts += other.inserts;
        self.updates += other.updates;
        self.deletes += other.deletes;
        self.key_changes += other.key_changes;
    }
}

/// What a feeder has done since it was created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fed {
    /// Changes that a reader of the WAL must see.
    pub committed: Changes,
    /// Changes that nobody must see: rolled back, wholly or to a savepoint.
    pub rolled_back: Changes,
    /// Transactions committed.
    pub transactions: u64,
    /// How often each operation ran.
    pub operations: BTreeMap<Operation, u64>,
}

/// Feeds changes into the `users` table over one connection.
pub struct Feeder {
    client: Client,
    statements: Statements,
    generator: Generator,
    rng: fastrand::Rng,
    keys: Keys,
    fed: Fed,
    rate: Option<NonZeroU32>,
    big_transaction_rows: usize,
}

impl Feeder {
    /// Creates a feeder that goes on from the rows that the table holds.
    ///
    /// The same seed on the same table does the same, whatever the server's timing.
    ///
    /// # Errors
    ///
    /// The connection is not to a database with the `users` table.
    pub async fn new(client: Client, seed: u64) -> anyhow::Result<Self> {
        let statements = Statements::prepare(&client).await.context("prepare the feeder's statements")?;
        let keys = Keys::read(&client).await.context("read the keys of `users`")?;
        Ok(Self {
            client,
            statements,
            generator: Generator::new(seed),
            rng: fastrand::Rng::with_seed(seed.wrapping_add(1)),
            keys,
            fed: Fed::default(),
            rate: None,
            big_transaction_rows: BIG_TRANSACTION_ROWS,
        })
    }

    /// Limits [`Feeder::feed`] to so many row changes a second; without it, the server is the limit.
    #[must_use]
    pub fn with_rate(mut self, changes_per_second: NonZeroU32) -> Self {
        self.rate = Some(changes_per_second);
        self
    }

    /// Sets how many rows an [`Operation::BigTransaction`] inserts (it updates as many and deletes a third).
    #[must_use]
    pub fn with_big_transaction_rows(mut self, rows: usize) -> Self {
        self.big_transaction_rows = rows;
        self
    }

    /// What has been fed so far.
    #[must_use]
    pub fn fed(&self) -> &Fed {
        &self.fed
    }

    /// How many rows the table holds, as far as this feeder knows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// The key that was written last and is still alive.
    #[must_use]
    pub fn last_key(&self) -> Option<Uuid> {
        self.keys.last_written()
    }

    /// Runs operations drawn from `mix` until at least `changes` more row changes are committed.
    ///
    /// # Errors
    ///
    /// A statement failed; the open transaction is rolled back.
    pub async fn feed(&mut self, mix: &Mix, changes: u64) -> anyhow::Result<()> {
        let (start, already) = (Instant::now(), self.fed.committed.total());
        loop {
            let done = self.fed.committed.total() - already;
            if done >= changes {
                return Ok(());
            }
            if let Some(rate) = self.rate {
                let due = Duration::from_secs_f64(done as f64 / f64::from(rate.get()));
                tokio::time::sleep_until(start + due).await;
            }
            let operation = mix.draw(&mut self.rng);
            self.step(operation).await?;
        }
    }

    /// Runs each operation once.
    ///
    /// # Errors
    ///
    /// As [`Feeder::feed`]; the operation is named.
    pub async fn every_operation(&mut self) -> anyhow::Result<()> {
        for operation in Operation::ALL {
            self.step(operation).await?;
        }
        Ok(())
    }

    /// A key to change, or a row inserted for the purpose if the table is empty.
    async fn victim(&mut self) -> anyhow::Result<Uuid> {
        match self.keys.pick(&mut self.rng) {
            Some(key) => Ok(key),
            None => self.insert(false).await,
        }
    }

    /// A key whose `raw` is stored out of line, inserted if there is none.
    async fn large_victim(&mut self) -> anyhow::Result<Uuid> {
        match self.keys.pick_large(&mut self.rng) {
            Some(key) => Ok(key),
            None => self.insert(true).await,
        }
    }
}

impl std::fmt::Debug for Feeder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Feeder")
            .field("rows", &self.keys.len())
            .field("fed", &self.fed)
            .finish_non_exhaustive()
    }
}

/// Whether a key may be changed by a feeder: the probe's row is the probe's alone.
fn is_ours(key: Uuid) -> bool {
    key != PROBE_ID
}
