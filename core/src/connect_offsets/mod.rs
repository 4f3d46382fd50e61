//! Source offsets as Kafka Connect keeps them, to take a connector over from it and to give it back.
//!
//! Connect stores a pair of byte strings for each partition of a source connector, wherever it keeps them:
//!
//! | part | content |
//! |---|---|
//! | key | JSON `["<connector>",{<partition>}]` |
//! | value | JSON `{<offset>}`; none or `null` after a reset |
//!
//! A cluster keeps the pairs as records of a compacted topic, a standalone worker (and Debezium Server) in a file
//! with a serialised Java map ([`java_map`]), and the REST API shows them as [`from_rest`] reads them. What
//! partition and offset hold is the business of the connector.

pub mod java_map;

use serde_json::{Map, Value as Json, json};

use crate::error::{Classify, ErrorClass};

/// A partition or an offset of Connect's: names and plain values.
pub type OffsetMap = Map<String, Json>;

/// A key and its value as they are stored; no value means that the offset was reset.
pub type StoredPair = (Vec<u8>, Option<Vec<u8>>);

/// What a connector stored for one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceOffset {
    /// Name of the connector.
    pub connector: String,
    /// Which of its partitions.
    pub partition: OffsetMap,
    /// Where it stood; none after a reset.
    pub offset: Option<OffsetMap>,
}

/// Stored offsets that cannot be read, or cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OffsetsError {
    /// A key, a value or a whole answer is not what Connect writes.
    #[error("{what} is not what Kafka Connect stores: {why}")]
    Malformed {
        /// The part that was read.
        what: &'static str,
        /// What does not fit.
        why: String,
    },
    /// The file is not a serialised map of byte strings.
    #[error("not a file of Kafka Connect's standalone worker: {0}")]
    JavaMap(#[from] java_map::JavaMapError),
    /// The connector has no counterpart in Connect.
    #[error("connectors of class `{class}` cannot exchange positions with Kafka Connect")]
    NoCounterpart {
        /// The class.
        class: &'static str,
    },
}

impl Classify for OffsetsError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::JavaMap(_) => "offsets.malformed",
            Self::NoCounterpart { .. } => "offsets.no_counterpart",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed { .. } | Self::JavaMap(_) => {
                "ask the worker itself while it runs, `GET /connectors/NAME/offsets`, and give its answer to \
                 `sluice import-offsets --from-json FILE`"
                    .to_owned()
            }
            Self::NoCounterpart { .. } => "start it anew: it has no position elsewhere".to_owned(),
        })
    }
}

impl SourceOffset {
    /// Reads a stored pair. None if the key is not one of a source offset.
    ///
    /// # Errors
    /// When the key is one, but the value is not a JSON object.
    pub fn from_pair(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, OffsetsError> {
        let Ok((connector, partition)) = serde_json::from_slice::<(String, OffsetMap)>(key) else {
            return Ok(None);
        };
        let offset = match value {
            None => None,
            Some(value) => serde_json::from_slice(value).map_err(|error| malformed("an offset", &error))?,
        };
        Ok(Some(Self { connector, partition, offset }))
    }

    /// Writes the pair to store.
    pub fn to_pair(&self) -> StoredPair {
        let key = json!([self.connector, self.partition]).to_string().into_bytes();
        (key, self.offset.as_ref().map(|offset| json!(offset).to_string().into_bytes()))
    }
}

/// Reads the answer of `GET /connectors/NAME/offsets`, which does not tell the connector's name.
///
/// # Errors
/// When it is not such an answer.
pub fn from_rest(connector: &str, text: &[u8]) -> Result<Vec<SourceOffset>, OffsetsError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        offsets: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    struct Entry {
        partition: OffsetMap,
        offset: Option<OffsetMap>,
    }
    let answer: Answer =
        serde_json::from_slice(text).map_err(|error| malformed("the answer of the REST API", &error))?;
    let named =
        |Entry { partition, offset }| SourceOffset { connector: connector.to_owned(), partition, offset };
    Ok(answer.offsets.into_iter().map(named).collect())
}

/// Writes the body of `PATCH /connectors/NAME/offsets`.
pub fn to_rest(offset: &SourceOffset) -> Json {
    json!({"offsets": [{"partition": offset.partition, "offset": offset.offset}]})
}

/// Reads all pairs, the later of one partition replacing the earlier; others than of source offsets are passed over.
///
/// # Errors
/// As for [`SourceOffset::from_pair`].
pub fn from_pairs(pairs: &[StoredPair]) -> Result<Vec<SourceOffset>, OffsetsError> {
    let mut offsets: Vec<SourceOffset> = Vec::new();
    for (key, value) in pairs {
        let Some(offset) = SourceOffset::from_pair(key, value.as_deref())? else { continue };
        let same = |other: &&mut SourceOffset| {
            other.connector == offset.connector && other.partition == offset.partition
        };
        match offsets.iter_mut().find(same) {
            Some(earlier) => *earlier = offset,
            None => offsets.push(offset),
        }
    }
    Ok(offsets)
}

fn malformed(what: &'static str, error: &serde_json::Error) -> OffsetsError {
    OffsetsError::Malformed { what, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = br#"["inventory",{"server":"dbserver"}]"#;

    #[test]
    fn later_pair_of_a_partition_replaces_the_earlier() {
        let pairs = [
            (KEY.to_vec(), Some(br#"{"lsn":1}"#.to_vec())),
            (br#"["other",{"server":"dbserver"}]"#.to_vec(), Some(br#"{"lsn":5}"#.to_vec())),
            (KEY.to_vec(), Some(br#"{"lsn":2}"#.to_vec())),
        ];

        let offsets = from_pairs(&pairs).unwrap();

        let found: Vec<_> = offsets
            .iter()
            .map(|offset| (offset.connector.as_str(), offset.offset.as_ref().unwrap()["lsn"].as_i64()))
            .collect();
        assert_eq!(found, [("inventory", Some(2)), ("other", Some(5))]);
    }

    #[test]
    fn reset_offset_is_none_as_tombstone_and_as_null() {
        for value in [None, Some(b"null".as_slice())] {
            assert_eq!(SourceOffset::from_pair(KEY, value).unwrap().unwrap().offset, None);
        }
    }

    #[test]
    fn keys_of_others_are_passed_over_and_broken_values_are_not() {
        assert_eq!(SourceOffset::from_pair(b"commit-connector", None).unwrap(), None);
        assert!(SourceOffset::from_pair(KEY, Some(b"{")).is_err());
    }

    #[test]
    fn pair_is_written_as_connect_writes_it() {
        let offset = SourceOffset::from_pair(KEY, Some(br#"{"lsn":24023128,"txId":3}"#)).unwrap().unwrap();

        let (key, value) = offset.to_pair();

        assert_eq!(key, KEY);
        assert_eq!(value.unwrap(), br#"{"lsn":24023128,"txId":3}"#);
    }

    #[test]
    fn answer_of_the_rest_api_reads_back_as_the_body_of_a_change() {
        let answer = br#"{"offsets":[{"partition":{"server":"p"},"offset":{"lsn":7}}]}"#;

        let offsets = from_rest("c", answer).unwrap();

        assert_eq!(to_rest(&offsets[0]).to_string().as_bytes(), answer);
        assert!(from_rest("c", br#"{"error_code":404,"message":"x"}"#).is_err());
    }
}
