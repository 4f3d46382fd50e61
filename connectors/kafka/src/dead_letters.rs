//! The dead letter queue: refused records as they were read, with Connect's headers about the reason.

use std::sync::Arc;

use rdkafka::message::{Header as Native, OwnedHeaders};
use sluice_core::{
    Error, Value,
    config::{Config as _, Definition, Fault, Properties},
    pipeline::{DeadLetter, DeadLetters},
    record::{Datum, Payload, RawRecord},
    registry::BoxFuture,
};

use crate::{
    client::{ClientKind, ClientSettings, invalid},
    config::DeadLettersConfig,
    error::KafkaError,
    headers, json,
    producer::{Failure, Message, PRODUCER_DEFAULTS, Producer, Sent},
    topics::{TopicRules, Topics},
};

/// Prefix of Connect's context headers.
const CONTEXT: &str = "__connect.errors.";

/// Writes refused records to a topic.
pub struct KafkaDeadLetters {
    connector: String,
    topic: Arc<str>,
    context_headers: bool,
    settings: ClientSettings,
    producer: Option<Producer>,
    topics: Topics,
}

impl KafkaDeadLetters {
    /// Lists the properties that [`KafkaDeadLetters::open`] reads.
    pub fn definitions() -> Vec<Definition> {
        DeadLettersConfig::definitions()
    }

    /// Lists what is wrong with the properties that [`KafkaDeadLetters::open`] reads; connects to nothing.
    pub fn validate(properties: &Properties) -> Vec<Fault> {
        let config = match DeadLettersConfig::from_properties(properties) {
            Ok(config) => config,
            Err(faults) => return faults,
        };
        let servers = &config.bootstrap_servers.0;
        let mut faults = ClientSettings::faults(ClientKind::Producer, servers, &config.producer.0);
        faults.extend(ClientSettings::faults(ClientKind::Admin, servers, &config.admin.0));
        let replicas = config.replication_factor;
        if replicas != -1 && !(1..=i32::from(i16::MAX)).contains(&replicas) {
            let expected = "expected a number from 1, or -1 for the broker's default";
            faults.push(Fault::invalid("errors.deadletterqueue.topic.replication.factor", expected));
        }
        faults
    }

    /// Makes the queue of a connector; none when `errors.deadletterqueue.topic.name` is not set.
    ///
    /// Connects with the first record; creates the topic then, if it does not exist.
    ///
    /// # Errors
    /// Class *stop* when the properties cannot be used.
    pub fn open(properties: &Properties, connector: &str) -> Result<Option<Self>, Error> {
        let config = DeadLettersConfig::from_properties(properties).map_err(invalid)?;
        let Some(topic) = config.topic else { return Ok(None) };
        let servers = &config.bootstrap_servers.0;
        let settings =
            ClientSettings::new(ClientKind::Producer, servers, &PRODUCER_DEFAULTS, &config.producer.0)
                .map_err(invalid)?;
        let admin =
            ClientSettings::admin(servers, &[&config.producer.0], &config.admin.0).map_err(invalid)?;
        let rules = TopicRules::single_partition(config.replication_factor);
        Ok(Some(Self {
            connector: connector.to_owned(),
            topic: topic.into(),
            context_headers: config.context_headers,
            settings,
            producer: None,
            topics: Topics::new(rules, true, admin),
        }))
    }

    async fn write_all(&mut self, letters: &[DeadLetter]) -> Result<(), KafkaError> {
        if !self.topics.is_known(&self.topic) {
            let topic = Arc::clone(&self.topic);
            self.topics.ensure(&topic).await?;
        }
        for (index, letter) in letters.iter().enumerate() {
            self.send(index, letter).await?;
        }
        let Some(producer) = &self.producer else { return Ok(()) };
        match producer.drain().await.into_iter().next() {
            None => Ok(()),
            Some(Failure { error, .. }) => {
                Err(KafkaError::DeadLetter { topic: self.topic.to_string(), source: error })
            }
        }
    }

