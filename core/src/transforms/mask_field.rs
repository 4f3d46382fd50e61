//! `MaskField`: hides what stands in fields.
//!
//! Hot path.
//!
//! Masks are zeros of the field's type (0, false, empty text, list or map), or a replacement for numbers and
//! text. Nulls stay null. A null key or value passes through, where the original fails on a tombstone. An
//! *unavailable* value is masked like a known one: it is not null, and the mask does not depend on it.

use bytes::Bytes;

use super::{
    TransformError,
    replace_field::fill_defaults,
    side::{Fields, Side},
};
use crate::{
    config::{Fault, Names},
    error::Error,
    record::Record,
    schema::{Kind, Schema, connect},
    transform::{Transform, TransformFactory, Transformed},
    value::{Struct, Value},
    zero::zero,
};

crate::config! {
    /// Properties of `MaskField$Key` and `MaskField$Value`.
    pub struct MaskFieldConfig {
        /// Fields to mask.
        "fields" => fields: Names,
        /// What to put there, for fields that are numbers or text; zero or empty without it.
        "replacement" => replacement: Option<String>,
        /// Whether a null in a field that has a default becomes the default, as it does in Kafka Connect.
        "replace.null.with.default" => replace_null: bool = "true",
    }
}

/// Masks fields of the key.
#[derive(Debug, Clone, Copy)]
pub struct MaskKeyField;

/// Masks fields of the value.
#[derive(Debug, Clone, Copy)]
pub struct MaskValueField;

impl TransformFactory for MaskKeyField {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.MaskField$Key";
    type Config = MaskFieldConfig;
    type Transform = MaskField;

    fn build(&self, config: MaskFieldConfig) -> Result<MaskField, Vec<Fault>> {
        MaskField::new(Side::Key, config)
    }
}

impl TransformFactory for MaskValueField {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.MaskField$Value";
    type Config = MaskFieldConfig;
    type Transform = MaskField;

    fn build(&self, config: MaskFieldConfig) -> Result<MaskField, Vec<Fault>> {
        MaskField::new(Side::Value, config)
    }
}

/// A `MaskField` at work.
pub struct MaskField {
    side: Side,
    fields: Vec<String>,
    replacement: Option<String>,
    replace_null: bool,
}

impl MaskField {
    fn new(side: Side, config: MaskFieldConfig) -> Result<Self, Vec<Fault>> {
        if config.fields.0.is_empty() {
            let message = "must name one field at least; it has no default";
            return Err(vec![Fault::new("config.missing_property", "fields", message)]);
        }
        Ok(Self {
            side,
            fields: config.fields.0,
            replacement: config.replacement,
            replace_null: config.replace_null,
        })
    }

    fn masks(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field == name)
    }

    fn mask_struct(&self, value: Struct) -> Result<Struct, TransformError> {
        let (schema, mut values) = value.into_parts();
        if self.replace_null {
            fill_defaults(&schema, &mut values);
        }
        for (value, field) in values.iter_mut().zip(schema.fields()) {
            if !value.is_null() && self.masks(&field.name) {
                let mask = Mask { field: &field.name, replacement: self.replacement.as_deref() };
                *value = mask.of_schema(&field.schema)?;
            }
        }
        Ok(Struct::new(schema, values))
    }

    fn mask_map(&self, pairs: &mut [(Value, Value)]) -> Result<(), TransformError> {
        for (key, value) in pairs {
            if let Some(name) = key.as_str()
                && self.masks(name)
            {
                *value = Mask { field: name, replacement: self.replacement.as_deref() }.of_value(value)?;
            }
        }
        Ok(())
    }
}

impl Transform for MaskField {
    fn apply(&self, record: Record) -> Result<Transformed, Error> {
        self.side.change_fields("MaskField", record, |fields| {
            Ok(match fields {
                Fields::Struct(value) => Fields::Struct(self.mask_struct(value)?),
                Fields::Map(mut pairs) => {
                    self.mask_map(&mut pairs)?;
                    Fields::Map(pairs)
                }
            })
        })
    }
}

/// What takes a value's place.
struct Mask<'a> {
    field: &'a str,
    replacement: Option<&'a str>,
}

