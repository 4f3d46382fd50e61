//! Settings of the converters.

use std::collections::BTreeMap;

use sluice_core::config::{ConfigValue as _, Fault, suggest};

use super::{Class, Role};
use crate::{
    avro::UnavailableValue,
    json::{DecimalFormat, JsonConverter, JsonFormat},
    schema_registry::RegistrySettings,
};

type Settings = BTreeMap<String, String>;

/// How a subject is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectStrategy {
    /// `<topic>-key` or `<topic>-value`.
    Topic,
    /// The record's name.
    Record,
    /// `<topic>-<record's name>`.
    TopicRecord,
}

/// How the id of a schema is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registration {
    /// Registered if it is new.
    Register,
    /// Must be there.
    Lookup,
    /// Must be the newest of its subject.
    Latest,
}

/// Settings of the Avro converter.
#[derive(Debug, Clone)]
pub(super) struct AvroOptions {
    pub(super) registry: RegistrySettings,
    pub(super) strategy: SubjectStrategy,
    pub(super) registration: Registration,
}

/// Settings that only say what is so anyway, and those that say nothing here.
const CONFLUENT_FIXED: [(&str, &str); 8] = [
    ("allow.optional.map.keys", "false"),
    ("connect.meta.data", "true"),
    ("discard.type.doc.default", "false"),
    ("enhanced.avro.schema.support", "false"),
    ("flatten.unions", "false"),
    ("generalized.sum.type.support", "false"),
    ("normalize.schemas", "false"),
    ("scrub.invalid.names", "false"),
];
const APICURIO_FIXED: [(&str, &str); 4] = [
    ("apicurio.registry.as-confluent", "true"),
    ("apicurio.registry.use-id", "contentId"),
    ("apicurio.registry.headers.enabled", "false"),
    ("apicurio.registry.check-period-ms", ""),
];
const REGISTRY_KEYS: [&str; 14] = [
    "schema.registry.url",
    "basic.auth.credentials.source",
    "basic.auth.user.info",
    "schema.registry.basic.auth.user.info",
    "bearer.auth.credentials.source",
    "bearer.auth.token",
    "schema.registry.ssl.ca.location",
    "schema.registry.ssl.truststore.location",
    "schema.registry.ssl.truststore.type",
    "schema.registry.ssl.certificate.location",
    "schema.registry.ssl.keystore.location",
    "schema.registry.ssl.keystore.type",
    "schema.registry.ssl.key.location",
    "apicurio.registry.url",
];
const CONFLUENT_KEYS: [&str; 7] = [
    "auto.register.schemas",
    "use.latest.version",
    "latest.compatibility.strict",
    "key.subject.name.strategy",
    "value.subject.name.strategy",
    "max.schemas.per.subject",
    "schemas.cache.config",
];
const APICURIO_KEYS: [&str; 2] = ["apicurio.registry.auto-register", "apicurio.registry.find-latest"];

impl AvroOptions {
    /// Reads the settings; keys are relative to the converter.
    ///
    /// # Errors
    /// Every fault.
    pub(super) fn new(class: Class, role: Role, settings: &Settings) -> Result<Self, Vec<Fault>> {
        let apicurio = class == Class::ApicurioAvro;
        let fixed: &[_] = if apicurio { &APICURIO_FIXED } else { &CONFLUENT_FIXED };
        let own: &[_] = if apicurio { &APICURIO_KEYS } else { &CONFLUENT_KEYS };
        let known = || fixed.iter().map(|(key, _)| *key).chain(REGISTRY_KEYS).chain(own.iter().copied());
        let mut faults = unknown(settings, known);
        faults.extend(fixed.iter().filter_map(|(key, value)| differs(settings, key, value)));
        if apicurio {
            faults.extend(APICURIO_FIXED[..2].iter().filter_map(|(key, value)| absent(settings, key, value)));
        }
        let registration = registration(apicurio, settings).map_err(|fault| faults.push(fault));
        let strategy = strategy(role, settings).map_err(|fault| faults.push(fault));
        let registry = RegistrySettings::new(settings).map_err(|mut found| faults.append(&mut found));
        match (registry, strategy, registration) {
            (Ok(registry), Ok(strategy), Ok(registration)) if faults.is_empty() => {
                Ok(Self { registry, strategy, registration })
            }
            _ => Err(faults),
        }
    }
}

/// Makes the JSON converter.
///
/// # Errors
/// Every fault.
pub(super) fn json(settings: &Settings, unavailable: &UnavailableValue) -> Result<JsonConverter, Vec<Fault>> {
    const KEYS: [&str; 4] =
        ["schemas.enable", "decimal.format", "schemas.cache.size", "replace.null.with.default"];
    let mut faults = unknown(settings, || KEYS.into_iter());
    // Connect's default puts a column's default in the place of its NULL; that is not repeated here.
    faults.extend(differs(settings, "replace.null.with.default", "false"));
    let schemas_enable = flag(settings, "schemas.enable", true).map_err(|fault| faults.push(fault));
    let decimal = match settings.get("decimal.format").map(|text| text.to_ascii_uppercase()).as_deref() {
        None | Some("BASE64") => DecimalFormat::Base64,
        Some("NUMERIC") => DecimalFormat::Numeric,
        Some(_) => {
            faults.push(Fault::invalid("decimal.format", "expected BASE64 or NUMERIC"));
            DecimalFormat::Base64
        }
    };
    match schemas_enable {
        Ok(schemas_enable) if faults.is_empty() => {
            Ok(JsonConverter::new(JsonFormat { schemas_enable, decimal, unavailable: unavailable.clone() }))
        }
        _ => Err(faults),
    }
}

