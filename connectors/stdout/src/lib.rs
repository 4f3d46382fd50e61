//! Sink that prints records: the connector to learn from.
//!
//! Records come in, lines go out on standard output. The README beside this crate's directory walks through
//! this file: configuration, connector, running sink, error, tests.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value as Json, json};
use sluice_core::{
    Classify, Error, ErrorClass, Record, Value,
    checkpoint::Checkpoint,
    config::Fault,
    record::{Datum, Headers, Payload},
    sink::{Flushed, Sink, SinkConnector},
    source::TaskContext,
    value::Struct,
};

sluice_core::config_enum! {
    /// How a record becomes a line.
    pub enum Format {
        /// A JSON object with topic, position, timestamp, key, value and headers.
        Json = "json",
        /// Topic, key and value, for the eye.
        Text = "text",
    }
}

sluice_core::config! {
    /// Properties of the stdout sink.
    pub struct StdoutConfig {
        /// How a record becomes a line: `json` for programs, `text` for the eye.
        "stdout.format" => format: Format = "json",
        /// Whether a JSON line holds the record's headers.
        "stdout.headers" => headers: bool = "true",
    }
}

/// The connector: names it, checks its configuration, opens it.
#[derive(Debug, Clone, Copy)]
pub struct Stdout;

impl SinkConnector for Stdout {
    const NAME: &'static str = "sluice.Stdout";
    type Config = StdoutConfig;
    type Sink = StdoutSink;

    fn validate(&self, config: &StdoutConfig) -> Vec<Fault> {
        match (config.format, config.headers) {
            (Format::Text, true) | (Format::Json, _) => Vec::new(),
            (Format::Text, false) => {
                let message = "has no effect with `stdout.format=text`, which never prints headers";
                vec![Fault::invalid("stdout.headers", message).warning()]
            }
        }
    }

    async fn check(&self, config: StdoutConfig) -> Vec<Fault> {
        // There is nothing to connect to.
        self.validate(&config)
    }

    async fn open(&self, config: StdoutConfig, _context: TaskContext) -> Result<StdoutSink, Error> {
        Ok(StdoutSink::new(config, io::stdout()))
    }
}

/// Standard output cannot be written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StdoutError {
    /// Whoever read the lines has gone.
    #[error("standard output was closed by its reader")]
    Closed(#[source] io::Error),
    /// The lines could not be written.
    #[error("cannot write to standard output")]
    Write(#[source] io::Error),
    /// The thread that wrote did not come back.
    #[error("writing to standard output was cut short")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl Classify for StdoutError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Closed(_) => "stdout.closed",
            Self::Write(_) => "stdout.write",
            Self::Interrupted(_) => "stdout.interrupted",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Closed(_) => "keep the program that the lines are piped to running".to_owned(),
            Self::Write(_) => "look at where standard output goes: a full disk, perhaps".to_owned(),
            Self::Interrupted(_) => "start the connector again; nothing was saved past it".to_owned(),
        })
    }
}

/// The running sink: prints what it is given, a line for each record.
///
/// Lines are out when [`Sink::flush`] returns. A record that is written again is printed again: a line on
/// standard output cannot be taken back.
#[derive(Debug)]
pub struct StdoutSink<W = io::Stdout> {
    config: StdoutConfig,
    output: Arc<Mutex<W>>,
}

impl<W: Write + Send + 'static> StdoutSink<W> {
    /// Makes a sink that prints to `output`.
    pub fn new(config: StdoutConfig, output: W) -> Self {
        Self { config, output: Arc::new(Mutex::new(output)) }
    }

    /// Does something to the output on a thread that may wait, since a slow reader makes it wait.
    async fn blocking(
        &self,
        work: impl FnOnce(&mut W) -> io::Result<()> + Send + 'static,
    ) -> Result<(), StdoutError> {
        let output = Arc::clone(&self.output);
        let work = move || work(&mut output.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(work).await.map_err(StdoutError::Interrupted)? {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(StdoutError::Closed(error)),
            written => written.map_err(StdoutError::Write),
        }
    }
}

impl<W: Write + Send + 'static> Sink for StdoutSink<W> {
    async fn write(&mut self, batch: &[Record]) -> Result<(), Error> {
        let lines: String = batch.iter().map(|record| line(&self.config, record)).collect();
        Ok(self.blocking(move |output| output.write_all(lines.as_bytes())).await?)
    }

    async fn flush(&mut self, _checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        self.blocking(Write::flush).await?;
        Ok(Flushed::default())
    }

    async fn close(&mut self) -> Result<(), Error> {
        // Standard output is not ours to close.
        Ok(())
    }
}

fn line(config: &StdoutConfig, record: &Record) -> String {
    let key = datum_json(&record.key);
    let value = match &record.value {
        Payload::Plain(datum) => datum_json(datum),
        Payload::Change(change) => struct_json(&change.clone().into_struct()),
    };
    match config.format {
        Format::Text => format!("{} {key} {value}\n", record.topic),
        Format::Json => {
            let mut object = json!({
                "topic": &*record.topic,
                "position": position(record),
                "timestamp": record.timestamp,
                "key": key,
                "value": value,
            });
            if config.headers {
                object["headers"] = headers_json(&record.headers);
            }
            format!("{object}\n")
        }
    }
}

/// Place in the source's commit order as `epoch/commit/index/count`, else in the log as `topic-partition@offset`.
fn position(record: &Record) -> Option<String> {
    let log = || record.origin.log.as_ref();
    let event = record.origin.event.map(|event| event.to_string());
    event.or_else(|| log().map(|log| format!("{}-{}@{}", log.topic, log.partition, log.offset)))
}

fn headers_json(headers: &Headers) -> Json {
    headers.iter().map(|header| json!({ "key": &*header.key, "value": datum_json(&header.value) })).collect()
}

fn datum_json(datum: &Datum) -> Json {
    value_json(&datum.value)
}

fn struct_json(value: &Struct) -> Json {
    let names = value.schema().fields().iter().map(|field| field.name.to_string());
    Json::Object(names.zip(value.values().iter().map(value_json)).collect())
}

/// Shows a value as Connect's JSON converter does: bytes in base 64, unchanged values by Debezium's marker.
fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unavailable => json!("__debezium_unavailable_value"),
        Value::Boolean(value) => json!(value),
        Value::Int8(value) => json!(value),
        Value::Int16(value) => json!(value),
        Value::Int32(value) => json!(value),
        Value::Int64(value) => json!(value),
        Value::Float32(value) if !value.is_finite() => json!(value.to_string()),
        Value::Float32(value) => json!(value),
        Value::Float64(value) if !value.is_finite() => json!(value.to_string()),
        Value::Float64(value) => json!(value),
        Value::Bytes(bytes) => json!(BASE64_STANDARD.encode(bytes)),
        Value::String(text) => json!(&**text),
        Value::Array(values) => values.iter().map(value_json).collect(),
        Value::Map(pairs) => map_json(pairs),
        Value::Struct(value) => struct_json(value),
    }
}

/// An object where all keys are text, else a list of pairs.
fn map_json(pairs: &[(Value, Value)]) -> Json {
    let entry = |(key, value): &(Value, Value)| Some((key.as_str()?.to_owned(), value_json(value)));
    match pairs.iter().map(entry).collect::<Option<Map<_, _>>>() {
        Some(object) => Json::Object(object),
        None => pairs.iter().map(|(key, value)| json!([value_json(key), value_json(value)])).collect(),
    }
}

#[cfg(test)]
mod tests;
