//! Connect schemas as JSON, as they stand under `schema` in a message.

use std::sync::Arc;

use sluice_core::{
    Schema, SchemaRef,
    schema::{Field, Kind},
};

use super::{
    JsonFormat,
    decode::value_of,
    encode::push_value,
    error::JsonError,
    reader::Json,
    text::{push_integer, push_key, push_string, separate},
};

/// Connect's JSON name of a type; floats are called otherwise than elsewhere in Connect.
fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        other => other.name(),
    }
}

/// Appends a schema, with `field` when it is a struct's field.
pub(super) fn push(
    out: &mut Vec<u8>,
    schema: &Schema,
    field: Option<&str>,
    format: &JsonFormat,
) -> Result<(), JsonError> {
    out.push(b'{');
    push_member(out, "type", type_name(&schema.kind));
    match &schema.kind {
        Kind::Array(items) => {
            push_key(out, "items");
            push(out, items, None, format)?;
        }
        Kind::Map { key, value } => {
            push_key(out, "keys");
            push(out, key, None, format)?;
            push_key(out, "values");
            push(out, value, None, format)?;
        }
        Kind::Struct(fields) => {
            push_key(out, "fields");
            out.push(b'[');
            for field in fields {
                separate(out);
                push(out, &field.schema, Some(&field.name), format)
                    .map_err(|error| error.within(&field.name))?;
            }
            out.push(b']');
        }
        _ => {}
    }
    push_annotations(out, schema, format)?;
    if let Some(field) = field {
        push_member(out, "field", field);
    }
    out.push(b'}');
    Ok(())
}

fn push_annotations(out: &mut Vec<u8>, schema: &Schema, format: &JsonFormat) -> Result<(), JsonError> {
    push_key(out, "optional");
    out.extend_from_slice(if schema.optional { b"true" } else { b"false" });
    if let Some(name) = &schema.name {
        push_member(out, "name", name);
    }
    if let Some(version) = schema.version {
        push_key(out, "version");
        push_integer(out, version.into());
    }
    if let Some(doc) = &schema.doc {
        push_member(out, "doc", doc);
    }
    if !schema.parameters.is_empty() {
        push_key(out, "parameters");
        out.push(b'{');
        for (key, value) in &schema.parameters {
            push_member(out, key, value);
        }
        out.push(b'}');
    }
    if let Some(default) = &schema.default {
        push_key(out, "default");
        push_value(out, Some(schema), default, format)?;
    }
    Ok(())
}

fn push_member(out: &mut Vec<u8>, key: &str, value: &str) {
    push_key(out, key);
    push_string(out, value);
}

/// Reads a schema; JSON null is no schema.
pub(super) fn read(json: &Json<'_>) -> Result<Option<SchemaRef>, JsonError> {
    if *json == Json::Null { Ok(None) } else { required(json).map(Some) }
}

fn required(json: &Json<'_>) -> Result<SchemaRef, JsonError> {
    let mut schema = Schema::new(kind(json)?);
    schema.optional = json.member("optional") == Some(&Json::Boolean(true));
    schema.name = text(json, "name")?;
    schema.doc = text(json, "doc")?;
    schema.version = match json.member("version") {
        None | Some(Json::Null) => None,
        Some(Json::Number(number)) => {
            Some(number.parse().map_err(|_| JsonError::schema("`version` is no 32-bit integer"))?)
        }
        Some(_) => return Err(JsonError::schema("`version` is no number")),
    };
    match json.member("parameters") {
        None | Some(Json::Null) => {}
        Some(Json::Object(members)) => {
            for (key, value) in members {
                let value = value.as_text().ok_or_else(|| JsonError::schema("a parameter is no text"))?;
                schema.parameters.push((Arc::from(&**key), Arc::from(&**value)));
            }
        }
        Some(_) => return Err(JsonError::schema("`parameters` is no object")),
    }
    if let Some(default) = json.member("default").filter(|default| **default != Json::Null) {
        let default = value_of(Some(&Arc::new(schema.clone())), default);
        schema.default = Some(default.map_err(|error| JsonError::schema(format!("its default: {error}")))?);
    }
    Ok(schema.shared())
}

fn text(json: &Json<'_>, member: &str) -> Result<Option<Arc<str>>, JsonError> {
    match json.member(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(Arc::from(&**text))),
        Some(_) => Err(JsonError::schema(format!("`{member}` is no text"))),
    }
}

fn kind(json: &Json<'_>) -> Result<Kind, JsonError> {
    let inner = |member: &str| {
        let json = json.member(member).ok_or_else(|| JsonError::schema(format!("it has no `{member}`")))?;
        required(json).map_err(|error| error.within(member))
    };
    let name = json.member("type").and_then(Json::as_text);
    Ok(match name.map(|name| &**name) {
        Some("boolean") => Kind::Boolean,
        Some("int8") => Kind::Int8,
        Some("int16") => Kind::Int16,
        Some("int32") => Kind::Int32,
        Some("int64") => Kind::Int64,
        Some("float") => Kind::Float32,
        Some("double") => Kind::Float64,
        Some("bytes") => Kind::Bytes,
        Some("string") => Kind::String,
        Some("array") => Kind::Array(inner("items")?),
        Some("map") => Kind::Map { key: inner("keys")?, value: inner("values")? },
        Some("struct") => Kind::Struct(fields(json)?),
        Some(other) => {
            let problem = format!(
                "unknown type `{other}`; known: boolean, int8, int16, int32, int64, float, double, bytes, string, array, map, struct"
            );
            return Err(JsonError::schema(problem));
        }
        None => return Err(JsonError::schema("it has no text `type`")),
    })
}

fn fields(json: &Json<'_>) -> Result<Vec<Field>, JsonError> {
    let Some(Json::List(fields)) = json.member("fields") else {
        return Err(JsonError::schema("a struct has no list `fields`"));
    };
    let field = |json: &Json<'_>| {
        let name = json.member("field").and_then(Json::as_text);
        let name = name.ok_or_else(|| JsonError::schema("a field has no text `field`"))?;
        let schema = required(json).map_err(|error| error.within(name))?;
        Ok(Field { name: Arc::from(&**name), schema })
    };
    fields.iter().map(field).collect()
}
