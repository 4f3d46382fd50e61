//! The initial snapshot: all rows, as of one moment, on several connections.
//!
//! Workers read ranges of table pages by `COPY … (FORMAT binary)` under one snapshot, decode them and
//! hand records over a bounded channel. The reader of that channel puts Debezium's markers on the
//! first and last records, and says after which record a table is complete.

pub(crate) mod copy;
mod plan;
mod worker;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use sluice_core::Error;
use sluice_core::record::{Payload, Record};
use sluice_core::value::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::catalog::PublishedTable;
use crate::config::PostgresConfig;
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::records::RecordMaker;
use crate::replication::ReplicationClient;
use crate::source_block::SNAPSHOT_FIELD;
use crate::table::Table;
pub(crate) use worker::now;

/// Batches of records that may wait: enough to keep the workers busy while a batch is written.
const CHANNEL: usize = 2;
/// What a snapshot reads, and as of when.
pub(crate) struct SnapshotPlan {
    pub(crate) config: Arc<PostgresConfig>,
    /// Tables in their order, with what the catalog says of them.
    pub(crate) tables: Vec<(PublishedTable, Arc<Table>)>,
    /// Exported snapshot to read under; none for one of its own.
    pub(crate) exported: Option<String>,
    /// Position that its rows show as their `lsn`.
    pub(crate) lsn: Lsn,
    /// Position below all that the slot will still send: rows of the snapshot sort there.
    pub(crate) floor: Lsn,
    pub(crate) epoch: u32,
    pub(crate) run: uuid::Uuid,
}

/// What all workers need.
struct Shared {
    plan: SnapshotPlan,
    jobs: Mutex<VecDeque<Job>>,
    snapshot: String,
    micros: i64,
    xid: u32,
}

/// One range of one table.
#[derive(Debug)]
struct Job {
    table: usize,
    /// Place of the range among those of the table.
    chunk: usize,
    query: String,
}

/// What a worker hands over.
struct Piece {
    table: usize,
    chunk: usize,
    records: Vec<Record>,
    rejected: Vec<(Record, Error)>,
    bytes: usize,
    /// The range ends here.
    last: bool,
}

/// Why a snapshot cannot go on.
pub(crate) struct Failure {
    /// Place of the table that was being read, if one was.
    pub(crate) table: Option<usize>,
    pub(crate) error: SourceError,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { table: None, error }
    }
}

/// A running snapshot.
pub(crate) struct Snapshot {
    pieces: mpsc::Receiver<Result<Piece, Failure>>,
    workers: JoinSet<()>,
    /// Keeps the snapshot that the workers adopt.
    holder: Option<Client>,
    tables: Vec<TableState>,
    /// Tables that are not complete.
    left: usize,
}

struct TableState {
    name: String,
    /// How many ranges it has.
    chunks: usize,
    /// How many of them are not complete.
    ranges: usize,
    started: bool,
    /// The newest record, held back until it is known whether it is the last.
    held: Option<Record>,
}

/// Records of the snapshot.
pub(crate) struct SnapshotBatch {
    pub(crate) records: Vec<Record>,
    pub(crate) rejected: Vec<(Record, Error)>,
    pub(crate) bytes: usize,
    /// Place of their table among the tables.
    pub(crate) table: usize,
    /// Place of their range among those of the table.
    pub(crate) chunk: usize,
    /// The range is complete with this batch.
    pub(crate) chunk_completed: bool,
    /// How many of its rows were read.
    pub(crate) rows: u64,
    /// The table that is complete with this batch.
    pub(crate) completed: Option<String>,
}

fn failed(cause: tokio_postgres::Error) -> SourceError {
    SourceError::sql("reading the snapshot")(cause)
}

