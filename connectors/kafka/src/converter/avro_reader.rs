//! Reading the registry's wire format.
//!
//! Hot path: [`AvroReader::decode_payload`] finds its decoder by the id in the bytes.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use sluice_core::{
    Classify, Error, ErrorClass,
    record::{Datum, Payload},
    value::Value,
};

use super::{
    ConvertError,
    avro_writer::{MAGIC, is_bare_bytes},
};
use crate::{
    avro::{AvroError, Decoder, UnavailableValue},
    schema_registry::{RegistryError, SchemaRegistry},
};

/// Bytes before the datum: the magic byte and the id.
const PREFIX: usize = 5;

/// What is known of a schema id.
enum Known {
    Decoder(Decoder),
    Missing(Arc<RegistryError>),
    Unreadable(Arc<AvroError>),
}

/// Reads keys or values.
pub(super) struct AvroReader {
    unavailable: UnavailableValue,
    /// Whether bytes that are no field of anything stand there without their length.
    bare_bytes: bool,
    schemas: HashMap<u32, Known>,
}

impl AvroReader {
    pub(super) fn new(unavailable: UnavailableValue, bare_bytes: bool) -> Self {
        Self { unavailable, bare_bytes, schemas: HashMap::new() }
    }

    pub(super) fn is_prepared(&self, bytes: &[u8]) -> bool {
        id(bytes).is_none_or(|id| self.schemas.contains_key(&id))
    }

    pub(super) async fn prepare(&mut self, registry: &SchemaRegistry, bytes: &[u8]) -> Result<(), Error> {
        let Some(id) = id(bytes).filter(|id| !self.schemas.contains_key(id)) else { return Ok(()) };
        let known = match registry.schema(id).await {
            Ok(text) => Decoder::compile(&text, &self.unavailable)
                .map_or_else(|error| Known::Unreadable(Arc::new(error)), Known::Decoder),
            Err(error) if error.class() == ErrorClass::Reject => Known::Missing(Arc::new(error)),
            Err(error) => return Err(error.into()),
        };
        self.schemas.insert(id, known);
        Ok(())
    }

    pub(super) fn forget_refused(&mut self) {
        self.schemas.retain(|_, known| matches!(known, Known::Decoder(_)));
    }

    pub(super) fn decode(&self, bytes: &Bytes) -> Result<Datum, ConvertError> {
        let decoder = self.decoder(bytes)?;
        self.plain(decoder, &bytes.slice(PREFIX..))
    }

    pub(super) fn decode_payload(&self, bytes: &Bytes) -> Result<Payload, ConvertError> {
        let decoder = self.decoder(bytes)?;
        let datum = bytes.slice(PREFIX..);
        Ok(match decoder.change_schema() {
            Some(_) => Payload::Change(decoder.decode_change(&datum)?),
            None => Payload::Plain(self.plain(decoder, &datum)?),
        })
    }

    fn plain(&self, decoder: &Decoder, datum: &Bytes) -> Result<Datum, ConvertError> {
        let schema = decoder.schema();
        let value = if self.bare_bytes && is_bare_bytes(schema) {
            Value::Bytes(datum.clone())
        } else {
            decoder.decode(datum)?
        };
        Ok(Datum::new(Arc::clone(schema), value))
    }

    fn decoder(&self, bytes: &[u8]) -> Result<&Decoder, ConvertError> {
        let id = id(bytes).ok_or(ConvertError::NotRegistryFormat)?;
        match self.schemas.get(&id) {
            Some(Known::Decoder(decoder)) => Ok(decoder),
            Some(Known::Missing(error)) => Err(ConvertError::Schema { id, source: Arc::clone(error) }),
            Some(Known::Unreadable(error)) => Err(ConvertError::SchemaText { id, source: Arc::clone(error) }),
            None => Err(ConvertError::Schema { id, source: Arc::new(RegistryError::UnknownId { id }) }),
        }
    }
}

/// Returns the schema id at the beginning of bytes in the wire format.
fn id(bytes: &[u8]) -> Option<u32> {
    let (prefix, _) = bytes.split_first_chunk::<PREFIX>()?;
    let [MAGIC, id @ ..] = *prefix else { return None };
    Some(u32::from_be_bytes(id))
}
