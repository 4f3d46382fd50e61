//! Debezium's offsets: what they say, and how ours are said in their words.
//!
//! How Debezium 3.6.1 writes them (`PostgresOffsetContext`, `PostgresStreamingChangeEventSource`), for a record and
//! for each heartbeat:
//!
//! | property | meaning |
//! |---|---|
//! | `lsn` | LSN of the message that was processed last: of a change, the start of its WAL record; of a commit, the end of its record; of a begin, the first record of the transaction |
//! | `lsn_proc` | the same, but not yet moved by a begin, by a logical message inside a transaction, or by all but the last table of a truncate |
//! | `lsn_commit` | end of the last commit, or of a logical message outside of transactions; absent before the first one after a snapshot |
//! | `messageType` | `BEGIN`, `COMMIT`, `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, `MESSAGE`; absent after a snapshot |
//! | `txId` | transaction of that message |
//! | `lsn_events_processed` | from 3.7: how many changes at `lsn` were processed |
//! | `snapshot`, `last_snapshot_record`, `snapshot_completed` | present with records of a snapshot |
//! | `incremental_snapshot_collections` | present while an incremental snapshot runs: JSON of the tables that it has not read to their end |
//!
//! The offset of a change is that of each record it makes: one of a deletion says nothing about the tombstone behind
//! it. Rows of one `COPY` share an LSN, too. So an offset proves the first record at its LSN, and no more, unless
//! `lsn_events_processed` does.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_core::connect_offsets::OffsetMap;

use crate::error::SourceError;
use crate::lsn::Lsn;

/// How far Debezium had delivered the transaction that comes first after a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The transaction.
    pub xid: u32,
    /// All before this LSN was delivered, and of what stands at it at least the first record.
    pub lsn: Lsn,
    /// What stands there: a logical message, not a change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message: bool,
    /// How many changes at the LSN were begun; the last of them may lack records behind its first.
    pub changes: u64,
}

/// What an offset says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// In the middle of a snapshot, which Debezium would start over.
    Snapshot,
    /// After a snapshot at this LSN, with nothing streamed.
    Snapshotted(Lsn),
    /// In the stream.
    Stream {
        /// Transactions that committed before are done, and no others.
        resume: Lsn,
        /// What is done of the next one, as far as it is known.
        delivered: Option<Delivered>,
    },
}

/// Reads what an offset says.
///
/// # Errors
/// [`SourceError::ForeignOffset`] when it is none of Debezium's Postgres connector,
/// [`SourceError::WithinIncrementalSnapshot`] when rows are missing that no stream would bring.
pub(crate) fn read(offset: &OffsetMap) -> Result<Stand, SourceError> {
    let (processed, commit) = (lsn(offset, "lsn_proc")?, lsn(offset, "lsn_commit")?);
    let Some(at) = lsn(offset, "lsn")? else {
        return Err(SourceError::ForeignOffset { what: "it has no `lsn`".to_owned() });
    };
    if let Some(tables) = offset.get("incremental_snapshot_collections").filter(|tables| !tables.is_null()) {
        return Err(SourceError::WithinIncrementalSnapshot { tables: table_names(tables) });
    }
    let says = |name: &str| offset.get(name).and_then(serde_json::Value::as_bool) == Some(true);
    if offset.get("snapshot").is_some_and(|snapshot| !snapshot.is_null())
        && !says("last_snapshot_record")
        && !says("snapshot_completed")
    {
        return Ok(Stand::Snapshot);
    }
    // Without a commit since the snapshot, none came before the transaction that `lsn_proc` lies in.
    match commit.or(processed) {
        None => Ok(Stand::Snapshotted(at)),
        Some(resume) => Ok(Stand::Stream { resume, delivered: delivered(offset, at, commit)? }),
    }
}

