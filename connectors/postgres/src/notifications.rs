//! Notifications: what becomes of the initial snapshot, told to a topic or to the log.
//!
//! Shapes and order are Debezium's (`InitialSnapshotNotificationService`): STARTED, then for each table IN_PROGRESS before
//! its rows and TABLE_SCAN_COMPLETED after them, COMPLETED at the end; SKIPPED when a start takes none. With several
//! threads there are TABLE_CHUNK_IN_PROGRESS and TABLE_CHUNK_COMPLETED around each part of a table, too; Debezium cuts tables
//! by their keys, here they are ranges of pages. When the snapshot fails, TABLE_SCAN_COMPLETED tells of the table that
//! could not be read, and ABORTED ends it: Debezium makes these two, writes them to its log, and then discards what is
//! queued for Kafka. They are sent again when a snapshot is resumed, for the tables that were left.

use std::sync::Arc;

use bytestring::ByteString;
use sluice_core::record::{Datum, Payload, Record};
use sluice_core::schema::{Field, Kind, Schema, SchemaRef};
use sluice_core::value::{Struct, Value};
use uuid::Uuid;

use crate::config::{NotificationChannel, PostgresConfig};
use crate::snapshot::now;
use crate::transaction::{JAVA_BUCKETS, java_bucket};

/// What all notifications of here are about.
const AGGREGATE: &str = "Initial Snapshot";
/// Key of the additional data that names the connector: its prefix, as in Debezium.
const CONNECTOR_NAME: &str = "connector_name";
const DATA_COLLECTIONS: &str = "data_collections";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Started,
    InProgress,
    TableChunkInProgress,
    TableChunkCompleted,
    TableScanCompleted,
    Completed,
    Aborted,
    Skipped,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::TableChunkInProgress => "TABLE_CHUNK_IN_PROGRESS",
            Self::TableChunkCompleted => "TABLE_CHUNK_COMPLETED",
            Self::TableScanCompleted => "TABLE_SCAN_COMPLETED",
            Self::Completed => "COMPLETED",
            Self::Aborted => "ABORTED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// Tells what becomes of a snapshot.
#[derive(Debug)]
pub(crate) struct Notifier {
    connector: ByteString,
    /// None if the sink is no channel.
    topic: Option<Arc<str>>,
    log: bool,
    /// Tell of parts of tables, too.
    chunked: bool,
    key: SchemaRef,
    value: SchemaRef,
    progress: Progress,
}

/// How far the tables of the snapshot are.
#[derive(Debug, Default)]
struct Progress {
    tables: Vec<TableProgress>,
    /// Names of all tables, separated by commas.
    names: String,
    /// The same in the order of a `java.util.HashSet`, which is what Debezium tells of tables in progress.
    set: String,
    /// Tables before this one have been told of, if only as empty.
    next: usize,
}

#[derive(Debug)]
struct TableProgress {
    name: String,
    /// Its parts, each with the number of rows that were read once one was; none if it is empty.
    chunks: Vec<Option<u64>>,
    started: bool,
    rows: u64,
    /// How many of the rows are of parts that are complete.
    rows_of_complete: u64,
}

/// What was read of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Its place among the tables.
    pub(crate) table: usize,
    /// Place of the part among those of the table.
    pub(crate) chunk: usize,
    pub(crate) rows: u64,
    /// The part is complete.
    pub(crate) chunk_completed: bool,
    /// The table is complete.
    pub(crate) completed: bool,
}

impl Notifier {
    /// Makes a notifier; none if no channel is enabled.
    pub(crate) fn new(config: &PostgresConfig) -> Option<Self> {
        let enabled = |channel| config.notification_channels.contains(channel);
        let (sink, log) = (enabled(NotificationChannel::Sink), enabled(NotificationChannel::Log));
        if enabled(NotificationChannel::Jmx) {
            tracing::warn!(
                "notification channel `jmx` has no effect: there is no Java; `log` and `sink` tell the same"
            );
        }
        (sink || log).then(|| Self {
            connector: config.topic_prefix.as_str().into(),
            topic: config.notification_topic.as_deref().filter(|_| sink).map(Arc::from),
            log,
            chunked: config.snapshot_threads > 1,
            key: key_schema(),
            value: value_schema(),
            progress: Progress::default(),
        })
    }

