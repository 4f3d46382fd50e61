//! Default values between Connect and the JSON that Avro schemas hold.

use bytes::Bytes;
use serde_json::Value as Json;
use sluice_core::{
    schema::{Kind, Schema, SchemaRef},
    value::{Struct, Value},
};

use super::{
    error::AvroError,
    format::AvroFormat,
    text::{push_double, push_float, push_key, push_latin1, push_string},
};

/// Appends a default as JSON: bytes as ISO 8859-1 text, the rest as its natural form.
pub(super) fn push(
    out: &mut String,
    schema: &Schema,
    value: &Value,
    format: &AvroFormat,
) -> Result<(), AvroError> {
    match (&schema.kind, value) {
        (_, Value::Null) => out.push_str("null"),
        (Kind::Boolean, Value::Boolean(value)) => out.push_str(if *value { "true" } else { "false" }),
        (Kind::Float32, Value::Float32(value)) => push_float(out, *value),
        (Kind::Float64, Value::Float64(value)) => push_double(out, *value),
        (Kind::String, Value::String(value)) => push_string(out, value),
        (Kind::Bytes, Value::Bytes(value)) => push_latin1(out, value),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, value) if value.fits(schema) => {
            out.push_str(&value.as_i64().unwrap_or_default().to_string());
        }
        (Kind::Array(items), Value::Array(values)) => {
            list(out, values, |out, value| push(out, items, value, format))?;
        }
        (Kind::Map { key, value: of }, Value::Map(pairs)) => push_map(out, key, of, pairs, format)?,
        (Kind::Struct(fields), Value::Struct(value)) if fields.len() == value.values().len() => {
            out.push('{');
            for (field, value) in fields.iter().zip(value.values()) {
                push_key(out, &format.name(&field.name));
                push(out, &field.schema, value, format)?;
            }
            out.push('}');
        }
        (kind, value) => {
            let problem = format!("the default of type {} is {}", kind.name(), value.type_name());
            return Err(AvroError::not_representable("", problem));
        }
    }
    Ok(())
}

/// An object where Avro has a map, else a list of pairs.
fn push_map(
    out: &mut String,
    key: &Schema,
    value: &Schema,
    pairs: &[(Value, Value)],
    format: &AvroFormat,
) -> Result<(), AvroError> {
    if format.is_avro_map(key) {
        out.push('{');
        for (name, member) in pairs {
            push_key(out, name.as_str().unwrap_or_default());
            push(out, value, member, format)?;
        }
        out.push('}');
        return Ok(());
    }
    list(out, pairs, |out, (name, member)| {
        out.push('[');
        push(out, key, name, format)?;
        out.push(',');
        push(out, value, member, format)?;
        out.push(']');
        Ok(())
    })
}

fn list<T>(
    out: &mut String,
    items: &[T],
    mut each: impl FnMut(&mut String, &T) -> Result<(), AvroError>,
) -> Result<(), AvroError> {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        each(out, item)?;
    }
    out.push(']');
    Ok(())
}

/// Reads a default; `None` when it is null or does not fit, in which case the converter drops it.
pub(super) fn read(schema: &Schema, json: &Json) -> Option<Value> {
    match &schema.kind {
        Kind::Boolean => json.as_bool().map(Value::Boolean),
        Kind::Int8 => json.as_i64()?.try_into().ok().map(Value::Int8),
        Kind::Int16 => json.as_i64()?.try_into().ok().map(Value::Int16),
        Kind::Int32 => json.as_i64()?.try_into().ok().map(Value::Int32),
        Kind::Int64 => json.as_i64().map(Value::Int64),
        Kind::Float32 => number(json).map(|value| Value::Float32(value as f32)),
        Kind::Float64 => number(json).map(Value::Float64),
        Kind::String => json.as_str().map(Value::from),
        Kind::Bytes => {
            let bytes: Option<Vec<u8>> =
                json.as_str()?.chars().map(|character| u32::from(character).try_into().ok()).collect();
            Some(Value::Bytes(Bytes::from(bytes?)))
        }
        Kind::Array(items) => {
            json.as_array()?.iter().map(|item| nullable(items, item)).collect::<Option<_>>().map(Value::Array)
        }
        Kind::Map { key, value } => read_map(key, value, json),
        Kind::Struct(fields) => {
            let values = fields.iter().map(|field| nullable(&field.schema, json.get(&*field.name)?));
            Some(Struct::new(SchemaRef::new(schema.clone()), values.collect::<Option<_>>()?).into())
        }
    }
}

fn number(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| match json.as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    })
}

fn nullable(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() { schema.optional.then_some(Value::Null) } else { read(schema, json) }
}

fn read_map(key: &Schema, value: &Schema, json: &Json) -> Option<Value> {
    let pairs: Option<_> = match json {
        Json::Object(members) => members
            .iter()
            .map(|(name, member)| Some((Value::from(name.as_str()), nullable(value, member)?)))
            .collect(),
        Json::Array(entries) => entries
            .iter()
            .map(|entry| Some((nullable(key, entry.get(0)?)?, nullable(value, entry.get(1)?)?)))
            .collect(),
        _ => None,
    };
    pairs.map(Value::Map)
}
