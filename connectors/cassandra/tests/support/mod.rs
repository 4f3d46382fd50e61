//! A real Cassandra with a fresh keyspace for each test, and builders of records.

// Each test file compiles this on its own and uses a part of it; a helper that fails is a test that fails.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use scylla::{
    client::{session::Session, session_builder::SessionBuilder},
    value::{CqlValue, Row},
};
use sluice_cassandra::{CassandraSink, CassandraTask};
use sluice_core::{
    Error, Record, Schema, SchemaRef, Value,
    change::{Change, ChangeSchema, Operation},
    config::{Config, Properties},
    record::{Datum, EventPosition, Payload},
    schema::{Field, Kind},
    sink::{Flushed, Sink, SinkConnector},
    source::TaskContext,
    value::Struct,
};

/// Address of the server as `host:port`.
pub(crate) fn address() -> String {
    std::env::var("SLUICE_TEST_CASSANDRA")
        .expect("SLUICE_TEST_CASSANDRA must name a server; `cargo xtask test` starts one and sets it")
}

/// One test's keyspace, dropped by nobody: the server is thrown away.
pub(crate) struct Keyspace {
    pub(crate) name: String,
    pub(crate) session: Session,
}

impl Keyspace {
    /// Makes a keyspace that no other test has.
    pub(crate) async fn fresh(test: &str) -> Self {
        let keyspace = Self::named(test).await;
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
        keyspace.run(&format!("CREATE KEYSPACE {} WITH replication = {replication}", keyspace.name)).await;
        keyspace
    }

    /// Makes only the name.
    pub(crate) async fn named(test: &str) -> Self {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let session = SessionBuilder::new()
            .known_node(address())
            .schema_agreement_interval(std::time::Duration::from_millis(20))
            .build()
            .await
            .unwrap();
        Self { name: format!("t{nanos}_{test}"), session }
    }

    /// Runs a statement in which `KS` is the keyspace.
    pub(crate) async fn run(&self, statement: &str) {
        self.session.query_unpaged(statement.replace("KS", &self.name), ()).await.unwrap();
    }

    /// Returns the rows of a query in which `KS` is the keyspace, cells as CQL prints them, sorted.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        let rows = self.session.query_unpaged(query.replace("KS", &self.name), ()).await.unwrap();
        let rows = rows.into_rows_result().unwrap();
        let mut rows: Vec<String> =
            rows.rows::<Row>().unwrap().map(|row| shown(&row.unwrap().columns)).collect();
        rows.sort();
        rows
    }

    /// Properties of a sink into this keyspace.
    pub(crate) fn properties(&self, more: &[(&str, &str)]) -> Properties {
        let (host, port) =
            address().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
        let mut properties = Properties::from([
            ("contactPoints", host.as_str()),
            ("port", port.as_str()),
            ("keyspace", self.name.as_str()),
            ("consistencyLevel", "LOCAL_ONE"),
            // All tests share one small server with whatever else the machine does.
            ("queryExecutionTimeout", "60"),
        ]);
        for (key, value) in more {
            properties.set(key.replace("KS", &self.name), *value);
        }
        properties
    }

    /// Opens a sink into this keyspace.
    pub(crate) async fn sink(&self, more: &[(&str, &str)]) -> CassandraTask {
        open(&self.properties(more)).await.unwrap()
    }
}

fn shown(columns: &[Option<CqlValue>]) -> String {
    let cell = |cell: &Option<CqlValue>| cell.as_ref().map_or("null".to_owned(), |value| value.to_string());
    columns.iter().map(cell).collect::<Vec<_>>().join("|")
}

/// Opens a sink.
pub(crate) async fn open(properties: &Properties) -> Result<CassandraTask, Error> {
    let config = <CassandraSink as SinkConnector>::Config::from_properties(properties).unwrap();
    assert!(CassandraSink.validate(&config).is_empty());
    CassandraSink.open(config, TaskContext { connector: "test".to_owned() }).await
}

/// Writes records and flushes.
pub(crate) async fn write(sink: &mut CassandraTask, records: &[Record]) -> Result<Flushed, Error> {
    sink.write(records).await?;
    sink.flush(None).await
}

