//! The sink against a real Cassandra: what ends up in the tables.

mod support;

use sluice_core::{ErrorClass, Value, change::Operation, sink::Sink};
use support::{Keyspace, Source, at, open, user, write, write_all};

const USERS: &str = "CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_and_repetition_of_changes_end_in_the_same_table() {
    let keyspace = Keyspace::fresh("orders").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let mut changes = vec![
        source.change(Operation::Create, &user(1, "a", "x"), 1000),
        source.change(Operation::Update, &user(1, "b", Value::Null), 2000),
        source.change(Operation::Create, &user(2, "c", "y"), 3000),
        source.change(Operation::Delete, &user(2, "c", "y"), 4000),
        source.tombstone(&user(2, Value::Null, Value::Null), 4000),
        source.change(Operation::Create, &user(3, "d", "z"), 5000),
        source.change(Operation::Delete, &user(3, "d", "z"), 6000),
        source.change(Operation::Create, &user(3, "e", Value::Null), 7000),
    ];
    let mut sink = keyspace.sink(&[]).await;

    for round in 0..changes.len() {
        write_all(&mut sink, &changes).await;
        let rows = keyspace.rows("SELECT id, name, note FROM KS.users").await;
        assert_eq!(rows, ["1|'b'|null", "3|'e'|null"], "round {round}");
        changes.rotate_left(1);
        changes.reverse();
        // Half of the rounds start from nothing, the others on top of the round before.
        if round % 2 == 0 {
            keyspace.run("TRUNCATE KS.users").await;
        }
    }
    sink.close().await.unwrap();
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_deleted_and_inserted_in_one_transaction_is_there() {
    let keyspace = Keyspace::fresh("reinsert").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let delete = at(source.change(Operation::Delete, &user(1, "old", Value::Null), 1 << 50), 0, 1_000_000);
    let insert = at(source.change(Operation::Create, &user(1, "new", Value::Null), 1 << 50), 1, 1_000_000);
    let mut sink = keyspace.sink(&[]).await;

    write_all(&mut sink, &[insert.clone(), delete.clone(), insert, delete]).await;

    let rows = keyspace.rows("SELECT name, WRITETIME(name) FROM KS.users").await;
    assert_eq!(rows, [format!("'new'|{}", (1_i64 << 50) - 8 * (1_000_000 - 2))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nulls_follow_the_operation_and_unavailable_keeps_the_cell() {
    let keyspace = Keyspace::fresh("nulls").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let mut sink = keyspace.sink(&[]).await;

    write_all(
        &mut sink,
        &[
            source.change(Operation::Create, &user(1, "a", "kept"), 1000),
            source.change(Operation::Update, &user(1, Value::Null, Value::Unavailable), 2000),
            // A snapshot row and an insert write no tombstones.
            source.change(Operation::Create, &user(2, "b", "kept"), 1000),
            source.change(Operation::Read, &user(2, Value::Null, Value::Null), 2000),
            // With the whole row before, what did not change keeps its write time.
            source.change(Operation::Create, &user(3, "c", "kept"), 1000),
            source.full_change(
                Operation::Update,
                Some(&user(3, "c", "kept")),
                &user(3, Value::Null, "kept"),
                2000,
            ),
        ],
    )
    .await;

    let rows = keyspace.rows("SELECT id, name, note, WRITETIME(note) FROM KS.users").await;
    assert_eq!(rows, ["1|null|'kept'|1000", "2|'b'|'kept'|1000", "3|null|'kept'|2000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unwrapped_rows_and_tombstones_do_the_same() {
    let keyspace = Keyspace::fresh("unwrapped").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let mut sink = keyspace.sink(&[]).await;

    write_all(
        &mut sink,
        &[
            source.unwrapped(Some(Operation::Create), &user(1, "a", "n"), 1000),
            source.unwrapped(None, &user(1, "b", Value::Null), 2000),
            source.unwrapped(Some(Operation::Read), &user(2, "c", Value::Null), 1000),
            source.tombstone(&user(2, Value::Null, Value::Null), 3000),
            source.unwrapped(Some(Operation::Create), &user(3, "d", Value::Null), 1000),
            source.unwrapped(Some(Operation::Delete), &user(3, Value::Null, Value::Null), 3000),
        ],
    )
    .await;

    assert_eq!(keyspace.rows("SELECT id, name, note FROM KS.users").await, ["1|'b'|null"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_is_refused_alone() {
    let keyspace = Keyspace::fresh("bad_row").await;
    keyspace.run("CREATE TABLE KS.users (id int, name text, note text, PRIMARY KEY (name))").await;
    let source = Source::users();
    let mapping = ("topic.p.public.users.KS.users.mapping", "id=key.id, name=value.name, note=value.note");
    let mut sink = keyspace.sink(&[mapping]).await;

    let flushed = write(
        &mut sink,
        &[
            source.change(Operation::Create, &user(1, "a", "x"), 1000),
            source.change(Operation::Create, &user(2, "", "x"), 1000),
            source.change(Operation::Create, &user(3, "n".repeat(70_000), "x"), 1000),
            source.change(Operation::Create, &user(4, "b", "n".repeat(17 << 20)), 1000),
            source.change(Operation::Create, &user(5, Value::Null, "x"), 1000),
            source.change(Operation::Create, &user(6, "c", "x"), 1000),
        ],
    )
    .await
    .unwrap();

    let rejected: Vec<_> =
        flushed.rejected.iter().map(|one| (one.index, one.error.code(), one.error.class())).collect();
    let refused = |index| (index, "cassandra.row_refused", ErrorClass::Reject);
    let null = (4, "cassandra.null_key", ErrorClass::Reject);
    let large = (3, "cassandra.value_size", ErrorClass::Reject);
    assert_eq!(rejected, [refused(1), refused(2), large, null]);
    assert_eq!(keyspace.rows("SELECT id FROM KS.users").await, ["1", "6"]);
    let again = write(&mut sink, &[source.change(Operation::Create, &user(7, "", "x"), 1000)]).await.unwrap();
    assert_eq!(again.rejected[0].index, 0, "places count from the last flush");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncate_removes_what_was_before_it_and_nothing_after() {
    let keyspace = Keyspace::fresh("truncate").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let mut sink = keyspace.sink(&[]).await;
    let mut records: Vec<_> =
        (0..300).map(|id| source.change(Operation::Create, &user(id, "a", "x"), 1000)).collect();
    records.push(source.change(Operation::Truncate, &[], 2000));
    records.push(source.change(Operation::Create, &user(7, "after", Value::Null), 3000));

    write_all(&mut sink, &records).await;
    assert_eq!(keyspace.rows("SELECT id, name FROM KS.users").await, ["7|'after'"]);
    write_all(&mut sink, &records).await;

    assert_eq!(keyspace.rows("SELECT id, name, note FROM KS.users").await, ["7|'after'|null"]);
    let mut strict = keyspace.sink(&[("truncate.policy", "fail")]).await;
    let error = write(&mut strict, &records[300..]).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "cassandra.truncated"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mappings_carry_ttl_timestamp_headers_and_switches() {
    let keyspace = Keyspace::fresh("mapping").await;
    keyspace.run("CREATE TABLE KS.people (k int PRIMARY KEY, \"Name\" text, h text)").await;
    let source = Source::users();
    let base = "topic.p.public.users.KS.people";
    let properties = [
        (
            format!("{base}.mapping"),
            r#"k=key.id, "Name"=value.after.name, h=header.origin, __ttl=header.ttl, __timestamp=header.ts"#,
        ),
        (format!("{base}.ttlTimeUnit"), "MINUTES"),
        (format!("{base}.timestampTimeUnit"), "MILLISECONDS"),
        (format!("{base}.deletesEnabled"), "false"),
    ];
    let properties: Vec<_> = properties.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let mut sink = keyspace.sink(&properties).await;
    let mut record = source.change(Operation::Create, &user(1, "ann", "x"), 1000);
    let long = || sluice_core::Schema::new(sluice_core::schema::Kind::Int64).shared();
    let text = sluice_core::Schema::new(sluice_core::schema::Kind::String).shared();
    record.headers.push("origin", sluice_core::record::Datum::new(text, "here".into()));
    record.headers.push("ttl", sluice_core::record::Datum::new(long(), Value::Int64(60)));
    record.headers.push("ts", sluice_core::record::Datum::new(long(), Value::Int64(5)));
    let mut delete = source.change(Operation::Delete, &user(1, "ann", "x"), 9000);
    delete.headers = record.headers.clone();

    write_all(&mut sink, &[record, delete]).await;

    let rows = keyspace.rows("SELECT k, \"Name\", h, WRITETIME(h) FROM KS.people").await;
    assert_eq!(rows, ["1|'ann'|'here'|5000"]);
    let ttl = keyspace.rows("SELECT TTL(h) FROM KS.people").await;
    let ttl: i32 = ttl[0].parse().unwrap();
    assert!((3500..=3600).contains(&ttl), "{ttl}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_wins_over_the_same_change_written_before() {
    let keyspace = Keyspace::fresh("revision").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let written = source.change(Operation::Create, &user(1, "zzz", Value::Null), 1000);
    let corrected = source.change(Operation::Create, &user(1, "aaa", Value::Null), 1000);

    write_all(&mut keyspace.sink(&[]).await, &[written]).await;
    write_all(&mut keyspace.sink(&[("revision", "1")]).await, &[corrected]).await;

    assert_eq!(keyspace.rows("SELECT name FROM KS.users").await, ["'aaa'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_without_a_position_or_an_offset_for_their_epoch_are_not_written() {
    let keyspace = Keyspace::fresh("positions").await;
    keyspace.run(USERS).await;
    let source = Source::users();
    let mut lost = source.change(Operation::Create, &user(1, "a", "x"), 1000);
    lost.origin.event = None;
    lost.timestamp = Some(1_700_000_000_000);
    let mut sink = keyspace.sink(&[]).await;

    let flushed = write(&mut sink, &[lost.clone()]).await.unwrap();
    assert_eq!(flushed.rejected[0].error.code(), "cassandra.position_missing");
    let mut later = source.change(Operation::Create, &user(1, "a", "x"), 1000);
    later.origin.event.as_mut().unwrap().epoch = 1;
    assert_eq!(write(&mut sink, &[later]).await.unwrap_err().code(), "cassandra.epoch_without_offset");

    write_all(&mut keyspace.sink(&[("write.timestamp", "record-time")]).await, &[lost]).await;
    assert_eq!(keyspace.rows("SELECT WRITETIME(name) FROM KS.users").await, ["1700000000000000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_rows_arrive() {
    let keyspace = Keyspace::fresh("many").await;
    let source = Source::users();
    let mut sink = open(&keyspace.properties(&[("schema.policy", "create")])).await.unwrap();
    let records: Vec<_> = (0..10_000)
        .map(|id| at(source.change(Operation::Create, &user(id, "name", "note"), 1 << 40), id as u64, 10_000))
        .collect();

    for batch in records.chunks(1_000) {
        sink.write(batch).await.unwrap();
    }
    let flushed = sink.flush(None).await.unwrap();

    assert!(flushed.rejected.is_empty());
    assert_eq!(keyspace.rows("SELECT count(*) FROM KS.users").await, ["10000"]);
}