/// Checks the settings of the text converter.
///
/// # Errors
/// Every fault.
pub(super) fn text(settings: &Settings) -> Result<(), Vec<Fault>> {
    let mut faults = unknown(settings, || ["converter.encoding"].into_iter());
    faults.extend(differs(settings, "converter.encoding", "UTF-8"));
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Checks the settings of a converter that has none.
///
/// # Errors
/// Every fault.
pub(super) fn none(settings: &Settings) -> Result<(), Vec<Fault>> {
    let faults = unknown(settings, std::iter::empty);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Names settings that the converter does not have.
pub(super) fn unknown<I: Iterator<Item = &'static str>>(
    settings: &Settings,
    known: impl Fn() -> I,
) -> Vec<Fault> {
    let unknown = settings.keys().filter(|key| !known().any(|name| name == key.as_str()));
    unknown
        .map(|key| {
            let fault = Fault::new("config.unknown_property", key, "the converter has no such setting");
            match suggest(key, known()) {
                Some(name) => fault.hint(format!("did you mean `{name}`?")),
                None => fault,
            }
        })
        .collect()
}

/// Reads a flag.
///
/// # Errors
/// The fault.
pub(super) fn flag(settings: &Settings, key: &str, default: bool) -> Result<bool, Fault> {
    settings.get(key).map_or(Ok(default), |text| {
        bool::parse(text).map_err(|expected| Fault::invalid(key, format!("expected {expected}")))
    })
}

fn differs(settings: &Settings, key: &str, value: &str) -> Option<Fault> {
    let given = settings.get(key)?;
    let same = value.is_empty() || given.eq_ignore_ascii_case(value);
    (!same).then(|| Fault::invalid(key, format!("only `{value}` is supported")))
}

fn absent(settings: &Settings, key: &str, value: &str) -> Option<Fault> {
    let fault = || {
        Fault::new("config.missing_property", key, format!("must be set to `{value}`"))
            .hint("without it Apicurio's converter writes a format that only its own converter reads")
    };
    (!settings.contains_key(key)).then(fault)
}

fn registration(apicurio: bool, settings: &Settings) -> Result<Registration, Fault> {
    let (register, latest) = if apicurio {
        (flag(settings, APICURIO_KEYS[0], false)?, flag(settings, APICURIO_KEYS[1], false)?)
    } else {
        (flag(settings, "auto.register.schemas", true)?, flag(settings, "use.latest.version", false)?)
    };
    Ok(match (register, latest) {
        (true, _) => Registration::Register,
        (false, true) => Registration::Latest,
        (false, false) => Registration::Lookup,
    })
}

fn strategy(role: Role, settings: &Settings) -> Result<SubjectStrategy, Fault> {
    let key = match role {
        Role::Key => "key.subject.name.strategy",
        Role::Value => "value.subject.name.strategy",
    };
    let Some(class) = settings.get(key) else { return Ok(SubjectStrategy::Topic) };
    match class.rsplit('.').next().unwrap_or_default() {
        "TopicNameStrategy" => Ok(SubjectStrategy::Topic),
        "RecordNameStrategy" => Ok(SubjectStrategy::Record),
        "TopicRecordNameStrategy" => Ok(SubjectStrategy::TopicRecord),
        _ => Err(Fault::invalid(
            key,
            "expected TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(class: Class, pairs: &[(&str, &str)]) -> Result<AvroOptions, Vec<Fault>> {
        let settings = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        AvroOptions::new(class, Role::Value, &settings)
    }

    const URL: (&str, &str) = ("schema.registry.url", "http://r:8081");

    #[test]
    fn schemas_are_registered_under_the_topic_unless_told_otherwise() {
        let default = options(Class::ConfluentAvro, &[URL]).unwrap();
        let other = options(
            Class::ConfluentAvro,
            &[
                URL,
                ("auto.register.schemas", "false"),
                ("value.subject.name.strategy", "io.confluent.kafka.serializers.subject.RecordNameStrategy"),
            ],
        )
        .unwrap();

        assert_eq!(
            (default.strategy, default.registration),
            (SubjectStrategy::Topic, Registration::Register)
        );
        assert_eq!((other.strategy, other.registration), (SubjectStrategy::Record, Registration::Lookup));
    }

    #[test]
    fn apicurio_must_speak_confluents_format() {
        let url = ("apicurio.registry.url", "http://r:8080/apis/registry/v2");
        let faults = options(Class::ApicurioAvro, &[url]).err().unwrap();
        let fine = options(
            Class::ApicurioAvro,
            &[
                url,
                ("apicurio.registry.as-confluent", "true"),
                ("apicurio.registry.use-id", "contentId"),
                ("apicurio.registry.auto-register", "true"),
            ],
        );

        assert_eq!(faults[0].property, "apicurio.registry.as-confluent");
        assert_eq!(fine.unwrap().registration, Registration::Register);
    }

    #[test]
    fn setting_that_would_change_the_schemas_is_refused_and_a_misspelt_one_named() {
        let faults = options(
            Class::ConfluentAvro,
            &[URL, ("connect.meta.data", "false"), ("auto.register.schema", "true")],
        )
        .err()
        .unwrap();

        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].hint.as_deref(), Some("did you mean `auto.register.schemas`?"));
    }
}
