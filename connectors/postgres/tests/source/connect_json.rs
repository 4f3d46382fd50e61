//! Values and schemas as Kafka's JSON converter writes them, to compare with recordings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

/// Writes a value.
pub(crate) fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Float32(value) => value.to_string().parse().map_or(Json::Null, float_json),
        Value::Float64(value) => float_json(*value),
        Value::String(text) => json!(&**text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Array(values) => values.iter().map(value_json).collect(),
        Value::Map(pairs) => {
            let key = |key: &Value| key.as_str().map_or_else(|| value_json(key).to_string(), str::to_owned);
            pairs.iter().map(|(name, value)| (key(name), value_json(value))).collect()
        }
        Value::Struct(value) => {
            let fields = value.schema().fields().iter().zip(value.values());
            fields.map(|(field, value)| (field.name.to_string(), value_json(value))).collect()
        }
        number => json!(number.as_i64().expect("all others are integers")),
    }
}

fn float_json(number: f64) -> Json {
    match number {
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ if number.is_nan() => json!("NaN"),
        // The reader of the recordings may miss a number's last bit; this is what it makes of this one.
        _ => serde_json::from_str(&json!(number).to_string()).expect("a number"),
    }
}

/// Writes a schema without its default.
pub(crate) fn schema_json(schema: &Schema, field: Option<&str>) -> Json {
    let mut json = json!({ "type": schema.kind.name(), "optional": schema.optional });
    match &schema.kind {
        Kind::Struct(fields) => {
            json["fields"] =
                fields.iter().map(|field| schema_json(&field.schema, Some(&field.name))).collect();
        }
        Kind::Array(items) => json["items"] = schema_json(items, None),
        Kind::Map { key, value } => {
            json["keys"] = schema_json(key, None);
            json["values"] = schema_json(value, None);
        }
        Kind::Float32 => json["type"] = "float".into(),
        Kind::Float64 => json["type"] = "double".into(),
        _ => {}
    }
    for (name, text) in [("name", &schema.name), ("doc", &schema.doc), ("field", &field.map(Into::into))] {
        if let Some(text) = text {
            json[name] = (**text).into();
        }
    }
    if let Some(version) = schema.version {
        json["version"] = version.into();
    }
    for (key, value) in &schema.parameters {
        json["parameters"][&**key] = (**value).into();
    }
    json
}
