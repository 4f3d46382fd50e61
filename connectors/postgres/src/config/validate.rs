//! What each property allows by itself and the configuration as a whole does not: found without I/O.

use sluice_core::config::Fault;

use super::{NotificationChannel, PostgresConfig, start};

/// `NAMEDATALEN` less its end: Postgres allows no longer names.
const NAME_BYTES: usize = 63;
/// More decimals than any sum of money has in 128 bits.
const MONEY_DIGITS: u16 = 18;

/// Finds contradictions, and values that neither Postgres nor Kafka takes; the hint of each fault says what to do.
pub(crate) fn validate(config: &PostgresConfig) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(slot_name(config));
    faults.extend(topic_parts(config));
    faults.extend(opposite_lists(config));
    faults.extend(notification_topic(config));
    faults.extend(ranges(config));
    faults.extend(client_certificate(config));
    faults.extend(start::validate(config));
    faults
}

/// A fault if something is `wrong`.
fn fault(wrong: bool, property: &str, message: &str, hint: &str) -> Option<Fault> {
    wrong.then(|| Fault::invalid(property, message).hint(hint))
}

fn slot_name(config: &PostgresConfig) -> Option<Fault> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let slot = &config.slot;
    fault(
        slot.is_empty() || slot.len() > NAME_BYTES || !slot.bytes().all(fits),
        "slot.name",
        "must be 1 to 63 lower-case letters, digits or `_`",
        "Postgres allows no other names of slots",
    )
}

fn topic_parts(config: &PostgresConfig) -> impl Iterator<Item = Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let parts = [
        ("topic.prefix", Some(&config.topic_prefix)),
        ("topic.delimiter", Some(&config.topic_delimiter)),
        ("topic.heartbeat.prefix", Some(&config.heartbeat_prefix)),
        ("topic.heartbeat.name", config.heartbeat_name.as_ref()),
        ("topic.transaction", Some(&config.transaction_topic)),
        ("notification.sink.topic.name", config.notification_topic.as_ref()),
    ];
    parts.into_iter().filter_map(move |(property, part)| {
        fault(
            part.is_some_and(|part| part.is_empty() || !part.bytes().all(fits)),
            property,
            "must be letters, digits, `.`, `_` or `-`",
            "it is a part of the names of topics",
        )
    })
}

fn opposite_lists(config: &PostgresConfig) -> impl Iterator<Item = Fault> {
    let pairs = [
        ("schema", &config.schema_include, &config.schema_exclude),
        ("table", &config.table_include, &config.table_exclude),
        ("column", &config.column_include, &config.column_exclude),
        ("message.prefix", &config.message_include, &config.message_exclude),
    ];
    pairs.into_iter().filter_map(|(what, include, exclude)| {
        fault(
            include.is_some() && exclude.is_some(),
            &format!("{what}.exclude.list"),
            &format!("cannot be set beside `{what}.include.list`"),
            "keep one of the two",
        )
    })
}

fn notification_topic(config: &PostgresConfig) -> Option<Fault> {
    fault(
        config.notification_channels.contains(NotificationChannel::Sink)
            && config.notification_topic.is_none(),
        "notification.sink.topic.name",
        "must be set for the notification channel `sink`",
        "name a topic, or leave `sink` out of `notification.enabled.channels`",
    )
}

fn ranges(config: &PostgresConfig) -> impl Iterator<Item = Fault> {
    let money = fault(
        config.money_digits > MONEY_DIGITS,
        "money.fraction.digits",
        "must be 18 or less",
        "Postgres itself holds two decimals or as many as the locale's currency has",
    );
    let threads = fault(
        config.snapshot_threads == 0,
        "snapshot.max.threads",
        "must be 1 or more",
        "each is one connection",
    );
    money.into_iter().chain(threads)
}

fn client_certificate(config: &PostgresConfig) -> Option<Fault> {
    fault(
        config.sslcert.is_some() != config.sslkey.is_some(),
        "database.sslkey",
        "must be set together with `database.sslcert`",
        "a client certificate needs both files",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    fn faulty(pairs: &[(&str, &str)]) -> Vec<String> {
        validate(&from_pairs(pairs).unwrap()).into_iter().map(|fault| fault.property).collect()
    }

    #[test]
    fn contradictions_are_told_by_property() {
        let pairs = [("slot.name", "Bad-Slot"), ("table.include.list", "a.b"), ("table.exclude.list", "c.d")];

        assert_eq!(faulty(&pairs), ["slot.name", "table.exclude.list"]);
    }

    #[test]
    fn each_pair_of_lists_is_told_by_its_own_name() {
        for what in ["schema", "table", "column", "message.prefix"] {
            let (include, exclude) = (format!("{what}.include.list"), format!("{what}.exclude.list"));

            assert_eq!(faulty(&[(&include, "a.b"), (&exclude, "c.d")]), [exclude.as_str()]);
            assert!(faulty(&[(&include, "a.b")]).is_empty());
        }
    }

    #[test]
    fn slot_has_a_name_that_postgres_takes() {
        assert!(faulty(&[("slot.name", &"s".repeat(63))]).is_empty());
        for slot in ["", "S", "s-1", "ß", &"s".repeat(64)] {
            assert_eq!(faulty(&[("slot.name", slot)]), ["slot.name"], "{slot}");
        }
    }

    #[test]
    fn half_of_a_client_certificate_is_told() {
        assert_eq!(faulty(&[("database.sslcert", "/c.pem")]), ["database.sslkey"]);
        assert_eq!(faulty(&[("database.sslkey", "/k.pem")]), ["database.sslkey"]);
        assert!(faulty(&[("database.sslcert", "/c.pem"), ("database.sslkey", "/k.pem")]).is_empty());
    }

    #[test]
    fn notifications_into_a_topic_need_its_name() {
        let sink = ("notification.enabled.channels", "sink");

        assert_eq!(faulty(&[sink]), ["notification.sink.topic.name"]);
        assert!(faulty(&[sink, ("notification.sink.topic.name", "n")]).is_empty());
        assert!(faulty(&[("notification.enabled.channels", "log")]).is_empty());
    }
}
