//! What can go wrong between values and bytes.

use std::sync::Arc;

use sluice_core::{Classify, ErrorClass};

use crate::{avro::AvroError, json::JsonError, schema_registry::RegistryError};

/// A key or value that cannot be converted. Messages name types and fields, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// Bytes that do not begin as the Avro converter's do.
    #[error("the bytes do not begin with byte 0 and a schema id of 4 bytes")]
    NotRegistryFormat,
    /// Bytes that name a schema that cannot be had.
    #[error("the schema with id {id} of the record cannot be had")]
    Schema {
        /// The id.
        id: u32,
        /// Why.
        #[source]
        source: Arc<RegistryError>,
    },
    /// Bytes that name a schema that cannot be read.
    #[error("the schema with id {id} of the record cannot be read")]
    SchemaText {
        /// The id.
        id: u32,
        /// Why.
        #[source]
        source: Arc<AvroError>,
    },
    /// The Avro codec's error.
    #[error(transparent)]
    Avro(#[from] AvroError),
    /// The JSON codec's error.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value without a schema for a converter that needs one.
    #[error("the Avro converter cannot write a value without a schema")]
    NoSchema,
    /// A schema without a name for a subject that is made of it.
    #[error("the subject name strategy needs a schema with a name, the schema is of type {kind}")]
    NoName {
        /// Type of the schema.
        kind: &'static str,
    },
    /// A value that the converter does not write.
    #[error("{converter} cannot write a value of type {found}")]
    Unwritable {
        /// Simple class name.
        converter: &'static str,
        /// Type of the value.
        found: &'static str,
    },
    /// Bytes that are no text.
    #[error("the bytes are not valid UTF-8 text")]
    NotUtf8,
}

impl Classify for ConvertError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Avro(error) => error.class(),
            Self::Json(error) => error.class(),
            Self::NoName { .. } => ErrorClass::Stop,
            _ => ErrorClass::Reject,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotRegistryFormat => "kafka.not_registry_format",
            Self::Schema { source, .. } => source.code(),
            Self::SchemaText { source, .. } => source.code(),
            Self::Avro(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::NoSchema => "kafka.value_without_schema",
            Self::NoName { .. } => "kafka.schema_without_name",
            Self::Unwritable { .. } => "kafka.value_not_writable",
            Self::NotUtf8 => "kafka.text_not_utf8",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Schema { source, .. } => return source.hint(),
            Self::SchemaText { source, .. } => return source.hint(),
            Self::Avro(error) => return error.hint(),
            Self::Json(error) => return error.hint(),
            Self::NotRegistryFormat | Self::NotUtf8 => {
                "the record was written with another converter: set `key.converter` and `value.converter` to that one"
            }
            Self::NoSchema => "use the JSON converter with `schemas.enable=false` for values without schemas",
            Self::NoName { .. } => "use `TopicNameStrategy`, the default",
            Self::Unwritable { .. } => "use the Avro or the JSON converter",
        };
        Some(hint.to_owned())
    }
}
