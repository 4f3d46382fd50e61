//! What the stream delivers.

use sluice_core::record::Payload;
use sluice_core::value::Value;

use crate::harness::{Database, after, before, change, code, codes, event, eventually, key};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_in_debeziums_shape() {
    let database = Database::new("shape", "CREATE TABLE t (id int PRIMARY KEY, a text, b int)").await;
    let mut reader = database.open(&[NO_DATA]).await;
    for statement in [
        "INSERT INTO t VALUES (1, 'a', 1)",
        "UPDATE t SET a = 'b' WHERE id = 1",
        "UPDATE t SET id = 2 WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
    ] {
        database.run(statement).await;
    }

    let records = reader.records(7).await;

    assert_eq!(codes(&records), "cud-cd-");
    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 2, 2]);
    assert_eq!(&*records[0].topic, "p.public.t");
    assert!(change(&records[1]).before.is_none());
    assert_eq!(before(&records[2], "a"), &Value::Null);
    let names =
        |index: usize| records[index].headers.iter().map(|header| header.key.to_string()).collect::<Vec<_>>();
    let context = ["connectorLogicalName", "taskId", "connectorName", "runId"]
        .map(|name| format!("__debezium.context.{name}"));
    assert_eq!(names(0), context);
    assert_eq!(names(2)[0], "__debezium.newkey");
    assert_eq!(names(3)[0], "__debezium.newkey");
    assert_eq!(names(4)[0], "__debezium.oldkey");
    assert_eq!(names(2)[1..], context);
    let new_key =
        records[2].headers.iter().next().unwrap().value.value.as_struct().unwrap().values()[0].clone();
    assert_eq!(new_key, Value::Int32(2));
    let source = |field| change(&records[0]).source_value(field).unwrap().clone();
    assert_eq!(source("connector"), Value::from("postgresql"));
    assert_eq!(source("name"), Value::from("p"));
    assert_eq!(source("db"), Value::from(database.name.as_str()));
    assert_eq!((source("schema"), source("table")), (Value::from("public"), Value::from("t")));
    assert_eq!(
        (source("snapshot"), source("xmin"), source("origin")),
        (Value::Null, Value::Null, Value::Null)
    );
    let (Value::Int64(lsn), Value::Int64(millis), Value::Int64(micros)) =
        (source("lsn"), source("ts_ms"), source("ts_us"))
    else {
        panic!("positions and times are numbers")
    };
    assert_eq!(micros / 1000, millis);
    assert_eq!(source("sequence"), Value::from(format!("[null,\"{lsn}\"]")));
    let second = change(&records[1]).source_value("sequence").unwrap().as_str().unwrap().to_owned();
    assert!(second.starts_with("[\""), "the second transaction knows the first: {second}");
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_transaction_are_counted_and_numbered() {
    let database = Database::new(
        "numbered",
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'x')",
    )
    .await;
    let mut reader = database.open(&[NO_DATA]).await;
    database
        .run("BEGIN; DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'y'); UPDATE t SET id = 5; COMMIT")
        .await;

    let records = reader.records(6).await;

    assert_eq!(codes(&records), "d-cd-c");
    let events: Vec<_> = records.iter().map(event).collect();
    assert_eq!(events.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 3]);
    assert!(
        events.iter().all(|event| event.count == 4 && event.commit == events[0].commit && event.epoch == 0)
    );
    assert_eq!(events[0].commit % 8, 0);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_large_values_are_unavailable_or_taken_from_the_old_row() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, small text, big text);
                  ALTER TABLE t ALTER big SET STORAGE EXTERNAL; CREATE TABLE f (LIKE t INCLUDING ALL);
                  ALTER TABLE f REPLICA IDENTITY FULL;
                  INSERT INTO t SELECT 1, 's', repeat('x', 10000); INSERT INTO f SELECT * FROM t";
    let database = Database::new("toast", tables).await;
    let mut reader = database.open(&[NO_DATA]).await;
    for statement in ["UPDATE t SET small = 'u'", "UPDATE f SET small = 'u'", "UPDATE t SET big = NULL"] {
        database.run(statement).await;
    }

    let records = reader.records(3).await;

    assert_eq!(codes(&records), "uuu");
    let big = Value::from("x".repeat(10_000));
    assert_eq!(after(&records[0], "big"), &Value::Unavailable);
    assert_eq!((after(&records[1], "big"), before(&records[1], "big")), (&big, &big));
    assert_eq!(after(&records[2], "big"), &Value::Null);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_row_carries_its_large_value_only_under_full_identity() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, big text);
                  ALTER TABLE t ALTER big SET STORAGE EXTERNAL; CREATE TABLE f (LIKE t INCLUDING ALL);
                  ALTER TABLE f REPLICA IDENTITY FULL;
                  INSERT INTO t SELECT 1, repeat('x', 10000); INSERT INTO f SELECT * FROM t";
    let database = Database::new("toast_moved", tables).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database
        .run("BEGIN; UPDATE f SET id = 2; UPDATE t SET id = 2; UPDATE t SET id = 3, big = 'y'; COMMIT")
        .await;

    let records = reader.records(9).await;

    assert_eq!(codes(&records), "d-cd-cd-c");
    assert_eq!(after(&records[2], "big"), &Value::from("x".repeat(10_000)));
    assert_eq!(after(&records[5], "big"), &Value::Unavailable);
    assert_eq!(after(&records[8], "big"), &Value::from("y"));
    assert_eq!((event(&records[5]).index, event(&records[5]).count), (3, 6));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_large_key_is_known_from_the_old_row() {
    let tables = "CREATE TABLE t (id text PRIMARY KEY, a int); ALTER TABLE t ALTER id SET STORAGE EXTERNAL;
                  INSERT INTO t VALUES (repeat('k', 2200), 1)";
    let database = Database::new("toast_key", tables).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("UPDATE t SET a = 2").await;

    let records = reader.records(1).await;

    assert_eq!(codes(&records), "u");
    let key = Value::from("k".repeat(2200));
    assert_eq!(records[0].key.value.as_struct().unwrap().values()[0], key);
    assert_eq!(after(&records[0], "id"), &key);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_transaction_is_spooled_and_stays_whole() {
    let database = Database::new("large", "CREATE TABLE t (id int PRIMARY KEY, a text)").await;
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().to_str().unwrap();
    let mut reader =
        database.open(&[NO_DATA, ("transaction.memory.bytes", "20000"), ("spool.directory", spool)]).await;
    database.run("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 10000) i").await;

    let mut records = Vec::new();
    loop {
        let batch = reader.batch().await.unwrap();
        records.extend(batch.records);
        let whole = records.len() == 10_000;
        // An idle batch may come before; within the transaction only its end carries a position.
        assert_eq!(batch.position.is_some(), whole || records.is_empty());
        if whole {
            break;
        }
    }

    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), (1..=10_000).collect::<Vec<_>>());
    let indexes: Vec<_> = records.iter().map(|record| event(record).index).collect();
    assert_eq!(indexes, (0..10_000).collect::<Vec<_>>());
    assert!(records.iter().all(|record| event(record).count == 10_000));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_work_never_appears() {
    let database = Database::new("rollback", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("BEGIN; INSERT INTO t VALUES (1); ROLLBACK").await;
    database
        .run("BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3); ROLLBACK TO s; INSERT INTO t VALUES (4); COMMIT")
        .await;

    let records = reader.records(2).await;

    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), [2, 4]);
    assert!(records.iter().all(|record| event(record).count == 2));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skipped_operations_and_other_tables_are_not_counted() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE other (id int PRIMARY KEY)";
    let database = Database::new("skipped", tables).await;
    let options = [
        NO_DATA,
        ("skipped.operations", "u"),
        ("table.include.list", "public.t"),
        ("tombstones.on.delete", "false"),
    ];
    let mut reader = database.open(&options).await;
    database
        .run("BEGIN; INSERT INTO other VALUES (1); INSERT INTO t VALUES (1, 1); UPDATE t SET a = 2; DELETE FROM t; COMMIT; TRUNCATE t, other")
        .await;

    let records = reader.records(3).await;

    assert_eq!(codes(&records), "cdt");
    assert_eq!(event(&records[1]).index, 1);
    assert_eq!(event(&records[1]).count, 2);
    assert!(records[2].key.value.is_null());
    assert_eq!(event(&records[2]).count, 1);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_key_leaves_out_what_is_skipped() {
    for (skipped, expected) in [("d", "c"), ("c", "d")] {
        let database =
            Database::new("skipped_move", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
                .await;
        let options = [NO_DATA, ("skipped.operations", skipped), ("tombstones.on.delete", "false")];
        let mut reader = database.open(&options).await;
        database.run("UPDATE t SET id = 2").await;

        let records = reader.records(1).await;

        assert_eq!(codes(&records), expected);
        reader.close().await;
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_table_is_followed() {
    let database = Database::new("altered", "CREATE TABLE t (id int PRIMARY KEY, a text)").await;
    let mut reader = database.open(&[NO_DATA]).await;
    for statement in [
        "INSERT INTO t VALUES (1, 'a')",
        "INSERT INTO t VALUES (2, 'a')",
        "ALTER TABLE t ADD b numeric(6, 2) NOT NULL DEFAULT 1.5",
        "INSERT INTO t VALUES (3, 'a', 2.25)",
        "ALTER TABLE t DROP a",
        "INSERT INTO t VALUES (4, 3)",
    ] {
        database.run(statement).await;
    }

    let records = reader.records(4).await;

    let row = |index: usize| &change(&records[index]).schema.row;
    assert!(std::sync::Arc::ptr_eq(row(0), row(1)), "an unchanged version is shared");
    let names =
        |index: usize| row(index).fields().iter().map(|field| field.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(2), ["id", "a", "b"]);
    assert_eq!(names(3), ["id", "b"]);
    let b = &row(2).field("b").unwrap().schema;
    assert!(!b.optional);
    assert_eq!(b.default, Some(Value::Bytes(vec![0, 0x96].into())));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_without_key_have_null_keys() {
    let database =
        Database::new("keyless", "CREATE TABLE t (a text, b int); ALTER TABLE t REPLICA IDENTITY FULL").await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES ('a', 1)").await;
    database.run("UPDATE t SET b = 2").await;
    database.run("DELETE FROM t").await;

    let records = reader.records(4).await;

    assert_eq!(codes(&records), "cud-");
    assert!(records.iter().all(|record| record.key.value.is_null()));
    assert_eq!(before(&records[1], "b"), &Value::Int32(1));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn value_that_cannot_be_read_is_rejected_alone() {
    let database = Database::new("rejected", "CREATE TABLE t (id int PRIMARY KEY, n numeric(8, 2))").await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (1, 1), (2, 'NaN'), (3, 3)").await;

    let batch = loop {
        let batch = reader.batch().await.unwrap();
        if !batch.records.is_empty() {
            break batch;
        }
    };

    assert_eq!(batch.records.iter().map(key).collect::<Vec<_>>(), [1, 3]);
    let (record, error) = &batch.rejected[0];
    assert_eq!(event(record).index, 1);
    assert_eq!(error.code(), "postgres.value");
    assert!(
        error.to_string().contains("`n`") && error.hint().unwrap().contains("decimal.handling.mode"),
        "{error}"
    );
    assert_eq!(event(&batch.records[1]).index, 2);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_slot_follows_what_others_write() {
    let database =
        Database::new("idle", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (a text)").await;
    let mut reader = database.open(&[NO_DATA, ("table.include.list", "public.t")]).await;
    database.run("INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, 1000)").await;
    let written: String = database.text("SELECT pg_current_wal_flush_lsn()::text").await;
    let confirmed = format!(
        "SELECT (confirmed_flush_lsn >= '{written}')::text FROM pg_replication_slots WHERE slot_name = '{}'",
        database.name
    );

    loop {
        let batch = reader.batch().await.unwrap();
        assert!(batch.records.is_empty());
        reader.acknowledge().await;
        if reader.position.as_ref().unwrap().lsn >= written.parse().unwrap() {
            break;
        }
    }

    eventually(&database, &confirmed, |text| text == "true").await;
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_goes_on_after_the_last_position() {
    let database = Database::new("resume", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (1)").await;
    database.run("INSERT INTO t VALUES (2)").await;
    reader.records(2).await;
    // Nothing is acknowledged: the slot stays behind, and only the position tells where to go on.
    let position = reader.close().await;
    database.run("INSERT INTO t VALUES (3)").await;

    let mut reader = database.open_at(&[NO_DATA], position).await.unwrap();
    let records = reader.records(1).await;

    assert_eq!(key(&records[0]), 3);
    let sequence = change(&records[0]).source_value("sequence").unwrap().as_str().unwrap();
    assert!(!sequence.starts_with("[null"), "the commit before is known across the restart: {sequence}");
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_key_columns_make_the_key_in_their_order() {
    let tables = "CREATE TABLE t (a int, b text, c text); ALTER TABLE t REPLICA IDENTITY FULL";
    let database = Database::new("message_key", tables).await;
    let mut reader = database.open(&[NO_DATA, ("message.key.columns", "public.t:b,a")]).await;
    database.run("INSERT INTO t VALUES (2, 'p', 'q')").await;
    database.run("UPDATE t SET b = 'pp'").await;

    let records = reader.records(4).await;

    assert_eq!(codes(&records), "cd-c");
    let fields: Vec<_> =
        records[0].key.schema.as_ref().unwrap().fields().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(fields, ["b", "a"]);
    assert!(matches!(&records[2].value, Payload::Plain(_)) && code(&records[2]) == "-");
    reader.close().await;
    database.remove().await;
}
