//! From a connector's file to what can be run: everything that can be known without connecting.

use std::{path::PathBuf, sync::Arc};

use sluice_core::{
    config::{Config, Definition, Fault, Names, Properties, suggest},
    error::Error,
    pipeline::{Chain, DeadLetters, Tolerance},
    registry::{DynSinkConnector, DynSourceConnector, Plugin, Registry, find},
};
use sluice_kafka::{KafkaDeadLetters, KafkaSink, KafkaSource};

use crate::settings::{ConnectorFile, Settings, WorkerSettings};

sluice_core::config! {
    /// Properties that every connector has.
    pub(crate) struct CommonConfig {
        /// Name of the connector: of its consumer group, its saved position and its metrics.
        "name" => name: String,
        /// Class of the connector, by its full or its simple name; `sluice describe` lists them.
        "connector.class" => class: String,
        /// Highest number of tasks. A source runs one; so does a sink, whose one task is not limited to one core.
        "tasks.max" => tasks_max: u32 = "1",
        /// What happens to a record that is refused: `none` fails the connector, `all` skips it, and keeps
        /// it in the dead letter queue if there is one.
        "errors.tolerance" => tolerance: Tolerance = "none",
        /// Accepted for files of Kafka Connect: refused records are always logged, without their values.
        "errors.log.enable" => log: bool = "true",
        /// Accepted for files of Kafka Connect. Values never reach the logs.
        "errors.log.include.messages" => log_messages: bool = "false",
        /// Accepted for files of Kafka Connect: passing faults are retried without limit, with back-off.
        "errors.retry.timeout" => retry_timeout: i64 = "-1",
        /// Accepted for files of Kafka Connect.
        "errors.retry.delay.max.ms" => retry_delay: u64 = "30000",
        /// Transforms, in order; each alias has `transforms.<alias>.type` and its own properties.
        "transforms" => transforms: Names,
        /// Predicates; each alias has `predicates.<alias>.type` and its own properties.
        "predicates" => predicates: Names,
        /// Accepted for files of Kafka Connect.
        "header.converter" => header_converter: Option<String>,
        /// Accepted for files of Kafka Connect.
        "config.action.reload" => reload: Option<String>,
    }
}

/// Lists the properties that every connector has.
pub(crate) fn describe_common() -> Vec<Definition> {
    CommonConfig::definitions()
}

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
    /// Joined with the worker's settings, references resolved: holds secrets, is never shown.
    pub(crate) properties: Properties,
}

impl Plan {
    /// Reads all there is to know from a file; every fault at once.
    pub(crate) fn new(
        registry: &Registry,
        settings: &Settings,
        file: ConnectorFile,
    ) -> Result<Self, Vec<Fault>> {
        let own = settings.providers.resolve(&file.properties)?;
        let common = CommonConfig::from_properties(&own)?;
        let direction = Direction::new(registry, &common.class).map_err(|fault| vec![fault])?;
        let mut properties = joined(&settings.worker, own.clone());
        if matches!(direction, Direction::Source { .. }) {
            properties.set_default("topic.creation.enable", &settings.worker.topic_creation.to_string());
        }
        let mut faults = direction.validate(&properties);
        faults.extend(direction.unknown(&own));
        match Chain::from_properties(registry, &own) {
            Ok(chain) if !faults.iter().any(is_error) => {
                report_warnings(&common.name, &faults);
                Ok(Self {
                    name: common.name,
                    path: file.path,
                    direction,
                    chain,
                    tolerance: common.tolerance,
                    properties,
                })
            }
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
    fn new(registry: &Registry, class: &str) -> Result<Self, Fault> {
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

    /// Names the properties that nobody claims.
    fn unknown(&self, properties: &Properties) -> Vec<Fault> {
        let mut definitions = describe_common();
        definitions.extend(self.plugins().into_iter().flat_map(Plugin::definitions));
        if matches!(self, Self::Sink { .. }) {
            definitions.extend(KafkaDeadLetters::definitions());
        }
        let is_unknown = |key: &&str| {
            !Chain::claims(properties, key) && !definitions.iter().any(|definition| definition.claims(key))
        };
        let names = || definitions.iter().map(|definition| definition.name);
        properties
            .keys()
            .filter(is_unknown)
            .map(|key| {
                let fault = Fault::new("config.unknown_property", key, "unknown property");
                match suggest(key, names()) {
                    Some(name) => fault.hint(format!("did you mean `{name}`?")),
                    None => fault.hint("`sluice describe CONNECTOR` lists what there is"),
                }
            })
            .collect()
    }
}

fn is_error(fault: &Fault) -> bool {
    fault.severity == sluice_core::config::Severity::Error
}

fn report_warnings(connector: &str, faults: &[Fault]) {
    for fault in faults {
        tracing::warn!(connector, property = fault.property, code = fault.code, "{}", fault.message);
    }
}

/// Fills in what the worker's settings say for all connectors.
fn joined(worker: &WorkerSettings, mut properties: Properties) -> Properties {
    properties.set_default("bootstrap.servers", &worker.bootstrap_servers);
    let converters = [
        ("key.converter", &worker.key_converter, &worker.key_converter_settings),
        ("value.converter", &worker.value_converter, &worker.value_converter_settings),
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
