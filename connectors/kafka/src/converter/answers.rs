//! What becomes of every setting of the converters: obeyed, without effect here, one value only, or refused.

use std::collections::BTreeMap;

use sluice_core::config::{Fault, suggest};

use Answer::{NoEffect, Obeyed, Only, Refused};

/// What becomes of a setting.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// It does what its documentation says.
    Obeyed,
    /// It is accepted, since it changes nothing here; the reason.
    NoEffect(&'static str),
    /// Only this value is accepted, since it says what is so anyway; what to do without the others.
    Only(&'static str, &'static str),
    /// It is refused; what to use instead.
    Refused(&'static str),
}

/// Settings by name; a name that ends with a dot stands for all that begin with it.
pub(super) type Answers = &'static [(&'static str, Answer)];

const CACHES: &str = "what was learnt of schemas is kept as long as the connector runs";
const RETRIES: &str = "the connector tries again, with growing pauses, until the registry answers";
const ORDER: &str = "the address that answered last is asked first";
const RULES: &str = "apply rules in a transform, or where the records are read";
const OAUTH: &str =
    "get a token outside and give it as `bearer.auth.token=${file:…}`, or use basic authentication";
const PASSWORDS: &str = "keep the key in a PEM file without password, readable by this process only";
const JSSE: &str = "TLS is rustls here, not the JVM's";
const READERS_OF_JAVA: &str = "it is about Java objects";
const NONE_MADE: &str = "nothing that can be written here is such a type";
const ENUMS: &str = "no source here makes Avro enums, and names are read with their namespaces anyway";

/// Settings of Confluent's `AvroConverter` 8.x: of its `AvroDataConfig` and of its serializer's configuration.
pub(super) const CONFLUENT: Answers = &[
    ("allow.optional.map.keys", Obeyed),
    ("auto.register.schemas", Obeyed),
    ("avro.reflection.allow.null", NoEffect(READERS_OF_JAVA)),
    ("avro.remove.java.properties", NoEffect(READERS_OF_JAVA)),
    ("avro.use.logical.type.converters", NoEffect(READERS_OF_JAVA)),
    ("basic.auth.credentials.source", Obeyed),
    ("basic.auth.user.info", Obeyed),
    ("bearer.auth.credentials.source", Only("STATIC_TOKEN", OAUTH)),
    ("bearer.auth.token", Obeyed),
    ("bearer.auth.", Refused(OAUTH)),
    ("connect.meta.data", Obeyed),
    (
        "context.name.strategy",
        Refused("put the context into the address: `schema.registry.url=http://…/contexts/NAME`"),
    ),
    ("discard.type.doc.default", Obeyed),
    ("enhanced.avro.schema.support", NoEffect(ENUMS)),
    ("execution.environment", NoEffect(RULES)),
    ("flatten.singleton.unions", Only("true", "a union of one type is that type")),
    ("generalized.sum.type.support", Only("false", NONE_MADE)),
    ("http.connect.timeout.ms", Obeyed),
    ("http.read.timeout.ms", Obeyed),
    ("id.compatibility.strict", Only("true", "register the schema of the records and name its id")),
    ("ignore.default.for.nullables", Obeyed),
    (
        "key.schema.id.deserializer",
        Refused("ids are read before the datum, where Confluent's default writes them"),
    ),
    ("key.schema.id.serializer", Refused("ids are written before the datum, where every reader finds them")),
    ("key.subject.name.strategy", Obeyed),
    ("latest.cache.size", NoEffect(CACHES)),
    ("latest.cache.ttl.sec", NoEffect(CACHES)),
    ("latest.compatibility.strict", Only("true", "register the schema of the records as the newest version")),
    ("max.retries", NoEffect(RETRIES)),
    ("max.schemas.per.subject", NoEffect(CACHES)),
    ("missing.", NoEffect(CACHES)),
    ("normalize.schemas", Obeyed),
    ("propagate.schema.tags", Only("false", "set tags in the registry")),
    ("proxy.host", Obeyed),
    ("proxy.port", Obeyed),
    ("request.header.", Obeyed),
    ("retries.max.wait.ms", NoEffect(RETRIES)),
    ("retries.wait.ms", NoEffect(RETRIES)),
    ("rule.", Refused(RULES)),
    ("sasl.jaas.config", Obeyed),
    ("schema.backup.enabled", Only("false", "records carry the id of their schema")),
    ("schema.format", NoEffect("schemas are asked for as they were registered")),
    ("schema.reflection", Only("false", READERS_OF_JAVA)),
    ("schema.registry.basic.auth.user.info", Obeyed),
    ("schema.registry.ssl.ca.location", Obeyed),
    ("schema.registry.ssl.certificate.location", Obeyed),
    ("schema.registry.ssl.cipher.suites", NoEffect(JSSE)),
    ("schema.registry.ssl.enabled.protocols", NoEffect("TLS 1.2 and 1.3 are spoken")),
    (
        "schema.registry.ssl.endpoint.identification.algorithm",
        Only("https", "give the server a certificate for the name it is called by"),
    ),
    ("schema.registry.ssl.engine.factory.class", Refused(JSSE)),
    ("schema.registry.ssl.key.location", Obeyed),
    ("schema.registry.ssl.key.password", Refused(PASSWORDS)),
    ("schema.registry.ssl.keymanager.algorithm", NoEffect(JSSE)),
    ("schema.registry.ssl.keystore.certificate.chain", Obeyed),
    ("schema.registry.ssl.keystore.key", Obeyed),
    ("schema.registry.ssl.keystore.location", Obeyed),
    ("schema.registry.ssl.keystore.password", Refused(PASSWORDS)),
    ("schema.registry.ssl.keystore.type", Obeyed),
    ("schema.registry.ssl.protocol", NoEffect("TLS 1.2 and 1.3 are spoken")),
    ("schema.registry.ssl.provider", NoEffect(JSSE)),
    ("schema.registry.ssl.secure.random.implementation", NoEffect(JSSE)),
    ("schema.registry.ssl.trustmanager.algorithm", NoEffect(JSSE)),
    ("schema.registry.ssl.truststore.certificates", Obeyed),
    ("schema.registry.ssl.truststore.location", Obeyed),
    ("schema.registry.ssl.truststore.password", NoEffect("certificates in PEM files are not encrypted")),
    ("schema.registry.ssl.truststore.type", Obeyed),
    ("schema.registry.url", Obeyed),
    ("schema.registry.url.randomize", NoEffect(ORDER)),
    ("schemas.cache.config", NoEffect(CACHES)),
    ("scrub.invalid.names", Obeyed),
    ("specific.avro.reader", NoEffect(READERS_OF_JAVA)),
    (
        "subject.name.strategy.",
        Refused(
            "name the subjects with `TopicNameStrategy`, `RecordNameStrategy` or `TopicRecordNameStrategy`",
        ),
    ),
    ("url.randomize", NoEffect(ORDER)),
    ("use.apache.http.client", NoEffect("there is one HTTP client")),
    ("use.latest.version", Obeyed),
    (
        "use.latest.with.metadata",
        Refused("use `use.latest.version=true`, or name the version with `use.schema.id`"),
    ),
    ("use.schema.guid", Refused("name the version with `use.schema.id`")),
    ("use.schema.id", Obeyed),
    ("validation.rules.", Refused(RULES)),
    (
        "value.schema.id.deserializer",
        Refused("ids are read before the datum, where Confluent's default writes them"),
    ),
    (
        "value.schema.id.serializer",
        Refused("ids are written before the datum, where every reader finds them"),
    ),
    ("value.subject.name.strategy", Obeyed),
];

