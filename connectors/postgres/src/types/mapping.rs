//! From a type to its schema and decoder. Source: Debezium's type tables and recordings of it.

mod temporal;
mod zero;

use sluice_core::schema::{Field, Kind, Schema, connect, debezium};

use super::decoder::Decoder;
use super::facts::{Form, MODIFIER_HEADER, ResolvedType};
use super::money::MoneyForm;
use super::opaque::Opaque;
use super::output::Output;
use super::{Modes, compatibility, shapes};
use crate::config::{BinaryMode, Compatibility, DecimalMode, HstoreMode};

pub(crate) use zero::{absent, function_default, has_defaults};

/// Debezium's `length` of a bit string without limit.
const UNLIMITED_BITS: i32 = i32::MAX;

/// What a type becomes.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// Schema, required and without default.
    pub(crate) schema: Schema,
    /// Reads what the stream carries.
    pub(crate) decoder: Decoder,
    /// Reads what a snapshot carries, where Debezium's differs.
    pub(crate) snapshot: Option<Decoder>,
    /// The type has no binary form: the stream carries text, and a snapshot must ask for it.
    pub(crate) text: bool,
}

impl Mapping {
    pub(super) fn new(schema: Schema, decoder: Decoder) -> Self {
        Self { schema, decoder, snapshot: None, text: false }
    }
}

/// Maps a type; `None` for one that has no mapping.
pub(crate) fn map(type_: &ResolvedType, modes: Modes) -> Option<Mapping> {
    if compatibility::leaves_out(type_, modes) {
        return None;
    }
    let known = match &type_.form {
        Form::Array(element) => return map_array(type_, element, modes),
        Form::Enum(labels) => {
            let schema = semantic(Kind::String, debezium::ENUM).with_parameter("allowed", labels.join(","));
            Some(Mapping::new(schema, Decoder::Text))
        }
        Form::Range(_) => map_range(type_),
        Form::Multirange(_) | Form::Composite(_) => None,
        Form::Base => map_base(type_, modes),
    };
    let mapping = known.or_else(|| modes.unknown.then(|| map_unknown(type_, modes))?)?;
    Some(match modes.compatibility {
        Compatibility::Correct => mapping,
        Compatibility::Debezium => compatibility::debezium(type_, modes, mapping),
    })
}

fn map_base(type_: &ResolvedType, modes: Modes) -> Option<Mapping> {
    let modifier = type_.modifier;
    let (schema, decoder) = match type_.name.as_str() {
        "citext" => (Schema::new(Kind::String), Decoder::Text),
        "isbn" => {
            let mapping = Mapping::new(Schema::new(Kind::String), Decoder::Text);
            return Some(Mapping { text: true, ..mapping });
        }
        "ltree" => (semantic(Kind::String, debezium::LTREE), Decoder::Versioned),
        "hstore" => map_hstore(modes.hstore),
        "geometry" => geometry(debezium::GEOMETRY, "Geometry"),
        "geography" => geometry(debezium::GEOGRAPHY, "Geography"),
        "vector" => vector(Kind::Float64, debezium::DOUBLE_VECTOR, Decoder::Vector),
        "halfvec" => vector(Kind::Float32, debezium::FLOAT_VECTOR, Decoder::HalfVector),
        "sparsevec" => {
            let schema = shapes::sparse_vector_schema();
            (schema.clone(), Decoder::SparseVector(schema.shared()))
        }
        _ if !type_.built_in() => return None,
        "bool" => (Schema::new(Kind::Boolean), Decoder::Boolean),
        "int2" => (Schema::new(Kind::Int16), Decoder::Int16),
        "int4" => (Schema::new(Kind::Int32), Decoder::Int32),
        "int8" => (Schema::new(Kind::Int64), Decoder::Int64),
        "oid" => (Schema::new(Kind::Int64), Decoder::Oid),
        "float4" => (Schema::new(Kind::Float32), Decoder::Float32),
        "float8" => (Schema::new(Kind::Float64), Decoder::Float64),
        "numeric" => map_numeric(modifier, modes.decimal),
        "money" => map_money(type_.money_decimals, modes),
        "text" | "varchar" | "bpchar" | "name" => (Schema::new(Kind::String), Decoder::Text),
        "char" => (Schema::new(Kind::String), Decoder::Character),
        "json" => (semantic(Kind::String, debezium::JSON), Decoder::Text),
        "jsonb" => (semantic(Kind::String, debezium::JSON), Decoder::Versioned),
        "xml" => (semantic(Kind::String, debezium::XML), Decoder::Text),
        "uuid" => (semantic(Kind::String, debezium::UUID), Decoder::Uuid),
        "inet" | "cidr" => (Schema::new(Kind::String), Decoder::Address),
        "macaddr" | "macaddr8" => (Schema::new(Kind::String), Decoder::Mac),
        "bytea" => map_bytes(modes.binary),
        "bit" | "varbit" => map_bits(modifier),
        "int2vector" => list(Kind::Int16, Decoder::Int16),
        "oidvector" => list(Kind::Int64, Decoder::Oid),
        "tsvector" => {
            (semantic(Kind::String, debezium::TSVECTOR), Decoder::Printed(Box::new(Output::TsVector)))
        }
        "point" => {
            let schema = shapes::point_schema();
            (schema.clone(), Decoder::Point(schema.shared()))
        }
        name => temporal::map(name, modifier, modes)?,
    };
    Some(Mapping::new(schema, decoder))
}

/// The six built-in ranges are text; others are unknown types.
fn map_range(type_: &ResolvedType) -> Option<Mapping> {
    if !type_.built_in() {
        return None;
    }
    Some(Mapping::new(Schema::new(Kind::String), Decoder::Printed(Box::new(Output::of(type_)?))))
}

