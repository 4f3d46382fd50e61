//! Row changes: Debezium's envelope, kept typed through the pipeline.
//!
//! A source makes one [`ChangeSchema`] per table version and shares it among the [`Change`]s. The
//! codecs render a change as the envelope struct and recognise one when they read it, so that no
//! tree of structs is built on the way. Layout of the envelope: Debezium's `Envelope` version 2.

use std::sync::Arc;

use bytestring::ByteString;

use crate::{
    schema::{Field, Kind, Schema, SchemaRef},
    value::{Struct, Value},
};

/// What happened to a row; Debezium's `op`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `c`: inserted.
    Create,
    /// `u`: updated.
    Update,
    /// `d`: deleted.
    Delete,
    /// `r`: read by a snapshot.
    Read,
    /// `t`: the whole table was emptied.
    Truncate,
    /// `m`: a logical message, no row.
    Message,
}

impl Operation {
    /// Returns Debezium's one-letter code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::Read => "r",
            Self::Truncate => "t",
            Self::Message => "m",
        }
    }

    /// Reads Debezium's one-letter code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Read, Self::Truncate, Self::Message]
            .into_iter()
            .find(|operation| operation.code() == code)
    }
}

/// Names of the envelope's fields, in Debezium's order.
pub mod field {
    /// Row before the change.
    pub const BEFORE: &str = "before";
    /// Row after the change.
    pub const AFTER: &str = "after";
    /// Where the change came from.
    pub const SOURCE: &str = "source";
    /// Transaction block.
    pub const TRANSACTION: &str = "transaction";
    /// Operation code.
    pub const OP: &str = "op";
    /// Connector clock in milliseconds.
    pub const TS_MS: &str = "ts_ms";
    /// Connector clock in microseconds.
    pub const TS_US: &str = "ts_us";
    /// Connector clock in nanoseconds.
    pub const TS_NS: &str = "ts_ns";
}

/// The schemas of one version of a table, shared by its changes.
#[derive(Debug, PartialEq)]
pub struct ChangeSchema {
    /// Key struct; none for a table without key.
    pub key: Option<SchemaRef>,
    /// Row struct, optional, as it stands under `before` and `after`.
    pub row: SchemaRef,
    /// Source block.
    pub source: SchemaRef,
    /// Envelope struct that joins them.
    pub envelope: SchemaRef,
}

impl ChangeSchema {
    /// Joins row, key and source schemas into Debezium's envelope named `<prefix>.Envelope`.
    ///
    /// `row` must be an optional struct.
    pub fn new(prefix: &str, row: SchemaRef, key: Option<SchemaRef>, source: SchemaRef) -> Self {
        let envelope =
            Schema::record(format!("{prefix}.Envelope"), envelope_fields(&row, &source)).versioned(2);
        Self { key, row, source, envelope: envelope.shared() }
    }

    /// The same with other fields of the row.
    #[must_use]
    pub fn with_fields(&self, fields: Vec<Field>) -> Self {
        let with = |schema: &Schema, fields| Schema { kind: Kind::Struct(fields), ..schema.clone() }.shared();
        let row = with(&self.row, fields);
        let envelope = with(&self.envelope, envelope_fields(&row, &self.source));
        Self { key: self.key.clone(), row, source: Arc::clone(&self.source), envelope }
    }

    /// Recognises an envelope struct that was read, by its fields and not by its name.
    ///
    /// Returns `None` when `envelope` is anything else. Field order may be another than ours.
    pub fn recognise(envelope: &SchemaRef) -> Option<Self> {
        let of = |name| envelope.field(name).map(|field| &field.schema);
        let (before, after, source) = (of(field::BEFORE), of(field::AFTER)?, of(field::SOURCE)?);
        let is_struct = |schema: &Schema| matches!(schema.kind, Kind::Struct(_));
        of(field::OP)?;
        if !is_struct(after) || !is_struct(source) || before.is_some_and(|before| before.kind != after.kind) {
            return None;
        }
        Some(Self {
            key: None,
            row: Arc::clone(after),
            source: Arc::clone(source),
            envelope: Arc::clone(envelope),
        })
    }
}

fn envelope_fields(row: &SchemaRef, source: &SchemaRef) -> Vec<Field> {
    let clock = || Schema::new(Kind::Int64).optional();
    vec![
        Field::new(field::BEFORE, Arc::clone(row)),
        Field::new(field::AFTER, Arc::clone(row)),
        Field::new(field::SOURCE, Arc::clone(source)),
        Field::new(field::TRANSACTION, transaction_schema()),
        Field::new(field::OP, Schema::new(Kind::String)),
        Field::new(field::TS_MS, clock()),
        Field::new(field::TS_US, clock()),
        Field::new(field::TS_NS, clock()),
    ]
}

/// Returns the schema of the transaction block, which records of other shapes than the envelope have too.
pub fn transaction_schema() -> Schema {
    Schema::record(
        "event.block",
        vec![
            Field::new("id", Schema::new(Kind::String)),
            Field::new("total_order", Schema::new(Kind::Int64)),
            Field::new("data_collection_order", Schema::new(Kind::Int64)),
        ],
    )
    .versioned(1)
    .optional()
}

