//! The running source.
//!
//! Hot path: `next_batch` and what it calls, but for the start of phases and the slow checks.

mod changes;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sluice_core::Error;
use sluice_core::record::Record;
use sluice_core::source::{Batch, Source};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::assemble::Assembler;
use crate::config::PostgresConfig;
use crate::debezium_offset::Remainder;
use crate::error::SourceError;
use crate::gauges::Gauges;
use crate::heartbeat::Heartbeat;
use crate::lsn::Lsn;
use crate::notifications::{Notifier, Read};
use crate::open::{self, Opened};
use crate::pgoutput::Relation;
use crate::position::Position;
use crate::publication::Fingerprint;
use crate::records::RecordMaker;
use crate::replication::{AckHandle, ReplicationStream, WalBatch};
use crate::snapshot::{Failure, Snapshot, SnapshotBatch, now};
use crate::table::Table;
use crate::types::temporal::EPOCH_MICROS;
use crate::{slot, sql};

/// Records of a batch.
const BATCH_RECORDS: usize = 2_000;
/// Bytes of a batch as received, for wide rows.
const BATCH_BYTES: usize = 4 << 20;
/// How often an idle slot moves at the most.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);
/// How often publication and slot are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(10);

/// A running Postgres source: a snapshot if there is to be one, then the stream of changes.
pub struct PostgresTask {
    config: Arc<PostgresConfig>,
    sql: Arc<Client>,
    server_version: u32,
    fingerprint: Fingerprint,
    tables: HashMap<u32, Arc<Table>>,
    phase: Phase,
    snapshot_only: bool,
    /// Up to here records were handed over.
    position: Position,
    assembler: Assembler,
    maker: RecordMaker,
    /// What Debezium delivered of the first transaction.
    remainder: Option<Remainder>,
    gauges: Gauges,
    frames: WalBatch,
    /// What the open transaction held, and how much was received, when `frames` came.
    settle: (usize, usize, usize),
    /// A description of a relation that waits for the catalog.
    relation: Option<Relation>,
    idle_at: Instant,
    watch_at: Instant,
    /// When to ask for the slot's `xmin`; none if nobody wants it.
    xmin_at: Option<Instant>,
    heartbeat: Option<Heartbeat>,
    notifier: Option<Notifier>,
    /// Notifications that come before all else.
    told: Vec<Record>,
    /// Why the snapshot failed, while its notification is on its way.
    failure: Option<SourceError>,
    /// An error was told: the close that follows is not the user's.
    failed: bool,
}

type Started = Result<(ReplicationStream, AckHandle), SourceError>;

enum Phase {
    Snapshot(Box<Snapshot>),
    /// The stream is being started, by a task of its own: it must survive a dropped `next_batch`.
    Start(JoinSet<Started>),
    Stream(ReplicationStream, AckHandle),
    Ended,
}

impl PostgresTask {
    /// Opens the source; see [`SourceConnector::open`](sluice_core::source::SourceConnector::open).
    pub(crate) async fn open(
        config: PostgresConfig,
        connector: &str,
        position: Option<Position>,
    ) -> Result<Self, SourceError> {
        let (config, run) = (Arc::new(config), Uuid::new_v4());
        let Opened { sql, server_version, fingerprint, tables, position, snapshot, snapshot_only } =
            open::open(&config, position, run).await?;
        let ended = snapshot_only && snapshot.is_none();
        let mut notifier = Notifier::new(&config);
        let told = match (&mut notifier, &snapshot) {
            (None, _) => Vec::new(),
            (Some(notifier), Some(snapshot)) => notifier.started(snapshot.tables()),
            (Some(notifier), None) => notifier.skipped(),
        };
        let mut task = Self {
            assembler: Assembler::new(&config, &position, now() / 1000 - EPOCH_MICROS),
            maker: RecordMaker::new(&config, position.epoch, run),
            remainder: position.delivered.clone().map(Remainder::new),
            gauges: Gauges::new(connector),
            heartbeat: Heartbeat::new(&config, connector),
            notifier,
            told,
            failure: None,
            xmin_at: (!config.xmin_interval.0.is_zero()).then(Instant::now),
            tables: tables.into_iter().map(|table| (table.relation.relation_id, table)).collect(),
            phase: match snapshot {
                Some(snapshot) => Phase::Snapshot(Box::new(snapshot)),
                None if ended => Phase::Ended,
                None => Phase::Start(JoinSet::new()),
            },
            config,
            sql: Arc::new(sql),
            server_version,
            fingerprint,
            snapshot_only,
            position,
            frames: WalBatch::default(),
            settle: (0, 0, 0),
            relation: None,
            idle_at: Instant::now(),
            watch_at: Instant::now() + WATCH_INTERVAL,
            failed: false,
        };
        // Done here, so that a slot in use or lost fails the start and not the first batch.
        task.start_stream().await?;
        Ok(task)
    }

