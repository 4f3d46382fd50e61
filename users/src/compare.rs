//! Proves that a Cassandra table equals a Postgres table, row by row and cell by cell.
//!
//! Both tables are read in full: Cassandra by token ranges into memory, Postgres as one ordered stream that is held
//! against it. Values are compared in a canonical text per Postgres type ([`canonical`]), so that only the documented
//! mapping can make two different things equal: a CQL timestamp has milliseconds, Postgres microseconds.

pub mod canonical;
mod cassandra_rows;
mod packed;
mod postgres_rows;
mod report;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use futures_util::TryStreamExt;
use scylla::client::session::Session;
use tokio::time::Instant;
use tokio_postgres::Client;

use packed::PackedRow;
use postgres_rows::{Column, PostgresTable};
pub use report::{Comparison, Difference, MOST_DIFFERENCES};

/// Pause between two comparisons while waiting: short against what the comparison itself takes.
const PAUSE: Duration = Duration::from_millis(250);

/// Which table should equal which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Schema of the Postgres table.
    pub postgres_schema: String,
    /// Postgres table.
    pub postgres_table: String,
    /// Keyspace of the Cassandra table.
    pub keyspace: String,
    /// Cassandra table.
    pub cassandra_table: String,
}

impl Tables {
    /// `public.users` and, in the keyspace `users`, the table `users`.
    #[must_use]
    pub fn users() -> Self {
        Self::new("public", "users", "users", "users")
    }

    /// Names the two tables.
    #[must_use]
    pub fn new(postgres_schema: &str, postgres_table: &str, keyspace: &str, cassandra_table: &str) -> Self {
        Self {
            postgres_schema: postgres_schema.to_owned(),
            postgres_table: postgres_table.to_owned(),
            keyspace: keyspace.to_owned(),
            cassandra_table: cassandra_table.to_owned(),
        }
    }
}

/// Compares the tables once.
///
/// A Cassandra table that does not exist lacks every column and every row.
///
/// # Errors
///
/// A table cannot be read, the Postgres table has no primary key, or a column has a type with no rule (arrays).
pub async fn compare(postgres: &Client, cassandra: &Session, tables: &Tables) -> anyhow::Result<Comparison> {
    let table = PostgresTable::read(postgres, tables).await.context("describe the Postgres table")?;
    let cassandra_columns =
        cassandra_rows::columns(cassandra, tables).await.context("describe the Cassandra table")?;
    let mut comparison = Comparison::default();
    comparison.columns(&table, &cassandra_columns);

    let shared: Vec<Column> =
        table.columns.iter().filter(|column| cassandra_columns.contains_key(&column.name)).cloned().collect();
    let key = table.key_positions(&shared);
    // Without the key in Cassandra there is no row to speak of: all of Postgres counts as missing.
    let rows = match &key {
        Some(key) => cassandra_rows::read(cassandra, tables, &cassandra_columns, &shared, key).await,
        None => Ok(HashMap::new()),
    };
    let rows = rows.context("read the Cassandra table")?;
    comparison.cassandra_rows = rows.len() as u64;
    let stream_columns = if key.is_some() { &shared } else { &table.columns };
    match_rows(postgres, &table, stream_columns, rows, &mut comparison)
        .await
        .context("read the Postgres table")?;
    Ok(comparison)
}

/// Compares until the tables are equal or `limit` is over; the last comparison says which.
///
/// A comparison that fails is tried again, too: a table that is being created can be described before it can be read.
///
/// # Errors
///
/// As [`compare`], when the last one failed.
pub async fn wait_until_equal(
    postgres: &Client,
    cassandra: &Session,
    tables: &Tables,
    limit: Duration,
) -> anyhow::Result<Comparison> {
    let start = Instant::now();
    loop {
        let comparison = compare(postgres, cassandra, tables).await;
        let equal = comparison.as_ref().is_ok_and(Comparison::is_equal);
        if equal || start.elapsed() >= limit {
            return comparison;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Streams Postgres in key order and takes each row's counterpart out of `rows`; what is left there is extra.
async fn match_rows(
    postgres: &Client,
    table: &PostgresTable,
    columns: &[Column],
    mut rows: HashMap<String, PackedRow>,
    comparison: &mut Comparison,
) -> anyhow::Result<()> {
    let key = table.key_positions(columns).context("the key is not among the columns")?;
    let mut stream = Box::pin(table.rows(postgres, columns).await?);
    while let Some(row) = stream.try_next().await? {
        let cells = postgres_rows::canonical_cells(&row, columns)?;
        comparison.postgres_rows += 1;
        let name = packed::key_name(&cells, &key);
        match rows.remove(&name) {
            Some(counterpart) => comparison.row(&name, columns, &cells, &counterpart),
            None => comparison.missing(name),
        }
    }
    let mut extra: Vec<String> = rows.into_keys().collect();
    extra.sort_unstable();
    extra.into_iter().for_each(|name| comparison.extra(name));
    Ok(())
}
