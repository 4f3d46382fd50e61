//! JSON messages → values and changes.
//!
//! Hot path. A schema that stands in each message is read when its text is first seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use bytestring::ByteString;
use sluice_core::{
    SchemaRef, Value,
    change::{Change, ChangeSchema, Operation, TransactionBlock, field},
    record::{Datum, Payload},
    schema::{Kind, connect},
    value::Struct,
};

use super::{
    JsonFormat, decimal,
    error::JsonError,
    reader::{Json, Reader},
    schema,
};

/// Schemas kept by their text; a topic has a handful, and the bound keeps hostile ones harmless.
const KEPT_SCHEMAS: usize = 64;

/// Reads messages of one converter.
#[derive(Debug)]
pub struct Decoder {
    format: JsonFormat,
    // One uncontended lock a record, beside microseconds of JSON.
    known: Mutex<Vec<Known>>,
}

/// A schema by its text.
#[derive(Debug, Clone)]
struct Known {
    /// The message up to its payload, as Connect writes it: `{"schema":`, the text, `,"payload":`.
    head: Bytes,
    schema: Option<SchemaRef>,
    change: Option<Arc<ChangeSchema>>,
}

const HEAD: &[u8] = b"{\"schema\":";
const NECK: &[u8] = b",\"payload\":";

impl Known {
    fn text(&self) -> &[u8] {
        &self.head[HEAD.len()..self.head.len() - NECK.len()]
    }
}

impl Decoder {
    /// Makes a decoder that knows no schema yet.
    pub fn new(format: JsonFormat) -> Self {
        Self { format, known: Mutex::default() }
    }

    /// Reads a message; its text shares the message's memory.
    ///
    /// In the fields of a row (those of an envelope's `before` and `after`, or of the outermost struct) a
    /// value that is the placeholder's form for its type reads as [`Value::Unavailable`]. Without schemas,
    /// objects are maps with text keys, whole numbers int64, others float64.
    ///
    /// # Errors
    /// [`JsonError`] when the bytes are not JSON, lack the schema, or do not follow it.
    pub fn decode(&self, bytes: &Bytes) -> Result<Datum, JsonError> {
        Ok(self.read(bytes)?.0)
    }

    /// Reads a message as [`Self::decode`] does, an envelope with its schema as a typed change.
    ///
    /// # Errors
    /// As [`Self::decode`]; also an envelope without a known operation.
    pub fn decode_payload(&self, bytes: &Bytes) -> Result<Payload, JsonError> {
        let (datum, change) = self.read(bytes)?;
        match (change, datum.value) {
            (Some(schema), Value::Struct(value)) => typed(schema, value).map(Payload::Change),
            (_, value) => Ok(Payload::Plain(Datum { schema: datum.schema, value })),
        }
    }

    fn read(&self, bytes: &Bytes) -> Result<(Datum, Option<Arc<ChangeSchema>>), JsonError> {
        let mut reader = Reader::new(bytes)?;
        if !self.format.schemas_enable {
            let json = reader.document()?;
            return Ok((Datum::schemaless(value_of(None, &json)?), None));
        }
        if reader.peek() == Some(b'n') && reader.document()? == Json::Null {
            return Ok((Datum::NULL, None));
        }
        let (Known { schema, change, .. }, payload) = match self.known_head(&mut reader) {
            Some(known) => {
                let payload = reader.any()?;
                if !reader.close() {
                    return Err(JsonError::NoSchema);
                }
                (known, payload)
            }
            None => {
                let (text, payload) = message(&mut reader)?;
                (self.known(&text)?, payload)
            }
        };
        let mut value = value_of(schema.as_ref(), &payload)?;
        if let Value::Struct(outer) = value {
            value = self.recognise(outer, change.is_some()).into();
        }
        Ok((Datum { schema, value }, change))
    }

    /// Passes over the head of a message whose schema is known.
    fn known_head(&self, reader: &mut Reader<'_>) -> Option<Known> {
        let kept = self.kept();
        kept.iter().find(|known| reader.pass_known(&known.head)).cloned()
    }

