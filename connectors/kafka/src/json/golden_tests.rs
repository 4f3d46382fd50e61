//! Messages of a real Debezium 3.6.1 with Connect's JSON converter, from `tests/golden`.

use bytes::Bytes;
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};
use sluice_core::{SchemaRef, Value, record::Payload};

use crate::avro::AvroFormat;

use super::{ChangeEncoder, DecimalFormat, Decoder, Encoder, JsonError, JsonFormat, decode};

const FILES: [&str; 2] =
    [include_str!("../../tests/golden/users_json.json"), include_str!("../../tests/golden/zoo_default.json")];

/// Returns keys and values as the messages they were: `{"schema": …, "payload": …}`.
fn messages() -> Vec<Json> {
    let mut messages = Vec::new();
    for file in FILES {
        let golden: Json = serde_json::from_str(file).unwrap();
        for record in golden["records"].as_array().unwrap() {
            for (schema, payload) in [("key_schema", "key"), ("value_schema", "value")] {
                if let Some(schema) = record[schema].as_u64() {
                    let schema = &golden["schemas"][schema as usize];
                    messages.push(json!({ "schema": schema, "payload": record[payload] }));
                }
            }
        }
    }
    messages
}

/// The text as Jackson wrote it: with characters beyond U+FFFF as surrogates, which `serde_json` does not write.
fn bytes(message: &Json) -> Bytes {
    serde_json::to_string(message).unwrap().replace('😀', "\\uD83D\\uDE00").into()
}

fn format(schemas_enable: bool) -> JsonFormat {
    JsonFormat { schemas_enable, ..JsonFormat::default() }
}

#[test]
fn every_recorded_message_survives_decoding_and_encoding_as_a_value() {
    let messages = messages();
    assert_eq!(messages.len(), 24);

    for message in messages {
        let wire = bytes(&message);
        let datum = decode(&wire, true).unwrap();
        let mut out = Vec::new();
        Encoder::compile(datum.schema.as_ref(), &format(true))
            .unwrap()
            .encode(&datum.value, &mut out)
            .unwrap();

        // Byte for byte: the order of members is the converter's.
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(wire.to_vec()).unwrap());
    }
}

#[test]
fn every_recorded_envelope_survives_decoding_and_encoding_as_a_change() {
    let decoder = Decoder::new(format(true));
    let mut count = 0;

    for message in messages() {
        let Payload::Change(change) = decoder.decode_payload(&bytes(&message)).unwrap() else { continue };
        let mut out = Vec::new();
        ChangeEncoder::compile(&change.schema, &format(true)).unwrap().encode(&change, &mut out).unwrap();

        assert_eq!(serde_json::from_slice::<Json>(&out).unwrap(), message);
        count += 1;
    }
    assert_eq!(count, 11);
}

#[test]
fn decimals_survive_as_numbers() {
    let numeric = JsonFormat { decimal: DecimalFormat::Numeric, ..format(true) };

    for message in messages() {
        let datum = decode(&bytes(&message), true).unwrap();
        let mut out = Vec::new();
        Encoder::compile(datum.schema.as_ref(), &numeric).unwrap().encode(&datum.value, &mut out).unwrap();

        assert_eq!(decode(&out.into(), true).unwrap().value, datum.value);
    }
}

