//! Types of the sink's own properties.

use std::collections::BTreeMap;

use sluice_core::config::{ConfigValue, Kind};

/// A format of table names with `${topic}`, `${schema}` and `${table}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFormat(String);

impl TableFormat {
    /// Returns the table of a topic.
    ///
    /// `a.b.c` has schema `b` and table `c`; a topic without dots is its own table, of schema ``.
    pub fn table(&self, topic: &str) -> String {
        let mut parts = topic.rsplit('.');
        let table = parts.next().unwrap_or_default();
        let schema = parts.next().unwrap_or_default();
        let name = self.0.replace("${topic}", topic).replace("${schema}", schema).replace("${table}", table);
        name.chars().map(|one| if one.is_ascii_alphanumeric() || one == '_' { one } else { '_' }).collect()
    }
}

impl ConfigValue for TableFormat {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let rest = text.replace("${topic}", "").replace("${schema}", "").replace("${table}", "");
        let is_plain = |one: char| one.is_ascii_alphanumeric() || one == '_';
        if text.is_empty() || !rest.chars().all(is_plain) {
            return Err("letters, digits, `_`, ${topic}, ${schema} and ${table}".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// A keyspace's replication, read and written again so that nothing else can stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication(String);

impl Replication {
    /// Returns the CQL map.
    pub fn as_cql(&self) -> &str {
        &self.0
    }
}

impl ConfigValue for Replication {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let word = |text: &str| {
            let word = text.trim().trim_matches('\'');
            let is_plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.' | '/');
            (!word.is_empty() && word.chars().all(is_plain)).then(|| word.to_owned())
        };
        let parse = || {
            let inside = text.strip_prefix('{')?.strip_suffix('}')?;
            let pairs = inside.split(',').map(|pair| {
                let (key, value) = pair.split_once(':')?;
                Some(format!("'{}': '{}'", word(key)?, word(value)?))
            });
            let pairs = pairs.collect::<Option<Vec<_>>>()?;
            pairs.iter().any(|pair| pair.starts_with("'class'")).then(|| format!("{{{}}}", pairs.join(", ")))
        };
        parse().map(Self).ok_or_else(|| {
            "a CQL map such as {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}".to_owned()
        })
    }
}

/// What is added to the write timestamps of each epoch, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampOffsets(BTreeMap<u32, i64>);

impl TimestampOffsets {
    /// Returns an epoch's offset, if it was given one; epoch 0 has 0 without.
    pub fn of(&self, epoch: u32) -> Option<i64> {
        self.0.get(&epoch).copied().or((epoch == 0).then_some(0))
    }
}

impl ConfigValue for TimestampOffsets {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| match pair.split_once('=') {
            Some((epoch, offset)) => Some((epoch.trim().parse().ok()?, offset.trim().parse().ok()?)),
            None => Some((0, pair.trim().parse().ok()?)),
        };
        let pairs = text.split(',').map(pair).collect::<Option<BTreeMap<_, _>>>();
        pairs.map(Self).ok_or_else(|| "a number of microseconds, or epoch=number, …".to_owned())
    }
}

/// Which reading of the same changes this is, from 0 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub(crate) u8);

impl ConfigValue for Revision {
    const KIND: Kind = Kind::Int;

    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(revision @ 0..=7) => Ok(Self(revision)),
            _ => Err("a number from 0 to 7".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_name_comes_from_the_topic() {
        let format = TableFormat::parse("${schema}_${table}").unwrap();

        assert_eq!(format.table("prefix.public.order-lines"), "public_order_lines");
        assert_eq!(TableFormat::parse("${table}").unwrap().table("users"), "users");
        assert!(TableFormat::parse("${tabel}").is_err());
    }

    #[test]
    fn replication_cannot_carry_other_cql() {
        let given = Replication::parse("{ 'class' : 'NetworkTopologyStrategy', 'dc1': 3 }").unwrap();

        assert_eq!(given.as_cql(), "{'class': 'NetworkTopologyStrategy', 'dc1': '3'}");
        assert!(Replication::parse("{'class': 'x'}; DROP KEYSPACE y").is_err());
        assert!(Replication::parse("{'class': 'x' } AND durable_writes = false AND a = {'b':'c'}").is_err());
    }

    #[test]
    fn offsets_are_given_by_epoch() {
        let offsets = TimestampOffsets::parse("0=5, 2 = -7").unwrap();

        assert_eq!((offsets.of(0), offsets.of(1), offsets.of(2)), (Some(5), None, Some(-7)));
        assert_eq!(TimestampOffsets::parse("9").unwrap().of(0), Some(9));
        assert!(TimestampOffsets::parse("x").is_err());
    }
}
