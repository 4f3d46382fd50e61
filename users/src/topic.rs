//! How many records a Kafka topic holds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

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

/// A topic whose records can be counted.
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