    /// Starts the stream if that is what comes next.
    async fn start_stream(&mut self) -> Result<(), SourceError> {
        let Phase::Start(starting) = &mut self.phase else { return Ok(()) };
        if starting.is_empty() {
            // It may have been idle for the length of a snapshot.
            if self.sql.is_closed() {
                self.sql = Arc::new(sql::connect(&self.config).await?);
            }
            let (config, sql, lsn) = (Arc::clone(&self.config), Arc::clone(&self.sql), self.position.lsn);
            starting.spawn(async move { open::start_stream(&config, &sql, lsn).await });
        }
        let started = starting.join_next().await.and_then(Result::ok).ok_or(SourceError::Task)?;
        let (stream, acknowledge) = started?;
        tracing::info!(slot = self.config.slot, position = %self.position.lsn, "streaming");
        self.phase = Phase::Stream(stream, acknowledge);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Batch<Position>>, SourceError> {
        if !self.told.is_empty() {
            return Ok(Some(Batch::new(std::mem::take(&mut self.told), None, 0)));
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        loop {
            match &mut self.phase {
                Phase::Snapshot(snapshot) => {
                    return match snapshot.next().await {
                        Ok(Some(batch)) => Ok(Some(self.snapshot_batch(batch))),
                        Ok(None) => self.end_snapshot().await.map(Some),
                        Err(error) => self.abort_snapshot(error).map(Some),
                    };
                }
                Phase::Start(_) => self.start_stream().await?,
                Phase::Stream(..) => return self.next_changes().await.map(Some),
                Phase::Ended => return Ok(None),
            }
        }
    }

    fn snapshot_batch(&mut self, batch: SnapshotBatch) -> Batch<Position> {
        let records = match &mut self.notifier {
            None => batch.records,
            Some(notifier) => {
                let read = Read {
                    table: batch.table,
                    chunk: batch.chunk,
                    rows: batch.rows,
                    chunk_completed: batch.chunk_completed,
                    completed: batch.completed.is_some(),
                };
                notifier.around(read, batch.records)
            }
        };
        let position = batch.completed.map(|table| {
            tracing::info!(table, "table is complete in the snapshot");
            self.position.snapshot.get_or_insert_default().push(table);
            self.position.clone()
        });
        Batch { records, rejected: batch.rejected, position, bytes: batch.bytes }
    }

    /// Says that the snapshot is complete; from here on a restart takes none.
    async fn end_snapshot(&mut self) -> Result<Batch<Position>, SourceError> {
        if let Phase::Snapshot(snapshot) = &mut self.phase {
            snapshot.close().await;
        }
        tracing::info!(position = %self.position.lsn, "the snapshot is complete");
        self.phase = if self.snapshot_only { Phase::Ended } else { Phase::Start(JoinSet::new()) };
        self.position.snapshot = None;
        let mut records: Vec<_> = self.heartbeat.iter().map(|heartbeat| heartbeat.beat(now())).collect();
        records.extend(self.notifier.iter_mut().flat_map(Notifier::completed));
        Ok(Batch::new(records, Some(self.position.clone()), 0))
    }

    /// Tells that the snapshot failed; the engine is told after that.
    fn abort_snapshot(&mut self, Failure { table, error }: Failure) -> Result<Batch<Position>, SourceError> {
        let refused = table.filter(|_| matches!(error, SourceError::Sql { .. }));
        let told = self.notifier.as_mut().map(|notifier| notifier.aborted(refused)).unwrap_or_default();
        if told.is_empty() {
            return Err(error);
        }
        self.failure = Some(error);
        Ok(Batch::new(told, None, 0))
    }

    async fn finish(&mut self) -> Result<(), SourceError> {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Stream(stream, _) => stream.shutdown().await,
            Phase::Snapshot(mut snapshot) => {
                // A failure was told already; a stop can only be told to the log, since no batch follows.
                if !self.failed && self.failure.is_none() {
                    let _ = self.notifier.as_mut().map(|notifier| notifier.aborted(None));
                }
                snapshot.close().await;
            }
            Phase::Start(mut starting) => starting.shutdown().await,
            Phase::Ended => return Ok(()),
        }
        if self.config.slot_drop_on_stop && !self.failed {
            let sql = sql::connect(&self.config).await?;
            slot::drop_slot(&sql, &self.config.slot).await?;
        }
        Ok(())
    }

    /// Returns up to where records were handed over.
    pub fn position(&self) -> Lsn {
        self.position.lsn
    }
}

impl Source for PostgresTask {
    type Position = Position;

    async fn next_batch(&mut self) -> Result<Option<Batch<Position>>, Error> {
        let batch = self.next().await;
        self.failed |= batch.is_err();
        let mut batch = batch?;
        if let Some(batch) = &mut batch {
            self.config.event_failures.settle(&mut batch.rejected);
        }
        Ok(batch)
    }

    async fn acknowledge(&mut self, position: &Position) -> Result<(), Error> {
        if let (Phase::Stream(_, acknowledge), None) = (&self.phase, &position.snapshot) {
            acknowledge.acknowledge(position.lsn);
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Error> {
        Ok(self.finish().await?)
    }
}
