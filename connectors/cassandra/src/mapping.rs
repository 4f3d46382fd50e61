//! DataStax's mappings: `topic.<topic>.<keyspace>.<table>.mapping=column=value.field, …`.

use std::collections::BTreeMap;

use sluice_core::config::{ConfigValue, Fault};

use crate::config::Consistency;

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A field of the key, by path; the whole key without one.
    Key(Vec<String>),
    /// A field of the value, by path; the whole value without one.
    Value(Vec<String>),
    /// A header, by name.
    Header(String),
}

/// A column and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MappedColumn {
    pub(crate) column: String,
    pub(crate) source: Source,
}

/// A parsed `mapping`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) columns: Vec<MappedColumn>,
    /// Source of `__ttl`.
    pub(crate) ttl: Option<Source>,
    /// Source of `__timestamp`.
    pub(crate) timestamp: Option<Source>,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeUnit {
    nanos: i128,
}

impl TimeUnit {
    pub(crate) const SECONDS: Self = Self { nanos: 1_000_000_000 };
    pub(crate) const MICROSECONDS: Self = Self { nanos: 1_000 };

    fn parse(text: &str) -> Option<Self> {
        let nanos = match text.to_ascii_uppercase().as_str() {
            "NANOSECONDS" => 1,
            "MICROSECONDS" => 1_000,
            "MILLISECONDS" => 1_000_000,
            "SECONDS" => 1_000_000_000,
            "MINUTES" => 60_000_000_000,
            "HOURS" => 3_600_000_000_000,
            "DAYS" => 86_400_000_000_000,
            _ => return None,
        };
        Some(Self { nanos })
    }

    /// Converts an amount of this unit to whole `other` units, rounded down.
    pub(crate) fn convert(self, amount: i64, other: Self) -> i128 {
        (i128::from(amount) * self.nanos).div_euclid(other.nanos)
    }
}

/// Settings of one table that a topic is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicTable {
    pub(crate) topic: String,
    pub(crate) keyspace: String,
    pub(crate) table: String,
    pub(crate) mapping: Mapping,
    pub(crate) consistency: Option<Consistency>,
    /// Seconds, when the table has its own.
    pub(crate) ttl: Option<i64>,
    /// Unit of `ttl` and of the field mapped to `__ttl`.
    pub(crate) ttl_unit: TimeUnit,
    /// Unit of the field mapped to `__timestamp`.
    pub(crate) timestamp_unit: TimeUnit,
    /// DataStax's switch; without it the operation decides about nulls.
    pub(crate) null_to_unset: Option<bool>,
    pub(crate) deletes_enabled: bool,
}

/// Reads all properties below `topic.`; faults carry the full name of the property and may be warnings.
pub(crate) fn topic_tables(properties: &BTreeMap<String, String>) -> (Vec<TopicTable>, Vec<Fault>) {
    let mut tables: BTreeMap<(String, String, String), BTreeMap<String, String>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (key, value) in properties {
        match split_key(key) {
            Some((table, setting)) => {
                tables.entry(table).or_default().insert(setting, value.clone());
            }
            None => faults.push(unknown(key)),
        }
    }
    let mut parsed = Vec::new();
    for (table, settings) in tables {
        match topic_table(table, &settings) {
            Ok(table) => parsed.push(table),
            Err(more) => faults.extend(more),
        }
    }
    (parsed, faults)
}

const SETTINGS: [&str; 7] = [
    "mapping",
    "consistencyLevel",
    "ttl",
    "ttlTimeUnit",
    "timestampTimeUnit",
    "nullToUnset",
    "deletesEnabled",
];

fn unknown(key: &str) -> Fault {
    let property = format!("topic.{key}");
    if key.contains(".codec.") {
        let message = "has no effect: values arrive with their types, nothing is parsed from text";
        return Fault::new("config.unknown_property", property, message).warning();
    }
    let message = format!(
        "expected topic.<topic>.<keyspace>.<table>.<setting>, setting one of {}",
        SETTINGS.join(", ")
    );
    Fault::new("config.unknown_property", property, message)
}

/// Splits `<topic>.<keyspace>.<table>.<setting>` from the right: topics have dots.
fn split_key(key: &str) -> Option<((String, String, String), String)> {
    let (rest, setting) = key.rsplit_once('.')?;
    if !SETTINGS.contains(&setting) && setting != "query" {
        return None;
    }
    let (rest, table) = rest.rsplit_once('.')?;
    let (topic, keyspace) = rest.rsplit_once('.')?;
    let all = [topic, keyspace, table];
    let unquoted = |name: &str| name.trim_matches('"').to_owned();
    all.iter()
        .all(|name| !name.is_empty())
        .then(|| ((topic.to_owned(), unquoted(keyspace), unquoted(table)), setting.to_owned()))
}

fn topic_table(
    (topic, keyspace, table): (String, String, String),
    settings: &BTreeMap<String, String>,
) -> Result<TopicTable, Vec<Fault>> {
    let mut reader =
        Reader { prefix: format!("topic.{topic}.{keyspace}.{table}."), settings, faults: Vec::new() };
    if settings.contains_key("query") {
        let reason = "not supported: a query of one's own carries no write timestamp that survives a replay";
        reader.fault("query", reason);
    }
    let unit = |text: &str| {
        TimeUnit::parse(text).ok_or_else(|| "a time unit such as SECONDS or MICROSECONDS".to_owned())
    };
    let ttl_unit = reader.setting("ttlTimeUnit", unit).unwrap_or(TimeUnit::SECONDS);
    let ttl = reader.setting("ttl", i64::parse);
    let table = TopicTable {
        mapping: reader.setting("mapping", Mapping::parse).unwrap_or_default(),
        consistency: reader.setting("consistencyLevel", Consistency::parse),
        ttl: ttl.map(|ttl| if ttl <= 0 { ttl } else { ttl_unit.convert(ttl, TimeUnit::SECONDS) as i64 }),
        ttl_unit,
        timestamp_unit: reader.setting("timestampTimeUnit", unit).unwrap_or(TimeUnit::MICROSECONDS),
        null_to_unset: reader.setting("nullToUnset", bool::parse),
        deletes_enabled: reader.setting("deletesEnabled", bool::parse).unwrap_or(true),
        topic,
        keyspace,
        table,
    };
    if !settings.contains_key("mapping") {
        reader.fault("mapping", "must be set for a table that has settings");
    }
    if reader.faults.is_empty() { Ok(table) } else { Err(reader.faults) }
}

