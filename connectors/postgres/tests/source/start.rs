//! What the start does to the database and is told by properties.

use sluice_core::ErrorClass;
use sluice_core::source::Source as _;

use crate::harness::{Database, after, codes, eventually, key};

#[tokio::test(flavor = "multi_thread")]
async fn replica_identity_that_the_role_may_not_set_stops_the_start() {
    let database = Database::new("identity_right", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let role = format!("{}_role", database.name);
    let statements = format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret';
         GRANT SELECT ON t TO {role}; CREATE PUBLICATION {} FOR TABLE t",
        database.name
    );
    database.run(&statements).await;
    let pairs = [
        ("database.user", role.as_str()),
        ("database.password", "secret"),
        ("replica.identity.autoset.values", "public.t:FULL"),
    ];

    let error = database.open_at(&pairs, None).await.err().expect("only the owner may alter a table");

    assert_eq!((error.code(), error.class()), ("postgres.privilege_missing", ErrorClass::Stop));
    assert!(error.to_string().contains("replica.identity.autoset.values"), "{error}");
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_statement_is_reported_without_the_values_of_rows() {
    let tables = "CREATE TABLE t (email text PRIMARY KEY); INSERT INTO t VALUES ('ada@example.org')";
    let database = Database::new("refused_statement", tables).await;
    let again = [("database.initial.statements", "INSERT INTO t SELECT lower(email) FROM t")];

    let error = database.open_at(&again, None).await.err().expect("the key is there already");

    let report = error.report();
    assert!(report.contains("duplicate key value violates unique constraint"), "{report}");
    assert!(!report.contains("ada@example.org"), "{report}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_server_is_reported_with_the_cause() {
    let database = Database::new("unreachable", "CREATE TABLE t (id int PRIMARY KEY)").await;

    let error = database.open_at(&[("database.port", "1")], None).await.err().expect("nobody listens there");

    assert_eq!((error.code(), error.class()), ("postgres.unreachable", ErrorClass::Retry));
    assert!(error.to_string().contains("refused"), "{error}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn table_with_two_configured_identities_is_named() {
    let database = Database::new("identity_twice", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let twice = [("replica.identity.autoset.values", "public.t:FULL,public\\..*:DEFAULT")];

    let error = database.open_at(&twice, None).await.err().expect("entries disagree");

    assert_eq!(error.code(), "postgres.ambiguous_identity");
    assert!(error.to_string().contains("`public.t`"), "{error}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_the_users_own_find_what_the_initial_statements_say() {
    let tables = "CREATE SCHEMA app; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
        CREATE TABLE app.chosen AS SELECT 2 AS id; CREATE TABLE app.beats (at timestamptz)";
    let database = Database::new("initial_own", tables).await;
    let options = [
        ("database.initial.statements", "SET search_path = app"),
        ("table.include.list", "public.t"),
        ("snapshot.select.statement.overrides", "public.t"),
        ("snapshot.select.statement.overrides.public.t", "SELECT id FROM chosen"),
        ("heartbeat.interval.ms", "20"),
        ("heartbeat.action.query", "INSERT INTO beats VALUES (now())"),
    ];

    let mut reader = database.open(&options).await;

    let rows = reader.snapshot().await;
    assert_eq!(key(&rows[0]), 2);
    eventually(&database, "SELECT (count(*) > 0)::text FROM app.beats", |beaten| beaten == "true").await;
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_begins_with_the_initial_statements() {
    let database = Database::new(
        "initial",
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE SEQUENCE sessions",
    )
    .await;
    let counted = [("database.initial.statements", "SELECT nextval('public.sessions')")];

    let mut reader = database.open(&counted).await;
    assert_eq!(codes(&reader.snapshot().await), "r");

    // One to look, one that holds the snapshot, one that reads it.
    assert_eq!(database.text("SELECT last_value::text FROM sessions").await, "3");
    reader.close().await;
    let wrong = [("database.initial.statements", "SET no_such_setting = 1")];
    let error = database.open_at(&wrong, None).await.err().expect("the statement is wrong");
    assert!(error.to_string().contains("database.initial.statements"), "{error}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_event_is_skipped_where_that_is_asked_for() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, n numeric(5, 2));
                  INSERT INTO t VALUES (1, 'NaN'), (2, 1)";
    let database = Database::new("event_failures", tables).await;

    let mut failing = database.open(&[]).await;
    let refused = failing.task.next_batch().await.unwrap().expect("the snapshot has rows").rejected;
    assert_eq!(refused.len(), 1);
    failing.close().await;
    let mut skipping = database.open(&[("event.processing.failure.handling.mode", "warn")]).await;

    let records = skipping.snapshot().await;

    assert_eq!(codes(&records), "r");
    assert_eq!(after(&records[0], "id").as_i64(), Some(2));
    skipping.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tables_than_the_guardrail_allows_stop_the_start() {
    let tables = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)";
    let database = Database::new("guardrail", tables).await;
    let limit = ("guardrail.collections.max", "1");

    let error = database.open_at(&[limit, ("guardrail.collections.limit.action", "fail")], None).await.err();
    assert_eq!(error.expect("there are two tables").code(), "postgres.too_many_tables");

    database.open(&[limit]).await.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_mode_reads_the_rows_again_when_the_slot_is_gone() {
    let database =
        Database::new("data_error", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let mode = [
        ("snapshot.mode", "configuration_based"),
        ("snapshot.mode.configuration.based.start.stream", "true"),
        ("snapshot.mode.configuration.based.snapshot.on.data.error", "true"),
    ];
    let mut reader = database.open(&mode).await;
    database.run("INSERT INTO t VALUES (2)").await;
    assert_eq!(codes(&reader.records(1).await), "c", "the first start reads no rows");
    let position = reader.close().await;
    database.drop_slot().await;

    let mut again = database.open_at(&mode, position).await.unwrap();

    assert_eq!(codes(&again.snapshot().await), "rr");
    again.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_differ_only_by_case_are_told_apart() {
    let tables = r#"CREATE TABLE t (id int PRIMARY KEY, a text, "A" text); INSERT INTO t VALUES (1, 'a', 'A');
                    CREATE TABLE "T" (id int PRIMARY KEY); INSERT INTO "T" VALUES (1)"#;
    let database = Database::new("case", tables).await;

    let mut reader = database.open(&[]).await;
    let records = reader.snapshot().await;

    let topics: Vec<_> = records.iter().map(|record| &*record.topic).collect();
    assert_eq!(topics, ["p.public.T", "p.public.t"]);
    assert_eq!((after(&records[1], "a").as_str(), after(&records[1], "A").as_str()), (Some("a"), Some("A")));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_would_share_a_topic_are_both_named() {
    let tables = r#"CREATE TABLE "Café" (id int PRIMARY KEY); CREATE TABLE "Cafè" (id int PRIMARY KEY)"#;
    let database = Database::new("collision", tables).await;

    let error = database.open_at(&[], None).await.err().expect("the topics are one");

    assert_eq!(error.code(), "postgres.topic_collision");
    for name in ["public.Café", "public.Cafè", "p.public.Caf_"] {
        assert!(error.to_string().contains(name), "{error}");
    }
    database.remove().await;
}
