//! Values and changes → JSON messages.
//!
//! Hot path. The schema's text is printed once, when the encoder is compiled.

use std::sync::Arc;

use sluice_core::{
    Schema, SchemaRef, Value,
    change::{Change, ChangeSchema, TransactionBlock, field},
    schema::{Field, Kind, connect},
};

use super::{
    DecimalFormat, JsonFormat, decimal,
    error::JsonError,
    schema,
    text::{push_base64, push_integer, push_key, push_string, separate},
};
use crate::avro::{
    NullDefaults, UnavailableValue,
    encode::zero,
    format::is_source_block,
    text::{push_double, push_float},
};

/// Writes values of one schema, or schemaless ones.
#[derive(Debug)]
pub struct Encoder {
    schema: Option<SchemaRef>,
    frame: Frame,
    format: JsonFormat,
}

/// Writes the changes of one table version.
#[derive(Debug)]
pub struct ChangeEncoder {
    schema: Arc<ChangeSchema>,
    frame: Frame,
    format: JsonFormat,
    /// As `format`, for the source block.
    source: JsonFormat,
}

/// What stands around a payload.
#[derive(Debug)]
struct Frame {
    before: Vec<u8>,
    after: &'static [u8],
}

impl Frame {
    fn compile(schema: &Schema, format: &JsonFormat) -> Result<Self, JsonError> {
        if !format.schemas_enable {
            return Ok(Self { before: Vec::new(), after: b"" });
        }
        let mut before = b"{\"schema\":".to_vec();
        schema::push(&mut before, schema, None, format)?;
        before.extend_from_slice(b",\"payload\":");
        Ok(Self { before, after: b"}" })
    }

    fn schemaless(format: &JsonFormat) -> Self {
        if format.schemas_enable {
            Self { before: b"{\"schema\":null,\"payload\":".to_vec(), after: b"}" }
        } else {
            Self { before: Vec::new(), after: b"" }
        }
    }
}

impl Encoder {
    /// Compiles an encoder for a schema. Call it once per schema, not per record.
    ///
    /// # Errors
    /// [`JsonError::Encode`] when a default of the schema is not of its type.
    pub fn compile(schema: Option<&SchemaRef>, format: &JsonFormat) -> Result<Self, JsonError> {
        let Some(schema) = schema else { return Ok(Self::schemaless(format)) };
        let frame = Frame::compile(schema, format)?;
        Ok(Self { schema: Some(Arc::clone(schema)), frame, format: format.clone() })
    }

    /// Makes an encoder of values without schema.
    pub(super) fn schemaless(format: &JsonFormat) -> Self {
        Self { schema: None, frame: Frame::schemaless(format), format: format.clone() }
    }

    /// Appends the message of a value.
    ///
    /// # Errors
    /// [`JsonError::Encode`] names the field whose value does not fit; `out` then ends in a torn message
    /// that the caller truncates.
    pub fn encode(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        out.extend_from_slice(&self.frame.before);
        push_marked(out, self.schema.as_deref(), value, &self.format)?;
        out.extend_from_slice(self.frame.after);
        Ok(())
    }
}

impl ChangeEncoder {
    /// Compiles an encoder for a table version. Call it once per version, not per record.
    ///
    /// # Errors
    /// [`JsonError::Encode`] when a default in the schemas is not of its type.
    pub fn compile(schema: &Arc<ChangeSchema>, format: &JsonFormat) -> Result<Self, JsonError> {
        let frame = Frame::compile(&schema.envelope, format)?;
        let source = JsonFormat { null_defaults: format.null_defaults.of_source(), ..format.clone() };
        Ok(Self { schema: Arc::clone(schema), frame, format: format.clone(), source })
    }

    /// Appends the message of a change; null in required columns of `before` is filled as in Avro.
    ///
    /// # Errors
    /// [`JsonError::Encode`] names the field whose value does not fit; `out` then ends in a torn message
    /// that the caller truncates.
    pub fn encode(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), JsonError> {
        out.extend_from_slice(&self.frame.before);
        out.push(b'{');
        for field in self.schema.envelope.fields() {
            push_key(out, &field.name);
            self.push_part(out, field, change).map_err(|error| error.within(&field.name))?;
        }
        out.push(b'}');
        out.extend_from_slice(self.frame.after);
        Ok(())
    }

