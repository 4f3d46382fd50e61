//! Tests of plans and of the answer that each property gets.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::*;
use crate::connectors::built_in;

/// What a worker of Kafka Connect says of Debezium's connector, as recorded from
/// `GET /connector-plugins/io.debezium.connector.postgresql.PostgresConnector/config`.
const DEBEZIUM: &str = include_str!("../../tests/properties/debezium-postgres-3.6.1.json");

const CONNECTOR: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// Properties with another default than Debezium's, and why.
const OTHER_DEFAULTS: &[(&str, &str)] = &[
    ("plugin.name", "decoderbufs is not part of Postgres; only pgoutput is supported"),
    ("connector.plugin.version", "Sluice has a version of its own"),
    ("key.converter", "a worker of Connect has none of its own"),
    ("value.converter", "a worker of Connect has none of its own"),
];

struct Property {
    name: String,
    kind: String,
    default: Option<String>,
}

impl Property {
    /// A key that the definition stands for: Debezium's list has regular expressions among its names.
    fn example(&self) -> String {
        self.name.replace("(d+)", "5").replace("([^.]+)", "SHA-256").replace("(.+)", "salt")
    }
}

fn recorded() -> Vec<Property> {
    let recorded: Json = serde_json::from_str(DEBEZIUM).unwrap();
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let property = |property: &Json| Property {
        name: text(&property["name"]).unwrap(),
        kind: text(&property["type"]).unwrap(),
        default: text(&property["default"]),
    };
    recorded["properties"].as_array().unwrap().iter().map(property).collect()
}

fn definitions() -> Vec<Definition> {
    Direction::new(&built_in(), CONNECTOR).unwrap().definitions()
}

fn plan(changes: &[(&str, &str)], unknown: Severity) -> Result<Plan, Vec<Fault>> {
    let mut properties = Properties::from([
        ("name", "users"),
        ("connector.class", CONNECTOR),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
        ("topic.prefix", "p"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ]);
    changes.iter().for_each(|(key, value)| properties.set(*key, *value));
    let settings = Settings::load(None, &[])?;
    Plan::new(&built_in(), &settings, ConnectorFile { path: "users".into(), properties }, unknown)
}

fn keys(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.property.as_str()).collect()
}

#[test]
fn every_property_of_debezium_has_an_answer() {
    let definitions = definitions();
    let known = Known::new(&definitions);

    let without: Vec<_> = recorded()
        .into_iter()
        .filter(|property| {
            let key = property.example();
            known.find(&key).is_none() && !Chain::claims(&Properties::default(), &key)
        })
        .map(|property| property.name)
        .collect();

    assert_eq!(without, [""; 0]);
}

#[test]
fn properties_have_debeziums_default_and_type() {
    let definitions = definitions();
    let known = Known::new(&definitions);
    let kind_of = |kind: &str| match kind {
        "INT" | "LONG" => "a number".to_owned(),
        "LIST" | "CLASS" => "STRING".to_owned(),
        other => other.to_owned(),
    };

    for property in recorded() {
        let Some(definition) = known.find(&property.name).filter(|it| it.name == property.name) else {
            continue;
        };
        let (default, expected) =
            (definition.default.unwrap_or_default(), property.default.unwrap_or_default());
        let other = OTHER_DEFAULTS.iter().any(|(name, _)| *name == property.name);
        assert_eq!(default == expected, !other, "`{}`: `{default}`, not `{expected}`", property.name);
        assert_eq!(kind_of(definition.kind.name()), kind_of(&property.kind), "type of `{}`", property.name);
    }
}

#[test]
fn no_property_is_both_obeyed_and_not() {
    let mut answers: BTreeMap<_, Support> = BTreeMap::new();

    for definition in definitions() {
        let before = answers.insert(definition.name, definition.support);
        let doubled = before.is_some_and(|before| before != definition.support);
        assert!(!doubled, "`{}` has two answers", definition.name);
    }
}

#[test]
fn property_without_effect_is_a_warning_and_kept_from_the_plugins() {
    let plan =
        plan(&[("max.batch.size", "5"), ("key.converter.plugin.version", "4.3.1")], Severity::Error).unwrap();

    assert_eq!(keys(&plan.warnings), ["key.converter.plugin.version", "max.batch.size"]);
    assert!(plan.properties.value("key.converter.plugin.version").is_none());
}

#[test]
fn refused_property_is_told_once_with_what_to_do() {
    let faults = plan(&[("signal.data.collection", "public.s")], Severity::Error).err().unwrap();

    assert_eq!(keys(&faults), ["signal.data.collection"]);
    assert!(faults[0].hint.as_ref().unwrap().contains("snapshot.mode=always"), "{}", faults[0]);
}

#[test]
fn unknown_property_is_an_error_or_a_warning_as_the_caller_says() {
    let changes = [
        ("database.hostnam", "h"),
        ("transforms", "t"),
        ("transforms.t.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.t.regex", "a"),
        ("transforms.t.replacement", "b"),
    ];

    let faults = plan(&changes, Severity::Error).err().unwrap();
    let tolerated = plan(&changes, Severity::Warning).unwrap();

    assert_eq!(keys(&faults), ["database.hostnam"]);
    assert_eq!(faults[0].hint.as_deref(), Some("did you mean `database.hostname`?"));
    assert_eq!(keys(&tolerated.warnings), ["database.hostnam"]);
}
