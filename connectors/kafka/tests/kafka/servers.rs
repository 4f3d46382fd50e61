//! The servers of a test run, fresh names in them, and the two ends opened on them.

use std::{
    collections::BTreeMap,
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use sluice_core::{
    Error, Record,
    config::{Config as _, Properties},
    sink::SinkConnector as _,
    source::{Source as _, SourceConnector as _, TaskContext},
};
use sluice_kafka::{KafkaSink, KafkaSinkTask, KafkaSource, KafkaSourceTask};

/// How long a test waits for records that must come.
const PATIENCE: Duration = Duration::from_secs(60);

fn address(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: `cargo xtask test` sets it"))
}

/// Returns the brokers' addresses.
pub(crate) fn brokers() -> String {
    address("SLUICE_TEST_KAFKA")
}

/// Returns the registry's address.
pub(crate) fn registry() -> String {
    address("SLUICE_TEST_REGISTRY")
}

/// Returns a name that no other test has.
pub(crate) fn fresh(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    format!("{name}.t{}_{}_{}", now.as_millis(), process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Properties of both ends with Avro converters, then others over them.
pub(crate) fn avro(others: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::default();
    properties.set("bootstrap.servers", brokers());
    for converter in ["key.converter", "value.converter"] {
        properties.set(converter, "io.confluent.connect.avro.AvroConverter");
        properties.set(format!("{converter}.schema.registry.url"), registry());
    }
    for (key, value) in others {
        properties.set(*key, *value);
    }
    properties
}

/// Properties of both ends with text keys and values, then others over them.
pub(crate) fn text(others: &[(&str, &str)]) -> Properties {
    let mut properties = Properties::default();
    properties.set("bootstrap.servers", brokers());
    properties.set("key.converter", "org.apache.kafka.connect.storage.StringConverter");
    properties.set("value.converter", "org.apache.kafka.connect.storage.StringConverter");
    for (key, value) in others {
        properties.set(*key, *value);
    }
    properties
}

/// Opens a sink.
pub(crate) async fn open_sink(properties: &Properties) -> Result<KafkaSinkTask, Error> {
    let config = <KafkaSink as sluice_core::sink::SinkConnector>::Config::from_properties(properties);
    KafkaSink.open(config.expect("the properties parse"), context("sink")).await
}

/// Opens a source in the group of a connector.
pub(crate) async fn open_source(connector: &str, properties: &Properties) -> Result<KafkaSourceTask, Error> {
    let config = <KafkaSource as sluice_core::source::SourceConnector>::Config::from_properties(properties);
    KafkaSource.open(config.expect("the properties parse"), context(connector), None).await
}

fn context(connector: &str) -> TaskContext {
    TaskContext { connector: connector.to_owned() }
}

/// What a source gave.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) records: Vec<Record>,
    pub(crate) rejected: Vec<(Record, Error)>,
    pub(crate) position: Option<sluice_kafka::Offsets>,
}

/// Reads until so many records came, refused ones among them.
pub(crate) async fn read(source: &mut KafkaSourceTask, count: usize) -> Got {
    let mut got = Got::default();
    while got.records.len() + got.rejected.len() < count {
        let next = tokio::time::timeout(PATIENCE, source.next_batch()).await;
        let next = next.unwrap_or_else(|_| {
            panic!("{count} records expected, {} came within {PATIENCE:?}", got.records.len())
        });
        let batch = next.expect("the source reads").expect("a topic has no end");
        got.records.extend(batch.records);
        got.rejected.extend(batch.rejected);
        got.position = batch.position;
    }
    got
}

fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    config
}

fn admin() -> AdminClient<DefaultClientContext> {
    client().create().expect("the admin client is created")
}

/// Creates a topic.
pub(crate) async fn create_topic(name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
    let created = admin().create_topics([&topic], &AdminOptions::new()).await.expect("the broker answers");
    created.into_iter().for_each(|result| drop(result.expect("the topic is created")));
}

/// Returns a topic's partitions and settings.
pub(crate) async fn describe_topic(name: &str) -> (usize, BTreeMap<String, String>) {
    let consumer: BaseConsumer = client().create().expect("the consumer is created");
    let metadata = consumer.fetch_metadata(Some(name), PATIENCE).expect("the broker answers");
    let partitions = metadata.topics().iter().map(|topic| topic.partitions().len()).sum();
    let described = admin()
        .describe_configs([&ResourceSpecifier::Topic(name)], &AdminOptions::new())
        .await
        .expect("answers");
    let settings = described.into_iter().flat_map(|resource| {
        let ConfigResource { entries, .. } = resource.expect("the topic is described");
        entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)))
    });
    (partitions, settings.collect())
}

/// Deletes the records of partition 0 below an offset.
pub(crate) async fn delete_records(topic: &str, below: i64) {
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Offset(below)).expect("the offset is valid");
    admin().delete_records(&list, &AdminOptions::new()).await.expect("the broker deletes");
}

/// Writes bytes past all converters.
pub(crate) fn produce(topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) {
    let producer: BaseProducer = client().create().expect("the producer is created");
    let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(0);
    (record.key, record.payload) = (key, value);
    producer.send(record).map_err(|(error, _)| error).expect("the record is queued");
    producer.flush(PATIENCE).expect("the record is delivered");
}

/// Returns the offset that a group has committed for partition 0.
pub(crate) fn committed(group: &str, topic: &str) -> Option<i64> {
    let consumer: BaseConsumer = client().set("group.id", group).create().expect("the consumer is created");
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition(topic, 0);
    let list = consumer.committed_offsets(list, PATIENCE).expect("the broker answers");
    list.find_partition(topic, 0)?.offset().to_raw().filter(|offset| *offset >= 0)
}
