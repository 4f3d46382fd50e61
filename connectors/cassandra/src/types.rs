//! Values to CQL bytes.
//!
//! Hot path. An [`Encoder`] is compiled once from a Connect schema and the column's real type; whatever
//! does not fit is found then. What is left to refuse per value is checked here and not left to the server,
//! which accepts nulls inside frozen lists, decimals without digits and times past the end of the day, and
//! lets readers fail on them.

mod compile;
mod json;
mod numbers;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use scylla::serialize::writers::{CellValueBuilder, CellWriter, WrittenCellProof};
use sluice_core::Value;

use crate::temporal;
use numbers::{minimal, strip_zeros};

/// First nanosecond past the end of a day, which CQL's `time` must not reach.
const DAY_NANOS: i64 = 86_400_000_000_000;
/// Days since 1970-01-01 of the first date that Postgres has, 4714-11-24 BC.
const FIRST_DAY: i32 = -2_440_588;
/// Days since 1970-01-01 past the last date that Postgres has, 5874897-12-31.
const PAST_LAST_DAY: i32 = 2_145_042_907;
/// What the JDBC driver, and so Debezium, makes of timestamps `infinity` and `-infinity`, in µs; in ms it is
/// this or a thousandth of it, by version.
const INFINITY: [i64; 2] = [9_223_372_036_825_200_000, -9_223_372_036_832_400_000];

/// How the values of one column become bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Encoder {
    Boolean,
    /// Any integer as one of 1, 2, 4 or 8 bytes; wide enough by construction.
    Integer(u8),
    Varint,
    Float,
    Double,
    Text,
    Ascii,
    Json,
    Uuid,
    Inet,
    Blob,
    /// `canonical` strips zeros, so that equal numbers are equal keys.
    Decimal {
        scale: i32,
        canonical: bool,
    },
    /// A struct with scale and unscaled bytes at the given places.
    VariableDecimal {
        scale: usize,
        unscaled: usize,
        canonical: bool,
    },
    Date,
    /// Nanoseconds in one unit.
    Time(i64),
    /// Value divided by this is milliseconds.
    Timestamp {
        per_milli: i64,
    },
    ZonedTimestamp,
    ZonedMicros,
    MicroDuration,
    Interval,
    /// Elements of a list or a set.
    List(Box<Encoder>),
    Map(Box<Encoder>, Box<Encoder>),
    /// Floats of exactly so many dimensions.
    Vector(u16),
}

/// A value that its column cannot hold. Never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A value of another type than the schema says.
    #[error("schema and value differ: the value is {got}")]
    Type {
        /// Connect's name of the value's type.
        got: &'static str,
    },
    /// Infinity where the column has none.
    #[error("the value is infinite")]
    Infinity,
    /// Outside the range of the type.
    #[error("the value is outside the range of {range}")]
    Range {
        /// The range.
        range: &'static str,
    },
    /// Text that is not of the form that the type needs.
    #[error("the text is not {expected}")]
    Form {
        /// The form.
        expected: &'static str,
    },
    /// A null inside a collection.
    #[error("the collection contains a null")]
    NullElement,
    /// A vector of another length.
    #[error("the vector has {got} dimensions instead of {expected}")]
    Dimensions {
        /// Dimensions of the column.
        expected: u16,
        /// Dimensions of the value.
        got: usize,
    },
    /// A null in a key column.
    #[error("a key column is null")]
    NullKey,
    /// A key column whose value the source did not send.
    #[error("the value of a key column was not sent")]
    UnavailableKey,
    /// A value of a new row that the source did not send.
    #[error("a value of a row with a new key was not sent")]
    Unavailable,
    /// More than a request can carry.
    #[error("with this value the row is too large for one request")]
    Size,
}

