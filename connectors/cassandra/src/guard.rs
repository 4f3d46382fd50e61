//! Looks for what would hide our writes before the first of them.
//!
//! Timestamps from a log's positions lie far below the clock. A row that another tool wrote by the clock
//! wins over all of ours without a word; and a column that was dropped by the clock and added again hides
//! every later cell of ours. Both are found here, once per table and task.

use scylla::{
    client::session::Session,
    cluster::metadata::{ColumnKind, ColumnType, Table},
    value::CqlTimestamp,
};

use crate::{
    error::CassandraError,
    schema::{TableName, quoted},
};

/// How far a timestamp may lie above the record at hand and still be of the same kind.
///
/// A replay meets rows with later timestamps of our own; 64 TiB of log is more than any replay goes back,
/// and as microseconds it is two years, far from the distance between a log and the clock.
const SAME_DOMAIN: i64 = 1 << 46;
/// Rows that are looked at.
const SAMPLE_ROWS: i32 = 100;
/// Columns of each row that are looked at.
const SAMPLE_COLUMNS: usize = 4;

const DROPPED_COLUMNS: &str = "SELECT column_name, dropped_time FROM system_schema.dropped_columns \
     WHERE keyspace_name = ? AND table_name = ?";

/// Refuses columns that were dropped at a time above the timestamps that we write.
///
/// # Errors
/// *Stop* with the statement that helps, and failures of the query.
pub(crate) async fn check_dropped_columns(
    session: &Session,
    table: &TableName,
    columns: &[&str],
    timestamp: i64,
) -> Result<(), CassandraError> {
    let failed = |source| CassandraError::request("read the dropped columns of", table, source);
    let rows =
        session.query_unpaged(DROPPED_COLUMNS, (&table.keyspace, &table.table)).await.map_err(failed)?;
    let rows = rows.into_rows_result().map_err(|error| unreadable(table, &error))?;
    let dropped = rows.rows::<(String, CqlTimestamp)>().map_err(|error| unreadable(table, &error))?;
    for row in dropped {
        let (column, CqlTimestamp(millis)) = row.map_err(|error| unreadable(table, &error))?;
        let micros = millis.saturating_mul(1000);
        if columns.contains(&column.as_str()) && is_above(micros, timestamp) {
            return Err(dropped_column(table, &column, micros, timestamp));
        }
    }
    Ok(())
}

fn dropped_column(table: &TableName, column: &str, micros: i64, timestamp: i64) -> CassandraError {
    let name = quoted(column);
    CassandraError::Hidden {
        table: table.clone(),
        reason: format!(
            "column `{column}` was dropped at timestamp {micros}, which hides everything written to it \
             below, and this record has {timestamp}"
        ),
        remedy: format!(
            "ALTER TABLE {table} DROP {name} USING TIMESTAMP {timestamp}; then add it again (its content is \
             lost); or write to a column of another name; or set `write.timestamp.offset` above {micros}"
        ),
    }
}

/// Refuses a table with cells written at timestamps above those that we write.
///
/// # Errors
/// *Stop* with what helps, and failures of the query.
pub(crate) async fn check_existing_cells(
    session: &Session,
    table: &TableName,
    metadata: &Table,
    timestamp: i64,
) -> Result<(), CassandraError> {
    let mut columns: Vec<&String> =
        metadata.columns.iter().filter(|(_, column)| has_writetime(column)).map(|(name, _)| name).collect();
    columns.sort();
    columns.truncate(SAMPLE_COLUMNS);
    if columns.is_empty() {
        return Ok(());
    }
    for column in columns {
        let statement = format!("SELECT WRITETIME({}) FROM {table} LIMIT {SAMPLE_ROWS}", quoted(column));
        let failed = |source| CassandraError::request("read write times of", table, source);
        let rows = session.query_unpaged(statement, ()).await.map_err(failed)?;
        let rows = rows.into_rows_result().map_err(|error| unreadable(table, &error))?;
        let times = rows.rows::<(Option<i64>,)>().map_err(|error| unreadable(table, &error))?;
        for time in times {
            let (time,) = time.map_err(|error| unreadable(table, &error))?;
            if let Some(time) = time.filter(|&time| is_above(time, timestamp)) {
                return Err(foreign_cell(table, column, time, timestamp));
            }
        }
    }
    Ok(())
}

fn foreign_cell(table: &TableName, column: &str, time: i64, timestamp: i64) -> CassandraError {
    CassandraError::Hidden {
        table: table.clone(),
        reason: format!(
            "column `{column}` has cells written at timestamp {time}, and this record has {timestamp}: \
             another writer uses the clock"
        ),
        remedy: format!(
            "TRUNCATE {table}; if its rows may go, or set `write.timestamp.offset` above {time} to win over \
             them; two kinds of writers on one table cannot be told apart later"
        ),
    }
}

fn has_writetime(column: &scylla::cluster::metadata::Column) -> bool {
    column.kind == ColumnKind::Regular && !matches!(column.typ, ColumnType::Collection { frozen: false, .. })
}

fn is_above(time: i64, timestamp: i64) -> bool {
    time > timestamp.saturating_add(SAME_DOMAIN)
}

fn unreadable(table: &TableName, error: &dyn std::fmt::Display) -> CassandraError {
    CassandraError::Misfit {
        table: table.clone(),
        faults: vec![format!("the server's answer about it cannot be read: {error}")],
        hint: "Cassandra 4.0 to 5.0 answer as expected".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_over_our_own_rows_is_no_alarm() {
        assert!(!is_above(9_000_000_000_000, 1_000));
    }

    #[test]
    fn the_clock_is_far_above_any_log() {
        assert!(is_above(1_790_000_000_000_000, 1_000_000_000_000_000));
    }
}
