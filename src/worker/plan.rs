//! From a connector's file to what can be run: everything that can be known without connecting.

use std::{path::PathBuf, sync::Arc};

use sluice_core::{
    config::{Config as _, Definition, Fault, Known, Properties, Severity, Support},
    error::Error,
    pipeline::{Chain, DeadLetters, Tolerance},
    registry::{DynSinkConnector, DynSourceConnector, Plugin, Registry, find},
};
use sluice_kafka::{KafkaDeadLetters, KafkaSink, KafkaSource};

use super::properties::{CommonConfig, SourceConfig, common_of_sinks, common_of_sources};
use crate::settings::{ConnectorFile, Settings, WorkerSettings};

/// Which way a connector moves records, with the plugins at both ends.
pub(crate) enum Direction {
    /// From a system into Kafka.
    Source { connector: Arc<dyn DynSourceConnector>, kafka: Arc<dyn DynSinkConnector> },
    /// From Kafka into a system.
    Sink { kafka: Arc<dyn DynSourceConnector>, connector: Arc<dyn DynSinkConnector> },
}

/// A connector that can be run.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) direction: Direction,
    pub(crate) chain: Chain,
    pub(crate) tolerance: Tolerance,
    /// None is for ever.
    pub(crate) max_retries: Option<u32>,
    /// The topic in which Kafka Connect kept the offsets of this source connector, if it had one of its own.
    pub(crate) offsets_topic: Option<String>,
    /// What somebody should look at, though it can be run.
    pub(crate) warnings: Vec<Fault>,
    /// Joined with the worker's settings, references resolved: holds secrets, is never shown.
    pub(crate) properties: Properties,
}

impl Plan {
    /// Reads all there is to know from a file; every fault at once. A property that nobody knows is a fault of
    /// severity `unknown`: an error in a file, where it is a slip; a warning where Connect would let it pass.
    pub(crate) fn new(
        registry: &Registry,
        settings: &Settings,
        file: ConnectorFile,
        unknown: Severity,
    ) -> Result<Self, Vec<Fault>> {
        let mut own = settings.providers.resolve(&file.properties)?;
        let common = CommonConfig::from_properties(&own)?;
        let direction = Direction::new(registry, &common.class).map_err(|fault| vec![fault])?;
        let definitions = direction.definitions();
        let known = Known::new(&definitions);
        let mut faults = known.unobeyed(&own);
        faults.extend(unknown_keys(&known, &own, unknown));
        let without_effect = |key: &str| known.find(key).is_some_and(|it| it.support == Support::NoEffect);
        own.retain(|key| !without_effect(key));
        let mut properties = joined(&settings.worker, own.clone());
        let mut offsets_topic = None;
        if matches!(direction, Direction::Source { .. }) {
            properties.set_default("topic.creation.enable", &settings.worker.topic_creation.to_string());
            offsets_topic = SourceConfig::from_properties(&own)?.offsets_topic;
        }
        faults.extend(direction.validate(&properties));
        match Chain::from_properties(registry, &own) {
            Ok(chain) if !faults.iter().any(is_error) => Ok(Self {
                name: common.name,
                path: file.path,
                direction,
                chain,
                tolerance: common.tolerance,
                max_retries: u32::try_from(common.max_retries).ok(),
                offsets_topic,
                warnings: faults,
                properties,
            }),
            Ok(_) => Err(faults),
            Err(found) => Err(faults.into_iter().chain(found).collect()),
        }
    }

    /// Connects to all systems and tells what is missing; changes nothing.
    pub(crate) async fn check(&self) -> Vec<Fault> {
        let mut faults;
        match &self.direction {
            Direction::Source { connector, kafka } => {
                faults = connector.check(&self.properties).await;
                faults.extend(kafka.check(&self.properties).await);
            }
            Direction::Sink { kafka, connector } => {
                faults = kafka.check(&self.properties).await;
                faults.extend(connector.check(&self.properties).await);
            }
        }
        faults
    }

    /// Opens the dead letter queue, if the properties name one.
    pub(crate) fn dead_letters(&self) -> Result<Option<Box<dyn DeadLetters>>, Error> {
        match &self.direction {
            Direction::Source { .. } => Ok(None),
            Direction::Sink { .. } => {
                let queue = KafkaDeadLetters::open(&self.properties, &self.name)?;
                Ok(queue.map(|queue| Box::new(queue) as Box<dyn DeadLetters>))
            }
        }
    }
}

