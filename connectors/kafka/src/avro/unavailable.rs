//! The placeholder for values the source did not send, in the form each type can hold.

use bytes::Bytes;
use bytestring::ByteString;
use md5::{Digest, Md5};
use sluice_core::{
    schema::{Kind, Schema, SchemaRef, debezium},
    value::{Struct, Value},
};

/// What [`Value::Unavailable`] looks like on the wire; Debezium's `unavailable.value.placeholder`.
///
/// The forms are Debezium's where it has one: text and bytes are the marker, lists of numbers its
/// bytes as numbers, lists of anything else one element in that element's form, a map the marker to
/// the marker, a UUID in a list the name-based (MD5) UUID of the marker. For types where Debezium has
/// none: a list of booleans is the marker's bits, and a struct has the marker in every required text
/// or bytes field. Single numbers and booleans have none, as no database leaves those out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnavailableValue {
    text: ByteString,
    bytes: Bytes,
    uuid: ByteString,
}

impl UnavailableValue {
    /// Debezium's default marker.
    pub const DEFAULT_MARKER: &'static str = "__debezium_unavailable_value";

    /// Takes the property's text; with the prefix `hex:` the marker is the bytes after it.
    pub fn new(placeholder: &str) -> Self {
        let bytes = placeholder.strip_prefix("hex:").and_then(from_hex);
        let bytes = bytes.unwrap_or_else(|| placeholder.as_bytes().to_vec());
        let text = String::from_utf8_lossy(&bytes).into_owned().into();
        let uuid = name_uuid(&bytes).into();
        Self { text, bytes: bytes.into(), uuid }
    }

    /// Returns the marker as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the form for values of `schema`; none where the type has no room for one.
    pub fn form(&self, schema: &Schema) -> Option<Value> {
        match &schema.kind {
            Kind::String => Some(Value::String(self.text.clone())),
            Kind::Bytes => Some(Value::Bytes(self.bytes.clone())),
            Kind::Array(element) => Some(Value::Array(self.elements(element)?)),
            Kind::Map { key, value } => Some(Value::Map(vec![(self.element(key)?, self.element(value)?)])),
            Kind::Struct(fields) => {
                let mut marked = false;
                let values = fields.iter().map(|field| self.member(&field.schema, &mut marked));
                let values = values.collect::<Option<Vec<_>>>()?;
                marked.then(|| Struct::new(SchemaRef::new(schema.clone()), values).into())
            }
            _ => None,
        }
    }

    fn elements(&self, element: &Schema) -> Option<Vec<Value>> {
        let each = |make: fn(u8) -> Value| Some(self.bytes.iter().copied().map(make).collect());
        match element.kind {
            // Bytes of the marker are below 128 unless it was given in hex; wrapping keeps them apart.
            Kind::Int8 => each(|byte| Value::Int8(byte.cast_signed())),
            Kind::Int16 => each(|byte| Value::Int16(byte.into())),
            Kind::Int32 => each(|byte| Value::Int32(byte.into())),
            Kind::Int64 => each(|byte| Value::Int64(byte.into())),
            Kind::Float32 => each(|byte| Value::Float32(byte.into())),
            Kind::Float64 => each(|byte| Value::Float64(byte.into())),
            Kind::Boolean => {
                let bits = |byte: &u8| {
                    (0..8).map({
                        let byte = *byte;
                        move |bit| byte >> (7 - bit) & 1 == 1
                    })
                };
                Some(self.bytes.iter().flat_map(bits).map(Value::Boolean).collect())
            }
            _ => Some(vec![self.element(element)?]),
        }
    }

    fn element(&self, schema: &Schema) -> Option<Value> {
        if schema.is_named(debezium::UUID) {
            return Some(Value::String(self.uuid.clone()));
        }
        self.form(schema)
    }

    fn member(&self, schema: &Schema, marked: &mut bool) -> Option<Value> {
        if schema.optional {
            return Some(Value::Null);
        }
        match schema.kind {
            Kind::Boolean => Some(Value::Boolean(false)),
            Kind::Int8 => Some(Value::Int8(0)),
            Kind::Int16 => Some(Value::Int16(0)),
            Kind::Int32 => Some(Value::Int32(0)),
            Kind::Int64 => Some(Value::Int64(0)),
            Kind::Float32 => Some(Value::Float32(0.0)),
            Kind::Float64 => Some(Value::Float64(0.0)),
            _ => {
                *marked = true;
                self.form(schema)
            }
        }
    }
}

impl Default for UnavailableValue {
    fn default() -> Self {
        Self::new(Self::DEFAULT_MARKER)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let pairs = digits?;
    pairs.len().is_multiple_of(2).then(|| pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The UUID of version 3 that Java's `UUID.nameUUIDFromBytes` makes: MD5 of the bytes alone.
fn name_uuid(bytes: &[u8]) -> String {
    let mut digest: [u8; 16] = Md5::digest(bytes).into();
    digest[6] = digest[6] & 0x0f | 0x30;
    digest[8] = digest[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in digest.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array_of(kind: Kind) -> Schema {
        Schema::new(Kind::Array(Schema::new(kind).optional().shared()))
    }

    #[test]
    fn integers_of_a_list_are_the_markers_bytes() {
        let form = UnavailableValue::default().form(&array_of(Kind::Int32));

        let Some(Value::Array(values)) = form else { panic!("a list") };
        assert_eq!(values[..3], [Value::Int32(95), Value::Int32(95), Value::Int32(100)]);
        assert_eq!(values.len(), UnavailableValue::DEFAULT_MARKER.len());
    }

    #[test]
    fn uuid_of_a_list_is_the_name_uuid_of_the_marker() {
        let uuids = Schema::new(Kind::Array(Schema::new(Kind::String).named(debezium::UUID).shared()));

        let form = UnavailableValue::default().form(&uuids);

        assert_eq!(form, Some(Value::Array(vec!["b68a35a7-17ad-35b3-af2a-ae46edb4545a".into()])));
    }

    #[test]
    fn hex_placeholder_is_bytes() {
        let unavailable = UnavailableValue::new("hex:00ff");

        let form = unavailable.form(&Schema::new(Kind::Bytes));

        assert_eq!(form, Some(Value::Bytes(Bytes::from_static(&[0, 255]))));
    }

    #[test]
    fn single_numbers_have_no_form() {
        assert_eq!(UnavailableValue::default().form(&Schema::new(Kind::Int64)), None);
    }
}