    fn push_part(&self, out: &mut Vec<u8>, field: &Field, change: &Change) -> Result<(), JsonError> {
        match (&*field.name, &change.before, &change.after, &change.transaction) {
            (field::BEFORE, Some(values), ..) => push_row(out, field, values, Image::Old, &self.format),
            (field::AFTER, _, Some(values), _) => push_row(out, field, values, Image::New, &self.format),
            (field::SOURCE, ..) => push_row(out, field, &change.source, Image::New, &self.source),
            (field::TRANSACTION, .., Some(block)) => push_block(out, &field.schema, block, &self.format),
            (field::OP, ..) => {
                push_string(out, change.operation.code());
                Ok(())
            }
            (name @ (field::TS_MS | field::TS_US | field::TS_NS), ..) => {
                push_value(out, Some(&field.schema), &change.clock(name), &self.format)
            }
            _ => push_value(out, Some(&field.schema), &Value::Null, &self.format),
        }
    }
}

/// Whether a row's columns are all known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    /// Columns may be missing: null in a required one becomes its type's zero.
    Old,
    New,
}

fn push_row(
    out: &mut Vec<u8>,
    of: &Field,
    values: &[Value],
    image: Image,
    format: &JsonFormat,
) -> Result<(), JsonError> {
    let fields = of.schema.fields();
    check_count(fields, values)?;
    out.push(b'{');
    for (field, value) in fields.iter().zip(values) {
        push_key(out, &field.name);
        let schema = &field.schema;
        let is_missing =
            image == Image::Old && value.is_null() && !schema.optional && schema.default.is_none();
        let filled = if is_missing {
            push_value(out, Some(schema), &zero(schema), format)
        } else {
            push_marked(out, Some(schema), value, format)
        };
        filled.map_err(|error| error.within(&field.name))?;
    }
    out.push(b'}');
    Ok(())
}

fn push_block(
    out: &mut Vec<u8>,
    schema: &SchemaRef,
    block: &TransactionBlock,
    format: &JsonFormat,
) -> Result<(), JsonError> {
    push_value(out, Some(schema), &block.clone().into_value(schema), format)
}

fn check_count(fields: &[Field], values: &[Value]) -> Result<(), JsonError> {
    if fields.len() == values.len() {
        return Ok(());
    }
    Err(JsonError::encode(format!("the schema has {} fields, the value {}", fields.len(), values.len())))
}

/// Appends a value that may be unavailable itself or in a field of its struct.
fn push_marked(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    value: &Value,
    format: &JsonFormat,
) -> Result<(), JsonError> {
    match (schema, value) {
        (Some(schema), Value::Unavailable) => {
            let form = form(&format.unavailable, schema)?;
            push_value(out, Some(schema), &form, format)
        }
        (None, Value::Unavailable) => {
            push_string(out, format.unavailable.text());
            Ok(())
        }
        (Some(schema), Value::Struct(_)) if keeps_in_rows(format) && is_source_block(schema) => {
            let null_defaults = format.null_defaults.of_source();
            push_value(out, Some(schema), value, &JsonFormat { null_defaults, ..format.clone() })
        }
        (Some(Schema { kind: Kind::Struct(fields), .. }), Value::Struct(value)) => {
            check_count(fields, value.values())?;
            out.push(b'{');
            for (field, value) in fields.iter().zip(value.values()) {
                push_key(out, &field.name);
                push_marked(out, Some(&field.schema), value, format)
                    .map_err(|error| error.within(&field.name))?;
            }
            out.push(b'}');
            Ok(())
        }
        _ => push_value(out, schema, value, format),
    }
}

#[cold]
fn form(unavailable: &UnavailableValue, schema: &Schema) -> Result<Value, JsonError> {
    let problem = || {
        JsonError::encode(format!(
            "the value is unavailable and type {} has no placeholder",
            schema.kind.name()
        ))
    };
    unavailable.form(schema).ok_or_else(problem)
}

