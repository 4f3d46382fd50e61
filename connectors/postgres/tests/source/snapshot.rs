//! Rows that are there already.

use std::collections::HashMap;

use sluice_core::change::Operation;
use sluice_core::record::Record;
use sluice_core::value::Value;

use crate::harness::{Database, after, change, codes, event, key};

fn marker(record: &Record) -> &str {
    change(record).source_value("snapshot").unwrap().as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn first_and_last_rows_are_marked() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE TABLE u (id int PRIMARY KEY, x text);
                  CREATE TABLE void (id int PRIMARY KEY); CREATE TABLE z (id int PRIMARY KEY);
                  INSERT INTO t SELECT i, 'a' FROM generate_series(1, 3) i; INSERT INTO u VALUES (1, 'u'), (2, 'v')";
    let database = Database::new("markers", tables).await;
    let mut reader = database.open(&[]).await;

    let records = reader.snapshot().await;

    assert_eq!(codes(&records), "rrrrr");
    let markers: Vec<_> = records.iter().map(marker).collect();
    assert_eq!(markers, ["first", "true", "last_in_data_collection", "first_in_data_collection", "last"]);
    let position = reader.position.clone().unwrap();
    let lsn = i64::try_from(position.lsn.as_u64()).unwrap();
    assert!(records.iter().all(|record| change(record).source_value("lsn") == Some(&Value::Int64(lsn))));
    assert!(
        records.iter().all(|record| event(record).commit < position.lsn.as_u64() && event(record).count == 1)
    );
    database.run("INSERT INTO z VALUES (1)").await;
    assert_eq!(codes(&reader.records(1).await), "c");
    let position = reader.close().await;

    let mut again = database.open_at(&[], position).await.unwrap();
    database.run("INSERT INTO z VALUES (2)").await;
    assert_eq!(codes(&again.records(1).await), "c", "a complete snapshot is not repeated");
    again.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_table_has_the_first_row_if_any_has() {
    for (rows, expected) in [
        ("(1)", ["first", "first_in_data_collection", "last"].as_slice()),
        ("", &["first_in_data_collection", "last"]),
    ] {
        let filled = if rows.is_empty() { String::new() } else { format!("INSERT INTO a VALUES {rows};") };
        let tables = format!(
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
             {filled} INSERT INTO b VALUES (1), (2)"
        );
        let database = Database::new("first_row", &tables).await;
        let mut reader = database.open(&[]).await;

        let records = reader.snapshot().await;

        assert_eq!(records.iter().map(marker).collect::<Vec<_>>(), expected);
        reader.close().await;
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_during_the_snapshot_are_neither_lost_nor_undone() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, pad text);
                  INSERT INTO t SELECT i, 0, repeat('x', 200) FROM generate_series(1, 20000) i";
    let database = Database::new("concurrent", tables).await;
    let writer = database.session().await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let mut round = 0;
        while stopped.try_recv().is_err() {
            round += 1;
            let (id, new) = (round % 20_000 + 1, 20_000 + round);
            let statements = format!(
                "UPDATE t SET v = v + 1 WHERE id = {id}; INSERT INTO t VALUES ({new}, 1, 'n'); DELETE FROM t WHERE id = {}",
                (round * 7) % 20_000 + 1
            );
            writer.batch_execute(&statements).await.unwrap();
        }
    });
    let mut reader = database.open(&[("snapshot.max.threads", "3"), ("tombstones.on.delete", "false")]).await;
    let mut state = Replica::default();
    state.apply(&reader.snapshot().await);
    stop.send(()).unwrap();
    writing.await.unwrap();
    database.run("INSERT INTO t VALUES (-1, 0, 'end')").await;

    while !state.rows.contains_key(&-1) {
        let batch = reader.batch().await.unwrap();
        state.apply(&batch.records);
    }

    let mut expected = HashMap::new();
    for row in database.sql.query("SELECT id, v FROM t", &[]).await.unwrap() {
        expected.insert(i64::from(row.get::<_, i32>(0)), row.get::<_, i32>(1));
    }
    assert_eq!(state.rows, expected);
    reader.close().await;
    database.remove().await;
}

/// What a consumer that applies records by their position holds in the end.
#[derive(Default)]
struct Replica {
    rows: HashMap<i64, i32>,
}

