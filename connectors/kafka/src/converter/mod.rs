//! Converters: from keys and values to the bytes of a topic and back, chosen by Connect's class names.
//!
//! ```text
//! Datum, Change --encode--> bytes      Unprepared? --prepare--> registers the schema, once
//! bytes --decode--> Datum, Payload     missing id? --prepare--> asks for the schema, once
//! ```
//!
//! Encoding and decoding are synchronous; only a schema that was not met before is awaited.

mod answers;
mod avro_reader;
mod avro_writer;
mod class;
mod error;
mod options;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use bytestring::ByteString;
use sluice_core::{
    Error, Value,
    change::Change,
    config::{Fault, Prefixed, Severity},
    record::{Datum, Payload},
    schema::{Kind, Schema, SchemaRef},
};

use crate::{
    avro::{NullDefaults, UnavailableValue},
    client::invalid,
    json,
    schema_registry::SchemaRegistry,
    text::{NoText, TextConverter},
};
use avro_reader::AvroReader;
use avro_writer::AvroWriter;
use class::Class;
pub use error::ConvertError;
use options::AvroOptions;

/// What a converter takes from its connector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    /// How unavailable values are written, and recognised in rows.
    pub(crate) unavailable: UnavailableValue,
    /// What becomes of null in fields with a default, where the converter's own settings do not say.
    pub(crate) null_defaults: NullDefaults,
}

/// Which side of a record a converter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Keys.
    Key,
    /// Values.
    Value,
}

/// What is to be encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A value with its schema.
    Datum(&'a Datum),
    /// A row change.
    Change(&'a Change),
}

impl<'a> From<&'a Payload> for Input<'a> {
    fn from(payload: &'a Payload) -> Self {
        match payload {
            Payload::Change(change) => Self::Change(change),
            Payload::Plain(datum) => Self::Datum(datum),
        }
    }
}

/// What came of encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// The bytes were appended.
    Written,
    /// It is null: no bytes.
    Null,
    /// The schema was not met before: prepare it, then encode again.
    Unprepared,
}

/// A converter, for writing or for reading.
pub(crate) enum Converter {
    /// Confluent's Avro.
    Avro(Box<AvroConverter>),
    /// Connect's JSON.
    Json(Box<json::JsonConverter>),
    /// Text.
    Text(Box<TextConverter>),
    /// Bytes as they are.
    Bytes(SchemaRef),
}

/// Both directions of the Avro converter over one registry client.
pub(crate) struct AvroConverter {
    registry: SchemaRegistry,
    writer: AvroWriter,
    reader: AvroReader,
}

impl Converter {
    /// Makes the converters of keys and of values, each from its class and settings.
    ///
    /// # Errors
    /// Class *stop* with every fault.
    pub(crate) fn pair(
        key: (&str, &Prefixed),
        value: (&str, &Prefixed),
        defaults: &Defaults,
    ) -> Result<(Self, Self), Error> {
        let make = |role: Role, (class, settings): (&str, &Prefixed)| {
            Self::new(role.property(), role, class, &settings.0, defaults).map_err(invalid)
        };
        Ok((make(Role::Key, key)?, make(Role::Value, value)?))
    }

    /// Makes a converter of a class that `property` names; `settings` are keys without the property and its dot.
    ///
    /// # Errors
    /// Every fault, with full property names.
    pub(crate) fn new(
        property: &str,
        role: Role,
        class: &str,
        settings: &BTreeMap<String, String>,
        defaults: &Defaults,
    ) -> Result<Self, Vec<Fault>> {
        let below = |faults: Vec<Fault>| -> Vec<Fault> {
            faults.into_iter().map(|fault| fault.below(&format!("{property}."))).collect()
        };
        let class = Class::parse(class)
            .map_err(|message| vec![Fault::new("config.unknown_class", property, message)])?;
        Ok(match class {
            Class::ConfluentAvro | Class::ApicurioAvro => {
                let options = AvroOptions::new(class, role, settings, defaults).map_err(below)?;
                let registry = SchemaRegistry::new(options.registry.clone())
                    .map_err(|error| below(vec![Fault::from_error("schema.registry.url", &error)]))?;
                Self::Avro(Box::new(AvroConverter {
                    registry,
                    reader: AvroReader::new(defaults.unavailable.clone(), options.bare_bytes),
                    writer: AvroWriter::new(role, options),
                }))
            }
            Class::Json => {
                let format = options::json(settings, defaults).map_err(below)?;
                Self::Json(Box::new(json::JsonConverter::new(format)))
            }
            Class::Text => {
                options::check(settings, options::answers(class)).map_err(below)?;
                Self::Text(Box::new(TextConverter::new(defaults.unavailable.clone())))
            }
            Class::Bytes => {
                options::check(settings, options::answers(class)).map_err(below)?;
                Self::Bytes(Schema::new(Kind::Bytes).optional().shared())
            }
        })
    }

    /// Lists what is wrong with a class and its settings, and which have no effect; opens no connection.
    pub(crate) fn faults(role: Role, class: &str, settings: &BTreeMap<String, String>) -> Vec<Fault> {
        let mut faults =
            Self::new(role.property(), role, class, settings, &Defaults::default()).err().unwrap_or_default();
        if let Ok(class) = Class::parse(class) {
            let remarks = answers::faults(settings, options::answers(class));
            let remarks = remarks.into_iter().filter(|remark| remark.severity == Severity::Warning);
            faults.extend(remarks.map(|remark| remark.below(&format!("{}.", role.property()))));
        }
        faults
    }

