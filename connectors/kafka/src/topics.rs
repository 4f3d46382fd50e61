//! Creating topics before the first record for them, by Kafka Connect's rules.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    config::FromClientConfigAndContext,
    error::KafkaError as ClientError,
    types::RDKafkaErrorCode,
};
use sluice_core::config::Fault;
use sluice_core::java_regex::Pattern;

use crate::{
    client::{BROKER_TIMEOUT, ClientSettings, Logged, Probe},
    config::KafkaSinkConfig,
    error::KafkaError,
};

/// Group of topics that no other includes.
const DEFAULT_GROUP: &str = "default";
/// Partitions or replicas as the broker is set to.
const BROKER_DEFAULT: i32 = -1;

/// How topics of one group are created.
#[derive(Debug, Clone)]
pub(crate) struct TopicGroup {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    partitions: i32,
    replication: i32,
    settings: Vec<(String, String)>,
}

/// All groups, the one named `default` last.
#[derive(Debug, Clone)]
pub(crate) struct TopicRules {
    groups: Vec<TopicGroup>,
}

impl TopicRules {
    /// Reads `topic.creation.*`.
    ///
    /// # Errors
    /// Every fault, with full property names.
    pub(crate) fn from_config(config: &KafkaSinkConfig) -> Result<Self, Vec<Fault>> {
        let mut settings = config.topic_settings.0.clone();
        settings.remove("enable");
        settings.remove("groups");
        let mut faults = Vec::new();
        let mut groups = Vec::new();
        let names = config.topic_groups.0.iter().map(String::as_str).filter(|name| *name != DEFAULT_GROUP);
        for name in names.chain([DEFAULT_GROUP]) {
            let own = take_below(&mut settings, name);
            match TopicGroup::new(name, own) {
                Ok(group) => groups.push(group),
                Err(mut found) => faults.append(&mut found),
            }
        }
        let unknown = |key: &String| {
            Fault::new(
                "config.unknown_property",
                format!("topic.creation.{key}"),
                "belongs to no group that `topic.creation.groups` lists; `default` is always there",
            )
        };
        faults.extend(settings.keys().map(unknown));
        if faults.is_empty() { Ok(Self { groups }) } else { Err(faults) }
    }

    /// Makes rules for one topic with one partition, as dead letter queues have.
    pub(crate) fn single_partition(replication: i32) -> Self {
        let group = TopicGroup {
            include: Vec::new(),
            exclude: Vec::new(),
            partitions: 1,
            replication,
            settings: Vec::new(),
        };
        Self { groups: vec![group] }
    }

    fn group(&self, topic: &str) -> &TopicGroup {
        let (default, named) = self.groups.split_last().expect("the default group is always there");
        named.iter().find(|group| group.includes(topic)).unwrap_or(default)
    }
}

impl TopicGroup {
    fn new(name: &str, mut settings: BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let property = |key: &str| format!("topic.creation.{name}.{key}");
        let mut patterns = |key: &str, settings: &mut BTreeMap<String, String>| {
            let text = settings.remove(key).unwrap_or_default();
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Pattern::parse).collect::<Result<Vec<_>, _>>().unwrap_or_else(|expected| {
                faults.push(Fault::invalid(property(key), format!("expected {expected}")));
                Vec::new()
            })
        };
        let include = patterns("include", &mut settings);
        let exclude = patterns("exclude", &mut settings);
        let mut count = |key: &str, settings: &mut BTreeMap<String, String>| {
            let value = settings.remove(key).map_or(Ok(BROKER_DEFAULT), |text| text.trim().parse());
            let value = value.ok().filter(|value| *value >= 1 || *value == BROKER_DEFAULT);
            value.unwrap_or_else(|| {
                faults.push(Fault::invalid(
                    property(key),
                    "expected a number from 1, or -1 for the broker's default",
                ));
                BROKER_DEFAULT
            })
        };
        let partitions = count("partitions", &mut settings);
        let replication = count("replication.factor", &mut settings);
        if name != DEFAULT_GROUP && include.is_empty() && faults.is_empty() {
            faults.push(Fault::new(
                "config.missing_property",
                property("include"),
                "must be set; it has no default",
            ));
        }
        let settings = settings.into_iter().collect();
        if faults.is_empty() {
            Ok(Self { include, exclude, partitions, replication, settings })
        } else {
            Err(faults)
        }
    }

    fn includes(&self, topic: &str) -> bool {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(topic));
        matches(&self.include) && !matches(&self.exclude)
    }

    fn new_topic<'a>(&'a self, topic: &'a str) -> NewTopic<'a> {
        let new = NewTopic::new(topic, self.partitions, TopicReplication::Fixed(self.replication));
        self.settings.iter().fold(new, |new, (key, value)| new.set(key, value))
    }
}

