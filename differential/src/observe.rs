//! What a side wrote, decoded and in normal form: records by topic and partition, schemas by subject, and what it made
//! in Kafka and Postgres.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use crate::avro::{Schema, hex};
use crate::normal;
use crate::side::Side;
use crate::topics::{Partitions, Raw};

/// Stands for a key or value without bytes: a tombstone, which a JSON null is not.
pub const NOTHING: &str = "(nothing)";

/// A key or value, decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payload {
    /// What it says, or [`NOTHING`].
    pub value: Value,
    /// Which version of its subject it was written with, from 1 on; 0 is none of them.
    pub version: Option<usize>,
    /// The text of a JSON one, with what normally differs masked: digits and order count too.
    pub text: Option<String>,
}

/// A record, decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// The key.
    pub key: Payload,
    /// The value.
    pub value: Payload,
    /// Names and values, in order.
    pub headers: Vec<(String, Value)>,
}

/// All that one side wrote and made.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Records by topic, then partition, in order.
    pub topics: BTreeMap<String, BTreeMap<i32, Vec<Record>>>,
    /// Texts of the registered schemas by subject, in the order of their versions.
    pub subjects: BTreeMap<String, Vec<String>>,
    /// What the topics, the slot and the publication are like.
    pub made: BTreeMap<String, Value>,
}

impl Observed {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.topics.values().flat_map(BTreeMap::values).map(Vec::len).sum()
    }

    /// Leaves out what was told of transactions before the first that both sides read.
    pub fn forget_transactions_before(&mut self, first: u64) {
        for records in self.topics.values_mut().flat_map(BTreeMap::values_mut) {
            normal::transactions_since(records, first);
        }
    }
}

/// The registry's Confluent interface.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    url: String,
    /// Schemas by id, with their texts.
    schemas: HashMap<u32, (Schema, String)>,
    /// Texts of the schemas of subjects, by version.
    subjects: HashMap<String, Vec<String>>,
}

impl Registry {
    /// Makes a client for the registry at this root.
    pub fn new(root: &str) -> Self {
        let url = format!("{root}/apis/ccompat/v7");
        Self { client: Client::new(), url, schemas: HashMap::new(), subjects: HashMap::new() }
    }

    /// Decodes what a side wrote and fetches what it registered.
    ///
    /// # Errors
    /// Fails when a record is not what the side's converters write, and when the registry does.
    pub async fn observe(&mut self, side: &Side, partitions: &Partitions) -> anyhow::Result<Observed> {
        let mut observed = Observed::default();
        let mut subjects = BTreeSet::new();
        for ((topic, partition), raws) in partitions {
            let mut records = Vec::new();
            for (index, raw) in raws.iter().enumerate() {
                let payloads = [("key", &raw.key), ("value", &raw.value)].into_iter();
                let with_schema =
                    payloads.filter(|(role, bytes)| bytes.is_some() && side.converts(role, "Avro"));
                // By the converters' default strategy. The registry's own list of subjects ends somewhere.
                subjects.extend(with_schema.map(|(role, _)| format!("{topic}-{role}")));
                let record = self.decode(side, topic, raw).await;
                records.push(record.with_context(|| format!("decode record {index} of `{topic}`"))?);
            }
            normal::heartbeats_once(&mut records);
            let topic = normal::text(topic, &side.prefix);
            observed.topics.entry(topic).or_default().insert(*partition, records);
        }
        for subject in subjects {
            let texts = self.versions(&subject).await?.iter();
            let texts = texts.map(|text| normal::text(text, &side.prefix)).collect();
            observed.subjects.insert(normal::text(&subject, &side.prefix), texts);
        }
        Ok(observed)
    }

    async fn decode(&mut self, side: &Side, topic: &str, raw: &Raw) -> anyhow::Result<Record> {
        let key = self.payload(side, topic, "key", raw.key.as_deref()).await.context("decode the key")?;
        let value =
            self.payload(side, topic, "value", raw.value.as_deref()).await.context("decode the value")?;
        let headers = raw.headers.iter().map(|(name, bytes)| {
            (name.clone(), bytes.as_ref().map_or(Value::Null, |bytes| text_or_hex(bytes)))
        });
        Ok(normal::record(side, Record { key, value, headers: headers.collect() }))
    }

    async fn payload(
        &mut self,
        side: &Side,
        topic: &str,
        role: &str,
        bytes: Option<&[u8]>,
    ) -> anyhow::Result<Payload> {
        let Some(bytes) = bytes else { return Ok(Payload { value: json!(NOTHING), ..Payload::default() }) };
        if side.converts(role, "Json") {
            let value = serde_json::from_slice(bytes).context("parse JSON")?;
            let text = std::str::from_utf8(bytes)?.to_owned();
            return Ok(Payload { value, text: Some(text), ..Payload::default() });
        }
        if !side.converts(role, "Avro") {
            return Ok(Payload { value: text_or_hex(bytes), ..Payload::default() });
        }
        let (head, datum) = bytes.split_at_checked(5).context("find the schema's id")?;
        ensure!(head[0] == 0, "the first byte is {}, not 0", head[0]);
        let id = u32::from_be_bytes(head[1..].try_into()?);
        if !self.schemas.contains_key(&id) {
            let answer = self.ask(&format!("{}/schemas/ids/{id}", self.url)).await?;
            let text = answer["schema"].as_str().context("find the schema's text")?;
            self.schemas.insert(id, (Schema::parse(text)?, text.to_owned()));
        }
        let (schema, text) = &self.schemas[&id];
        let (value, text) = (schema.decode(datum)?, text.clone());
        let versions = self.versions(&format!("{topic}-{role}")).await?;
        let version = versions.iter().position(|version| *version == text).map_or(0, |index| index + 1);
        Ok(Payload { value, version: Some(version), ..Payload::default() })
    }

    async fn versions(&mut self, subject: &str) -> anyhow::Result<&[String]> {
        if !self.subjects.contains_key(subject) {
            let texts =
                self.ask_for_versions(subject).await.with_context(|| format!("read subject `{subject}`"))?;
            self.subjects.insert(subject.to_owned(), texts);
        }
        Ok(&self.subjects[subject])
    }

    async fn ask_for_versions(&self, subject: &str) -> anyhow::Result<Vec<String>> {
        let versions = format!("{}/subjects/{subject}/versions", self.url);
        let numbers: Vec<u32> = serde_json::from_value(self.ask(&versions).await?)?;
        let mut texts = Vec::new();
        for number in numbers {
            let answer = self.ask(&format!("{versions}/{number}")).await?;
            texts.push(answer["schema"].as_str().context("find the schema's text")?.to_owned());
        }
        Ok(texts)
    }

    async fn ask(&self, url: &str) -> anyhow::Result<Value> {
        let answer = self.client.get(url).send().await?.error_for_status()?;
        answer.json().await.with_context(|| format!("read the answer to `{url}`"))
    }
}

fn text_or_hex(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!(hex(bytes)), |text| json!(text))
}