    /// Returns the registry that the converter asks, if it needs one.
    pub(crate) fn registry(&self) -> Option<&SchemaRegistry> {
        match self {
            Self::Avro(avro) => Some(&avro.registry),
            _ => None,
        }
    }

    /// Appends the bytes of a key or value for a topic.
    ///
    /// # Errors
    /// Class *reject* when it does not fit the schema or the converter; nothing was appended then.
    pub(crate) fn encode(
        &self,
        topic: &str,
        input: Input<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, ConvertError> {
        if matches!(input, Input::Datum(Datum { value: Value::Null, .. })) && !self.writes_null() {
            return Ok(Encoded::Null);
        }
        let start = out.len();
        let encoded = match self {
            Self::Avro(avro) => avro.writer.encode(topic, input, out),
            Self::Json(json) => encode_json(json, input, out),
            Self::Text(text) => encode_text(text, input, out),
            Self::Bytes(_) => encode_bytes(input, out),
        };
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    /// Registers or looks up the schema of what [`Converter::encode`] called unprepared.
    ///
    /// # Errors
    /// Class *stop* when the registry refuses the schema, *retry* when it does not answer.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn prepare(&mut self, topic: &Arc<str>, input: Input<'_>) -> Result<(), Error> {
        match self {
            Self::Avro(avro) => avro.writer.prepare(&avro.registry, topic, input).await,
            _ => Ok(()),
        }
    }

    /// Gets the schema that bytes name, unless it is there or there is none. An unknown one is remembered
    /// until [`Converter::forget_refused`], and refused by decoding.
    ///
    /// # Errors
    /// Class *retry* when the registry does not answer.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn prepare_reading(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Avro(avro) => avro.reader.prepare(&avro.registry, bytes).await,
            _ => Ok(()),
        }
    }

    /// Whether bytes can be decoded without [`Converter::prepare_reading`].
    pub(crate) fn is_prepared(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Avro(avro) => avro.reader.is_prepared(bytes),
            _ => true,
        }
    }

    /// Forgets schemas that the registry did not know: it may know them by now.
    pub(crate) fn forget_refused(&mut self) {
        if let Self::Avro(avro) = self {
            avro.reader.forget_refused();
        }
    }

    /// Reads a key; none is a null key.
    ///
    /// # Errors
    /// Class *reject*.
    pub(crate) fn decode(&self, bytes: Option<&Bytes>) -> Result<Datum, ConvertError> {
        let Some(bytes) = bytes else { return Ok(Datum::NULL) };
        match self {
            Self::Avro(avro) => avro.reader.decode(bytes),
            Self::Json(json) => Ok(json.decode(bytes)?),
            Self::Text(text) => {
                Ok(text.decode(ByteString::try_from(bytes.clone()).map_err(|_| ConvertError::NotUtf8)?))
            }
            Self::Bytes(schema) => Ok(Datum::new(Arc::clone(schema), Value::Bytes(bytes.clone()))),
        }
    }

    /// Reads a value; none is a tombstone. A change envelope becomes a typed change.
    ///
    /// # Errors
    /// Class *reject*.
    pub(crate) fn decode_payload(&self, bytes: Option<&Bytes>) -> Result<Payload, ConvertError> {
        match (self, bytes) {
            (Self::Avro(avro), Some(bytes)) => avro.reader.decode_payload(bytes),
            (Self::Json(json), Some(bytes)) => Ok(json.decode_payload(bytes)?),
            _ => Ok(Payload::Plain(self.decode(bytes)?)),
        }
    }

    /// Whether null with a schema has bytes of its own, as in Connect's JSON envelope.
    fn writes_null(&self) -> bool {
        matches!(self, Self::Json(_))
    }
}

impl Role {
    /// Returns the property that names the converter.
    pub(crate) const fn property(self) -> &'static str {
        match self {
            Self::Key => "key.converter",
            Self::Value => "value.converter",
        }
    }
}

/// Null without a schema is a tombstone; with one, it is a message that says so, as Connect's are.
fn encode_json(
    json: &json::JsonConverter,
    input: Input<'_>,
    out: &mut Vec<u8>,
) -> Result<Encoded, ConvertError> {
    match input {
        Input::Datum(Datum { schema: None, value: Value::Null }) => return Ok(Encoded::Null),
        Input::Datum(Datum { schema, value }) => json.encode(schema.as_ref(), value, out)?,
        Input::Change(change) => json.encode_change(change, out)?,
    }
    Ok(Encoded::Written)
}

fn encode_text(text: &TextConverter, input: Input<'_>, out: &mut Vec<u8>) -> Result<Encoded, ConvertError> {
    let written = match input {
        Input::Datum(Datum { schema, value }) => text.encode(schema.as_deref(), value, out),
        Input::Change(change) => text.encode_change(change, out),
    };
    written.map_err(|NoText(found)| ConvertError::Unwritable { converter: "StringConverter", found })?;
    Ok(Encoded::Written)
}

fn encode_bytes(input: Input<'_>, out: &mut Vec<u8>) -> Result<Encoded, ConvertError> {
    let found = match input {
        Input::Datum(Datum { value: Value::Bytes(bytes), .. }) => {
            out.extend_from_slice(bytes);
            return Ok(Encoded::Written);
        }
        Input::Datum(datum) => datum.value.type_name(),
        Input::Change(_) => "struct",
    };
    Err(ConvertError::Unwritable { converter: "ByteArrayConverter", found })
}
