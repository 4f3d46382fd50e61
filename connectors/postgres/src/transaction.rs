//! `provide.transaction.metadata`: the block in each event, and the records at both ends of a transaction.
//!
//! Hot path: [`TransactionMetadata::event`]. Each transaction that the server sends has its two records, also one
//! without events. Of a transaction only counts are held, one for each table that it changes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use bytestring::ByteString;
use sluice_core::change::TransactionBlock;
use sluice_core::record::{Datum, Payload, Record};
use sluice_core::schema::{Field, Kind, Schema, SchemaRef};
use sluice_core::value::{Struct, Value};

use crate::assemble::TransactionInfo;
use crate::config::{Compatibility, PostgresConfig};
use crate::lsn::Lsn;
use crate::names;
use crate::source_block::put_number;
use crate::types::temporal::EPOCH_MICROS;

/// Counts the events of one transaction after the other.
#[derive(Debug)]
pub(crate) struct TransactionMetadata {
    topic: Arc<str>,
    compatibility: Compatibility,
    /// The identity of the transaction, unless each event has its own.
    id: ByteString,
    /// How many events there were so far.
    total: i64,
    collections: Collections,
}

impl TransactionMetadata {
    /// Makes the counters, if the configuration asks for them.
    pub(crate) fn new(config: &PostgresConfig) -> Option<Self> {
        config.transaction_metadata.then(|| Self {
            topic: names::transaction_topic(config).into(),
            compatibility: config.compatibility,
            id: ByteString::new(),
            total: 0,
            collections: Collections::default(),
        })
    }

    /// Starts to count, and makes the record that says so.
    pub(crate) fn begin(&mut self, xid: u32, info: &TransactionInfo, chunk: &mut BytesMut) -> Record {
        self.id = identity(xid, info.commit, chunk);
        self.total = 0;
        self.collections.clear();
        self.record(xid, info, info.begin, "BEGIN", [Value::Null, Value::Null], chunk)
    }

    /// Counts an event of a data collection: a table as `schema.table`, or what stands in its place.
    pub(crate) fn event(
        &mut self,
        xid: u32,
        lsn: Lsn,
        collection: &str,
        chunk: &mut BytesMut,
    ) -> TransactionBlock {
        self.total += 1;
        TransactionBlock {
            id: self.identity(xid, lsn, chunk),
            total_order: self.total,
            data_collection_order: self.collections.count(collection),
        }
    }

    /// Makes the record that says what was counted; `end` is the end of the commit.
    pub(crate) fn end(&mut self, xid: u32, info: &TransactionInfo, end: Lsn, chunk: &mut BytesMut) -> Record {
        let schema = collection_schema();
        let collection = |(name, count): (&str, i64)| {
            let values = vec![Value::from(name), Value::Int64(count)];
            Value::Struct(Struct::new(Arc::clone(&schema), values))
        };
        let collections = self.collections.in_order_of_java().map(collection).collect();
        let counts = [Value::Int64(self.total), Value::Array(collections)];
        self.record(xid, info, end, "END", counts, chunk)
    }

    fn record(
        &self,
        xid: u32,
        info: &TransactionInfo,
        lsn: Lsn,
        status: &'static str,
        [count, collections]: [Value; 2],
        chunk: &mut BytesMut,
    ) -> Record {
        let (key, value) = schemas();
        let id = Value::String(self.identity(xid, lsn, chunk));
        let time = info.commit_micros.saturating_add(EPOCH_MICROS).div_euclid(1000);
        let values = vec![Value::from_static(status), id.clone(), count, collections, Value::Int64(time)];
        let datum = |schema: &SchemaRef, values| {
            Datum::new(Arc::clone(schema), Struct::new(Arc::clone(schema), values).into())
        };
        let value = datum(value, values);
        Record::new(Arc::clone(&self.topic), datum(key, vec![id]), Payload::Plain(value))
    }

    /// One identity for the whole transaction; Debezium's has the position of the single record.
    fn identity(&self, xid: u32, lsn: Lsn, chunk: &mut BytesMut) -> ByteString {
        match self.compatibility {
            Compatibility::Correct => self.id.clone(),
            Compatibility::Debezium => identity(xid, lsn, chunk),
        }
    }
}

/// Writes `xid:lsn`, both decimal.
fn identity(xid: u32, lsn: Lsn, chunk: &mut BytesMut) -> ByteString {
    put_number(xid.into(), chunk);
    chunk.extend_from_slice(b":");
    put_number(lsn.as_u64(), chunk);
    ByteString::try_from(chunk.split().freeze()).unwrap_or_default()
}

/// Buckets of a `java.util.HashMap` at first.
pub(crate) const JAVA_BUCKETS: usize = 16;

