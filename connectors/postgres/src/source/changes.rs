//! The stream of changes: frames into transactions, transactions into batches.
//!
//! Hot path.

use std::sync::Arc;

use sluice_core::source::Batch;
use tokio::time::Instant;

use super::{BATCH_BYTES, BATCH_RECORDS, IDLE_INTERVAL, Phase, PostgresTask};
use crate::assemble::Transaction;
use crate::error::SourceError;
use crate::heartbeat::Heartbeat;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::records::Output;
use crate::replication::Frame;
use crate::snapshot::now;
use crate::spool::Entry;
use crate::table::captures_table;
use crate::{slot, sql};

impl PostgresTask {
    pub(super) async fn next_changes(&mut self) -> Result<Batch<Position>, SourceError> {
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
        while self.next_fits(&out) && self.read_events(&mut out)? {
            end = self.end_transaction(&mut out).or(end);
        }
        if let Some((end, micros)) = end {
            self.position.lsn = end;
            self.position.last_commit = Some(end);
            self.position.last_commit_micros = Some(micros);
        }
        self.measure_stream();
        if out.records.is_empty() && out.rejected.is_empty() && end.is_none() {
            return Ok(None);
        }
        let position = end.map(|_| self.position.clone());
        Ok(Some(Batch { records: out.records, rejected: out.rejected, position, bytes: out.bytes }))
    }

    /// Whether the next transaction goes into the batch: what is left of it fits, or is the batch.
    fn next_fits(&mut self, out: &Output) -> bool {
        self.assembler.front().is_some_and(|transaction| {
            let left = transaction.info.count - transaction.next_index;
            out.records.is_empty() || out.records.len() as u64 + left <= BATCH_RECORDS as u64
        })
    }

    /// Reads events of the first transaction while the batch has room, and tells whether these were its last.
    fn read_events(&mut self, out: &mut Output) -> Result<bool, SourceError> {
        let Some(transaction) = self.assembler.front() else { return Ok(false) };
        if !std::mem::replace(&mut transaction.begun, true) {
            self.maker.begin(&transaction.info, out);
        }
        // Once all events are read, what is left are descriptions of tables: they cost nothing.
        while transaction.next_index == transaction.info.count || out.has_room(BATCH_RECORDS, BATCH_BYTES) {
            match transaction.entries.next()? {
                None => return Ok(true),
                Some(Entry::Table(table)) => self.maker.install(table),
                Some(Entry::Frame { lsn, payload }) => {
                    let (index, before) = (transaction.next_index, out.mark());
                    transaction.next_index +=
                        self.maker.message(&transaction.info, index, lsn, &payload, out)?;
                    if let Some(remainder) = &mut self.remainder
                        && transaction.info.xid.is_some_and(|xid| remainder.is_of(xid))
                    {
                        out.leave_out(before, remainder.part(lsn, payload.first() == Some(&b'M')));
                    }
                }
            }
        }
        Ok(false)
    }

    /// Drops the first transaction, which was read, and returns where it ends and when it committed.
    fn end_transaction(&mut self, out: &mut Output) -> Option<(Lsn, i64)> {
        let Transaction { info, entries, end, .. } = self.assembler.pop()?;
        self.maker.end(&info, end, out);
        if let Some(xid) = info.xid {
            self.gauges.transaction(info.commit_micros, self.maker.now, entries.file_bytes());
            self.end_remainder(xid);
        }
        Some((end, info.commit_micros))
    }

    fn measure_stream(&mut self) {
        if let Phase::Stream(stream, _) = &self.phase {
            let lag = stream.received().bytes_since(self.position.lsn);
            let (_, buffered) = self.assembler.open_size();
            self.gauges.stream(lag.unwrap_or(0), buffered, self.assembler.take_unchanged());
        }
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
}