const CONFLUENTS_FORMAT: &str =
    "without it Apicurio's converter writes a format that only its own converter reads";

/// Settings of Apicurio's `AvroConverter` 2.6; those of the connection to the registry may have Confluent's names.
pub(super) const APICURIO: Answers = &[
    ("apicurio.registry.as-confluent", Only("true", CONFLUENTS_FORMAT)),
    ("apicurio.registry.auto-register", Obeyed),
    ("apicurio.registry.check-period-ms", NoEffect(CACHES)),
    ("apicurio.registry.find-latest", Obeyed),
    ("apicurio.registry.headers.enabled", Only("false", CONFLUENTS_FORMAT)),
    ("apicurio.registry.retry-backoff-ms", NoEffect(RETRIES)),
    ("apicurio.registry.retry-count", NoEffect(RETRIES)),
    ("apicurio.registry.url", Obeyed),
    ("apicurio.registry.use-id", Only("contentId", CONFLUENTS_FORMAT)),
    ("basic.auth.credentials.source", Obeyed),
    ("basic.auth.user.info", Obeyed),
    ("bearer.auth.token", Obeyed),
    ("connect.meta.data", Obeyed),
    ("enhanced.avro.schema.support", NoEffect(ENUMS)),
    ("http.connect.timeout.ms", Obeyed),
    ("http.read.timeout.ms", Obeyed),
    ("proxy.host", Obeyed),
    ("proxy.port", Obeyed),
    ("request.header.", Obeyed),
    ("sasl.jaas.config", Obeyed),
    ("schema.registry.basic.auth.user.info", Obeyed),
    ("schema.registry.ssl.ca.location", Obeyed),
    ("schema.registry.ssl.certificate.location", Obeyed),
    ("schema.registry.ssl.key.location", Obeyed),
    ("schema.registry.ssl.key.password", Refused(PASSWORDS)),
    ("schema.registry.ssl.keystore.certificate.chain", Obeyed),
    ("schema.registry.ssl.keystore.key", Obeyed),
    ("schema.registry.ssl.keystore.location", Obeyed),
    ("schema.registry.ssl.keystore.password", Refused(PASSWORDS)),
    ("schema.registry.ssl.keystore.type", Obeyed),
    ("schema.registry.ssl.truststore.certificates", Obeyed),
    ("schema.registry.ssl.truststore.location", Obeyed),
    ("schema.registry.ssl.truststore.type", Obeyed),
    ("schema.registry.url", Obeyed),
    ("schemas.cache.config", NoEffect(CACHES)),
];

