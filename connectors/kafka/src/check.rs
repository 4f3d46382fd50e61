//! What `sluice check` finds at the brokers and the registries; nothing is changed.

use sluice_core::config::{Fault, Prefixed, Severity};

use crate::{
    client::{ClientKind, ClientSettings, Probe},
    config::{KafkaSinkConfig, KafkaSourceConfig},
    converter::{Converter, Defaults, Role},
};

/// Looks at what a source connector's end in Kafka needs.
pub(crate) async fn sink(config: &KafkaSinkConfig) -> Vec<Fault> {
    let mut faults = config.faults();
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return faults;
    }
    let servers = &config.bootstrap_servers.0;
    match ClientSettings::admin(servers, &[&config.producer.0], &config.admin.0) {
        Ok(settings) => faults.extend(brokers(&settings).await.err()),
        Err(found) => faults.extend(found),
    }
    faults.extend(registry(Role::Key, &config.key_converter, &config.key_converter_settings).await);
    faults.extend(registry(Role::Value, &config.value_converter, &config.value_converter_settings).await);
    faults
}

/// Looks at what a sink connector's beginning in Kafka needs, its topics among it.
pub(crate) async fn source(config: &KafkaSourceConfig) -> Vec<Fault> {
    let mut faults = config.faults();
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return faults;
    }
    match ClientSettings::new(ClientKind::Consumer, &config.bootstrap_servers.0, &[], &config.consumer.0) {
        Ok(settings) => match brokers(&settings).await {
            Ok(topics) => faults.extend(missing_topics(config, &topics)),
            Err(fault) => faults.push(fault),
        },
        Err(found) => faults.extend(found),
    }
    faults.extend(registry(Role::Key, &config.key_converter, &config.key_converter_settings).await);
    faults.extend(registry(Role::Value, &config.value_converter, &config.value_converter_settings).await);
    faults
}

async fn brokers(settings: &ClientSettings) -> Result<Vec<String>, Fault> {
    let topics = async { Probe::new(settings)?.topics().await }.await;
    topics.map_err(|error| Fault::from_error("bootstrap.servers", &error))
}

/// Names topics that are not there: warnings, since a source may create them later.
fn missing_topics(config: &KafkaSourceConfig, existing: &[String]) -> Vec<Fault> {
    const CODE: &str = "kafka.topic_missing";
    let hint = "the connector waits for it; start the source connector that writes it, or check the name";
    if let Some(pattern) = &config.topics_regex {
        let none = !existing.iter().any(|topic| pattern.matches(topic));
        let fault = || Fault::new(CODE, "topics.regex", "no topic matches").warning().hint(hint);
        return none.then(fault).into_iter().collect();
    }
    let missing = config.topics.0.iter().filter(|topic| !existing.contains(topic));
    missing
        .map(|topic| {
            Fault::new(CODE, "topics", format!("topic `{topic}` does not exist")).warning().hint(hint)
        })
        .collect()
}

async fn registry(role: Role, class: &str, settings: &Prefixed) -> Option<Fault> {
    let converter = Converter::new(role.property(), role, class, &settings.0, &Defaults::default()).ok()?;
    let error = converter.registry()?.ping().await.err()?;
    Some(Fault::from_error(format!("{}.schema.registry.url", role.property()), &error))
}