    fn known(&self, text: &Bytes) -> Result<Known, JsonError> {
        let is_text = |known: &&Known| known.text() == text.as_ref();
        if let Some(known) = self.kept().iter().find(is_text) {
            return Ok(known.clone());
        }
        let schema = schema::read(&Reader::new(text)?.document()?)?;
        let change = schema.as_ref().and_then(ChangeSchema::recognise).map(Arc::new);
        let known = Known { head: [HEAD, text, NECK].concat().into(), schema, change };
        let mut kept = self.kept();
        if kept.len() >= KEPT_SCHEMAS {
            kept.clear();
        }
        kept.push(known.clone());
        Ok(known)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns placeholders in the fields of rows into unavailable values.
    fn recognise(&self, outer: Struct, envelope: bool) -> Struct {
        if !envelope {
            return self.unmark(outer);
        }
        let (schema, mut values) = outer.into_parts();
        for (field, value) in schema.fields().iter().zip(&mut values) {
            if matches!(&*field.name, field::BEFORE | field::AFTER)
                && let Value::Struct(row) = std::mem::take(value)
            {
                *value = self.unmark(row).into();
            }
        }
        Struct::new(schema, values)
    }

    fn unmark(&self, row: Struct) -> Struct {
        let (schema, mut values) = row.into_parts();
        for (field, value) in schema.fields().iter().zip(&mut values) {
            let marked = match value {
                Value::String(text) => *text == self.format.unavailable.text(),
                Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                    self.format.unavailable.form(&field.schema).is_some_and(|form| form == *value)
                }
                _ => false,
            };
            if marked {
                *value = Value::Unavailable;
            }
        }
        Struct::new(schema, values)
    }
}

