//! From a type to its schema and decoder. Source: Debezium's type tables and recordings of it.

use std::sync::Arc;

use bytes::Bytes;
use sluice_core::schema::{Field, Kind, Schema, connect, debezium};
use sluice_core::value::{Struct, Value};

use super::decoder::{Decoder, MoneyForm};
use super::temporal::Unit;
use super::{Modes, ResolvedType};
use crate::config::{BinaryMode, DecimalMode, IntervalMode, TimeMode};

/// Decimals of `money`, whatever the server's locale: Debezium's `money.fraction.digits`.
pub(super) const MONEY_SCALE: i32 = 2;
/// Debezium's `length` of a bit string without limit.
const UNLIMITED_BITS: i32 = i32::MAX;
/// Bytes that Postgres adds to a length in a type modifier.
const MODIFIER_HEADER: i32 = 4;

/// What a type becomes.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// Schema, required and without default.
    pub(crate) schema: Schema,
    /// Reads the binary form.
    pub(crate) decoder: Decoder,
}

/// Maps a type; `None` for one that has no mapping.
pub(crate) fn map(type_: &ResolvedType, modes: Modes) -> Option<Mapping> {
    if let Some(element) = &type_.element {
        return map_array(element, modes);
    }
    if let Some(labels) = &type_.labels {
        let schema = semantic(Kind::String, debezium::ENUM).with_parameter("allowed", labels.join(","));
        return Some(Mapping { schema, decoder: Decoder::Text });
    }
    let modifier = type_.modifier;
    let (schema, decoder) = match type_.name.as_str() {
        "bool" => (Schema::new(Kind::Boolean), Decoder::Boolean),
        "int2" => (Schema::new(Kind::Int16), Decoder::Int16),
        "int4" => (Schema::new(Kind::Int32), Decoder::Int32),
        "int8" => (Schema::new(Kind::Int64), Decoder::Int64),
        "oid" => (Schema::new(Kind::Int64), Decoder::Oid),
        "float4" => (Schema::new(Kind::Float32), Decoder::Float32),
        "float8" => (Schema::new(Kind::Float64), Decoder::Float64),
        "numeric" => map_numeric(modifier, modes.decimal),
        "money" => map_money(modes.decimal),
        "text" | "varchar" | "bpchar" | "name" | "citext" => (Schema::new(Kind::String), Decoder::Text),
        "char" => (Schema::new(Kind::String), Decoder::Character),
        "json" => (semantic(Kind::String, debezium::JSON), Decoder::Text),
        "jsonb" => (semantic(Kind::String, debezium::JSON), Decoder::Jsonb),
        "xml" => (semantic(Kind::String, debezium::XML), Decoder::Text),
        "uuid" => (semantic(Kind::String, debezium::UUID), Decoder::Uuid),
        "inet" | "cidr" => (Schema::new(Kind::String), Decoder::Address),
        "macaddr" | "macaddr8" => (Schema::new(Kind::String), Decoder::Mac),
        "bytea" => map_bytes(modes.binary),
        "bit" | "varbit" => map_bits(modifier),
        "interval" => match modes.interval {
            IntervalMode::Numeric => {
                (semantic(Kind::Int64, debezium::MICRO_DURATION), Decoder::IntervalMicros)
            }
            IntervalMode::String => (semantic(Kind::String, debezium::INTERVAL), Decoder::IntervalText),
        },
        name => map_time(name, modifier, modes.time)?,
    };
    Some(Mapping { schema, decoder })
}

fn semantic(kind: Kind, name: &'static str) -> Schema {
    Schema::new(kind).named(name).versioned(1)
}

