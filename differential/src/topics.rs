//! Reads all topics of a side as they grow.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for a record before looking for new topics.
const WAIT: Duration = Duration::from_millis(50);

/// A record as it lies in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The key's bytes.
    pub key: Option<Vec<u8>>,
    /// The value's bytes.
    pub value: Option<Vec<u8>>,
    /// Names and bytes, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Records by topic and partition.
pub type Partitions = BTreeMap<(String, i32), Vec<Raw>>;

/// A reader of all topics whose names hold a side's prefix. It blocks: keep it off the runtime's threads.
pub struct Topics {
    prefix: String,
    consumer: BaseConsumer,
    partitions: Partitions,
}

impl Topics {
    /// Makes a reader; nothing is read yet.
    ///
    /// # Errors
    /// Fails when the client cannot be made.
    pub fn open(kafka: &str, prefix: &str) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka).set("group.id", format!("{prefix}-reader"));
        config.set("enable.auto.commit", "false").set("isolation.level", "read_committed");
        config.set("fetch.wait.max.ms", "20");
        let consumer = config.create().context("make the consumer")?;
        Ok(Self { prefix: prefix.to_owned(), consumer, partitions: Partitions::new() })
    }

    /// Reads what comes within a moment; true when a record with these bytes in its key or value is among all read.
    ///
    /// # Errors
    /// Fails when the broker does.
    pub fn read_until_mark(&mut self, mark: &str) -> anyhow::Result<bool> {
        self.discover()?;
        let mut found = false;
        while let Some(raw) = self.poll()? {
            let holds = |bytes: &Option<Vec<u8>>| {
                bytes.as_ref().is_some_and(|bytes| contains(bytes, mark.as_bytes()))
            };
            found |= holds(&raw.key) || holds(&raw.value);
        }
        Ok(found)
    }

    /// Reads to the end of every topic, which nobody writes to any more, and returns everything.
    ///
    /// # Errors
    /// Fails when the broker does.
    pub fn read_to_end(mut self) -> anyhow::Result<Partitions> {
        self.discover()?;
        for (topic, partition) in self.partitions.keys().cloned().collect::<Vec<_>>() {
            let (_, end) =
                self.consumer.fetch_watermarks(&topic, partition, PATIENCE).context("find the end")?;
            while self.position(&topic, partition)? < end {
                self.poll()?;
            }
        }
        Ok(self.partitions)
    }

    fn poll(&mut self) -> anyhow::Result<Option<&Raw>> {
        let Some(message) = self.consumer.poll(WAIT) else { return Ok(None) };
        let message = message.context("read a record")?;
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let raw = Raw {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        };
        let partition = (message.topic().to_owned(), message.partition());
        let records = self.partitions.entry(partition).or_default();
        records.push(raw);
        Ok(records.last())
    }

    /// Begins to read topics that are new.
    fn discover(&mut self) -> anyhow::Result<()> {
        let metadata = self.consumer.fetch_metadata(None, PATIENCE).context("list the topics")?;
        let mut new = TopicPartitionList::new();
        for topic in metadata.topics().iter().filter(|topic| topic.name().contains(&self.prefix)) {
            for partition in topic.partitions() {
                let key = (topic.name().to_owned(), partition.id());
                if let Entry::Vacant(entry) = self.partitions.entry(key) {
                    let (topic, partition) = entry.key();
                    new.add_partition_offset(topic, *partition, Offset::Beginning)?;
                    entry.insert(Vec::new());
                }
            }
        }
        if new.count() > 0 {
            self.consumer.incremental_assign(&new).context("begin to read")?;
        }
        Ok(())
    }

    /// The offset behind the last record that was read; control records count, which is why records are not counted.
    fn position(&self, topic: &str, partition: i32) -> anyhow::Result<i64> {
        let position = self.consumer.position().context("find the position")?;
        let found = position.find_partition(topic, partition).map(|element| element.offset());
        Ok(match found {
            Some(Offset::Offset(offset)) => offset,
            _ => 0,
        })
    }
}

/// What the topics whose names hold a prefix were told to be like, apart from the broker's defaults.
///
/// # Errors
/// Fails when the broker does.
pub async fn settings(
    kafka: &str,
    prefix: &str,
) -> anyhow::Result<BTreeMap<String, BTreeMap<String, String>>> {
    let (admin, names) = named(kafka, prefix)?;
    let resources: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    if resources.is_empty() {
        return Ok(BTreeMap::new());
    }
    let configs =
        admin.describe_configs(&resources, &AdminOptions::new()).await.context("describe the topics")?;
    let settings = names.iter().zip(configs).map(|(name, config)| {
        let config = config.map_err(|code| anyhow!("describe the topic `{name}`: {code}"))?;
        let own = config.entries.into_iter().filter(|entry| entry.source == ConfigSource::DynamicTopic);
        let own = own.map(|entry| (entry.name, entry.value.unwrap_or_default()));
        Ok((name.clone(), own.collect()))
    });
    settings.collect()
}

/// Deletes all topics whose names hold a prefix.
///
/// # Errors
/// Fails when the broker does.
pub async fn delete(kafka: &str, prefix: &str) -> anyhow::Result<()> {
    let (admin, names) = named(kafka, prefix)?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    if !names.is_empty() {
        admin.delete_topics(&names, &AdminOptions::new()).await.context("delete the topics")?;
    }
    Ok(())
}

/// A client, and the names of the topics that hold a prefix.
fn named(kafka: &str, prefix: &str) -> anyhow::Result<(AdminClient<DefaultClientContext>, Vec<String>)> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", kafka).create().context("make the client")?;
    let metadata = admin.inner().fetch_metadata(None, PATIENCE).context("list the topics")?;
    let names = metadata.topics().iter().map(|topic| topic.name()).filter(|name| name.contains(prefix));
    let names = names.map(str::to_owned).collect();
    Ok((admin, names))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
