//! The Kafka end of source connectors: records to bytes, bytes into the producer's queue.
//!
//! Hot path. Key and value are encoded into one buffer that is used again; librdkafka copies it. A
//! record that can never be written waits for the flush as a rejection.

use rdkafka::{error::KafkaError as ClientError, types::RDKafkaErrorCode};
use sluice_core::{
    Error, ErrorClass, Record,
    checkpoint::Checkpoint,
    config::Fault,
    sink::{Flushed, Rejection, Sink, SinkConnector},
    source::TaskContext,
};

use crate::{
    check,
    client::{ClientKind, ClientSettings, invalid},
    config::KafkaSinkConfig,
    converter::{Converter, Encoded, Input},
    error::KafkaError,
    headers::{HeaderConverter, HeaderWriter},
    producer::{Failure, Message, PRODUCER_DEFAULTS, Producer, Sent},
    topics::{TopicRules, Topics},
};

/// Writes the records of a source connector to Kafka.
#[derive(Debug, Clone, Copy, Default)]
pub struct KafkaSink;

impl SinkConnector for KafkaSink {
    const NAME: &'static str = "sluice.KafkaSink";

    type Config = KafkaSinkConfig;
    type Sink = KafkaSinkTask;

    fn validate(&self, config: &Self::Config) -> Vec<Fault> {
        config.faults()
    }

    async fn check(&self, config: Self::Config) -> Vec<Fault> {
        check::sink(&config).await
    }

    async fn open(&self, config: Self::Config, _context: TaskContext) -> Result<Self::Sink, Error> {
        let defaults = config.defaults();
        let headers = &config.header_converter_settings.0;
        let headers =
            HeaderConverter::new(config.header_converter.as_deref(), headers, &defaults).map_err(invalid)?;
        let (key, value) = Converter::pair(
            (&config.key_converter, &config.key_converter_settings),
            (&config.value_converter, &config.value_converter_settings),
            &defaults,
        )?;
        let servers = &config.bootstrap_servers.0;
        let settings =
            ClientSettings::new(ClientKind::Producer, servers, &PRODUCER_DEFAULTS, &config.producer.0)
                .map_err(invalid)?;
        let admin =
            ClientSettings::admin(servers, &[&config.producer.0], &config.admin.0).map_err(invalid)?;
        let rules = TopicRules::from_config(&config).map_err(invalid)?;
        let mut topics = Topics::new(rules, config.topic_creation, admin);
        topics.look().await?;
        Ok(KafkaSinkTask {
            producer: Some(Producer::new(&settings)?),
            settings,
            topics,
            key,
            value,
            headers: HeaderWriter::new(headers, config.position_header),
            buffer: Vec::new(),
            written: 0,
            rejections: Vec::new(),
            isolating: false,
        })
    }
}

/// A running Kafka sink.
pub struct KafkaSinkTask {
    settings: ClientSettings,
    producer: Option<Producer>,
    topics: Topics,
    key: Converter,
    value: Converter,
    headers: HeaderWriter,
    buffer: Vec<u8>,
    /// Records written since the last successful flush: the index of the next.
    written: usize,
    rejections: Vec<Rejection>,
    /// Whether each request carries one record, after the brokers refused a request for one of its records.
    isolating: bool,
}

impl Sink for KafkaSinkTask {
    async fn write(&mut self, batch: &[Record]) -> Result<(), Error> {
        let result = self.write_all(batch).await;
        if result.is_err() {
            self.abandon().await;
        }
        result
    }

    async fn flush(&mut self, _checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        if let Some(producer) = &self.producer {
            let failures = producer.drain().await;
            if let Err(error) = self.sort(failures) {
                self.abandon().await;
                return Err(error.into());
            }
        }
        self.written = 0;
        if std::mem::take(&mut self.isolating) {
            self.discard_producer().await;
        }
        let mut rejected = std::mem::take(&mut self.rejections);
        rejected.sort_by_key(|rejection| rejection.index);
        Ok(Flushed { rejected, checkpoint_stored: false })
    }

    async fn close(&mut self) -> Result<(), Error> {
        self.discard_producer().await;
        Ok(())
    }
}