impl Replica {
    fn apply(&mut self, records: &[Record]) {
        for record in records {
            if change(record).operation == Operation::Delete {
                self.rows.remove(&key(record));
                continue;
            }
            let Value::Int32(value) = after(record, "v") else { panic!("v is a number") };
            self.rows.insert(key(record), *value);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_snapshot_goes_on_with_the_tables_that_are_left() {
    let tables = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
                  INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)";
    let database = Database::new("interrupted", tables).await;
    let mut reader = database.open(&[]).await;
    let first = loop {
        let batch = reader.batch().await.unwrap();
        if batch.position.is_some() {
            break batch;
        }
    };
    assert_eq!(&*first.records[0].topic, "p.public.a");
    let position = reader.position.clone();
    assert_eq!(position.as_ref().unwrap().snapshot.as_deref(), Some(&["public.a".to_owned()][..]));
    // As a crash: no close.
    drop(reader);
    database.run("INSERT INTO a VALUES (7)").await;

    let mut reader = database.open_at(&[], position).await.unwrap();
    let rest = reader.snapshot().await;
    let streamed = reader.records(1).await;

    assert!(rest.iter().all(|record| &*record.topic == "p.public.b"));
    assert_eq!(rest.iter().map(key).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((codes(&streamed).as_str(), key(&streamed[0])), ("c", 7));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_before_the_first_save_takes_the_snapshot_again_from_the_same_slot() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0)";
    let database = Database::new("unsaved", tables).await;
    drop(database.open(&[]).await);
    database
        .run("UPDATE t SET v = 1 WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (3, 0)")
        .await;

    let mut reader = database.open_at(&[], None).await.unwrap();
    let rows = reader.snapshot().await;
    let changes = reader.records(4).await;

    let mut ids: Vec<_> = rows.iter().map(key).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 3]);
    assert_eq!(codes(&changes), "ud-c", "the slot kept what came after its creation");
    assert!(rows.iter().all(|row| event(row).commit < event(&changes[0]).commit));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_only_ends_and_leaves_no_slot() {
    let database =
        Database::new("only", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let only = [("snapshot.mode", "initial_only")];
    let mut reader = database.open(&only).await;

    assert_eq!(codes(&reader.snapshot().await), "r");
    assert!(reader.batch().await.is_none(), "the source ends");
    let position = reader.close().await;

    let slots = database
        .text("SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()")
        .await;
    assert_eq!(slots, "0");
    let mut again = database.open_at(&only, position).await.unwrap();
    assert!(again.batch().await.is_none());
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_row_filters_and_column_lists_are_as_published() {
    let tables = "CREATE TABLE p (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
                  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
                  CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
                  CREATE TABLE f (id int PRIMARY KEY, a text, secret text, g int GENERATED ALWAYS AS (id * 2) STORED);
                  INSERT INTO p VALUES (1, 'x'), (11, 'y'); INSERT INTO f VALUES (1, 'x', 's'), (100, 'y', 's')";
    let database = Database::new("published", tables).await;
    let publication = format!(
        "CREATE PUBLICATION {} FOR TABLE p, TABLE f (id, a) WHERE (id < 50) WITH (publish_via_partition_root = true)",
        database.name
    );
    database.run(&publication).await;
    let mut reader = database.open(&[("publication.autocreate.mode", "disabled")]).await;
    let snapshot = reader.snapshot().await;
    database.run("INSERT INTO p VALUES (2, 'x'); INSERT INTO f VALUES (2, 'x', 's'), (200, 'y', 's')").await;
    let streamed = reader.records(2).await;

    let shown: Vec<_> =
        snapshot.iter().chain(&streamed).map(|record| (&*record.topic, key(record))).collect();
    assert_eq!(
        shown,
        [("p.public.f", 1), ("p.public.p", 1), ("p.public.p", 11), ("p.public.p", 2), ("p.public.f", 2)]
    );
    assert_eq!(change(&snapshot[0]).schema, change(&streamed[1]).schema);
    assert_eq!(change(&snapshot[0]).schema.row.fields().len(), 2);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_snapshot_only_starts_anew() {
    let tables = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
                  INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)";
    let database = Database::new("only_again", tables).await;
    let only = [("snapshot.mode", "initial_only")];
    let mut reader = database.open(&only).await;
    while reader.batch().await.expect("a table is complete").position.is_none() {}
    let position = reader.position.clone();
    drop(reader);

    let mut again = database.open_at(&only, position).await.unwrap();

    assert_eq!(again.snapshot().await.len(), 3);
    assert!(again.batch().await.is_none(), "the source ends");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_row_security_hides_are_not_left_out_silently() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);
                  ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON t USING (id = 1)";
    let database = Database::new("security", tables).await;
    let role = format!("{}_role", database.name);
    database
        .run(&format!(
            "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret';
             GRANT SELECT ON t TO {role}; CREATE PUBLICATION {} FOR TABLE t",
            database.name
        ))
        .await;
    let user = [("database.user", role.as_str()), ("database.password", "secret")];

    let error = database.open_at(&user, None).await.err().expect("the rows cannot all be read");

    assert_eq!((error.code(), error.class()), ("postgres.privilege_missing", sluice_core::ErrorClass::Stop));
    assert!(error.hint().unwrap().contains("BYPASSRLS"), "{}", error.report());
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await;
}
