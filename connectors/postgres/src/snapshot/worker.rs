//! One connection of the snapshot.
//!
//! Hot path.

use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, pin_mut};
use sluice_core::record::EventPosition;
use sluice_core::value::Value;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::copy::{CopyRows, CopyTuple};
use super::{Failure, Job, Piece, Shared, begin, failed};
use crate::error::SourceError;
use crate::records::{Output, RecordMaker};
use crate::source_block::Place;
use crate::table::Table;

/// Records of a piece.
const PIECE_RECORDS: usize = 2_000;
/// Bytes of a piece, for wide rows.
const PIECE_BYTES: usize = 4 << 20;

/// Reads ranges until there are none left.
pub(super) async fn run(shared: Arc<Shared>, pieces: mpsc::Sender<Result<Piece, Failure>>) {
    if let Err(failure) = work(&shared, &pieces).await {
        // Nobody listens any more when the snapshot was closed.
        let _ = pieces.send(Err(failure)).await;
    }
}

async fn work(shared: &Shared, pieces: &mpsc::Sender<Result<Piece, Failure>>) -> Result<(), Failure> {
    let client = crate::sql::connect_for_snapshot(&shared.plan.config).await?;
    begin(&client, Some(&shared.snapshot)).await?;
    let mut maker = shared.maker();
    loop {
        let job = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(job) = job else { return Ok(()) };
        let done = read(shared, &client, &mut maker, &job, pieces).await;
        if done.map_err(|error| Failure { table: Some(job.table), error })?.is_none() {
            return Ok(());
        }
    }
}

/// Reads one range; none when nobody listens any more.
async fn read(
    shared: &Shared,
    client: &Client,
    maker: &mut RecordMaker,
    job: &Job,
    pieces: &mpsc::Sender<Result<Piece, Failure>>,
) -> Result<Option<()>, SourceError> {
    let Some((_, table)) = shared.plan.tables.get(job.table) else { return Err(SourceError::Task) };
    let stream = client.copy_out(&job.query).await.map_err(failed)?;
    pin_mut!(stream);
    let mut rows = CopyRows::default();
    let mut out = Output::default();
    maker.now = now();
    while let Some(message) = stream.next().await {
        let message = message.map_err(failed)?;
        out.bytes += message.len();
        rows.each(&message, |tuple| {
            let row = row(maker, table, &message, tuple);
            maker.read(table, &place(shared), Value::from_static("true"), row, &mut out);
            Ok(())
        })?;
        if out.records.len() >= PIECE_RECORDS || out.bytes >= PIECE_BYTES {
            let full = std::mem::take(&mut out);
            if pieces.send(Ok(piece(job, full, false))).await.is_err() {
                return Ok(None);
            }
            maker.now = now();
        }
    }
    let sent = pieces.send(Ok(piece(job, out, true))).await;
    Ok(sent.ok())
}

fn row(
    maker: &mut RecordMaker,
    table: &Table,
    whole: &Bytes,
    tuple: &mut CopyTuple<'_>,
) -> Result<Vec<Value>, SourceError> {
    let mut values = Vec::with_capacity(table.row_width());
    for (plan, field) in table.columns.iter().flatten().zip(tuple) {
        values.push(maker.column(table, plan, whole, field?)?);
    }
    Ok(values)
}

fn place(shared: &Shared) -> Place<'static> {
    Place {
        lsn: shared.plan.lsn,
        commit_micros: shared.micros,
        xid: Some(shared.xid),
        last_commit: None,
        origin: None,
        event: EventPosition {
            epoch: shared.plan.epoch,
            commit: shared.plan.floor.as_u64(),
            index: 0,
            count: 1,
        },
    }
}

fn piece(job: &Job, out: Output, last: bool) -> Piece {
    let (table, chunk) = (job.table, job.chunk);
    Piece { table, chunk, records: out.records, rejected: out.rejected, bytes: out.bytes, last }
}

/// Returns the clock in nanoseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
