//! Header values as bytes: as text by the rules of Connect's `SimpleHeaderConverter`, or by another converter.
//!
//! Hot path.

pub(crate) mod simple;

use std::{collections::BTreeMap, sync::Arc};

use rdkafka::message::{Header as Native, OwnedHeaders};
use sluice_core::{
    Record,
    config::Fault,
    record::{EventPosition, Header},
};

use crate::converter::{ConvertError, Converter, Defaults, Encoded, Input, Role};

/// Writes a position as `epoch/commit/index/count`.
pub(crate) fn encode_position(position: &EventPosition, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(position.epoch).as_bytes());
    for part in [position.commit, position.index, position.count] {
        out.push(b'/');
        out.extend_from_slice(buffer.format(part).as_bytes());
    }
}

/// What turns header values into bytes; `header.converter`.
pub(crate) enum HeaderConverter {
    /// Text, and JSON for what has parts.
    Simple,
    /// Another converter, which needs no registry.
    Other(Converter),
}

const SIMPLE: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

impl HeaderConverter {
    /// Property that names the class.
    const PROPERTY: &'static str = "header.converter";

    /// Makes a converter of a class; `settings` are keys without `header.converter.`.
    ///
    /// # Errors
    /// Every fault, with full property names.
    pub(crate) fn new(
        class: Option<&str>,
        settings: &BTreeMap<String, String>,
        defaults: &Defaults,
    ) -> Result<Self, Vec<Fault>> {
        let class = class.unwrap_or(SIMPLE);
        if class == SIMPLE || class == "SimpleHeaderConverter" {
            return Ok(Self::Simple);
        }
        let unknown = |message: String| vec![Fault::new("config.unknown_class", Self::PROPERTY, message)];
        let converter = Converter::new(Self::PROPERTY, Role::Value, class, settings, defaults)?;
        match converter {
            Converter::Avro(_) => Err(unknown(format!(
                "`{class}` is no converter of headers; known: {SIMPLE}, StringConverter, JsonConverter, ByteArrayConverter"
            ))),
            other => Ok(Self::Other(other)),
        }
    }

    /// Appends what a header looks like on the wire; false for null.
    fn encode(&self, topic: &str, header: &Header, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        match self {
            Self::Simple => Ok(simple::encode(&header.value, out)),
            Self::Other(converter) => converter
                .encode(topic, Input::Datum(&header.value), out)
                .map(|encoded| encoded == Encoded::Written),
        }
    }
}

/// Makes the header lists of records; those that records share are made once and copied.
pub(crate) struct HeaderWriter {
    converter: HeaderConverter,
    position: bool,
    shared: Option<(Arc<[Header]>, OwnedHeaders)>,
    buffer: Vec<u8>,
}

impl HeaderWriter {
    /// Makes a writer that adds the header with the position, or not.
    pub(crate) fn new(converter: HeaderConverter, position: bool) -> Self {
        Self { converter, position, shared: None, buffer: Vec::new() }
    }

    /// Returns librdkafka's list of a record's headers; none if it has none.
    ///
    /// # Errors
    /// Class *reject* when the converter does not write such a value.
    pub(crate) fn write(&mut self, record: &Record) -> Result<Option<OwnedHeaders>, ConvertError> {
        let position = record.origin.event.as_ref().filter(|_| self.position);
        if record.headers.is_empty() && position.is_none() {
            return Ok(None);
        }
        let (shared, own) = record.headers.parts();
        let mut list = match shared {
            Some(shared) => self.shared(&record.topic, shared)?.clone(),
            None => OwnedHeaders::new_with_capacity(own.len() + 1),
        };
        for header in own {
            list = self.append(&record.topic, list, header)?;
        }
        if let Some(position) = position {
            self.buffer.clear();
            encode_position(position, &mut self.buffer);
            list = list.insert(Native { key: EventPosition::HEADER, value: Some(self.buffer.as_slice()) });
        }
        Ok(Some(list))
    }

    fn shared(&mut self, topic: &str, headers: &Arc<[Header]>) -> Result<&OwnedHeaders, ConvertError> {
        let known = self.shared.take().filter(|(known, _)| Arc::ptr_eq(known, headers));
        let remembered = match known {
            Some(known) => known,
            None => {
                let mut list = OwnedHeaders::new_with_capacity(headers.len());
                for header in headers.iter() {
                    list = self.append(topic, list, header)?;
                }
                (Arc::clone(headers), list)
            }
        };
        Ok(&self.shared.insert(remembered).1)
    }

    fn append(
        &mut self,
        topic: &str,
        list: OwnedHeaders,
        header: &Header,
    ) -> Result<OwnedHeaders, ConvertError> {
        self.buffer.clear();
        let present = self.converter.encode(topic, header, &mut self.buffer)?;
        Ok(list.insert(Native { key: &header.key, value: present.then_some(self.buffer.as_slice()) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_is_written_as_it_displays() {
        let position = EventPosition { epoch: 3, commit: u64::MAX, index: 0, count: 10 };
        let mut out = Vec::new();

        encode_position(&position, &mut out);

        assert_eq!(out, position.to_string().into_bytes());
    }
}
