//! The types of properties that shape names.

use sluice_core::config::{ConfigValue, Fault, Kind, Properties};
use sluice_core::config_enum;
use sluice_core::java_regex::{Rewrite, RewriteError};

config_enum! {
    /// `schema.name.adjustment.mode` and `field.name.adjustment.mode`.
    pub enum Adjustment {
        /// Names as they are.
        None = "none",
        /// Names that Avro allows, `_` in place of what it does not.
        Avro = "avro",
        /// Names that Avro allows, `_u` and the hexadecimal UTF-16 unit in place of what it does not, and of `_`.
        AvroUnicode = "avro_unicode",
    }
}

/// `field.name.adjustment.mode`: `none` means `avro` where a converter writes Avro, which has no other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldAdjustment(pub Adjustment);

impl ConfigValue for FieldAdjustment {
    const KIND: Kind = Adjustment::KIND;
    const ALLOWED: &'static [&'static str] = Adjustment::ALLOWED;

    fn parse(text: &str) -> Result<Self, String> {
        Adjustment::parse(text).map(Self)
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let writes_avro = |name: &&str| {
            properties.value(name).is_some_and(|class| class.rsplit('.').next() == Some("AvroConverter"))
        };
        Ok(Self(match Adjustment::find(properties, name, default)? {
            Adjustment::None if ["key.converter", "value.converter"].iter().any(writes_avro) => {
                Adjustment::Avro
            }
            adjustment => adjustment,
        }))
    }
}

/// What a topic name is made of, after the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicParts {
    /// Schema and table.
    SchemaAndTable,
    /// The table only: tables of the same name in different schemas share a topic.
    Table,
}

/// What becomes of a character that Kafka does not allow in a topic name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicRule {
    /// `_`.
    Plain,
    /// `_u` and its hexadecimal UTF-16 unit; the same for `_` itself.
    Unicode,
}

/// `topic.naming.strategy`, with the properties that two of the strategies have: how the topic of a table is named.
#[derive(Debug, Clone)]
pub struct TopicNaming {
    /// What the name is made of.
    pub parts: TopicParts,
    /// What replaces the rest.
    pub rule: TopicRule,
    /// Joins the topics of tables.
    pub routing: Option<TopicRouting>,
}

/// How topics of several tables become one.
#[derive(Debug, Clone)]
pub struct TopicRouting {
    /// Renames the topics.
    pub rewrite: Rewrite,
    /// Keeps the keys of the tables apart.
    pub key: Option<TableKey>,
}

/// The field that a key gains to tell the table.
#[derive(Debug, Clone)]
pub struct TableKey {
    /// Name of the field.
    pub field: String,
    /// Makes the value of the topic that the table would have; without it the value is that topic.
    pub rewrite: Option<Rewrite>,
}

impl ConfigValue for TopicNaming {
    const KIND: Kind = Kind::Class;
    const ALLOWED: &'static [&'static str] = &[
        "io.debezium.schema.SchemaTopicNamingStrategy",
        "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
        "io.debezium.schema.SchemaRegexTopicNamingStrategy",
        "io.debezium.schema.DefaultTopicNamingStrategy",
        "io.debezium.schema.DefaultUnicodeTopicNamingStrategy",
        "io.debezium.schema.DefaultRegexTopicNamingStrategy",
    ];

    fn parse(text: &str) -> Result<Self, String> {
        if !Self::ALLOWED.contains(&text) {
            return Err(format!("one of {}", Self::ALLOWED.join(", ")));
        }
        let parts = if text.contains(".Schema") { TopicParts::SchemaAndTable } else { TopicParts::Table };
        let rule = if text.contains("Unicode") { TopicRule::Unicode } else { TopicRule::Plain };
        Ok(Self { parts, rule, routing: None })
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let class = properties.value(name).or(default).unwrap_or_default().trim();
        let mut naming = Self::parse(class)
            .map_err(|expected| Fault::invalid(name, format!("expected {expected}, got `{class}`")))?;
        if class.contains("Regex") {
            let rewrite = rewrite(properties, "topic.regex", "topic.replacement")?;
            let missing = || {
                Fault::new("config.missing_property", "topic.regex", "must be set for this naming strategy")
                    .hint("it says which topics `topic.replacement` renames")
            };
            let key = TableKey::find(properties)?;
            naming.routing = Some(TopicRouting { rewrite: rewrite.ok_or_else(missing)?, key });
        }
        Ok(naming)
    }
}

impl TableKey {
    /// The field's name unless told.
    pub const FIELD: &'static str = "__dbz__physicalTableIdentifier";

    fn find(properties: &Properties) -> Result<Option<Self>, Fault> {
        if !bool::find(properties, "topic.key.enforce.uniqueness", Some("true"))? {
            return Ok(None);
        }
        let field = String::find(properties, "topic.key.field.name", Some(Self::FIELD))?;
        let rewrite = rewrite(properties, "topic.key.field.regex", "topic.key.field.replacement")?;
        Ok(Some(Self { field, rewrite }))
    }
}

/// Reads a regular expression with its replacement; none without the former.
fn rewrite(
    properties: &Properties,
    pattern: &'static str,
    replacement: &'static str,
) -> Result<Option<Rewrite>, Fault> {
    let value = |name| properties.value(name).map(str::trim).filter(|value| !value.is_empty());
    let Some(regex) = value(pattern) else { return Ok(None) };
    let Some(text) = value(replacement) else {
        let message = format!("must be set together with `{pattern}`");
        return Err(Fault::new("config.missing_property", replacement, message));
    };
    Rewrite::parse(regex, text).map(Some).map_err(|error| match error {
        RewriteError::Pattern(reason) => Fault::invalid(pattern, reason),
        RewriteError::Replacement(reason) => Fault::invalid(replacement, reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    #[test]
    fn an_avro_converter_adjusts_field_names_by_itself() {
        let adjustment = |pairs: &[(&str, &str)]| from_pairs(pairs).unwrap().field_names.0;
        let avro = ("value.converter", "io.confluent.connect.avro.AvroConverter");

        assert_eq!(adjustment(&[]), Adjustment::None);
        assert_eq!(adjustment(&[avro]), Adjustment::Avro);
        assert_eq!(
            adjustment(&[avro, ("field.name.adjustment.mode", "avro_unicode")]),
            Adjustment::AvroUnicode
        );
        let json = ("value.converter", "org.apache.kafka.connect.json.JsonConverter");
        assert_eq!(adjustment(&[json]), Adjustment::None);
    }

    #[test]
    fn a_strategy_by_regular_expressions_needs_them() {
        const STRATEGY: (&str, &str) =
            ("topic.naming.strategy", "io.debezium.schema.DefaultRegexTopicNamingStrategy");
        let fault = |pairs: &[(&str, &str)]| from_pairs(pairs).unwrap_err().remove(0);

        assert_eq!(fault(&[STRATEGY]).property, "topic.regex");
        assert_eq!(fault(&[STRATEGY, ("topic.regex", "a")]).property, "topic.replacement");
        let wrong = fault(&[STRATEGY, ("topic.regex", "a("), ("topic.replacement", "b")]);
        assert_eq!(wrong.property, "topic.regex");
    }

    #[test]
    fn foreign_strategies_are_refused_with_the_known_ones() {
        let faults = from_pairs(&[("topic.naming.strategy", "com.example.Own")]).unwrap_err();

        assert!(faults[0].message.contains("io.debezium.schema.DefaultTopicNamingStrategy"));
    }
}
