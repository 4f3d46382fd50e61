//! How long a change takes from its commit in Postgres until Cassandra shows it.

use std::time::Duration;

use anyhow::Context;
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use serde_json::json;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::compare::Tables;
use crate::person::Generator;
use crate::quote;
use crate::row::{COLUMNS, UserRow};

/// Key of the row that the probe writes. Feeders leave it alone.
pub const PROBE_ID: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);

/// How often Cassandra is asked for the new version: the resolution of the measurement.
const POLL: Duration = Duration::from_millis(2);

/// Writes a new version of one row at each call and waits until Cassandra shows it.
pub struct Probe<'a> {
    postgres: Client,
    cassandra: &'a Session,
    tables: Tables,
    read: Option<PreparedStatement>,
}

impl<'a> Probe<'a> {
    /// Creates a probe over a Postgres connection of its own; nothing is written yet.
    #[must_use]
    pub fn new(postgres: Client, cassandra: &'a Session, tables: Tables) -> Self {
        Self { postgres, cassandra, tables, read: None }
    }

    /// Commits a new version of the row and waits for it: the time from the end of the commit, or `None` after `limit`.
    ///
    /// A table that does not exist yet, or a cluster that does not answer, counts as not visible.
    ///
    /// # Errors
    ///
    /// Postgres refused the write.
    pub async fn measure(&mut self, limit: Duration) -> anyhow::Result<Option<Duration>> {
        let version = self.write().await.context("write the probe row")?;
        let committed = Instant::now();
        while committed.elapsed() < limit {
            match self.visible_version().await {
                Ok(Some(visible)) if visible >= version => return Ok(Some(committed.elapsed())),
                Ok(_) => {}
                // Prepared for a table that has gone or changed since.
                Err(_) => self.read = None,
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(None)
    }

    async fn write(&self) -> anyhow::Result<i32> {
        let mut document = Generator::new(0).person();
        document["login"]["uuid"] = json!(PROBE_ID.to_string());
        let texts = UserRow::try_from(document)?.to_texts();
        let parameters = texts.each_ref().map(|text| text as &(dyn ToSql + Sync));
        let row = self.postgres.query_one(&upsert_sql(&self.tables), &parameters).await;
        Ok(row.map_err(crate::postgres::without_values)?.try_get(0)?)
    }

    async fn visible_version(&mut self) -> anyhow::Result<Option<i32>> {
        let read = match &self.read {
            Some(read) => read,
            None => {
                let table =
                    format!("{}.{}", quote(&self.tables.keyspace), quote(&self.tables.cassandra_table));
                let statement = format!("SELECT version FROM {table} WHERE id = ?");
                self.read.insert(self.cassandra.prepare(statement).await?)
            }
        };
        let rows = self.cassandra.execute_unpaged(read, (PROBE_ID,)).await?.into_rows_result()?;
        Ok(rows.maybe_first_row::<(Option<i32>,)>()?.and_then(|(version,)| version))
    }
}

impl std::fmt::Debug for Probe<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Probe").field("tables", &self.tables).finish_non_exhaustive()
    }
}

fn upsert_sql(tables: &Tables) -> String {
    let table = format!("{}.{}", quote(&tables.postgres_schema), quote(&tables.postgres_table));
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let casts = (1..).zip(COLUMNS).map(|(number, (_, kind))| format!("${number}::text::{kind}"));
    let values = casts.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO {table} AS old ({names}) VALUES ({values}) \
         ON CONFLICT (id) DO UPDATE SET version = old.version + 1, updated_at = clock_timestamp() RETURNING version"
    )
}

/// Measured latencies.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    sorted: Vec<Duration>,
    last: Option<Duration>,
}

impl Latencies {
    /// Adds one measurement.
    pub fn record(&mut self, latency: Duration) {
        let place = self.sorted.partition_point(|earlier| *earlier <= latency);
        self.sorted.insert(place, latency);
        self.last = Some(latency);
    }

    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The newest measurement.
    #[must_use]
    pub fn last(&self) -> Option<Duration> {
        self.last
    }

    /// The latency that `percent` of the measurements do not exceed (nearest rank); 0 to 100.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.sorted.len() * percent).div_ceil(100);
        self.sorted.get(rank.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut latencies = Latencies::default();
        for millis in (1..=100).rev() {
            latencies.record(Duration::from_millis(millis));
        }

        assert_eq!(latencies.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(latencies.percentile(99), Some(Duration::from_millis(99)));
        assert_eq!(latencies.percentile(100), Some(Duration::from_millis(100)));
        assert_eq!(latencies.last(), Some(Duration::from_millis(1)));
        assert_eq!(Latencies::default().percentile(50), None);
    }
}
