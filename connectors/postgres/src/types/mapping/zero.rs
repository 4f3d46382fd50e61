//! Values that Debezium invents, by the column's type.

use std::sync::Arc;

use bytes::BytesMut;
use sluice_core::schema::{Kind, Schema, SchemaRef, debezium};
use sluice_core::value::Value;
use sluice_core::zero::zero;

use crate::config::{Compatibility, DecimalMode};
use crate::types::facts::{Form, ResolvedType};
use crate::types::structured::Structured;
use crate::types::{Modes, shapes};

/// Scales from here on are negative ones without their sign.
const NEGATIVE_SCALES: i32 = 0x400;

fn schema_ref(schema: &Schema) -> SchemaRef {
    Arc::new(Schema { optional: false, default: None, ..schema.clone() })
}

/// The value in an old row that does not tell a required column without default.
pub(crate) fn absent(type_: &ResolvedType, schema: &Schema, modes: Modes) -> Value {
    let text = modes.decimal == DecimalMode::String;
    let scale = || {
        let known = |scale: &i32| *scale < NEGATIVE_SCALES || modes.compatibility == Compatibility::Debezium;
        type_.numeric_scale().filter(known).unwrap_or(0)
    };
    match (&schema.kind, type_.name.as_str()) {
        (Kind::String, "hstore") => Value::from_static("{}"),
        (Kind::String, "numeric") if text => plain_zero(scale()),
        (Kind::String, "money") if text => plain_zero(modes.money_digits.into()),
        (Kind::Struct(_), _) => match schema.name.as_deref() {
            Some(debezium::POINT) => shapes::point_of(&schema_ref(schema), 0.0, 0.0, &mut BytesMut::new()),
            Some(debezium::GEOMETRY | debezium::GEOGRAPHY) => shapes::empty_geometry(&schema_ref(schema)),
            Some(name) => Structured::zero(name).unwrap_or_else(|| zero(schema)),
            None => zero(schema),
        },
        _ => zero(schema),
    }
}

/// Whether Debezium reads defaults of a type; of all others the schema has none.
/// Source: `PostgresDefaultValueConverter`.
pub(crate) fn has_defaults(type_: &ResolvedType) -> bool {
    const TYPES: [&str; 21] = [
        "bit",
        "varbit",
        "bool",
        "bpchar",
        "varchar",
        "text",
        "numeric",
        "float4",
        "float8",
        "int2",
        "int4",
        "int8",
        "json",
        "jsonb",
        "xml",
        "uuid",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "interval",
    ];

    match type_.form {
        Form::Enum(_) => !type_.domain,
        Form::Base => !type_.domain && type_.built_in() && TYPES.contains(&type_.name.as_str()),
        _ => false,
    }
}

/// The schema's default where the column's is a function: a placeholder, as what it returns is not known.
pub(crate) fn function_default(type_: &ResolvedType, schema: &Schema) -> Option<Value> {
    Some(match (&schema.kind, type_.name.as_str()) {
        _ if matches!(type_.form, Form::Enum(_)) => return None,
        (_, "json" | "jsonb") => Value::from_static("{}"),
        (_, "uuid") => Value::from_static("00000000-0000-0000-0000-000000000000"),
        (Kind::String, "timestamptz") => Value::from_static("1970-01-01T00:00:00.000000Z"),
        (Kind::String, "numeric") => plain_zero(type_.numeric_scale().unwrap_or(1)),
        _ => zero(schema),
    })
}

/// Zero as text, with so many decimals.
fn plain_zero(scale: i32) -> Value {
    match usize::try_from(scale) {
        Ok(scale @ 1..) => Value::from(format!("0.{}", "0".repeat(scale))),
        _ => Value::from_static("0"),
    }
}
