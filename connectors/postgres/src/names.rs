//! Names of topics, schemas and fields, as Debezium builds them.
//!
//! Java counts UTF-16 units, and so do the replacements here: `𝒳` becomes two `_`. Sources:
//! `AbstractTopicNamingStrategy`, `SchemaNameAdjuster`, `LogicalDecodingMessageMonitor`.

use crate::config::{Adjustment, PostgresConfig, TopicParts, TopicRule};

/// Kafka's limit of a topic name.
const TOPIC_LENGTH: usize = 249;

/// Names the topic of a table's changes.
pub(crate) fn topic(config: &PostgresConfig, schema: &str, table: &str) -> String {
    let topic = legal_topic(&physical_topic(config, schema, table), config.topic_naming.rule);
    let renamed = config.topic_naming.routing.as_ref().and_then(|routing| routing.rewrite.apply(&topic));
    renamed.filter(|topic| !topic.is_empty()).unwrap_or(topic)
}

/// The field that tells the table in keys where tables share a topic, and its value.
pub(crate) fn table_key(config: &PostgresConfig, schema: &str, table: &str) -> Option<(String, String)> {
    let key = config.topic_naming.routing.as_ref()?.key.as_ref()?;
    let topic = physical_topic(config, schema, table);
    let renamed = key.rewrite.as_ref().and_then(|rewrite| rewrite.apply(&topic));
    Some((key.field.clone(), renamed.unwrap_or(topic)))
}

/// Names the topic of heartbeats.
pub(crate) fn heartbeat_topic(config: &PostgresConfig) -> String {
    match config.heartbeat_name.as_deref() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => [&*config.heartbeat_prefix, &config.topic_prefix].join(&config.topic_delimiter),
    }
}

/// Names the topic of transactions.
pub(crate) fn transaction_topic(config: &PostgresConfig) -> String {
    [&*config.topic_prefix, &config.transaction_topic].join(&config.topic_delimiter)
}

/// Names the topic of logical messages, whatever the delimiter.
pub(crate) fn message_topic(config: &PostgresConfig) -> String {
    format!("{}.message", config.topic_prefix)
}

/// Makes the prefix of a topic's record names.
pub(crate) fn schema_prefix(topic: &str, adjustment: Adjustment) -> String {
    let first = |byte: u8| byte.is_ascii_alphabetic();
    match adjustment {
        Adjustment::None => topic.to_owned(),
        Adjustment::Avro => underscored(topic, |byte| is_word(byte) || byte == b'.'),
        Adjustment::AvroUnicode => {
            escaped(topic, first, |byte| byte.is_ascii_alphanumeric() || byte == b'.', put_unicode)
        }
    }
}

/// Makes a field name of a column name.
pub(crate) fn field(column: &str, adjustment: Adjustment) -> String {
    let first = |byte: u8| byte.is_ascii_alphabetic();
    match adjustment {
        Adjustment::None => column.to_owned(),
        Adjustment::Avro => underscored(column, is_word),
        Adjustment::AvroUnicode => {
            escaped(column, first, |byte: u8| byte.is_ascii_alphanumeric(), put_unicode)
        }
    }
}

/// The topic before what Kafka does not allow is replaced.
fn physical_topic(config: &PostgresConfig, schema: &str, table: &str) -> String {
    let prefix = &*config.topic_prefix;
    match config.topic_naming.parts {
        TopicParts::SchemaAndTable => [prefix, schema, table].join(&config.topic_delimiter),
        TopicParts::Table => [prefix, table].join(&config.topic_delimiter),
    }
}

/// Replaces what Kafka does not allow in a topic name, and cuts it.
fn legal_topic(name: &str, rule: TopicRule) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let mut topic = match rule {
        TopicRule::Unicode => escaped(name, allowed, allowed, put_unicode),
        TopicRule::Plain => {
            let allowed = |byte| allowed(byte) || byte == b'_';
            escaped(name, allowed, allowed, put_underscore)
        }
    };
    topic.truncate(TOPIC_LENGTH);
    topic
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Replaces what is not allowed by `_`; a digit in front gets a `_` before it.
fn underscored(name: &str, allowed: impl Fn(u8) -> bool) -> String {
    let replaced = escaped(name, &allowed, &allowed, put_underscore);
    match replaced.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{replaced}"),
        false => replaced,
    }
}

/// Replaces the UTF-16 units that are not allowed in front, and in other places.
fn escaped(
    name: &str,
    first: impl Fn(u8) -> bool,
    other: impl Fn(u8) -> bool,
    put: impl Fn(u16, &mut String),
) -> String {
    let mut out = String::with_capacity(name.len());
    for (place, unit) in name.encode_utf16().enumerate() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() && if place == 0 { first(byte) } else { other(byte) } => {
                out.push(char::from(byte));
            }
            _ => put(unit, &mut out),
        }
    }
    out
}

