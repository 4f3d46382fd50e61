//! Tables against a real Cassandra: made, extended, refused, and changed under the sink's feet.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use scylla::statement::Consistency;
use sluice_cassandra::CassandraSink;
use sluice_core::{
    Error, ErrorClass, Schema, Value,
    change::Operation,
    config::Config,
    schema::{Kind, debezium},
    sink::{Sink, SinkConnector},
};
use support::{Keyspace, Source, open, user, write, write_all};

fn orders(columns: Vec<(&str, Schema)>, keys: usize) -> Source {
    Source::new("orders", keys, columns)
}

fn int() -> Schema {
    Schema::new(Kind::Int32)
}

fn text() -> Schema {
    Schema::new(Kind::String).optional()
}

async fn refused(keyspace: &Keyspace, source: &Source, row: &[Value]) -> Error {
    let mut sink = keyspace.sink(&[]).await;
    let error = write(&mut sink, &[source.change(Operation::Create, row, 1000)]).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Stop);
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_makes_keyspace_and_table_with_all_key_columns_as_partition_key() {
    let keyspace = Keyspace::named("created").await;
    let columns = vec![("b", int()), ("a", Schema::new(Kind::String)), ("note", text())];
    let source = orders(columns, 2);
    let mut sink = keyspace.sink(&[("schema.policy", "create")]).await;
    let row = [Value::Int32(1), "x".into(), "n".into()];

    // Nothing to delete in a table that does not exist.
    write_all(&mut sink, &[source.tombstone(&row, 500)]).await;
    write_all(&mut sink, &[source.change(Operation::Create, &row, 1000)]).await;

    assert_eq!(keyspace.rows("SELECT b, a, note FROM KS.orders").await, ["1|'x'|'n'"]);
    let keys = "SELECT column_name, position, type FROM system_schema.columns WHERE keyspace_name = 'KS' \
                AND table_name = 'orders'";
    let columns = keyspace.rows(keys).await;
    assert_eq!(columns, ["'a'|1|'text'", "'b'|0|'int'", "'note'|-1|'text'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_keyspace_or_table_comes_with_the_statements_that_make_it() {
    let keyspace = Keyspace::named("missing").await;
    let source = Source::users();

    let error = refused(&keyspace, &source, &user(1, "a", "b")).await;
    assert_eq!(error.code(), "cassandra.table_missing");
    let hint = error.hint().unwrap();
    assert!(hint.contains("CREATE KEYSPACE IF NOT EXISTS"), "{hint}");
    let statements: Vec<_> =
        hint.lines().take(2).map(|line| line.trim().trim_end_matches(';').to_owned()).collect();
    for statement in statements {
        keyspace.run(&statement).await;
    }

    write_all(&mut keyspace.sink(&[]).await, &[source.change(Operation::Create, &user(1, "a", "b"), 1000)])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evolve_adds_columns_in_one_statement_and_drops_none() {
    let keyspace = Keyspace::fresh("evolved").await;
    keyspace.run("CREATE TABLE KS.orders (id int PRIMARY KEY, old text)").await;
    let before = orders(vec![("id", int()), ("old", text())], 1);
    let after = orders(vec![("id", int()), ("n", int().optional()), ("at", zoned().optional())], 1);
    let mut sink = keyspace.sink(&[("schema.policy", "evolve")]).await;

    let old = before.change(Operation::Create, &[Value::Int32(1), "kept".into()], 1000);
    let new = after.change(
        Operation::Update,
        &[Value::Int32(1), Value::Int32(7), "2020-01-01T00:00:00Z".into()],
        2000,
    );
    write_all(&mut sink, &[old.clone(), new, old]).await;

    let rows = keyspace.rows("SELECT id, old, n, at FROM KS.orders").await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].starts_with("1|'kept'|7|"), "{}", rows[0]);
}

fn zoned() -> Schema {
    Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_does_not_fit_is_told_at_once() {
    let keyspace = Keyspace::fresh("misfit").await;
    keyspace.run("CREATE TABLE KS.orders (id int, part int, n int, tags list<text>, s text STATIC, PRIMARY KEY (id, part))").await;
    let tags = Schema::new(Kind::Array(text().shared())).optional();
    let columns =
        vec![("id", int()), ("n", Schema::new(Kind::Int64)), ("tags", tags), ("s", text()), ("x", text())];
    let row = [Value::Int32(1), Value::Int64(1), Value::Null, Value::Null, Value::Null];

    let error = refused(&keyspace, &orders(columns, 1), &row).await;

    assert_eq!(error.code(), "cassandra.table_misfit");
    let message = error.to_string();
    for part in [
        "primary key column `part` gets no value",
        "column `n` is int, which cannot hold int64; allowed: bigint, varint",
        "column `tags` list<text> is not frozen",
        "column `s` is static",
        "column `x` (text) is missing",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(error.hint().unwrap().contains("ADD (\"x\" text)"), "{:?}", error.hint());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_would_make_one_row_of_two_are_refused() {
    let keyspace = Keyspace::fresh("keys").await;
    keyspace.run("CREATE TABLE KS.orders (a int PRIMARY KEY, b int)").await;
    let source = orders(vec![("a", int()), ("b", int())], 2);
    let message = refused(&keyspace, &source, &[Value::Int32(1), Value::Int32(2)]).await.to_string();
    assert!(message.contains("`b` is not in the primary key, so several rows would become one"), "{message}");

    keyspace.run("DROP TABLE KS.orders").await;
    keyspace.run("CREATE TABLE KS.orders (a timestamp PRIMARY KEY)").await;
    let source = orders(vec![("a", zoned())], 1);
    let message = refused(&keyspace, &source, &["2020-01-01T00:00:00Z".into()]).await.to_string();
    assert!(message.contains("would make one key of two"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_dropped_by_the_clock_is_refused_until_the_remedy_is_run() {
    let keyspace = Keyspace::fresh("dropped").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    keyspace.run("ALTER TABLE KS.users DROP note").await;
    keyspace.run("ALTER TABLE KS.users ADD note text").await;
    let source = Source::users();

    let error = refused(&keyspace, &source, &user(1, "a", "seen")).await;
    assert_eq!(error.code(), "cassandra.writes_hidden");
    let hint = error.hint().unwrap();
    let (drop, _) = hint.split_once(';').unwrap();
    assert!(drop.ends_with("DROP \"note\" USING TIMESTAMP 1000"), "{drop}");
    keyspace.run(drop).await;
    keyspace.run("ALTER TABLE KS.users ADD note text").await;

    let record = source.change(Operation::Create, &user(1, "a", "seen"), 2000);
    write_all(&mut keyspace.sink(&[]).await, &[record]).await;
    assert_eq!(keyspace.rows("SELECT note FROM KS.users").await, ["'seen'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_writer_with_the_clock_are_refused_until_the_offset_is_above_them() {
    let keyspace = Keyspace::fresh("foreign").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    keyspace.run("INSERT INTO KS.users (id, name) VALUES (1, 'by the clock')").await;
    let source = Source::users();

    let error = refused(&keyspace, &source, &user(1, "ours", "x")).await;
    assert_eq!(error.code(), "cassandra.writes_hidden");
    assert!(error.hint().unwrap().contains("write.timestamp.offset"));

    let offset = [("write.timestamp.offset", "9000000000000000")];
    let record = source.change(Operation::Create, &user(1, "ours", "x"), 1000);
    write_all(&mut keyspace.sink(&offset).await, &[record]).await;
    assert_eq!(keyspace.rows("SELECT name FROM KS.users").await, ["'ours'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_dropped_under_the_sink_asks_for_a_new_plan_and_not_for_the_dead_letters() {
    let keyspace = Keyspace::fresh("altered").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    let source = Source::users();
    let mut sink = keyspace.sink(&[]).await;
    write_all(&mut sink, &[source.change(Operation::Create, &user(1, "a", "b"), 1000)]).await;

    keyspace.run("ALTER TABLE KS.users DROP note USING TIMESTAMP 1000").await;
    let record = [source.change(Operation::Update, &user(1, "c", "d"), 2000)];
    let error = until_refused(&mut sink, &record).await;
    assert_eq!(error.code(), "cassandra.table_misfit");

    keyspace.run("ALTER TABLE KS.users ADD note text").await;
    write_until_accepted(&mut sink, &record).await;
    assert_eq!(keyspace.rows("SELECT name, note FROM KS.users").await, ["'c'|'d'"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_made_anew_with_other_types_gets_no_wrong_bytes() {
    let keyspace = Keyspace::fresh("recreated").await;
    keyspace.run("CREATE TABLE KS.orders (id int PRIMARY KEY, n int)").await;
    let source = orders(vec![("id", int()), ("n", int())], 1);
    let mut sink = keyspace.sink(&[]).await;
    write_all(&mut sink, &[source.change(Operation::Create, &[Value::Int32(1), Value::Int32(7)], 1000)])
        .await;

    keyspace.run("DROP TABLE KS.orders").await;
    keyspace.run("CREATE TABLE KS.orders (id int PRIMARY KEY, n bigint)").await;
    let record = [source.change(Operation::Create, &[Value::Int32(2), Value::Int32(8)], 2000)];
    write_until_accepted(&mut sink, &record).await;

    assert_eq!(keyspace.rows("SELECT id, n FROM KS.orders").await, ["2|8"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_made_anew_between_two_writes_of_one_flush_gets_all_of_them_again() {
    let keyspace = Keyspace::fresh("between").await;
    keyspace.run("CREATE TABLE KS.orders (id int PRIMARY KEY, n int)").await;
    let source = orders(vec![("id", int()), ("n", int())], 1);
    let order = |id, commit| [source.change(Operation::Create, &[Value::Int32(id), Value::Int32(7)], commit)];
    let mut sink = keyspace.sink(&[]).await;
    write_all(&mut sink, &order(1, 1000)).await;

    keyspace.run("DROP TABLE KS.orders").await;
    keyspace.run("CREATE TABLE KS.orders (id int PRIMARY KEY, n bigint)").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    sink.write(&order(2, 2000)).await.unwrap();
    // A table that is not known yet makes the sink read the schema anew.
    sink.write(&[Source::users().change(Operation::Create, &user(1, "a", "b"), 2100)]).await.unwrap();
    let written = match sink.write(&order(3, 2200)).await {
        Ok(()) => sink.flush(None).await,
        Err(error) => Err(error),
    };

    let error = written.expect_err("the row bound for the old table is neither written nor refused");
    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "cassandra.schema_changed"));
    write_until_accepted(&mut sink, &[order(2, 2000), order(3, 2200)].concat()).await;
    assert_eq!(keyspace.rows("SELECT id, n FROM KS.orders").await, ["2|7", "3|7"]);
}

/// Does as the driver does: writes again as long as the error passes.
async fn until_refused(sink: &mut impl Sink, records: &[sluice_core::Record]) -> Error {
    loop {
        let written = match sink.write(records).await {
            Ok(()) => sink.flush(None).await.map(drop),
            Err(error) => Err(error),
        };
        match written {
            Err(error) if error.class() != ErrorClass::Retry => return error,
            Err(error) => assert_eq!(error.code(), "cassandra.schema_changed"),
            Ok(()) => panic!("a row that lacks a column was accepted"),
        }
    }
}

async fn write_until_accepted(sink: &mut impl Sink, records: &[sluice_core::Record]) {
    loop {
        let written = match sink.write(records).await {
            Ok(()) => sink.flush(None).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(flushed) => return assert!(flushed.rejected.is_empty(), "{:?}", flushed.rejected),
            Err(error) => assert_eq!(error.code(), "cassandra.schema_changed", "{}", error.report()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_tells_every_fault_with_the_statement_that_helps() {
    let keyspace = Keyspace::named("checked").await;
    let other = Keyspace::fresh("checked_too").await;
    other.run("CREATE TABLE KS.a (id int PRIMARY KEY, c counter)").await;
    let a = format!("topic.t.{}.a.mapping", other.name);
    let b = format!("topic.t.{}.b.mapping", other.name);
    let properties = keyspace.properties(&[(&a, "id=key.id, c=value.c, d=value.d"), (&b, "id=key.id")]);
    let config = <CassandraSink as SinkConnector>::Config::from_properties(&properties).unwrap();

    let faults = CassandraSink.check(config).await;

    let found: Vec<_> = faults.iter().map(|fault| (fault.property.as_str(), fault.code)).collect();
    let missing = "cassandra.table_missing";
    assert_eq!(found, [("keyspace", missing), (&a, "cassandra.table_misfit"), (&b, missing)]);
    assert!(faults[0].hint.as_ref().unwrap().contains("CREATE KEYSPACE"));
    assert!(faults[1].message.contains("counter") && faults[1].message.contains("`d` is missing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_passes_and_an_unknown_data_centre_does_not() {
    let keyspace = Keyspace::named("connect").await;

    let error = open(&keyspace.properties(&[("port", "1")])).await.err().unwrap();
    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "cassandra.unreachable"));
    let error = open(&keyspace.properties(&[("loadBalancing.localDc", "mars")])).await.err().unwrap();
    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "cassandra.data_centre"));
    assert!(error.to_string().contains("datacenter1"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consistency_that_cannot_be_reached_is_tried_again() {
    let keyspace = Keyspace::fresh("consistency").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    let more = [("consistencyLevel", "TWO"), ("schema.policy", "none")];
    let mut sink = keyspace.sink(&more).await;
    let record = [Source::users().change(Operation::Create, &user(1, "a", "b"), 1000)];

    let error = write(&mut sink, &record).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "cassandra.request_failed"));
    assert!(error.report().contains(&format!("{:?}", Consistency::Two)), "{}", error.report());
}
