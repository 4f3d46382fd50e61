//! Values as JSON text, for what has no CQL type of its own.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Number, Value as Json};
use sluice_core::Value;

use super::ValueError;

/// Writes a value as JSON: structs and maps as objects, bytes as Base64 like Connect's JSON converter, numbers that
/// JSON does not have (NaN, infinity) as text.
pub(super) fn text(value: &Value) -> Result<String, ValueError> {
    Ok(json(value)?.to_string())
}

fn json(value: &Value) -> Result<Json, ValueError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Unavailable => return Err(ValueError::Type { got: value.type_name() }),
        Value::Boolean(truth) => (*truth).into(),
        Value::Int8(number) => (*number).into(),
        Value::Int16(number) => (*number).into(),
        Value::Int32(number) => (*number).into(),
        Value::Int64(number) => (*number).into(),
        Value::Float32(number) => float(f64::from(*number)),
        Value::Float64(number) => float(*number),
        Value::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
        Value::String(text) => text.to_string().into(),
        Value::Array(values) => Json::Array(values.iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(pairs) => {
            let pair = |(key, value): &(Value, Value)| Ok((key_text(key)?, json(value)?));
            Json::Object(pairs.iter().map(pair).collect::<Result<Map<_, _>, _>>()?)
        }
        Value::Struct(fields) => {
            let names = fields.schema().fields().iter().map(|field| field.name.to_string());
            let pairs = names.zip(fields.values()).map(|(name, value)| Ok((name, json(value)?)));
            Json::Object(pairs.collect::<Result<Map<_, _>, _>>()?)
        }
    })
}

fn float(number: f64) -> Json {
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Json::Number)
}

fn key_text(key: &Value) -> Result<String, ValueError> {
    match json(key)? {
        Json::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}
