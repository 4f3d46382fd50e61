//! The types of single properties: modes, and lists with a form of their own.

use sluice_core::config::{ConfigValue, Fault, Kind, Names, PatternList, Properties};
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
                // Rows of a snapshot come all the same, as in Debezium.
                "r" | "none" => {}
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

/// `message.key.columns`: which columns make the keys of which tables.
#[derive(Debug, Clone, Default)]
pub struct MessageKeys(Vec<KeyEntry>);

/// `schema.table:column,column`, all of which may be regular expressions.
#[derive(Debug, Clone)]
struct KeyEntry {
    table: String,
    /// The names as they were written, and what matches `schema.table.column`. As in Debezium that is one expression,
    /// `TABLE.COLUMN`, whose dot may be any character.
    columns: Vec<(String, PatternList)>,
}

impl MessageKeys {
    /// Returns the key of `schema.table`: those of its columns that are configured, in their order, and what of the
    /// configured it lacks. Both are empty for a table that has the key of its own.
    pub fn columns<'a>(
        &self,
        table: &str,
        columns: &(impl Iterator<Item = &'a str> + Clone),
    ) -> (Vec<&'a str>, Vec<&str>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for entry in &self.0 {
            let mut unmatched = Vec::new();
            for (name, pattern) in &entry.columns {
                let is_meant = |column: &&str| pattern.matches(&format!("{table}.{column}"));
                let meant: Vec<_> = columns.clone().filter(is_meant).collect();
                if meant.is_empty() {
                    unmatched.push(name.as_str());
                }
                let new: Vec<_> = meant.into_iter().filter(|column| !found.contains(column)).collect();
                found.extend(new);
            }
            if unmatched.len() < entry.columns.len() || entry.names(table) {
                missing.append(&mut unmatched);
            }
        }
        (found, missing)
    }
}

impl KeyEntry {
    /// Whether it is for this table alone. One for many may hold for those that have the columns.
    fn names(&self, table: &str) -> bool {
        self.table.trim().replace('\\', "").eq_ignore_ascii_case(table)
    }
}

impl ConfigValue for MessageKeys {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "entries `schema.table:column,column` separated by `;`".to_owned();
        let entry = |entry: &str| {
            let (table, columns) = entry.split_once(':').ok_or_else(expected)?;
            let column =
                |name: String| PatternList::parse(&format!("{table}.{name}")).map(|list| (name, list));
            let columns = Names::parse(columns)?.0.into_iter().map(column).collect::<Result<Vec<_>, _>>()?;
            if columns.is_empty() {
                Err(expected())
            } else {
                Ok(KeyEntry { table: table.to_owned(), columns })
            }
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
        let columns = |table: &str| keys.columns(table, &["id", "a", "b"].into_iter()).0;

        assert_eq!(columns("public.t"), ["b", "a"]);
        assert_eq!(columns("inventory.x"), ["id"]);
        assert!(columns("public.u").is_empty());
        assert!(MessageKeys::parse("public.t").is_err());
    }

    #[test]
    fn message_keys_are_regular_expressions() {
        let keys = MessageKeys::parse("(.*).orders:ID, line_.*;public.orders:gone").unwrap();
        let columns = ["line_no", "id", "line_id", "note"].into_iter();

        assert_eq!(keys.columns("public.orders", &columns), (vec!["id", "line_no", "line_id"], vec!["gone"]));
    }

    #[test]
    fn message_keys_for_many_tables_are_for_those_that_have_the_columns() {
        let keys = MessageKeys::parse("public\\..*:a,b;public\\.t:c").unwrap();
        let missing = |table: &str, column: &'static str| keys.columns(table, &[column].into_iter()).1;

        assert!(missing("public.u", "x").is_empty());
        assert_eq!(missing("public.u", "a"), ["b"]);
        assert_eq!(missing("public.t", "x"), ["c"]);
    }
}
