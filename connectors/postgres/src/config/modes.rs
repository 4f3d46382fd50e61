//! The types of single properties: modes, and lists with a form of their own.

use regex::Regex;
use sluice_core::config::{ConfigValue, Fault, Kind, Names, Properties};
use sluice_core::config_enum;

config_enum! {
    /// `database.sslmode`.
    pub enum SslMode {
        /// No TLS.
        Disable = "disable",
        /// The same as prefer; the connection is not tried without TLS first.
        Allow = "allow",
        /// TLS if the server has it.
        Prefer = "prefer",
        /// TLS; verified only if a root certificate is given.
        Require = "require",
        /// TLS with a certificate of a trusted authority.
        VerifyCa = "verify-ca",
        /// The same, for this host.
        VerifyFull = "verify-full",
    }
}

config_enum! {
    /// `plugin.name`.
    pub enum Plugin {
        /// The plugin that is built into Postgres.
        PgOutput = "pgoutput",
    }
}

config_enum! {
    /// `offset.mismatch.strategy`.
    pub enum OffsetMismatch {
        /// As trust_offset.
        NoValidation = "no_validation",
        /// The position counts: a slot past it is a gap.
        TrustOffset = "trust_offset",
        /// The slot counts once it is past the position.
        TrustSlot = "trust_slot",
        /// As trust_slot.
        TrustGreaterLsn = "trust_greater_lsn",
    }
}

impl OffsetMismatch {
    /// Whether all before the slot is taken as delivered.
    pub fn trusts_slot(self) -> bool {
        matches!(self, Self::TrustSlot | Self::TrustGreaterLsn)
    }
}

config_enum! {
    /// `publication.autocreate.mode`.
    pub enum AutoCreate {
        /// For all tables.
        AllTables = "all_tables",
        /// For the captured tables.
        Filtered = "filtered",
        /// Never.
        Disabled = "disabled",
        /// Without tables.
        NoTables = "no_tables",
    }
}

config_enum! {
    /// `decimal.handling.mode`.
    pub enum DecimalMode {
        /// Exact.
        Precise = "precise",
        /// Text.
        String = "string",
        /// Double precision.
        Double = "double",
    }
}

config_enum! {
    /// `time.precision.mode`.
    pub enum TimeMode {
        /// As precise as the column.
        Adaptive = "adaptive",
        /// The same, times always in microseconds.
        AdaptiveTimeMicroseconds = "adaptive_time_microseconds",
        /// Connect's own types.
        Connect = "connect",
        /// ISO 8601 text.
        IsoString = "isostring",
        /// Microseconds, whatever the column's precision.
        Microseconds = "microseconds",
        /// Nanoseconds, whatever the column's precision.
        Nanoseconds = "nanoseconds",
        /// Structs of year, month, day and so on.
        Structured = "structured",
    }
}

config_enum! {
    /// `hstore.handling.mode`.
    pub enum HstoreMode {
        /// JSON text.
        Json = "json",
        /// A map.
        Map = "map",
    }
}

config_enum! {
    /// `compatibility`.
    pub enum Compatibility {
        /// What Postgres holds.
        Correct = "correct",
        /// What Debezium sends.
        Debezium = "debezium",
    }
}

config_enum! {
    /// `binary.handling.mode`.
    pub enum BinaryMode {
        /// Bytes.
        Bytes = "bytes",
        /// Base64 text.
        Base64 = "base64",
        /// Base64 text for URLs.
        Base64UrlSafe = "base64-url-safe",
        /// Hexadecimal text.
        Hex = "hex",
    }
}

config_enum! {
    /// `interval.handling.mode`.
    pub enum IntervalMode {
        /// Microseconds.
        Numeric = "numeric",
        /// ISO 8601 text.
        String = "string",
    }
}

/// `skipped.operations`: which kinds of change are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SkippedOperations {
    /// `c`.
    pub create: bool,
    /// `u`.
    pub update: bool,
    /// `d`.
    pub delete: bool,
    /// `t`.
    pub truncate: bool,
    /// Whether the property was set.
    set: bool,
}