/// Appends a value; null in a required field becomes its default, and in others as the format says.
pub(super) fn push_value(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    value: &Value,
    format: &JsonFormat,
) -> Result<(), JsonError> {
    match (schema, value) {
        (Some(schema), Value::Null) if !schema.optional || replaces_null(schema, format) => {
            match &schema.default {
                Some(default) => return push_value(out, Some(schema), default, format),
                None => return Err(JsonError::encode("null in a required field without default")),
            }
        }
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (Some(schema), value) if !value.fits(schema) => {
            let problem =
                format!("the schema wants {}, the value is {}", schema.kind.name(), value.type_name());
            return Err(JsonError::encode(problem));
        }
        (_, Value::String(text)) => push_string(out, text),
        (_, Value::Boolean(value)) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        (_, Value::Float32(value)) => push_number(out, |text| push_float(text, *value)),
        (_, Value::Float64(value)) => push_number(out, |text| push_double(text, *value)),
        (schema, Value::Bytes(bytes)) => push_bytes(out, schema, bytes, format)?,
        (schema, Value::Array(values)) => push_list(out, schema, values, format)?,
        (schema, Value::Map(pairs)) => push_map(out, schema, pairs, format)?,
        (_, Value::Struct(value)) => {
            out.push(b'{');
            for (field, value) in value.schema().fields().iter().zip(value.values()) {
                push_key(out, &field.name);
                push_value(out, Some(&field.schema), value, format)
                    .map_err(|error| error.within(&field.name))?;
            }
            out.push(b'}');
        }
        (_, Value::Unavailable) => {
            return Err(JsonError::encode("an unavailable value inside of a list or map"));
        }
        (_, value) => push_integer(out, value.as_i64().unwrap_or_default()),
    }
    Ok(())
}

fn keeps_in_rows(format: &JsonFormat) -> bool {
    format.null_defaults == NullDefaults::KeepInRows
}

fn replaces_null(schema: &Schema, format: &JsonFormat) -> bool {
    format.null_defaults == NullDefaults::Replace && schema.default.is_some()
}

fn push_number(out: &mut Vec<u8>, print: impl FnOnce(&mut String)) {
    let mut text = String::new();
    print(&mut text);
    out.extend_from_slice(text.as_bytes());
}

fn push_bytes(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    bytes: &[u8],
    format: &JsonFormat,
) -> Result<(), JsonError> {
    match schema {
        Some(schema) if format.decimal == DecimalFormat::Numeric && schema.is_named(connect::DECIMAL) => {
            let scale = schema.parameter("scale").and_then(|scale| scale.parse().ok());
            let scale = scale.ok_or_else(|| JsonError::encode("the Decimal has no parameter `scale`"))?;
            out.extend_from_slice(decimal::to_text(bytes, scale).as_bytes());
        }
        _ => push_base64(out, bytes),
    }
    Ok(())
}

fn push_list(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    values: &[Value],
    format: &JsonFormat,
) -> Result<(), JsonError> {
    let items = match schema {
        Some(Schema { kind: Kind::Array(items), .. }) => Some(&**items),
        _ => None,
    };
    out.push(b'[');
    for value in values {
        separate(out);
        push_value(out, items, value, format)?;
    }
    out.push(b']');
    Ok(())
}

fn push_map(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    pairs: &[(Value, Value)],
    format: &JsonFormat,
) -> Result<(), JsonError> {
    let (keys, values) = match schema {
        Some(Schema { kind: Kind::Map { key, value }, .. }) => (Some(&**key), Some(&**value)),
        _ => (None, None),
    };
    let text_keys = match keys {
        Some(keys) => keys.kind == Kind::String && !keys.optional,
        None => pairs.iter().all(|(key, _)| key.as_str().is_some()),
    };
    out.push(if text_keys { b'{' } else { b'[' });
    for (key, value) in pairs {
        if text_keys {
            push_key(out, key.as_str().ok_or_else(|| JsonError::encode("a map's key is no text"))?);
            push_value(out, values, value, format)?;
        } else {
            separate(out);
            out.push(b'[');
            push_value(out, keys, key, format)?;
            out.push(b',');
            push_value(out, values, value, format)?;
            out.push(b']');
        }
    }
    out.push(if text_keys { b'}' } else { b']' });
    Ok(())
}
