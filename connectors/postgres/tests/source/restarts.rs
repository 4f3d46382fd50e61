//! Restarts in the middle of things: group 25 of Debezium's cases. Nothing is lost; what was not saved comes again.

use sluice_core::record::Record;
use sluice_postgres::Position;

use crate::harness::{Database, Reader, event, key};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");
const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY)";

/// Reads a part of a transaction that is larger than a batch, and is gone without a word.
async fn crash_inside(mut reader: Reader) -> (Vec<Record>, Option<Position>) {
    let records = loop {
        let batch = reader.batch().await.expect("the source goes on");
        if !batch.records.is_empty() {
            assert!(batch.position.is_none(), "a transaction ends at its commit only");
            break batch.records;
        }
    };
    (records, reader.position)
}

fn keys(records: &[Record]) -> Vec<i64> {
    records.iter().map(key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_share_a_position_all_come_again_after_a_crash_among_them() {
    let database = Database::new("restart_copy", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (0)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    database.run("COPY t FROM PROGRAM 'seq 1 5000'").await;
    let (first, position) = crash_inside(reader).await;

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let records = reader.records(5000).await;

    assert_eq!(keys(&records), (1..=5000).collect::<Vec<_>>());
    assert!(records.iter().zip(&first).all(|(again, first)| event(again) == event(first)));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_that_began_before_a_commit_that_was_saved_is_not_lost() {
    let database = Database::new("restart_overlap", TABLE).await;
    let long = database.session().await;
    let mut reader = database.open(&[NO_DATA]).await;
    long.batch_execute("BEGIN; INSERT INTO t SELECT generate_series(1, 5)").await.unwrap();
    database.run("INSERT INTO t VALUES (100)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.close().await;
    long.batch_execute("INSERT INTO t SELECT generate_series(6, 10); COMMIT").await.unwrap();

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let records = reader.records(10).await;

    assert_eq!(keys(&records), (1..=10).collect::<Vec<_>>());
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_slot_tells_where_to_go_on_when_the_position_is_lost() {
    let database = Database::new("restart_offsets_lost", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (1)").await;
    reader.records(1).await;
    // Read and never acknowledged: the slot has it still.
    reader.close().await;
    database.run("INSERT INTO t VALUES (2)").await;

    let mut reader = database.open(&[NO_DATA]).await;
    let records = reader.records(2).await;

    assert_eq!(keys(&records), [1, 2]);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_after_a_stop_during_an_open_transaction_is_that_of_the_commits() {
    let database = Database::new("restart_order", TABLE).await;
    let open = database.session().await;
    let mut reader = database.open(&[NO_DATA]).await;
    open.batch_execute("BEGIN; INSERT INTO t VALUES (11), (12)").await.unwrap();
    database.run("INSERT INTO t VALUES (21)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.close().await;
    database.run("INSERT INTO t VALUES (22)").await;
    database.run("INSERT INTO t VALUES (23)").await;
    open.batch_execute("INSERT INTO t VALUES (13); COMMIT").await.unwrap();

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let records = reader.records(5).await;

    assert_eq!(keys(&records), [22, 23, 11, 12, 13]);
    reader.close().await;
    database.remove().await;
}