impl SkippedOperations {
    /// Returns what a publication that is made for this list publishes, if anything is to be left out of it.
    ///
    /// As in Debezium the default leaves nothing out: only a list that was set does.
    pub(crate) fn publish(self) -> Option<String> {
        let Self { create, update, delete, truncate, set } = self;
        if !set || !(create || update || delete || truncate) {
            return None;
        }
        let kinds = [("insert", create), ("update", update), ("delete", delete), ("truncate", truncate)];
        let published = kinds.iter().filter(|(_, skipped)| !skipped).map(|(kind, _)| *kind);
        Some(published.collect::<Vec<_>>().join(", "))
    }
}

impl ConfigValue for SkippedOperations {
    const KIND: Kind = Kind::List;

    fn parse(text: &str) -> Result<Self, String> {
        let mut skipped = Self::default();
        for name in Names::parse(text)?.0 {
            match name.as_str() {
                "c" => skipped.create = true,
                "u" => skipped.update = true,
                "d" => skipped.delete = true,
                "t" => skipped.truncate = true,
                "none" => {}
                _ => return Err("a list of c, u, d and t, or none".to_owned()),
            }
        }
        Ok(skipped)
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let set = properties.value(name).is_some();
        let text = properties.value(name).or(default).unwrap_or_default();
        let expected = |expected| Fault::invalid(name, format!("expected {expected}, got `{text}`"));
        Ok(Self { set, ..Self::parse(text.trim()).map_err(expected)? })
    }
}

config_enum! {
    /// A channel of `notification.enabled.channels`.
    pub enum NotificationChannel {
        /// A topic.
        Sink = "sink",
        /// The log.
        Log = "log",
        /// Java's beans; without effect.
        Jmx = "jmx",
    }
}

/// `notification.enabled.channels`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationChannels(Vec<NotificationChannel>);

impl NotificationChannels {
    /// Whether a channel is in the list.
    pub fn contains(&self, channel: NotificationChannel) -> bool {
        self.0.contains(&channel)
    }
}

impl ConfigValue for NotificationChannels {
    const KIND: Kind = Kind::List;

    fn parse(text: &str) -> Result<Self, String> {
        let channel =
            |name: &String| NotificationChannel::parse(name).map_err(|_| "a list of sink, log and jmx");
        Ok(Self(Names::parse(text)?.0.iter().map(channel).collect::<Result<_, _>>()?))
    }
}

/// `message.key.columns`: for tables that match, the columns of the key in order.
#[derive(Debug, Clone, Default)]
pub struct MessageKeys(Vec<(Regex, Vec<String>)>);

impl MessageKeys {
    /// Returns the key columns of `schema.table`, if it has an entry.
    pub fn columns(&self, table: &str) -> Option<&[String]> {
        self.0.iter().find(|(pattern, _)| pattern.is_match(table)).map(|(_, columns)| columns.as_slice())
    }
}

impl ConfigValue for MessageKeys {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "entries `schema.table:column,column` separated by `;`".to_owned();
        let entry = |entry: &str| {
            let (table, columns) = entry.rsplit_once(':').ok_or_else(expected)?;
            let columns = Names::parse(columns)?.0;
            let pattern = Regex::new(&format!("^(?i:{})$", table.trim())).map_err(|_| expected())?;
            if columns.is_empty() { Err(expected()) } else { Ok((pattern, columns)) }
        };
        text.split(';').filter(|part| !part.trim().is_empty()).map(entry).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_that_was_set_leaves_operations_out_of_the_publication() {
        let publish = |pairs: &[(&str, &str)]| {
            let mut properties = Properties::default();
            pairs.iter().for_each(|(name, value)| properties.set(*name, *value));
            SkippedOperations::find(&properties, "skipped.operations", Some("t")).unwrap().publish()
        };

        assert_eq!(publish(&[]), None);
        assert_eq!(publish(&[("skipped.operations", "none")]), None);
        assert_eq!(publish(&[("skipped.operations", "t")]).unwrap(), "insert, update, delete");
        assert_eq!(publish(&[("skipped.operations", "u, d")]).unwrap(), "insert, truncate");
        assert_eq!(publish(&[("skipped.operations", "c,u,d,t")]).unwrap(), "");
    }

    #[test]
    fn message_keys_keep_their_order() {
        let keys = MessageKeys::parse("public.t:b,a; inventory.*:id").unwrap();

        assert_eq!(keys.columns("public.t").unwrap(), ["b", "a"]);
        assert_eq!(keys.columns("inventory.x").unwrap(), ["id"]);
        assert_eq!(keys.columns("public.u"), None);
        assert!(MessageKeys::parse("public.t").is_err());
    }
}