impl Snapshot {
    /// Opens the connections and starts reading. `exporter` is the session that exported the snapshot.
    ///
    /// # Errors
    /// When a connection fails, or the exported snapshot is gone.
    pub(crate) async fn start(
        plan: SnapshotPlan,
        exporter: Option<ReplicationClient>,
    ) -> Result<Self, SourceError> {
        let holder = crate::sql::connect_for_snapshot(&plan.config).await?;
        begin(&holder, plan.exported.as_deref()).await?;
        // The holder has the snapshot now and passes it on; a temporary slot goes with its session.
        drop(exporter);
        let row = holder
            .query_one(
                "SELECT pg_export_snapshot(), pg_snapshot_xmax(pg_current_snapshot())::text, \
             (extract(epoch FROM now()) * 1000000)::bigint",
                &[],
            )
            .await
            .map_err(failed)?;
        let snapshot: String = row.try_get(0).map_err(failed)?;
        let xid: String = row.try_get(1).map_err(failed)?;
        let micros: i64 = row.try_get(2).map_err(failed)?;
        let (tables, jobs) = plan::plan_tables(&holder, &plan.config, &plan.tables).await?;
        let workers = usize::try_from(plan.config.snapshot_threads).unwrap_or(1).clamp(1, jobs.len().max(1));
        let shared = Arc::new(Shared {
            jobs: Mutex::new(jobs),
            snapshot,
            micros: micros - crate::types::temporal::EPOCH_MICROS,
            // Transaction ids are 32 bits; the epoch above them says nothing here.
            xid: xid.parse::<u64>().map_or(0, |xid| (xid & u64::from(u32::MAX)) as u32),
            plan,
        });
        let (sender, pieces) = mpsc::channel(CHANNEL);
        let mut set = JoinSet::new();
        for _ in 0..workers {
            set.spawn(worker::run(Arc::clone(&shared), sender.clone()));
        }
        let left = tables.iter().filter(|table| table.ranges > 0).count();
        Ok(Self { pieces, workers: set, holder: Some(holder), tables, left })
    }

    /// Lists the tables in their order, with how many ranges they are read in: of empty ones there are none, and no records.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tables.iter().map(|table| (table.name.as_str(), table.chunks))
    }

    /// Waits for the next records; none when all tables are complete.
    ///
    /// # Errors
    /// When a worker failed.
    ///
    /// # Cancel safety
    /// No record is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Option<SnapshotBatch>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        match self.pieces.recv().await {
            Some(piece) => Ok(Some(self.mark(piece?)?)),
            None => Err(SourceError::Task.into()),
        }
    }

    /// Ends the connections.
    pub(crate) async fn close(&mut self) {
        self.workers.shutdown().await;
        self.holder = None;
    }

    fn mark(&mut self, piece: Piece) -> Result<SnapshotBatch, SourceError> {
        let table = self.tables.get_mut(piece.table).ok_or(SourceError::Task)?;
        let rows = (piece.records.len() + piece.rejected.len()) as u64;
        let mut records = Vec::with_capacity(piece.records.len() + 1);
        let mut incoming = piece.records;
        if let Some(first) = incoming.first_mut() {
            if !table.started {
                // As in Debezium, the first table has the first row: if it is empty, no row is marked as the first.
                set_marker(first, if piece.table == 0 { FIRST } else { "first_in_data_collection" });
                table.started = true;
            }
            records.extend(table.held.take());
            table.held = incoming.pop();
            records.append(&mut incoming);
        }
        let mut completed = None;
        if piece.last {
            table.ranges -= 1;
        }
        if piece.last && table.ranges == 0 {
            self.left -= 1;
            completed = Some(table.name.clone());
            if let Some(mut last) = table.held.take() {
                match self.left {
                    0 => set_marker(&mut last, "last"),
                    _ if marker(&last) == Some(FIRST) => {}
                    _ => set_marker(&mut last, "last_in_data_collection"),
                }
                records.push(last);
            }
        }
        Ok(SnapshotBatch {
            records,
            rejected: piece.rejected,
            bytes: piece.bytes,
            table: piece.table,
            chunk: piece.chunk,
            chunk_completed: piece.last,
            rows,
            completed,
        })
    }
}

/// The marker of the first row of the first table; it stays when that is the table's last row, too.
const FIRST: &str = "first";

fn marker(record: &Record) -> Option<&str> {
    match &record.value {
        Payload::Change(change) => change.source[SNAPSHOT_FIELD].as_str(),
        Payload::Plain(_) => None,
    }
}

fn set_marker(record: &mut Record, marker: &'static str) {
    if let Payload::Change(change) = &mut record.value {
        change.source[SNAPSHOT_FIELD] = Value::from_static(marker);
    }
}

/// Begins a transaction that reads one state, perhaps that of an exported snapshot.
async fn begin(client: &Client, snapshot: Option<&str>) -> Result<(), SourceError> {
    let mut statements = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY".to_owned();
    if let Some(snapshot) = snapshot {
        statements.push_str(&format!("; SET TRANSACTION SNAPSHOT '{}'", snapshot.replace('\'', "''")));
    }
    client.batch_execute(&statements).await.map_err(failed)
}

impl Shared {
    fn maker(&self) -> RecordMaker {
        RecordMaker::new(&self.plan.config, self.plan.epoch, self.plan.run)
    }
}
