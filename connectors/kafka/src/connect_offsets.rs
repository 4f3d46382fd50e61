//! The compacted topic in which a cluster of Kafka Connect keeps its source offsets.

use std::collections::HashSet;

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError as ClientError,
    types::RDKafkaErrorCode,
};
use sluice_core::{
    Error,
    config::Properties,
    connect_offsets::{SourceOffset, StoredPair},
};

use crate::{
    client::{BROKER_TIMEOUT, ClientKind, ClientSettings, Logged, invalid, overrides},
    error::KafkaError,
    producer::{Failure, Message, PRODUCER_DEFAULTS, Producer, Sent},
};

/// Reads all pairs of a topic, each partition in its order; none if there is no such topic.
///
/// `properties` name the brokers with `bootstrap.servers` and `consumer.override.…`.
///
/// # Errors
/// Class *retry* when no broker answers, *stop* when the settings cannot be used.
pub async fn read_connect_offsets(
    properties: &Properties,
    topic: &str,
) -> Result<Option<Vec<StoredPair>>, Error> {
    const DEFAULTS: [(&str, &str); 4] = [
        // Never used: nothing is committed.
        ("group.id", "sluice-connect-offsets"),
        ("enable.auto.commit", "false"),
        ("enable.partition.eof", "true"),
        ("auto.offset.reset", "earliest"),
    ];
    let settings = ClientSettings::new(
        ClientKind::Consumer,
        properties.value("bootstrap.servers").unwrap_or_default(),
        &DEFAULTS,
        &overrides(properties, ClientKind::Consumer),
    )
    .map_err(invalid)?;
    let topic = topic.to_owned();
    let read = move || read(&settings, &topic);
    let pairs = tokio::task::spawn_blocking(read).await.unwrap_or(Err(KafkaError::Stopping));
    Ok(pairs?)
}

/// Reads to the end of each partition.
fn read(settings: &ClientSettings, topic: &str) -> Result<Option<Vec<StoredPair>>, KafkaError> {
    let unreachable = |source| KafkaError::Unreachable { servers: settings.servers().to_owned(), source };
    let consumer: BaseConsumer<Logged> = BaseConsumer::from_config_and_context(settings.config(), Logged)
        .map_err(|error| settings.refused(error))?;
    let metadata = consumer.fetch_metadata(Some(topic), BROKER_TIMEOUT).map_err(unreachable)?;
    let found = metadata.topics().first();
    match found.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => return Ok(None),
        Some(code) => return Err(unreachable(ClientError::MetadataFetch(code))),
        None => {}
    }
    let partitions = found.map_or(&[][..], |topic| topic.partitions());
    let mut assignment = TopicPartitionList::new();
    for partition in partitions {
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).map_err(unreachable)?;
    }
    consumer.assign(&assignment).map_err(unreachable)?;
    let mut pairs = Vec::new();
    let mut ended = HashSet::new();
    while ended.len() < partitions.len() {
        match consumer.poll(BROKER_TIMEOUT) {
            None => {
                return Err(unreachable(ClientError::MessageConsumption(
                    RDKafkaErrorCode::OperationTimedOut,
                )));
            }
            Some(Err(ClientError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error)) => return Err(unreachable(error)),
            Some(Ok(message)) => {
                let key = message.key().unwrap_or_default().to_vec();
                pairs.push((key, message.payload().map(<[u8]>::to_vec)));
            }
        }
    }
    Ok(Some(pairs))
}

/// Writes an offset to a topic, durably; the topic must be there, since a Connect worker makes it as it needs it.
///
/// `properties` name the brokers with `bootstrap.servers` and `producer.override.…`.
///
/// # Errors
/// Class *retry* when no broker takes it, *stop* when the settings cannot be used.
pub async fn write_connect_offset(
    properties: &Properties,
    topic: &str,
    offset: &SourceOffset,
) -> Result<(), Error> {
    let settings = ClientSettings::new(
        ClientKind::Producer,
        properties.value("bootstrap.servers").unwrap_or_default(),
        &PRODUCER_DEFAULTS,
        &overrides(properties, ClientKind::Producer),
    )
    .map_err(invalid)?;
    let (key, value) = offset.to_pair();
    let failed = |source| KafkaError::ConnectOffset { topic: topic.to_owned(), source };
    let mut producer = Producer::new(&settings)?;
    let message = Message {
        topic,
        partition: None,
        key: Some(&key),
        value: value.as_deref(),
        timestamp: None,
        headers: None,
    };
    if let Sent::Refused(source) = producer.send(message, 0) {
        return Err(failed(source).into());
    }
    match producer.drain().await.into_iter().next() {
        None => Ok(()),
        Some(Failure { error, .. }) => Err(failed(error).into()),
    }
}
