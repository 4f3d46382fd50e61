//! Logical messages, above all those that stand outside of transactions.

use sluice_core::record::{Datum, Payload, Record};
use sluice_core::value::Value;

use crate::harness::{Database, Reader, event, key};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");
const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY)";

/// A field of the message block.
fn block<'a>(record: &'a Record, name: &str) -> &'a Value {
    assert_eq!(&*record.topic, "p.message");
    let Payload::Plain(Datum { value: Value::Struct(value), .. }) = &record.value else {
        panic!("the record is a message")
    };
    value.value("message").and_then(Value::as_struct).and_then(|block| block.value(name)).unwrap()
}

fn prefix(record: &Record) -> &str {
    block(record, "prefix").as_str().unwrap()
}

async fn prefixes(reader: &mut Reader, count: usize) -> Vec<String> {
    reader.records(count).await.iter().map(|record| prefix(record).to_owned()).collect()
}

fn emit(transactional: bool, prefix: &str) -> String {
    format!("SELECT pg_logical_emit_message({transactional}, '{prefix}', 'content')")
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_message_does_not_come_again() {
    let database = Database::new("message_restart", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run(&emit(false, "one")).await;
    assert_eq!(prefixes(&mut reader, 1).await, ["one"]);
    reader.acknowledge().await;
    let position = reader.close().await;

    database.run(&emit(false, "two")).await;
    database.run(&emit(true, "three")).await;
    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();

    assert_eq!(prefixes(&mut reader, 2).await, ["two", "three"]);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_was_not_acknowledged_comes_again_at_its_place() {
    let database = Database::new("message_again", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (1)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.position.clone();
    database.run(&emit(false, "one")).await;
    let first = reader.records(1).await;
    drop(reader);

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let second = reader.records(1).await;

    assert_eq!((prefix(&second[0]), event(&second[0])), ("one", event(&first[0])));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_overtakes_the_open_transaction_and_a_restart_between_loses_nothing() {
    let database = Database::new("message_overtakes", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;
    let other = database.session().await;
    other.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    other.batch_execute(&format!("{}; {}", emit(true, "inside"), emit(false, "outside"))).await.unwrap();

    let outside = reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.close().await;
    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    other.batch_execute("COMMIT").await.unwrap();
    let records = reader.records(2).await;

    assert_eq!((prefix(&outside[0]), event(&outside[0]).count), ("outside", 1));
    assert_eq!((key(&records[0]), prefix(&records[1])), (1, "inside"));
    let places: Vec<_> = records.iter().map(|record| (event(record).index, event(record).count)).collect();
    assert_eq!(places, [(0, 2), (1, 2)]);
    assert!(event(&outside[0]) < event(&records[0]));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_transaction_leaves_only_its_messages_outside() {
    let database = Database::new("message_rollback", TABLE).await;
    let mut reader = database.open(&[NO_DATA]).await;

    database
        .run(&format!(
            "BEGIN; {}; {}; INSERT INTO t VALUES (1); ROLLBACK",
            emit(true, "in"),
            emit(false, "out")
        ))
        .await;
    database.run(&emit(true, "after")).await;

    assert_eq!(prefixes(&mut reader, 2).await, ["out", "after"]);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filtered_message_moves_the_slot() {
    let database = Database::new("message_filtered", TABLE).await;
    let mut reader = database.open(&[NO_DATA, ("message.prefix.exclude.list", "noise")]).await;
    database.run(&emit(false, "noise")).await;
    let end = database.text("SELECT pg_current_wal_flush_lsn()::text").await;

    let passed = format!("SELECT ('{end}'::pg_lsn <= $1::text::pg_lsn)::text");
    loop {
        let batch = reader.batch().await.unwrap();
        assert_eq!(batch.records, []);
        let lsn = batch.position.unwrap().lsn.to_string();
        let row = database.sql.query_one(&passed, &[&lsn]).await.unwrap();
        if row.get::<_, &str>(0) == "true" {
            break;
        }
    }
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_message_passes_the_spool_whole() {
    let database = Database::new("message_large", TABLE).await;
    let mut reader = database.open(&[NO_DATA, ("transaction.memory.bytes", "1000")]).await;

    database.run("SELECT pg_logical_emit_message(true, 'large', repeat('x', 9000000))").await;
    let records = reader.records(1).await;

    let Value::Bytes(content) = block(&records[0], "content") else { panic!("the content is bytes") };
    assert!(content.len() == 9_000_000 && content.iter().all(|byte| *byte == b'x'));
    reader.close().await;
    database.remove().await;
}
