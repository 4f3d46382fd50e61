//! Values as Java prints them: what Connect's `StringConverter` writes, such as `Struct{id=1}` for a key.

use bytestring::ByteString;
use sluice_core::{
    Schema, Value,
    change::Change,
    record::Datum,
    schema::{Kind, SchemaRef, connect},
    value::Struct,
};

use crate::{
    avro::{
        UnavailableValue,
        encode::zero,
        text::{push_double, push_float},
    },
    json::decimal,
};

/// What Java prints in a way that nobody can read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoText(pub(crate) &'static str);

/// Writes values of any schema as text, and reads text.
#[derive(Debug)]
pub(crate) struct TextConverter {
    schema: SchemaRef,
    unavailable: UnavailableValue,
}

impl TextConverter {
    pub(crate) fn new(unavailable: UnavailableValue) -> Self {
        Self { schema: Schema::new(Kind::String).optional().shared(), unavailable }
    }

    /// Returns text as a value with its schema.
    pub(crate) fn decode(&self, text: ByteString) -> Datum {
        Datum::new(SchemaRef::clone(&self.schema), Value::String(text))
    }

    /// Appends the text of a value that is not null.
    ///
    /// # Errors
    /// [`NoText`]; `out` then ends in a torn text that the caller truncates.
    pub(crate) fn encode(
        &self,
        schema: Option<&Schema>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), NoText> {
        match (schema, value) {
            (_, Value::Null) => out.extend_from_slice(b"null"),
            (_, Value::String(text)) => out.extend_from_slice(text.as_bytes()),
            (_, Value::Boolean(value)) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            (Some(schema), _) if is_time(schema) => {
                return Err(NoText(
                    "a Connect date or time, whose text depends on the time zone of the process",
                ));
            }
            (_, Value::Float32(value)) => push_number(out, |text| push_float(text, *value)),
            (_, Value::Float64(value)) => push_number(out, |text| push_double(text, *value)),
            (Some(schema), Value::Bytes(bytes)) if schema.is_named(connect::DECIMAL) => {
                let scale =
                    schema.parameter("scale").and_then(|scale| scale.parse().ok()).unwrap_or_default();
                out.extend_from_slice(decimal::to_text(bytes, scale).as_bytes());
            }
            (_, Value::Bytes(_)) => return Err(NoText("bytes")),
            (_, Value::Map(_)) => return Err(NoText("a map, which has no order")),
            (schema, Value::Array(values)) => self.list(schema, values, out)?,
            (_, Value::Struct(value)) => self.structure(value, out)?,
            (Some(schema), Value::Unavailable) => {
                let form = self.unavailable.form(schema).ok_or(NoText("an unavailable value"))?;
                self.encode(Some(schema), &form, out)?;
            }
            (None, Value::Unavailable) => out.extend_from_slice(self.unavailable.text().as_bytes()),
            (_, value) => {
                let mut buffer = itoa::Buffer::new();
                out.extend_from_slice(buffer.format(value.as_i64().unwrap_or_default()).as_bytes());
            }
        }
        Ok(())
    }

    /// Appends the text of an envelope; null in required columns of `before` is filled as in Avro.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub(crate) fn encode_change(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), NoText> {
        let mut change = change.clone();
        let columns = change.schema.row.fields().iter();
        for (field, value) in columns.zip(change.before.iter_mut().flatten()) {
            if value.is_null() && !field.schema.optional {
                *value = field.schema.default.clone().unwrap_or_else(|| zero(&field.schema));
            }
        }
        self.structure(&change.into_struct(), out)
    }

    /// Connect leaves out fields that are null.
    fn structure(&self, value: &Struct, out: &mut Vec<u8>) -> Result<(), NoText> {
        out.extend_from_slice(b"Struct{");
        let fields = value.schema().fields().iter().zip(value.values());
        let set = fields.filter(|(_, value)| !value.is_null());
        for (place, (field, value)) in set.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(field.name.as_bytes());
            out.push(b'=');
            self.encode(Some(&field.schema), value, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn list(&self, schema: Option<&Schema>, values: &[Value], out: &mut Vec<u8>) -> Result<(), NoText> {
        let items = match schema {
            Some(Schema { kind: Kind::Array(items), .. }) => Some(&**items),
            _ => None,
        };
        out.push(b'[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(b", ");
            }
            self.encode(items, value, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

fn is_time(schema: &Schema) -> bool {
    [connect::DATE, connect::TIME, connect::TIMESTAMP].into_iter().any(|name| schema.is_named(name))
}

fn push_number(out: &mut Vec<u8>, print: impl FnOnce(&mut String)) {
    let mut text = String::new();
    print(&mut text);
    // What is no number comes quoted, as JSON needs it.
    out.extend_from_slice(text.trim_matches('"').as_bytes());
}

#[cfg(test)]
mod tests {
    use sluice_core::schema::Field;

    use super::*;

    fn text(schema: &Schema, value: &Value) -> Result<String, NoText> {
        let mut out = Vec::new();
        TextConverter::new(UnavailableValue::default()).encode(Some(schema), value, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn decimal() -> Schema {
        Schema::new(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", "2")
    }

    #[test]
    fn struct_reads_as_java_prints_it() {
        let fields = vec![
            Field::new("id", Schema::new(Kind::Int64)),
            Field::new("name", Schema::new(Kind::String).optional()),
            Field::new("none", Schema::new(Kind::String).optional()),
            Field::new("price", decimal()),
            Field::new("rate", Schema::new(Kind::Float64)),
            Field::new("tags", Schema::new(Kind::Array(Schema::new(Kind::String).shared()))),
        ];
        let schema = Schema::record("Key", fields);
        let values = vec![
            Value::Int64(1),
            "a,\"b\"".into(),
            Value::Null,
            Value::Bytes(vec![0x6e].into()),
            Value::Float64(1.0),
            Value::Array(vec!["x".into(), Value::Null]),
        ];
        let value = Struct::new(schema.clone().shared(), values).into();

        let read = text(&schema, &value).unwrap();

        assert_eq!(read, "Struct{id=1,name=a,\"b\",price=1.10,rate=1.0,tags=[x, null]}");
    }

    #[test]
    fn what_java_prints_as_nothing_readable_is_refused() {
        let day = Schema::new(Kind::Int32).named(connect::DATE);

        assert_eq!(text(&Schema::new(Kind::Bytes), &Value::Bytes(vec![1].into())), Err(NoText("bytes")));
        assert!(text(&day, &Value::Int32(1)).is_err());
        assert_eq!(text(&Schema::new(Kind::Float64), &Value::Float64(f64::NAN)).unwrap(), "NaN");
    }
}
