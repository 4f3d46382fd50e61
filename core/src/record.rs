//! Records: what flows through a pipeline.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;

use crate::{
    change::{Change, Operation},
    schema::SchemaRef,
    value::Value,
};

/// A value with the schema that explains it; without a schema it is schemaless, as Connect's JSON can be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Datum {
    /// Meaning of the value.
    pub schema: Option<SchemaRef>,
    /// The value.
    pub value: Value,
}

impl Datum {
    /// The null datum: of a key, "no key"; of a value, a tombstone.
    pub const NULL: Self = Self { schema: None, value: Value::Null };

    /// Joins a schema and its value.
    pub fn new(schema: SchemaRef, value: Value) -> Self {
        Self { schema: Some(schema), value }
    }

    /// Makes a schemaless datum.
    pub fn schemaless(value: Value) -> Self {
        Self { schema: None, value }
    }
}

/// The value side of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A row change that stays typed; codecs render it as Debezium's envelope.
    Change(Change),
    /// Anything else, a tombstone among it.
    Plain(Datum),
}

impl Payload {
    /// A null value: in a compacted topic, the end of its key.
    pub const TOMBSTONE: Self = Self::Plain(Datum::NULL);

    /// Whether the value is null.
    pub fn is_tombstone(&self) -> bool {
        matches!(self, Self::Plain(Datum { value: Value::Null, .. }))
    }
}

/// One header: a name and a value, as Connect has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Name; may repeat.
    pub key: Arc<str>,
    /// Value.
    pub value: Datum,
}

/// The headers of a record: those that all records of a task share, then its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headers {
    shared: Option<Arc<[Header]>>,
    own: Vec<Header>,
}

impl Headers {
    /// Starts from headers that many records share.
    pub fn shared(headers: Arc<[Header]>) -> Self {
        Self { shared: Some(headers), own: Vec::new() }
    }

    /// Appends a header.
    pub fn push(&mut self, key: impl Into<Arc<str>>, value: Datum) {
        self.own.push(Header { key: key.into(), value });
    }

    /// Returns all headers in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.shared.iter().flat_map(|shared| shared.iter()).chain(&self.own)
    }

    /// Returns the headers that other records share, and those of this one, for writers that reuse the former.
    pub fn parts(&self) -> (Option<&Arc<[Header]>>, &[Header]) {
        (self.shared.as_ref(), &self.own)
    }

    /// Returns how many headers there are.
    pub fn len(&self) -> usize {
        self.shared.as_ref().map_or(0, |shared| shared.len()) + self.own.len()
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the last header of a name, as Connect's `lastWithName`.
    pub fn last(&self, key: &str) -> Option<&Header> {
        let last = |headers: &'_ [Header]| headers.iter().rposition(|header| &*header.key == key);
        if let Some(index) = last(&self.own) {
            return self.own.get(index);
        }
        let shared = self.shared.as_deref()?;
        shared.get(last(shared)?)
    }

    /// Keeps the headers for which `keep` answers true.
    pub fn retain(&mut self, keep: impl Fn(&Header) -> bool) {
        if let Some(shared) = self.shared.take() {
            if shared.iter().all(&keep) {
                self.shared = Some(shared);
            } else {
                self.own.splice(0..0, shared.iter().filter(|header| keep(header)).cloned());
            }
        }
        self.own.retain(keep);
    }
}

/// Where a row event stands in the source's commit order; the write timestamps of sinks derive from it.
///
/// Written in the header [`EventPosition::HEADER`] as text `epoch/commit/index/count`, all decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPosition {
    /// Generation of the position space; it grows when positions start over (another cluster, lossy failover).
    pub epoch: u32,
    /// Position of the transaction's commit record, in bytes of the source's log.
    pub commit: u64,
    /// Place of the event in its transaction, from 0.
    pub index: u64,
    /// How many events the transaction has; at least `index + 1`.
    pub count: u64,
}

impl EventPosition {
    /// Name of the header that carries the position.
    pub const HEADER: &'static str = "sluice.position";
}

impl fmt::Display for EventPosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}/{}", self.epoch, self.commit, self.index, self.count)
    }
}

/// A position header that does not read `epoch/commit/index/count`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position `{0}` is not of the form epoch/commit/index/count with index below count")]
pub struct ParseEventPositionError(String);

impl FromStr for EventPosition {
    type Err = ParseEventPositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.split('/');
            let position = Self {
                epoch: parts.next()?.parse().ok()?,
                commit: parts.next()?.parse().ok()?,
                index: parts.next()?.parse().ok()?,
                count: parts.next()?.parse().ok()?,
            };
            (parts.next().is_none() && position.index < position.count).then_some(position)
        };
        parse().ok_or_else(|| ParseEventPositionError(text.to_owned()))
    }
}

/// Place of a record in a partitioned log that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOffset {
    /// Topic, before any transform renamed it.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// The bytes of a record as they were read, kept for the dead letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawRecord {
    /// Key bytes; none is a null key.
    pub key: Option<Bytes>,
    /// Value bytes; none is a tombstone.
    pub value: Option<Bytes>,
    /// Headers with their bytes; none is a null header.
    pub headers: Vec<(Arc<str>, Option<Bytes>)>,
}

/// What is known of where a record came from; transforms do not touch it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// Place in the source's commit order.
    pub event: Option<EventPosition>,
    /// The operation that made the record, known even after the envelope is unwrapped.
    pub operation: Option<Operation>,
    /// Place in the log that it was read from.
    pub log: Option<LogOffset>,
    /// Bytes as read.
    pub raw: Option<RawRecord>,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Destination topic; a sink maps it to its own kind of target.
    pub topic: Arc<str>,
    /// Partition, when somebody chose it.
    pub partition: Option<i32>,
    /// Key; [`Datum::NULL`] without one.
    pub key: Datum,
    /// Value.
    pub value: Payload,
    /// Headers.
    pub headers: Headers,
    /// Time of the record in milliseconds since 1970-01-01T00:00Z.
    pub timestamp: Option<i64>,
    /// Where it came from.
    pub origin: Origin,
}

impl Record {
    /// Makes a record without headers, timestamp and origin.
    pub fn new(topic: Arc<str>, key: Datum, value: Payload) -> Self {
        Self {
            topic,
            partition: None,
            key,
            value,
            headers: Headers::default(),
            timestamp: None,
            origin: Origin::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_header_survives_a_round_trip() {
        let position = EventPosition { epoch: 1, commit: u64::MAX, index: 3, count: 4 };

        assert_eq!(position.to_string().parse(), Ok(position));
    }

    #[test]
    fn position_with_index_beyond_count_is_refused() {
        assert!("0/16/4/4".parse::<EventPosition>().is_err());
        assert!("0/16/0/1/9".parse::<EventPosition>().is_err());
        assert!("0/16/x/1".parse::<EventPosition>().is_err());
    }

    #[test]
    fn removing_a_shared_header_leaves_the_others_in_order() {
        let header = |key: &str| Header { key: key.into(), value: Datum::NULL };
        let mut headers = Headers::shared(Arc::from([header("a"), header("b")]));
        headers.push("c", Datum::NULL);

        headers.retain(|header| &*header.key != "a");

        assert_eq!(headers.iter().map(|header| &*header.key).collect::<Vec<_>>(), ["b", "c"]);
    }
}
