//! Binding without a server, for benches and tests.

use scylla::{
    cluster::metadata::{CollectionType, ColumnType, NativeType},
    serialize::writers::RowWriter,
};
use sluice_core::{Record, SchemaRef};

use crate::{
    error::CassandraError,
    row::{Action, Place},
    schema::{TableName, default_columns},
    shape::Shape,
    statement::{Column, Plan, TimeToLive},
    types::Encoder,
};

/// A plan for the table that `schema.policy=create` would make, without its statements.
#[derive(Debug)]
pub struct Probe {
    plan: Plan,
}

impl Probe {
    /// Makes the plan for records of the given schemas.
    ///
    /// # Panics
    /// When a column has no CQL type, or one that is no scalar and no list of scalars.
    pub fn new(key: &SchemaRef, row: &SchemaRef) -> Self {
        let columns = default_columns(Some(key), Some(row)).into_iter().map(|mapped| {
            let key_index = key.field_index(&mapped.column);
            let (place, schema) = match (key_index, row.field_index(&mapped.column)) {
                (Some(index), _) => (Place::Key([index].into()), &key.fields()[index].schema),
                (None, Some(index)) => (Place::Row([index].into()), &row.fields()[index].schema),
                (None, None) => panic!("a column is in the key or in the row"),
            };
            let is_key = key_index.is_some();
            let cql = Shape::of(schema).default_type(is_key).expect("the column has a CQL type");
            let encoder = Encoder::compile(schema, &column_type(&cql), is_key).expect("its own type fits");
            Column { name: mapped.column, place, encoder, key: is_key }
        });
        let columns: Vec<_> = columns.collect();
        let plan = Plan {
            table: TableName::new("probe", "probe"),
            keys: (0..columns.len()).filter(|&index| columns[index].key).collect(),
            columns,
            insert: None,
            delete: None,
            ttl: TimeToLive::Table,
            timestamp: None,
            max_bytes: usize::MAX,
            null_to_unset: None,
            deletes: true,
        };
        Self { plan }
    }

    /// Writes the cells of an INSERT, as they stand in a request.
    ///
    /// # Errors
    /// As binding does.
    pub fn insert(&self, record: &Record, timestamp: i64, cells: &mut Vec<u8>) -> Result<(), CassandraError> {
        self.plan.write(record, Action::Upsert, timestamp, &mut RowWriter::new(cells))
    }

    /// Writes the cells of a DELETE.
    ///
    /// # Errors
    /// As binding does.
    pub fn delete(&self, record: &Record, timestamp: i64, cells: &mut Vec<u8>) -> Result<(), CassandraError> {
        self.plan.write(record, Action::Delete, timestamp, &mut RowWriter::new(cells))
    }

    /// Applies DataStax's `nullToUnset`.
    pub fn null_to_unset(&mut self, unset: bool) {
        self.plan.null_to_unset = Some(unset);
    }

    /// Applies DataStax's `deletesEnabled` = false.
    pub fn keep_deleted(&mut self) {
        self.plan.deletes = false;
    }
}

fn column_type(cql: &str) -> ColumnType<'static> {
    if let Some(element) = cql.strip_prefix("frozen<list<").and_then(|rest| rest.strip_suffix(">>")) {
        let typ = CollectionType::List(Box::new(column_type(element)));
        return ColumnType::Collection { frozen: true, typ };
    }
    ColumnType::Native(match cql {
        "boolean" => NativeType::Boolean,
        "tinyint" => NativeType::TinyInt,
        "smallint" => NativeType::SmallInt,
        "int" => NativeType::Int,
        "bigint" => NativeType::BigInt,
        "float" => NativeType::Float,
        "double" => NativeType::Double,
        "text" => NativeType::Text,
        "uuid" => NativeType::Uuid,
        "blob" => NativeType::Blob,
        "decimal" => NativeType::Decimal,
        "date" => NativeType::Date,
        "time" => NativeType::Time,
        "timestamp" => NativeType::Timestamp,
        other => panic!("a probe has no columns of type {other}"),
    })
}