    async fn send(&mut self, index: usize, letter: &DeadLetter) -> Result<(), KafkaError> {
        if self.producer.is_none() {
            self.producer = Some(Producer::new(&self.settings)?);
        }
        let Some(producer) = &mut self.producer else { return Err(KafkaError::Stopping) };
        let rendered = letter.record.origin.raw.is_none().then(|| render(letter));
        let raw = letter.record.origin.raw.as_ref().or(rendered.as_ref());
        let headers = headers(&self.connector, self.context_headers, letter, raw);
        loop {
            let message = Message {
                topic: &self.topic,
                partition: None,
                key: raw.and_then(|raw| raw.key.as_deref()),
                value: raw.and_then(|raw| raw.value.as_deref()),
                timestamp: letter.record.timestamp,
                headers: Some(headers.clone()),
            };
            match producer.send(message, index) {
                Sent::Queued => return Ok(()),
                Sent::Full => producer.room().await,
                Sent::Refused(source) => {
                    return Err(KafkaError::DeadLetter { topic: self.topic.to_string(), source });
                }
            }
        }
    }
}

impl DeadLetters for KafkaDeadLetters {
    fn write<'a>(&'a mut self, letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let result = self.write_all(letters).await;
            if result.is_err() {
                // The queue's topic may have been deleted.
                self.topics.forget();
                if let Some(producer) = self.producer.take() {
                    producer.discard().await;
                }
            }
            Ok(result?)
        })
    }
}

/// Joins the record's own headers with those about the refusal.
fn headers(connector: &str, context: bool, letter: &DeadLetter, raw: Option<&RawRecord>) -> OwnedHeaders {
    let mut list = OwnedHeaders::new();
    for (name, value) in raw.into_iter().flat_map(|raw| &raw.headers) {
        list = list.insert(Native { key: name, value: value.as_deref() });
    }
    if !context {
        return list;
    }
    for (name, value) in about(connector, letter) {
        list = list.insert(Native { key: &format!("{CONTEXT}{name}"), value: Some(&value) });
    }
    list
}

/// Says in Connect's words where a record came from and what was wrong with it.
fn about(connector: &str, letter: &DeadLetter) -> [(&'static str, String); 10] {
    let DeadLetter { record, error, stage } = letter;
    let log = record.origin.log.as_ref();
    [
        ("topic", log.map_or_else(|| record.topic.to_string(), |log| log.topic.to_string())),
        ("partition", log.map_or(-1, |log| log.partition).to_string()),
        ("offset", log.map_or(-1, |log| log.offset).to_string()),
        ("connector.name", connector.to_owned()),
        ("task.id", "0".to_owned()),
        ("stage", stage.name().to_owned()),
        ("class.name", "sluice.Pipeline".to_owned()),
        ("exception.class.name", format!("sluice.{}", error.code())),
        ("exception.message", error.to_string()),
        ("exception.stacktrace", error.report()),
    ]
}

/// Writes a record that was never bytes as JSON with its schema, as far as it can be written.
fn render(letter: &DeadLetter) -> RawRecord {
    let record = &letter.record;
    let datum = |datum: &Datum| {
        let mut out = Vec::new();
        let written = json::encode(datum.schema.as_deref(), &datum.value, datum.schema.is_some(), &mut out);
        (datum.value != Value::Null && written.is_ok()).then(|| out.into())
    };
    let value = match &record.value {
        Payload::Plain(value) => datum(value),
        Payload::Change(change) => {
            let mut out = Vec::new();
            json::encode_change(change, true, &mut out).is_ok().then(|| out.into())
        }
    };
    let header = |header: &sluice_core::record::Header| {
        let mut out = Vec::new();
        let present = headers::simple::encode(&header.value, &mut out);
        (Arc::clone(&header.key), present.then(|| out.into()))
    };
    RawRecord { key: datum(&record.key), value, headers: record.headers.iter().map(header).collect() }
}