impl KafkaSinkTask {
    async fn write_all(&mut self, batch: &[Record]) -> Result<(), Error> {
        self.open_producer()?;
        for record in batch {
            if !self.topics.is_known(&record.topic) {
                self.topics.ensure(&record.topic).await?;
            }
            let index = self.written;
            self.written += 1;
            match self.write_one(record, index).await {
                Err(error) if error.class() == ErrorClass::Reject => {
                    self.rejections.push(Rejection { index, error });
                }
                result => result?,
            }
        }
        Ok(())
    }

    async fn write_one(&mut self, record: &Record, index: usize) -> Result<(), Error> {
        self.buffer.clear();
        let key = encode(&mut self.key, record, Input::Datum(&record.key), &mut self.buffer).await?;
        let split = self.buffer.len();
        let value = encode(&mut self.value, record, Input::from(&record.value), &mut self.buffer).await?;
        loop {
            let (key_bytes, value_bytes) = self.buffer.split_at(split);
            let message = Message {
                topic: &record.topic,
                partition: record.partition,
                key: key.then_some(key_bytes),
                value: value.then_some(value_bytes),
                timestamp: record.timestamp,
                headers: self.headers.write(record)?,
            };
            let Some(producer) = &mut self.producer else { return Err(KafkaError::Stopping.into()) };
            match producer.send(message, index) {
                Sent::Queued => return Ok(()),
                Sent::Full => producer.room().await,
                Sent::Refused(source) => return Err(refusal(&record.topic, source).into()),
            }
        }
    }

    /// Sorts undelivered records into those that never will be and those to write again.
    fn sort(&mut self, failures: Vec<Failure>) -> Result<(), KafkaError> {
        let Some(first) = failures.first() else { return Ok(()) };
        let passing = failures.iter().find(|failure| !is_permanent(&failure.error));
        if passing.is_some() || !self.isolating {
            let (count, source) = (failures.len(), passing.unwrap_or(first).error.clone());
            // The brokers refuse requests, not records: alone, each record gets its own answer.
            self.isolating = passing.is_none();
            if is_topic_gone(&source) {
                self.topics.forget();
            }
            return Err(KafkaError::Produce { count, source });
        }
        self.rejections.extend(failures.into_iter().map(|Failure { index, topic, error }| Rejection {
            index,
            error: refusal(&topic, error).into(),
        }));
        Ok(())
    }

    fn open_producer(&mut self) -> Result<(), KafkaError> {
        if self.producer.is_none() {
            let mut settings = self.settings.clone();
            if self.isolating {
                settings.config_mut().set("batch.num.messages", "1");
            }
            self.producer = Some(Producer::new(&settings)?);
        }
        Ok(())
    }

    /// Forgets what is in flight. The producer goes with it, so that nothing old can overtake what
    /// is written again.
    async fn abandon(&mut self) {
        self.written = 0;
        self.rejections.clear();
        self.discard_producer().await;
    }

    async fn discard_producer(&mut self) {
        if let Some(producer) = self.producer.take() {
            producer.discard().await;
        }
    }
}

/// Appends the bytes of one side of a record; false for null.
async fn encode(
    converter: &mut Converter,
    record: &Record,
    input: Input<'_>,
    buffer: &mut Vec<u8>,
) -> Result<bool, Error> {
    loop {
        match converter.encode(&record.topic, input, buffer)? {
            Encoded::Written => return Ok(true),
            Encoded::Null => return Ok(false),
            Encoded::Unprepared => converter.prepare(&record.topic, input).await?,
        }
    }
}

/// Whether sending the same record again must fail again.
fn is_permanent(error: &ClientError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::MessageSizeTooLarge
                | Code::MessageBatchTooLarge
                | Code::InvalidRecord
                | Code::InvalidDifferentRecord
                | Code::InvalidTimestamp
                | Code::UnknownPartition
        )
    )
}

fn is_topic_gone(error: &ClientError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error.rdkafka_error_code(), Some(Code::UnknownTopic | Code::UnknownTopicOrPartition))
}

/// Names what became of a record that librdkafka or the brokers refused.
fn refusal(topic: &str, source: ClientError) -> KafkaError {
    use RDKafkaErrorCode as Code;
    let topic = topic.to_owned();
    match source.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::MessageBatchTooLarge) => KafkaError::RecordTooLarge { topic },
        _ if is_permanent(&source) => KafkaError::InvalidRecord { topic, source },
        _ => KafkaError::Produce { count: 1, source },
    }
}