/// Reads the object of `schema` and `payload`; the schema stays text.
fn message<'a>(reader: &mut Reader<'a>) -> Result<(Bytes, Json<'a>), JsonError> {
    let (mut schema, mut payload) = (None, None);
    if reader.peek() != Some(b'{') {
        reader.any()?;
        reader.end()?;
        return Err(JsonError::NoSchema);
    }
    let mut others = false;
    reader.object(|reader, key| {
        match &*key {
            "schema" => schema = Some(reader.skip()?),
            "payload" => payload = Some(reader.any()?),
            _ => {
                others = true;
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    reader.end()?;
    match (schema, payload, others) {
        (Some(schema), Some(payload), false) => Ok((schema, payload)),
        _ => Err(JsonError::NoSchema),
    }
}

/// Converts a payload by its schema, or without one by its own form.
pub(super) fn value_of(schema: Option<&SchemaRef>, json: &Json<'_>) -> Result<Value, JsonError> {
    let Some(schema) = schema else { return schemaless(json) };
    if *json == Json::Null {
        return match &schema.default {
            _ if schema.optional => Ok(Value::Null),
            Some(default) => Ok(default.clone()),
            None => Err(JsonError::decode("null in a required field without default")),
        };
    }
    let value = match (&schema.kind, json) {
        (Kind::String, Json::Text(text)) => Some(Value::String(text.clone())),
        (Kind::Boolean, Json::Boolean(value)) => Some(Value::Boolean(*value)),
        (Kind::Int8, Json::Number(number)) => number.parse().ok().map(Value::Int8),
        (Kind::Int16, Json::Number(number)) => number.parse().ok().map(Value::Int16),
        (Kind::Int32, Json::Number(number)) => number.parse().ok().map(Value::Int32),
        (Kind::Int64, Json::Number(number)) => number.parse().ok().map(Value::Int64),
        (Kind::Float32, json) => float(json).map(Value::Float32),
        (Kind::Float64, json) => float(json).map(Value::Float64),
        (Kind::Bytes, json) => bytes(schema, json).map(Value::Bytes),
        (Kind::Array(items), Json::List(values)) => {
            let values = values.iter().map(|value| value_of(Some(items), value));
            return values.collect::<Result<_, _>>().map(Value::Array);
        }
        (Kind::Map { key, value }, json) => return map(key, value, json),
        (Kind::Struct(_), Json::Object(members)) => return structure(schema, members),
        _ => None,
    };
    value.ok_or_else(|| mismatch(schema.kind.name(), json))
}

#[cold]
fn mismatch(expected: &str, json: &Json<'_>) -> JsonError {
    JsonError::decode(format!("the schema wants {expected}, this {} is none", json.name()))
}

/// Reads a number, or the words Connect writes for what is none.
fn float<T: std::str::FromStr>(json: &Json<'_>) -> Option<T> {
    match json {
        Json::Number(number) => number.parse().ok(),
        Json::Text(text) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => text.parse().ok(),
        _ => None,
    }
}

fn bytes(schema: &SchemaRef, json: &Json<'_>) -> Option<Bytes> {
    match json {
        Json::Text(text) => STANDARD.decode(text.as_bytes()).ok().map(Bytes::from),
        Json::Number(number) if schema.is_named(connect::DECIMAL) => {
            let scale = schema.parameter("scale")?.parse().ok()?;
            decimal::from_text(number, scale).map(Bytes::from)
        }
        _ => None,
    }
}

fn map(key: &SchemaRef, value: &SchemaRef, json: &Json<'_>) -> Result<Value, JsonError> {
    let pairs: Result<Vec<_>, _> = match json {
        Json::Object(members) if key.kind == Kind::String => members
            .iter()
            .map(|(name, member)| Ok((Value::String(name.clone()), value_of(Some(value), member)?)))
            .collect(),
        Json::List(pairs) => pairs
            .iter()
            .map(|pair| match pair {
                Json::List(pair) if pair.len() == 2 => {
                    Ok((value_of(Some(key), &pair[0])?, value_of(Some(value), &pair[1])?))
                }
                other => Err(mismatch("a pair of key and value", other)),
            })
            .collect(),
        other => Err(mismatch("map", other)),
    };
    pairs.map(Value::Map)
}

fn structure(schema: &SchemaRef, members: &[(ByteString, Json<'_>)]) -> Result<Value, JsonError> {
    let fields = schema.fields();
    let mut values = Vec::with_capacity(fields.len());
    for (place, field) in fields.iter().enumerate() {
        // Writers keep the schema's order, so the member is nearly always at the same place.
        let member = match members.get(place) {
            Some((name, member)) if **name == *field.name => member,
            _ => members
                .iter()
                .find(|(name, _)| **name == *field.name)
                .map_or(&Json::Null, |(_, member)| member),
        };
        values.push(value_of(Some(&field.schema), member).map_err(|error| error.within(&field.name))?);
    }
    Ok(Struct::new(Arc::clone(schema), values).into())
}

fn schemaless(json: &Json<'_>) -> Result<Value, JsonError> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Boolean(value) => Value::Boolean(*value),
        Json::Text(text) => Value::String(text.clone()),
        Json::Number(number) if number.contains(['.', 'e', 'E']) => {
            Value::Float64(number.parse().map_err(|_| mismatch("float64", json))?)
        }
        Json::Number(number) => Value::Int64(number.parse().map_err(|_| mismatch("int64", json))?),
        Json::List(values) => Value::Array(values.iter().map(schemaless).collect::<Result<_, _>>()?),
        Json::Object(members) => {
            let pair = |(name, member): &(ByteString, Json<'_>)| {
                Ok((Value::String(name.clone()), schemaless(member).map_err(|error| error.within(name))?))
            };
            Value::Map(members.iter().map(pair).collect::<Result<_, JsonError>>()?)
        }
    })
}

/// Takes an envelope struct apart.
fn typed(schema: Arc<ChangeSchema>, envelope: Struct) -> Result<Change, JsonError> {
    let (shape, values) = envelope.into_parts();
    let mut change = Change {
        schema,
        operation: Operation::Read,
        before: None,
        after: None,
        source: Vec::new(),
        transaction: None,
        timestamp_ns: None,
    };
    let mut operation = None;
    let mut clocks = [None; 3];
    for (field, value) in shape.fields().iter().zip(values) {
        match (&*field.name, value) {
            (field::BEFORE, Value::Struct(row)) => change.before = Some(row.into_parts().1),
            (field::AFTER, Value::Struct(row)) => change.after = Some(row.into_parts().1),
            (field::SOURCE, Value::Struct(source)) => change.source = source.into_parts().1,
            (field::TRANSACTION, Value::Struct(block)) => change.transaction = Some(transaction(&block)),
            (field::OP, Value::String(code)) => operation = Operation::from_code(&code),
            (field::TS_NS, value) => clocks[0] = value.as_i64(),
            (field::TS_US, value) => clocks[1] = value.as_i64().map(|micros| micros.saturating_mul(1_000)),
            (field::TS_MS, value) => {
                clocks[2] = value.as_i64().map(|millis| millis.saturating_mul(1_000_000));
            }
            _ => {}
        }
    }
    change.timestamp_ns = clocks.into_iter().flatten().next();
    change.operation =
        operation.ok_or_else(|| JsonError::decode("unknown operation code").within(field::OP))?;
    Ok(change)
}

fn transaction(block: &Struct) -> TransactionBlock {
    let number = |name| block.value(name).and_then(Value::as_i64).unwrap_or_default();
    let id = match block.value("id") {
        Some(Value::String(id)) => id.clone(),
        _ => ByteString::new(),
    };
    TransactionBlock {
        id,
        total_order: number("total_order"),
        data_collection_order: number("data_collection_order"),
    }
}
