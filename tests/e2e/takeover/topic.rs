//! What is in a topic, in order.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};
use serde_json::Value as Json;

use crate::world::LIMIT;

/// A record of the ledger.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Operation, key and `n`.
    pub(crate) event: String,
    /// Whether Sluice wrote it.
    pub(crate) ours: bool,
    pub(crate) lsn: Option<i64>,
    pub(crate) transaction: Option<i64>,
    /// Start of the commit record; Sluice says it, Debezium does not.
    pub(crate) commit: Option<i64>,
}

impl Seen {
    fn of(message: &BorrowedMessage<'_>) -> anyhow::Result<Self> {
        let key: Json = serde_json::from_slice(message.key().context("a record without key")?)?;
        let value: Json = message.payload().map_or(Ok(Json::Null), serde_json::from_slice)?;
        let id = &key["id"];
        let event = match value["op"].as_str() {
            None => format!("- {id}"),
            Some("d") => format!("d {id}"),
            Some(op) => format!("{op} {id} {}", value["after"]["n"]),
        };
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let position =
            headers.filter(|header| header.key == "sluice.position").find_map(|header| header.value);
        let commit = position.and_then(|text| str::from_utf8(text).ok()?.split('/').nth(1)?.parse().ok());
        let source = &value["source"];
        Ok(Self {
            event,
            ours: position.is_some(),
            lsn: source["lsn"].as_i64(),
            transaction: source["txId"].as_i64(),
            commit,
        })
    }

    /// The type of message that Debezium's offset names.
    pub(crate) fn message_type(&self) -> &'static str {
        match self.event.chars().next() {
            Some('c' | 'r') => "INSERT",
            Some('u') => "UPDATE",
            _ => "DELETE",
        }
    }
}

/// Reads a topic of one partition from its beginning to where it ends now, as under load the end never comes; one that is
/// not there is empty.
pub(crate) fn read(servers: &str, topic: &str) -> anyhow::Result<Vec<Seen>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", topic)
        .set("enable.partition.eof", "true")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), LIMIT)?;
    if metadata.topics().first().is_none_or(|topic| topic.partitions().is_empty()) {
        return Ok(Vec::new());
    }
    let (first, end) = consumer.fetch_watermarks(topic, 0, LIMIT)?;
    if first == end {
        return Ok(Vec::new());
    }
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&assignment)?;
    let deadline = Instant::now() + LIMIT;
    let mut records = Vec::new();
    loop {
        match consumer.poll(Duration::from_secs(1)) {
            Some(Ok(message)) => {
                records.push(Seen::of(&message)?);
                if message.offset() + 1 >= end {
                    return Ok(records);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(records),
            Some(Err(error)) => return Err(error.into()),
            None => ensure!(Instant::now() < deadline, "the end of the topic did not come"),
        }
    }
}
