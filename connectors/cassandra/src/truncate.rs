//! A TRUNCATE as deletes of all partitions, each at the timestamp of the TRUNCATE.
//!
//! CQL's own TRUNCATE knows no timestamp: replayed, it would take newer rows with it.

use std::sync::Arc;

use futures_util::TryStreamExt;
use scylla::{
    client::session::Session,
    cluster::metadata::Table,
    errors::{ExecutionError, NextRowError, PagerExecutionError},
    statement::{Consistency, prepared::PreparedStatement},
    value::{CqlValue, Row},
};

use crate::{
    error::CassandraError,
    executor::{CHUNK_ROWS, Executor, Job},
    schema::{self, TableName, quoted},
    statement::{Plan, TimeToLive},
};

/// Keys read at once.
const PAGE_ROWS: i32 = 5000;

/// Deletes all partitions that the table has now, at `timestamp`; rows written later than it stay.
///
/// On return the deletes are queued. Rows that other tasks are still writing may escape: a table that is
/// truncated belongs to one task.
///
/// # Errors
/// Failures of the scan.
pub(crate) async fn delete_all(
    session: &Session,
    executor: &Executor,
    table: &TableName,
    metadata: &Table,
    timestamp: i64,
    index: usize,
) -> Result<(), CassandraError> {
    let keys: Vec<_> = metadata.partition_key.iter().map(String::as_str).collect();
    let columns: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
    let select = format!("SELECT DISTINCT {} FROM {table}", columns.join(", "));
    let mut scan = prepare(session, table, &select).await?;
    scan.set_page_size(PAGE_ROWS);
    scan.set_consistency(Consistency::LocalQuorum);
    let delete = prepare(session, table, &schema::delete(table, &keys)).await?;
    let plan = Arc::new(key_plan(table));

    let unreadable = |error: &dyn std::fmt::Display| CassandraError::Misfit {
        table: table.clone(),
        faults: vec![format!("its keys cannot be read: {error}")],
        hint: "set `truncate.policy=ignore` and truncate the table by hand".to_owned(),
    };
    let pager = session.execute_iter(scan, ()).await.map_err(|error| pager_failed(table, error))?;
    let mut rows = pager.rows_stream::<Row>().map_err(|error| unreadable(&error))?;
    let mut jobs = Vec::with_capacity(CHUNK_ROWS);
    while let Some(row) = rows.try_next().await.map_err(|error| scan_failed(table, error))? {
        let mut values = vec![Some(CqlValue::BigInt(timestamp))];
        values.extend(row.columns);
        let statement = delete.clone().bind(&values).map_err(|error| unreadable(&error))?;
        jobs.push(Job { index, plan: Arc::clone(&plan), statement });
        if jobs.len() >= CHUNK_ROWS {
            executor.run(std::mem::replace(&mut jobs, Vec::with_capacity(CHUNK_ROWS))).await?;
        }
    }
    executor.run(jobs).await
}

async fn prepare(
    session: &Session,
    table: &TableName,
    statement: &str,
) -> Result<PreparedStatement, CassandraError> {
    let mut prepared = session.prepare(statement).await.map_err(|error| {
        CassandraError::request("prepare statements for", table, ExecutionError::from(error))
    })?;
    prepared.set_is_idempotent(true);
    Ok(prepared)
}

fn pager_failed(table: &TableName, error: PagerExecutionError) -> CassandraError {
    match error {
        PagerExecutionError::PrepareError(error) => {
            CassandraError::request("read the keys of", table, error.into())
        }
        PagerExecutionError::NextPageError(error) => scan_failed(table, NextRowError::NextPageError(error)),
        _ => CassandraError::Changed { table: table.clone() },
    }
}

fn scan_failed(table: &TableName, error: NextRowError) -> CassandraError {
    match error {
        NextRowError::NextPageError(scylla::errors::NextPageError::RequestFailure(error)) => {
            CassandraError::request("read the keys of", table, error.into_execution_error())
        }
        _ => CassandraError::Changed { table: table.clone() },
    }
}

fn key_plan(table: &TableName) -> Plan {
    Plan {
        table: table.clone(),
        columns: Vec::new(),
        keys: Vec::new(),
        insert: None,
        delete: None,
        ttl: TimeToLive::Table,
        timestamp: None,
        max_bytes: usize::MAX,
        null_to_unset: None,
        deletes: true,
    }
}
