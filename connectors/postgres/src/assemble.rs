//! Messages → whole transactions.
//!
//! Hot path. Messages are held as they came until their transaction's commit; only their heads are
//! looked at, to drop what is not captured and to count the events: every event carries how many
//! there are in its transaction.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::config::{Compatibility, PostgresConfig, SkippedOperations};
use crate::difference::{is_unchanged, key_changed};
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::messages::MessageFilter;
use crate::pgoutput::{self, Begin, LogicalMessage, Message, Relation, RowKind, Update};
use crate::position::Position;
use crate::replication::ReplicationError;
use crate::spool::{Entry, Spool};
use crate::table::Table;

/// What is known of a transaction.
#[derive(Debug, Clone)]
pub(crate) struct TransactionInfo {
    /// Its first record in the log.
    pub(crate) begin: Lsn,
    /// Start of the commit record.
    pub(crate) commit: Lsn,
    /// Commit time, µs since 2000-01-01 UTC.
    pub(crate) commit_micros: i64,
    /// None of a message that stands outside of transactions.
    pub(crate) xid: Option<u32>,
    /// End of the commit before this one.
    pub(crate) last_commit: Option<Lsn>,
    /// Where it was first made, and its commit there.
    pub(crate) origin: Option<(Box<str>, Lsn)>,
    /// How many events it has.
    pub(crate) count: u64,
}

/// A committed transaction that waits to be read.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) info: TransactionInfo,
    pub(crate) entries: Spool,
    /// Where to resume after it.
    pub(crate) end: Lsn,
    /// Index of the next event.
    pub(crate) next_index: u64,
    /// Whether reading began.
    pub(crate) begun: bool,
}

impl Transaction {
    /// How much it counts among those that wait: its events, and something for itself.
    fn weight(&self) -> u64 {
        self.info.count.max(1)
    }
}

/// Collects transactions.
#[derive(Debug)]
pub(crate) struct Assembler {
    skipped: SkippedOperations,
    /// Transactions without events are read, too.
    keeps_empty: bool,
    /// Updates that change nothing captured are dropped.
    skips_unchanged: bool,
    /// As in Debezium so are changes of key that masks hide, after which the row goes on under a key that never came.
    skips_moves: bool,
    /// How many of these there were.
    unchanged: u64,
    chunk: BytesMut,
    messages: MessageFilter,
    memory: usize,
    directory: PathBuf,
    /// By oid; none is a relation that is not captured.
    relations: HashMap<u32, Option<Arc<Table>>>,
    open: Option<Transaction>,
    ready: VecDeque<Transaction>,
    ready_events: u64,
    last_commit: Option<Lsn>,
    /// Time of the transaction that was seen last.
    commit_micros: i64,
    /// End of a commit without events, or a keepalive, after all that is ready.
    passed: Option<Lsn>,
}

impl Assembler {
    /// Starts at a position; `now`, in µs since 2000-01-01 UTC, stands for the time of a commit before it that is not known.
    pub(crate) fn new(config: &PostgresConfig, position: &Position, now: i64) -> Self {
        Self {
            skipped: config.skipped,
            keeps_empty: config.transaction_metadata,
            skips_unchanged: config.skip_unchanged,
            skips_moves: config.compatibility == Compatibility::Debezium,
            unchanged: 0,
            chunk: BytesMut::new(),
            messages: MessageFilter::new(config),
            memory: config.transaction_memory.0,
            directory: config.spool_directory(),
            relations: HashMap::new(),
            open: None,
            ready: VecDeque::new(),
            ready_events: 0,
            last_commit: position.last_commit,
            commit_micros: position.last_commit_micros.unwrap_or(now),
            passed: None,
        }
    }

    /// Returns how many events wait in committed transactions; one without events counts as one.
    pub(crate) fn ready_events(&self) -> u64 {
        self.ready_events
    }

    /// Returns the oldest committed transaction.
    pub(crate) fn front(&mut self) -> Option<&mut Transaction> {
        self.ready.front_mut()
    }

    /// Drops the oldest committed transaction, which has been read.
    pub(crate) fn pop(&mut self) -> Option<Transaction> {
        let transaction = self.ready.pop_front()?;
        self.ready_events -= transaction.weight();
        Some(transaction)
    }

    /// Returns the end of the last commit that was seen, and its time.
    pub(crate) fn last_commit(&self) -> (Option<Lsn>, i64) {
        (self.last_commit, self.commit_micros)
    }

