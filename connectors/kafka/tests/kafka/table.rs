//! A small table's changes, as a source makes them.

use std::sync::Arc;

use sluice_core::{
    Record, Value,
    change::{Change, ChangeSchema, Operation},
    record::{Datum, EventPosition, Payload},
    schema::{Field, Kind, Schema, SchemaRef, debezium},
    value::Struct,
};

/// One version of a table, with the topic of its changes.
pub(crate) struct Table {
    pub(crate) topic: Arc<str>,
    schema: Arc<ChangeSchema>,
    key: SchemaRef,
}

impl Table {
    /// A table with columns `id` and `name`.
    pub(crate) fn new(topic: &str) -> Self {
        Self::with_columns(topic, &[])
    }

    /// The table with more columns, required ones of type int64.
    pub(crate) fn with_columns(topic: &str, more: &[&str]) -> Self {
        let int64 = || Schema::new(Kind::Int64);
        let mut columns = vec![
            Field::new("id", int64()),
            Field::new("name", Schema::new(Kind::String).optional()),
            Field::new(
                "seen",
                Schema::new(Kind::Int64).named(debezium::MICRO_TIMESTAMP).versioned(1).optional(),
            ),
        ];
        columns.extend(more.iter().map(|name| Field::new(*name, int64())));
        let row = Schema::record(format!("{topic}.Value"), columns).optional().shared();
        let key = Schema::record(format!("{topic}.Key"), vec![Field::new("id", int64())]).shared();
        let source = vec![
            Field::new("db", Schema::new(Kind::String)),
            Field::new("lsn", Schema::new(Kind::Int64).optional()),
        ];
        let source = Schema::record("io.debezium.connector.postgresql.Source", source).versioned(1).shared();
        let schema = ChangeSchema::new(topic, row, Some(Arc::clone(&key)), source);
        Self { topic: topic.into(), schema: Arc::new(schema), key }
    }

    fn key(&self, id: i64) -> Datum {
        Datum::new(Arc::clone(&self.key), Struct::new(Arc::clone(&self.key), vec![Value::Int64(id)]).into())
    }

    /// A change of the row `id`; `name` none deletes it.
    pub(crate) fn change(&self, id: i64, name: Option<&str>, lsn: u64) -> Record {
        let row = |name: Value| {
            let mut row = vec![Value::Int64(id), name, Value::Int64(1_700_000_000_000_001)];
            row.resize(self.schema.row.fields().len(), Value::Int64(7));
            row
        };
        let change = Change {
            schema: Arc::clone(&self.schema),
            operation: if name.is_some() { Operation::Update } else { Operation::Delete },
            before: name.is_none().then(|| row(Value::Null)),
            after: name.map(|name| row(name.into())),
            source: vec!["db".into(), Value::Int64(lsn.cast_signed())],
            transaction: None,
            timestamp_ns: Some(1_700_000_000_123_456_789),
        };
        let mut record = Record::new(Arc::clone(&self.topic), self.key(id), Payload::Change(change));
        record.origin.event = Some(EventPosition { epoch: 2, commit: lsn, index: 3, count: 4 });
        record
    }

    /// The tombstone of the row `id`.
    pub(crate) fn tombstone(&self, id: i64, lsn: u64) -> Record {
        let mut record = Record::new(Arc::clone(&self.topic), self.key(id), Payload::TOMBSTONE);
        record.origin.event = Some(EventPosition { epoch: 2, commit: lsn, index: 3, count: 4 });
        record
    }
}

/// A record of texts.
pub(crate) fn text_record(topic: &str, key: &str, value: Option<&str>) -> Record {
    let text = |text: &str| Datum::new(Schema::new(Kind::String).optional().shared(), text.into());
    let value = value.map_or(Payload::TOMBSTONE, |value| Payload::Plain(text(value)));
    Record::new(topic.into(), text(key), value)
}

/// The text of a key or a plain value.
pub(crate) fn text_of(datum: &Datum) -> &str {
    datum.value.as_str().expect("a text")
}
