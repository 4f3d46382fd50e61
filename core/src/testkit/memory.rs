//! A source, a sink and a checkpoint store in memory, which fail when they are told to.
//!
//! Handles are clones that share their state. A [`Journal`] given to several of them tells in which order
//! the engine called them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::Notify;

use crate::{
    checkpoint::{Checkpoint, CheckpointStore},
    error::{Classify, Error, ErrorClass},
    record::{Datum, Payload, Record},
    sink::{Flushed, Rejection, Sink},
    source::{Batch, Source},
    value::Value,
};

/// An error of any class, for tests.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct TestError {
    /// Class.
    pub class: ErrorClass,
    /// What it says.
    pub message: &'static str,
}

impl TestError {
    /// Makes an error of class *retry*.
    pub fn retry() -> Error {
        Self { class: ErrorClass::Retry, message: "it will pass" }.into()
    }

    /// Makes an error of class *reject*.
    pub fn reject() -> Error {
        Self { class: ErrorClass::Reject, message: "bad record" }.into()
    }

    /// Makes an error of class *stop*.
    pub fn stop() -> Error {
        Self { class: ErrorClass::Stop, message: "somebody must act" }.into()
    }
}

impl Classify for TestError {
    fn class(&self) -> ErrorClass {
        self.class
    }

    fn code(&self) -> &'static str {
        "test.told_to"
    }
}

/// Makes a schemaless record; without a value it is a tombstone.
pub fn text_record(topic: &str, key: &str, value: Option<&str>) -> Record {
    let value = value.map_or(Value::Null, Value::from);
    Record::new(topic.into(), Datum::schemaless(Value::from(key)), Payload::Plain(Datum::schemaless(value)))
}

/// Returns the text of a record's key; empty for any other key.
pub fn key_text(record: &Record) -> &str {
    record.key.value.as_str().unwrap_or_default()
}

/// What was called, in order.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// Appends an entry.
    pub fn note(&self, entry: impl Into<String>) {
        lock(&self.0).push(entry.into());
    }

    /// Returns all entries.
    pub fn entries(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands in a [`MemoryLog`].
#[derive(Debug)]
pub enum Entry {
    /// A record after which the source can resume.
    Record(Record),
    /// A record in the middle of what is resumed as a whole.
    Inner(Record),
    /// A record that cannot be read.
    Unreadable(Record),
    /// An error, once; the source that meets it later passes.
    Failure(Mutex<Option<Error>>),
    /// The end.
    End,
}

impl Entry {
    /// Makes an error that is met once.
    pub fn failure(error: Error) -> Self {
        Self::Failure(Mutex::new(Some(error)))
    }
}

/// What a [`MemorySource`] reads: entries, at places from 0.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    entries: Arc<Mutex<Vec<Arc<Entry>>>>,
    acknowledge_failures: Arc<Mutex<VecDeque<Error>>>,
    arrived: Arc<Notify>,
    journal: Journal,
}

impl MemoryLog {
    /// Makes an empty log that notes openings, acknowledgements and closes.
    pub fn new(journal: &Journal) -> Self {
        Self { journal: journal.clone(), ..Self::default() }
    }

    /// Appends an entry.
    pub fn append(&self, entry: Entry) {
        lock(&self.entries).push(Arc::new(entry));
        self.arrived.notify_waiters();
    }

    /// Makes a later acknowledgement fail: the next one, then the one after it.
    pub fn fail_acknowledge(&self, error: Error) {
        lock(&self.acknowledge_failures).push_back(error);
    }

    /// Opens a source whose batches hold `batch_size` records at the most.
    pub fn open(&self, position: Option<MemoryPosition>, batch_size: usize) -> MemorySource {
        let next = position.map_or(0, |position| position.next);
        self.journal.note(format!("open {next}"));
        MemorySource { log: self.clone(), next, batch_size, closed: false }
    }
}

/// Place of the next entry to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPosition {
    /// From 0.
    pub next: usize,
}

