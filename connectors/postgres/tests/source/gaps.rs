//! A restart that would lose changes is refused.

use sluice_core::config::Severity;
use sluice_core::source::Source as _;
use sluice_core::{Error, ErrorClass};
use sluice_postgres::Position;

use crate::harness::{Database, PATIENCE, Reader, eventually, key};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");

/// How many sessions have looked for their slot, and for nothing since.
const LOOKING: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                       AND query LIKE '%pg_replication_slots WHERE slot_name = $1%' AND pid <> pg_backend_pid()";

/// A database whose source read one change and stopped.
async fn stopped(test: &str) -> (Database, Option<Position>) {
    let database = Database::new(test, "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("INSERT INTO t VALUES (1)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.close().await;
    let active =
        format!("SELECT active::text FROM pg_replication_slots WHERE slot_name = '{}'", database.name);
    eventually(&database, &active, |active| active == "false").await;
    (database, position)
}

async fn refused(database: &Database, pairs: &[(&str, &str)], position: Option<Position>) -> Error {
    let error = database.open_at(pairs, position).await.err().expect("the start is refused");
    assert_eq!(error.class(), ErrorClass::Stop, "{}", error.report());
    assert!(error.hint().is_some(), "{}", error.report());
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_slot_is_a_gap() {
    let (database, position) = stopped("gap_dropped").await;
    database.drop_slot().await;

    assert_eq!(refused(&database, &[NO_DATA], position).await.code(), "postgres.slot_missing");
    let slots = database
        .text("SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()")
        .await;
    assert_eq!(slots, "0", "no slot is made in its place");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_slot_is_a_gap() {
    let (database, position) = stopped("gap_recreated").await;
    database.drop_slot().await;
    database.run("INSERT INTO t VALUES (2)").await;
    database
        .run(&format!("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", database.name))
        .await;

    assert_eq!(refused(&database, &[NO_DATA], position).await.code(), "postgres.slot_ahead");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_slot_is_a_gap_unless_it_is_trusted() {
    let (database, position) = stopped("gap_advanced").await;
    database.run("INSERT INTO t VALUES (2)").await;
    database
        .run(&format!("SELECT pg_replication_slot_advance('{}', pg_current_wal_flush_lsn())", database.name))
        .await;

    let strict = [NO_DATA, ("offset.mismatch.strategy", "trust_offset")];
    for pairs in [&[NO_DATA][..], &strict] {
        assert_eq!(refused(&database, pairs, position.clone()).await.code(), "postgres.slot_ahead");
    }
    let trusting = [NO_DATA, ("offset.mismatch.strategy", "trust_slot")];
    let mut reader = database.open_at(&trusting, position).await.unwrap();
    database.run("INSERT INTO t VALUES (3)").await;
    assert_eq!(reader.records(1).await.iter().map(key).collect::<Vec<_>>(), [3]);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn position_of_another_cluster_is_refused() {
    let (database, position) = stopped("gap_cluster").await;
    let other = position.clone().map(|position| Position { system_id: "1".to_owned(), ..position });
    let ahead = position.map(|position| Position { timeline: 9, ..position });

    assert_eq!(refused(&database, &[NO_DATA], other).await.code(), "postgres.other_cluster");
    assert_eq!(refused(&database, &[NO_DATA], ahead).await.code(), "postgres.diverged");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_of_another_plugin_is_refused() {
    let database = Database::new("gap_plugin", "CREATE TABLE t (id int PRIMARY KEY)").await;
    database
        .run(&format!("SELECT pg_create_logical_replication_slot('{}', 'test_decoding')", database.name))
        .await;

    assert_eq!(refused(&database, &[NO_DATA], None).await.code(), "postgres.slot_unfit");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_in_use_is_waited_for_and_then_refused() {
    let database = Database::new("gap_in_use", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let first = database.open(&[NO_DATA]).await;

    let impatient = [NO_DATA, ("slot.max.retries", "1"), ("slot.retry.delay.ms", "10")];
    let error = refused(&database, &impatient, None).await;
    assert_eq!(error.code(), "postgres.slot_in_use");
    assert!(error.to_string().contains("application sluice"), "{error}");

    let (second, ()) = tokio::join!(database.open_at(&[NO_DATA], None), async {
        first.close().await;
    });
    second.expect("the slot is free after the first has closed").close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_is_dropped_on_stop_if_asked() {
    let database = Database::new("drop_on_stop", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let reader = database.open(&[NO_DATA, ("slot.drop.on.stop", "true")]).await;

    reader.close().await;

    let slots = database
        .text("SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()")
        .await;
    assert_eq!(slots, "0");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_publication_and_unpublished_table_are_refused() {
    let database =
        Database::new("gap_publication", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int)")
            .await;
    let disabled = ("publication.autocreate.mode", "disabled");

    let error = refused(&database, &[NO_DATA, disabled], None).await;
    assert_eq!(error.code(), "postgres.publication_missing");

    database.run(&format!("CREATE PUBLICATION {} FOR TABLE t", database.name)).await;
    let error = refused(&database, &[NO_DATA, disabled, ("table.include.list", "public.u")], None).await;
    assert_eq!(error.code(), "postgres.table_not_published");
    assert!(error.hint().unwrap().contains("ADD TABLE \"public\".\"u\""), "{}", error.report());
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publication_narrowed_while_stopped_is_a_gap() {
    let (database, position) = stopped("gap_narrowed_stopped").await;
    database.run(&format!("ALTER PUBLICATION {} SET (publish = 'insert, update')", database.name)).await;

    let error = refused(&database, &[NO_DATA], position.clone()).await;
    assert_eq!(error.code(), "postgres.publication_changed");
    assert!(error.to_string().contains("delete"), "{error}");

    let name = &database.name;
    database
        .run(&format!("DROP PUBLICATION {name}; CREATE TABLE u (); CREATE PUBLICATION {name} FOR TABLE u"))
        .await;
    assert_eq!(refused(&database, &[NO_DATA], position).await.code(), "postgres.publication_changed");
    database.remove().await;
}

/// Reads until the source fails.
async fn failure(reader: &mut Reader) -> Error {
    loop {
        let batch =
            tokio::time::timeout(PATIENCE, reader.task.next_batch()).await.expect("it is noticed in time");
        if let Err(error) = batch {
            return error;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_publication_stops_the_source() {
    let database = Database::new("gap_narrowed", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA, ("publication.autocreate.mode", "filtered")]).await;
    database.run(&format!("ALTER PUBLICATION {} SET (publish = 'insert')", database.name)).await;

    let error = failure(&mut reader).await;

    assert_eq!((error.code(), error.class()), ("postgres.publication_changed", ErrorClass::Stop));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn column_taken_off_the_publication_stops_the_source_and_a_dropped_one_does_not() {
    let database = Database::new("gap_column", "CREATE TABLE t (id int PRIMARY KEY, a int, b int)").await;
    database.run(&format!("CREATE PUBLICATION {} FOR TABLE t (id, a)", database.name)).await;
    let mut reader = database.open(&[NO_DATA]).await;
    database.run("ALTER TABLE t DROP b").await;
    database.run(&format!("ALTER PUBLICATION {} SET TABLE t (id)", database.name)).await;

    let error = failure(&mut reader).await;

    assert_eq!((error.code(), error.class()), ("postgres.publication_changed", ErrorClass::Stop));
    assert!(error.to_string().contains("column `a` of table `public.t`"), "{error}");
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_type_is_refused_by_name_and_can_be_left_out() {
    let database = Database::new("gap_type", "CREATE TABLE t (id int PRIMARY KEY, place pg_lsn)").await;

    let error = refused(&database, &[NO_DATA], None).await;
    assert_eq!(error.code(), "postgres.unknown_type");
    assert!(error.to_string().contains("pg_lsn") && error.to_string().contains("place"), "{error}");

    let reader = database.open(&[NO_DATA, ("column.exclude.list", "public.t.place")]).await;
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_lists_all_that_is_missing() {
    let tables =
        "CREATE TABLE a (id int PRIMARY KEY, x pg_lsn); CREATE TABLE b (id int); CREATE TABLE c (id int)";
    let database = Database::new("check", tables).await;
    database
        .run(&format!(
            "CREATE PUBLICATION {} FOR TABLE a, b WITH (publish = 'insert, update')",
            database.name
        ))
        .await;
    let role = format!("{}_role", database.name);
    database.run(&format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;

    let faults = database
        .check(&[
            ("table.include.list", "public.*"),
            ("database.user", &role),
            ("database.password", "secret"),
        ])
        .await;

    let has = |code: &str| faults.iter().filter(|fault| fault.code == code).count();
    assert_eq!(has("postgres.privilege_missing"), 3, "REPLICATION and SELECT on two tables: {faults:#?}");
    assert_eq!(has("postgres.table_not_published"), 1, "{faults:#?}");
    assert_eq!(has("postgres.unknown_type"), 1, "{faults:#?}");
    assert_eq!(has("postgres.publication_narrow"), 1, "{faults:#?}");
    assert_eq!(has("postgres.replica_identity"), 1, "{faults:#?}");
    assert!(faults.iter().all(|fault| fault.hint.is_some()), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.severity == Severity::Warning));
    let slots = database
        .text("SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()")
        .await;
    assert_eq!(slots, "0", "a check changes nothing");
    database.run(&format!("DROP ROLE {role}")).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_of_a_sound_set_up_is_silent() {
    let database = Database::new("check_sound", "CREATE TABLE t (id int PRIMARY KEY, a text)").await;
    database.run(&format!("CREATE PUBLICATION {} FOR TABLE t", database.name)).await;

    let faults = database.check(&[("table.include.list", "public.t")]).await;

    assert_eq!(faults, []);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn position_beyond_the_end_of_the_log_is_refused() {
    let (database, position) = stopped("gap_ahead").await;
    // As after the restore of an old copy of the whole machine: same cluster, same timeline.
    let ahead = position.map(|position| Position { lsn: "FFFF/0".parse().unwrap(), ..position });

    assert_eq!(refused(&database, &[NO_DATA], ahead).await.code(), "postgres.position_ahead");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_publication_hides_no_gap() {
    let filtered = [NO_DATA, ("publication.autocreate.mode", "filtered")];
    let database =
        Database::new("gap_kept", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)")
            .await;
    let mut reader = database.open(&filtered).await;
    database.run("INSERT INTO t VALUES (1)").await;
    reader.records(1).await;
    reader.acknowledge().await;
    let position = reader.close().await;
    let name = &database.name;
    database.run(&format!("ALTER PUBLICATION {name} DROP TABLE t; INSERT INTO t VALUES (2)")).await;

    let error = refused(&database, &filtered, position.clone()).await;
    assert_eq!(error.code(), "postgres.publication_changed");
    assert!(error.to_string().contains("public.t"), "{error}");

    database.run(&format!("DROP PUBLICATION {name}")).await;
    assert_eq!(refused(&database, &filtered, position).await.code(), "postgres.publication_changed");
    let publications = database.text("SELECT count(*)::text FROM pg_publication").await;
    assert_eq!(publications, "0", "none is made in its place");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_that_moves_while_it_is_waited_for_is_a_gap() {
    let (database, position) = stopped("gap_moved").await;
    let mut first = database.open_at(&[NO_DATA], position.clone()).await.unwrap();

    let (second, ()) = tokio::join!(database.open_at(&[NO_DATA], position), async {
        eventually(&database, LOOKING, |count| count == "2").await;
        database.run("INSERT INTO t VALUES (2)").await;
        first.records(1).await;
        first.acknowledge().await;
        first.close().await;
    });

    assert_eq!(second.err().expect("the start is refused").code(), "postgres.slot_ahead");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_that_a_killed_start_still_makes_is_waited_for() {
    let database = Database::new("gap_making", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let writer = database.session().await;
    writer.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    let making = format!(
        "SELECT count(*)::text FROM pg_replication_slots WHERE slot_name = '{}' AND confirmed_flush_lsn IS NULL",
        database.name
    );
    // The server does not notice that its client is gone: it goes on making the slot.
    tokio::select! {
        _ = database.open_at(&[], None) => panic!("the start waits for the writer"),
        () = eventually(&database, &making, |count| count == "1") => {}
    }
    eventually(&database, LOOKING, |count| count == "0").await;
    assert_eq!(database.text(&making).await, "1", "the slot is still being made");

    let (reader, ()) = tokio::join!(database.open_at(&[], None), async {
        eventually(&database, LOOKING, |count| count == "1").await;
        writer.batch_execute("COMMIT").await.unwrap();
    });

    let mut reader = reader.expect("the slot is there in the end");
    assert_eq!(reader.snapshot().await.len(), 1);
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_table_does_not_stand_for_one_with_a_shorter_name() {
    let tables = "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);
                  CREATE TABLE part_1 PARTITION OF part DEFAULT;
                  CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE items (id int PRIMARY KEY)";
    let database = Database::new("gap_prefix", tables).await;
    database.run(&format!("CREATE PUBLICATION {} FOR TABLE items, part", database.name)).await;
    for unseen in ["public.item", "public.part"] {
        let list = format!("{unseen},public.items");
        let error = refused(&database, &[NO_DATA, ("table.include.list", &list)], None).await;
        assert_eq!(error.code(), "postgres.table_not_published");
        assert!(error.to_string().contains(&format!("`{unseen}`")), "{error}");
    }
    let whole = ("table.include.list", "public.items,public.part.*");
    let reader = database.open(&[NO_DATA, whole]).await;
    reader.close().await;
    database.remove().await;
}
