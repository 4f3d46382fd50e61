//! `compatibility=debezium` beyond single types: what rows and keys become.

use serde_json::{Value as Json, json};
use sluice_core::record::Record;
use sluice_core::value::Value;

use crate::connect_json::value_json;
use crate::harness::{Database, change, code, key};

fn row(values: Option<&Vec<Value>>) -> Json {
    values.map_or(Json::Null, |values| values.iter().map(value_json).collect())
}

/// Operation, key, row before and row after; a tombstone has its key alone.
fn shown(record: &Record) -> Json {
    match code(record) {
        "-" => json!(["-", key(record)]),
        operation => {
            let change = change(record);
            json!([operation, key(record), row(change.before.as_ref()), row(change.after.as_ref())])
        }
    }
}

const DEBEZIUM: (&str, &str) = ("compatibility", "debezium");

#[tokio::test(flavor = "multi_thread")]
async fn keys_outside_the_replica_identity_are_zero_as_recorded() {
    let table =
        "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int); CREATE UNIQUE INDEX ti ON t (a);
                 ALTER TABLE t REPLICA IDENTITY USING INDEX ti; INSERT INTO t VALUES (1, 'a', 1)";
    let database = Database::new("zero_keys", table).await;
    let mut reader = database.open(&[DEBEZIUM]).await;
    let mut records = reader.snapshot().await;
    database
        .run(
            "INSERT INTO t VALUES (2, 'b', 2); UPDATE t SET b = 5 WHERE id = 1;
             UPDATE t SET a = 'z' WHERE id = 1; DELETE FROM t WHERE id = 1",
        )
        .await;
    records.extend(reader.records(7).await);

    let expected = json!([
        ["r", 1, null, [1, "a", 1]],
        ["c", 2, null, [2, "b", 2]],
        ["u", 1, null, [1, "a", 5]],
        ["d", 0, [0, "a", null], null],
        ["-", 0],
        ["c", 1, null, [1, "z", 5]],
        ["d", 0, [0, "z", null], null],
        ["-", 0],
    ]);
    assert_eq!(records.iter().map(shown).collect::<Json>(), expected);
    reader.close().await;
    database.remove().await;
}