/// Settings of Connect's `JsonConverter`.
pub(super) const JSON: Answers = &[
    ("decimal.format", Obeyed),
    ("replace.null.with.default", Obeyed),
    ("schema.content", Refused("send each message with its schema: `schemas.enable=true`")),
    ("schemas.cache.size", NoEffect(CACHES)),
    ("schemas.enable", Obeyed),
];

/// Settings of Connect's `StringConverter`.
pub(super) const TEXT: Answers = &[
    ("converter.encoding", Only("UTF-8", "text leaves Postgres as UTF-8")),
    ("key.serializer.encoding", Only("UTF-8", "text leaves Postgres as UTF-8")),
    ("value.serializer.encoding", Only("UTF-8", "text leaves Postgres as UTF-8")),
];

/// Settings of converters that have none.
pub(super) const NOTHING: Answers = &[];

/// Names a setting that has one value and must be given.
pub(super) fn missing(key: &str, answers: Answers) -> Option<Fault> {
    let (_, Only(value, hint)) = answers.iter().find(|(name, _)| *name == key)? else { return None };
    let message = format!("must be set to `{value}`");
    Some(Fault::new("config.missing_property", key, message).hint(*hint))
}

/// Lists what is wrong with settings, and warns of those without effect.
pub(super) fn faults(settings: &BTreeMap<String, String>, answers: Answers) -> Vec<Fault> {
    settings.iter().filter_map(|(key, value)| fault(key, value, answers)).collect()
}

fn fault(key: &str, value: &str, answers: Answers) -> Option<Fault> {
    let named = answers.iter().find(|(name, _)| *name == key);
    let within = || answers.iter().find(|(name, _)| name.ends_with('.') && key.starts_with(name));
    let Some((_, answer)) = named.or_else(within) else {
        let fault = Fault::new("config.unknown_property", key, "the converter has no such setting");
        return Some(match suggest(key, answers.iter().map(|(name, _)| *name)) {
            Some(name) => fault.hint(format!("did you mean `{name}`?")),
            None => fault,
        });
    };
    match answer {
        Obeyed => None,
        NoEffect(reason) => {
            let message = format!("has no effect: {reason}");
            Some(Fault::new("kafka.setting_without_effect", key, message).warning())
        }
        Only(only, _) if value.eq_ignore_ascii_case(only) => None,
        Only(only, instead) => {
            Some(Fault::invalid(key, format!("only `{only}` is supported")).hint(*instead))
        }
        Refused(instead) => {
            Some(Fault::new("config.unsupported_property", key, "is not supported").hint(*instead))
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::config::Severity;

    use super::*;

    #[test]
    fn names_stand_in_order_and_once() {
        for answers in [CONFLUENT, APICURIO, JSON, TEXT] {
            let names: Vec<_> = answers.iter().map(|(name, _)| name.trim_end_matches('.')).collect();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        }
    }

    #[test]
    fn setting_without_effect_is_a_warning_with_its_reason() {
        let fault = fault("max.retries", "3", CONFLUENT).unwrap();

        assert_eq!((fault.severity, fault.code), (Severity::Warning, "kafka.setting_without_effect"));
        assert!(fault.message.contains("tries again"), "{fault}");
    }

    #[test]
    fn name_is_preferred_to_its_beginning() {
        assert!(fault("bearer.auth.token", "t", CONFLUENT).is_none());
        assert!(fault("bearer.auth.client.id", "c", CONFLUENT).is_some_and(|fault| fault.hint.is_some()));
    }

    #[test]
    fn unknown_setting_finds_its_neighbour() {
        let fault = fault("auto.register.schema", "true", CONFLUENT).unwrap();

        assert_eq!(fault.hint.as_deref(), Some("did you mean `auto.register.schemas`?"));
    }
}
