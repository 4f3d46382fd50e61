//! Connect's JSON: `{"schema": …, "payload": …}`, or the payload alone.
//!
//! The rules are those of Connect's `JsonConverter`: bytes and Decimals as base64 (or Decimals as
//! numbers), Connect's dates and times as numbers, maps with text keys as objects and others as lists of
//! pairs. One difference: null in an optional field with a default is written and read as null, where
//! the JVM's converter puts the default in its place.

mod converter;
pub(crate) mod decimal;
mod decode;
mod encode;
mod error;
mod reader;
mod schema;
mod text;

#[cfg(test)]
mod golden_tests;

use bytes::Bytes;
use sluice_core::{Schema, Value, change::Change, record::Datum};

pub use converter::JsonConverter;
pub use decode::Decoder;
pub use encode::{ChangeEncoder, Encoder};
pub use error::JsonError;

use crate::avro::{NullDefaults, UnavailableValue};

/// How Decimals are written; the converters' `decimal.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalFormat {
    /// `BASE64`: the unscaled number's bytes. Exact with every reader.
    #[default]
    Base64,
    /// `NUMERIC`: a JSON number.
    Numeric,
}

/// Settings of the JSON codec.
#[derive(Debug, Clone, Default)]
pub struct JsonFormat {
    /// Whether each message carries its schema; the converters' `schemas.enable`.
    pub schemas_enable: bool,
    /// How Decimals are written. Both forms are read.
    pub decimal: DecimalFormat,
    /// What becomes of null in an optional field with a default; the converters' `replace.null.with.default`.
    pub null_defaults: NullDefaults,
    /// How unavailable values are written, and recognised in rows.
    pub unavailable: UnavailableValue,
}

impl JsonFormat {
    fn with_schemas(schemas_enable: bool) -> Self {
        Self { schemas_enable, ..Self::default() }
    }
}

/// Appends a value as JSON with default settings. [`Encoder`] does not print the schema each time.
///
/// # Errors
/// [`JsonError::Encode`] when the value does not fit the schema.
pub fn encode(
    schema: Option<&Schema>,
    value: &Value,
    schemas_enable: bool,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    let schema = schema.cloned().map(Schema::shared);
    Encoder::compile(schema.as_ref(), &JsonFormat::with_schemas(schemas_enable))?.encode(value, out)
}

/// Appends a change as JSON with default settings. [`ChangeEncoder`] does not print the schema each time.
///
/// # Errors
/// [`JsonError::Encode`] when a value does not fit its schema.
pub fn encode_change(change: &Change, schemas_enable: bool, out: &mut Vec<u8>) -> Result<(), JsonError> {
    ChangeEncoder::compile(&change.schema, &JsonFormat::with_schemas(schemas_enable))?.encode(change, out)
}

/// Reads a JSON message with default settings. [`Decoder`] does not read a known schema again.
///
/// # Errors
/// [`JsonError`] when the bytes are not JSON, lack the schema, or do not follow it.
pub fn decode(bytes: &Bytes, schemas_enable: bool) -> Result<Datum, JsonError> {
    Decoder::new(JsonFormat::with_schemas(schemas_enable)).decode(bytes)
}