impl Mask<'_> {
    fn of_schema(&self, schema: &Schema) -> Result<Value, TransformError> {
        if schema.is_named(connect::DECIMAL) {
            return self.decimal(schema);
        }
        let dated =
            [connect::DATE, connect::TIME, connect::TIMESTAMP].into_iter().any(|name| schema.is_named(name));
        if dated && self.replacement.is_some() {
            return Err(self.cannot(schema.kind.name()));
        }
        match schema.kind {
            Kind::Bytes | Kind::Struct(_) => Err(self.cannot(schema.kind.name())),
            Kind::String => self.of_zero(Value::from_static("")),
            _ => self.of_zero(zero(schema)),
        }
    }

    /// Without a schema the value tells its type; what is null or unavailable tells none and hides nothing.
    fn of_value(&self, value: &Value) -> Result<Value, TransformError> {
        let zero = match value {
            Value::Null => return Ok(Value::Null),
            Value::Unavailable => return Ok(Value::Unavailable),
            Value::Boolean(_) => Value::Boolean(false),
            Value::Int8(_) => Value::Int8(0),
            Value::Int16(_) => Value::Int16(0),
            Value::Int32(_) => Value::Int32(0),
            Value::Int64(_) => Value::Int64(0),
            Value::Float32(_) => Value::Float32(0.0),
            Value::Float64(_) => Value::Float64(0.0),
            Value::String(_) => Value::from_static(""),
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Map(_) => Value::Map(Vec::new()),
            Value::Bytes(_) | Value::Struct(_) => return Err(self.cannot(value.type_name())),
        };
        self.of_zero(zero)
    }

    /// Puts the replacement in the place of a zero of the same type.
    fn of_zero(&self, zero: Value) -> Result<Value, TransformError> {
        let Some(replacement) = self.replacement else { return Ok(zero) };
        let found = zero.type_name();
        let replaced = match zero {
            Value::Int8(_) => integer(replacement).map(Value::Int8),
            Value::Int16(_) => integer(replacement).map(Value::Int16),
            Value::Int32(_) => integer(replacement).map(Value::Int32),
            Value::Int64(_) => integer(replacement).map(Value::Int64),
            Value::Float32(_) => replacement.parse().ok().map(Value::Float32),
            Value::Float64(_) => replacement.parse().ok().map(Value::Float64),
            Value::String(_) => Some(Value::from(replacement)),
            _ => return Err(self.cannot(found)),
        };
        replaced.ok_or_else(|| TransformError::ReplacementType { field: self.field.to_owned(), found })
    }

    /// A decimal is its unscaled value in bytes; the scale stands in the schema.
    fn decimal(&self, schema: &Schema) -> Result<Value, TransformError> {
        let scale = schema.parameter("scale").and_then(|scale| scale.parse().ok()).unwrap_or(0);
        let unscaled = match self.replacement {
            None => Some(0),
            Some(replacement) => unscaled(replacement, scale),
        };
        let refused = || TransformError::ReplacementType { field: self.field.to_owned(), found: "decimal" };
        let bytes = unscaled.ok_or_else(refused)?.to_be_bytes();
        Ok(Value::Bytes(Bytes::copy_from_slice(shortest(&bytes))))
    }

    fn cannot(&self, found: &'static str) -> TransformError {
        let replaced = self.replacement.is_some();
        TransformError::CannotMask { field: self.field.to_owned(), found, replaced }
    }
}

/// Reads a whole number; a fraction is cut off, as in the original.
fn integer<T: TryFrom<i64>>(text: &str) -> Option<T> {
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte.is_ascii_digit()) { whole } else { text }
    });
    whole.parse::<i64>().ok()?.try_into().ok()
}

/// Reads a decimal number at a scale; `None` when it has more digits than fit.
fn unscaled(text: &str, scale: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > scale || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<scale$}").parse().ok()
}