impl ValueError {
    /// Returns the stable code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Type { .. } => "cassandra.value_type",
            Self::Infinity => "cassandra.infinity",
            Self::Range { .. } => "cassandra.value_range",
            Self::Form { .. } => "cassandra.value_form",
            Self::NullElement => "cassandra.null_in_collection",
            Self::Dimensions { .. } => "cassandra.vector_dimensions",
            Self::NullKey => "cassandra.null_key",
            Self::UnavailableKey => "cassandra.unavailable_key",
            Self::Unavailable => "cassandra.unavailable_value",
            Self::Size => "cassandra.value_size",
        }
    }

    /// Returns what to do next.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Type { .. } => "a transform changed values without their schema",
            Self::Infinity => "Cassandra has no infinite dates and numbers: map the column to text or bigint",
            Self::Range { .. } | Self::Form { .. } => "map the column to text to keep such values",
            Self::NullElement => {
                "Cassandra has no nulls in collections: map the column to text to keep it as JSON"
            }
            Self::Dimensions { .. } => "a vector column holds vectors of one length only",
            Self::NullKey => {
                "rows without a key cannot be written; map another column or filter such records"
            }
            Self::UnavailableKey => "set REPLICA IDENTITY FULL on the source table",
            Self::Unavailable => {
                "Postgres does not send a large value that an update of the key left as it was: set REPLICA IDENTITY \
                 FULL on the source table, and update this row once more"
            }
            Self::Size => "by default Cassandra takes 16 MiB in one request: see `max.request.bytes`",
        }
    }
}

type Cell<'a> = Result<WrittenCellProof<'a>, ValueError>;

impl Encoder {
    /// Writes a value that is neither null nor unavailable.
    pub(crate) fn encode<'a>(&self, value: &Value, cell: CellWriter<'a>) -> Cell<'a> {
        match (self, value) {
            (Self::Text, Value::String(text)) => set(cell, text.as_bytes()),
            (Self::Uuid, Value::String(text)) => set(cell, uuid(text)?.as_bytes()),
            (Self::Integer(width), _) => integer(*width, whole(value)?, cell),
            (Self::ZonedTimestamp, Value::String(text)) => {
                // A thousandth of a number that year 999,999 bounds fits into 64 bits.
                set(cell, &(zoned(text)?.div_euclid(1000) as i64).to_be_bytes())
            }
            (Self::Decimal { scale, canonical }, Value::Bytes(unscaled)) => {
                decimal(*scale, unscaled, *canonical, cell)
            }
            (Self::Boolean, Value::Boolean(truth)) => set(cell, &[u8::from(*truth)]),
            (Self::Float, _) => set(cell, &float(value)?.to_be_bytes()),
            (Self::Double, Value::Float64(number)) => set(cell, &number.to_be_bytes()),
            (Self::Double, Value::Float32(number)) => set(cell, &f64::from(*number).to_be_bytes()),
            (Self::Blob, Value::Bytes(bytes)) => set(cell, bytes),
            (Self::Date, _) => set(cell, &date(whole(value)?)?.to_be_bytes()),
            (Self::Time(unit), _) => set(cell, &time(whole(value)?, *unit)?.to_be_bytes()),
            (Self::Timestamp { per_milli }, _) => {
                let value = whole(value)?;
                if *per_milli == 1 && INFINITY.map(|infinity| infinity / 1000).contains(&value) {
                    return Err(ValueError::Infinity);
                }
                set(cell, &finite(value)?.div_euclid(*per_milli).to_be_bytes())
            }
            (Self::ZonedMicros, Value::String(text)) => set(cell, &zoned_micros(text)?.to_be_bytes()),
            (Self::Ascii, Value::String(text)) if text.is_ascii() => set(cell, text.as_bytes()),
            (Self::Ascii, Value::String(_)) => Err(ValueError::Form { expected: "ASCII" }),
            (Self::Inet, Value::String(text)) => inet(text, cell),
            (Self::Varint, _) => set(cell, minimal(&whole(value)?.to_be_bytes())),
            (Self::VariableDecimal { .. }, Value::Struct(_)) => self.variable_decimal(value, cell),
            (Self::MicroDuration, _) => micro_duration(whole(value)?, cell),
            (Self::Interval, Value::String(text)) => {
                let form = ValueError::Form { expected: "an ISO 8601 duration" };
                duration(temporal::interval(text).ok_or(form)?, cell)
            }
            (Self::List(_) | Self::Vector(_), Value::Array(elements)) => self.elements(elements, cell),
            (Self::Map(key, value), Value::Map(pairs)) => map(key, value, pairs, cell),
            (Self::Json, _) => set(cell, json::text(value)?.as_bytes()),
            _ => Err(mismatch(value)),
        }
    }

    fn variable_decimal<'a>(&self, value: &Value, cell: CellWriter<'a>) -> Cell<'a> {
        let (Self::VariableDecimal { scale, unscaled, canonical }, Value::Struct(number)) = (self, value)
        else {
            return Err(mismatch(value));
        };
        match (number.values().get(*scale), number.values().get(*unscaled)) {
            (Some(Value::Int32(scale)), Some(Value::Bytes(unscaled))) => {
                decimal(*scale, unscaled, *canonical, cell)
            }
            _ => Err(mismatch(value)),
        }
    }

    fn elements<'a>(&self, elements: &[Value], cell: CellWriter<'a>) -> Cell<'a> {
        let mut builder = cell.into_value_builder();
        match self {
            Self::List(element) => {
                append_count(&mut builder, elements.len())?;
                for value in elements {
                    element.encode(present(value)?, builder.make_sub_writer())?;
                }
            }
            Self::Vector(dimensions) => {
                if elements.len() != usize::from(*dimensions) {
                    return Err(ValueError::Dimensions { expected: *dimensions, got: elements.len() });
                }
                for value in elements {
                    builder.append_bytes(&float(present(value)?)?.to_be_bytes());
                }
            }
            _ => return Err(ValueError::Type { got: "array" }),
        }
        builder.finish().map_err(|_| ValueError::Size)
    }
}