impl Direction {
    /// Finds the plugins of a class.
    pub(crate) fn new(registry: &Registry, class: &str) -> Result<Self, Fault> {
        // The plugins of the Kafka end are not in the registry: they are not what a user names.
        let kafka = Registry::default().source(KafkaSource).sink(KafkaSink);
        if let Some(connector) = find(registry.sources(), class) {
            let connector = Arc::clone(connector);
            return Ok(Self::Source { connector, kafka: Arc::clone(&kafka.sinks()[0]) });
        }
        if let Some(connector) = find(registry.sinks(), class) {
            let connector = Arc::clone(connector);
            return Ok(Self::Sink { connector, kafka: Arc::clone(&kafka.sources()[0]) });
        }
        let known: Vec<_> = registry
            .sources()
            .iter()
            .map(|source| source.name())
            .chain(registry.sinks().iter().map(|sink| sink.name()))
            .collect();
        let message = format!("unknown class `{class}`; known: {}", known.join(", "));
        Err(Fault::new("config.unknown_class", "connector.class", message))
    }

    fn plugins(&self) -> [&dyn Plugin; 2] {
        match self {
            Self::Source { connector, kafka } => [&**connector, &**kafka],
            Self::Sink { kafka, connector } => [&**connector, &**kafka],
        }
    }

    fn validate(&self, properties: &Properties) -> Vec<Fault> {
        let mut faults: Vec<_> =
            self.plugins().into_iter().flat_map(|plugin| plugin.validate(properties)).collect();
        if matches!(self, Self::Sink { .. }) {
            let told = |fault: &Fault| faults.iter().any(|other| other.property == fault.property);
            let more: Vec<_> =
                KafkaDeadLetters::validate(properties).into_iter().filter(|fault| !told(fault)).collect();
            faults.extend(more);
        }
        faults
    }

    /// Lists the properties that a file of such a connector may have.
    pub(crate) fn definitions(&self) -> Vec<Definition> {
        let mut definitions: Vec<_> = self.plugins().into_iter().flat_map(Plugin::definitions).collect();
        definitions.extend(match self {
            Self::Source { .. } => common_of_sources(),
            Self::Sink { .. } => [KafkaDeadLetters::definitions(), common_of_sinks()].concat(),
        });
        definitions
    }
}

/// Names the properties that nobody claims.
fn unknown_keys(known: &Known<'_>, properties: &Properties, severity: Severity) -> Vec<Fault> {
    const LIST: &str = "`sluice describe CONNECTOR` lists what there is";
    let is_unknown = |key: &&str| known.find(key).is_none() && !Chain::claims(properties, key);
    properties.keys().filter(is_unknown).map(|key| known.unknown(key, severity, LIST)).collect()
}

fn is_error(fault: &Fault) -> bool {
    fault.severity == Severity::Error
}

/// Returns how the worker reaches its own brokers, as properties of a connector.
pub(crate) fn client_properties(worker: &WorkerSettings) -> Properties {
    joined(worker, Properties::default())
}

/// Fills in what the worker's settings say for all connectors.
fn joined(worker: &WorkerSettings, mut properties: Properties) -> Properties {
    properties.set_default("bootstrap.servers", &worker.bootstrap_servers);
    let converters = [
        ("key.converter", &worker.key_converter, &worker.key_converter_settings),
        ("value.converter", &worker.value_converter, &worker.value_converter_settings),
        ("header.converter", &worker.header_converter, &worker.header_converter_settings),
    ];
    for (name, class, settings) in converters {
        // A connector that names a converter names its settings, too; as in Connect, they are not mixed.
        if properties.value(name).is_none() {
            properties.set(name, class.clone());
            for (key, value) in &settings.0 {
                properties.set_default(&format!("{name}.{key}"), value);
            }
        }
    }
    for (client, settings) in [("producer", &worker.producer), ("consumer", &worker.consumer)] {
        for (key, value) in &settings.0 {
            properties.set_default(&format!("{client}.override.{key}"), value);
        }
        for (prefix, settings) in
            [("security", &worker.security), ("sasl", &worker.sasl), ("ssl", &worker.ssl)]
        {
            for (key, value) in &settings.0 {
                properties.set_default(&format!("{client}.override.{prefix}.{key}"), value);
            }
        }
    }
    properties
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
