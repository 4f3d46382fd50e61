//! The recorded `users` change through both ends on real servers: rows/s, CPU of this process per row, and
//! the time from a write to its acknowledgement by the broker.
//!
//! `SLUICE_TEST_KAFKA=… SLUICE_TEST_REGISTRY=… cargo bench -p sluice-kafka --bench ends`
#![allow(clippy::print_stdout, reason = "a benchmark tells its figures")]

use std::{env, fs, sync::Arc, time::Duration, time::Instant, time::SystemTime};

use bytes::Bytes;
use sluice_core::{
    Record, Value,
    config::{Config as _, Properties},
    record::{Datum, EventPosition, Payload},
    schema::{Field, Kind, Schema},
    sink::{Sink as _, SinkConnector},
    source::{Source as _, SourceConnector, TaskContext},
    value::Struct,
};
use sluice_kafka::{
    KafkaSink, KafkaSource,
    avro::{Decoder, UnavailableValue},
};

/// Rows written and read.
const ROWS: usize = 500_000;
/// Rows of a window, as the driver's.
const WINDOW: usize = 10_000;
/// Rows a second while latency is measured.
const RATE: usize = 5_000;

fn records(topic: &str) -> Vec<Record> {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../tests/golden/users_avro.json")).expect("the recording is JSON");
    let text = golden["schemas"]["2"].as_str().expect("schema 2 is the envelope");
    let wire = golden["records"][2]["value"].as_str().expect("record 2 is an insert");
    let bytes: Vec<u8> = (0..wire.len() / 2)
        .map(|place| u8::from_str_radix(&wire[2 * place..2 * place + 2], 16).expect("the wire is in hex"))
        .collect();
    let decoder = Decoder::compile(text, &UnavailableValue::default()).expect("the schema compiles");
    let change = decoder.decode_change(&Bytes::from(bytes).slice(5..)).expect("the datum decodes");
    let key = Schema::record("bench.Key", vec![Field::new("id", Schema::new(Kind::Int64))]).shared();
    let topic: Arc<str> = topic.into();
    (0..WINDOW)
        .map(|id| {
            let id = i64::try_from(id).expect("a small number");
            let value = Struct::new(Arc::clone(&key), vec![Value::Int64(id)]);
            let key = Datum::new(Arc::clone(&key), value.into());
            let mut record = Record::new(Arc::clone(&topic), key, Payload::Change(change.clone()));
            record.origin.event = Some(EventPosition { epoch: 0, commit: 1 << 40, index: 0, count: 1 });
            record
        })
        .collect()
}

fn properties(topic: &str) -> Properties {
    let server = |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let mut properties = Properties::from([("topics", topic), ("topic.creation.default.partitions", "1")]);
    properties.set("bootstrap.servers", server("SLUICE_TEST_KAFKA"));
    for converter in ["key.converter", "value.converter"] {
        properties.set(format!("{converter}.schema.registry.url"), server("SLUICE_TEST_REGISTRY"));
    }
    properties
}

/// CPU time of this process, all threads, from the kernel's clock of 100 ticks a second.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux shows it");
    let after_name = stat.rsplit_once(')').expect("the name is in brackets").1;
    let ticks =
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn report(what: &str, rows: usize, started: Instant, cpu_before: Duration) {
    let (wall, used) = (started.elapsed().as_secs_f64(), (cpu() - cpu_before).as_secs_f64());
    println!("{what}: {:.0} rows/s, {:.2} µs CPU/row", rows as f64 / wall, used * 1e6 / rows as f64);
}

#[tokio::main]
async fn main() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    let topic = format!("bench.t{}", now.as_millis());
    let (properties, records) = (properties(&topic), records(&topic));
    let context = || TaskContext { connector: topic.clone() };
    let config = <KafkaSink as SinkConnector>::Config::from_properties(&properties).expect("it parses");
    let mut sink = KafkaSink.open(config, context()).await.expect("the sink opens");
    sink.write(&records).await.expect("written");
    sink.flush(None).await.expect("flushed");

    let (started, used) = (Instant::now(), cpu());
    for _ in 0..ROWS / WINDOW {
        sink.write(&records).await.expect("written");
        sink.flush(None).await.expect("flushed");
    }
    report("write", ROWS, started, used);

    let mut latencies: Vec<Duration> = Vec::new();
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..1_000 {
        beat.tick().await;
        let started = Instant::now();
        sink.write(&records[..RATE / 200]).await.expect("written");
        sink.flush(None).await.expect("flushed");
        latencies.push(started.elapsed());
    }
    latencies.sort_unstable();
    let at = |share: usize| latencies[latencies.len() * share / 1_000].as_secs_f64() * 1e3;
    println!(
        "write to acknowledged at {RATE} rows/s: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms",
        at(500),
        at(990),
        at(999)
    );
    sink.close().await.expect("closed");

    let config = <KafkaSource as SourceConnector>::Config::from_properties(&properties).expect("it parses");
    let mut source = KafkaSource.open(config, context(), None).await.expect("the source opens");
    let mut rows = source.next_batch().await.expect("read").expect("no end").records.len();
    let (started, used) = (Instant::now(), cpu());
    let skipped = rows;
    while rows < ROWS {
        rows += source.next_batch().await.expect("read").expect("no end").records.len();
    }
    report("read", rows - skipped, started, used);
    source.close().await.expect("closed");
}
