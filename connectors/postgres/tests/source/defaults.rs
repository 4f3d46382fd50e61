//! Defaults of columns in schemas.

use serde_json::{Value as Json, json};

use crate::connect_json::value_json;
use crate::harness::{Database, change};

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_those_that_debezium_registered() {
    let table =
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE d (id int PRIMARY KEY, a int DEFAULT 5, b text DEFAULT 'x', c numeric(8, 2) DEFAULT 1.25,
         d timestamptz DEFAULT '2020-01-01 00:00:00+00', e boolean NOT NULL DEFAULT false, f date DEFAULT '2020-01-02',
         g uuid DEFAULT '00000000-0000-0000-0000-000000000001', h jsonb DEFAULT '{}', i text NOT NULL DEFAULT 'n',
         j timestamp DEFAULT now(), k int[] DEFAULT '{1,2}', l bytea DEFAULT '\\x01', m interval DEFAULT '1 day',
         n mood DEFAULT 'ok', o varchar(5) DEFAULT NULL, p real DEFAULT 1.5, q time DEFAULT '01:02:03', s serial,
         t timestamptz DEFAULT now()); INSERT INTO d (id) VALUES (1)"
    ;
    let database = Database::new("defaults", table).await;
    let mut reader = database.open(&[]).await;
    let records = reader.snapshot().await;

    let row = &change(&records[0]).schema.row;
    let defaults: Vec<_> = row
        .fields()
        .iter()
        .map(|field| field.schema.default.as_ref().map_or(Json::Null, value_json))
        .collect();
    let expected = json!([
        null,
        5,
        "x",
        "fQ==",
        "2020-01-01T00:00:00.000000Z",
        false,
        18263,
        "00000000-0000-0000-0000-000000000001",
        "{}",
        "n",
        0,
        null,
        null,
        86_400_000_000_i64,
        "ok",
        null,
        1.5,
        3_723_000_000_i64,
        0,
        "1970-01-01T00:00:00.000000Z"
    ]);
    assert_eq!(Json::from(defaults), expected);
    reader.close().await;
    database.remove().await;
}
