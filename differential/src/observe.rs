//! What a side wrote, decoded and in normal form: records by topic and partition, schemas by subject.

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

/// A record, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The key, or [`NOTHING`].
    pub key: Value,
    /// The value, or [`NOTHING`].
    pub value: Value,
    /// Names and values, in order.
    pub headers: Vec<(String, Value)>,
}

/// All that one side wrote.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Records by topic, then partition, in order.
    pub topics: BTreeMap<String, BTreeMap<i32, Vec<Record>>>,
    /// Texts of the registered schemas by subject, in the order of their versions.
    pub subjects: BTreeMap<String, Vec<String>>,
}

impl Observed {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.topics.values().flat_map(BTreeMap::values).map(Vec::len).sum()
    }
}

/// The registry's Confluent interface.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    url: String,
    schemas: HashMap<u32, Schema>,
}

impl Registry {
    /// Makes a client for the registry at this root.
    pub fn new(root: &str) -> Self {
        Self { client: Client::new(), url: format!("{root}/apis/ccompat/v7"), schemas: HashMap::new() }
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
            let topic = normal::text(topic, &side.prefix);
            observed.topics.entry(topic).or_default().insert(*partition, records);
        }
        for subject in subjects {
            let texts = self.versions(&subject).await.with_context(|| format!("read subject `{subject}`"))?;
            let texts = texts.into_iter().map(|text| normal::text(&text, &side.prefix)).collect();
            observed.subjects.insert(normal::text(&subject, &side.prefix), texts);
        }
        Ok(observed)
    }

    async fn decode(&mut self, side: &Side, topic: &str, raw: &Raw) -> anyhow::Result<Record> {
        let key = self.payload(side, "key", raw.key.as_deref()).await.context("decode the key")?;
        let value = self.payload(side, "value", raw.value.as_deref()).await.context("decode the value")?;
        let headers = raw.headers.iter().map(|(name, bytes)| {
            let text = bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            (name.clone(), text.map_or(Value::Null, Value::String))
        });
        Ok(normal::record(topic, &side.prefix, Record { key, value, headers: headers.collect() }))
    }

    async fn payload(&mut self, side: &Side, role: &str, bytes: Option<&[u8]>) -> anyhow::Result<Value> {
        let Some(bytes) = bytes else { return Ok(json!(NOTHING)) };
        if side.converts(role, "Json") {
            return serde_json::from_slice(bytes).context("parse JSON");
        }
        if !side.converts(role, "Avro") {
            return Ok(String::from_utf8(bytes.to_owned()).map_or_else(|_| json!(hex(bytes)), Value::String));
        }
        let (head, datum) = bytes.split_at_checked(5).context("find the schema's id")?;
        ensure!(head[0] == 0, "the first byte is {}, not 0", head[0]);
        let id = u32::from_be_bytes(head[1..].try_into()?);
        if !self.schemas.contains_key(&id) {
            let answer = self.ask(&format!("{}/schemas/ids/{id}", self.url)).await?;
            let schema = Schema::parse(answer["schema"].as_str().context("find the schema's text")?)?;
            self.schemas.insert(id, schema);
        }
        self.schemas[&id].decode(datum)
    }

    async fn versions(&self, subject: &str) -> anyhow::Result<Vec<String>> {
        let subject = self.subject(subject);
        let versions: Vec<u32> = serde_json::from_value(self.ask(&format!("{subject}/versions")).await?)?;
        let mut texts = Vec::new();
        for version in versions {
            let answer = self.ask(&format!("{subject}/versions/{version}")).await?;
            texts.push(answer["schema"].as_str().context("find the schema's text")?.to_owned());
        }
        Ok(texts)
    }

    fn subject(&self, subject: &str) -> String {
        format!("{}/subjects/{subject}", self.url)
    }

    async fn ask(&self, url: &str) -> anyhow::Result<Value> {
        let answer = self.client.get(url).send().await?.error_for_status()?;
        answer.json().await.with_context(|| format!("read the answer to `{url}`"))
    }
}
