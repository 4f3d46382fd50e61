//! One change of the recorded `users` table (13 columns, 247 bytes of datum) through the codecs, with
//! `apache-avro` and JSON beside ours.
//!
//! `cargo bench -p sluice-kafka --bench avro`
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use apache_avro::{reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use sluice_core::change::Change;
use sluice_kafka::{
    avro::{AvroFormat, ChangeEncoder, Decoder, UnavailableValue},
    json,
};

/// What the benches share: schema text, the datum of an insert, and the change in it.
struct Sample {
    text: String,
    decoder: Decoder,
    datum: Bytes,
    change: Change,
}

fn sample() -> Sample {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../tests/golden/users_avro.json")).expect("the recording is JSON");
    let text = golden["schemas"]["2"].as_str().expect("schema 2 is the envelope").to_owned();
    let wire = golden["records"][2]["value"].as_str().expect("record 2 is an insert");
    let bytes: Vec<u8> = (0..wire.len() / 2)
        .map(|place| u8::from_str_radix(&wire[2 * place..2 * place + 2], 16).expect("the wire is in hex"))
        .collect();
    let datum = Bytes::from(bytes).slice(5..);
    let decoder = Decoder::compile(&text, &UnavailableValue::default()).expect("the schema compiles");
    let change = decoder.decode_change(&datum).expect("the datum decodes");
    Sample { text, decoder, datum, change }
}

fn ours(criterion: &mut Criterion) {
    let Sample { decoder, datum, change, .. } = sample();
    let encoder =
        ChangeEncoder::compile(&change.schema, &AvroFormat::default()).expect("the schema compiles");
    let mut out = Vec::with_capacity(1024);

    criterion.bench_function("encode/ours", |bencher| {
        bencher.iter(|| {
            out.clear();
            encoder.encode(black_box(&change), &mut out).expect("the change encodes");
            black_box(&out);
        });
    });
    criterion.bench_function("decode/ours, change", |bencher| {
        bencher.iter(|| decoder.decode_change(black_box(&datum)).expect("the datum decodes"));
    });
    criterion.bench_function("decode/ours, change from a fresh copy of the datum", |bencher| {
        bencher.iter(|| {
            let datum = Bytes::copy_from_slice(black_box(&datum));
            decoder.decode_change(&datum).expect("the datum decodes")
        });
    });
    criterion.bench_function("decode/ours, value", |bencher| {
        bencher.iter(|| decoder.decode(black_box(&datum)).expect("the datum decodes"));
    });
}

fn apache(criterion: &mut Criterion) {
    let Sample { text, datum, .. } = sample();
    let schema = apache_avro::Schema::parse_str(&text).expect("the schema parses");
    let reader = GenericDatumReader::builder(&schema).build().expect("the reader builds");
    let writer = GenericDatumWriter::builder(&schema).build().expect("the writer builds");
    let value = reader.read_value(&mut &datum[..]).expect("the datum decodes");
    let mut out = Vec::with_capacity(1024);

    criterion.bench_function("encode/apache-avro, from a ready value", |bencher| {
        bencher.iter(|| {
            out.clear();
            writer.write_value_ref(&mut out, black_box(&value)).expect("the value encodes");
            black_box(&out);
        });
    });
    criterion.bench_function("decode/apache-avro", |bencher| {
        bencher.iter(|| reader.read_value(&mut black_box(&datum[..])).expect("the datum decodes"));
    });
}

fn json(criterion: &mut Criterion) {
    let change = sample().change;
    for schemas_enable in [false, true] {
        let kind = if schemas_enable { "with schema" } else { "without schema" };
        let format = json::JsonFormat { schemas_enable, ..json::JsonFormat::default() };
        let converter = json::JsonConverter::new(format);
        let mut out = Vec::with_capacity(16_384);
        converter.encode_change(&change, &mut out).expect("the change encodes");
        let message = Bytes::from(out.clone());

        criterion.bench_function(&format!("json/encode {kind}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                converter.encode_change(black_box(&change), &mut out).expect("the change encodes");
                black_box(&out);
            });
        });
        criterion.bench_function(&format!("json/decode {kind}"), |bencher| {
            bencher.iter(|| converter.decode_payload(black_box(&message)).expect("the message decodes"));
        });
    }
}

criterion_group!(benches, ours, apache, json);
criterion_main!(benches);
