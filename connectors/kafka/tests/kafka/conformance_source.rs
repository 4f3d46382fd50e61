//! What every source must keep, for the Kafka source.

use sluice_core::{Error, Record, config::Properties, testkit::SourceHarness};
use sluice_kafka::{KafkaSourceTask, Offsets};

use crate::{
    servers::{create_topic, fresh, open_source, produce, text},
    table::text_of,
};

struct Topic {
    name: String,
    properties: Properties,
}

impl Topic {
    async fn fresh() -> Self {
        let name = fresh("conformance");
        create_topic(&name, 1, &[]).await;
        let properties = text(&[("topics", &name), ("consumer.override.max.poll.records", "2")]);
        Self { properties, name }
    }
}

impl SourceHarness for Topic {
    type Source = KafkaSourceTask;

    /// The position is in the consumer group, which all sources of this harness share.
    async fn open(&self, _position: Option<Offsets>) -> Result<KafkaSourceTask, Error> {
        open_source(&self.name, &self.properties).await
    }

    async fn produce(&self, count: usize) -> Vec<String> {
        let events: Vec<_> = (0..count).map(|_| fresh("event")).collect();
        for event in &events {
            produce(&self.name, Some(event.as_bytes()), Some(b"v"));
        }
        events
    }

    fn identify(&self, record: &Record) -> Option<String> {
        Some(text_of(&record.key).to_owned())
    }
}

sluice_core::source_conformance!(Topic::fresh().await);
