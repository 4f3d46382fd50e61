//! What the converter's settings change in schemas and datums.

use std::borrow::Cow;

use sluice_core::schema::{Kind, Schema};

use super::unavailable::UnavailableValue;

/// What becomes of null in an optional field that has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NullDefaults {
    /// Null stays null in rows. In the source block, whose fields are left out to stand for their defaults, it
    /// becomes the default.
    #[default]
    KeepInRows,
    /// Null stays null everywhere.
    Keep,
    /// Null becomes the default: what the JVM's converters do unless they are told otherwise.
    Replace,
}

impl NullDefaults {
    /// Returns what holds in the source block.
    pub(crate) fn of_source(self) -> Self {
        match self {
            Self::KeepInRows => Self::Replace,
            given => given,
        }
    }
}

/// Settings of the Avro codec; the defaults are those of Confluent's `AvroData`, but for [`NullDefaults`].
#[derive(Debug, Clone)]
pub struct AvroFormat {
    /// Whether schemas carry `connect.*` members; `connect.meta.data`.
    pub connect_metadata: bool,
    /// Whether names become Avro names; `scrub.invalid.names`. Otherwise an invalid one is refused.
    pub scrub_names: bool,
    /// Whether maps with optional text keys are Avro maps; `allow.optional.map.keys`.
    pub optional_map_keys: bool,
    /// Whether a field's documentation is that of its schema; `discard.type.doc.default`.
    pub schema_docs: bool,
    /// What becomes of null; `ignore.default.for.nullables`.
    pub null_defaults: NullDefaults,
    /// How unavailable values are written.
    pub unavailable: UnavailableValue,
}

impl Default for AvroFormat {
    fn default() -> Self {
        Self {
            connect_metadata: true,
            scrub_names: false,
            optional_map_keys: false,
            schema_docs: false,
            null_defaults: NullDefaults::default(),
            unavailable: UnavailableValue::default(),
        }
    }
}

impl AvroFormat {
    /// Whether a map with such keys is written as an Avro map rather than as a list of entries.
    pub(super) fn is_avro_map(&self, key: &Schema) -> bool {
        key.kind == Kind::String && (!key.optional || self.optional_map_keys)
    }

    /// Returns a name of one part as it stands in the Avro schema.
    pub(super) fn name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.scrub_names { scrub(name) } else { Cow::Borrowed(name) }
    }

    /// Returns a name of several parts as it stands in the Avro schema.
    pub(crate) fn full_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if !self.scrub_names || name.split('.').all(is_avro_name) {
            return Cow::Borrowed(name);
        }
        Cow::Owned(name.split('.').map(scrub).collect::<Vec<_>>().join("."))
    }
}

/// Whether the struct is a source block, also that of a record that is no change: of a logical message.
pub(crate) fn is_source_block(schema: &Schema) -> bool {
    let name = schema.name.as_deref().unwrap_or_default();
    name.starts_with("io.debezium.connector.") && name.ends_with(".Source")
}

/// Whether Avro allows the name.
pub(super) fn is_avro_name(name: &str) -> bool {
    name.bytes().all(is_name_byte) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Makes an Avro name as Confluent's `AvroData` does: from the name as a URL would carry it, with `_` for what is
/// no letter or digit. So `a-b` is `a_b`, `a b` is `a_b` and `ä` is `_C3_A4`; a leading digit gets an `x`.
fn scrub(name: &str) -> Cow<'_, str> {
    if name.is_empty() || is_avro_name(name) {
        return Cow::Borrowed(name);
    }
    let mut scrubbed = String::with_capacity(name.len() * 3);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        scrubbed.push('x');
    }
    for byte in name.bytes() {
        match byte {
            byte if is_name_byte(byte) => scrubbed.push(byte.into()),
            b' ' | b'-' | b'.' | b'*' => scrubbed.push('_'),
            byte => scrubbed.push_str(&format!("_{byte:02X}")),
        }
    }
    Cow::Owned(scrubbed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_scrubbed_as_urls_are_written() {
        // From Confluent's own tests of `doScrubName`, and by hand.
        for (name, scrubbed) in [
            ("abc_123", "abc_123"),
            ("a-b", "a_b"),
            ("a b", "a_b"),
            ("a+b", "a_2Bb"),
            ("123", "x123"),
            ("ä", "_C3_A4"),
            ("漢", "_E6_BC_A2"),
            ("", ""),
        ] {
            assert_eq!(scrub(name), scrubbed);
        }
    }

    #[test]
    fn parts_of_a_name_are_scrubbed_each() {
        let format = AvroFormat { scrub_names: true, ..AvroFormat::default() };

        assert_eq!(format.full_name("my-prefix.public.1t.Value"), "my_prefix.public.x1t.Value");
        assert_eq!(AvroFormat::default().full_name("my-prefix.t"), "my-prefix.t");
    }
}
