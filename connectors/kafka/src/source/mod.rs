//! The Kafka beginning of sink connectors: batches of messages, decoded into records.
//!
//! ```text
//! Reader::poll --copies once--> RawBatch --prepare: unknown schema ids, awaited--> decode --> Batch
//! acknowledge --> offsets of what is written are committed
//! ```
//!
//! A batch waits in the task until its schemas are there, so that a call may be dropped at any await.
//! When a partition moves to another member of the group, what was read from it is still written (the
//! sink tolerates it twice), but its offset is no longer committed here.

mod decode;
mod gap;
mod raw;
mod reader;

use std::{sync::Arc, time::SystemTime};

use sluice_core::{
    Error,
    config::Fault,
    metrics,
    source::{Batch, Source, SourceConnector, TaskContext},
};

use crate::{
    avro::UnavailableValue,
    check,
    client::{ClientKind, ClientSettings, invalid},
    config::KafkaSourceConfig,
    converter::{Converter, Defaults},
    error::KafkaError,
    offsets::Offsets,
};
use decode::RecordDecoder;
use raw::RawBatch;
use reader::{CONSUMER_DEFAULTS, Reader, Subscription};

/// Records of a batch unless `max.poll.records` says otherwise: about a millisecond of decoding.
const MAX_RECORDS: usize = 2_000;
/// Bytes of a batch; a batch ends with the record that passes it.
const MAX_BYTES: usize = 1 << 20;

/// Reads topics for a sink connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct KafkaSource;

impl SourceConnector for KafkaSource {
    const NAME: &'static str = "sluice.KafkaSource";

    type Config = KafkaSourceConfig;
    type Source = KafkaSourceTask;

    fn validate(&self, config: &Self::Config) -> Vec<Fault> {
        config.faults()
    }

    async fn check(&self, config: Self::Config) -> Vec<Fault> {
        check::source(&config).await
    }

    /// Opens the task where its consumer group stands; a saved position is at the most as new as that.
    async fn open(
        &self,
        config: Self::Config,
        context: TaskContext,
        _position: Option<Offsets>,
    ) -> Result<Self::Source, Error> {
        let (key, value) = Converter::pair(
            (&config.key_converter, &config.key_converter_settings),
            (&config.value_converter, &config.value_converter_settings),
            &Defaults { unavailable: UnavailableValue::new(&config.unavailable), ..Defaults::default() },
        )?;
        let settings = settings(&config, &context.connector)?;
        let max_records = settings.max_poll_records().unwrap_or(MAX_RECORDS);
        let gaps_matter = !config.consumer.0.contains_key("auto.offset.reset");
        let subscription = match config.topics_regex {
            Some(pattern) => Subscription::Pattern(pattern),
            None => Subscription::Topics(config.topics.0),
        };
        let reader = Reader::open(&settings, subscription, gaps_matter).await?;
        Ok(KafkaSourceTask {
            connector: context.connector,
            reader: Some(reader),
            max_records,
            key,
            value,
            decoder: RecordDecoder::default(),
            pending: RawBatch::default(),
            next: Offsets::default(),
            offsets: Offsets::default(),
            committed: Offsets::default(),
        })
    }
}

/// Makes the consumer's settings; the group is that of the connector unless set.
fn settings(config: &KafkaSourceConfig, connector: &str) -> Result<ClientSettings, Error> {
    let servers = &config.bootstrap_servers.0;
    let mut settings =
        ClientSettings::new(ClientKind::Consumer, servers, &CONSUMER_DEFAULTS, &config.consumer.0)
            .map_err(invalid)?;
    if settings.config().get("group.id").is_none() {
        settings.config_mut().set("group.id", format!("connect-{connector}"));
    }
    Ok(settings)
}

/// A running Kafka source.
pub struct KafkaSourceTask {
    connector: String,
    reader: Option<Reader>,
    max_records: usize,
    key: Converter,
    value: Converter,
    decoder: RecordDecoder,
    /// Read, not yet handed over.
    pending: RawBatch,
    /// What comes next in each partition.
    next: Offsets,
    /// Where a restart must begin: as `next`, or a little before it.
    offsets: Offsets,
    committed: Offsets,
}

impl Source for KafkaSourceTask {
    type Position = Offsets;

    async fn next_batch(&mut self) -> Result<Option<Batch<Offsets>>, Error> {
        let reader = self.reader.as_mut().ok_or(KafkaError::Stopping)?;
        if self.pending.is_empty() {
            reader.fill(&mut self.pending, self.max_records, MAX_BYTES).await?;
            for (topic, partition) in reader.take_revoked() {
                self.next.remove(&topic, partition);
                self.offsets.remove(&topic, partition);
                self.committed.remove(&topic, partition);
            }
            self.key.forget_refused();
            self.value.forget_refused();
        }
        reader.check_assigned(&mut self.next).await?;
        reader.check_jumps(&self.pending, &self.next).await?;
        self.prepare().await?;
        Ok(Some(self.decode()))
    }

    async fn acknowledge(&mut self, position: &Offsets) -> Result<(), Error> {
        let reader = self.reader.as_ref().ok_or(KafkaError::Stopping)?;
        let changed = position.to_commit(&self.committed, &reader.assignment()?);
        if !changed.is_empty() && reader.commit(&changed).await? {
            self.committed.merge(&changed);
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Error> {
        if let Some(reader) = self.reader.take() {
            reader.close().await;
        }
        Ok(())
    }
}

impl KafkaSourceTask {
    /// Gets the schemas that the pending batch needs.
    async fn prepare(&mut self) -> Result<(), Error> {
        for index in 0..self.pending.len() {
            let (key, value) = self.pending.bytes(index);
            if key.is_some_and(|key| !self.key.is_prepared(key)) {
                self.key.prepare_reading(key.unwrap_or_default()).await?;
            }
            if value.is_some_and(|value| !self.value.is_prepared(value)) {
                self.value.prepare_reading(value.unwrap_or_default()).await?;
            }
        }
        Ok(())
    }

    /// Turns the pending batch into records.
    fn decode(&mut self) -> Batch<Offsets> {
        let raw = self.pending.take();
        let mut batch = Batch::new(Vec::with_capacity(raw.messages.len()), None, raw.arena.len());
        for message in &raw.messages {
            match self.decoder.decode(&raw, message, &self.key, &self.value) {
                Ok(record) => batch.records.push(record),
                Err(refused) => batch.rejected.push(*refused),
            }
        }
        for (topic, partition, offset) in raw.ends() {
            let resume_at = self.decoder.resume_at(topic, partition).unwrap_or(offset + 1);
            self.next.set(topic, partition, offset + 1);
            self.offsets.set(topic, partition, resume_at);
        }
        if let Some(timestamp) = raw.messages.last().and_then(|message| message.timestamp) {
            self.report_lag(timestamp);
        }
        batch.position = Some(self.offsets.clone());
        batch
    }

    /// Shows how old the newest record of a batch is.
    fn report_lag(&self, timestamp: i64) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let age = now.as_secs_f64() - timestamp as f64 / 1_000.0;
        ::metrics::gauge!(metrics::SOURCE_LAG_SECONDS, "connector" => self.connector.clone())
            .set(age.max(0.0));
    }
}

/// Names shared by many messages: topics and headers.
#[derive(Debug, Default)]
struct Names(Vec<Arc<str>>);

impl Names {
    /// Returns the shared form of a name.
    fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| &***known == name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        if self.0.len() < 1_024 {
            self.0.push(Arc::clone(&shared));
        }
        shared
    }
}
