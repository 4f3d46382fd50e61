//! What a Kafka topic holds: how many records, and how the records of a key end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use uuid::Uuid;

/// How long one question to the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a topic's watermarks say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Records {
    /// Partitions; 0 if the topic does not exist.
    pub partitions: usize,
    /// Sum over the partitions of the end offset less the start offset. A compacted topic holds fewer.
    pub count: u64,
}

/// The last record of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It has a value.
    Value,
    /// It has none: the row is gone.
    Tombstone,
}

/// A topic whose records can be counted and looked through.
pub struct Topic {
    consumer: Arc<BaseConsumer>,
    name: String,
}

impl Topic {
    /// Prepares to ask the brokers at `bootstrap_servers` (`host:port,…`); connects only when asked.
    ///
    /// # Errors
    ///
    /// The address is not one.
    pub fn new(bootstrap_servers: &str, name: &str) -> anyhow::Result<Self> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap_servers)
            // Asked for by the client; partitions are assigned by hand and nothing is committed.
            .set("group.id", "sluice-users")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            // Unreachable brokers are reported by the call that fails; the library's own log would tear the live view.
            .set("log_level", "0")
            .create()
            .context("create the Kafka client")?;
        Ok(Self { consumer: Arc::new(consumer), name: name.to_owned() })
    }

    /// Counts the records; an absent topic has none.
    ///
    /// # Errors
    ///
    /// The brokers cannot be reached within five seconds.
    pub async fn records(&self) -> anyhow::Result<Records> {
        let (consumer, name) = (Arc::clone(&self.consumer), self.name.clone());
        tokio::task::spawn_blocking(move || count(&consumer, &name)).await?
    }

    /// Reads the topic to its present end and tells how the records of these keys end; keys without any are left out.
    ///
    /// A key is a record of one UUID in the registry's format: five bytes of header, the length, the UUID as text.
    ///
    /// # Errors
    ///
    /// The topic does not exist, or the brokers do not answer.
    pub async fn last_of_keys(&self, keys: &[Uuid]) -> anyhow::Result<HashMap<Uuid, Last>> {
        let (consumer, name, keys) = (Arc::clone(&self.consumer), self.name.clone(), keys.to_owned());
        tokio::task::spawn_blocking(move || last_of_keys(&consumer, &name, &keys)).await?
    }
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Topic").field("name", &self.name).finish_non_exhaustive()
    }
}

fn count(consumer: &BaseConsumer, name: &str) -> anyhow::Result<Records> {
    let metadata = consumer.fetch_metadata(Some(name), TIMEOUT).context("ask Kafka for the topic")?;
    let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none())
    else {
        return Ok(Records::default());
    };
    let mut records = Records { partitions: topic.partitions().len(), count: 0 };
    for partition in topic.partitions() {
        let (start, end) =
            consumer.fetch_watermarks(name, partition.id(), TIMEOUT).context("ask Kafka for offsets")?;
        records.count += u64::try_from(end - start).unwrap_or(0);
    }
    Ok(records)
}

fn last_of_keys(consumer: &BaseConsumer, name: &str, keys: &[Uuid]) -> anyhow::Result<HashMap<Uuid, Last>> {
    let metadata = consumer.fetch_metadata(Some(name), TIMEOUT).context("ask Kafka for the topic")?;
    let topic = metadata.topics().first().with_context(|| format!("find the topic `{name}`"))?;
    let mut partitions = TopicPartitionList::new();
    for partition in topic.partitions() {
        partitions.add_partition_offset(name, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&partitions).context("take the partitions of the topic")?;
    let mut last = HashMap::new();
    let mut unread = partitions.count();
    while unread > 0 {
        match consumer.poll(TIMEOUT) {
            Some(Ok(message)) => {
                if let Some(key) = key_of(&message).filter(|key| keys.contains(key)) {
                    let end = if message.payload().is_some() { Last::Value } else { Last::Tombstone };
                    last.insert(key, end);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => unread -= 1,
            Some(Err(error)) => return Err(error).context("read the topic"),
            None => bail!("Kafka sent no record of `{name}` for {TIMEOUT:?}"),
        }
    }
    consumer.unassign().context("leave the partitions of the topic")?;
    Ok(last)
}

/// The UUID that a key's record ends with.
fn key_of(message: &BorrowedMessage<'_>) -> Option<Uuid> {
    let key = message.key()?;
    let text = key.get(key.len().checked_sub(36)?..)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}