fn map_array(element: &ResolvedType, modes: Modes) -> Option<Mapping> {
    if element.element.is_some() {
        return None;
    }
    let mapping = map(element, modes)?;
    // Debezium's enum elements are required, all others optional.
    let nullable = element.labels.is_none();
    let schema = if nullable { mapping.schema.optional() } else { mapping.schema };
    Some(Mapping {
        schema: Schema::new(Kind::Array(schema.shared())),
        decoder: Decoder::Array { element: Box::new(mapping.decoder), nullable },
    })
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

fn decimal(scale: i32) -> Schema {
    semantic(Kind::Bytes, connect::DECIMAL).with_parameter("scale", scale.to_string())
}

fn variable_scale_decimal() -> Schema {
    let fields =
        vec![Field::new("scale", Schema::new(Kind::Int32)), Field::new("value", Schema::new(Kind::Bytes))];
    Schema::record(debezium::VARIABLE_SCALE_DECIMAL, fields)
        .versioned(1)
        .documented("Variable scaled decimal")
}

fn map_money(mode: DecimalMode) -> (Schema, Decoder) {
    match mode {
        DecimalMode::Precise => (decimal(MONEY_SCALE), Decoder::Money(MoneyForm::Decimal)),
        DecimalMode::Double => (Schema::new(Kind::Float64), Decoder::Money(MoneyForm::Double)),
        DecimalMode::String => (Schema::new(Kind::String), Decoder::Money(MoneyForm::Text)),
    }
}

fn map_bytes(mode: BinaryMode) -> (Schema, Decoder) {
    match mode {
        BinaryMode::Bytes => (Schema::new(Kind::Bytes), Decoder::Bytes),
        BinaryMode::Base64 => (Schema::new(Kind::String), Decoder::Base64 { url_safe: false }),
        BinaryMode::Base64UrlSafe => (Schema::new(Kind::String), Decoder::Base64 { url_safe: true }),
        BinaryMode::Hex => (Schema::new(Kind::String), Decoder::Hex),
    }
}

fn map_bits(modifier: i32) -> (Schema, Decoder) {
    if modifier == 1 {
        return (Schema::new(Kind::Boolean), Decoder::Bit);
    }
    let length = if modifier < 0 { UNLIMITED_BITS } else { modifier };
    (semantic(Kind::Bytes, debezium::BITS).with_parameter("length", length.to_string()), Decoder::Bits)
}

fn map_time(name: &str, modifier: i32, mode: TimeMode) -> Option<(Schema, Decoder)> {
    /// Decimals of a time without modifier.
    const FULL_PRECISION: i32 = 6;

    let digits = if modifier < 0 { FULL_PRECISION } else { modifier };
    let coarse = digits <= 3;
    Some(match (name, mode) {
        ("date", TimeMode::Connect) => (semantic(Kind::Int32, connect::DATE), Decoder::Date),
        ("date", _) => (semantic(Kind::Int32, debezium::DATE), Decoder::Date),
        ("time", TimeMode::Connect) => (semantic(Kind::Int32, connect::TIME), Decoder::Time(Unit::Millis)),
        ("time", TimeMode::Adaptive) if coarse => {
            (semantic(Kind::Int32, debezium::TIME), Decoder::Time(Unit::Millis))
        }
        ("time", _) => (semantic(Kind::Int64, debezium::MICRO_TIME), Decoder::Time(Unit::Micros)),
        ("timestamp", TimeMode::Connect) => {
            (semantic(Kind::Int64, connect::TIMESTAMP), Decoder::Timestamp(Unit::Millis))
        }
        ("timestamp", _) if coarse => {
            (semantic(Kind::Int64, debezium::TIMESTAMP), Decoder::Timestamp(Unit::Millis))
        }
        ("timestamp", _) => {
            (semantic(Kind::Int64, debezium::MICRO_TIMESTAMP), Decoder::Timestamp(Unit::Micros))
        }
        ("timestamptz", _) => {
            let digits = u8::try_from(digits).unwrap_or(6);
            (semantic(Kind::String, debezium::ZONED_TIMESTAMP), Decoder::TimestampTz { digits })
        }
        ("timetz", _) => (semantic(Kind::String, debezium::ZONED_TIME), Decoder::TimeTz),
        _ => return None,
    })
}

/// The value that Debezium invents for a column: the default of a function, or what an old tuple
/// lacks for a required column. `None` where there is none (arrays).
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
            Struct::new(Arc::new(schema.clone()), values).into()
        }
        (Kind::Struct(_), _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: Modes = Modes {
        decimal: DecimalMode::Precise,
        time: TimeMode::Adaptive,
        binary: BinaryMode::Bytes,
        interval: IntervalMode::Numeric,
    };

    fn type_(name: &str, modifier: i32) -> ResolvedType {
        ResolvedType { name: name.to_owned(), modifier, labels: None, element: None }
    }

    #[test]
    fn numeric_modifier_gives_precision_and_scale() {
        let parameters = |precision: i32, scale: i32| {
            let modifier = (precision << 16 | scale & 0x7FF) + 4;
            map(&type_("numeric", modifier), MODES).unwrap().schema.parameters
        };
        let expected = |scale: &str, precision: &str| {
            vec![("scale".into(), scale.into()), ("connect.decimal.precision".into(), precision.into())]
        };

        assert_eq!(parameters(12, 2), expected("2", "12"));
        assert_eq!(parameters(38, 0), expected("0", "38"));
        assert_eq!(parameters(3, -2), expected("0", "5"));
    }

    #[test]
    fn times_follow_their_precision() {
        let name = |type_name, modifier, time| {
            map(&type_(type_name, modifier), Modes { time, ..MODES }).unwrap().schema.name.unwrap()
        };

        assert_eq!(&*name("timestamp", 3, TimeMode::Adaptive), debezium::TIMESTAMP);
        assert_eq!(&*name("timestamp", -1, TimeMode::Adaptive), debezium::MICRO_TIMESTAMP);
        assert_eq!(&*name("time", 0, TimeMode::Adaptive), debezium::TIME);
        assert_eq!(&*name("time", 0, TimeMode::AdaptiveTimeMicroseconds), debezium::MICRO_TIME);
        assert_eq!(&*name("timestamp", 6, TimeMode::Connect), connect::TIMESTAMP);
    }

    #[test]
    fn unknown_types_have_no_mapping() {
        assert!(map(&type_("pg_lsn", -1), MODES).is_none());
        let nested = ResolvedType { element: Some(Box::new(type_("tsquery", -1))), ..type_("_tsquery", -1) };
        assert!(map(&nested, MODES).is_none());
    }
}
