//! Going on where Debezium stopped. Its offsets are made here, from the places of our own records, which the
//! differential compares with Debezium's; the end-to-end tests take those of the real thing.

use serde_json::{Value as Json, json};
use sluice_core::Error;
use sluice_core::connect_offsets::OffsetMap;
use sluice_core::record::{Payload, Record};
use sluice_core::source::{Imported, SourceConnector as _};
use sluice_postgres::{Position, PostgresSource};

use crate::harness::{Database, change, codes, eventually, key};

const OPTIONS: [(&str, &str); 2] = [("snapshot.mode", "no_data"), ("skipped.operations", "none")];
/// Places of fields in the source block.
const XID: usize = 11;
const LSN: usize = 12;

/// A database whose slot stands before one transaction of every kind of change.
struct Streamed {
    database: Database,
    /// All that is in it, by a source that acknowledged nothing.
    records: Vec<Record>,
    /// The position before it.
    start: Position,
}

impl Streamed {
    async fn new(test: &str) -> Self {
        let database = Database::new(test, "CREATE TABLE t (id int PRIMARY KEY, v text)").await;
        let mut reader = database.open(&OPTIONS).await;
        database.run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')").await;
        reader.records(3).await;
        reader.acknowledge().await;
        let start = reader.position.clone().unwrap();
        database.run("BEGIN").await;
        database.run("INSERT INTO t VALUES (10, 'x')").await;
        let copy = database.sql.copy_in("COPY t FROM STDIN").await.unwrap();
        let mut copy = std::pin::pin!(copy);
        for id in 20..25 {
            futures_util::SinkExt::send(&mut copy, bytes::Bytes::from(format!("{id}\tcopied\n")))
                .await
                .unwrap();
        }
        copy.finish().await.unwrap();
        database
            .run(
                "UPDATE t SET v = 'y' WHERE id = 1; UPDATE t SET id = 102 WHERE id = 2; DELETE FROM t WHERE id = 3;
                 INSERT INTO t VALUES (11, 'z'); TRUNCATE t; COMMIT; INSERT INTO t VALUES (30, 'next')",
            )
            .await;
        // 1 + 5 copied + 1 + (delete, tombstone, create) + (delete, tombstone) + 1 + truncate + 1
        let records = reader.records(15).await;
        assert_eq!(codes(&records), "ccccccud-cd-ctc");
        reader.close().await;
        Self { database, records, start }
    }

    /// The offset that Debezium stores with a record.
    fn offset(&self, record: &Record) -> Json {
        let source = &change(record).source;
        let kind = match change(record).operation.code() {
            "c" => "INSERT",
            "u" => "UPDATE",
            "d" => "DELETE",
            _ => "TRUNCATE",
        };
        let lsn = source[LSN].as_i64().unwrap();
        json!({"lsn": lsn, "lsn_proc": lsn, "lsn_commit": self.start.lsn.as_u64(), "messageType": kind,
            "txId": source[XID].as_i64().unwrap(), "ts_usec": 1})
    }

    async fn import(&self, offset: &Json) -> Result<Imported<Position>, Error> {
        self.import_with(offset, &[]).await
    }

    async fn import_with(&self, offset: &Json, pairs: &[(&str, &str)]) -> Result<Imported<Position>, Error> {
        let offset: &OffsetMap = offset.as_object().unwrap();
        let config = self.database.config(&[&OPTIONS, pairs].concat());
        PostgresSource.import_offset(config, offset).await
    }

    /// Takes over at an offset and reads what comes, which must be all from the given record on.
    async fn goes_on(&self, offset: &Json, from: usize) {
        let position = self.import(offset).await.unwrap().position;
        let mut reader = self.database.open_at(&OPTIONS, position).await.unwrap();
        let expected = &self.records[from..];
        let records = reader.records(expected.len()).await;
        let same = |(one, other): (&Record, &Record)| {
            one.key == other.key && one.origin.event == other.origin.event && place(one) == place(other)
        };
        assert!(
            records.iter().zip(expected).all(same),
            "{offset}: {} instead of {}",
            codes(&records),
            codes(expected)
        );
        reader.close().await;
    }
}

