//! The `source` block of events: its schema, and its values in the same order.
//!
//! Hot path: [`SourceBlock::values`].

use std::sync::{Arc, LazyLock};

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;
use sluice_core::record::EventPosition;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef, debezium};
use sluice_core::value::Value;

use crate::config::PostgresConfig;
use crate::lsn::Lsn;
use crate::types::temporal::EPOCH_MICROS;

/// `source.version`: ours, not Debezium's.
pub const SOURCE_VERSION: &str = env!("CARGO_PKG_VERSION");
/// `source.connector`, as Debezium names it.
pub(crate) const CONNECTOR: &str = "postgresql";
/// Place of `snapshot` in the block.
pub(crate) const SNAPSHOT_FIELD: usize = 4;
/// Values of `source.snapshot`, as Debezium lists them.
const SNAPSHOT_MARKERS: &str =
    "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";

/// Where an event comes from.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) lsn: Lsn,
    pub(crate) commit_micros: i64,
    pub(crate) xid: Option<u32>,
    pub(crate) last_commit: Option<Lsn>,
    pub(crate) origin: Option<&'a (Box<str>, Lsn)>,
    pub(crate) event: EventPosition,
}

/// What the blocks of one source have in common.
#[derive(Debug)]
pub(crate) struct SourceBlock {
    name: ByteString,
    database: ByteString,
    /// `xmin` of the blocks to come.
    pub(crate) xmin: Option<i64>,
}

impl SourceBlock {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        Self {
            name: config.topic_prefix.as_str().into(),
            database: config.database.as_str().into(),
            xmin: None,
        }
    }

    /// Returns the values for an event of a table. Text is written to `chunk`.
    pub(crate) fn values(
        &self,
        schema: &ByteString,
        table: &ByteString,
        place: &Place<'_>,
        chunk: &mut BytesMut,
    ) -> Vec<Value> {
        let micros = place.commit_micros.saturating_add(EPOCH_MICROS);
        let origin = place.origin.map_or(Value::Null, |(name, _)| Value::from(&**name));
        let origin_lsn = place.origin.map_or(Value::Null, |(_, lsn)| number(*lsn));
        vec![
            Value::from_static(SOURCE_VERSION),
            Value::from_static(CONNECTOR),
            Value::String(self.name.clone()),
            Value::Int64(micros.div_euclid(1000)),
            Value::Null,
            Value::String(self.database.clone()),
            sequence(place, chunk),
            Value::Int64(micros),
            Value::Int64(micros.saturating_mul(1000)),
            Value::String(schema.clone()),
            Value::String(table.clone()),
            place.xid.map_or(Value::Null, |xid| Value::Int64(xid.into())),
            number(place.lsn),
            self.xmin.map_or(Value::Null, Value::Int64),
            origin,
            origin_lsn,
        ]
    }
}

/// Returns the schema of the block, the same for all tables.
pub(crate) fn source_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let required = |name: &str, kind| Field::new(name, Schema::new(kind));
        let optional = |name: &str, kind| Field::new(name, Schema::new(kind).optional());
        let snapshot = Schema::new(Kind::String)
            .named(debezium::ENUM)
            .versioned(1)
            .with_parameter("allowed", SNAPSHOT_MARKERS)
            .with_default(Value::from_static("false"))
            .optional();
        let fields = vec![
            required("version", Kind::String),
            required("connector", Kind::String),
            required("name", Kind::String),
            required("ts_ms", Kind::Int64),
            Field::new("snapshot", snapshot),
            required("db", Kind::String),
            optional("sequence", Kind::String),
            optional("ts_us", Kind::Int64),
            optional("ts_ns", Kind::Int64),
            required("schema", Kind::String),
            required("table", Kind::String),
            optional("txId", Kind::Int64),
            optional("lsn", Kind::Int64),
            optional("xmin", Kind::Int64),
            optional("origin", Kind::String),
            optional("origin_lsn", Kind::Int64),
        ];
        Schema::record("io.debezium.connector.postgresql.Source", fields).versioned(1).shared()
    });
    Arc::clone(&SCHEMA)
}

/// Writes `["<end of the last commit>","<this position>"]`, the first null before any commit.
fn sequence(place: &Place<'_>, chunk: &mut BytesMut) -> Value {
    chunk.put_u8(b'[');
    match place.last_commit {
        None => chunk.put_slice(b"null"),
        Some(lsn) => put_quoted(lsn, chunk),
    }
    chunk.put_u8(b',');
    put_quoted(place.lsn, chunk);
    chunk.put_u8(b']');
    ByteString::try_from(chunk.split().freeze()).map_or(Value::Null, Value::String)
}

/// A position as Debezium shows it; beyond 63 bits it saturates.
fn number(lsn: Lsn) -> Value {
    Value::Int64(i64::try_from(lsn.as_u64()).unwrap_or(i64::MAX))
}

fn put_quoted(lsn: Lsn, out: &mut BytesMut) {
    out.put_u8(b'"');
    put_number(lsn.as_u64(), out);
    out.put_u8(b'"');
}

/// Writes a number in decimal.
pub(crate) fn put_number(number: u64, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(number).as_bytes());
}
