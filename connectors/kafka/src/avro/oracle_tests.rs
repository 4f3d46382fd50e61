//! `apache-avro` as oracle: random schemas and values, both directions; and bytes of no meaning.

use std::sync::Arc;

use apache_avro::types::Value as Theirs;
use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use sluice_core::{
    Value,
    schema::{Field, Kind, Schema, SchemaRef, connect},
    value::Struct,
};

use super::{AvroFormat, Decoder, Encoder, UnavailableValue, golden_tests};

/// A schema with a value of it.
pub(crate) type Case = (Schema, Value);

fn to_avro(schema: &Schema) -> Result<String, super::AvroError> {
    super::schema::to_avro(schema, &AvroFormat::default())
}

fn leaf() -> impl Strategy<Value = Case> {
    let of = |kind: Kind| move |value: Value| (Schema::new(kind.clone()), value);
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean).prop_map(of(Kind::Boolean)),
        any::<i8>().prop_map(Value::Int8).prop_map(of(Kind::Int8)),
        any::<i16>().prop_map(Value::Int16).prop_map(of(Kind::Int16)),
        any::<i32>().prop_map(Value::Int32).prop_map(of(Kind::Int32)),
        any::<i64>().prop_map(Value::Int64).prop_map(of(Kind::Int64)),
        any::<f32>().prop_map(Value::Float32).prop_map(of(Kind::Float32)),
        any::<f64>().prop_map(Value::Float64).prop_map(of(Kind::Float64)),
        vec(any::<u8>(), 0..80).prop_map(|bytes| Value::Bytes(bytes.into())).prop_map(of(Kind::Bytes)),
        ".{0,40}".prop_map(Value::from).prop_map(of(Kind::String)),
        vec(any::<u8>(), 1..12).prop_map(|bytes| {
            let schema = Schema::new(Kind::Bytes).named(connect::DECIMAL).versioned(1);
            (schema.with_parameter("scale", "3"), Value::Bytes(bytes.into()))
        }),
    ]
}

/// Makes the schema optional, perhaps with the value as default, and the value null or not.
fn nullable(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    (case, 0..5_u8).prop_map(|((schema, value), way)| match way {
        0 => (schema, value),
        1 => (schema.optional(), value),
        2 => (schema.optional(), Value::Null),
        3 => (with_default(schema, &value).optional(), value),
        _ => (with_default(schema, &value).optional(), Value::Null),
    })
}

/// Connect cannot hold defaults of structs, and NaN is no JSON.
fn with_default(schema: Schema, value: &Value) -> Schema {
    match value {
        Value::Struct(_) | Value::Array(_) | Value::Map(_) | Value::Float32(_) | Value::Float64(_) => schema,
        value => schema.with_default(value.clone()),
    }
}

/// Returns random schemas with values of them; names are Avro's.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    nullable(leaf()).prop_recursive(4, 24, 5, |inner| {
        let list = (inner.clone(), 0..4_usize).prop_map(|((schema, value), count)| {
            (Schema::new(Kind::Array(schema.shared())), Value::Array(vec![value; count]))
        });
        let map = (inner.clone(), vec("[a-z]{0,8}", 0..3)).prop_map(|((schema, value), keys)| {
            let key = Schema::new(Kind::String).shared();
            let pairs = keys.into_iter().map(|key| (Value::from(key), value.clone()));
            (Schema::new(Kind::Map { key, value: schema.shared() }), Value::Map(pairs.collect()))
        });
        let record = vec(inner, 0..5).prop_map(|members| {
            let (fields, values): (Vec<_>, Vec<_>) = members
                .into_iter()
                .enumerate()
                .map(|(place, (schema, value))| (Field::new(format!("f{place}"), schema), value))
                .unzip();
            let schema = Schema::new(Kind::Struct(fields));
            let value = Struct::new(Arc::new(schema.clone()), values);
            (schema, value.into())
        });
        nullable(prop_oneof![list, map, record])
    })
}

fn decoder(text: &str) -> Decoder {
    Decoder::compile(text, &UnavailableValue::default()).unwrap()
}

fn encode(schema: &SchemaRef, value: &Value) -> Bytes {
    let mut out = Vec::new();
    Encoder::compile(schema, &AvroFormat::default()).unwrap().encode(value, &mut out).unwrap();
    out.into()
}

/// Reads a datum with the oracle.
fn theirs(schema: &apache_avro::Schema, datum: &[u8]) -> Theirs {
    let mut rest = datum;
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(schema).build().unwrap();
    let value = reader.read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "the oracle left {} bytes", rest.len());
    value
}

