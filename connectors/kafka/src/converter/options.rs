//! Settings of the converters.

use std::collections::BTreeMap;

use sluice_core::config::{ConfigValue as _, Fault, Severity};

use super::{
    Class, Defaults, Role,
    answers::{self, Answers},
};
use crate::{
    avro::{AvroFormat, NullDefaults},
    json::{DecimalFormat, JsonFormat},
    schema_registry::{Normalize, RegistrySettings},
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
    Register(Normalize),
    /// Must be there.
    Lookup(Normalize),
    /// Must be the newest of its subject.
    Latest,
    /// Must be the one with this id.
    Id(u32),
}

/// Settings of the Avro converter.
#[derive(Debug, Clone)]
pub(super) struct AvroOptions {
    pub(super) registry: RegistrySettings,
    pub(super) strategy: SubjectStrategy,
    pub(super) registration: Registration,
    pub(super) format: AvroFormat,
    /// Whether bytes that are no field of anything stand there without their length, as with Confluent's serializer.
    pub(super) bare_bytes: bool,
}

impl AvroOptions {
    /// Reads the settings; keys are relative to the converter.
    ///
    /// # Errors
    /// Every fault.
    pub(super) fn new(
        class: Class,
        role: Role,
        settings: &Settings,
        defaults: &Defaults,
    ) -> Result<Self, Vec<Fault>> {
        let apicurio = class == Class::ApicurioAvro;
        let mut faults = check(settings, answers(class)).err().unwrap_or_default();
        if apicurio {
            let needed = ["apicurio.registry.as-confluent", "apicurio.registry.use-id"];
            faults.extend(needed.into_iter().filter_map(|key| absent(settings, key)));
        }
        let registration = registration(apicurio, settings).map_err(|fault| faults.push(fault));
        let strategy = strategy(role, settings).map_err(|fault| faults.push(fault));
        let format = avro_format(settings, defaults).map_err(|fault| faults.push(fault));
        let registry = RegistrySettings::new(settings).map_err(|mut found| faults.append(&mut found));
        match (registry, strategy, registration, format) {
            (Ok(registry), Ok(strategy), Ok(registration), Ok(format)) if faults.is_empty() => {
                Ok(Self { registry, strategy, registration, format, bare_bytes: !apicurio })
            }
            _ => Err(faults),
        }
    }
}

/// Returns what becomes of the settings of a class.
pub(super) fn answers(class: Class) -> Answers {
    match class {
        Class::ConfluentAvro => answers::CONFLUENT,
        Class::ApicurioAvro => answers::APICURIO,
        Class::Json => answers::JSON,
        Class::Text => answers::TEXT,
        Class::Bytes => answers::NOTHING,
    }
}

