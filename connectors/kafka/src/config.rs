//! Properties of the Kafka end of a connector, under the names of Kafka Connect.

use sluice_core::config::{ConfigValue, Fault, Kind, Names, Prefixed};
use sluice_core::java_regex::Pattern;

use crate::{
    avro::{NullDefaults, UnavailableValue},
    client::{ClientKind, ClientSettings},
    converter::{Converter, Defaults, Role},
    headers::HeaderConverter,
};

sluice_core::config! {
    /// How a source connector writes to Kafka.
    pub struct KafkaSinkConfig {
        /// Kafka brokers to ask first, as `host:port` separated by commas. Usually set for the worker.
        "bootstrap.servers" => bootstrap_servers: Servers,
        /// Converter of keys: `io.confluent.connect.avro.AvroConverter`,
        /// `io.apicurio.registry.utils.converter.AvroConverter` (as-confluent), `org.apache.kafka.connect.json.JsonConverter`,
        /// `org.apache.kafka.connect.storage.StringConverter` or `org.apache.kafka.connect.converters.ByteArrayConverter`.
        "key.converter" => key_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the key converter, such as `key.converter.schema.registry.url`.
        "key.converter." => key_converter_settings: Prefixed,
        /// Converter of values; the same classes as for keys.
        "value.converter" => value_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the value converter, such as `value.converter.schema.registry.url`, `value.converter.schemas.enable`.
        "value.converter." => value_converter_settings: Prefixed,
        /// Converter of headers: `org.apache.kafka.connect.storage.SimpleHeaderConverter` unless set, or one of the
        /// others but Avro.
        "header.converter" => header_converter: Option<String>,
        /// Settings of the header converter, such as `header.converter.schemas.enable`.
        "header.converter." => header_converter_settings: Prefixed,
        /// Settings of the producer under the names of Java's or librdkafka's client. Ours unless set: `acks=all`,
        /// `enable.idempotence=true`, `compression.type=lz4`, `linger.ms=2`, `delivery.timeout.ms=120000`.
        "producer.override." => producer: Prefixed,
        /// Settings of the client that creates topics, on top of the producer's security settings.
        "admin.override." => admin: Prefixed,
        /// Whether topics that do not exist are created before the first record for them. Usually set for the worker.
        "topic.creation.enable" => topic_creation: bool = "true",
        /// Groups of topics with settings of their own, tried in this order; what no group includes is in group `default`.
        "topic.creation.groups" => topic_groups: Names,
        /// Settings of the groups: `topic.creation.<group>.include` and `.exclude` (regular expressions of whole names,
        /// separated by commas), `.partitions` and `.replication.factor` (-1: what the broker is set to, the default),
        /// and any setting that topics have, such as `topic.creation.default.cleanup.policy=compact`.
        "topic.creation." => topic_settings: Prefixed,
        /// What stands for a value that the source did not send because it did not change (unchanged TOAST).
        "unavailable.value.placeholder" => unavailable: String = "__debezium_unavailable_value",
        /// `debezium`: null in a column with a default is written as the default, unless the converter's
        /// `replace.null.with.default` or `ignore.default.for.nullables` says otherwise. `correct`: it stays null.
        "compatibility" => compatibility: Compatibility = "correct",
        /// Whether each record of a row carries the header `sluice.position` with its place in the source's commit
        /// order. Sinks need it to write in the right order whatever is repeated.
        "sluice.position.header" => position_header: bool = "true",
    }
}

sluice_core::config_enum! {
    /// `compatibility`.
    pub enum Compatibility {
        /// What the source holds.
        Correct = "correct",
        /// What Debezium sends.
        Debezium = "debezium",
    }
}

sluice_core::config! {
    /// How a sink connector reads from Kafka.
    pub struct KafkaSourceConfig {
        /// Kafka brokers to ask first, as `host:port` separated by commas. Usually set for the worker.
        "bootstrap.servers" => bootstrap_servers: Servers,
        /// Topics to read, separated by commas. Either this or `topics.regex`.
        "topics" => topics: Names,
        /// Regular expression of the whole names of the topics to read. New topics are found within 30 seconds. Rows are
        /// in `prefix\.schema\..*`; `prefix\..*` takes in the topics of messages, transactions and notifications, too,
        /// which hold no rows.
        "topics.regex" => topics_regex: Option<Pattern>,
        /// Converter of keys: the one that the topics were written with.
        "key.converter" => key_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the key converter, such as `key.converter.schema.registry.url`.
        "key.converter." => key_converter_settings: Prefixed,
        /// Converter of values: the one that the topics were written with.
        "value.converter" => value_converter: String = "io.confluent.connect.avro.AvroConverter",
        /// Settings of the value converter.
        "value.converter." => value_converter_settings: Prefixed,
        /// What stands for a value that the source did not send because it did not change; columns with it are left alone.
        "unavailable.value.placeholder" => unavailable: String = "__debezium_unavailable_value",
        /// Settings of the consumer under the names of Java's or librdkafka's client, such as
        /// `consumer.override.auto.offset.reset=latest`. Ours unless set: `group.id=connect-<name>`,
        /// `auto.offset.reset=earliest` where the group has no offset (an offset that is no longer there stops the
        /// connector, unless this is set), `isolation.level=read_committed`, `max.poll.records=2000`.
        "consumer.override." => consumer: Prefixed,
    }
}

