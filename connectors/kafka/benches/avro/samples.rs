//! The changes that go through the codecs: each with its schema's text, its datum and what it is.

use std::sync::Arc;

use bytes::Bytes;
use sluice_core::{
    change::{Change, ChangeSchema, Operation},
    schema::{Field, Kind, Schema, debezium},
    value::Value,
};
use sluice_kafka::avro::{AvroFormat, ChangeEncoder, Decoder, UnavailableValue, schema::to_avro};

/// The name of the sample of the demo's table.
pub(crate) const USERS: &str = "users";
/// Columns of the wide table.
const WIDE: usize = 100;

/// What the sides read and write.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// The envelope's schema as registered.
    pub(crate) text: String,
    pub(crate) decoder: Decoder,
    pub(crate) change: Change,
    /// The change without the wire prefix.
    pub(crate) datum: Bytes,
}

/// Returns all samples, the smallest first.
pub(crate) fn all() -> [Sample; 4] {
    [recorded(), users(), zoo(), wide()]
}

/// An insert into a table of 13 columns, recorded from Debezium: the row of the budgets.
pub(crate) fn recorded() -> Sample {
    let recording = include_str!("../../tests/golden/users_avro.json");
    Sample::recorded("13 columns", recording, "2", 2)
}

/// A row of 85 types, recorded from Debezium.
fn zoo() -> Sample {
    Sample::recorded("type zoo", include_str!("../../tests/golden/zoo_avro.json"), "22", 0)
}

/// An insert into the demo's table of 29 columns, with the document in `raw`.
fn users() -> Sample {
    let text = include_str!("../../../../schemas/users.public.users-value.avsc");
    Sample::made(USERS, text.to_owned(), users_row())
}

/// An insert into a table of 100 columns of seven types, half of them nullable and a third of those null.
fn wide() -> Sample {
    let columns = (0..WIDE).map(|place| {
        let schema = wide_type(place);
        let schema = if is_nullable(place) { schema.optional() } else { schema };
        Field::new(format!("column_{place}"), schema)
    });
    let row = Schema::record("wide.public.wide.Value", columns.collect()).optional().shared();
    let source = Arc::clone(&recorded().change.schema.source);
    let schema = ChangeSchema::new("wide.public.wide", row, None, source);
    let text = to_avro(&schema.envelope, &AvroFormat::default()).expect("the schema has a form in Avro");
    Sample::made("100 columns", text, (0..WIDE).map(wide_value).collect())
}

impl Sample {
    fn recorded(name: &'static str, recording: &str, schema: &str, record: usize) -> Self {
        let recording: serde_json::Value = serde_json::from_str(recording).expect("the recording is JSON");
        let text = recording["schemas"][schema].as_str().expect("the recording has the schema").to_owned();
        let wire = recording["records"][record]["value"].as_str().expect("the recording has the value");
        let bytes: Vec<u8> = (0..wire.len() / 2)
            .map(|place| u8::from_str_radix(&wire[2 * place..2 * place + 2], 16).expect("the wire is in hex"))
            .collect();
        let datum = Bytes::from(bytes).slice(5..);
        let decoder = decoder(&text);
        let change = decoder.decode_change(&datum).expect("the datum decodes");
        Self { name, text, decoder, change, datum }
    }

    /// An insert of a row, with the source block and the clocks of the recorded one.
    fn made(name: &'static str, text: String, row: Vec<Value>) -> Self {
        let decoder = decoder(&text);
        let schema = Arc::clone(decoder.change_schema().expect("the schema is an envelope"));
        let recorded = recorded().change;
        let change =
            Change { schema, operation: Operation::Create, before: None, after: Some(row), ..recorded };
        let encoder =
            ChangeEncoder::compile(&change.schema, &AvroFormat::default()).expect("the schema compiles");
        let mut datum = Vec::new();
        encoder.encode(&change, &mut datum).expect("the change encodes");
        Self { name, text, decoder, change, datum: datum.into() }
    }

    /// Returns the schema without logical types, which say nothing about the bytes.
    pub(crate) fn physical_schema(&self) -> String {
        let mut schema = serde_json::from_str(&self.text).expect("the schema is JSON");
        remove_logical_types(&mut schema);
        schema.to_string()
    }
}

fn decoder(text: &str) -> Decoder {
    Decoder::compile(text, &UnavailableValue::default()).expect("the schema compiles")
}

fn remove_logical_types(node: &mut serde_json::Value) {
    match node {
        serde_json::Value::Object(members) => {
            members.shift_remove("logicalType");
            members.values_mut().for_each(remove_logical_types);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(remove_logical_types),
        _ => {}
    }
}

fn wide_type(place: usize) -> Schema {
    match place % 7 {
        0 => Schema::new(Kind::Int32),
        1 => Schema::new(Kind::Int64),
        2 => Schema::new(Kind::String),
        3 => Schema::new(Kind::Float64),
        4 => Schema::new(Kind::Boolean),
        5 => Schema::new(Kind::Int64).named(debezium::MICRO_TIMESTAMP).versioned(1),
        _ => Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP).versioned(1),
    }
}

fn is_nullable(place: usize) -> bool {
    place % 2 == 1
}

fn wide_value(place: usize) -> Value {
    if is_nullable(place) && place.is_multiple_of(3) {
        return Value::Null;
    }
    let number = i32::try_from(place).expect("a small number");
    match place % 7 {
        0 => Value::Int32(7_919 * number),
        1 => Value::Int64(1_000_003 * i64::from(number)),
        2 => Value::from(format!("text of column {place}")),
        3 => Value::Float64(f64::from(number) / 7.0),
        4 => Value::Boolean(place.is_multiple_of(4)),
        5 => Value::Int64(1_760_000_000_000_000 + i64::from(number)),
        _ => Value::from_static("2025-10-09T08:53:20.000001Z"),
    }
}

fn users_row() -> Vec<Value> {
    let text = Value::from_static;
    let bytes = |bytes: &'static [u8]| Value::Bytes(Bytes::from_static(bytes));
    vec![
        text("7b4d1c52-6a6e-4e0a-9d61-0c9a5a3f7e21"),
        text("female"),
        text("Ms"),
        text("Léonie"),
        text("Fournier"),
        Value::Int32(4821),
        text("Avenue du Château"),
        text("Saint-Étienne"),
        text("Haute-Loire"),
        text("France"),
        text("42018"),
        bytes(&[0x06, 0xf1, 0x3c]),
        bytes(&[0xf8, 0x02, 0x77]),
        text("+1:00"),
        text("Brussels, Copenhagen, Madrid, Paris"),
        text("leonie.fournier@example.com"),
        text("organicpanda417"),
        text("1984-03-17T05:41:09.312000Z"),
        text("2011-08-02T19:22:47.101000Z"),
        text("02-61-77-40-15"),
        text("06-45-98-12-73"),
        text("INSEE"),
        text("2840242018455 61"),
        text("https://example.com/portraits/women/61.jpg"),
        text("FR"),
        text(include_str!("users.raw.json").trim_ascii_end()),
        text("2026-01-05T10:00:00.123456Z"),
        text("2026-01-05T10:00:00.123456Z"),
        Value::Int32(1),
    ]
}