/// Names the tables of an incremental snapshot: a text with a JSON list of objects.
fn table_names(tables: &serde_json::Value) -> String {
    let list: Vec<OffsetMap> =
        tables.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let name =
        |table: &OffsetMap| Some(table.get("incremental_snapshot_collections_id")?.as_str()?.to_owned());
    list.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

/// Reads how far the last transaction was delivered. Nothing is known of one that was only begun, that is done, or
/// whose messages an older Debezium did not name.
fn delivered(offset: &OffsetMap, at: Lsn, commit: Option<Lsn>) -> Result<Option<Delivered>, SourceError> {
    let kind = offset.get("messageType").and_then(serde_json::Value::as_str).unwrap_or_default();
    let message = kind == "MESSAGE";
    let changes = match kind {
        "INSERT" | "UPDATE" | "DELETE" => number(offset, "lsn_events_processed")?.unwrap_or(1).max(1),
        // Debezium counts its tables, which for us are one change.
        "TRUNCATE" => 1,
        // Outside of transactions it is a commit of its own.
        "MESSAGE" if commit != Some(at) => 1,
        _ => return Ok(None),
    };
    let xid = number(offset, "txId")?.and_then(|xid| u32::try_from(xid).ok());
    Ok(xid.map(|xid| Delivered { xid, lsn: at, message, changes }))
}

/// Writes the offset from which Debezium streams all transactions that end after a position, and no others.
///
/// It has no `lsn_proc`: with it Debezium would look for that LSN among the changes, and 3.6.1 leaves out a
/// transaction that has one there which is not its own (dbz#76). Without it all that the server sends counts.
pub(crate) fn write(lsn: Lsn) -> OffsetMap {
    [("lsn", json!(lsn.as_u64())), ("lsn_commit", json!(lsn.as_u64()))]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn lsn(offset: &OffsetMap, name: &str) -> Result<Option<Lsn>, SourceError> {
    Ok(number(offset, name)?.map(Lsn::new).filter(|lsn| lsn.valid()))
}

fn number(offset: &OffsetMap, name: &str) -> Result<Option<u64>, SourceError> {
    match offset.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| SourceError::ForeignOffset {
            what: format!("its `{name}` is not a whole number"),
        }),
    }
}

/// How many of a message's records were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    None,
    First,
    All,
}

/// Leaves out what was delivered, while its transaction is read.
#[derive(Debug)]
pub(crate) struct Remainder {
    delivered: Delivered,
    /// Changes that were met at its LSN.
    met: u64,
}

impl Remainder {
    pub(crate) fn new(delivered: Delivered) -> Self {
        Self { delivered, met: 0 }
    }

    /// Tells whether this is the transaction.
    pub(crate) fn is_of(&self, xid: u32) -> bool {
        self.delivered.xid == xid
    }

    /// Tells how much of a message was delivered; each is to be asked about once, in order.
    pub(crate) fn part(&mut self, lsn: Lsn, message: bool) -> Part {
        if lsn != self.delivered.lsn {
            return if lsn < self.delivered.lsn { Part::All } else { Part::None };
        }
        if message != self.delivered.message {
            // A message takes the LSN of what follows it; whether it came before cannot be known.
            return Part::None;
        }
        self.met += 1;
        match self.met.cmp(&self.delivered.changes) {
            std::cmp::Ordering::Less => Part::All,
            std::cmp::Ordering::Equal => Part::First,
            std::cmp::Ordering::Greater => Part::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(offset: &serde_json::Value) -> Result<Stand, SourceError> {
        read(offset.as_object().unwrap())
    }

    fn delivered_of(offset: &serde_json::Value) -> Option<Delivered> {
        match stand(offset).unwrap() {
            Stand::Stream { delivered, .. } => delivered,
            other => panic!("{other:?}"),
        }
    }

    // Recorded from Debezium 3.6.1.

    #[test]
    fn offset_of_a_change_resumes_at_the_commit_before_it() {
        let offset = json!({"lsn_proc": 727_286_136, "messageType": "DELETE", "lsn_commit": 719_026_872,
            "lsn": 727_286_136, "txId": 3441, "ts_usec": 1_795_280_137_167_888_i64});

        let delivered = Delivered { xid: 3441, lsn: Lsn::new(727_286_136), message: false, changes: 1 };
        assert_eq!(
            stand(&offset).unwrap(),
            Stand::Stream { resume: Lsn::new(719_026_872), delivered: Some(delivered) }
        );
    }

    #[test]
    fn change_of_the_first_transaction_after_a_snapshot_is_resumed_at_itself() {
        let offset =
            json!({"lsn_proc": 719_026_696, "messageType": "INSERT", "lsn": 719_026_696, "txId": 3413});

        assert!(matches!(
            stand(&offset).unwrap(),
            Stand::Stream { resume, delivered: Some(_) } if resume == Lsn::new(719_026_696)
        ));
    }

    #[test]
    fn snapshot_is_complete_with_its_last_record_only() {
        let last = json!({"last_snapshot_record": true, "lsn": 615_967_888, "txId": 2986, "snapshot": "INITIAL",
            "snapshot_completed": true});
        let middle = json!({"last_snapshot_record": false, "lsn": 615_967_888, "txId": 2986, "snapshot": "INITIAL",
            "snapshot_completed": false});

        assert_eq!(stand(&last).unwrap(), Stand::Snapshotted(Lsn::new(615_967_888)));
        assert_eq!(stand(&middle).unwrap(), Stand::Snapshot);
    }

    #[test]
    fn incremental_snapshot_that_runs_is_refused_by_its_tables() {
        let tables = r#"[{"incremental_snapshot_collections_id":"public.a",
            "incremental_snapshot_collections_additional_condition":"secret = 1"},
            {"incremental_snapshot_collections_id":"public.b"}]"#;
        let offset = json!({"lsn": 20, "lsn_proc": 20, "lsn_commit": 10, "txId": 7, "messageType": "INSERT",
            "incremental_snapshot_collections": tables, "incremental_snapshot_primary_key": "aced0005"});

        let error = stand(&offset).unwrap_err();

        assert!(matches!(error, SourceError::WithinIncrementalSnapshot { .. }));
        assert!(error.to_string().contains("`public.a, public.b`"), "{error}");
    }