#[test]
fn schemaless_objects_are_maps_with_text_keys() {
    let datum = decode(&Bytes::from_static(br#"{"a":1,"b":[1.5,null,"x"]}"#), false).unwrap();

    let list = Value::Array(vec![Value::Float64(1.5), Value::Null, "x".into()]);
    assert_eq!(datum.value, Value::Map(vec![("a".into(), Value::Int64(1)), ("b".into(), list)]));
    assert_eq!(datum.schema, None);
}

#[test]
fn schemaless_values_are_written_alone() {
    let wire = br#"{"a":1,"b":[1.5,null,"x"]}"#;
    let datum = decode(&Bytes::from_static(wire), false).unwrap();

    let mut out = Vec::new();
    super::encode(None, &datum.value, false, &mut out).unwrap();

    assert_eq!(out, wire);
}

#[test]
fn message_without_schema_is_refused_when_schemas_are_expected() {
    for text in [r#"{"a":1}"#, "[]", "7", r#"{"schema":null,"payload":1,"more":2}"#] {
        assert_eq!(decode(&Bytes::from(text), true), Err(JsonError::NoSchema), "{text}");
    }
}

#[test]
fn known_schema_is_found_however_the_message_is_laid_out() {
    let decoder = Decoder::new(format(true));
    let first = r#"{"schema":{"type":"int32"},"payload":1}"#;
    let others = [
        r#"{"schema":{"type":"int32"},"payload": 1 } "#,
        r#" { "payload":1, "schema":{"type":"int32"} }"#,
        r#"{"schema":{ "type":"int32"},"payload":1}"#,
    ];
    let read = |text: &'static str| decoder.decode(&Bytes::from_static(text.as_bytes()));
    let known = read(first).unwrap();

    for text in others {
        assert_eq!(read(text).unwrap(), known, "{text}");
    }
    for text in
        [r#"{"schema":{"type":"int32"},"payload":1"#, r#"{"schema":{"type":"int32"},"payload":1,"a":2}"#]
    {
        assert!(read(text).is_err(), "accepted {text}");
    }
}

#[test]
fn fault_in_a_payload_is_named_by_its_path() {
    let message = json!({
        "schema": {"type": "struct", "optional": false, "fields": [
            {"type": "struct", "optional": false, "field": "after", "fields": [
                {"type": "int16", "optional": false, "field": "age"}]}]},
        "payload": {"after": {"age": 70_000}},
    });

    let error = decode(&bytes(&message), true).unwrap_err();

    assert_eq!(error.to_string(), "cannot decode `after.age`: the schema wants int16, this number is none");
}

#[test]
fn placeholder_in_a_row_is_unavailable_and_back() {
    let message = json!({
        "schema": {"type": "struct", "fields": [
            {"type": "string", "optional": true, "field": "note"},
            {"type": "array", "items": {"type": "int32", "optional": true}, "optional": true, "field": "codes"},
            {"type": "string", "optional": true, "field": "other"}], "optional": false},
        "payload": {
            "note": "__debezium_unavailable_value",
            "codes": b"__debezium_unavailable_value".to_vec(),
            "other": "x"},
    });

    let datum = decode(&bytes(&message), true).unwrap();
    let mut out = Vec::new();
    super::encode(datum.schema.as_deref(), &datum.value, true, &mut out).unwrap();

    let values = datum.value.as_struct().unwrap().values().to_vec();
    assert_eq!(values, [Value::Unavailable, Value::Unavailable, "x".into()]);
    assert_eq!(serde_json::from_slice::<Json>(&out).unwrap(), message);
}

/// Returns a value's Avro datum, which has no room for what structs say of their own schema.
fn datum(schema: &SchemaRef, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    crate::avro::Encoder::compile(schema, &AvroFormat::default()).unwrap().encode(value, &mut out).unwrap();
    out
}

proptest! {
    #[test]
    fn any_value_survives_with_its_schema((schema, value) in crate::avro::oracle_tests::case()) {
        let schema = schema.shared();
        let mut out = Vec::new();
        Encoder::compile(Some(&schema), &format(true)).unwrap().encode(&value, &mut out).unwrap();

        let again = decode(&out.into(), true).unwrap();

        prop_assert_eq!(datum(&schema, &again.value), datum(&schema, &value));
        prop_assert_eq!(again.schema, Some(schema));
    }

    #[test]
    fn no_message_panics(place in any::<usize>(), byte in any::<u8>()) {
        let messages = messages();
        let mut wire = bytes(&messages[place % messages.len()]).to_vec();
        let place = place % wire.len();
        wire[place] = byte;

        let _ = Decoder::new(format(true)).decode_payload(&wire.into());
    }
}