    /// Returns up to where nothing is outstanding, if nothing is.
    pub(crate) fn idle_position(&self) -> Option<Lsn> {
        if self.open.is_some() || !self.ready.is_empty() { None } else { self.passed }
    }

    /// Takes a keepalive's position: all that committed before it has been received.
    pub(crate) fn keepalive(&mut self, position: Lsn) {
        if self.open.is_none() {
            self.passed = self.passed.max(Some(position));
        }
    }

    /// Takes one message. A relation that is captured is handed back: it must be installed before the
    /// next message.
    ///
    /// # Errors
    /// When the message is malformed or out of place, or cannot be spooled.
    pub(crate) fn accept(&mut self, lsn: Lsn, payload: Bytes) -> Result<Option<Relation>, SourceError> {
        match payload.first() {
            Some(b'I' | b'U' | b'D') => self.row(lsn, payload).map(|()| None),
            Some(b'M') => self.message(lsn, payload).map(|()| None),
            Some(b'Y') => Ok(None),
            _ => self.boundary(lsn, payload),
        }
    }

    /// Says what a relation is from here on; none if it is not captured.
    ///
    /// # Errors
    /// When it cannot be spooled.
    pub(crate) fn install(&mut self, id: u32, table: Option<Arc<Table>>) -> Result<(), SourceError> {
        if let (Some(table), Some(open)) = (&table, &mut self.open) {
            open.entries.push(Entry::Table(Arc::clone(table)))?;
        }
        self.relations.insert(id, table);
        Ok(())
    }

    /// Keeps what waits for its commit from holding on to receive buffers that are mostly skipped
    /// messages. Called at the end of each received batch with what was pushed since its start.
    pub(crate) fn settle(&mut self, first: usize, received: usize, kept: usize) {
        if let Some(open) = &mut self.open
            && kept < received / 2
        {
            open.entries.compact(first);
        }
    }

    /// Returns how many updates without a change were dropped since it was asked last.
    pub(crate) fn take_unchanged(&mut self) -> u64 {
        std::mem::take(&mut self.unchanged)
    }

    /// Returns the transaction that is being received.
    pub(crate) fn open_xid(&self) -> Option<u32> {
        self.open.as_ref().and_then(|open| open.info.xid)
    }

    /// Returns how many entries and bytes the open transaction holds in memory.
    pub(crate) fn open_size(&self) -> (usize, usize) {
        self.open.as_ref().map_or((0, 0), |open| (open.entries.len(), open.entries.memory_bytes()))
    }

    fn row(&mut self, lsn: Lsn, payload: Bytes) -> Result<(), SourceError> {
        let header = pgoutput::row_header(&payload, false).map_err(ReplicationError::from)?;
        let Some(header) = header else { return Ok(()) };
        let table = match self.relations.get(&header.relation_id) {
            Some(Some(table)) => table,
            Some(None) => return Ok(()),
            None => {
                return Err(broken(format!(
                    "a change of relation {} before its description",
                    header.relation_id
                )));
            }
        };
        let events = match header.kind {
            RowKind::Insert => u64::from(!self.skipped.create),
            RowKind::Delete => u64::from(!self.skipped.delete),
            // Nothing tells what changed; the key did not.
            RowKind::Update if header.old.is_none() => u64::from(!self.skipped.update),
            RowKind::Update if table.key_places.is_empty() && !self.skips_unchanged => {
                u64::from(!self.skipped.update)
            }
            RowKind::Update => {
                let Some(update) = read_update(&payload)? else { return Ok(()) };
                let moves = key_changed(table, &update, &payload, &mut self.chunk);
                if self.skips_unchanged
                    && (self.skips_moves || !moves)
                    && is_unchanged(table, &update, &payload, &mut self.chunk)
                {
                    self.unchanged += 1;
                    return Ok(());
                }
                // A change of key is a delete and a create, skipped or not as these are.
                if moves { 2 } else { u64::from(!self.skipped.update) }
            }
        };
        if events == 0 {
            return Ok(());
        }
        self.hold(lsn, payload, events)
    }