/// Writes records, of which none may be refused.
pub(crate) async fn write_all(sink: &mut CassandraTask, records: &[Record]) {
    let flushed = write(sink, records).await.unwrap();
    assert!(flushed.rejected.is_empty(), "{:?}", flushed.rejected);
}

/// A source table: its key columns, then the others.
pub(crate) struct Source {
    topic: Arc<str>,
    key: SchemaRef,
    schema: Arc<ChangeSchema>,
    keys: usize,
}

impl Source {
    /// Makes a table; the first `keys` columns are its key.
    pub(crate) fn new(table: &str, keys: usize, columns: Vec<(&str, Schema)>) -> Self {
        let fields: Vec<_> = columns.into_iter().map(|(name, schema)| Field::new(name, schema)).collect();
        let key = Schema::record("Key", fields[..keys].to_vec()).shared();
        let row = Schema::record("Value", fields).optional().shared();
        let source = Schema::record("Source", Vec::new()).shared();
        let schema = ChangeSchema::new("p", row, Some(Arc::clone(&key)), source);
        Self { topic: format!("p.public.{table}").into(), key, schema: Arc::new(schema), keys }
    }

    /// The users of most tests: `id int`, `name text`, `note text`.
    pub(crate) fn users() -> Self {
        let text = || Schema::new(Kind::String).optional();
        Self::new("users", 1, vec![("id", Schema::new(Kind::Int32)), ("name", text()), ("note", text())])
    }

    /// A change of one row, its transaction committed at `commit`.
    pub(crate) fn change(&self, operation: Operation, row: &[Value], commit: u64) -> Record {
        self.full_change(operation, None, row, commit)
    }

    /// A change with the row before it.
    pub(crate) fn full_change(
        &self,
        operation: Operation,
        before: Option<&[Value]>,
        row: &[Value],
        commit: u64,
    ) -> Record {
        let is_delete = operation == Operation::Delete;
        let change = Change {
            schema: Arc::clone(&self.schema),
            operation,
            before: if is_delete { Some(row.to_vec()) } else { before.map(<[Value]>::to_vec) },
            after: (!is_delete && operation != Operation::Truncate).then(|| row.to_vec()),
            source: Vec::new(),
            transaction: None,
            timestamp_ns: None,
        };
        let key = match operation {
            Operation::Truncate => Datum::NULL,
            _ => self.key(row),
        };
        self.record(key, Payload::Change(change), Some(operation), commit)
    }

    /// The row alone, as ExtractNewRecordState leaves it.
    pub(crate) fn unwrapped(&self, operation: Option<Operation>, row: &[Value], commit: u64) -> Record {
        let schema = Arc::clone(&self.schema.row);
        let value = Datum::new(Arc::clone(&schema), Struct::new(schema, row.to_vec()).into());
        self.record(self.key(row), Payload::Plain(value), operation, commit)
    }

    /// The tombstone of a row.
    pub(crate) fn tombstone(&self, row: &[Value], commit: u64) -> Record {
        self.record(self.key(row), Payload::TOMBSTONE, None, commit)
    }

    fn key(&self, row: &[Value]) -> Datum {
        let key = Struct::new(Arc::clone(&self.key), row[..self.keys].to_vec());
        Datum::new(Arc::clone(&self.key), key.into())
    }

    fn record(&self, key: Datum, value: Payload, operation: Option<Operation>, commit: u64) -> Record {
        let mut record = Record::new(Arc::clone(&self.topic), key, value);
        record.origin.operation = operation;
        record.origin.event = Some(EventPosition { epoch: 0, commit, index: 0, count: 1 });
        record
    }
}

/// Puts a record at a place in its transaction.
pub(crate) fn at(mut record: Record, index: u64, count: u64) -> Record {
    if let Some(event) = &mut record.origin.event {
        (event.index, event.count) = (index, count);
    }
    record
}

/// Short for a row of [`Source::users`].
pub(crate) fn user(id: i32, name: impl Into<Value>, note: impl Into<Value>) -> [Value; 3] {
    [Value::Int32(id), name.into(), note.into()]
}
