//! Settings of the worker, and reading of connector files.

mod files;
mod providers;

use std::{net::SocketAddr, path::Path};

pub(crate) use files::{ConnectorFile, read_connector, read_properties};
pub(crate) use providers::Providers;
use sluice_core::config::{
    Config as _, ConfigValue, Fault, Kind, Millis, Names, Prefixed, Properties, suggest,
};

/// Beginning of environment variables that set worker properties, as in the images people know:
/// `CONNECT_BOOTSTRAP_SERVERS` is `bootstrap.servers`.
const ENVIRONMENT_PREFIX: &str = "CONNECT_";

/// Properties of Connect's worker that mean nothing in one process; accepted so that files can be kept.
const WITHOUT_EFFECT: [&str; 19] = [
    "heartbeat.interval.ms",
    "session.timeout.ms",
    "rebalance.timeout.ms",
    "worker.sync.timeout.ms",
    "worker.unsync.backoff.ms",
    "connect.protocol",
    "plugin.path",
    "plugin.discovery",
    "config.storage.",
    "offset.storage.replication.factor",
    "offset.storage.partitions",
    "offset.flush.timeout.ms",
    "status.storage.",
    "rest.",
    "scheduled.rebalance.max.delay.ms",
    "exactly.once.source.support",
    "topic.tracking.",
    "internal.",
    "log4j.",
];

/// An address to listen on: `http://host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listener(pub(crate) SocketAddr);

impl ConfigValue for Listener {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let expected =
            || "one listener of the form http://ADDRESS:PORT, such as http://127.0.0.1:8083".to_owned();
        let address = text.strip_prefix("http://").ok_or_else(expected)?.replace("localhost", "127.0.0.1");
        let address = if address.starts_with(':') { format!("127.0.0.1{address}") } else { address };
        address.parse().map(Self).map_err(|_| expected())
    }
}

sluice_core::config! {
    /// Settings of the worker, under Kafka Connect's names.
    pub(crate) struct WorkerSettings {
        /// Kafka brokers as `host:port,host:port`; connectors use them unless they override them.
        "bootstrap.servers" => bootstrap_servers: String = "localhost:9092",
        /// Where `/metrics` and `/health` are served; loopback unless you say otherwise.
        "listeners" => listeners: Listener = "http://127.0.0.1:8083",
        /// Group of a cluster of Kafka Connect. Together with `offset.storage.topic` it says where Debezium's offsets are:
        /// a connector without a position of its own goes on there.
        "group.id" => group: Option<String>,
        /// The cluster's topic of source offsets. It is read only.
        "offset.storage.topic" => offsets_topic: Option<String>,
        /// File with the positions of source connectors, replaced as a whole at each flush. If a standalone worker of
        /// Kafka Connect wrote it, it is only read, to go on where Debezium stopped, and ours is `<file>.sluice`.
        "offset.storage.file.filename" => offsets_file: String = "sluice.offsets",
        /// Longest time between two flushes in milliseconds; each flush saves and acknowledges a position.
        /// Connect's default is 60000; here a flush is cheap and a short interval keeps restarts short.
        "offset.flush.interval.ms" => flush_interval: Millis = "200",
        /// How long a stop waits for the last flush, in milliseconds.
        "task.shutdown.graceful.timeout.ms" => shutdown_timeout: Millis = "5000",
        /// Converter of keys, for connectors that name none.
        "key.converter" => key_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the key converter, such as `key.converter.schema.registry.url`.
        "key.converter." => key_converter_settings: Prefixed,
        /// Converter of values, for connectors that name none.
        "value.converter" => value_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the value converter, such as `value.converter.schema.registry.url`.
        "value.converter." => value_converter_settings: Prefixed,
        /// Converter of headers, for connectors that name none.
        "header.converter" => header_converter: String = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        /// Settings of the header converter, such as `header.converter.schemas.enable`.
        "header.converter." => header_converter_settings: Prefixed,
        /// Whether source connectors may create topics.
        "topic.creation.enable" => topic_creation: bool = "true",
        /// Settings of every producer, such as `producer.linger.ms`.
        "producer." => producer: Prefixed,
        /// Settings of every consumer, such as `consumer.fetch.min.bytes`.
        "consumer." => consumer: Prefixed,
        /// Settings of every client, such as `security.protocol`.
        "security." => security: Prefixed,
        /// SASL settings of every client.
        "sasl." => sasl: Prefixed,
        /// TLS settings of every client.
        "ssl." => ssl: Prefixed,
        /// Providers of `${…}` references; `env` and `file` are built in and always there.
        "config.providers" => providers: Names,
        /// Limits of the providers: `config.providers.env.param.allowlist.pattern`,
        /// `config.providers.file.param.allowed.paths`.
        "config.providers." => provider_settings: Prefixed,
    }
}