/// LSN of a record that has one.
fn place(record: &Record) -> Option<i64> {
    match &record.value {
        Payload::Change(change) => change.source[LSN].as_i64(),
        Payload::Plain(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offset_of_any_change_is_followed_by_all_that_it_does_not_prove() {
    let streamed = Streamed::new("takeover_cuts").await;

    let of_the_first = &streamed.records[..14];
    for record in of_the_first.iter().filter(|record| place(record).is_some()) {
        // Only the first record at an LSN is proved by it.
        let first = streamed.records.iter().position(|other| place(other) == place(record)).unwrap();
        let offset = streamed.offset(record);

        streamed.goes_on(&offset, first + 1).await;
    }
    streamed.database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn count_of_changes_at_an_lsn_leaves_out_as_many_rows_of_a_copy() {
    let streamed = Streamed::new("takeover_counted").await;
    let copied = streamed.records.iter().position(|record| key(record) == 20).unwrap();
    let mut offset = streamed.offset(&streamed.records[copied]);

    for count in 1..=5 {
        offset["lsn_events_processed"] = json!(count);
        streamed.goes_on(&offset, copied + count).await;
    }
    streamed.database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_of_a_transaction_delivers_it_whole() {
    let streamed = Streamed::new("takeover_whole").await;
    let change = streamed.offset(&streamed.records[7]);
    let commit = json!(streamed.start.lsn.as_u64());
    let committed =
        json!({"lsn": commit, "lsn_proc": commit, "lsn_commit": commit, "messageType": "COMMIT", "txId": 1});
    let (mut unnamed, mut begun, mut other) = (change.clone(), change.clone(), change);
    unnamed.as_object_mut().unwrap().remove("messageType");
    begun["messageType"] = json!("BEGIN");
    other["txId"] = json!(1);
    let exported = json!(PostgresSource.export_offset(&streamed.start).unwrap());

    for offset in [committed, unnamed, begun, other, exported] {
        streamed.goes_on(&offset, 0).await;
    }
    streamed.database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_that_is_cut_off_again_still_leaves_out_what_was_delivered() {
    let streamed = Streamed::new("takeover_again").await;
    let offset = streamed.offset(&streamed.records[6]);
    let position = streamed.import(&offset).await.unwrap().position;
    let saved = serde_json::to_value(&position).unwrap();

    let position: Position = serde_json::from_value(saved).unwrap();
    let mut reader = streamed.database.open_at(&OPTIONS, Some(position)).await.unwrap();
    reader.records(8).await;
    reader.acknowledge().await;

    assert!(reader.position.as_ref().unwrap().delivered.is_none(), "it is forgotten once it is done");
    reader.close().await;
    streamed.database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_that_is_used_gone_or_ahead_is_refused() {
    let streamed = Streamed::new("takeover_refused").await;
    let offset = streamed.offset(&streamed.records[0]);
    let position = streamed.import(&offset).await.unwrap().position;

    let mut reader = streamed.database.open_at(&OPTIONS, position).await.unwrap();
    let impatient = [("slot.max.retries", "1"), ("slot.retry.delay.ms", "10")];
    let error = streamed.import_with(&offset, &impatient).await.unwrap_err();
    assert_eq!(error.code(), "postgres.slot_in_use");
    let holder = format!(
        "SELECT format('server process %s, application sluice', active_pid) FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = '{}'",
        streamed.database.name
    );
    let holder = streamed.database.text(&holder).await;
    assert!(error.to_string().contains(&holder), "{error} lacks {holder}");
    reader.records(14).await;
    reader.acknowledge().await;
    reader.close().await;
    await_confirmed(&streamed).await;
    assert_eq!(streamed.import(&offset).await.unwrap_err().code(), "postgres.slot_ahead");
    streamed.database.drop_slot().await;
    assert_eq!(streamed.import(&offset).await.unwrap_err().code(), "postgres.slot_missing");
    streamed.database.remove().await;
}

/// Waits until the slot is past where the stream began, and free.
async fn await_confirmed(streamed: &Streamed) {
    let confirmed = format!(
        "SELECT (confirmed_flush_lsn > '{}' AND NOT active)::text FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = '{}'",
        streamed.start.lsn, streamed.database.name
    );
    eventually(&streamed.database, &confirmed, |moved| moved == "true").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_in_use_is_waited_for_before_it_is_taken_over() {
    let streamed = Streamed::new("takeover_waits").await;
    let offset = streamed.offset(&streamed.records[0]);
    let reader = streamed.database.open_at(&OPTIONS, Some(streamed.start.clone())).await.unwrap();

    let (imported, ()) = tokio::join!(streamed.import(&offset), async {
        // It has asked who holds the slot.
        let asked = "SELECT (count(*) > 0)::text FROM pg_catalog.pg_stat_activity WHERE datname = current_database() \
                     AND application_name = 'sluice' AND query LIKE '%server process%'";
        eventually(&streamed.database, asked, |asked| asked == "true").await;
        reader.close().await;
    });

    assert_eq!(imported.unwrap().position.unwrap().lsn, streamed.start.lsn);
    streamed.database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_past_the_offset_is_followed_if_it_is_trusted() {
    let streamed = Streamed::new("takeover_trusted").await;
    let offset = streamed.offset(&streamed.records[0]);
    let mut reader = streamed.database.open_at(&OPTIONS, Some(streamed.start.clone())).await.unwrap();
    reader.records(15).await;
    reader.acknowledge().await;
    reader.close().await;
    await_confirmed(&streamed).await;
    let trusting = [&OPTIONS[..], &[("offset.mismatch.strategy", "trust_greater_lsn")]].concat();

    let imported = streamed.import_with(&offset, &trusting).await.unwrap();
    assert!(imported.meaning.iter().any(|line| line.contains("is trusted")), "{:?}", imported.meaning);
    let mut reader = streamed.database.open_at(&trusting, imported.position).await.unwrap();
    streamed.database.run("INSERT INTO t VALUES (40, 'after')").await;

    assert_eq!(reader.records(1).await.iter().map(key).collect::<Vec<_>>(), [40]);
    reader.close().await;
    streamed.database.remove().await;
}
