//! How long after its commit a row stands in Kafka, at a fixed rate and with default settings.
//!
//! The topic takes the broker's append time as timestamp, and the records are JSON so that the commit time in their
//! source block can be read: both clocks are this machine's.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message};
use sluice_users::feeder::Feeder;
use sluice_users::postgres;
use tokio::time::sleep_until;

use super::Bench;

/// Topic prefix of this measurement.
const PREFIX: &str = "bench_latency";
/// Rows of one transaction, as in the figures this is compared with.
const ROWS_PER_TRANSACTION: u32 = 5;
/// How long rows are fed before those that count.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long rows are fed that count.
const MEASURED: Duration = Duration::from_secs(20);

/// Feeds at the rate of the options, reads the topic, and tells the percentiles.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<String> {
    let topic = format!("{PREFIX}.public.users");
    create(&bench.options.servers.kafka, &topic).await?;
    let mut connector = bench.source(PREFIX);
    for (key, value) in connector.iter_mut() {
        if key.ends_with(".converter") {
            "org.apache.kafka.connect.json.JsonConverter".clone_into(value);
        }
    }
    connector.retain(|(key, _)| !key.ends_with("registry.url"));
    for (key, value) in [("snapshot.mode", "no_data"), ("value.converter.schemas.enable", "false")] {
        connector.push((key.to_owned(), value.to_owned()));
    }
    let sluice = bench.start(&connector)?;
    slot_is_read(bench).await?;
    let fed = feed(bench).await?;
    let kafka = bench.options.servers.kafka.clone();
    let mut millis = tokio::task::spawn_blocking(move || read(&kafka, &topic, fed)).await??;
    sluice.stop().await?;
    let counted = usize::try_from(u64::from(bench.options.rate) * MEASURED.as_secs())?.min(millis.len());
    let mut millis = millis.split_off(millis.len() - counted);
    millis.sort_by(f64::total_cmp);
    let at = |percent: f64| millis[((millis.len() - 1) as f64 * percent / 100.0).round() as usize];
    Ok(format!(
        "\nlatency, commit to broker, {} rows/s, {counted} rows: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
        bench.options.rate,
        at(50.0),
        at(90.0),
        at(99.0),
        at(99.9),
        at(100.0)
    ))
}

async fn create(bootstrap_servers: &str, topic: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap_servers).create()?;
    let new =
        NewTopic::new(topic, 1, TopicReplication::Fixed(1)).set("message.timestamp.type", "LogAppendTime");
    for created in admin.create_topics([&new], &AdminOptions::new()).await? {
        created.map_err(|(topic, code)| anyhow::anyhow!("create topic {topic}: {code}"))?;
    }
    Ok(())
}

/// Waits until the slot is there and read: without a snapshot, earlier rows would never arrive.
async fn slot_is_read(bench: &Bench) -> anyhow::Result<()> {
    let client = postgres::connect_to(&bench.postgres).await?;
    let start = Instant::now();
    let sql = "SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND active";
    while client.query_opt(sql, &[&PREFIX]).await?.is_none() {
        ensure!(start.elapsed() < super::LIMIT, "nobody reads slot {PREFIX}");
        tokio::time::sleep(super::LOOK).await;
    }
    Ok(())
}

/// Returns how many rows were inserted.
async fn feed(bench: &Bench) -> anyhow::Result<u64> {
    let mut feeder = Feeder::new(postgres::connect_to(&bench.postgres).await?, 3).await?;
    let (start, transactions) =
        (tokio::time::Instant::now(), f64::from(bench.options.rate / ROWS_PER_TRANSACTION));
    let mut fed = 0_u64;
    while start.elapsed() < WARM_UP + MEASURED {
        feeder.insert_many(ROWS_PER_TRANSACTION as usize, ROWS_PER_TRANSACTION as usize).await?;
        fed += 1;
        sleep_until(start + Duration::from_secs_f64(fed as f64 / transactions)).await;
    }
    Ok(fed * u64::from(ROWS_PER_TRANSACTION))
}

/// Reads all records and returns the latency of each in milliseconds.
fn read(bootstrap_servers: &str, topic: &str, records: u64) -> anyhow::Result<Vec<f64>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", PREFIX)
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic])?;
    let (start, mut millis) = (Instant::now(), Vec::new());
    while (millis.len() as u64) < records {
        ensure!(start.elapsed() < super::LIMIT, "{} of {records} records arrived", millis.len());
        let Some(message) = consumer.poll(Duration::from_secs(1)) else { continue };
        let message = message?;
        let appended = message.timestamp().to_millis().context("a record without append time")?;
        let envelope: serde_json::Value = serde_json::from_slice(message.payload().unwrap_or_default())?;
        let committed = envelope["source"]["ts_us"].as_i64().context("a record without source.ts_us")?;
        // The append time is cut to milliseconds: half of one is added back.
        millis.push(appended as f64 + 0.5 - committed as f64 / 1e3);
    }
    Ok(millis)
}