/// The worker's settings and how to resolve references in files.
pub(crate) struct Settings {
    pub(crate) worker: WorkerSettings,
    pub(crate) providers: Providers,
}

impl Settings {
    /// Joins file, environment and flags; the later win.
    pub(crate) fn load(file: Option<&Path>, flags: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let mut properties = Properties::default();
        if let Some(file) = file {
            properties = read_properties(file).map_err(|error| vec![error.into()])?;
        }
        for (name, value) in std::env::vars() {
            if let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) {
                let key = rest.to_lowercase().replace('_', ".");
                if WorkerSettings::claims(&key) {
                    properties.set(key, value);
                }
            }
        }
        for (key, value) in flags {
            properties.set(key.clone(), value.clone());
        }
        Self::from_properties(&properties)
    }

    fn from_properties(properties: &Properties) -> Result<Self, Vec<Fault>> {
        let providers = Providers::from_properties(properties)?;
        let resolved = providers.resolve(properties)?;
        let mut faults = unknown(&resolved);
        match WorkerSettings::from_properties(&resolved) {
            Ok(worker) if faults.is_empty() => Ok(Self { worker, providers }),
            Ok(_) => Err(faults),
            Err(mut found) => {
                faults.append(&mut found);
                Err(faults)
            }
        }
    }
}

fn unknown(properties: &Properties) -> Vec<Fault> {
    let has_no_effect = |key: &str| {
        WITHOUT_EFFECT.iter().any(|name| key == *name || (name.ends_with('.') && key.starts_with(name)))
    };
    let definitions = WorkerSettings::definitions();
    let mut faults = Vec::new();
    for key in properties.keys().filter(|key| !definitions.iter().any(|definition| definition.claims(key))) {
        if has_no_effect(key) {
            tracing::info!(property = key, "worker property has no effect in one process");
            continue;
        }
        let fault = Fault::new("config.unknown_property", key, "unknown worker property");
        faults.push(match suggest(key, definitions.iter().map(|definition| definition.name)) {
            Some(name) => fault.hint(format!("did you mean `{name}`?")),
            None => fault.hint("`sluice describe worker` lists what there is"),
        });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_worker_property_finds_its_neighbour() {
        let faults =
            Settings::from_properties(&Properties::from([("bootstrap.server", "k:9092")])).err().unwrap();

        assert_eq!(faults[0].hint.as_deref(), Some("did you mean `bootstrap.servers`?"));
    }

    #[test]
    fn properties_of_a_connect_cluster_are_accepted() {
        let properties =
            Properties::from([("group.id", "c"), ("config.storage.topic", "t"), ("rest.port", "1")]);

        assert!(Settings::from_properties(&properties).is_ok());
    }

    #[test]
    fn listener_is_read_as_an_address() {
        assert_eq!(Listener::parse("http://localhost:8083").unwrap().0.to_string(), "127.0.0.1:8083");
        assert_eq!(Listener::parse("http://:8083").unwrap().0.to_string(), "127.0.0.1:8083");
        assert!(Listener::parse("8083").is_err());
    }
}
