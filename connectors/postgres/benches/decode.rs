//! Decoding of one row: a 12-column users-like insert of about 250 bytes, as text and as binary.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_postgres::pgoutput::testing::{encode, tuple};
use sluice_postgres::pgoutput::{Column, Insert, Message, decode, row_header};

const TEXT: [&str; 12] = [
    "4815162",
    "8c2f4c3e-6a0b-4f0e-9d7c-2f6b3a1d5e90",
    "Ottilie",
    "Sonnenschein-Baumgartner",
    "ottilie.sonnenschein@example.com",
    "sadpanda1234",
    "female",
    "1987-04-23",
    "+49-30-901820",
    "2026-11-21 10:26:31.123456+00",
    "Berlin",
    "t",
];

fn insert(columns: &[Column<&[u8]>]) -> Bytes {
    encode(&Message::Insert(Insert { xid: None, relation_id: 16_395, new: tuple(columns) }))
}

fn text_insert() -> Bytes {
    insert(&TEXT.map(|text| Column::Text(text.as_bytes())))
}

/// The same row with the number, uuid, date, time and boolean in their binary form.
fn binary_insert() -> Bytes {
    let mut columns = TEXT.map(|text| Column::Binary(text.as_bytes()));
    columns[0] = Column::Binary(&[0, 0x49, 0x79, 0xFA]);
    columns[1] = Column::Binary(&[0x8C; 16]);
    columns[7] = Column::Binary(&[0xFF, 0xFF, 0xED, 0xDE]);
    columns[9] = Column::Binary(&[0, 3, 3, 0xC5, 0xA6, 0xDB, 0x9D, 0x31]);
    columns[11] = Column::Binary(&[1]);
    insert(&columns)
}

fn bench_row(criterion: &mut Criterion, name: &str, row: &Bytes) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(row.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(row), false));
    });
    group.bench_function("decode and walk", |bencher| {
        bencher.iter(|| {
            let Ok(Message::Insert(insert)) = decode(black_box(row), false) else {
                panic!("the row is an insert");
            };
            insert
                .new
                .columns()
                .map(|column| match column {
                    Column::Text(value) | Column::Binary(value) => value.len(),
                    Column::Null | Column::Unchanged => 0,
                })
                .sum::<usize>()
        });
    });
    group.bench_function("row header", |bencher| {
        bencher.iter(|| row_header(black_box(row), false));
    });
    group.finish();
}

fn decode_rows(criterion: &mut Criterion) {
    bench_row(criterion, "text", &text_insert());
    bench_row(criterion, "binary", &binary_insert());
}

criterion_group!(benches, decode_rows);
criterion_main!(benches);
