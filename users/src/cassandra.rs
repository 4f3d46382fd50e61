//! The few questions that are put to Cassandra.

use anyhow::Context;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

use crate::quote;

/// Connects to the cluster that has a node at `address` (`host:port`), without TLS.
///
/// # Errors
///
/// No node answers.
pub async fn connect(address: &str) -> anyhow::Result<Session> {
    let session = SessionBuilder::new().known_node(address).build().await;
    session.with_context(|| format!("connect to Cassandra at {address}"))
}

/// Counts the rows of a table by reading all of it: for demonstrations, not for production tables.
///
/// # Errors
///
/// The table does not exist or cannot be read.
pub async fn count_rows(session: &Session, keyspace: &str, table: &str) -> anyhow::Result<u64> {
    let statement = format!("SELECT COUNT(*) FROM {}.{}", quote(keyspace), quote(table));
    let rows = session.query_unpaged(statement, ()).await?.into_rows_result()?;
    let (count,) = rows.single_row::<(i64,)>()?;
    Ok(u64::try_from(count)?)
}
