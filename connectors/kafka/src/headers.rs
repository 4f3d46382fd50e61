//! Header values as bytes: as text by the rules of Connect's `SimpleHeaderConverter`, or by another converter.
//!
//! Hot path.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rdkafka::message::{Header as Native, OwnedHeaders};
use sluice_core::{
    Record, Value,
    config::Fault,
    record::{EventPosition, Header},
    value::Struct,
};

use crate::converter::{ConvertError, Converter, Defaults, Encoded, Input, Role};

/// Appends what a header's value looks like on the wire; false for null.
pub(crate) fn encode(value: &Value, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Null | Value::Unavailable => return false,
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        other => write(other, out),
    }
    true
}

/// Writes what stands inside lists and structs, where text is quoted.
fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Unavailable => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int8(value) => integer((*value).into(), out),
        Value::Int16(value) => integer((*value).into(), out),
        Value::Int32(value) => integer((*value).into(), out),
        Value::Int64(value) => integer(*value, out),
        Value::Float32(value) => {
            let _ = write!(out, "{value:?}");
        }
        Value::Float64(value) => {
            let _ = write!(out, "{value:?}");
        }
        Value::Bytes(bytes) => {
            let start = out.len();
            let length = base64::encoded_len(bytes.len(), true).unwrap_or_default();
            out.resize(start + length, 0);
            let _ = BASE64_STANDARD.encode_slice(bytes, &mut out[start..]);
        }
        Value::String(text) => quoted(text, out),
        Value::Array(values) => {
            list(b'[', values.iter(), out, write);
            out.push(b']');
        }
        Value::Map(pairs) => {
            list(b'{', pairs.iter(), out, |(key, value), out| pair(key, value, out));
            out.push(b'}');
        }
        Value::Struct(value) => structure(value, out),
    }
}

fn structure(value: &Struct, out: &mut Vec<u8>) {
    let fields = value.schema().fields().iter().zip(value.values());
    list(b'{', fields, out, |(field, value), out| {
        quoted(&field.name, out);
        out.push(b':');
        write(value, out);
    });
    out.push(b'}');
}

fn pair(key: &Value, value: &Value, out: &mut Vec<u8>) {
    write(key, out);
    out.push(b':');
    write(value, out);
}

fn list<T>(open: u8, items: impl Iterator<Item = T>, out: &mut Vec<u8>, each: impl Fn(T, &mut Vec<u8>)) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out);
    }
}

fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

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
            Self::Simple => Ok(encode(&header.value.value, out)),
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
    use sluice_core::schema::{Field, Kind, Schema};

    use super::*;

    fn text(value: &Value) -> String {
        let mut out = Vec::new();
        assert!(encode(value, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_read_as_connects_header_converter_writes_them() {
        let key = Schema::record(
            "k",
            vec![Field::new("id", Schema::new(Kind::Int64)), Field::new("n", Schema::new(Kind::String))],
        );
        let key = Struct::new(key.shared(), vec![Value::Int64(2), "a\"b".into()]);

        assert_eq!(text(&"plain \"text\"".into()), "plain \"text\"");
        assert_eq!(text(&key.into()), r#"{"id":2,"n":"a\"b"}"#);
        assert_eq!(text(&Value::Int32(-7)), "-7");
        assert_eq!(text(&Value::Float64(1.0)), "1.0");
        assert_eq!(text(&Value::Bytes(vec![1, 2, 3].into())), "AQID");
        assert_eq!(text(&Value::Array(vec![Value::Boolean(true), Value::Null])), "[true,null]");
        assert!(!encode(&Value::Null, &mut Vec::new()));
    }

    #[test]
    fn position_is_written_as_it_displays() {
        let position = EventPosition { epoch: 3, commit: u64::MAX, index: 0, count: 10 };
        let mut out = Vec::new();

        encode_position(&position, &mut out);

        assert_eq!(out, position.to_string().into_bytes());
    }
}