/// Cuts leading bytes that only repeat the sign, as `BigInteger.toByteArray` does.
fn shortest(bytes: &[u8]) -> &[u8] {
    let sign = if bytes[0] >= 0x80 { 0xff } else { 0 };
    let redundant = |pair: &&[u8]| pair[0] == sign && (pair[1] ^ sign) < 0x80;
    &bytes[bytes.windows(2).take_while(redundant).count()..]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config::{Config as _, Properties},
        record::{Datum, Payload},
        schema::Field,
    };

    fn masked(schema: Schema, value: Value, replacement: Option<&str>) -> Result<Value, Error> {
        let config = MaskFieldConfig {
            fields: Names(vec!["f".to_owned()]),
            replacement: replacement.map(str::to_owned),
            replace_null: true,
        };
        let row = Schema::record("row", vec![Field::new("f", schema)]).shared();
        let datum = Datum::new(Arc::clone(&row), Struct::new(row, vec![value]).into());
        let record = Record::new("t".into(), Datum::NULL, Payload::Plain(datum));
        match MaskValueField.build(config).expect("the properties are right").apply(record)? {
            Transformed::Keep(Record {
                value: Payload::Plain(Datum { value: Value::Struct(row), .. }),
                ..
            }) => Ok(row.values()[0].clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn masks_are_zeros_of_the_type() {
        let text = Schema::new(Kind::String);

        assert_eq!(masked(text.clone(), Value::from("secret"), None).unwrap(), Value::from(""));
        assert_eq!(masked(text, Value::Unavailable, None).unwrap(), Value::from(""));
        assert_eq!(masked(Schema::new(Kind::Int16), Value::Int16(7), None).unwrap(), Value::Int16(0));
        assert_eq!(
            masked(Schema::new(Kind::Boolean), Value::Boolean(true), None).unwrap(),
            Value::Boolean(false)
        );
        let decimal = Schema::new(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", "2");
        let bytes = |bytes: &'static [u8]| Value::Bytes(Bytes::from_static(bytes));
        assert_eq!(masked(decimal.clone(), bytes(&[4, 210]), None).unwrap(), bytes(&[0]));
        assert_eq!(masked(decimal.clone(), bytes(&[1]), Some("-1.28")).unwrap(), bytes(&[0x80]));
        assert_eq!(masked(decimal, bytes(&[1]), Some("2.56")).unwrap(), bytes(&[1, 0]));
    }

    #[test]
    fn replacement_takes_the_type_of_the_field() {
        assert_eq!(
            masked(Schema::new(Kind::Int32), Value::Int32(1), Some("42.9")).unwrap(),
            Value::Int32(42)
        );
        assert_eq!(
            masked(Schema::new(Kind::String), Value::from("x"), Some("***")).unwrap(),
            Value::from("***")
        );
    }

    #[test]
    fn null_stays_null() {
        assert_eq!(
            masked(Schema::new(Kind::String).optional(), Value::Null, Some("x")).unwrap(),
            Value::Null
        );
    }

    #[test]
    fn what_cannot_be_masked_is_refused() {
        let code = |schema, value, replacement| masked(schema, value, replacement).unwrap_err().code();

        assert_eq!(code(Schema::new(Kind::Bytes), Value::Bytes(Bytes::new()), None), "transform.cannot_mask");
        assert_eq!(
            code(Schema::new(Kind::Boolean), Value::Boolean(true), Some("x")),
            "transform.cannot_mask"
        );
        let date = Schema::new(Kind::Int32).named(connect::DATE);
        assert_eq!(code(date, Value::Int32(1), Some("1")), "transform.cannot_mask");
        assert_eq!(code(Schema::new(Kind::Int8), Value::Int8(1), Some("300")), "transform.replacement_type");
    }

    #[test]
    fn tombstone_passes_and_a_schemaless_map_is_masked() {
        let config = MaskFieldConfig::from_properties(&Properties::from([("fields", "f")])).unwrap();
        let mask = MaskValueField.build(config).unwrap();
        let apply = |value| match mask.apply(Record::new("t".into(), Datum::NULL, value)).unwrap() {
            Transformed::Keep(record) => record.value,
            other => panic!("{other:?}"),
        };
        let map = |number| {
            let pairs = vec![(Value::from("f"), Value::Int64(number)), (Value::from("g"), Value::Int64(5))];
            Payload::Plain(Datum::schemaless(Value::Map(pairs)))
        };

        assert_eq!(apply(Payload::TOMBSTONE), Payload::TOMBSTONE);
        assert_eq!(apply(map(9)), map(0));
    }

    #[test]
    fn fields_must_be_given() {
        let config = MaskFieldConfig::from_properties(&Properties::default()).unwrap();

        assert_eq!(MaskKeyField.build(config).err().unwrap()[0].property, "fields");
    }
}