fn put_underscore(_: u16, out: &mut String) {
    out.push('_');
}

/// Writes the unit in hexadecimal, without padding beyond two zeros: `_u0020`, `_u3b1`.
fn put_unicode(unit: u16, out: &mut String) {
    let hex = format!("{unit:x}");
    out.push_str(if hex.len() <= 2 { "_u00" } else { "_u" });
    out.push_str(&hex);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    #[test]
    fn names_are_those_of_the_recordings() {
        let config = from_pairs(&[("topic.prefix", "names")]).unwrap();
        let topic = topic(&config, "My.Schema", "Tab le-1");

        assert_eq!(topic, "names.My.Schema.Tab_le-1");
        assert_eq!(super::topic(&config, "public", "Café漢𝒳"), "names.public.Caf____");
        assert_eq!(schema_prefix(&topic, Adjustment::None), topic);
        assert_eq!(schema_prefix(&topic, Adjustment::Avro), "names.My.Schema.Tab_le_1");
        assert_eq!(schema_prefix(&topic, Adjustment::AvroUnicode), "names.My.Schema.Tab_u005fle_u002d1");
        let columns = ["1st", "a-b", "sp ace", "naïve"];
        let fields = columns.map(|column| field(column, Adjustment::Avro));
        assert_eq!(fields, ["_1st", "a_b", "sp_ace", "na_ve"]);
        let fields = columns.map(|column| field(column, Adjustment::AvroUnicode));
        assert_eq!(fields, ["_u0031st", "a_u002db", "sp_u0020ace", "na_u00efve"]);
    }

    #[test]
    fn side_topics_follow_their_properties() {
        let config = from_pairs(&[]).unwrap();
        let names = [heartbeat_topic(&config), transaction_topic(&config), message_topic(&config)];
        assert_eq!(names, ["__debezium-heartbeat.p", "p.transaction", "p.message"]);

        let config = from_pairs(&[
            ("topic.delimiter", "_"),
            ("topic.heartbeat.prefix", "beat"),
            ("topic.transaction", "tx"),
        ])
        .unwrap();
        let names = [heartbeat_topic(&config), transaction_topic(&config), message_topic(&config)];
        assert_eq!(names, ["beat_p", "p_tx", "p.message"]);

        let config = from_pairs(&[("topic.heartbeat.name", "shared")]).unwrap();
        assert_eq!(heartbeat_topic(&config), "shared");
    }

    #[test]
    fn strategies_differ_in_the_parts_and_in_what_replaces() {
        let named = |strategy: &str| {
            let strategy = format!("io.debezium.schema.{strategy}");
            let config =
                from_pairs(&[("topic.naming.strategy", &strategy), ("topic.delimiter", "-")]).unwrap();
            topic(&config, "s", "a_é")
        };

        assert_eq!(named("SchemaTopicNamingStrategy"), "p-s-a__");
        assert_eq!(named("DefaultTopicNamingStrategy"), "p-a__");
        assert_eq!(named("SchemaUnicodeTopicNamingStrategy"), "p-s-a_u005f_u00e9");
        assert_eq!(named("DefaultUnicodeTopicNamingStrategy"), "p-a_u005f_u00e9");
    }

    #[test]
    fn tables_that_share_a_topic_are_told_apart_by_their_keys() {
        let config = from_pairs(&[
            ("topic.naming.strategy", "io.debezium.schema.SchemaRegexTopicNamingStrategy"),
            ("topic.regex", r"(.*)\.orders_\d+"),
            ("topic.replacement", "$1.orders"),
            ("topic.key.field.regex", r".*_(\d+)"),
            ("topic.key.field.replacement", "$1"),
        ])
        .unwrap();

        assert_eq!(topic(&config, "s", "orders_7"), "p.s.orders");
        assert_eq!(topic(&config, "s", "other"), "p.s.other");
        let (field, value) = table_key(&config, "s", "orders_7").unwrap();
        assert_eq!((&*field, &*value), ("__dbz__physicalTableIdentifier", "7"));
        assert_eq!(table_key(&config, "s", "other").unwrap().1, "p.s.other");
        assert_eq!(table_key(&from_pairs(&[]).unwrap(), "s", "t"), None);
    }

    #[test]
    fn topics_end_where_kafka_ends_them() {
        let config = from_pairs(&[]).unwrap();

        assert_eq!(topic(&config, "s", &"t".repeat(300)).len(), TOPIC_LENGTH);
    }
}
