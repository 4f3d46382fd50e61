//! A record that cannot be decoded does not stop the others.

use std::time::Instant;

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
    producer::{BaseRecord, Producer, ThreadedProducer},
};
use sluice_users::feeder::Mix;

use crate::{
    Outcome,
    world::{LIMIT, Scenario, World},
};

const POISON: &[u8] = b"\x00\xff\xff\xff\xffnot a record";

pub(crate) async fn undecodable_record_goes_to_the_dead_letters_and_the_rest_flows(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "poison").await?;
    let mut feeder = scenario.feeder(31).await?;
    feeder.insert_many(50, 50).await?;
    let mut sink = scenario.sink();
    for (key, value) in [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "poison-dlq"),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ] {
        sink.insert(key.to_owned(), value.to_owned());
    }
    let mut sluice = scenario.start(&[scenario.source(), sink])?;
    scenario.wait_until_equal(&mut sluice).await?;

    produce(world, &scenario.topic())?;
    feeder.feed(&Mix::default(), 100).await?;
    scenario.wait_until_equal(&mut sluice).await?;

    let (key, value, headers) = read_one(world, "poison-dlq").await.with_context(|| sluice.log_tail())?;
    ensure!(key == b"key" && value == POISON, "the dead letter is not what was produced");
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    ensure!(header("__connect.errors.topic") == Some("poison.public.users"), "headers: {headers:?}");
    for name in
        ["partition", "offset", "connector.name", "stage", "exception.class.name", "exception.message"]
    {
        ensure!(header(&format!("__connect.errors.{name}")).is_some(), "no header {name}: {headers:?}");
    }
    Ok(())
}

pub(crate) async fn without_tolerance_an_undecodable_record_stops_the_sink(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "strict").await?;
    scenario.feeder(32).await?.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    produce(world, &scenario.topic())?;

    sluice.wait_for_state("strict-sink", "failed").await?;
    let log = sluice.log()?;
    ensure!(
        log.contains("strict.public.users-") && log.contains("errors.tolerance"),
        "no place or remedy in:\n{log}"
    );
    Ok(())
}

fn produce(world: &World, topic: &str) -> Outcome {
    let producer: ThreadedProducer<_> =
        ClientConfig::new().set("bootstrap.servers", world.stack.bootstrap_servers()).create()?;
    let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(&b"key"[..]).payload(POISON);
    producer.send(record).map_err(|(error, _)| error)?;
    Ok(producer.flush(LIMIT)?)
}

type Letter = (Vec<u8>, Vec<u8>, Vec<(String, String)>);

async fn read_one(world: &World, topic: &str) -> anyhow::Result<Letter> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", world.stack.bootstrap_servers())
        .set("group.id", topic)
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic])?;
    tokio::task::spawn_blocking(move || {
        let deadline = Instant::now() + LIMIT;
        let message = loop {
            // A poll may also end early, without a message.
            match consumer.poll(LIMIT) {
                Some(message) => break message?,
                None => ensure!(Instant::now() < deadline, "no dead letter came"),
            }
        };
        let headers = message.headers().context("the dead letter has no headers")?;
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        let headers = headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect();
        let bytes = |part: Option<&[u8]>| part.unwrap_or_default().to_vec();
        Ok((bytes(message.key()), bytes(message.payload()), headers))
    })
    .await?
}
