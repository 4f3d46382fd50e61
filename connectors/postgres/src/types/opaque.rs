//! Types that Debezium does not know: the text that Postgres prints, as bytes.

use bytes::{Bytes, BytesMut};
use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

use super::ValueError;
use super::decoder::{put_binary, slice, written};
use super::facts::{Form, ResolvedType};
use super::output::{Figure, Output, put_java_float};
use crate::config::BinaryMode;

/// Reads an unknown type.
#[derive(Debug, Clone)]
pub(crate) struct Opaque {
    source: Source,
    form: BinaryMode,
}

/// Where the text comes from.
#[derive(Debug, Clone)]
enum Source {
    /// Postgres sends it, as the type has no binary form.
    Sent,
    /// Debezium's driver prints these itself.
    Figure(Figure),
    Printed(Output),
}

impl Opaque {
    /// Finds how a type is read; `None` for one with a binary form that is not known here.
    pub(super) fn of(type_: &ResolvedType, form: BinaryMode) -> Option<Self> {
        let figure = || Figure::named(&type_.name).filter(|_| type_.built_in() && type_.form == Form::Base);
        let source = match figure() {
            _ if !type_.sends => Source::Sent,
            Some(figure) => Source::Figure(figure),
            None => Source::Printed(Output::of(type_)?),
        };
        Some(Self { source, form })
    }

    /// The schema, required: bytes, or their text in the mode for bytes.
    pub(super) fn schema(&self) -> Schema {
        match self.form {
            BinaryMode::Bytes => Schema::new(Kind::Bytes),
            _ => Schema::new(Kind::String),
        }
    }

    /// Whether a snapshot must ask for the text.
    pub(super) fn sent_as_text(&self) -> bool {
        matches!(self.source, Source::Sent)
    }

    pub(super) fn decode(
        &self,
        whole: &Bytes,
        value: &[u8],
        chunk: &mut BytesMut,
    ) -> Result<Value, ValueError> {
        let mut text = BytesMut::new();
        match &self.source {
            Source::Sent => return self.wrap(whole, value, chunk),
            Source::Figure(figure) => figure.put(value, put_java_float, &mut text)?,
            Source::Printed(output) => output.put(value, &mut text)?,
        }
        let text = text.freeze();
        self.wrap(&text, &text, chunk)
    }

    pub(super) fn decode_text(&self, whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
        self.wrap(whole, value, &mut BytesMut::new())
    }

    fn wrap(&self, whole: &Bytes, text: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
        // Bytes that are no text would be another type's binary form.
        slice(whole, text)?;
        if self.form == BinaryMode::Bytes {
            return Ok(Value::Bytes(whole.slice_ref(text)));
        }
        put_binary(self.form, text, chunk);
        written(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::mapping;

    fn type_(name: &str, sends: bool) -> ResolvedType {
        ResolvedType { sends, ..mapping::tests::type_(name, -1) }
    }

    #[test]
    fn text_is_sent_or_made_and_takes_the_form_of_bytes() {
        let lsn = 0x16_B374_D848_u64.to_be_bytes();
        let read = |type_: &ResolvedType, form, wire: &[u8]| {
            let wire = Bytes::copy_from_slice(wire);
            Opaque::of(type_, form).unwrap().decode(&wire, &wire, &mut BytesMut::new()).unwrap()
        };

        let bytes = read(&type_("pg_lsn", true), BinaryMode::Bytes, &lsn);
        assert_eq!(bytes, Value::Bytes(Bytes::from_static(b"16/B374D848")));
        assert_eq!(read(&type_("ean13", false), BinaryMode::Hex, b"97"), Value::from_static("3937"));
        let cube = ResolvedType { oid: 20_000, ..type_("cube", true) };
        assert!(Opaque::of(&cube, BinaryMode::Bytes).is_none());
    }
}