fn set<'a>(cell: CellWriter<'a>, bytes: &[u8]) -> Cell<'a> {
    cell.set_value(bytes).map_err(|_| ValueError::Size)
}

fn mismatch(value: &Value) -> ValueError {
    ValueError::Type { got: value.type_name() }
}

fn present(value: &Value) -> Result<&Value, ValueError> {
    match value {
        Value::Null | Value::Unavailable => Err(ValueError::NullElement),
        value => Ok(value),
    }
}

fn whole(value: &Value) -> Result<i64, ValueError> {
    value.as_i64().ok_or_else(|| mismatch(value))
}

fn integer(width: u8, value: i64, cell: CellWriter<'_>) -> Cell<'_> {
    let bytes = value.to_be_bytes();
    let start = 8 - usize::from(width);
    let sign = if value < 0 { 0xff } else { 0 };
    let fits = bytes[..start].iter().all(|&one| one == sign) && (start == 0 || (bytes[start] ^ sign) < 0x80);
    // The schema promised that it fits; a value that does not was changed without its schema.
    if fits {
        set(cell, &bytes[start..])
    } else {
        Err(ValueError::Range { range: "the column's integer type" })
    }
}

fn float(value: &Value) -> Result<f32, ValueError> {
    match value {
        Value::Float32(number) => Ok(*number),
        // Debezium widens pgvector's single floats; the way back is exact.
        Value::Float64(number) => Ok(*number as f32),
        _ => Err(mismatch(value)),
    }
}

fn uuid(text: &str) -> Result<uuid::Uuid, ValueError> {
    uuid::Uuid::try_parse(text).map_err(|_| ValueError::Form { expected: "a UUID" })
}

fn date(days: i64) -> Result<u32, ValueError> {
    let days = i32::try_from(days).map_err(|_| ValueError::Range { range: "dates" })?;
    // Infinity arrives as one of several numbers, none of which is a date that Postgres has.
    if !(FIRST_DAY..PAST_LAST_DAY).contains(&days) {
        return Err(ValueError::Infinity);
    }
    Ok((days as u32) ^ 0x8000_0000)
}

fn time(value: i64, unit: i64) -> Result<i64, ValueError> {
    let range = ValueError::Range { range: "times from 00:00 to 23:59:59.999999999" };
    let nanos = value.checked_mul(unit).ok_or(range)?;
    if (0..DAY_NANOS).contains(&nanos) { Ok(nanos) } else { Err(range) }
}

fn finite(value: i64) -> Result<i64, ValueError> {
    if INFINITY.contains(&value) || matches!(value, i64::MAX | i64::MIN) {
        return Err(ValueError::Infinity);
    }
    Ok(value)
}

fn zoned(text: &str) -> Result<i128, ValueError> {
    temporal::zoned_micros(text).ok_or_else(|| match text.trim_start_matches('-') {
        "infinity" => ValueError::Infinity,
        _ => ValueError::Form { expected: "an ISO 8601 timestamp with zone" },
    })
}

fn zoned_micros(text: &str) -> Result<i64, ValueError> {
    i64::try_from(zoned(text)?).map_err(|_| ValueError::Range { range: "64 bits of microseconds" })
}

fn inet<'a>(text: &str, cell: CellWriter<'a>) -> Cell<'a> {
    let form = ValueError::Form { expected: "one IP address without network mask" };
    let (address, mask) = text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
    let address: IpAddr = address.parse().map_err(|_| form)?;
    match (address, mask) {
        (IpAddr::V4(address), None | Some("32")) => set(cell, &address.octets()),
        (IpAddr::V6(address), None | Some("128")) => set(cell, &address.octets()),
        _ => Err(form),
    }
}