/// Place of a change in its transaction; Debezium's `transaction` block.
#[derive(Debug, Clone, PartialEq)]
pub struct TransactionBlock {
    /// Identity of the transaction.
    pub id: ByteString,
    /// Place among all events of the transaction, from 1.
    pub total_order: i64,
    /// Place among the events of this table in the transaction, from 1.
    pub data_collection_order: i64,
}

/// One row change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Schemas of the table version.
    pub schema: Arc<ChangeSchema>,
    /// What happened.
    pub operation: Operation,
    /// Row before, in the order of `schema.row`.
    pub before: Option<Vec<Value>>,
    /// Row after, in the order of `schema.row`.
    pub after: Option<Vec<Value>>,
    /// Source block, in the order of `schema.source`.
    pub source: Vec<Value>,
    /// Transaction block, if provided.
    pub transaction: Option<TransactionBlock>,
    /// Connector clock in nanoseconds since 1970-01-01T00:00Z; `ts_ms` and `ts_us` derive from it.
    pub timestamp_ns: Option<i64>,
}

impl Change {
    /// Returns a field of the source block.
    pub fn source_value(&self, name: &str) -> Option<&Value> {
        self.source.get(self.schema.source.field_index(name)?)
    }

    /// Shows the change as the envelope struct, for transforms that work on fields.
    ///
    /// Allocates; codecs write the change without it. Fields that a read envelope has beyond
    /// Debezium's own are null.
    pub fn into_struct(self) -> Struct {
        let envelope = Arc::clone(&self.schema.envelope);
        let (row, source) = (Arc::clone(&self.schema.row), Arc::clone(&self.schema.source));
        let mut parts = Parts { change: self, row, source };
        let values = envelope.fields().iter().map(|field| parts.take(&field.name, &field.schema)).collect();
        Struct::new(envelope, values)
    }

    /// Returns `ts_ms`, `ts_us` or `ts_ns` by field name.
    pub fn clock(&self, name: &str) -> Value {
        let divisor = match name {
            field::TS_MS => 1_000_000,
            field::TS_US => 1_000,
            _ => 1,
        };
        self.timestamp_ns.map_or(Value::Null, |nanos| Value::Int64(nanos.div_euclid(divisor)))
    }
}

struct Parts {
    change: Change,
    row: SchemaRef,
    source: SchemaRef,
}

impl Parts {
    fn take(&mut self, name: &str, schema: &SchemaRef) -> Value {
        let row = |values: Option<Vec<Value>>, row: &SchemaRef| {
            values.map_or(Value::Null, |values| Struct::new(Arc::clone(row), values).into())
        };
        match name {
            field::BEFORE => row(self.change.before.take(), &self.row),
            field::AFTER => row(self.change.after.take(), &self.row),
            field::SOURCE => {
                Struct::new(Arc::clone(&self.source), std::mem::take(&mut self.change.source)).into()
            }
            field::TRANSACTION => {
                self.change.transaction.take().map_or(Value::Null, |block| block.into_value(schema))
            }
            field::OP => Value::from_static(self.change.operation.code()),
            field::TS_MS | field::TS_US | field::TS_NS => self.change.clock(name),
            _ => Value::Null,
        }
    }
}

impl TransactionBlock {
    /// Shows the block as a struct of the given schema; fields it does not know are null.
    pub fn into_value(self, schema: &SchemaRef) -> Value {
        let values = schema.fields().iter().map(|field| match &*field.name {
            "id" => Value::String(self.id.clone()),
            "total_order" => Value::Int64(self.total_order),
            "data_collection_order" => Value::Int64(self.data_collection_order),
            _ => Value::Null,
        });
        Struct::new(Arc::clone(schema), values.collect()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Arc<ChangeSchema> {
        let row = Schema::record("p.s.t.Value", vec![Field::new("id", Schema::new(Kind::Int64))])
            .optional()
            .shared();
        let source = Schema::record("Source", vec![Field::new("lsn", Schema::new(Kind::Int64))]).shared();
        Arc::new(ChangeSchema::new("p.s.t", row, None, source))
    }

    #[test]
    fn envelope_fields_stand_in_debezium_order() {
        let schema = schema();

        let names: Vec<_> = schema.envelope.fields().iter().map(|field| &*field.name).collect();

        assert_eq!(names, ["before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"]);
        assert_eq!(schema.envelope.version, Some(2));
    }

    #[test]
    fn change_shows_itself_as_an_envelope_struct() {
        let change = Change {
            schema: schema(),
            operation: Operation::Create,
            before: None,
            after: Some(vec![Value::Int64(7)]),
            source: vec![Value::Int64(16)],
            transaction: None,
            timestamp_ns: Some(1_999_999),
        };

        let envelope = change.into_struct();

        assert_eq!(envelope.value("op"), Some(&Value::from_static("c")));
        assert_eq!(envelope.value("ts_ms"), Some(&Value::Int64(1)));
        assert_eq!(envelope.value("before"), Some(&Value::Null));
        let after = envelope.value("after").and_then(Value::as_struct).expect("after is a struct");
        assert_eq!(after.value("id"), Some(&Value::Int64(7)));
    }

    #[test]
    fn recognised_envelope_is_told_by_its_fields() {
        let ours = schema();

        assert!(ChangeSchema::recognise(&ours.envelope).is_some());
        assert!(ChangeSchema::recognise(&ours.row).is_none());
    }
}
