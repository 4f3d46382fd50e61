//! What stands for a value that is required and not known, such as a column that an old row image lacks.
//!
//! The values are those that Debezium invents (`JdbcValueConverters`): the number zero, the beginning of 1970, nothing.

use crate::{
    schema::{Kind, Schema, SchemaRef, connect, debezium},
    value::{Struct, Value},
};

/// The zero of a schema. In a struct, optional fields are null and required ones their zeros.
pub fn zero(schema: &Schema) -> Value {
    match &schema.kind {
        Kind::Boolean => Value::Boolean(false),
        Kind::Int8 => Value::Int8(0),
        Kind::Int16 => Value::Int16(0),
        Kind::Int32 => Value::Int32(0),
        Kind::Int64 => Value::Int64(0),
        Kind::Float32 => Value::Float32(0.0),
        Kind::Float64 => Value::Float64(0.0),
        Kind::Bytes if schema.is_named(connect::DECIMAL) => number(),
        Kind::Bytes => Value::Bytes(bytes::Bytes::new()),
        Kind::String => Value::from_static(text(schema)),
        Kind::Array(_) => Value::Array(Vec::new()),
        Kind::Map { .. } => Value::Map(Vec::new()),
        Kind::Struct(fields) => {
            let is_number = schema.is_named(debezium::VARIABLE_SCALE_DECIMAL);
            let values = fields.iter().map(|field| match (field.schema.optional, &field.schema.kind) {
                (true, _) => Value::Null,
                (false, Kind::Bytes) if is_number => number(),
                (false, _) => zero(&field.schema),
            });
            Struct::new(SchemaRef::new(schema.clone()), values.collect()).into()
        }
    }
}

/// Zero as the unscaled bytes of a decimal: a number, not nothing.
fn number() -> Value {
    Value::Bytes(bytes::Bytes::from_static(&[0]))
}

fn text(schema: &Schema) -> &'static str {
    match schema.name.as_deref() {
        Some(debezium::ZONED_TIMESTAMP) => "1970-01-01T00:00:00Z",
        Some(debezium::ZONED_TIME | debezium::ISO_TIME) => "00:00:00Z",
        Some(debezium::ISO_DATE) => "1970-01-01Z",
        Some(debezium::ISO_TIMESTAMP) => "1970-01-01T00:00:00Z",
        Some(debezium::INTERVAL) => "P0Y0M0DT0H0M0S",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Field;

    #[test]
    fn texts_are_those_of_their_types() {
        let of = |name: &'static str| zero(&Schema::new(Kind::String).named(name));

        assert_eq!(of(debezium::ZONED_TIMESTAMP), Value::from_static("1970-01-01T00:00:00Z"));
        assert_eq!(of(debezium::INTERVAL), Value::from_static("P0Y0M0DT0H0M0S"));
        assert_eq!(of(debezium::JSON), Value::from_static(""));
    }

    #[test]
    fn a_number_of_any_scale_is_zero_and_not_nothing() {
        let fields = vec![
            Field::new("scale", Schema::new(Kind::Int32)),
            Field::new("value", Schema::new(Kind::Bytes)),
        ];
        let schema = Schema::record(debezium::VARIABLE_SCALE_DECIMAL, fields);

        let Value::Struct(value) = zero(&schema) else { panic!("a struct") };

        assert_eq!(value.values(), [Value::Int32(0), number()]);
    }
}