fn map_unknown(type_: &ResolvedType, modes: Modes) -> Option<Mapping> {
    let opaque = Opaque::of(type_, modes.binary)?;
    let text = opaque.sent_as_text();
    let mapping = Mapping::new(opaque.schema(), Decoder::Opaque(Box::new(opaque)));
    Some(Mapping { text, ..mapping })
}

fn map_hstore(mode: HstoreMode) -> (Schema, Decoder) {
    match mode {
        HstoreMode::Json => (semantic(Kind::String, debezium::JSON), Decoder::HstoreJson),
        HstoreMode::Map => (shapes::hstore_schema(), Decoder::HstoreMap),
    }
}

fn geometry(name: &'static str, doc: &'static str) -> (Schema, Decoder) {
    let schema = shapes::geometry_schema(name, doc);
    (schema.clone(), Decoder::Geometry(schema.shared()))
}

fn vector(element: Kind, name: &'static str, decoder: Decoder) -> (Schema, Decoder) {
    (semantic(Kind::Array(Schema::new(element).shared()), name), decoder)
}

fn semantic(kind: Kind, name: &'static str) -> Schema {
    Schema::new(kind).named(name).versioned(1)
}

fn map_array(array: &ResolvedType, element: &ResolvedType, modes: Modes) -> Option<Mapping> {
    // Postgres sends an array only if it can send its elements.
    if !element.sends || matches!(element.form, Form::Array(_)) {
        return None;
    }
    let correct = Modes { compatibility: Compatibility::Correct, unknown: false, ..modes };
    let known = if element.domain && modes.unknown { None } else { map(element, correct) };
    // Debezium's labels, search documents, vectors and unknown elements are required, all others optional.
    let required = match element.form {
        Form::Enum(_) => true,
        _ => matches!(element.name.as_str(), "tsvector" | "int2vector" | "oidvector"),
    };
    let nullable = known.is_some() && !required;
    let Mapping { schema, decoder, .. } =
        known.or_else(|| modes.unknown.then(|| map_unknown(element, modes))?)?;
    let schema = if nullable { schema.optional() } else { schema };
    let schema = Schema::new(Kind::Array(schema.shared()));
    let mapping = Mapping::new(schema, Decoder::Array { element: Box::new(decoder), nullable });
    Some(match modes.compatibility {
        Compatibility::Correct => mapping,
        Compatibility::Debezium => compatibility::debezium(array, modes, mapping),
    })
}

/// A vector of the catalog: it has the form of an array, and no nulls.
fn list(kind: Kind, element: Decoder) -> (Schema, Decoder) {
    let schema = Schema::new(Kind::Array(Schema::new(kind).shared()));
    (schema, Decoder::Array { element: Box::new(element), nullable: false })
}

fn map_numeric(modifier: i32, mode: DecimalMode) -> (Schema, Decoder) {
    match mode {
        DecimalMode::String => return (Schema::new(Kind::String), Decoder::NumericText),
        DecimalMode::Double => return (Schema::new(Kind::Float64), Decoder::NumericDouble),
        DecimalMode::Precise => {}
    }
    if modifier < MODIFIER_HEADER {
        let schema = variable_scale_decimal();
        return (schema.clone(), Decoder::VariableDecimal(schema.shared()));
    }
    let packed = modifier - MODIFIER_HEADER;
    let precision = packed >> 16 & 0xFFFF;
    // 11 bits with sign, since PostgreSQL 15 (`numeric_typmod_scale`).
    let scale = (packed & 0x7FF ^ 0x400) - 0x400;
    // A decimal of Avro has no negative scale; Debezium reads -2 as 2046 here.
    let (precision, scale) = if scale < 0 { (precision - scale, 0) } else { (precision, scale) };
    let schema = decimal(scale).with_parameter("connect.decimal.precision", precision.to_string());
    (schema, Decoder::Decimal { scale })
}

pub(super) fn decimal(scale: i32) -> Schema {
    semantic(Kind::Bytes, connect::DECIMAL).with_parameter("scale", scale.to_string())
}

fn variable_scale_decimal() -> Schema {
    let fields =
        vec![Field::new("scale", Schema::new(Kind::Int32)), Field::new("value", Schema::new(Kind::Bytes))];
    Schema::record(debezium::VARIABLE_SCALE_DECIMAL, fields)
        .versioned(1)
        .documented("Variable scaled decimal")
}

fn map_money(decimals: u8, modes: Modes) -> (Schema, Decoder) {
    let digits = modes.money_digits;
    let (schema, form) = match modes.decimal {
        DecimalMode::Precise => (decimal(digits.into()), MoneyForm::Decimal(digits)),
        DecimalMode::Double => (Schema::new(Kind::Float64), MoneyForm::Double),
        DecimalMode::String => (Schema::new(Kind::String), MoneyForm::Text),
    };
    (schema, Decoder::Money { decimals, form })
}

fn map_bytes(mode: BinaryMode) -> (Schema, Decoder) {
    let kind = if mode == BinaryMode::Bytes { Kind::Bytes } else { Kind::String };
    (Schema::new(kind), Decoder::Binary(mode))
}

pub(super) fn map_bits(modifier: i32) -> (Schema, Decoder) {
    if modifier == 1 {
        return (Schema::new(Kind::Boolean), Decoder::Bit);
    }
    let length = if modifier < 0 { UNLIMITED_BITS } else { modifier };
    (semantic(Kind::Bytes, debezium::BITS).with_parameter("length", length.to_string()), Decoder::Bits)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
pub(super) mod tests;