/// CQL's decimal: a scale of 4 bytes, then the same big-endian two's complement that Connect carries.
fn decimal<'a>(scale: i32, unscaled: &[u8], canonical: bool, cell: CellWriter<'a>) -> Cell<'a> {
    if unscaled.is_empty() {
        return Err(ValueError::Form { expected: "a number: it has no digits" });
    }
    let mut builder = cell.into_value_builder();
    if canonical {
        let (scale, unscaled) = strip_zeros(scale, minimal(unscaled));
        builder.append_bytes(&scale.to_be_bytes());
        builder.append_bytes(minimal(&unscaled));
    } else {
        builder.append_bytes(&scale.to_be_bytes());
        builder.append_bytes(unscaled);
    }
    builder.finish().map_err(|_| ValueError::Size)
}

fn micro_duration(micros: i64, cell: CellWriter<'_>) -> Cell<'_> {
    let nanos = micros.checked_mul(1000).ok_or(ValueError::Range { range: "292 years" })?;
    duration(temporal::Interval { nanos, ..temporal::Interval::default() }, cell)
}

/// CQL's duration: months, days and nanoseconds as variable-length integers of one sign.
fn duration(interval: temporal::Interval, cell: CellWriter<'_>) -> Cell<'_> {
    let parts = [i64::from(interval.months), i64::from(interval.days), interval.nanos];
    if parts.iter().any(|&part| part > 0) && parts.iter().any(|&part| part < 0) {
        return Err(ValueError::Form { expected: "an interval whose parts have one sign" });
    }
    let mut builder = cell.into_value_builder();
    for part in parts {
        append_vint(&mut builder, part);
    }
    builder.finish().map_err(|_| ValueError::Size)
}

/// Cassandra's zigzag vint: the first byte's leading ones count the bytes that follow.
fn append_vint(builder: &mut CellValueBuilder<'_>, value: i64) {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    let bits = 64 - (zigzag | 1).leading_zeros() as usize;
    let extra = ((bits - 1) / 7).min(8);
    let mut bytes = [0; 9];
    bytes[1..].copy_from_slice(&zigzag.to_be_bytes());
    let start = 8 - extra;
    bytes[start] |= !(0xff_u16 >> extra) as u8;
    builder.append_bytes(&bytes[start..]);
}

fn append_count(builder: &mut CellValueBuilder<'_>, count: usize) -> Result<(), ValueError> {
    builder.append_bytes(&i32::try_from(count).map_err(|_| ValueError::Size)?.to_be_bytes());
    Ok(())
}

fn map<'a>(key: &Encoder, value: &Encoder, pairs: &[(Value, Value)], cell: CellWriter<'a>) -> Cell<'a> {
    let mut builder = cell.into_value_builder();
    append_count(&mut builder, pairs.len())?;
    for (one, other) in pairs {
        key.encode(present(one)?, builder.make_sub_writer())?;
        value.encode(present(other)?, builder.make_sub_writer())?;
    }
    builder.finish().map_err(|_| ValueError::Size)
}
