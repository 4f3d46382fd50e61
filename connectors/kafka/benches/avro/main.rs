//! Changes through our Avro, `apache-avro` and `serde_avro_fast`, in one run; and through our JSON.
//!
//! `cargo bench -p sluice-kafka --bench avro`
//!
//! How the three are made comparable:
//! - Each side compiles its schema once, reads the same datum and writes into a buffer that is kept. Before
//!   anything is measured, all sides must have read the same values and have written the same bytes back.
//! - Reading at run time, without knowing the table: ours makes a [`Change`], `apache-avro` its own `Value`,
//!   `serde_avro_fast` a [`Tree`] that borrows from the datum, which is what serde can do best here.
//!   Ours counts references to the datum instead of borrowing, since changes outlive the call; "from a copy"
//!   adds the copy of the datum that such sharing needs once.
//! - `serde_avro_fast` is made for types known at compile time; for `users` its derived struct is measured, too.
//!   For the other samples there is none: nobody writes such structs for tables that come and change.
//! - Writing begins at a ready value of each side's own; serde's names are static text, as a derive gives them.
//! - The schemas of the other two are without logical types. So decimals are bytes on every side:
//!   else `apache-avro` makes big integers of them, and `serde_avro_fast` refuses those beyond 28 digits.
//! - All use the system's allocator, where the program has jemalloc.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

mod samples;
mod tree;
mod users;

use std::hint::black_box;

use apache_avro::{reader::datum::GenericDatumReader, writer::datum::GenericDatumWriter};
use bytes::Bytes;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use serde::{Serialize, de::IgnoredAny};
use sluice_core::change::Change;
use sluice_kafka::{
    avro::{AvroFormat, ChangeEncoder},
    json,
};

use samples::Sample;
use tree::{Name, Tree};

/// Room for the datum of any sample.
const DATUM: usize = 8 * 1024;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn avro(criterion: &mut Criterion) {
    for sample in samples::all() {
        let mut group = criterion.benchmark_group(sample.name);
        ours(&mut group, &sample);
        apache(&mut group, &sample);
        serde_avro_fast(&mut group, &sample);
        if sample.name == samples::USERS {
            serde_struct(&mut group, &sample);
        }
        group.finish();
    }
}

/// Measures a writer that appends the sample's datum, once it has been seen to do so.
fn encode(group: &mut Group<'_>, side: &str, sample: &Sample, mut write: impl FnMut(&mut Vec<u8>)) {
    let mut out = Vec::with_capacity(DATUM);
    write(&mut out);
    assert_eq!(out, sample.datum, "{side} writes the sample");
    group.bench_function(format!("encode/{side}"), |bencher| {
        bencher.iter(|| {
            out.clear();
            write(&mut out);
            black_box(&out);
        });
    });
}

fn ours(group: &mut Group<'_>, sample: &Sample) {
    let Sample { decoder, datum, change, .. } = sample;
    let encoder =
        ChangeEncoder::compile(&change.schema, &AvroFormat::default()).expect("the schema compiles");
    assert_eq!(decoder.decode_change(datum).expect("the datum decodes"), *change);

    encode(group, "ours", sample, |out| {
        encoder.encode(black_box(change), out).expect("the change encodes");
    });
    group.bench_function("decode/ours", |bencher| {
        bencher.iter(|| decoder.decode_change(black_box(datum)).expect("the datum decodes"));
    });
    group.bench_function("decode/ours, from a copy", |bencher| {
        bencher.iter(|| {
            let datum = Bytes::copy_from_slice(black_box(datum));
            decoder.decode_change(&datum).expect("the datum decodes")
        });
    });
}

fn apache(group: &mut Group<'_>, sample: &Sample) {
    let datum = &sample.datum[..];
    let schema = apache_avro::Schema::parse_str(&sample.physical_schema()).expect("the schema parses");
    let reader = GenericDatumReader::builder(&schema).build().expect("the reader builds");
    let writer = GenericDatumWriter::builder(&schema).build().expect("the writer builds");
    let value = reader.read_value(&mut &datum[..]).expect("the datum decodes");
    let ours = sample.decoder.decode(&sample.datum).expect("the datum decodes");
    assert_eq!(Tree::from(&value), Tree::from(&ours), "apache-avro reads what we read");

    encode(group, "apache-avro", sample, |out| {
        writer.write_value_ref(out, black_box(&value)).expect("the value encodes");
    });
    group.bench_function("decode/apache-avro", |bencher| {
        bencher.iter(|| reader.read_value(&mut black_box(datum)).expect("the datum decodes"));
    });
}

fn serde_avro_fast(group: &mut Group<'_>, sample: &Sample) {
    let datum = &sample.datum[..];
    let schema: serde_avro_fast::Schema = sample.physical_schema().parse().expect("the schema parses");
    let read = |datum| -> Tree<'_, IgnoredAny> {
        serde_avro_fast::from_datum_slice(datum, &schema).expect("the datum decodes")
    };
    let named: Tree<'_, Name> = serde_avro_fast::from_datum_slice(datum, &schema).expect("the datum decodes");
    let ours = sample.decoder.decode(&sample.datum).expect("the datum decodes");
    assert_eq!(read(datum), Tree::from(&ours), "serde_avro_fast reads what we read");

    encode(group, "serde_avro_fast, tree", sample, write_by_serde(&schema, &named));
    group.bench_function("decode/serde_avro_fast, tree", |bencher| {
        bencher.iter(|| read(black_box(datum)));
    });
}

fn serde_struct(group: &mut Group<'_>, sample: &Sample) {
    let datum = &sample.datum[..];
    let schema: serde_avro_fast::Schema = sample.physical_schema().parse().expect("the schema parses");
    let read = |datum| -> users::Envelope<'_> {
        serde_avro_fast::from_datum_slice(datum, &schema).expect("the datum decodes")
    };
    let envelope = read(datum);

    encode(group, "serde_avro_fast, struct", sample, write_by_serde(&schema, &envelope));
    group.bench_function("decode/serde_avro_fast, struct", |bencher| {
        bencher.iter(|| read(black_box(datum)));
    });
}

/// A writer whose configuration, with its buffers, is kept from record to record.
fn write_by_serde(schema: &serde_avro_fast::Schema, value: &impl Serialize) -> impl FnMut(&mut Vec<u8>) {
    let mut config = serde_avro_fast::ser::SerializerConfig::new(schema);
    move |out| {
        serde_avro_fast::to_datum(black_box(value), out, &mut config).expect("the value encodes");
    }
}

fn json(criterion: &mut Criterion) {
    let change: Change = samples::recorded().change;
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

criterion_group!(benches, avro, json);
criterion_main!(benches);