/// Checks settings against what is known of them.
///
/// # Errors
/// Every fault; what only deserves a warning is none.
pub(super) fn check(settings: &Settings, answers: Answers) -> Result<(), Vec<Fault>> {
    let mut faults = answers::faults(settings, answers);
    faults.retain(|fault| fault.severity == Severity::Error);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn avro_format(settings: &Settings, defaults: &Defaults) -> Result<AvroFormat, Fault> {
    let null_defaults = match optional_flag(settings, "ignore.default.for.nullables")? {
        None => defaults.null_defaults,
        Some(true) => NullDefaults::Keep,
        Some(false) => NullDefaults::Replace,
    };
    Ok(AvroFormat {
        connect_metadata: flag(settings, "connect.meta.data", true)?,
        scrub_names: flag(settings, "scrub.invalid.names", false)?,
        optional_map_keys: flag(settings, "allow.optional.map.keys", false)?,
        schema_docs: flag(settings, "discard.type.doc.default", false)?,
        null_defaults,
        unavailable: defaults.unavailable.clone(),
    })
}

/// Reads the settings of the JSON converter.
///
/// # Errors
/// Every fault.
pub(super) fn json(settings: &Settings, defaults: &Defaults) -> Result<JsonFormat, Vec<Fault>> {
    let mut faults = check(settings, answers::JSON).err().unwrap_or_default();
    let schemas_enable = flag(settings, "schemas.enable", true).map_err(|fault| faults.push(fault));
    let replace = optional_flag(settings, "replace.null.with.default").map_err(|fault| faults.push(fault));
    let decimal = match settings.get("decimal.format").map(|text| text.to_ascii_uppercase()).as_deref() {
        None | Some("BASE64") => DecimalFormat::Base64,
        Some("NUMERIC") => DecimalFormat::Numeric,
        Some(_) => {
            faults.push(Fault::invalid("decimal.format", "expected BASE64 or NUMERIC"));
            DecimalFormat::Base64
        }
    };
    let (Ok(schemas_enable), Ok(replace), true) = (schemas_enable, replace, faults.is_empty()) else {
        return Err(faults);
    };
    let null_defaults = match replace {
        None => defaults.null_defaults,
        Some(true) => NullDefaults::Replace,
        Some(false) => NullDefaults::Keep,
    };
    Ok(JsonFormat { schemas_enable, decimal, null_defaults, unavailable: defaults.unavailable.clone() })
}

/// Reads a flag.
///
/// # Errors
/// The fault.
pub(super) fn flag(settings: &Settings, key: &str, default: bool) -> Result<bool, Fault> {
    Ok(optional_flag(settings, key)?.unwrap_or(default))
}

fn optional_flag(settings: &Settings, key: &str) -> Result<Option<bool>, Fault> {
    let parse = |text: &String| {
        bool::parse(text).map_err(|expected| Fault::invalid(key, format!("expected {expected}")))
    };
    settings.get(key).map(parse).transpose()
}

/// Names a setting of Apicurio's converter without which it writes its own format.
fn absent(settings: &Settings, key: &str) -> Option<Fault> {
    if settings.contains_key(key) { None } else { answers::missing(key, answers::APICURIO) }
}

fn registration(apicurio: bool, settings: &Settings) -> Result<Registration, Fault> {
    let (register, latest) = if apicurio {
        (
            flag(settings, "apicurio.registry.auto-register", false)?,
            flag(settings, "apicurio.registry.find-latest", false)?,
        )
    } else {
        (flag(settings, "auto.register.schemas", true)?, flag(settings, "use.latest.version", false)?)
    };
    let normalize = Normalize(flag(settings, "normalize.schemas", false)?);
    // The order of Confluent's serializer.
    Ok(match (register, schema_id(settings)?, latest) {
        (true, ..) => Registration::Register(normalize),
        (false, Some(id), _) => Registration::Id(id),
        (false, None, true) => Registration::Latest,
        (false, None, false) => Registration::Lookup(normalize),
    })
}

/// Reads `use.schema.id`; a negative one is Confluent's way to say none.
fn schema_id(settings: &Settings) -> Result<Option<u32>, Fault> {
    let Some(text) = settings.get("use.schema.id") else { return Ok(None) };
    let id: i32 = text.parse().map_err(|_| Fault::invalid("use.schema.id", "expected a number"))?;
    Ok(id.try_into().ok())
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
        AvroOptions::new(class, Role::Value, &settings, &Defaults::default())
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
            (SubjectStrategy::Topic, Registration::Register(Normalize(false)))
        );
        assert_eq!(
            (other.strategy, other.registration),
            (SubjectStrategy::Record, Registration::Lookup(Normalize(false)))
        );
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
        assert_eq!(fine.unwrap().registration, Registration::Register(Normalize(false)));
    }

    #[test]
    fn setting_that_cannot_be_obeyed_is_refused_with_what_to_do() {
        let faults = options(Class::ConfluentAvro, &[URL, ("latest.compatibility.strict", "false")]);

        let faults = faults.err().unwrap();
        assert_eq!(faults[0].property, "latest.compatibility.strict");
        assert!(faults[0].hint.is_some());
    }

    #[test]
    fn setting_without_effect_is_no_fault() {
        assert!(
            options(Class::ConfluentAvro, &[URL, ("max.retries", "3"), ("retries.wait.ms", "10")]).is_ok()
        );
    }

    #[test]
    fn nulls_are_kept_unless_a_setting_or_the_connector_says_otherwise() {
        let format = |pairs: &[(&str, &str)], null_defaults| {
            let settings: Settings =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let defaults = Defaults { null_defaults, ..Defaults::default() };
            let avro = avro_format(&settings, &defaults).unwrap().null_defaults;
            (avro, json(&BTreeMap::new(), &defaults).unwrap().null_defaults)
        };

        assert_eq!(
            format(&[], NullDefaults::KeepInRows),
            (NullDefaults::KeepInRows, NullDefaults::KeepInRows)
        );
        assert_eq!(format(&[], NullDefaults::Replace), (NullDefaults::Replace, NullDefaults::Replace));
        let ignore = ("ignore.default.for.nullables", "true");
        assert_eq!(format(&[ignore], NullDefaults::Replace).0, NullDefaults::Keep);
        let fill = ("ignore.default.for.nullables", "false");
        assert_eq!(format(&[fill], NullDefaults::KeepInRows).0, NullDefaults::Replace);
    }

    #[test]
    fn id_wins_over_the_newest_version_and_registering_over_both() {
        let pairs = [URL, ("use.schema.id", "7"), ("use.latest.version", "true")];
        let off = ("auto.register.schemas", "false");

        let registering = options(Class::ConfluentAvro, &pairs).unwrap().registration;
        let by_id = options(Class::ConfluentAvro, &[&pairs[..], &[off]].concat()).unwrap().registration;

        assert_eq!(registering, Registration::Register(Normalize(false)));
        assert_eq!(by_id, Registration::Id(7));
    }
}
