//! The replication client against a real Postgres, 15 or later.
//!
//! The server is named by `SLUICE_TEST_POSTGRES`; its role must be a superuser.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, but not what they share")]

mod support;

use std::time::{Duration, Instant};

use sluice_postgres::lsn::Lsn;
use sluice_postgres::pgoutput::{Column, Message, OldTuple, TupleData, Update};
use sluice_postgres::replication::{
    Authentication, Frame, ReplicationClient, ReplicationError, SlotSnapshot, Streaming, quote_identifier,
};

use support::{Fixture, Messages, PATIENCE, admin, connect, connect_options};

fn texts(tuple: &TupleData) -> Vec<Option<String>> {
    tuple
        .columns()
        .map(|column| match column {
            Column::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
            Column::Null => None,
            Column::Unchanged => Some("unchanged".to_owned()),
            Column::Binary(_) => panic!("text was asked for"),
        })
        .collect()
}

fn commit_end(transaction: &[Message]) -> Lsn {
    match transaction.last() {
        Some(Message::Commit(commit)) => commit.end_lsn,
        other => panic!("a transaction ends with its commit, not with {other:?}"),
    }
}

fn inserts(transaction: &[Message]) -> Vec<Vec<Option<String>>> {
    transaction
        .iter()
        .filter_map(|message| match message {
            Message::Insert(insert) => Some(texts(&insert.new)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn session_is_authenticated_by_scram_and_has_no_timeouts() {
    let mut client = connect();

    let expected =
        if client.encrypted() { Authentication::ScramSha256Plus } else { Authentication::ScramSha256 };
    assert_eq!(client.authentication(), expected);
    assert!(client.server_major() >= 15);
    for (name, value) in [
        ("tcp_user_timeout", "10000"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("TimeZone", "UTC"),
    ] {
        let answer = client.simple_query(&format!("SHOW {name}")).unwrap();
        assert_eq!(answer.rows, [[Some(value.to_owned())]], "{name}");
    }
}

#[tokio::test]
async fn system_is_identified() {
    let sql = "SELECT system_identifier::text FROM pg_control_system()";
    let expected: String = admin().await.query_one(sql, &[]).await.unwrap().get(0);
    let mut client = connect();

    let identity = client.identify_system().unwrap();

    assert_eq!(identity.system_id, expected);
    assert_eq!(identity.database, Some(connect_options().database));
    assert!(identity.xlogpos.valid());
    assert_eq!(client.timeline_history(1).unwrap(), []);
}

#[tokio::test]
async fn wrong_password_and_unknown_database_are_refused_with_their_codes() {
    let mut wrong = connect_options();
    wrong.password = Some("certainly not".to_owned().into());
    let mut unknown = connect_options();
    unknown.database = "no such database".to_owned();

    let wrong = ReplicationClient::connect(&wrong).err().unwrap();
    let unknown = ReplicationClient::connect(&unknown).err().unwrap();

    assert!(matches!(wrong, ReplicationError::Authentication { .. }));
    assert_eq!(wrong.sqlstate(), Some("28P01"));
    assert_eq!(unknown.sqlstate(), Some("3D000"));
}

#[tokio::test]
async fn session_goes_on_after_a_refused_command() {
    let mut client = connect();

    let error = client.simple_query("SELECT 1/0").unwrap_err();
    let answer = client.simple_query("SELECT 1 AS one, NULL AS none").unwrap();

    assert_eq!(error.sqlstate(), Some("22012"));
    assert_eq!(answer.columns, ["one", "none"]);
    assert_eq!(answer.rows, [[Some("1".to_owned()), None]]);
}

#[tokio::test]
async fn exported_snapshot_lasts_until_the_next_command() {
    let fixture = Fixture::new("snapshot").await;
    fixture.execute("INSERT INTO $table VALUES (1)").await;
    let mut client = connect();
    let name = "sluice_test_snapshot_2";
    let _ = client.simple_query(&format!("DROP_REPLICATION_SLOT {name}"));

    let slot = client.create_logical_slot(name, SlotSnapshot::Export, false).unwrap();
    fixture.execute("INSERT INTO $table VALUES (2)").await;
    let adopt = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{}'",
        slot.snapshot_name.unwrap()
    );
    let table = quote_identifier(&fixture.name);
    let count = format!("SELECT count(*)::text FROM {table}");
    fixture.execute(&adopt).await;
    let seen = fixture.text(&count).await;
    fixture.execute("COMMIT").await;

    assert_eq!(seen, "1");
    client.simple_query(&format!("DROP_REPLICATION_SLOT {name}")).unwrap();
    assert!(fixture.sql.batch_execute(&adopt).await.is_err());
    fixture.execute("ROLLBACK").await;
    fixture.remove().await;
}

#[tokio::test]
async fn a_wait_for_a_slot_can_be_interrupted() {
    let fixture = Fixture::new("interrupt").await;
    fixture.execute("BEGIN; INSERT INTO $table VALUES (1)").await;
    let mut client = connect();
    let interrupt = client.interrupt_handle().unwrap();

    let waiting = tokio::task::spawn_blocking(move || {
        client.create_logical_slot("sluice_test_interrupted", SlotSnapshot::NoExport, false)
    });
    interrupt.interrupt();

    assert!(matches!(waiting.await.unwrap(), Err(ReplicationError::Closed)));
    fixture.execute("ROLLBACK").await;
    fixture.remove().await;
}

/// Postgres may describe a relation again at any time, so the place of a change is not fixed.
fn only_update(transaction: &[Message]) -> &Update {
    let update = transaction.iter().find(|message| matches!(message, Message::Update(_)));
    let Some(Message::Update(update)) = update else { panic!("{transaction:?}") };
    update
}

#[tokio::test]
async fn every_kind_of_change_arrives_in_commit_order() {
    let fixture = Fixture::new("changes").await;
    let mut options = fixture.options();
    options.messages = true;
    let mut messages = Messages::new(fixture.start(&options));

    fixture.execute("INSERT INTO $table VALUES (1, 'it''s', repeat('z', 9000))").await;
    fixture.execute("UPDATE $table SET name = NULL").await;
    fixture.execute("UPDATE $table SET id = 2").await;
    fixture.execute("DELETE FROM $table").await;
    fixture.execute("TRUNCATE $table").await;
    fixture.execute("SELECT pg_logical_emit_message(true, 'to', 'whom')").await;

    let insert = inserts(&messages.transaction().await);
    assert_eq!(insert[0][..2], [Some("1".to_owned()), Some("it's".to_owned())]);
    assert_eq!(insert[0][2].as_ref().unwrap().len(), 9000);
    let update = messages.transaction().await;
    let update = only_update(&update);
    assert_eq!(texts(&update.new), [Some("1".into()), None, Some("unchanged".into())]);
    let key = messages.transaction().await;
    let key = only_update(&key);
    let Some(OldTuple::Key(old)) = &key.old else { panic!("{key:?}") };
    assert_eq!(texts(old)[0], Some("1".to_owned()));
    let delete = messages.transaction().await;
    assert!(delete.iter().any(|message| matches!(message, Message::Delete(_))), "{delete:?}");
    let truncate = messages.transaction().await;
    assert!(truncate.iter().any(|message| matches!(message, Message::Truncate(_))));
    let emitted = messages.transaction().await;
    let Message::Message(emitted) = &emitted[1] else { panic!("{emitted:?}") };
    assert_eq!((&*emitted.prefix, &emitted.content[..]), ("to", &b"whom"[..]));
    fixture.remove().await;
}

#[tokio::test]
async fn acknowledged_transactions_do_not_come_again() {
    let fixture = Fixture::new("resume").await;
    let mut messages = Messages::new(fixture.start(&fixture.options()));
    fixture.execute("INSERT INTO $table VALUES (1)").await;
    fixture.execute("INSERT INTO $table VALUES (2)").await;
    let first = messages.transaction().await;
    messages.transaction().await;

    messages.stream.ack_handle().acknowledge(commit_end(&first));
    messages.stream.shutdown().await;

    assert_eq!(fixture.confirmed().await, commit_end(&first));
    let mut again = Messages::new(fixture.start(&fixture.options()));
    assert_eq!(inserts(&again.transaction().await)[0][0], Some("2".to_owned()));
    drop(again);
    fixture.remove().await;
}

#[tokio::test]
async fn acknowledged_keepalives_move_an_idle_slot() {
    let fixture = Fixture::new("idle").await;
    let mut messages = Messages::new(fixture.start(&fixture.options()));
    let acknowledge = messages.stream.ack_handle();
    fixture.execute("CREATE TABLE IF NOT EXISTS unpublished (id int)").await;
    fixture.execute("INSERT INTO unpublished SELECT generate_series(1, 1000)").await;
    fixture.execute("DROP TABLE unpublished").await;
    let target = fixture.current_wal_lsn().await;

    loop {
        if let Frame::Keepalive(keepalive) = messages.frame().await {
            acknowledge.acknowledge(keepalive.wal_end);
            if keepalive.wal_end >= target {
                break;
            }
        }
    }

    fixture.await_confirmed(target).await;
    drop(messages);
    fixture.remove().await;
}

#[tokio::test]
async fn nothing_is_confirmed_that_was_not_acknowledged_or_not_sent() {
    let fixture = Fixture::new("clamp").await;
    let mut messages = Messages::new(fixture.start(&fixture.options()));
    fixture.execute("INSERT INTO $table VALUES (1)").await;
    let end = commit_end(&messages.transaction().await);
    assert!(fixture.confirmed().await <= fixture.start_lsn);

    messages.stream.ack_handle().acknowledge(Lsn::new(u64::MAX));
    fixture.await_confirmed(end).await;

    assert!(fixture.confirmed().await <= messages.stream.received());
    drop(messages);
    fixture.remove().await;
}

/// A role whose sessions are cut off after four seconds of silence.
async fn impatient(fixture: &Fixture) -> ReplicationClient {
    fixture
        .execute(
            "DROP ROLE IF EXISTS sluice_test_impatient;
             CREATE ROLE sluice_test_impatient LOGIN SUPERUSER PASSWORD 'impatient';
             ALTER ROLE sluice_test_impatient SET wal_sender_timeout = '4s'",
        )
        .await;
    let mut options = connect_options();
    options.user = "sluice_test_impatient".to_owned();
    options.password = Some("impatient".to_owned().into());
    ReplicationClient::connect(&options).unwrap()
}

#[tokio::test]
async fn connection_survives_a_consumer_that_stands_still() {
    const ROWS: usize = 100_000;

    let fixture = Fixture::new("stalled").await;
    let client = impatient(&fixture).await;
    assert_eq!(client.wal_sender_timeout(), Some(Duration::from_secs(4)));
    let mut options = fixture.options();
    options.mailbox_bytes = 64 * 1024;
    let stream = client.start(&options).unwrap();
    let fill = format!("INSERT INTO $table SELECT g, repeat('x', 100) FROM generate_series(1, {ROWS}) g");
    fixture.execute(&fill).await;
    let walsender = fixture.walsender().await;

    fixture.wait(Duration::from_secs(10)).await;

    assert_eq!(fixture.walsender().await, walsender);
    let mut messages = Messages::new(stream);
    assert_eq!(inserts(&messages.transaction().await).len(), ROWS);
    drop(messages);
    fixture.remove().await;
}

#[tokio::test]
async fn silence_does_not_end_a_healthy_stream() {
    let fixture = Fixture::new("silence").await;
    let mut options = fixture.options();
    options.liveness_timeout = Duration::from_millis(500);
    let mut messages = Messages::new(fixture.start(&options));

    fixture.wait(Duration::from_secs(3)).await;
    fixture.execute("INSERT INTO $table VALUES (1)").await;

    assert_eq!(inserts(&messages.transaction().await).len(), 1);
    drop(messages);
    fixture.remove().await;
}

#[tokio::test]
async fn ended_walsender_is_an_error_after_the_last_frame() {
    let fixture = Fixture::new("terminated").await;
    let mut messages = Messages::new(fixture.start(&fixture.options()));
    fixture.execute("INSERT INTO $table VALUES (1)").await;
    messages.transaction().await;

    let pid = fixture.walsender().await;
    fixture.execute(&format!("SELECT pg_terminate_backend({pid})")).await;

    let error = loop {
        match tokio::time::timeout(PATIENCE, messages.stream.next_batch()).await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), Some("57P01"), "{error}");
    let after = messages.stream.next_batch().await.err().unwrap();
    assert!(matches!(after, ReplicationError::Closed));
    fixture.remove().await;
}

#[tokio::test]
async fn busy_missing_and_wedged_slots_have_their_codes() {
    let fixture = Fixture::new("codes").await;
    let mut stream = fixture.start(&fixture.options());
    let mut missing = fixture.options();
    missing.slot = "sluice_test_no_such_slot".to_owned();

    let busy = connect().start(&fixture.options()).err().unwrap();
    let missing = connect().start(&missing).err().unwrap();
    let table = quote_identifier(&fixture.name);
    fixture.execute(&format!("DROP PUBLICATION {table}")).await;
    fixture.execute("INSERT INTO $table VALUES (1)").await;
    let wedged = loop {
        match tokio::time::timeout(PATIENCE, stream.next_batch()).await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };

    assert_eq!(busy.sqlstate(), Some("55006"));
    assert_eq!(missing.sqlstate(), Some("42704"));
    assert_eq!(wedged.sqlstate(), Some("42704"));
    fixture.remove().await;
}

#[tokio::test]
async fn streamed_savepoint_rollback_names_the_sub_transaction() {
    let fixture = Fixture::new("streamed").await;
    let mut client = connect();
    client.simple_query("SET logical_decoding_work_mem = '64kB'").unwrap();
    let mut options = fixture.options();
    options.protocol = 2;
    options.streaming = Streaming::On;
    let mut messages = Messages::new(client.start(&options).unwrap());

    fixture
        .execute(
            "BEGIN;
             INSERT INTO $table SELECT g FROM generate_series(1, 5000) g;
             SAVEPOINT s;
             INSERT INTO $table SELECT g FROM generate_series(10001, 15000) g;
             ROLLBACK TO s;
             INSERT INTO $table SELECT g FROM generate_series(20001, 25000) g;
             COMMIT",
        )
        .await;

    let mut rows = Vec::new();
    let mut aborted = None;
    let top = loop {
        match messages.next().await {
            Message::Insert(insert) => rows.push(insert.xid.unwrap()),
            Message::StreamAbort(abort) => {
                assert_ne!(abort.xid, abort.sub_xid);
                rows.retain(|xid| *xid != abort.sub_xid);
                aborted = Some(abort);
            }
            Message::StreamCommit(commit) => break commit.xid,
            _ => {}
        }
    };
    assert_eq!(aborted.map(|abort| abort.xid), Some(top));
    assert_eq!(rows.len(), 10_000);
    drop(messages);
    fixture.remove().await;
}

#[tokio::test]
async fn a_value_longer_than_every_buffer_arrives_whole() {
    const LENGTH: usize = 20_000_000;

    let fixture = Fixture::new("large").await;
    let mut messages = Messages::new(fixture.start(&fixture.options()));

    fixture.execute(&format!("INSERT INTO $table VALUES (1, 'a', repeat('é', {}))", LENGTH / 2)).await;

    let rows = inserts(&messages.transaction().await);
    assert_eq!(rows[0][2].as_ref().unwrap().len(), LENGTH);
    drop(messages);
    fixture.remove().await;
}

#[tokio::test]
async fn dropping_a_stream_frees_its_slot_at_once() {
    let fixture = Fixture::new("dropped").await;
    let stream = fixture.start(&fixture.options());

    let start = Instant::now();
    drop(stream);

    assert!(start.elapsed() < Duration::from_secs(1));
    while fixture.walsender().await != "none" {
        assert!(start.elapsed() < PATIENCE);
    }
    fixture.remove().await;
}
