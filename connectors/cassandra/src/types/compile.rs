//! Which encoder carries a Connect schema into a CQL type.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use sluice_core::Schema;

use super::Encoder;
use crate::shape::{Resolution, Shape, cql_name};

/// Why a schema does not fit a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Misfit {
    reason: String,
}

impl Encoder {
    /// Finds the encoder from `schema` into `column`.
    ///
    /// Keys are stricter: nothing that makes one key of two, and numbers in their shortest form.
    pub(crate) fn compile(schema: &Schema, column: &ColumnType<'_>, key: bool) -> Result<Self, Misfit> {
        let shape = Shape::of(schema);
        if let (true, Some(obstacle)) = (key, shape.key_obstacle()) {
            return Err(Misfit { reason: format!("cannot be a key: {obstacle}") });
        }
        let encoder = match column {
            ColumnType::Native(native) => scalar(&shape, schema, native, key),
            ColumnType::Collection { frozen: false, .. } => {
                let reason = "is not frozen: written twice at one timestamp, its elements double".to_owned();
                return Err(Misfit { reason: format!("{} {reason}; use frozen<…>", cql_name(column)) });
            }
            ColumnType::Collection { typ, .. } => collection(&shape, typ),
            ColumnType::Vector { typ, dimensions } => vector(&shape, typ, *dimensions),
            _ => None,
        };
        encoder.ok_or_else(|| {
            let got = describe(schema);
            let reason =
                format!("is {}, which cannot hold {got}; allowed: {}", cql_name(column), shape.allowed(key));
            Misfit { reason }
        })
    }
}

fn describe(schema: &Schema) -> String {
    match &schema.name {
        Some(name) => format!("{name} ({})", schema.kind.name()),
        None => schema.kind.name().to_owned(),
    }
}

fn scalar(shape: &Shape, schema: &Schema, native: &NativeType, key: bool) -> Option<Encoder> {
    Some(match (shape, native) {
        (Shape::Boolean, NativeType::Boolean) => Encoder::Boolean,
        (Shape::Integer(width), _) => return integer(*width, native),
        (Shape::Float32, NativeType::Float) => Encoder::Float,
        (Shape::Float32 | Shape::Float64, NativeType::Double) => Encoder::Double,
        (
            Shape::Text
            | Shape::Uuid
            | Shape::Json
            | Shape::ZonedTime
            | Shape::ZonedTimestamp
            | Shape::Interval,
            NativeType::Text,
        ) => Encoder::Text,
        (Shape::Text | Shape::Uuid, NativeType::Ascii) => Encoder::Ascii,
        (Shape::Text | Shape::Uuid, NativeType::Uuid) => Encoder::Uuid,
        // ::ffff:1.2.3.4 and 1.2.3.4 are two keys in Postgres and may become one here.
        (Shape::Text, NativeType::Inet) if !key => Encoder::Inet,
        (Shape::Bytes, NativeType::Blob) => Encoder::Blob,
        (Shape::Decimal(scale), NativeType::Decimal) => Encoder::Decimal { scale: *scale, canonical: key },
        (Shape::VariableDecimal, NativeType::Decimal) => Encoder::VariableDecimal {
            scale: schema.field_index("scale")?,
            unscaled: schema.field_index("value")?,
            canonical: key,
        },
        (Shape::Date, NativeType::Date) => Encoder::Date,
        (Shape::Date | Shape::Time(1_000_000), NativeType::Int) => Encoder::Integer(4),
        (Shape::Date | Shape::Time(_), NativeType::BigInt) => Encoder::Integer(8),
        (Shape::Time(unit), NativeType::Time) => Encoder::Time(*unit),
        (Shape::Timestamp(_) | Shape::MicroDuration, NativeType::BigInt) => Encoder::Integer(8),
        // Milliseconds are exact; what is finer would make one key of two.
        (Shape::Timestamp(resolution), NativeType::Timestamp)
            if !key || *resolution == Resolution::Millis =>
        {
            Encoder::Timestamp { per_milli: per_milli(*resolution) }
        }
        (Shape::ZonedTimestamp, NativeType::Timestamp) if !key => Encoder::ZonedTimestamp,
        (Shape::ZonedTimestamp, NativeType::BigInt) => Encoder::ZonedMicros,
        (Shape::MicroDuration, NativeType::Duration) => Encoder::MicroDuration,
        (Shape::Interval, NativeType::Duration) => Encoder::Interval,
        (Shape::Array(_) | Shape::Map(..) | Shape::Struct, NativeType::Text) => Encoder::Json,
        _ => return None,
    })
}

fn per_milli(resolution: Resolution) -> i64 {
    match resolution {
        Resolution::Millis => 1,
        Resolution::Micros => 1_000,
        Resolution::Nanos => 1_000_000,
    }
}

fn integer(width: u8, native: &NativeType) -> Option<Encoder> {
    let column = match native {
        NativeType::TinyInt => 1,
        NativeType::SmallInt => 2,
        NativeType::Int => 4,
        NativeType::BigInt => 8,
        NativeType::Varint => return Some(Encoder::Varint),
        _ => return None,
    };
    (width <= column).then_some(Encoder::Integer(column))
}

fn collection(shape: &Shape, column: &CollectionType<'_>) -> Option<Encoder> {
    let element = |schema: &Schema, column: &ColumnType<'_>| {
        // What is inside a frozen collection is frozen, whether the type says so or not.
        Encoder::compile(schema, &frozen(column), false).ok().map(Box::new)
    };
    match (shape, column) {
        (Shape::Array(schema), CollectionType::List(column) | CollectionType::Set(column)) => {
            Some(Encoder::List(element(schema, column)?))
        }
        (Shape::Map(key, value), CollectionType::Map(key_column, value_column)) => {
            Some(Encoder::Map(element(key, key_column)?, element(value, value_column)?))
        }
        _ => None,
    }
}

fn frozen<'a>(column: &ColumnType<'a>) -> ColumnType<'a> {
    match column {
        ColumnType::Collection { typ, .. } => ColumnType::Collection { frozen: true, typ: typ.clone() },
        other => other.clone(),
    }
}

fn vector(shape: &Shape, element: &ColumnType<'_>, dimensions: u16) -> Option<Encoder> {
    let Shape::Array(schema) = shape else { return None };
    let is_float = matches!(Shape::of(schema), Shape::Float32 | Shape::Float64);
    (is_float && *element == ColumnType::Native(NativeType::Float)).then_some(Encoder::Vector(dimensions))
}
