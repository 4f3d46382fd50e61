//! Connect's predicates.
//!
//! Hot path. A topic's answer is kept.

use std::sync::Arc;

use super::cache::Cache;
use crate::{
    config::Fault,
    java_regex::Pattern,
    record::Record,
    transform::{Predicate, PredicateFactory},
};

crate::config! {
    /// Properties of `TopicNameMatches`.
    pub struct TopicNameMatchesConfig {
        /// Java regular expression that must match the whole topic.
        "pattern" => pattern: String,
    }
}

/// Whether the topic matches a regular expression as a whole.
#[derive(Debug, Clone, Copy)]
pub struct TopicNameMatches;

/// A [`TopicNameMatches`] at work.
pub struct TopicPattern {
    pattern: Pattern,
    answers: Cache<Arc<str>, bool>,
}

impl PredicateFactory for TopicNameMatches {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
    type Config = TopicNameMatchesConfig;
    type Predicate = TopicPattern;

    fn build(&self, config: TopicNameMatchesConfig) -> Result<TopicPattern, Vec<Fault>> {
        let pattern =
            Pattern::parse(&config.pattern).map_err(|reason| vec![Fault::invalid("pattern", reason)])?;
        Ok(TopicPattern { pattern, answers: Cache::default() })
    }
}

impl Predicate for TopicPattern {
    fn test(&self, record: &Record) -> bool {
        let answer = || Ok::<_, std::convert::Infallible>(self.pattern.matches(&record.topic));
        match self.answers.get_or_derive(Arc::clone(&record.topic), answer) {
            Ok(answer) => answer,
        }
    }
}

crate::config! {
    /// Properties of `HasHeaderKey`.
    pub struct HasHeaderKeyConfig {
        /// Name of the header, in full and with its case.
        "name" => name: String,
    }
}

/// Whether the record has a header of a name.
#[derive(Debug, Clone, Copy)]
pub struct HasHeaderKey;

/// A [`HasHeaderKey`] at work.
#[derive(Debug)]
pub struct HeaderKey(String);

impl PredicateFactory for HasHeaderKey {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey";
    type Config = HasHeaderKeyConfig;
    type Predicate = HeaderKey;

    fn build(&self, config: HasHeaderKeyConfig) -> Result<HeaderKey, Vec<Fault>> {
        match config.name.is_empty() {
            true => Err(vec![Fault::invalid("name", "must not be empty")]),
            false => Ok(HeaderKey(config.name)),
        }
    }
}

impl Predicate for HeaderKey {
    fn test(&self, record: &Record) -> bool {
        record.headers.last(&self.0).is_some()
    }
}

/// Whether the value is null, with or without a schema. It has no properties.
#[derive(Debug, Clone, Copy)]
pub struct RecordIsTombstone;

impl PredicateFactory for RecordIsTombstone {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone";
    type Config = ();
    type Predicate = Self;

    fn build(&self, (): ()) -> Result<Self, Vec<Fault>> {
        Ok(*self)
    }
}

impl Predicate for RecordIsTombstone {
    fn test(&self, record: &Record) -> bool {
        record.value.is_tombstone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Datum, Payload},
        value::Value,
    };

    fn record(topic: &str) -> Record {
        Record::new(topic.into(), Datum::NULL, Payload::TOMBSTONE)
    }

    #[test]
    fn topic_must_match_as_a_whole() {
        let predicate = |pattern: &str| {
            TopicNameMatches.build(TopicNameMatchesConfig { pattern: pattern.to_owned() }).unwrap()
        };

        assert!(predicate("users\\..*").test(&record("users.public.users")));
        assert!(!predicate("users").test(&record("users.public.users")));
    }

    #[test]
    fn pattern_that_is_none_is_a_fault() {
        let config = TopicNameMatchesConfig { pattern: "(x".to_owned() };

        let faults = TopicNameMatches.build(config).err().unwrap();

        assert_eq!(faults[0].property, "pattern");
        assert!(faults[0].message.contains("regular expression"), "{}", faults[0]);
    }

    #[test]
    fn header_is_found_by_its_whole_name() {
        let predicate = HasHeaderKey.build(HasHeaderKeyConfig { name: "a".to_owned() }).unwrap();
        let mut with = record("t");
        with.headers.push("a", Datum::NULL);
        let mut without = record("t");
        without.headers.push("ab", Datum::NULL);

        assert!(predicate.test(&with));
        assert!(!predicate.test(&without));
    }

    #[test]
    fn empty_header_name_is_a_fault() {
        assert!(HasHeaderKey.build(HasHeaderKeyConfig { name: String::new() }).is_err());
    }

    #[test]
    fn tombstone_is_a_null_value() {
        let mut valued = record("t");
        valued.value = Payload::Plain(Datum::schemaless(Value::from("x")));

        assert!(RecordIsTombstone.test(&record("t")));
        assert!(!RecordIsTombstone.test(&valued));
    }
}