    /// A message outside of transactions ends where it stands in the log: it counts as a transaction, and as Debezium's
    /// `sequence` has it also as the last commit, captured or not.
    fn message(&mut self, lsn: Lsn, payload: Bytes) -> Result<(), SourceError> {
        /// A record of the log is longer than this, so that such a position lies within it and is nobody else's.
        const WITHIN_RECORD: u64 = 8;

        let decoded = pgoutput::decode(&payload, false).map_err(ReplicationError::from)?;
        let Message::Message(LogicalMessage { transactional, prefix, .. }) = decoded else { return Ok(()) };
        let captured = self.messages.captures(&prefix);
        match (transactional, captured) {
            (true, true) => return self.hold(lsn, payload, 1),
            (true, false) => return Ok(()),
            (false, _) => self.last_commit = Some(lsn),
        }
        if !captured {
            self.passed = self.passed.max(Some(lsn));
            return Ok(());
        }
        let info = TransactionInfo {
            begin: lsn,
            commit: lsn.checked_sub(WITHIN_RECORD).unwrap_or(lsn),
            commit_micros: self.commit_micros,
            xid: None,
            last_commit: Some(lsn),
            origin: None,
            count: 1,
        };
        let mut entries = Spool::default();
        entries.push(Entry::Frame { lsn, payload })?;
        self.ready_events += 1;
        self.ready.push_back(Transaction { info, entries, end: lsn, next_index: 0, begun: false });
        Ok(())
    }

    fn hold(&mut self, lsn: Lsn, payload: Bytes, events: u64) -> Result<(), SourceError> {
        let open = self.open.as_mut().ok_or_else(|| broken("a change outside a transaction".to_owned()))?;
        open.info.count += events;
        open.entries.push(Entry::Frame { lsn, payload })?;
        if open.entries.memory_bytes() > self.memory {
            tracing::info!(
                xid = open.info.xid,
                events = open.info.count,
                "a large transaction goes to a spool file"
            );
            open.entries.spill(&self.directory)?;
        }
        Ok(())
    }

    fn boundary(&mut self, lsn: Lsn, payload: Bytes) -> Result<Option<Relation>, SourceError> {
        match pgoutput::decode(&payload, false).map_err(ReplicationError::from)? {
            Message::Begin(begin) => self.begin(lsn, begin)?,
            Message::Commit(commit) => self.commit(commit.end_lsn)?,
            Message::Origin(origin) => {
                if let Some(open) = &mut self.open {
                    open.info.origin = Some((origin.name, origin.commit_lsn));
                }
            }
            Message::Relation(relation) => return Ok(Some(relation)),
            Message::Truncate(truncate) if !self.skipped.truncate => {
                let captured = |id| matches!(self.relations.get(id), Some(Some(_)));
                if truncate.relation_ids.iter().any(captured) {
                    // Its tables share one index: they hold different keys, and it is one WAL record.
                    self.hold(lsn, payload, 1)?;
                }
            }
            Message::Truncate(_) => {}
            other => return Err(broken(format!("unexpected message `{}`", name(&other)))),
        }
        Ok(None)
    }

    fn begin(&mut self, lsn: Lsn, begin: Begin) -> Result<(), SourceError> {
        if self.open.is_some() {
            return Err(broken("a transaction begins within another".to_owned()));
        }
        self.commit_micros = begin.commit_micros;
        let info = TransactionInfo {
            begin: lsn,
            commit: begin.final_lsn,
            commit_micros: begin.commit_micros,
            xid: Some(begin.xid.0),
            last_commit: self.last_commit,
            origin: None,
            count: 0,
        };
        let (entries, end) = (Spool::default(), begin.final_lsn);
        self.open = Some(Transaction { info, entries, end, next_index: 0, begun: false });
        Ok(())
    }

    fn commit(&mut self, end: Lsn) -> Result<(), SourceError> {
        let mut transaction =
            self.open.take().ok_or_else(|| broken("a commit without a transaction".to_owned()))?;
        self.last_commit = Some(end);
        transaction.end = end;
        if !self.keeps_empty && transaction.info.count == 0 && transaction.entries.len() == 0 {
            self.passed = self.passed.max(Some(end));
            return Ok(());
        }
        transaction.entries.finish()?;
        self.ready_events += transaction.weight();
        self.ready.push_back(transaction);
        Ok(())
    }
}

fn read_update(payload: &Bytes) -> Result<Option<Update>, SourceError> {
    match pgoutput::decode(payload, false).map_err(ReplicationError::from)? {
        Message::Update(update) => Ok(Some(update)),
        _ => Ok(None),
    }
}

fn broken(what: String) -> SourceError {
    SourceError::Stream { what }
}

fn name(message: &Message) -> &'static str {
    match message {
        Message::StreamStart(_)
        | Message::StreamStop
        | Message::StreamCommit(_)
        | Message::StreamAbort(_) => "stream",
        Message::BeginPrepare(_)
        | Message::Prepare(_)
        | Message::CommitPrepared(_)
        | Message::RollbackPrepared(_)
        | Message::StreamPrepare(_) => "prepare",
        _ => "change",
    }
}