/// Whether the oracle read what we wrote. Struct schemas differ in optionality, so compare by content.
fn is_same(ours: &Value, theirs: &Theirs) -> bool {
    match (ours, theirs) {
        (ours, Theirs::Union(_, theirs)) => is_same(ours, theirs),
        (Value::Null, Theirs::Null) => true,
        (Value::Boolean(ours), Theirs::Boolean(theirs)) => ours == theirs,
        (Value::Int8(_) | Value::Int16(_) | Value::Int32(_), Theirs::Int(theirs)) => {
            ours.as_i64() == Some((*theirs).into())
        }
        (Value::Int32(ours), Theirs::Date(theirs) | Theirs::TimeMillis(theirs)) => ours == theirs,
        (Value::Int64(ours), Theirs::Long(theirs) | Theirs::TimestampMillis(theirs)) => ours == theirs,
        (Value::Float32(ours), Theirs::Float(theirs)) => ours.to_bits() == theirs.to_bits(),
        (Value::Float64(ours), Theirs::Double(theirs)) => ours.to_bits() == theirs.to_bits(),
        (Value::Bytes(ours), Theirs::Bytes(theirs)) => ours == theirs,
        (Value::Bytes(ours), Theirs::Decimal(theirs)) => {
            Vec::try_from(theirs).is_ok_and(|theirs: Vec<u8>| theirs == ours.as_ref())
        }
        (Value::String(ours), Theirs::String(theirs)) => **ours == **theirs,
        (Value::Array(ours), Theirs::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Map(ours), Theirs::Map(theirs)) => ours.iter().rev().all(|(key, value)| {
            theirs.get(key.as_str().unwrap_or_default()).is_some_and(|theirs| is_same(value, theirs))
        }),
        (Value::Struct(ours), Theirs::Record(theirs)) => {
            ours.values().len() == theirs.len()
                && ours.values().iter().zip(theirs).all(|(ours, (_, theirs))| is_same(ours, theirs))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn oracle_reads_what_we_write_and_we_read_what_it_writes((schema, value) in case()) {
        let schema = schema.shared();
        let text = to_avro(&schema).unwrap();
        let oracle = apache_avro::Schema::parse_str(&text).unwrap();

        let datum = encode(&schema, &value);
        let read = theirs(&oracle, &datum);
        prop_assert!(is_same(&value, &read), "{text}");

        let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&oracle).build().unwrap();
        let written = Bytes::from(writer.write_value_to_vec(read.clone()).unwrap());
        let again = decoder(&text).decode(&written).unwrap();
        prop_assert!(is_same(&again, &read), "{text}");
    }

    #[test]
    fn schema_survives_printing_and_reading((schema, _) in case()) {
        let text = to_avro(&schema).unwrap();

        let again = super::parse::from_avro(&text).unwrap();

        prop_assert_eq!(to_avro(&again).unwrap(), text);
    }

    #[test]
    fn no_bytes_panic_or_exhaust_memory((schema, _) in case(), datum in vec(any::<u8>(), 0..200)) {
        let decoder = decoder(&to_avro(&schema).unwrap());

        // Whether it decodes is chance; that it returns is the claim.
        let _ = decoder.decode(&datum.into());
    }

    #[test]
    fn no_bytes_panic_in_a_recorded_envelope(
        place in 0..400_usize,
        byte in any::<u8>(),
        cut in 0..400_usize,
    ) {
        for golden in golden_tests::all().iter().take(2) {
            for (id, datum) in &golden.datums {
                let decoder = decoder(&golden.schemas[id]);
                let mut bytes = datum.to_vec();
                let place = place % bytes.len();
                bytes[place] = byte;
                bytes.truncate(bytes.len() - cut % (bytes.len() / 2 + 1));
                let torn = Bytes::from(bytes);

                let _ = decoder.decode(&torn);
                let _ = decoder.decode_change(&torn);
            }
        }
    }

    #[test]
    fn no_text_panics_the_schema_reader(text in "[\\[\\]{}\":,a-z]{0,40}") {
        let _ = super::parse::from_avro(&text);
    }
}

#[test]
fn recorded_datums_are_the_same_to_the_oracle() {
    for golden in golden_tests::all() {
        for (id, datum) in &golden.datums {
            let text = &golden.schemas[id];
            let oracle = apache_avro::Schema::parse_str(text).unwrap();

            // The recordings hold unavailable values, which the oracle knows only as their placeholder.
            let decoder =
                Decoder::compile(text, &UnavailableValue::new("nowhere in the recordings")).unwrap();
            let value = decoder.decode(datum).unwrap();

            assert!(is_same(&value, &theirs(&oracle, datum)), "{id}");
        }
    }
}

#[test]
fn list_that_claims_more_items_than_bytes_is_refused() {
    let decoder = decoder(r#"{"type":"array","items":"long"}"#);
    // A count of 2^40 without an item.
    let mut datum = Vec::new();
    super::encode::write_long(&mut datum, 1 << 40);

    let error = decoder.decode(&datum.into()).unwrap_err();

    assert_eq!(error.to_string(), "cannot decode `(root)` at byte 0: the datum ends before the value does");
}

#[test]
fn list_of_nothing_cannot_grow_without_bytes() {
    let decoder = decoder(r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#);
    let mut datum = Vec::new();
    super::encode::write_long(&mut datum, 1 << 40);
    datum.push(0);

    assert!(decoder.decode(&datum.into()).is_err());
}

#[test]
fn blocks_with_a_size_are_read() {
    let decoder = decoder(r#"{"type":"array","items":"int"}"#);

    // Count -2 and its size of 2 bytes, then a block of one, then the end.
    let value = decoder.decode(&Bytes::from_static(&[3, 4, 2, 4, 2, 6, 0])).unwrap();

    assert_eq!(value, Value::Array(vec![Value::Int32(1), Value::Int32(2), Value::Int32(3)]));
}

#[test]
fn bytes_after_the_datum_are_refused() {
    let error = decoder("\"int\"").decode(&Bytes::from_static(&[2, 0])).unwrap_err();

    assert_eq!(error.to_string(), "cannot decode `(root)` at byte 1: 1 bytes follow the datum");
}
