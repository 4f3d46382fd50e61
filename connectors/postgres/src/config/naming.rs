//! The types of properties that shape names.

use sluice_core::config::{ConfigValue, Fault, Kind, Properties};
use sluice_core::config_enum;

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

/// `topic.naming.strategy`: how the topic of a table is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicNaming {
    /// What the name is made of.
    pub parts: TopicParts,
    /// What replaces the rest.
    pub rule: TopicRule,
}

impl ConfigValue for TopicNaming {
    const KIND: Kind = Kind::Class;
    const ALLOWED: &'static [&'static str] = &[
        "io.debezium.schema.SchemaTopicNamingStrategy",
        "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
        "io.debezium.schema.DefaultTopicNamingStrategy",
        "io.debezium.schema.DefaultUnicodeTopicNamingStrategy",
    ];

    fn parse(text: &str) -> Result<Self, String> {
        let name =
            Self::ALLOWED.iter().find(|class| **class == text).and_then(|class| class.rsplit('.').next());
        let (parts, rule) = match name {
            Some("SchemaTopicNamingStrategy") => (TopicParts::SchemaAndTable, TopicRule::Plain),
            Some("SchemaUnicodeTopicNamingStrategy") => (TopicParts::SchemaAndTable, TopicRule::Unicode),
            Some("DefaultTopicNamingStrategy") => (TopicParts::Table, TopicRule::Plain),
            Some("DefaultUnicodeTopicNamingStrategy") => (TopicParts::Table, TopicRule::Unicode),
            _ => return Err(format!("one of {}", Self::ALLOWED.join(", "))),
        };
        Ok(Self { parts, rule })
    }
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
    fn foreign_strategies_are_refused_with_the_known_ones() {
        let faults = from_pairs(&[("topic.naming.strategy", "com.example.Own")]).unwrap_err();

        assert!(faults[0].message.contains("io.debezium.schema.DefaultTopicNamingStrategy"));
    }
}