/// Reads a [`MemoryLog`].
#[derive(Debug)]
pub struct MemorySource {
    log: MemoryLog,
    next: usize,
    batch_size: usize,
    closed: bool,
}

impl MemorySource {
    /// Reads on from `next`; `None` when the log has nothing more yet. Takes nothing before it has all.
    fn read(&mut self) -> Option<Result<Option<Batch<MemoryPosition>>, Error>> {
        let mut batch = Batch::new(Vec::new(), None, 0);
        let mut next = self.next;
        while batch.records.len() + batch.rejected.len() < self.batch_size {
            let Some(entry) = lock(&self.log.entries).get(next).cloned() else { break };
            let at_start = next == self.next;
            match &*entry {
                Entry::Failure(error) => match lock(error).take_if(|_| at_start) {
                    Some(error) => return Some(Err(error)),
                    None if at_start => {}
                    None => break,
                },
                Entry::End if at_start => return Some(Ok(None)),
                Entry::End => break,
                Entry::Record(record) => batch.records.push(record.clone()),
                Entry::Inner(record) => batch.records.push(record.clone()),
                Entry::Unreadable(record) => batch.rejected.push((record.clone(), TestError::reject())),
            }
            next += 1;
            batch.bytes += 1;
            if !matches!(*entry, Entry::Inner(_)) {
                batch.position = Some(MemoryPosition { next });
            } else {
                batch.position = None;
            }
        }
        let found = next > self.next;
        self.next = next;
        found.then_some(Ok(Some(batch)))
    }
}

impl Source for MemorySource {
    type Position = MemoryPosition;

    async fn next_batch(&mut self) -> Result<Option<Batch<MemoryPosition>>, Error> {
        loop {
            let log = self.log.clone();
            let mut arrived = std::pin::pin!(log.arrived.notified());
            // Before looking, so that what arrives between looking and waiting wakes it.
            arrived.as_mut().enable();
            if let Some(found) = self.read() {
                return found;
            }
            arrived.await;
        }
    }

    async fn acknowledge(&mut self, position: &MemoryPosition) -> Result<(), Error> {
        if let Some(error) = lock(&self.log.acknowledge_failures).pop_front() {
            self.log.journal.note(format!("failed acknowledge {}", position.next));
            return Err(error);
        }
        self.log.journal.note(format!("acknowledge {}", position.next));
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Error> {
        if !std::mem::replace(&mut self.closed, true) {
            self.log.journal.note("close source");
        }
        Ok(())
    }
}

/// What a [`MemorySink`] writes to: the newest value of each key.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    state: Arc<Mutex<TableState>>,
    journal: Journal,
}

#[derive(Debug, Default)]
struct TableState {
    rows: BTreeMap<String, String>,
    write_failures: VecDeque<Error>,
    flush_failures: VecDeque<Error>,
    refused_value: Option<String>,
    stores_checkpoints: bool,
}

impl MemoryTable {
    /// Makes an empty table that notes writes, flushes and closes.
    pub fn new(journal: &Journal) -> Self {
        Self { journal: journal.clone(), ..Self::default() }
    }

    /// Returns the rows.
    pub fn rows(&self) -> BTreeMap<String, String> {
        lock(&self.state).rows.clone()
    }

    /// Makes a later write fail: the next one, then the one after it, in the order given.
    pub fn fail_write(&self, error: Error) {
        lock(&self.state).write_failures.push_back(error);
    }

    /// Makes a later flush fail.
    pub fn fail_flush(&self, error: Error) {
        lock(&self.state).flush_failures.push_back(error);
    }

    /// Refuses records with this value for good.
    pub fn refuse(&self, value: &str) {
        lock(&self.state).refused_value = Some(value.to_owned());
    }

    /// Makes flushes say that the checkpoint was stored with the records.
    pub fn store_checkpoints(&self) {
        lock(&self.state).stores_checkpoints = true;
    }