/// Takes the keys below `<prefix>.` out, with the prefix cut off.
fn take_below(settings: &mut BTreeMap<String, String>, prefix: &str) -> BTreeMap<String, String> {
    let below = |key: &String| Some(key.strip_prefix(prefix)?.strip_prefix('.')?.to_owned());
    let keys: Vec<_> = settings.keys().filter_map(|key| Some((key.clone(), below(key)?))).collect();
    keys.into_iter().filter_map(|(full, key)| Some((key, settings.remove(&full)?))).collect()
}

/// Knows which topics are there and creates those that are not.
pub(crate) struct Topics {
    rules: TopicRules,
    create: bool,
    settings: ClientSettings,
    known: HashSet<Arc<str>>,
}

impl Topics {
    /// Starts without knowing any topic.
    pub(crate) fn new(rules: TopicRules, create: bool, settings: ClientSettings) -> Self {
        Self { rules, create, settings, known: HashSet::new() }
    }

    /// Whether the topic was seen or created.
    pub(crate) fn is_known(&self, topic: &str) -> bool {
        self.known.contains(topic)
    }

    /// Forgets all topics: some may have been deleted.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// Sees to it that a topic is there.
    ///
    /// Asks for the list of topics first, so that nothing is created for users who may only write.
    ///
    /// # Errors
    /// [`KafkaError::TopicMissing`] when it may not be created; [`KafkaError::CreateTopic`] when the
    /// brokers refuse it; [`KafkaError::Unreachable`] when none answers.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn ensure(&mut self, topic: &Arc<str>) -> Result<(), KafkaError> {
        self.look().await?;
        if self.is_known(topic) {
            return Ok(());
        }
        if !self.create {
            return Err(KafkaError::TopicMissing { topic: topic.to_string() });
        }
        self.create(topic).await?;
        self.known.insert(Arc::clone(topic));
        Ok(())
    }

    /// Learns which topics there are.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`] when no broker answers.
    pub(crate) async fn look(&mut self) -> Result<(), KafkaError> {
        let existing = Probe::new(&self.settings)?.topics().await?;
        self.known.extend(existing.into_iter().map(Arc::from));
        Ok(())
    }

    async fn create(&self, topic: &str) -> Result<(), KafkaError> {
        let admin = AdminClient::from_config_and_context(self.settings.config(), Logged)
            .map_err(|error| self.settings.refused(error))?;
        let group = self.rules.group(topic);
        let options = AdminOptions::new().operation_timeout(Some(BROKER_TIMEOUT));
        let created = admin.create_topics([&group.new_topic(topic)], &options).await;
        // Its thread ends within 0.1 s, which an async thread should not wait for.
        drop(tokio::task::spawn_blocking(move || drop(admin)));
        let failed = |source| KafkaError::CreateTopic { topic: topic.to_owned(), source };
        match created.map_err(failed)?.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
            Some(Err((_, code))) => Err(failed(ClientError::AdminOp(code))),
            _ => {
                let TopicGroup { partitions, replication, .. } = group;
                tracing::info!(topic, partitions, replication, "topic created");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::config::{Config, Properties};

    use super::*;

    fn rules(pairs: &[(&str, &str)]) -> Result<TopicRules, Vec<Fault>> {
        let mut properties = Properties::from([("bootstrap.servers", "k:9092")]);
        for (key, value) in pairs {
            properties.set(format!("topic.creation.{key}"), *value);
        }
        TopicRules::from_config(&KafkaSinkConfig::from_properties(&properties).unwrap())
    }

    #[test]
    fn first_group_that_includes_a_topic_decides() {
        let rules = rules(&[
            ("enable", "true"),
            ("groups", "logs, all"),
            ("logs.include", "p\\.logs\\..*"),
            ("logs.exclude", ".*\\.old"),
            ("logs.partitions", "6"),
            ("all.include", ".*\\.a,.*\\.b"),
            ("all.replication.factor", "2"),
            ("default.partitions", "3"),
            ("default.cleanup.policy", "compact"),
        ])
        .unwrap();

        assert_eq!(rules.group("p.logs.x").partitions, 6);
        assert_eq!(rules.group("p.s.b").replication, 2);
        let default = rules.group("p.logs.old");
        assert_eq!((default.partitions, default.replication), (3, BROKER_DEFAULT));
        assert_eq!(default.settings, [("cleanup.policy".to_owned(), "compact".to_owned())]);
    }

    #[test]
    fn all_faults_of_the_groups_are_told() {
        let faults =
            rules(&[("groups", "logs"), ("default.partitions", "0"), ("other.partitions", "1")]).unwrap_err();

        let properties: Vec<_> = faults.iter().map(|fault| fault.property.as_str()).collect();
        assert_eq!(
            properties,
            [
                "topic.creation.logs.include",
                "topic.creation.default.partitions",
                "topic.creation.other.partitions"
            ]
        );
    }
}
