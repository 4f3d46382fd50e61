//! Notifications: what becomes of the initial snapshot, told to a topic or to the log.
//!
//! Shapes and order are Debezium's (`InitialSnapshotNotificationService`): STARTED, then for each table IN_PROGRESS before
//! its rows and TABLE_SCAN_COMPLETED after them, COMPLETED at the end; ABORTED when the snapshot fails, SKIPPED when a start
//! takes none. They are sent again when a snapshot is resumed, for the tables that were left.

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
    empty: bool,
    started: bool,
    rows: u64,
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
            key: key_schema(),
            value: value_schema(),
            progress: Progress::default(),
        })
    }

    /// A start takes no snapshot.
    pub(crate) fn skipped(&self) -> Vec<Record> {
        self.tell(Status::Skipped, Vec::new()).into_iter().collect()
    }

    /// A snapshot starts. `tables`, in their order, with whether they are empty.
    pub(crate) fn started<'a>(&mut self, tables: impl Iterator<Item = (&'a str, bool)>) -> Vec<Record> {
        let progress = |(name, empty): (&str, bool)| TableProgress {
            name: name.to_owned(),
            empty,
            started: false,
            rows: 0,
        };
        let tables: Vec<_> = tables.map(progress).collect();
        let mut names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        let in_order = names.join(",");
        let buckets = (names.len() * 4 / 3 + 1).max(JAVA_BUCKETS).next_power_of_two();
        names.sort_by_key(|name| java_bucket(name, buckets));
        self.progress = Progress { names: in_order, set: names.join(","), tables, next: 0 };
        self.tell(Status::Started, Vec::new()).into_iter().collect()
    }

    /// Puts what there is to tell around records of a table: at its place among the tables, and whether these are its last.
    pub(crate) fn around(
        &mut self,
        place: usize,
        records: Vec<Record>,
        rows: u64,
        last: bool,
    ) -> Vec<Record> {
        let mut told = self.empty_tables(place);
        let Some(table) = self.progress.tables.get_mut(place) else { return records };
        let first = !std::mem::replace(&mut table.started, true);
        table.rows += rows;
        if first {
            told.extend(self.in_progress(place));
        }
        told.extend(records);
        if last {
            told.extend(self.completed_table(place));
        }
        told
    }

    /// The snapshot is complete.
    pub(crate) fn completed(&mut self) -> Vec<Record> {
        let mut told = self.empty_tables(self.progress.tables.len());
        told.extend(self.tell(Status::Completed, Vec::new()));
        told
    }

    /// The snapshot failed or was stopped.
    pub(crate) fn aborted(&self) -> Option<Record> {
        self.tell(Status::Aborted, Vec::new())
    }

    /// Tells of the empty tables before a place: no record of theirs will come.
    fn empty_tables(&mut self, place: usize) -> Vec<Record> {
        let mut told = Vec::new();
        let next = self.progress.next;
        self.progress.next = next.max(place);
        for index in next..place {
            if self.progress.tables[index].empty {
                told.extend(self.in_progress(index));
                told.extend(self.completed_table(index));
            }
        }
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
        let table = &self.progress.tables[place];
        let data = vec![
            ("scanned_collection", table.name.as_str().into()),
            ("total_rows_scanned", table.rows.to_string().into()),
            ("status", Value::from_static("SUCCEEDED")),
            (DATA_COLLECTIONS, self.progress.names.as_str().into()),
        ];
        self.tell(Status::TableScanCompleted, data)
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
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::config::from_pairs;
    use crate::table::tests::connect_json;

    fn notifier(channels: &str) -> Option<Notifier> {
        let pairs = [("notification.enabled.channels", channels), ("notification.sink.topic.name", "n")];
        Notifier::new(&from_pairs(&pairs).unwrap())
    }

    /// Types, with the table and how many rows it had.
    fn outline(records: &[Record]) -> Vec<String> {
        let line = |record: &Record| {
            let Payload::Plain(Datum { value: Value::Struct(value), .. }) = &record.value else {
                return "row".to_owned();
            };
            let Some(Value::Map(data)) = value.value("additional_data") else { panic!("there is data") };
            let of = |wanted: &[&str]| {
                let found = data.iter().find(|(name, _)| wanted.contains(&name.as_str().unwrap()));
                found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
            };
            let table = of(&["current_collection_in_progress", "scanned_collection"]);
            let line = [value.value("type").unwrap().as_str().unwrap(), table, of(&["total_rows_scanned"])];
            line.join(" ").trim_end().to_owned()
        };
        records.iter().map(line).collect()
    }

    #[test]
    fn schemas_are_those_of_the_recording() {
        let recorded: Json = serde_json::from_str(include_str!("testdata/side_topics.json")).unwrap();
        let recorded = &recorded["notification"];

        assert_eq!(connect_json(&key_schema(), None), recorded["key_schema"]);
        assert_eq!(connect_json(&value_schema(), None), recorded["value_schema"]);
    }

    #[test]
    fn tables_are_told_of_in_their_order_empty_ones_too() {
        let mut notifier = notifier("sink").unwrap();
        let row = || Record::new("t".into(), Datum::NULL, Payload::TOMBSTONE);
        let tables = [("a", true), ("b", false), ("c", true), ("d", false), ("e", true)];

        let mut told = notifier.started(tables.into_iter());
        told.extend(notifier.around(1, vec![row(), row()], 2, false));
        told.extend(notifier.around(1, vec![row()], 1, true));
        told.extend(notifier.around(3, vec![row()], 1, true));
        told.extend(notifier.completed());

        let expected = [
            "STARTED",
            "IN_PROGRESS a",
            "TABLE_SCAN_COMPLETED a 0",
            "IN_PROGRESS b",
            "row",
            "row",
            "row",
            "TABLE_SCAN_COMPLETED b 3",
            "IN_PROGRESS c",
            "TABLE_SCAN_COMPLETED c 0",
            "IN_PROGRESS d",
            "row",
            "TABLE_SCAN_COMPLETED d 1",
            "IN_PROGRESS e",
            "TABLE_SCAN_COMPLETED e 0",
            "COMPLETED",
        ];
        assert_eq!(outline(&told), expected);
    }

    #[test]
    fn only_the_sink_makes_records() {
        assert!(notifier("").is_none() && notifier("jmx").is_none());
        assert_eq!(notifier("log").unwrap().skipped(), []);
        assert_eq!(outline(&notifier("log, sink").unwrap().skipped()), ["SKIPPED"]);
    }
}
