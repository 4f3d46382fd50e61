//! Heartbeats and notifications.

use sluice_core::record::{Datum, Payload, Record};
use sluice_core::source::Source as _;
use sluice_core::value::Value;

use crate::harness::{Database, Reader};

const NO_DATA: (&str, &str) = ("snapshot.mode", "no_data");
const BEAT: (&str, &str) = ("heartbeat.interval.ms", "20");
const SINK: [(&str, &str); 2] =
    [("notification.enabled.channels", "sink,log"), ("notification.sink.topic.name", "told")];

fn is_heartbeat(record: &Record) -> bool {
    &*record.topic == "__debezium-heartbeat.p"
}

async fn await_heartbeat(reader: &mut Reader) {
    while !reader.batch().await.unwrap().records.iter().any(is_heartbeat) {}
}

/// The types of notifications, the number of rows behind them; `-` for other records.
fn outline(record: &Record) -> String {
    let Payload::Plain(Datum { value: Value::Struct(value), .. }) = &record.value else {
        return "-".to_owned();
    };
    let Some(Value::Map(data)) = value.value("additional_data") else { return "-".to_owned() };
    let rows = data.iter().find(|(name, _)| name.as_str() == Some("total_rows_scanned"));
    let rows = rows.and_then(|(_, rows)| rows.as_str()).unwrap_or_default();
    format!("{} {rows}", value.value("type").and_then(Value::as_str).unwrap()).trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_source_beats_and_runs_the_statement_with_the_roles_own_search_path() {
    let database = Database::new("heartbeat_idle", "CREATE TABLE beats (at timestamptz)").await;
    let query = ("heartbeat.action.query", "INSERT INTO beats VALUES (now())");
    let mut reader = database.open(&[NO_DATA, BEAT, query, ("table.exclude.list", "public.beats")]).await;

    while database.text("SELECT (count(*) > 2)::text FROM beats").await == "false" {
        await_heartbeat(&mut reader).await;
    }

    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_that_fails_stops_nothing() {
    let database = Database::new("heartbeat_fails", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA, BEAT, ("heartbeat.action.query", "TABLE missing")]).await;
    await_heartbeat(&mut reader).await;
    await_heartbeat(&mut reader).await;

    database.run("INSERT INTO t VALUES (1)").await;
    while !reader.batch().await.unwrap().records.iter().any(|record| &*record.topic == "p.public.t") {}

    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_that_waits_for_a_lock_does_not_hold_up_the_stream() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE beats (at timestamptz)";
    let database = Database::new("heartbeat_waits", tables).await;
    let query = ("heartbeat.action.query", "INSERT INTO beats VALUES (now())");
    let mut reader = database.open(&[NO_DATA, BEAT, query]).await;
    // Not before: the slot is made only when there is no open transaction.
    let other = database.session().await;
    other.batch_execute("BEGIN; LOCK TABLE beats").await.unwrap();
    await_heartbeat(&mut reader).await;
    await_heartbeat(&mut reader).await;

    database.run("INSERT INTO t VALUES (1)").await;
    while !reader.batch().await.unwrap().records.iter().any(|record| &*record.topic == "p.public.t") {}

    reader.close().await;
    other.batch_execute("ROLLBACK").await.unwrap();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_do_not_move_the_position_into_a_transaction() {
    let database = Database::new("heartbeat_position", "CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut reader = database.open(&[NO_DATA, ("heartbeat.interval.ms", "1")]).await;
    database.run("INSERT INTO t SELECT generate_series(1, 20000)").await;

    let mut rows = 0;
    while rows < 20_000 {
        let batch = reader.batch().await.unwrap();
        rows += batch.records.iter().filter(|record| !is_heartbeat(record)).count();
        let moved = batch.position.is_some_and(|position| position.last_commit.is_some());
        assert_eq!(moved, rows == 20_000, "after {rows} rows");
    }

    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_is_told_of_and_a_later_start_without_one() {
    let tables = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
        INSERT INTO b VALUES (1), (2)";
    let database = Database::new("notifications", tables).await;
    let mut reader = database.open(&SINK).await;

    let told = reader.snapshot().await;
    let position = reader.close().await;
    let mut reader = database.open_at(&SINK, position).await.unwrap();
    let again = reader.batch().await.unwrap();

    let expected = [
        "STARTED",
        "IN_PROGRESS",
        "TABLE_SCAN_COMPLETED 0",
        "IN_PROGRESS",
        "-",
        "-",
        "TABLE_SCAN_COMPLETED 2",
        "COMPLETED",
    ];
    assert_eq!(told.iter().map(outline).collect::<Vec<_>>(), expected);
    assert_eq!(again.records.iter().map(outline).collect::<Vec<_>>(), ["SKIPPED"]);
    reader.close().await;
    database.remove().await;
}

/// Debezium 3.6.1 makes the same notifications, as its log shows; those after the failure do not reach its topic.
#[tokio::test(flavor = "multi_thread")]
async fn snapshot_that_fails_is_told_of_before_the_source_fails() {
    let tables =
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int);
        INSERT INTO a VALUES (1), (2); INSERT INTO b SELECT generate_series(1, 5); INSERT INTO c VALUES (1)";
    let database = Database::new("notified_failure", tables).await;
    let refused = [
        ("snapshot.select.statement.overrides", "public.b"),
        ("snapshot.select.statement.overrides.public.b", "SELECT id / (4 - id) AS id FROM b"),
    ];
    let mut reader = database.open(&[SINK, refused].concat()).await;

    let mut told = Vec::new();
    let error = loop {
        match reader.task.next_batch().await {
            Ok(batch) => told.extend(batch.expect("the snapshot does not end").records),
            Err(error) => break error,
        }
    };

    let expected = [
        "STARTED",
        "IN_PROGRESS",
        "-",
        "-",
        "TABLE_SCAN_COMPLETED 2",
        "IN_PROGRESS",
        "TABLE_SCAN_COMPLETED",
        "ABORTED",
    ];
    assert_eq!(told.iter().map(outline).collect::<Vec<_>>(), expected);
    assert!(error.report().contains("division by zero"), "{}", error.report());
    reader.close().await;
    database.remove().await;
}