    /// A start takes no snapshot.
    pub(crate) fn skipped(&self) -> Vec<Record> {
        self.tell(Status::Skipped, Vec::new()).into_iter().collect()
    }

    /// A snapshot starts. `tables`, in their order, with how many parts they are read in.
    pub(crate) fn started<'a>(&mut self, tables: impl Iterator<Item = (&'a str, usize)>) -> Vec<Record> {
        let progress = |(name, chunks): (&str, usize)| TableProgress {
            name: name.to_owned(),
            chunks: vec![None; chunks],
            started: false,
            rows: 0,
            rows_of_complete: 0,
        };
        let tables: Vec<_> = tables.map(progress).collect();
        let mut names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        let in_order = names.join(",");
        let buckets = (names.len() * 4 / 3 + 1).max(JAVA_BUCKETS).next_power_of_two();
        names.sort_by_key(|name| java_bucket(name, buckets));
        self.progress = Progress { names: in_order, set: names.join(","), tables, next: 0 };
        self.tell(Status::Started, Vec::new()).into_iter().collect()
    }

    /// Puts what there is to tell around records of a table.
    pub(crate) fn around(&mut self, read: Read, records: Vec<Record>) -> Vec<Record> {
        let mut told = self.begin(read.table);
        let Some(table) = self.progress.tables.get_mut(read.table) else { return records };
        table.rows += read.rows;
        if self.chunked {
            told.extend(self.begin_chunk(read));
        }
        told.extend(records);
        if self.chunked && read.chunk_completed {
            told.extend(self.complete_chunk(read));
        }
        if read.completed {
            told.extend(self.completed_table(read.table));
        }
        told
    }

    /// The snapshot is complete.
    pub(crate) fn completed(&mut self) -> Vec<Record> {
        let mut told = self.empty_tables(self.progress.tables.len());
        told.extend(self.tell(Status::Completed, Vec::new()));
        told
    }

    /// The snapshot failed or was stopped, perhaps because the server refused to read the table at a place.
    pub(crate) fn aborted(&mut self, refused: Option<usize>) -> Vec<Record> {
        let mut told = Vec::new();
        if let Some(place) = refused {
            told.extend(self.begin(place));
            let data = self.scanned(place, "SQL_EXCEPTION");
            told.extend(self.tell(Status::TableScanCompleted, data.into()));
        }
        told.extend(self.tell(Status::Aborted, Vec::new()));
        told
    }

    /// Tells that a table is begun, unless it was told, and of the empty ones before it.
    fn begin(&mut self, place: usize) -> Vec<Record> {
        let mut told = self.empty_tables(place);
        let table = self.progress.tables.get_mut(place);
        if table.is_some_and(|table| !std::mem::replace(&mut table.started, true)) {
            told.extend(self.in_progress(place));
        }
        told
    }

    /// Tells that a part of a table is begun, unless it was told.
    fn begin_chunk(&mut self, read: Read) -> Option<Record> {
        let table = &mut self.progress.tables[read.table];
        let begun = table.chunks[read.chunk].is_some();
        *table.chunks[read.chunk].get_or_insert(0) += read.rows;
        if begun {
            return None;
        }
        let table = &self.progress.tables[read.table];
        let mut data = vec![("current_collection_in_progress", table.name.as_str().into())];
        data.extend(table.chunk(read.chunk));
        data.push(("total_rows_scanned", table.rows_of_complete.to_string().into()));
        self.tell(Status::TableChunkInProgress, data)
    }

    fn complete_chunk(&mut self, read: Read) -> Option<Record> {
        let table = &mut self.progress.tables[read.table];
        table.rows_of_complete += table.chunks[read.chunk].unwrap_or_default();
        let mut data = self.scanned(read.table, "SUCCEEDED").to_vec();
        data.extend(self.progress.tables[read.table].chunk(read.chunk));
        data.push((DATA_COLLECTIONS, self.progress.names.as_str().into()));
        self.tell(Status::TableChunkCompleted, data)
    }

    /// Tells of the empty tables before a place: no record of theirs will come.
    fn empty_tables(&mut self, place: usize) -> Vec<Record> {
        let mut told = Vec::new();
        let next = self.progress.next;
        self.progress.next = next.max(place);
        for index in next..place {
            if self.progress.tables[index].chunks.is_empty() {
                told.extend(self.empty_table(index));
            }
        }
        told
    }

    /// Tells of an empty table. It counts as one part.
    fn empty_table(&mut self, place: usize) -> Vec<Record> {
        self.progress.tables[place].started = true;
        let mut told: Vec<_> = self.in_progress(place).into_iter().collect();
        if self.chunked {
            self.progress.tables[place].chunks.push(None);
            let read = Read { table: place, chunk: 0, rows: 0, chunk_completed: true, completed: true };
            told.extend(self.begin_chunk(read));
            told.extend(self.complete_chunk(read));
        }
        told.extend(self.completed_table(place));
        told
    }

    fn in_progress(&self, place: usize) -> Option<Record> {
        let table = &self.progress.tables[place];
        let data = vec![
            ("current_collection_in_progress", table.name.as_str().into()),
            (DATA_COLLECTIONS, self.progress.set.as_str().into()),
        ];
        self.tell(Status::InProgress, data)
    }

    fn completed_table(&self, place: usize) -> Option<Record> {
        let mut data = self.scanned(place, "SUCCEEDED").to_vec();
        data.push(("total_rows_scanned", self.progress.tables[place].rows.to_string().into()));
        data.push((DATA_COLLECTIONS, self.progress.names.as_str().into()));
        self.tell(Status::TableScanCompleted, data)
    }

    fn scanned(&self, place: usize, status: &'static str) -> [(&'static str, Value); 2] {
        let table = &self.progress.tables[place];
        [("scanned_collection", table.name.as_str().into()), ("status", Value::from_static(status))]
    }

    /// Writes to the log and makes the record, as the channels ask for.
    fn tell(&self, status: Status, data: Vec<(&'static str, Value)>) -> Option<Record> {
        if self.log {
            let table = data.first().and_then(|(_, table)| table.as_str());
            tracing::info!(status = status.name(), table, "notification: {AGGREGATE}");
        }
        let topic = Arc::clone(self.topic.as_ref()?);
        let id = Value::from(Uuid::new_v4().to_string());
        let own = (CONNECTOR_NAME, Value::String(self.connector.clone()));
        let data = std::iter::once(own).chain(data);
        let values = vec![
            id.clone(),
            Value::from_static(status.name()),
            Value::from_static(AGGREGATE),
            Value::Map(data.map(|(name, value)| (Value::from_static(name), value)).collect()),
            Value::Int64(now().div_euclid(1_000_000)),
        ];
        let datum = |schema: &SchemaRef, values| {
            Datum::new(Arc::clone(schema), Struct::new(Arc::clone(schema), values).into())
        };
        Some(Record::new(topic, datum(&self.key, vec![id]), Payload::Plain(datum(&self.value, values))))
    }
}

impl TableProgress {
    /// Which of its parts it is.
    fn chunk(&self, chunk: usize) -> [(&'static str, Value); 2] {
        [("chunk_index", chunk.to_string().into()), ("total_chunks", self.chunks.len().to_string().into())]
    }
}

fn schema(name: &str, fields: Vec<Field>) -> SchemaRef {
    Schema::record(format!("io.debezium.connector.common.{name}"), fields).versioned(1).shared()
}

fn text(name: &str) -> Field {
    Field::new(name, Schema::new(Kind::String))
}

fn key_schema() -> SchemaRef {
    schema("NotificationKey", vec![text("id")])
}

fn value_schema() -> SchemaRef {
    let string = Schema::new(Kind::String).shared();
    let data = Kind::Map { key: Arc::clone(&string), value: string };
    let fields = vec![
        text("id"),
        text("type"),
        text("aggregate_type"),
        Field::new("additional_data", Schema::new(data).optional()),
        Field::new("timestamp", Schema::new(Kind::Int64)),
    ];
    schema("Notification", fields)
}

#[cfg(test)]
#[path = "notifications_tests.rs"]
mod tests;
