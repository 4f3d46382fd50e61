//! From Kafka's Java client properties to librdkafka's.
//!
//! A name that does not stand in the table of [`super::names`] is given to librdkafka, which knows its own.

use std::{collections::BTreeMap, fs};

use rdkafka::ClientConfig;
use sluice_core::config::{Fault, suggest};

use super::{
    jaas,
    names::{
        TABLE,
        Translation::{Forbidden, Kibibytes, Named, Special, Without},
        known_names,
    },
};
use crate::error::KafkaError;

/// Which client the settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// Writes.
    Producer,
    /// Reads.
    Consumer,
    /// Creates topics.
    Admin,
}

impl ClientKind {
    /// Returns the prefix of the properties that override this client's settings.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.override.",
            Self::Consumer => "consumer.override.",
            Self::Admin => "admin.override.",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Admin => "admin client",
        }
    }
}

/// Settings that are about the connection, whichever client makes it.
const SHARED: [&str; 5] = ["security.", "sasl.", "ssl.", "client.dns.", "broker.address."];

/// Settings of one client, Java's names among the user's already replaced.
#[derive(Clone)]
pub(crate) struct ClientSettings {
    kind: ClientKind,
    config: ClientConfig,
    max_poll_records: Option<usize>,
}

impl ClientSettings {
    /// Lays the user's overrides over our defaults.
    ///
    /// # Errors
    /// Every override that cannot be used, by its full name, with what is allowed; no values of secrets.
    pub(crate) fn new(
        kind: ClientKind,
        bootstrap_servers: &str,
        defaults: &[(&str, &str)],
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Fault>> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap_servers);
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        let mut settings = Self { kind, config, max_poll_records: None };
        let faults: Vec<_> =
            overrides.iter().filter_map(|(name, value)| settings.set(name, value, overrides).err()).collect();
        if faults.iter().any(|fault| fault.severity == sluice_core::config::Severity::Error) {
            return Err(faults);
        }
        Ok(settings)
    }

    /// Makes the settings of a client that asks and creates topics: the security settings of others, then
    /// its own overrides.
    ///
    /// # Errors
    /// As for [`ClientSettings::new`].
    pub(crate) fn admin(
        bootstrap_servers: &str,
        others: &[&BTreeMap<String, String>],
        own: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Fault>> {
        let shared = |name: &str| SHARED.iter().any(|prefix| name.starts_with(prefix));
        let inherited = others.iter().flat_map(|other| other.iter()).filter(|(name, _)| shared(name));
        let overrides = inherited.chain(own).map(|(name, value)| (name.clone(), value.clone())).collect();
        Self::new(ClientKind::Admin, bootstrap_servers, &[], &overrides)
    }

    /// Lists what is wrong or without effect, for `validate`.
    pub(crate) fn faults(
        kind: ClientKind,
        bootstrap_servers: &str,
        overrides: &BTreeMap<String, String>,
    ) -> Vec<Fault> {
        let mut settings = Self { kind, config: ClientConfig::new(), max_poll_records: None };
        settings.config.set("bootstrap.servers", bootstrap_servers);
        overrides.iter().filter_map(|(name, value)| settings.set(name, value, overrides).err()).collect()
    }

    /// Returns librdkafka's settings.
    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Returns librdkafka's settings for a change by the caller.
    pub(crate) fn config_mut(&mut self) -> &mut ClientConfig {
        &mut self.config
    }

    /// Returns `max.poll.records`, if set.
    pub(crate) fn max_poll_records(&self) -> Option<usize> {
        self.max_poll_records
    }

    /// Returns `bootstrap.servers`.
    pub(crate) fn servers(&self) -> &str {
        self.config.get("bootstrap.servers").unwrap_or_default()
    }

    /// Names a failed creation of this client.
    pub(crate) fn refused(&self, source: rdkafka::error::KafkaError) -> KafkaError {
        KafkaError::Client { client: self.kind.name(), source }
    }

    fn set(&mut self, name: &str, value: &str, all: &BTreeMap<String, String>) -> Result<(), Fault> {
        let property = format!("{}{name}", self.kind.prefix());
        let Some((_, translation)) = TABLE.iter().find(|(java, _)| *java == name) else {
            return self.native(name, name, value);
        };
        match translation {
            Named(native) => self.native(name, native, value),
            Kibibytes(native) => {
                let bytes: u64 = value
                    .parse()
                    .map_err(|_| Fault::invalid(&property, "expected bytes as a whole number"))?;
                self.native(name, native, &(bytes / 1024).max(1).to_string())
            }
            Without(reason) => {
                Err(Fault::new("kafka.setting_without_effect", property, format!("has no effect: {reason}"))
                    .warning())
            }
            Forbidden(reason) => Err(Fault::invalid(property, format!("cannot be set: {reason}"))),
            Special => self.special(name, value, all).map_err(|expected| Fault::invalid(property, expected)),
        }
    }

    /// Sets what takes more than another name. Errors say what is expected.
    fn special(&mut self, name: &str, value: &str, all: &BTreeMap<String, String>) -> Result<(), String> {
        match name {
            "max.poll.records" => {
                let records = value.parse().ok().filter(|records| (1..=100_000).contains(records));
                self.max_poll_records = Some(records.ok_or("expected a number from 1 to 100000")?);
            }
            "partitioner.class" if !value.is_empty() && !value.ends_with(".DefaultPartitioner") => {
                return Err(
                    "only Java's default partitioner (murmur2 of the key) is there: leave it out".to_owned()
                );
            }
            "partition.assignment.strategy" => {
                self.config.set(name, assignors(value)?);
            }
            "sasl.jaas.config" => {
                let (user, password) = jaas::user_and_password(value)?;
                self.config.set("sasl.username", user).set("sasl.password", password);
            }
            "ssl.truststore.location" => {
                require_pem(all, "ssl.truststore.type", value)?;
                self.config.set("ssl.ca.location", value);
            }
            "ssl.keystore.location" if is_pem(all, "ssl.keystore.type", value) => {
                self.config.set("ssl.certificate.location", value).set("ssl.key.location", value);
            }
            "ssl.keystore.location" => {
                if value.ends_with(".jks") {
                    return Err("expected a PEM or PKCS12 file; convert with `keytool -importkeystore -deststoretype PKCS12`"
                        .to_owned());
                }
                self.config.set(name, value);
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets a property of librdkafka's, which says itself whether it knows it.
    fn native(&mut self, given: &str, name: &str, value: &str) -> Result<(), Fault> {
        let property = format!("{}{given}", self.kind.prefix());
        // Types of stores stand beside their locations; Java needs them, librdkafka does not have them.
        if ["ssl.truststore.type", "ssl.keystore.type", "ssl.truststore.password"].contains(&given) {
            return Ok(());
        }
        let value =
            if name == "ssl.endpoint.identification.algorithm" && value.is_empty() { "none" } else { value };
        let mut alone = ClientConfig::new();
        alone.set(name, value);
        match alone.create_native_config() {
            Ok(_) => {
                self.config.set(name, value);
                Ok(())
            }
            Err(rdkafka::error::KafkaError::ClientConfig(_, message, ..))
                if message.starts_with("No such") =>
            {
                let fault =
                    Fault::new("config.unknown_property", property, "no Kafka client has this setting");
                Err(match suggest(given, known_names()) {
                    Some(name) => fault.hint(format!("did you mean `{}{name}`?", self.kind.prefix())),
                    None => fault,
                })
            }
            Err(error) => Err(Fault::invalid(property, refusal(name, &error))),
        }
    }
}

/// Says what librdkafka does not like, unless that could show a secret.
fn refusal(name: &str, error: &rdkafka::error::KafkaError) -> String {
    let secret =
        ["password", "secret", "pem", "key", "jaas", "oauthbearer"].iter().any(|part| name.contains(part));
    match error {
        rdkafka::error::KafkaError::ClientConfig(_, message, ..) if !secret => message.clone(),
        _ => "the value is not accepted".to_owned(),
    }
}

/// Java's assignor classes by librdkafka's names.
fn assignors(value: &str) -> Result<String, String> {
    let name = |class: &str| match class.trim().rsplit('.').next().unwrap_or_default() {
        "RangeAssignor" | "range" => Ok("range"),
        "RoundRobinAssignor" | "roundrobin" => Ok("roundrobin"),
        "CooperativeStickyAssignor" | "cooperative-sticky" => Ok("cooperative-sticky"),
        _ => Err("expected RangeAssignor, RoundRobinAssignor or CooperativeStickyAssignor".to_owned()),
    };
    Ok(value.split(',').map(name).collect::<Result<Vec<_>, _>>()?.join(","))
}

fn is_pem(all: &BTreeMap<String, String>, kind: &str, location: &str) -> bool {
    match all.get(kind) {
        Some(kind) => kind.eq_ignore_ascii_case("PEM"),
        None => {
            location.ends_with(".pem")
                || fs::read(location).is_ok_and(|content| content.starts_with(b"-----BEGIN"))
        }
    }
}

fn require_pem(all: &BTreeMap<String, String>, kind: &str, location: &str) -> Result<(), String> {
    if is_pem(all, kind, location) {
        return Ok(());
    }
    Err("expected a PEM file of certificates (with `ssl.truststore.type=PEM`); \
         convert a Java key store with `keytool -list -rfc -keystore FILE`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(overrides: &[(&str, &str)]) -> Result<ClientSettings, Vec<Fault>> {
        let overrides =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ClientSettings::new(ClientKind::Producer, "k:9092", &[("linger.ms", "5")], &overrides)
    }

    #[test]
    fn java_names_become_those_of_librdkafka() {
        let settings = producer(&[
            ("buffer.memory", "33554432"),
            ("max.request.size", "2000000"),
            ("delivery.timeout.ms", "90000"),
            ("linger.ms", "20"),
            ("statistics.interval.ms", "1000"),
        ])
        .unwrap();

        let config = settings.config();
        assert_eq!(config.get("queue.buffering.max.kbytes"), Some("32768"));
        assert_eq!(config.get("message.max.bytes"), Some("2000000"));
        assert_eq!(config.get("message.timeout.ms"), Some("90000"));
        assert_eq!(config.get("linger.ms"), Some("20"));
        assert_eq!(config.get("statistics.interval.ms"), Some("1000"));
    }

    #[test]
    fn misspelt_setting_gets_a_suggestion() {
        let faults = producer(&[("lingre.ms", "20")]).err().unwrap();

        assert_eq!(faults[0].property, "producer.override.lingre.ms");
        assert_eq!(faults[0].hint.as_deref(), Some("did you mean `producer.override.linger.ms`?"));
    }

    #[test]
    fn jaas_line_becomes_user_and_password() {
        let line =
            r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";"#;

        let settings = producer(&[("sasl.jaas.config", line)]).unwrap();

        assert_eq!(settings.config().get("sasl.username"), Some("u"));
        assert_eq!(settings.config().get("sasl.password"), Some("p"));
    }

    #[test]
    fn java_key_store_is_refused_with_the_way_out() {
        let faults = producer(&[("ssl.truststore.location", "/none/trust.jks")]).err().unwrap();

        assert!(faults[0].message.contains("keytool"));
    }

    #[test]
    fn setting_that_would_lose_records_is_refused() {
        let overrides = [("enable.auto.commit".to_owned(), "true".to_owned())].into();

        let faults = ClientSettings::faults(ClientKind::Consumer, "k:9092", &overrides);

        assert_eq!(faults[0].code, "config.invalid_value");
    }

    #[test]
    fn refused_secret_is_not_shown() {
        let faults = producer(&[("ssl.key.pem", "-----hunter2")]);

        assert!(
            faults
                .err()
                .is_none_or(|faults| faults.iter().all(|fault| !fault.to_string().contains("hunter2")))
        );
    }
}