    #[test]
    fn commits_begins_and_unnamed_messages_say_nothing_of_a_transaction() {
        for kind in ["COMMIT", "BEGIN", "NOOP"] {
            let offset = json!({"lsn": 20, "lsn_proc": 20, "lsn_commit": 20, "txId": 7, "messageType": kind});
            assert_eq!(delivered_of(&offset), None, "{kind}");
        }
        assert_eq!(delivered_of(&json!({"lsn": 20, "lsn_proc": 20, "lsn_commit": 10, "txId": 7})), None);
    }

    #[test]
    fn message_counts_inside_a_transaction_only() {
        let inside =
            json!({"lsn": 20, "lsn_proc": 10, "lsn_commit": 10, "txId": 7, "messageType": "MESSAGE"});
        let outside = json!({"lsn": 20, "lsn_proc": 20, "lsn_commit": 20, "messageType": "MESSAGE"});

        assert!(delivered_of(&inside).is_some_and(|delivered| delivered.message));
        assert_eq!(delivered_of(&outside), None);
    }

    #[test]
    fn offset_of_another_connector_is_refused_by_what_is_wrong() {
        let error = stand(&json!({"file": "mysql-bin.000003", "pos": 154})).unwrap_err();

        assert!(error.to_string().contains("`lsn`"), "{error}");
        assert!(stand(&json!({"lsn": "0/16"})).is_err());
    }

    #[test]
    fn offset_that_we_write_reads_back_as_the_same_position() {
        let lsn = Lsn::new(0x16_B374_D848);

        assert_eq!(read(&write(lsn)).unwrap(), Stand::Stream { resume: lsn, delivered: None });
    }

    fn parts(changes: u64, lsns: &[u64]) -> Vec<Part> {
        let delivered = Delivered { xid: 7, lsn: Lsn::new(20), message: false, changes };
        let mut remainder = Remainder::new(delivered);
        lsns.iter().map(|lsn| remainder.part(Lsn::new(*lsn), false)).collect()
    }

    #[test]
    fn first_record_at_the_lsn_is_all_that_is_certain() {
        use Part::{All, First, None};

        assert_eq!(parts(1, &[10, 10, 20, 20, 30]), [All, All, First, None, None]);
        assert_eq!(parts(3, &[10, 20, 20, 20, 20]), [All, All, All, First, None]);
    }

    #[test]
    fn change_that_shares_its_lsn_with_a_delivered_message_is_not_taken_for_it() {
        let delivered = Delivered { xid: 7, lsn: Lsn::new(20), message: true, changes: 1 };
        let mut remainder = Remainder::new(delivered);

        assert_eq!(remainder.part(Lsn::new(20), true), Part::First);
        assert_eq!(remainder.part(Lsn::new(20), false), Part::None);
    }
}
