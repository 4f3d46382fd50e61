//! Header values as text, by the rules of Connect's `SimpleHeaderConverter`: its class `Values` in a JVM whose time zone
//! is UTC.
//!
//! Hot path.

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sluice_core::{
    Schema, Value,
    calendar::civil_from_days,
    record::Datum,
    schema::{Kind, connect},
    value::Struct,
};

use crate::avro::text::{push_double, push_float};
use crate::json::decimal;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Appends what a header's value looks like on the wire; false for null.
pub(crate) fn encode(datum: &Datum, out: &mut Vec<u8>) -> bool {
    let schema = datum.schema.as_deref();
    match &datum.value {
        Value::Null | Value::Unavailable => return false,
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) if !is_decimal(schema) => base64(bytes, out),
        value => write(schema, value, out),
    }
    true
}

/// Writes what stands inside lists and structs, where text is quoted.
fn write(schema: Option<&Schema>, value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Unavailable => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int8(value) => integer((*value).into(), out),
        Value::Int16(value) => integer((*value).into(), out),
        Value::Int32(value) => match millis(schema, (*value).into()) {
            Some(millis) => time(millis, out),
            None => integer((*value).into(), out),
        },
        Value::Int64(value) => match millis(schema, *value) {
            Some(millis) => time(millis, out),
            None => integer(*value, out),
        },
        Value::Float32(value) => float(out, |text| push_float(text, *value)),
        Value::Float64(value) => float(out, |text| push_double(text, *value)),
        Value::Bytes(bytes) if is_decimal(schema) => {
            let scale = schema.and_then(|schema| schema.parameter("scale")?.parse().ok()).unwrap_or_default();
            out.extend_from_slice(decimal::to_text(bytes, scale).as_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(b'"');
            base64(bytes, out);
            out.push(b'"');
        }
        Value::String(text) => quoted(text, out),
        Value::Array(values) => {
            let items = schema.and_then(|schema| match &schema.kind {
                Kind::Array(items) => Some(&**items),
                _ => None,
            });
            list(b'[', values.iter(), out, |value, out| write(items, value, out));
            out.push(b']');
        }
        Value::Map(pairs) => {
            list(b'{', pairs.iter(), out, |(key, value), out| pair(key, value, out));
            out.push(b'}');
        }
        Value::Struct(value) => structure(value, out),
    }
}

fn is_decimal(schema: Option<&Schema>) -> bool {
    schema.is_some_and(|schema| schema.is_named(connect::DECIMAL))
}

/// The milliseconds of a value that is a `java.util.Date` in Connect.
fn millis(schema: Option<&Schema>, value: i64) -> Option<i64> {
    let schema = schema?;
    if schema.is_named(connect::DATE) {
        return Some(value.saturating_mul(MILLIS_PER_DAY));
    }
    (schema.is_named(connect::TIME) || schema.is_named(connect::TIMESTAMP)).then_some(value)
}

/// Writes a time of day up to the end of 1970-01-01, then a date if it is one, else both.
fn time(millis: i64, out: &mut Vec<u8>) {
    let (days, of_day) = (millis.div_euclid(MILLIS_PER_DAY), millis.rem_euclid(MILLIS_PER_DAY));
    if millis >= MILLIS_PER_DAY {
        let (year, month, day) = civil_from_days(days);
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
        if of_day == 0 {
            return;
        }
        out.push(b'T');
    }
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
}

/// Java prints what is no number without quotes here.
fn float(out: &mut Vec<u8>, push: impl Fn(&mut String)) {
    let mut text = String::new();
    push(&mut text);
    out.extend_from_slice(text.trim_matches('"').as_bytes());
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), true).unwrap_or_default();
    out.resize(start + length, 0);
    let _ = BASE64_STANDARD.encode_slice(bytes, &mut out[start..]);
}

fn structure(value: &Struct, out: &mut Vec<u8>) {
    let fields = value.schema().fields().iter().zip(value.values());
    list(b'{', fields, out, |(field, value), out| {
        quoted(&field.name, out);
        out.push(b':');
        write(Some(&field.schema), value, out);
    });
    out.push(b'}');
}

fn pair(key: &Value, value: &Value, out: &mut Vec<u8>) {
    write(None, key, out);
    out.push(b':');
    write(None, value, out);
}

fn list<T>(open: u8, items: impl Iterator<Item = T>, out: &mut Vec<u8>, each: impl Fn(T, &mut Vec<u8>)) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out);
    }
}

fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use sluice_core::schema::Field;

    use super::*;

    fn text(value: impl Into<Value>) -> String {
        let mut out = Vec::new();
        assert!(encode(&Datum::schemaless(value.into()), &mut out));
        String::from_utf8(out).unwrap()
    }

    /// A struct of one field as text.
    fn key(schema: Schema, value: Value) -> String {
        let schema = Schema::record("k", vec![Field::new("id", schema)]).shared();
        text(Struct::new(schema, vec![value]))
    }

    #[test]
    fn values_read_as_connects_header_converter_writes_them() {
        let bytes = || Value::Bytes(vec![1, 2, 3].into());

        assert_eq!(text("plain \"text\""), "plain \"text\"");
        assert_eq!(key(Schema::new(Kind::String), "a\"b".into()), r#"{"id":"a\"b"}"#);
        assert_eq!(text(Value::Int32(-7)), "-7");
        assert_eq!(text(Value::Float64(1.0)), "1.0");
        assert_eq!(text(Value::Float64(1e16)), "1.0E16");
        assert_eq!(text(Value::Float64(f64::NAN)), "NaN");
        assert_eq!(text(bytes()), "AQID");
        assert_eq!(key(Schema::new(Kind::Bytes), bytes()), r#"{"id":"AQID"}"#);
        assert_eq!(text(Value::Array(vec![Value::Boolean(true), Value::Null])), "[true,null]");
        assert!(!encode(&Datum::NULL, &mut Vec::new()));
    }

    #[test]
    fn decimals_and_times_of_keys_are_those_that_debezium_wrote() {
        let decimal = Schema::new(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", "2");
        let timestamp = || Schema::new(Kind::Int64).named(connect::TIMESTAMP);
        let date = || Schema::new(Kind::Int32).named(connect::DATE);

        assert_eq!(key(decimal, Value::Bytes(vec![0, 0x97].into())), r#"{"id":1.51}"#);
        assert_eq!(key(timestamp(), Value::Int64(1_704_067_200_124)), r#"{"id":2024-01-01T00:00:00.124Z}"#);
        assert_eq!(key(timestamp(), Value::Int64(-1)), r#"{"id":23:59:59.999Z}"#);
        assert_eq!(key(date(), Value::Int32(19_782)), r#"{"id":2024-02-29}"#);
        assert_eq!(key(date(), Value::Int32(0)), r#"{"id":00:00:00.000Z}"#);
    }
}
