//! Binding a row of the users table: values to the cells of an INSERT.

use std::{hint::black_box, sync::Arc};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_cassandra::probe::Probe;
use sluice_core::{
    Record, Schema, SchemaRef, Value,
    change::{Change, ChangeSchema, Operation},
    record::{Datum, Payload},
    schema::{Field, Kind, connect, debezium},
    value::Struct,
};

const UUID: &str = "0d8f7c1e-5a3b-4c2d-9e8f-001122334455";
const MOMENT: &str = "2016-05-24T13:49:48.882000Z";

/// Column, schema and value of a typical person: 29 columns, 1.2 kB with the raw document.
fn columns() -> Vec<(&'static str, Schema, Value)> {
    let coordinate = || Schema::new(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", "4");
    let degrees = || Value::Bytes(Bytes::from_static(&[0x0b, 0x4c, 0x21]));
    let moment = || Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP);
    let raw = format!("{{\"gender\":\"female\",\"filler\":\"{}\"}}", "x".repeat(800));
    let mut columns = vec![
        ("id", Schema::new(Kind::String).named(debezium::UUID), Value::from_static(UUID)),
        ("street_number", Schema::new(Kind::Int32), Value::Int32(4711)),
        ("latitude", coordinate(), degrees()),
        ("longitude", coordinate(), degrees()),
        ("dob", moment(), Value::from_static(MOMENT)),
        ("registered", moment(), Value::from_static(MOMENT)),
        ("created_at", moment(), Value::from_static(MOMENT)),
        ("updated_at", moment(), Value::from_static(MOMENT)),
        ("raw", Schema::new(Kind::String).named(debezium::JSON), raw.into()),
        ("version", Schema::new(Kind::Int32), Value::Int32(1)),
        ("national_id_value", Schema::new(Kind::String).optional(), Value::Null),
    ];
    let texts = [
        ("gender", "female"),
        ("name_title", "Ms"),
        ("name_first", "آدرینا"),
        ("name_last", "O'Connor"),
        ("street_name", "Rue de L'Abbé-Migne"),
        ("city", "Saint-Étienne"),
        ("state", "Loire"),
        ("country", "France"),
        ("postcode", "0042"),
        ("timezone_offset", "+5:45"),
        ("timezone_description", "Kathmandu"),
        ("email", "adrina.oconnor@example.com"),
        ("username", "yellowpeacock117"),
        ("phone", "(272) 790-0888"),
        ("cell", "(489) 330-2385"),
        ("national_id_name", "INSEE"),
        ("picture_url", "https://randomuser.me/api/portraits/women/75.jpg"),
        ("nat", "FR"),
    ];
    columns.extend(
        texts.map(|(name, text)| (name, Schema::new(Kind::String).optional(), Value::from_static(text))),
    );
    columns
}

/// An insert as the envelope, and the same row unwrapped.
fn records() -> (SchemaRef, SchemaRef, Record, Record) {
    let columns = columns();
    let fields: Vec<_> = columns.iter().map(|(name, schema, _)| Field::new(*name, schema.clone())).collect();
    let values: Vec<_> = columns.into_iter().map(|(_, _, value)| value).collect();
    let key = Schema::record("Key", fields[..1].to_vec()).shared();
    let row = Schema::record("Value", fields).optional().shared();
    let source = Schema::record("Source", Vec::new()).shared();
    let schema = ChangeSchema::new("p", Arc::clone(&row), Some(Arc::clone(&key)), source);
    let key_datum = Datum::new(Arc::clone(&key), Struct::new(Arc::clone(&key), values[..1].to_vec()).into());
    let change = Change {
        schema: Arc::new(schema),
        operation: Operation::Create,
        before: None,
        after: Some(values.clone()),
        source: Vec::new(),
        transaction: None,
        timestamp_ns: None,
    };
    let plain = Datum::new(Arc::clone(&row), Struct::new(Arc::clone(&row), values).into());
    let topic: Arc<str> = "users".into();
    let envelope = Record::new(Arc::clone(&topic), key_datum.clone(), Payload::Change(change));
    (key, row, envelope, Record::new(topic, key_datum, Payload::Plain(plain)))
}

fn bind(criterion: &mut Criterion) {
    let (key, row, envelope, plain) = records();
    let probe = Probe::new(&key, &row);
    let mut group = criterion.benchmark_group("users row");
    group.throughput(Throughput::Elements(1));
    for (name, record) in [("envelope", &envelope), ("unwrapped", &plain)] {
        let mut cells = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                cells.clear();
                probe.insert(black_box(record), 1 << 40, &mut cells)
            });
        });
    }
    group.bench_function("envelope, fresh buffer as the driver gives", |bencher| {
        bencher.iter(|| {
            let mut cells = Vec::new();
            probe.insert(black_box(&envelope), 1 << 40, &mut cells).map(|()| cells)
        });
    });
    let mut cells = Vec::new();
    group.bench_function("delete", |bencher| {
        bencher.iter(|| {
            cells.clear();
            probe.delete(black_box(&plain), 1 << 40, &mut cells)
        });
    });
    group.finish();
}

criterion_group!(benches, bind);
criterion_main!(benches);