/// Events by data collection, in the order in which these appeared.
#[derive(Debug)]
struct Collections {
    counts: Vec<(String, i64)>,
    places: HashMap<String, usize>,
    /// Place of the collection of the last event: often the next one's, too.
    last: usize,
    /// Buckets of the Java map.
    buckets: usize,
}

impl Default for Collections {
    fn default() -> Self {
        Self { counts: Vec::new(), places: HashMap::new(), last: 0, buckets: JAVA_BUCKETS }
    }
}

impl Collections {
    /// Forgets the counts. The Java map keeps its buckets, and so their number is kept.
    fn clear(&mut self) {
        self.counts.clear();
        self.places.clear();
    }

    /// Adds one to a collection's count and returns it.
    fn count(&mut self, collection: &str) -> i64 {
        if self.counts.get(self.last).is_none_or(|(name, _)| name != collection) {
            self.last = self.places.get(collection).copied().unwrap_or_else(|| self.add(collection));
        }
        let (_, count) = &mut self.counts[self.last];
        *count += 1;
        *count
    }

    fn add(&mut self, collection: &str) -> usize {
        let place = self.counts.len();
        self.counts.push((collection.to_owned(), 0));
        self.places.insert(collection.to_owned(), place);
        // `HashMap` doubles beyond a load of three quarters.
        while self.counts.len() * 4 > self.buckets * 3 {
            self.buckets *= 2;
        }
        place
    }

    /// Lists the counts as Debezium does, which holds them in a `java.util.HashMap`: by bucket, and within a bucket in
    /// order of appearance.
    fn in_order_of_java(&self) -> impl Iterator<Item = (&str, i64)> {
        let mut counts: Vec<_> = self.counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        counts.sort_by_key(|(name, _)| java_bucket(name, self.buckets));
        counts.into_iter()
    }
}

/// Tells in which of the buckets of a `java.util.HashMap` a text lies.
pub(crate) fn java_bucket(text: &str, buckets: usize) -> usize {
    java_hash(text) as usize & (buckets - 1)
}

/// `String.hashCode`, spread as `HashMap.hash` does.
fn java_hash(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    hash ^ (hash >> 16)
}

/// Returns the schemas of key and value.
fn schemas() -> &'static (SchemaRef, SchemaRef) {
    static SCHEMAS: LazyLock<(SchemaRef, SchemaRef)> = LazyLock::new(|| {
        let field = |name: &str, kind| Field::new(name, Schema::new(kind));
        let key = Schema::record(
            "io.debezium.connector.common.TransactionMetadataKey",
            vec![field("id", Kind::String)],
        );
        let value = Schema::record(
            "io.debezium.connector.common.TransactionMetadataValue",
            vec![
                field("status", Kind::String),
                field("id", Kind::String),
                Field::new("event_count", Schema::new(Kind::Int64).optional()),
                Field::new("data_collections", Schema::new(Kind::Array(collection_schema())).optional()),
                field("ts_ms", Kind::Int64),
            ],
        );
        (key.versioned(1).shared(), value.versioned(1).shared())
    });
    &SCHEMAS
}

/// Returns the schema of the count of one data collection.
fn collection_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let fields = vec![
            Field::new("data_collection", Schema::new(Kind::String)),
            Field::new("event_count", Schema::new(Kind::Int64)),
        ];
        Schema::record("event.collection", fields).versioned(1).optional().shared()
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(collections: &Collections) -> Vec<&str> {
        collections.in_order_of_java().map(|(name, _)| name).collect()
    }

    #[test]
    fn hash_is_javas() {
        let hash_code = |text: &str| {
            let spread = java_hash(text);
            (spread ^ (spread >> 16)).cast_signed()
        };

        assert_eq!(hash_code("abc"), 96_354);
        assert_eq!(hash_code("public.users"), -524_027_325);
    }

    #[test]
    fn events_are_counted_by_collection() {
        let mut collections = Collections::default();

        let orders = ["a", "a", "b", "a", "b"].map(|name| collections.count(name));

        assert_eq!(orders, [1, 2, 1, 3, 2]);
        assert_eq!(collections.in_order_of_java().collect::<Vec<_>>(), [("a", 3), ("b", 2)]);
        collections.clear();
        assert_eq!(collections.count("b"), 1);
    }

    #[test]
    fn collections_are_listed_by_bucket_and_the_buckets_stay_when_there_were_many() {
        let mut collections = Collections::default();
        // Their hashes are 97 and 98 and so on: 16 buckets begin at `p`, 32 at `` ` ``.
        for name in ["q", "a", "p"] {
            collections.count(name);
        }
        assert_eq!(listed(&collections), ["p", "q", "a"]);

        for name in ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] {
            collections.count(name);
        }
        collections.clear();
        for name in ["q", "a", "p"] {
            collections.count(name);
        }
        assert_eq!(listed(&collections), ["a", "p", "q"]);
    }
}
