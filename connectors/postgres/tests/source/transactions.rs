//! Transactions that are large, altered within or cut off, and what is told of them.

use sluice_core::record::{Payload, Record};
use sluice_core::value::Value;

use crate::harness::{Database, after, change, codes, event, key};

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

const TOLD: (&str, &str) = ("provide.transaction.metadata", "true");

/// What a record of the transaction topic says: status, identity, number of events, and those by table.
fn told(record: &Record) -> (String, String, Option<i64>, Vec<(String, i64)>) {
    assert_eq!(&*record.topic, "p.transaction");
    let Payload::Plain(datum) = &record.value else { panic!("it is no change") };
    let fields = datum.value.as_struct().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let collection = |value: &Value| {
        let fields = value.as_struct().unwrap().values().to_vec();
        (text(&fields[0]), fields[1].as_i64().unwrap())
    };
    let collections = match fields.value("data_collections").unwrap() {
        Value::Array(collections) => collections.iter().map(collection).collect(),
        _ => Vec::new(),
    };
    let field = |name| fields.value(name).unwrap();
    (text(field("status")), text(field("id")), field("event_count").as_i64(), collections)
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_is_told_in_one_way_however_large_and_however_often() {
    let database = Database::new("told_large", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let options = [NO_DATA, TOLD, ("transaction.memory.bytes", "20000")];
    let mut reader = database.open(&options).await;
    database.run("INSERT INTO t VALUES (0)").await;
    reader.records(3).await;
    database.run("INSERT INTO t SELECT generate_series(1, 5000)").await;
    let cut = loop {
        let batch = reader.batch().await.unwrap();
        if !batch.records.is_empty() {
            break batch.records;
        }
    };
    let position = reader.position.clone();
    drop(reader);

    let mut reader = database.open_at(&options, position).await.unwrap();
    let records = reader.records(5002).await;

    let (status, id, count, collections) = told(&records[0]);
    assert_eq!((status.as_str(), count, collections), ("BEGIN", None, vec![]));
    assert_eq!(told(&cut[0]).1, id);
    let blocks = records[1..=5000].iter().map(|record| change(record).transaction.as_ref().unwrap());
    for (index, block) in (1..).zip(blocks) {
        assert_eq!((&*block.id, block.total_order, block.data_collection_order), (&*id, index, index));
    }
    let ended = ("END".to_owned(), id, Some(5000), vec![("public.t".to_owned(), 5000)]);
    assert_eq!(told(&records[5001]), ended);
    assert!(records[0].origin.event.is_none(), "only events have a place in the log");
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_without_captured_events_are_told_and_move_the_position() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)";
    let database = Database::new("told_empty", tables).await;
    let options = [NO_DATA, TOLD, ("table.include.list", "public.t")];
    let mut reader = database.open(&options).await;
    for id in 0..20 {
        database.run(&format!("INSERT INTO other VALUES ({id})")).await;
    }

    let records = reader.records(40).await;

    let statuses: String = records.iter().map(|record| told(record).0 + " ").collect();
    assert_eq!(statuses, "BEGIN END ".repeat(20));
    assert!(records.iter().skip(1).step_by(2).all(|end| told(end).2 == Some(0)));
    let position = reader.close().await;
    database.run("INSERT INTO t VALUES (1)").await;
    let mut reader = database.open_at(&options, position).await.unwrap();
    let records = reader.records(3).await;
    assert_eq!(codes(&records), "-c-", "the others do not come again");
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_that_change_nothing_captured_are_not_counted() {
    let tables =
        "CREATE TABLE t (id int PRIMARY KEY, a int, hidden int); ALTER TABLE t REPLICA IDENTITY FULL";
    let database = Database::new("unchanged", tables).await;
    let options =
        [NO_DATA, ("skip.messages.without.change", "true"), ("column.exclude.list", "public.t.hidden")];
    let mut reader = database.open(&options).await;
    database
        .run(
            "BEGIN; INSERT INTO t VALUES (1, 1, 1), (2, 2, 2); UPDATE t SET hidden = 9; UPDATE t SET a = 3 WHERE id = 2;
             UPDATE t SET a = a, hidden = NULL; COMMIT",
        )
        .await;

    let records = reader.records(3).await;

    assert_eq!(codes(&records), "ccu");
    assert_eq!(key(&records[2]), 2);
    let places: Vec<_> = records.iter().map(|record| (event(record).index, event(record).count)).collect();
    assert_eq!(places, [(0, 3), (1, 3), (2, 3)]);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_key_that_a_mask_hides_is_not_taken_for_no_change() {
    let tables = "CREATE TABLE t (id text PRIMARY KEY, a int); ALTER TABLE t REPLICA IDENTITY FULL";
    let database = Database::new("unchanged_masked_key", tables).await;
    let options =
        [NO_DATA, ("skip.messages.without.change", "true"), ("column.mask.with.3.chars", "public.t.id")];
    let mut reader = database.open(&options).await;
    database
        .run("BEGIN; INSERT INTO t VALUES ('x', 1); UPDATE t SET a = 1; UPDATE t SET id = 'y'; COMMIT")
        .await;

    let records = reader.records(4).await;

    assert_eq!(codes(&records), "cd-c");
    assert!(records.iter().all(|record| event(record).count == 3));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_key_is_no_update_where_updates_are_skipped() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
                  CREATE PUBLICATION everything FOR ALL TABLES";
    let database = Database::new("skipped_update_moves", tables).await;
    let options = [NO_DATA, ("skipped.operations", "u"), ("publication.name", "everything")];
    let mut reader = database.open(&options).await;
    database.run("BEGIN; UPDATE t SET a = 2; UPDATE t SET id = 2; COMMIT").await;

    let records = reader.records(3).await;

    assert_eq!(codes(&records), "d-c");
    assert!(records.iter().all(|record| event(record).count == 2));
    reader.close().await;
    database.remove().await;
}
