//! Schemas and records of a real Debezium 3.6.1 with an Avro converter, from `tests/golden`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde_json::Value as Json;
use sluice_core::{
    change::{Change, ChangeSchema},
    schema::SchemaRef,
    value::Value,
};

use super::{AvroFormat, ChangeEncoder, Decoder, Encoder, UnavailableValue, parse::from_avro};

/// One recording: schema texts by id, and the wire bytes of keys and values.
pub(super) struct Golden {
    pub(super) schemas: BTreeMap<u32, String>,
    pub(super) datums: Vec<(u32, Bytes)>,
}

const FILES: [&str; 5] = [
    include_str!("../../tests/golden/users_avro.json"),
    include_str!("../../tests/golden/zoo_avro.json"),
    include_str!("../../tests/golden/zoo_avro_time_connect.json"),
    include_str!("../../tests/golden/defaults_avro.json"),
    include_str!("../../tests/golden/evolve_avro.json"),
];

pub(super) fn all() -> Vec<Golden> {
    FILES.iter().map(|text| read(text)).collect()
}

fn read(text: &str) -> Golden {
    let json: Json = serde_json::from_str(text).unwrap();
    let schemas = json["schemas"].as_object().unwrap().iter();
    let schemas = schemas.map(|(id, text)| (id.parse().unwrap(), text.as_str().unwrap().to_owned()));
    let records = json["records"].as_array().unwrap().iter();
    let wires = records.flat_map(|record| [&record["key"], &record["value"]]).filter_map(Json::as_str);
    let datums = wires.map(|wire| {
        let bytes = from_hex(wire);
        assert_eq!(bytes[0], 0, "the wire prefix begins with 0");
        (u32::from_be_bytes(bytes[1..5].try_into().unwrap()), Bytes::from(bytes).slice(5..))
    });
    Golden { schemas: schemas.collect(), datums: datums.collect() }
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn to_avro(schema: &sluice_core::Schema) -> Result<String, super::AvroError> {
    super::schema::to_avro(schema, &AvroFormat::default())
}

fn decoder(text: &str) -> Decoder {
    Decoder::compile(text, &UnavailableValue::default()).unwrap()
}

#[test]
fn every_recorded_schema_prints_byte_for_byte() {
    let texts: Vec<_> = all().into_iter().flat_map(|golden| golden.schemas.into_values()).collect();

    assert_eq!(texts.len(), 15);
    for text in texts {
        assert_eq!(to_avro(&from_avro(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn every_recorded_datum_survives_decoding_and_encoding_as_a_value() {
    let mut count = 0;
    for golden in all() {
        for (id, datum) in &golden.datums {
            let decoder = decoder(&golden.schemas[id]);
            let encoder = Encoder::compile(decoder.schema(), &AvroFormat::default()).unwrap();

            let value = decoder.decode(datum).unwrap();
            let mut out = Vec::new();
            encoder.encode(&value, &mut out).unwrap();

            assert_eq!(out, datum.as_ref());
            count += 1;
        }
    }
    assert_eq!(count, 40);
}

#[test]
fn every_recorded_envelope_survives_decoding_and_encoding_as_a_change() {
    let mut count = 0;
    for golden in all() {
        for (id, datum) in &golden.datums {
            let decoder = decoder(&golden.schemas[id]);
            let Some(schema) = decoder.change_schema() else { continue };
            let encoder = ChangeEncoder::compile(schema, &AvroFormat::default()).unwrap();

            let change = decoder.decode_change(datum).unwrap();
            let mut out = Vec::new();
            encoder.encode(&change, &mut out).unwrap();

            assert_eq!(out, datum.as_ref());
            assert_eq!(Value::from(change.into_struct()), decoder.decode(datum).unwrap());
            count += 1;
        }
    }
    assert_eq!(count, 19);
}

#[test]
fn a_streamed_row_reads_snapshot_false_as_debeziums_does() {
    let golden = read(FILES[0]);
    let mut count = 0;
    for (id, datum) in &golden.datums {
        let decoder = decoder(&golden.schemas[id]);
        let Some(schema) = decoder.change_schema() else { continue };
        let mut change = decoder.decode_change(datum).unwrap();
        let fields = schema.source.fields();
        let snapshot = fields.iter().position(|field| &*field.name == "snapshot").unwrap();
        if change.source[snapshot].as_str() != Some("false") {
            continue;
        }
        // What the source hands over: the field is not set.
        change.source[snapshot] = Value::Null;

        let mut out = Vec::new();
        ChangeEncoder::compile(schema, &AvroFormat::default()).unwrap().encode(&change, &mut out).unwrap();

        assert_eq!(out, datum.as_ref());
        count += 1;
    }
    assert!(count > 0, "no streamed row was recorded");
}

#[test]
fn torn_recorded_datums_are_refused_wherever_they_end() {
    let golden = read(FILES[0]);
    let (id, datum) = &golden.datums[1];
    let decoder = decoder(&golden.schemas[id]);

    for end in 0..datum.len() {
        assert!(decoder.decode(&datum.slice(..end)).is_err(), "accepted the first {end} bytes");
        assert!(decoder.decode_change(&datum.slice(..end)).is_err(), "accepted the first {end} bytes");
    }
}

/// A change of the recorded users table, and the schemas of it.
fn users() -> (Arc<ChangeSchema>, Change, Bytes) {
    let golden = read(FILES[0]);
    let (id, datum) = golden.datums.iter().rfind(|(_, datum)| datum.len() > 100).unwrap();
    let decoder = decoder(&golden.schemas[id]);
    (Arc::clone(decoder.change_schema().unwrap()), decoder.decode_change(datum).unwrap(), datum.clone())
}

#[test]
fn absent_columns_of_an_old_row_are_filled_as_debezium_fills_them() {
    let (schema, mut change, datum) = users();
    assert_eq!(change.operation, sluice_core::change::Operation::Delete);
    // What pgoutput sends of the old row: the key alone.
    let before = change.before.as_mut().unwrap();
    let balance = schema.row.field_index("balance").unwrap();
    let zero_balance = before[balance].clone();
    for value in &mut before[1..] {
        *value = Value::Null;
    }
    // Debezium writes the default there; we write null, which the union allows.
    before[balance] = zero_balance;

    let mut out = Vec::new();
    ChangeEncoder::compile(&schema, &AvroFormat::default()).unwrap().encode(&change, &mut out).unwrap();

    assert_eq!(out, datum.as_ref());
}

#[test]
fn null_in_a_required_column_of_the_new_row_is_refused_with_its_path() {
    let (schema, mut change, _) = users();
    change.after = change.before.take();
    let username = schema.row.field_index("username").unwrap();
    change.after.as_mut().unwrap()[username] = Value::Null;
    let encoder = ChangeEncoder::compile(&schema, &AvroFormat::default()).unwrap();

    // `before` is null, as the schema allows.
    let error = encoder.encode(&change, &mut Vec::new()).unwrap_err();

    assert_eq!(error.to_string(), "cannot encode `after.username`: null in a required field without default");
}

#[test]
fn unavailable_value_is_written_as_the_marker_and_read_back() {
    let (schema, mut change, _) = users();
    change.after = change.before.take();
    let encoder = ChangeEncoder::compile(&schema, &AvroFormat::default()).unwrap();
    for column in ["username", "bio", "balance"] {
        let place = schema.row.field_index(column).unwrap();
        change.after.as_mut().unwrap()[place] = Value::Unavailable;
    }

    let mut out = Vec::new();
    encoder.encode(&change, &mut out).unwrap();
    let text = to_avro(&schema.envelope).unwrap();
    let again = decoder(&text).decode_change(&out.clone().into()).unwrap();

    assert_eq!(again, change);
    assert!(String::from_utf8_lossy(&out).contains(UnavailableValue::DEFAULT_MARKER));
}

#[test]
fn rows_of_before_and_after_share_one_schema() {
    let (schema, _, _) = users();
    let of = |name: &str| -> &SchemaRef { &schema.envelope.field(name).unwrap().schema };

    assert!(Arc::ptr_eq(of("before"), of("after")));
}