sluice_core::config! {
    /// Where a sink connector puts records that it cannot read, transform or write.
    pub struct DeadLettersConfig {
        /// Kafka brokers to ask first.
        "bootstrap.servers" => bootstrap_servers: Servers,
        /// Topic of refused records, created with one partition if it does not exist; none: they are only logged.
        "errors.deadletterqueue.topic.name" => topic: Option<String>,
        /// Replicas of that topic when it is created; -1 is what the broker is set to.
        "errors.deadletterqueue.topic.replication.factor" => replication_factor: i32 = "3",
        /// Whether headers `__connect.errors.*` tell where the record came from and what was wrong with it.
        "errors.deadletterqueue.context.headers.enable" => context_headers: bool = "false",
        /// Settings of the producer, as for source connectors.
        "producer.override." => producer: Prefixed,
        /// Settings of the client that creates the topic, on top of the producer's security settings.
        "admin.override." => admin: Prefixed,
    }
}

/// `bootstrap.servers`: `host:port`, one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(pub String);

impl ConfigValue for Servers {
    const KIND: Kind = Kind::List;

    fn parse(text: &str) -> Result<Self, String> {
        let is_address = |address: &str| {
            let address = address.trim();
            let address = address.split_once("://").map_or(address, |(_, address)| address);
            address
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        if text.split(',').all(is_address) {
            Ok(Self(text.to_owned()))
        } else {
            Err("addresses `host:port` separated by commas".to_owned())
        }
    }
}

impl KafkaSinkConfig {
    /// Returns what the converters take from the connector.
    pub(crate) fn defaults(&self) -> Defaults {
        let null_defaults = match self.compatibility {
            Compatibility::Correct => NullDefaults::KeepInRows,
            Compatibility::Debezium => NullDefaults::Replace,
        };
        Defaults { unavailable: UnavailableValue::new(&self.unavailable), null_defaults }
    }

    /// Lists what contradicts; opens no connection.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let servers = &self.bootstrap_servers.0;
        let mut faults = Converter::faults(Role::Key, &self.key_converter, &self.key_converter_settings.0);
        faults.extend(Converter::faults(
            Role::Value,
            &self.value_converter,
            &self.value_converter_settings.0,
        ));
        let headers = &self.header_converter_settings.0;
        let headers = HeaderConverter::new(self.header_converter.as_deref(), headers, &self.defaults());
        faults.extend(headers.err().unwrap_or_default());
        faults.extend(ClientSettings::faults(ClientKind::Producer, servers, &self.producer.0));
        faults.extend(ClientSettings::faults(ClientKind::Admin, servers, &self.admin.0));
        faults.extend(crate::topics::TopicRules::from_config(self).err().unwrap_or_default());
        faults
    }
}

impl KafkaSourceConfig {
    /// Lists what contradicts; opens no connection.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Converter::faults(Role::Key, &self.key_converter, &self.key_converter_settings.0);
        faults.extend(Converter::faults(
            Role::Value,
            &self.value_converter,
            &self.value_converter_settings.0,
        ));
        let servers = &self.bootstrap_servers.0;
        faults.extend(ClientSettings::faults(ClientKind::Consumer, servers, &self.consumer.0));
        match (self.topics.0.is_empty(), &self.topics_regex) {
            (true, None) => faults.push(Fault::new(
                "config.missing_property",
                "topics",
                "set `topics` or `topics.regex`: a sink connector must know what to read",
            )),
            (false, Some(_)) => {
                faults.push(Fault::invalid("topics.regex", "set either `topics` or `topics.regex`"));
            }
            _ => {}
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::config::{Config, Properties};

    use super::*;

    fn source(pairs: &[(&str, &str)]) -> KafkaSourceConfig {
        let mut properties =
            Properties::from([("bootstrap.servers", "k:9092"), ("value.converter", "StringConverter")]);
        properties.set("key.converter", "StringConverter");
        for (key, value) in pairs {
            properties.set(*key, *value);
        }
        KafkaSourceConfig::from_properties(&properties).unwrap()
    }

    #[test]
    fn topics_and_pattern_exclude_each_other_and_one_is_needed() {
        assert_eq!(source(&[]).faults()[0].property, "topics");
        assert_eq!(source(&[("topics", "a"), ("topics.regex", "a.*")]).faults()[0].property, "topics.regex");
        assert!(source(&[("topics", "a,b")]).faults().is_empty());
    }

    #[test]
    fn pattern_matches_whole_names() {
        let pattern = Pattern::parse("users\\..*|orders").unwrap();

        assert!(pattern.matches("users.a") && pattern.matches("orders"));
        assert!(!pattern.matches("my.users.a") && !pattern.matches("orders2"));
        assert!(Pattern::parse("(x)y)").is_err());
    }

    #[test]
    fn server_without_port_is_refused() {
        assert!(Servers::parse("kafka:9092,PLAINTEXT://[::1]:9093").is_ok());
        assert!(Servers::parse("kafka").is_err());
    }
}
