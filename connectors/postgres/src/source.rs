//! The running source.
//!
//! Hot path: `next_batch` and what it calls, but for the start of phases and the slow checks.

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
use crate::catalog;
use crate::config::PostgresConfig;
use crate::debezium_offset::Remainder;
use crate::error::SourceError;
use crate::gauges::Gauges;
use crate::heartbeat::Heartbeat;
use crate::lsn::Lsn;
use crate::notifications::Notifier;
use crate::open::{self, Opened};
use crate::pgoutput::Relation;
use crate::position::Position;
use crate::publication::Fingerprint;
use crate::records::{Output, RecordMaker};
use crate::replication::{AckHandle, Frame, ReplicationStream, WalBatch};
use crate::snapshot::{Snapshot, SnapshotBatch, now};
use crate::spool::Entry;
use crate::table::{Table, captures_table};
use crate::types::temporal::EPOCH_MICROS;
use crate::{slot, sql, tables};

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
                notifier.around(batch.table, batch.records, batch.rows, batch.completed.is_some())
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
    fn abort_snapshot(&mut self, error: SourceError) -> Result<Batch<Position>, SourceError> {
        let Some(record) = self.notifier.as_ref().and_then(Notifier::aborted) else { return Err(error) };
        self.failure = Some(error);
        Ok(Batch::new(vec![record], None, 0))
    }

    async fn next_changes(&mut self) -> Result<Batch<Position>, SourceError> {
        loop {
            if self.relation.is_some() {
                self.load_relation().await?;
            }
            self.take_frames()?;
            if self.relation.is_some() {
                continue;
            }
            self.refresh_xmin().await?;
            let batch = match self.read_batch()? {
                Some(batch) => Some(batch),
                None => self.idle_batch(),
            };
            if let Some(batch) = self.with_heartbeat(batch) {
                return Ok(batch);
            }
            self.wait().await?;
        }
    }

    /// Asks for the slot's `xmin` if there are events to read, and it is time.
    async fn refresh_xmin(&mut self) -> Result<(), SourceError> {
        let Some(at) = self.xmin_at else { return Ok(()) };
        let now = Instant::now();
        if at > now || self.assembler.ready_events() == 0 {
            return Ok(());
        }
        if self.sql.is_closed() {
            self.sql = Arc::new(sql::connect(&self.config).await?);
        }
        self.maker.source.xmin = slot::catalog_xmin(&self.sql, &self.config.slot).await?;
        self.xmin_at = Some(now + self.config.xmin_interval.0);
        Ok(())
    }

    /// Waits for frames, or for something that is due.
    async fn wait(&mut self) -> Result<(), SourceError> {
        let idle = self.idle_pending();
        let beat = self.heartbeat.as_ref().map(Heartbeat::due);
        let Phase::Stream(stream, _) = &mut self.phase else { return Ok(()) };
        tokio::select! {
            biased;
            frames = stream.next_batch() => {
                self.frames = frames?;
                let (entries, bytes) = self.assembler.open_size();
                self.settle = (entries, self.frames.byte_len(), bytes);
            }
            () = tokio::time::sleep_until(self.idle_at), if idle => {}
            () = tokio::time::sleep_until(beat.unwrap_or(self.watch_at)), if beat.is_some() => {}
            () = tokio::time::sleep_until(self.watch_at) => self.watch().await?,
        }
        Ok(())
    }

    /// Sorts what was received, up to a batch's worth.
    fn take_frames(&mut self) -> Result<(), SourceError> {
        while self.assembler.ready_events() < BATCH_RECORDS as u64 {
            match self.frames.next() {
                None => {
                    let (first, received, before) = std::mem::take(&mut self.settle);
                    if received > 0 {
                        let kept = self.assembler.open_size().1.saturating_sub(before);
                        self.assembler.settle(first, received, kept);
                    }
                    return Ok(());
                }
                Some(Frame::Keepalive(keepalive)) => self.assembler.keepalive(keepalive.wal_end),
                Some(Frame::XLogData(data)) => {
                    let Some(relation) = self.assembler.accept(data.wal_start, data.payload)? else {
                        continue;
                    };
                    if captures_table(&self.config, &relation.namespace, &relation.name) {
                        self.relation = Some(relation);
                        return Ok(());
                    }
                    self.assembler.install(relation.relation_id, None)?;
                }
            }
        }
        Ok(())
    }

    /// Makes a batch of committed transactions: whole ones, or a part of a large one.
    fn read_batch(&mut self) -> Result<Option<Batch<Position>>, SourceError> {
        let mut out = Output::default();
        let mut end = None;
        self.maker.now = now();
        while let Some(transaction) = self.assembler.front() {
            let left = transaction.info.count - transaction.next_index;
            if !out.records.is_empty() && out.records.len() as u64 + left > BATCH_RECORDS as u64 {
                break;
            }
            if !std::mem::replace(&mut transaction.begun, true) {
                self.maker.begin(&transaction.info, &mut out);
            }
            let mut whole = false;
            // Once all events are read, what is left are descriptions of tables: they cost nothing.
            while transaction.next_index == transaction.info.count || out.has_room(BATCH_RECORDS, BATCH_BYTES)
            {
                match transaction.entries.next()? {
                    None => {
                        whole = true;
                        break;
                    }
                    Some(Entry::Table(table)) => self.maker.install(table),
                    Some(Entry::Frame { lsn, payload }) => {
                        let (index, before) = (transaction.next_index, out.mark());
                        transaction.next_index +=
                            self.maker.message(&transaction.info, index, lsn, &payload, &mut out)?;
                        if let Some(remainder) = &mut self.remainder
                            && transaction.info.xid.is_some_and(|xid| remainder.is_of(xid))
                        {
                            out.leave_out(before, remainder.part(lsn, payload.first() == Some(&b'M')));
                        }
                    }
                }
            }
            if !whole {
                break;
            }
            if let Some(read) = self.assembler.pop() {
                self.maker.end(&read.info, read.end, &mut out);
                if read.info.xid.is_some() {
                    let spooled = read.entries.file_bytes();
                    self.gauges.transaction(read.info.commit_micros, self.maker.now, spooled);
                }
                end = Some((read.end, read.info.commit_micros));
                if let Some(xid) = read.info.xid {
                    self.end_remainder(xid);
                }
            }
        }
        if let Some((end, micros)) = end {
            self.position.lsn = end;
            self.position.last_commit = Some(end);
            self.position.last_commit_micros = Some(micros);
        }
        if let Phase::Stream(stream, _) = &self.phase {
            let lag = stream.received().bytes_since(self.position.lsn);
            let (_, buffered) = self.assembler.open_size();
            self.gauges.stream(lag.unwrap_or(0), buffered, self.assembler.take_unchanged());
        }
        if out.records.is_empty() && out.rejected.is_empty() && end.is_none() {
            return Ok(None);
        }
        let position = end.map(|_| self.position.clone());
        Ok(Some(Batch { records: out.records, rejected: out.rejected, position, bytes: out.bytes }))
    }

    /// What Debezium delivered lies in the first transaction only.
    fn end_remainder(&mut self, xid: u32) {
        self.position.delivered = None;
        if let Some(remainder) = self.remainder.take()
            && !remainder.is_of(xid)
        {
            tracing::warn!(
                xid,
                "the transaction in which Debezium stopped did not come: nothing was left out"
            );
        }
    }

    /// Whether the slot could move although there is nothing to deliver.
    fn idle_pending(&self) -> bool {
        self.assembler.idle_position().is_some_and(|lsn| lsn > self.position.lsn)
    }

    /// Moves an idle slot: nothing is outstanding, so all up to the last keepalive is durable.
    fn idle_batch(&mut self) -> Option<Batch<Position>> {
        let lsn = self.assembler.idle_position().filter(|lsn| *lsn > self.position.lsn)?;
        let now = Instant::now();
        if now < self.idle_at {
            return None;
        }
        self.idle_at = now + IDLE_INTERVAL;
        self.position.lsn = lsn;
        let (last_commit, micros) = self.assembler.last_commit();
        self.position.last_commit = last_commit;
        self.position.last_commit_micros = last_commit.map(|_| micros);
        Some(Batch::new(Vec::new(), Some(self.position.clone()), 0))
    }

    /// Ends a batch with a heartbeat if one is due; it is a batch of its own when there is none.
    fn with_heartbeat(&mut self, batch: Option<Batch<Position>>) -> Option<Batch<Position>> {
        let Some(record) = self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.beat_if_due(now())) else {
            return batch;
        };
        // Where nothing is outstanding, and within a transaction as well, this is where a restart begins.
        let mut batch = batch.unwrap_or_else(|| Batch::new(Vec::new(), Some(self.position.clone()), 0));
        batch.records.push(record);
        Some(batch)
    }

    /// Compiles a relation that the stream announced. The old version is kept if nothing changed.
    async fn load_relation(&mut self) -> Result<(), SourceError> {
        let Some(relation) = self.relation.clone() else { return Ok(()) };
        let id = relation.relation_id;
        if self.sql.is_closed() {
            self.sql = Arc::new(sql::connect(&self.config).await?);
        }
        if let Some(xid) = self.assembler.open_xid() {
            catalog::await_visible(&self.sql, xid).await?;
        }
        let loaded = Arc::new(tables::load_relation(&self.sql, &self.config, relation).await?);
        let table = match self.tables.get(&id) {
            Some(known) if known.relation == loaded.relation && known.schema == loaded.schema => {
                Arc::clone(known)
            }
            _ => {
                tracing::info!(table = loaded.qualified, "following a new version of a table");
                loaded
            }
        };
        self.tables.insert(id, Arc::clone(&table));
        tables::check_topics(self.tables.values())?;
        self.assembler.install(id, Some(table))?;
        self.relation = None;
        Ok(())
    }

    /// Looks whether publication and slot still are what they were. Looking may fail; that says nothing.
    async fn watch(&mut self) -> Result<(), SourceError> {
        self.watch_at = Instant::now() + WATCH_INTERVAL;
        match self.look().await {
            Err(error @ SourceError::Sql { .. }) => {
                tracing::warn!(error = %error, "could not look after the publication");
                Ok(())
            }
            other => other,
        }
    }

    async fn look(&mut self) -> Result<(), SourceError> {
        if self.sql.is_closed() {
            self.sql = Arc::new(sql::connect(&self.config).await?);
        }
        let name = &self.config.publication;
        let changed = |what: String| SourceError::PublicationChanged { name: name.clone(), what };
        let facts = catalog::publication(&self.sql, name).await?;
        let facts = facts.ok_or_else(|| changed("it was dropped".to_owned()))?;
        let published = catalog::published_tables(&self.sql, name, self.server_version).await?;
        let captured: Vec<_> = published
            .into_iter()
            .filter(|table| captures_table(&self.config, &table.schema, &table.name))
            .collect();
        let fingerprint = Fingerprint::new(facts, &captured);
        let oids = catalog::existing(&self.sql, self.tables.keys().copied()).await?;
        if let Some(what) = self.fingerprint.narrowed(&fingerprint, |oid| oids.contains(&oid)) {
            return Err(changed(what));
        }
        for (table, oid, column) in self.fingerprint.fewer_columns(&fingerprint) {
            // A dropped column is not published any more either.
            if catalog::table(&self.sql, oid).await?.column(column).is_some() {
                return Err(changed(format!("column `{column}` of table `{table}` is not in it any more")));
            }
        }
        self.position.published = fingerprint.published();
        self.fingerprint = fingerprint;
        match slot::find(&self.sql, &self.config.slot).await?.and_then(|slot| slot.wal_status) {
            Some(status) if status == "unreserved" || status == "lost" => {
                tracing::error!(
                    slot = self.config.slot,
                    status,
                    "the server is about to remove WAL that the slot needs"
                );
            }
            Some(status) if status == "extended" => {
                tracing::warn!(slot = self.config.slot, status, "the slot holds more WAL than max_wal_size");
            }
            _ => {}
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), SourceError> {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Stream(stream, _) => stream.shutdown().await,
            Phase::Snapshot(mut snapshot) => {
                // A failure was told already; a stop can only be told to the log, since no batch follows.
                if !self.failed && self.failure.is_none() {
                    let _ = self.notifier.as_ref().and_then(Notifier::aborted);
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
