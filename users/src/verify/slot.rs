//! A slot that follows the log while its own database is idle.
//!
//! One WAL holds the changes of all databases of a server. A slot that confirmed only what its own tables brought would
//! hold back the WAL of a busy neighbour until the disk is full.

use anyhow::Context;
use tokio_postgres::Client;

/// A slot, and the neighbour that writes.
#[derive(Debug)]
pub struct Slot {
    name: String,
    neighbour: String,
    progress: Option<Progress>,
}

/// What was seen so far.
#[derive(Debug)]
struct Progress {
    /// Rows that both databases had written when the first look was taken.
    at_first: Written,
    /// Rows that the neighbour has written since, and the position of the log after them.
    mark: Option<(i64, String)>,
}

/// Rows written since the statistics began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    own: i64,
    neighbour: i64,
}

impl Slot {
    /// Names the slot, which must follow what another database of the same server writes.
    #[must_use]
    pub fn new(name: &str, neighbour: &str) -> Self {
        Self { name: name.to_owned(), neighbour: neighbour.to_owned(), progress: None }
    }

    /// Takes a look; it holds when the slot has confirmed a position that lies behind rows of the neighbour. Rows that
    /// the slot's own database wrote meanwhile let it begin anew.
    ///
    /// # Errors
    ///
    /// There is no such slot, or the server does not answer.
    pub async fn check(&mut self, client: &Client) -> anyhow::Result<Result<String, String>> {
        let written = self.written(client).await.context("read the statistics of the databases")?;
        let progress = self.progress.get_or_insert(Progress { at_first: written, mark: None });
        if written.own != progress.at_first.own {
            *progress = Progress { at_first: written, mark: None };
        }
        let rows = written.neighbour - progress.at_first.neighbour;
        if rows > 0 && progress.mark.is_none() {
            progress.mark = Some((rows, position(client).await?));
        }
        let Some((rows, mark)) = &progress.mark else {
            return Ok(Err(format!("database `{}` has written nothing yet", self.neighbour)));
        };
        let lag =
            lag(client, &self.name, mark).await.with_context(|| format!("look at slot `{}`", self.name))?;
        Ok(if lag <= 0 {
            Ok(format!("slot `{}` has passed {rows} rows of `{}`", self.name, self.neighbour))
        } else {
            Err(format!("slot `{}` lies {lag} bytes before rows of `{}`", self.name, self.neighbour))
        })
    }

    async fn written(&self, client: &Client) -> anyhow::Result<Written> {
        const STATEMENT: &str = "
            SELECT coalesce(sum(tup_inserted + tup_updated + tup_deleted)
                            FILTER (WHERE datname = current_database()), 0)::bigint,
                   coalesce(sum(tup_inserted + tup_updated + tup_deleted) FILTER (WHERE datname = $1), 0)::bigint
            FROM pg_stat_database";
        let row = client.query_one(STATEMENT, &[&self.neighbour]).await?;
        Ok(Written { own: row.try_get(0)?, neighbour: row.try_get(1)? })
    }
}

/// Bytes of the log between what the slot has confirmed and the mark; not positive when it has passed.
async fn lag(client: &Client, slot: &str, mark: &str) -> anyhow::Result<i64> {
    const STATEMENT: &str = "
        SELECT pg_wal_lsn_diff($2::text::pg_lsn, confirmed_flush_lsn)::bigint
        FROM pg_replication_slots WHERE slot_name = $1";
    Ok(client.query_one(STATEMENT, &[&slot, &mark]).await?.try_get(0)?)
}

async fn position(client: &Client) -> anyhow::Result<String> {
    Ok(client.query_one("SELECT pg_current_wal_lsn()::text", &[]).await?.try_get(0)?)
}
