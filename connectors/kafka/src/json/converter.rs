//! Both directions of the JSON converter, with what it knows of schemas.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use sluice_core::{
    SchemaRef, Value,
    change::Change,
    record::{Datum, Payload},
};

use super::{ChangeEncoder, Decoder, Encoder, JsonError, JsonFormat};

/// Encoders kept; far more than tables with their versions. A transform that makes a schema for each
/// record must not fill the memory.
const KEPT_ENCODERS: usize = 1_024;

/// Writes and reads messages of any schema. Shared by threads; schemas are printed and read once.
#[derive(Debug)]
pub struct JsonConverter {
    decoder: Decoder,
    format: JsonFormat,
    schemaless: Encoder,
    // One uncontended lock a record, beside microseconds of JSON.
    encoders: Mutex<HashMap<usize, Kept>>,
}

/// An encoder under its schema's address; it holds the schema, so that the address is not given out again.
#[derive(Debug, Clone)]
enum Kept {
    Value(Arc<Encoder>),
    Change(Arc<ChangeEncoder>),
}

impl JsonConverter {
    /// Makes a converter that knows no schema yet.
    pub fn new(format: JsonFormat) -> Self {
        let schemaless = Encoder::schemaless(&format);
        Self { decoder: Decoder::new(format.clone()), format, schemaless, encoders: Mutex::default() }
    }

    /// Appends the message of a value.
    ///
    /// # Errors
    /// [`JsonError::Encode`] names the field whose value does not fit; `out` then ends in a torn message
    /// that the caller truncates.
    pub fn encode(
        &self,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let Some(schema) = schema else { return self.schemaless.encode(value, out) };
        let place = Arc::as_ptr(schema).addr();
        if let Some(Kept::Value(encoder)) = self.kept(place) {
            return encoder.encode(value, out);
        }
        let encoder = Arc::new(Encoder::compile(Some(schema), &self.format)?);
        self.keep(place, Kept::Value(Arc::clone(&encoder)));
        encoder.encode(value, out)
    }

    /// Appends the message of a change; null in required columns of `before` is filled as in Avro.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_change(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let place = Arc::as_ptr(&change.schema).addr();
        if let Some(Kept::Change(encoder)) = self.kept(place) {
            return encoder.encode(change, out);
        }
        let encoder = Arc::new(ChangeEncoder::compile(&change.schema, &self.format)?);
        self.keep(place, Kept::Change(Arc::clone(&encoder)));
        encoder.encode(change, out)
    }

    /// Reads a message; see [`Decoder::decode`].
    ///
    /// # Errors
    /// [`JsonError`] when the bytes are not JSON, lack the schema, or do not follow it.
    pub fn decode(&self, bytes: &Bytes) -> Result<Datum, JsonError> {
        self.decoder.decode(bytes)
    }

    /// Reads a message, an envelope with its schema as a typed change.
    ///
    /// # Errors
    /// As [`Self::decode`]; also an envelope without a known operation.
    pub fn decode_payload(&self, bytes: &Bytes) -> Result<Payload, JsonError> {
        self.decoder.decode_payload(bytes)
    }

    fn kept(&self, place: usize) -> Option<Kept> {
        self.encoders.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    fn keep(&self, place: usize, kept: Kept) {
        let mut encoders = self.encoders.lock().unwrap_or_else(PoisonError::into_inner);
        if encoders.len() >= KEPT_ENCODERS {
            encoders.clear();
        }
        encoders.insert(place, kept);
    }
}
