//! The value that stands where none is known.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sluice_core::schema::{Kind, Schema, SchemaRef, connect, debezium};
use sluice_core::value::{Struct, Value};

use crate::types::shapes;
use crate::types::structured::Structured;

fn schema_ref(schema: &Schema) -> SchemaRef {
    Arc::new(Schema { optional: false, default: None, ..schema.clone() })
}

/// The value that Debezium invents for a column: the default of a function, or what an old tuple
/// lacks for a required column. `None` for structs without a name.
pub(crate) fn zero(schema: &Schema) -> Option<Value> {
    let name = schema.name.as_deref();
    Some(match (&schema.kind, name) {
        (Kind::Boolean, _) => Value::Boolean(false),
        (Kind::Int8, _) => Value::Int8(0),
        (Kind::Int16, _) => Value::Int16(0),
        (Kind::Int32, _) => Value::Int32(0),
        (Kind::Int64, _) => Value::Int64(0),
        (Kind::Float32, _) => Value::Float32(0.0),
        (Kind::Float64, _) => Value::Float64(0.0),
        (Kind::Bytes, Some(connect::DECIMAL)) => Value::Bytes(Bytes::from_static(&[0])),
        (Kind::Bytes, _) => Value::Bytes(Bytes::new()),
        (Kind::String, Some(debezium::ZONED_TIMESTAMP)) => Value::from_static("1970-01-01T00:00:00.000000Z"),
        (Kind::String, Some(debezium::ZONED_TIME)) => Value::from_static("00:00:00Z"),
        (Kind::String, Some(debezium::ISO_DATE)) => Value::from_static("1970-01-01Z"),
        (Kind::String, Some(debezium::ISO_TIME)) => Value::from_static("00:00:00Z"),
        (Kind::String, Some(debezium::ISO_TIMESTAMP)) => Value::from_static("1970-01-01T00:00:00Z"),
        (Kind::String, Some(debezium::UUID)) => Value::from_static("00000000-0000-0000-0000-000000000000"),
        (Kind::String, Some(debezium::JSON)) => Value::from_static("{}"),
        (Kind::String, Some(debezium::INTERVAL)) => Value::from_static("P0Y0M0DT0H0M0S"),
        (Kind::String, Some(debezium::ENUM)) => {
            let first = schema.parameter("allowed").and_then(|labels| labels.split(',').next());
            Value::from(first.unwrap_or_default())
        }
        (Kind::String, _) => Value::from_static(""),
        (Kind::Array(_), _) => Value::Array(Vec::new()),
        (Kind::Map { .. }, _) => Value::Map(Vec::new()),
        (Kind::Struct(_), Some(debezium::VARIABLE_SCALE_DECIMAL)) => {
            let values = vec![Value::Int32(0), Value::Bytes(Bytes::from_static(&[0]))];
            Struct::new(schema_ref(schema), values).into()
        }
        (Kind::Struct(_), Some(debezium::POINT)) => {
            shapes::point_of(&schema_ref(schema), 0.0, 0.0, &mut BytesMut::new())
        }
        (Kind::Struct(_), Some(debezium::GEOMETRY | debezium::GEOGRAPHY)) => {
            shapes::empty_geometry(&schema_ref(schema))
        }
        (Kind::Struct(_), Some(name)) => return Structured::zero(name),
        (Kind::Struct(_), None) => return None,
    })
}
