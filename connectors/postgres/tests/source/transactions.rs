//! Transactions that are large, altered within or cut off.

use sluice_core::value::Value;

use crate::harness::{Database, after, event, key};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");

#[tokio::test(flavor = "multi_thread")]
async fn crash_inside_a_large_transaction_repeats_it_whole() {
    let database = Database::new("large_crash", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA, ("transaction.memory.bytes", "20000")]).await;
    database.run("INSERT INTO t VALUES (0)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.position.clone();
    database.run("INSERT INTO t SELECT generate_series(1, 5000)").await;
    while reader.batch().await.unwrap().records.is_empty() {}
    assert!(reader.position.as_ref().unwrap().last_commit == position.as_ref().unwrap().last_commit);
    drop(reader);

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let records = reader.records(5000).await;

    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), (1..=5000).collect::<Vec<_>>());
    assert!(records.iter().enumerate().all(|(index, record)| event(record).index == index as u64));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn table_altered_inside_a_transaction_is_followed_through_the_spool() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE u (id int PRIMARY KEY, a text)";
    for (number, memory) in ["33554432", "1"].into_iter().enumerate() {
        let database = Database::new(&format!("altered_inside_{number}"), tables).await;
        let mut reader = database.open(&[NO_DATA, ("transaction.memory.bytes", memory)]).await;
        database
            .run(
                "BEGIN; INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1, 'u'); SAVEPOINT s;
                 ALTER TABLE t DROP a; INSERT INTO t VALUES (2); ROLLBACK TO s; INSERT INTO t VALUES (3, 3);
                 ALTER TABLE t ALTER a TYPE text, ADD b int; INSERT INTO t VALUES (4, 'four', 4);
                 INSERT INTO u VALUES (2, 'v'); COMMIT; DROP TABLE u; ALTER TABLE t RENAME id TO number",
            )
            .await;

        let records = reader.records(5).await;

        assert_eq!(records.iter().map(key).collect::<Vec<_>>(), [1, 1, 3, 4, 2]);
        assert_eq!((after(&records[0], "a"), after(&records[2], "a")), (&Value::Int32(1), &Value::Int32(3)));
        assert_eq!((after(&records[3], "a"), after(&records[3], "b")), (&"four".into(), &Value::Int32(4)));
        assert_eq!((after(&records[1], "a"), after(&records[4], "a")), (&"u".into(), &"v".into()));
        assert!(records.iter().all(|record| event(record).count == 5));
        reader.close().await;
        database.remove().await;
    }
}