    /// Opens a sink.
    pub fn open(&self) -> MemorySink {
        MemorySink { table: self.clone(), in_flight: Vec::new(), closed: false }
    }
}

/// Writes to a [`MemoryTable`] when it is flushed.
#[derive(Debug)]
pub struct MemorySink {
    table: MemoryTable,
    in_flight: Vec<Record>,
    closed: bool,
}

impl Sink for MemorySink {
    async fn write(&mut self, batch: &[Record]) -> Result<(), Error> {
        let keys = batch.iter().map(key_text).collect::<Vec<_>>().join(",");
        if let Some(error) = lock(&self.table.state).write_failures.pop_front() {
            self.table.journal.note(format!("failed write {keys}"));
            self.in_flight.clear();
            return Err(error);
        }
        self.table.journal.note(format!("write {keys}"));
        self.in_flight.extend_from_slice(batch);
        Ok(())
    }

    async fn flush(&mut self, _checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        let mut state = lock(&self.table.state);
        let in_flight = std::mem::take(&mut self.in_flight);
        if let Some(error) = state.flush_failures.pop_front() {
            self.table.journal.note("failed flush");
            return Err(error);
        }
        self.table.journal.note("flush");
        let mut rejected = Vec::new();
        for (index, record) in in_flight.into_iter().enumerate() {
            let value = match &record.value {
                Payload::Plain(Datum { value: Value::Null, .. }) => None,
                Payload::Plain(Datum { value: Value::String(text), .. }) => Some(text.to_string()),
                other => Some(format!("{other:?}")),
            };
            if value.is_some() && value == state.refused_value {
                rejected.push(Rejection { index, error: TestError::reject() });
                continue;
            }
            let key = key_text(&record).to_owned();
            match value {
                Some(value) => state.rows.insert(key, value),
                None => state.rows.remove(&key),
            };
        }
        Ok(Flushed { rejected, checkpoint_stored: state.stores_checkpoints })
    }

    async fn close(&mut self) -> Result<(), Error> {
        if !std::mem::replace(&mut self.closed, true) {
            self.table.journal.note("close sink");
        }
        Ok(())
    }
}

/// Keeps checkpoints in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoints {
    positions: Arc<Mutex<BTreeMap<String, Json>>>,
    failures: Arc<Mutex<VecDeque<Error>>>,
    /// Whether saves wait, and what wakes them.
    stalled: Arc<(Mutex<bool>, Condvar)>,
    journal: Journal,
}

impl MemoryCheckpoints {
    /// Makes an empty store that notes what is saved.
    pub fn new(journal: &Journal) -> Self {
        Self { journal: journal.clone(), ..Self::default() }
    }

    /// Makes saves wait, as a slow disk would.
    pub fn stall(&self) {
        *lock(&self.stalled.0) = true;
    }

    /// Lets the saves that wait go on.
    pub fn resume(&self) {
        *lock(&self.stalled.0) = false;
        self.stalled.1.notify_all();
    }

    /// Makes a later save fail.
    pub fn fail_save(&self, error: Error) {
        lock(&self.failures).push_back(error);
    }
}

impl CheckpointStore for MemoryCheckpoints {
    fn load(&self, connector: &str) -> Result<Option<Json>, Error> {
        Ok(lock(&self.positions).get(connector).cloned())
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let place = checkpoint.position.get("next").unwrap_or(&checkpoint.position);
        let (stalled, woken) = &*self.stalled;
        drop(woken.wait_while(lock(stalled), |stalled| *stalled).unwrap_or_else(PoisonError::into_inner));
        if let Some(error) = lock(&self.failures).pop_front() {
            self.journal.note(format!("failed save {place}"));
            return Err(error);
        }
        self.journal.note(format!("save {place}"));
        lock(&self.positions).insert(checkpoint.connector.clone(), checkpoint.position.clone());
        Ok(())
    }

    fn remove(&self, connector: &str) -> Result<(), Error> {
        lock(&self.positions).remove(connector);
        Ok(())
    }
}