struct Reader<'a> {
    prefix: String,
    settings: &'a BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn setting<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.settings.get(name)?;
        parse(text.trim())
            .map_err(|expected| self.fault(name, &format!("expected {expected}, got `{text}`")))
            .ok()
    }

    fn fault(&mut self, name: &str, message: &str) {
        self.faults.push(Fault::invalid(format!("{}{name}", self.prefix), message));
    }
}

impl Mapping {
    /// Parses `column=source, …`.
    ///
    /// # Errors
    /// What is expected, with the entry that is not.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut mapping = Self::default();
        for entry in split_unquoted(text, ',') {
            let entry = entry.trim();
            let parts = split_unquoted(entry, '=');
            let [column, source] = parts[..] else {
                return Err(format!("column=source separated by commas (at `{entry}`)"));
            };
            let column = unquote(column);
            let source = Source::parse(source.trim())?;
            match column.as_str() {
                "" => return Err(format!("a column name before `=` (at `{entry}`)")),
                "__ttl" => mapping.ttl = Some(source),
                "__timestamp" => mapping.timestamp = Some(source),
                _ if mapping.columns.iter().any(|one| one.column == column) => {
                    return Err(format!("each column once; `{column}` is mapped twice"));
                }
                _ => mapping.columns.push(MappedColumn { column, source }),
            }
        }
        Ok(mapping)
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, String> {
        if text.ends_with("()") {
            let reason = "a source that is the same at every replay";
            return Err(format!("{reason}: `{text}` would be new each time, so map a field instead"));
        }
        let mut path = split_unquoted(text, '.').into_iter().map(unquote);
        let root = path.next().unwrap_or_default();
        let path: Vec<_> = path.collect();
        if path.iter().any(String::is_empty) {
            return Err(format!("a field name between dots (at `{text}`)"));
        }
        match root.as_str() {
            "key" => Ok(Self::Key(path)),
            "value" => Ok(Self::Value(path)),
            "header" if !path.is_empty() => Ok(Self::Header(path.join("."))),
            _ => Err(format!("key, key.field, value, value.field or header.name as a source (at `{text}`)")),
        }
    }
}

fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|one| {
        quoted ^= one == '"';
        one == separator && !quoted
    })
    .collect()
}

fn unquote(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .map_or_else(|| text.to_owned(), |inside| inside.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn value(path: &[&str]) -> Source {
        Source::Value(path.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn mapping_of_the_datastax_manual_parses() {
        let mapping = Mapping::parse(
            r#"name=key.name, "Nick, name" = value."nick.name", id=key, h=header.a.b, __ttl=value.t, __timestamp=value.ts"#,
        )
        .unwrap();

        let column = |column: &str, source| MappedColumn { column: column.to_owned(), source };
        assert_eq!(
            mapping.columns,
            [
                column("name", Source::Key(vec!["name".to_owned()])),
                column("Nick, name", value(&["nick.name"])),
                column("id", Source::Key(Vec::new())),
                column("h", Source::Header("a.b".to_owned())),
            ]
        );
        assert_eq!((mapping.ttl, mapping.timestamp), (Some(value(&["t"])), Some(value(&["ts"]))));
    }

    #[test]
    fn bad_mappings_are_told_with_the_place() {
        for (text, part) in [
            ("a", "at `a`"),
            ("a=values.b", "at `values.b`"),
            ("a=now()", "`now()` would be new each time"),
            ("a=key, a=value.b", "`a` is mapped twice"),
            ("a=value..b", "between dots"),
        ] {
            let error = Mapping::parse(text).unwrap_err();

            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn topic_names_may_have_dots() {
        let (tables, faults) = topic_tables(&properties(&[
            ("db.public.users.ks.users.mapping", "id=key.id"),
            ("db.public.users.ks.users.ttl", "2"),
            ("db.public.users.ks.users.ttlTimeUnit", "HOURS"),
            ("db.public.users.ks.users.deletesEnabled", "false"),
        ]));

        assert_eq!((tables.len(), faults), (1, Vec::new()));
        assert_eq!((tables[0].topic.as_str(), tables[0].keyspace.as_str()), ("db.public.users", "ks"));
        assert_eq!((tables[0].ttl, tables[0].deletes_enabled), (Some(7200), false));
    }

    #[test]
    fn a_query_of_ones_own_is_refused_with_the_reason() {
        let given = properties(&[("t.ks.a.mapping", "id=key"), ("t.ks.a.query", "INSERT …")]);

        let (_, faults) = topic_tables(&given);

        assert_eq!(faults[0].property, "topic.t.ks.a.query");
        assert!(faults[0].message.contains("survives a replay"));
    }

    #[test]
    fn unknown_settings_name_the_known_ones() {
        let (_, faults) = topic_tables(&properties(&[("t.ks.a.maping", "id=key")]));

        assert!(faults[0].message.contains("nullToUnset"), "{}", faults[0].message);
    }
}
