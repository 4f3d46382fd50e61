//! Source types as schemas tell them: `__debezium.source.column.*`, from the driver that Debezium uses.

use sluice_core::schema::Schema;

use super::DescribedBy;
use crate::types::{Form, ResolvedType};

/// Length of what has no limit.
const UNLIMITED: i32 = i32::MAX;
/// Length of a `numeric` without precision, where the stream describes it.
const UNLIMITED_NUMERIC: i32 = 131_089;

/// Size of a type: what the driver calls the column's length and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) length: i32,
    pub(super) scale: Option<i32>,
}

impl Size {
    /// Tells the size of a type; that of an array is its element's. Source: `TypeInfoCache` of pgjdbc.
    pub(super) fn of(type_: &ResolvedType, described_by: DescribedBy) -> Self {
        if let Form::Array(element) = &type_.form {
            return Self::of(element, DescribedBy::Stream);
        }
        let modifier = type_.modifier;
        let limit = |header: i32| if modifier < header { UNLIMITED } else { modifier - header };
        // Six digits unless told; one digit takes the room of two.
        let digits = if modifier < 0 { 6 } else { modifier };
        let fraction = match digits {
            0 => 0,
            1 => 3,
            digits => digits + 1,
        };
        let (length, scale) = match type_.name.as_str() {
            _ if !type_.built_in() || type_.form != Form::Base => (UNLIMITED, 0),
            "bool" | "char" => (1, 0),
            "int2" => (5, 0),
            "int4" | "oid" => (10, 0),
            "int8" => (19, 0),
            "float4" => (8, 8),
            "float8" => (17, 17),
            "numeric" => match (type_.numeric_scale(), described_by) {
                (Some(scale), _) => ((modifier - 4) >> 16 & 0xFFFF, scale),
                (None, DescribedBy::Catalog) => return Self { length: 0, scale: None },
                (None, DescribedBy::Stream) => (UNLIMITED_NUMERIC, 0),
            },
            "bpchar" | "varchar" => (limit(4), 0),
            "bit" | "varbit" => (limit(0), 0),
            "date" => (13, 0),
            "time" => (8 + fraction, digits),
            "timetz" => (14 + fraction, digits),
            "timestamp" => (22 + fraction, digits),
            "timestamptz" => (28 + fraction, digits),
            // Of an interval the modifier has the fields, too.
            "interval" => {
                (49, if modifier < 0 || modifier & 0xFFFF == 0xFFFF { 6 } else { modifier & 0xFFFF })
            }
            _ => (UNLIMITED, 0),
        };
        Self { length, scale: Some(scale) }
    }

    /// The length where a text has one.
    pub(super) fn characters(self) -> usize {
        usize::try_from(self.length).unwrap_or_default()
    }
}

/// Names a type as Debezium does: a column that a sequence numbers has a name of its own in a snapshot.
pub(super) fn type_name<'a>(name: &'a str, default: Option<&str>, described_by: DescribedBy) -> &'a str {
    let is_serial = default.is_some_and(|default| default.starts_with("nextval("));
    match name {
        _ if !is_serial || described_by == DescribedBy::Stream => name,
        "int2" => "smallserial",
        "int4" => "serial",
        "int8" => "bigserial",
        _ => name,
    }
}

/// Adds the source type to a column's schema.
pub(super) fn propagate(schema: Schema, type_name: &str, size: Size, column: &str) -> Schema {
    let mut schema = schema
        .with_parameter("__debezium.source.column.type", type_name.to_uppercase())
        .with_parameter("__debezium.source.column.length", size.length.to_string());
    if let Some(scale) = size.scale {
        schema = schema.with_parameter("__debezium.source.column.scale", scale.to_string());
    }
    schema.with_parameter("__debezium.source.column.name", column)
}
