//! Every type: the same from snapshot and stream, and what Debezium sent for it.
//!
//! `zoo.json` holds, for each column, its type, the value to insert, and the schema and value that
//! Debezium 3.6 sent through Kafka's JSON converter. Where Debezium loses something that Postgres
//! holds (`a_time`: microseconds), the value is what Postgres holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

use crate::harness::{Database, change, codes};

const TYPES: &str = "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
                     CREATE DOMAIN posint AS integer CHECK (value > 0); CREATE DOMAIN money2 AS numeric(8, 2);";

fn zoo() -> Vec<Json> {
    serde_json::from_str(include_str!("zoo.json")).unwrap()
}

/// Writes a value as Kafka's JSON converter does.
fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Float32(value) => value.to_string().parse::<f64>().map_or(Json::Null, |value| json!(value)),
        Value::Float64(value) => json!(value),
        Value::String(text) => json!(&**text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Array(values) => values.iter().map(value_json).collect(),
        Value::Struct(value) => {
            let fields = value.schema().fields().iter().zip(value.values());
            fields.map(|(field, value)| (field.name.to_string(), value_json(value))).collect()
        }
        number => json!(number.as_i64().expect("all others are integers")),
    }
}

fn schema_json(schema: &Schema, field: Option<&str>) -> Json {
    let mut json = json!({ "type": schema.kind.name(), "optional": schema.optional });
    match &schema.kind {
        Kind::Struct(fields) => {
            json["fields"] =
                fields.iter().map(|field| schema_json(&field.schema, Some(&field.name))).collect();
        }
        Kind::Array(items) => json["items"] = schema_json(items, None),
        Kind::Float32 => json["type"] = "float".into(),
        Kind::Float64 => json["type"] = "double".into(),
        _ => {}
    }
    for (name, text) in [("name", &schema.name), ("doc", &schema.doc), ("field", &field.map(Into::into))] {
        if let Some(text) = text {
            json[name] = (**text).into();
        }
    }
    if let Some(version) = schema.version {
        json["version"] = version.into();
    }
    for (key, value) in &schema.parameters {
        json["parameters"][&**key] = (**value).into();
    }
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_and_stream_yield_what_debezium_sent() {
    let zoo = zoo();
    let text = |column: &Json, name: &str| column[name].as_str().unwrap().to_owned();
    let columns: Vec<_> =
        zoo.iter().map(|column| format!("{} {}", text(column, "column"), text(column, "type"))).collect();
    let values: Vec<_> = zoo.iter().map(|column| text(column, "insert")).collect();
    let values = values.join(", ");
    let table = format!(
        "{TYPES} CREATE TABLE zoo (id int PRIMARY KEY, {}); INSERT INTO zoo VALUES (1, {values}); INSERT INTO zoo (id) VALUES (2)",
        columns.join(", ")
    );
    let database = Database::new("zoo", &table).await;
    let mut reader = database.open(&[]).await;
    let snapshot = reader.snapshot().await;
    database.run(&format!("INSERT INTO zoo VALUES (11, {values}); INSERT INTO zoo (id) VALUES (12)")).await;
    let streamed = reader.records(2).await;

    assert_eq!((codes(&snapshot), codes(&streamed)), ("rr".to_owned(), "cc".to_owned()));
    for (read, created) in snapshot.iter().zip(&streamed) {
        let (read, created) = (change(read), change(created));
        assert_eq!(read.schema, created.schema);
        assert_eq!(read.after.as_ref().unwrap()[1..], created.after.as_ref().unwrap()[1..]);
    }
    let full = change(&snapshot[0]);
    let row = full.after.as_ref().unwrap();
    for ((column, field), value) in zoo.iter().zip(&full.schema.row.fields()[1..]).zip(&row[1..]) {
        assert_eq!(
            schema_json(&field.schema, Some(&field.name)),
            column["schema"],
            "schema of {}",
            field.name
        );
        assert_eq!(value_json(value), column["value"], "value of {}", field.name);
    }
    assert!(change(&snapshot[1]).after.as_ref().unwrap()[1..].iter().all(Value::is_null));
    reader.close().await;
    database.remove().await;
}

/// A value at the edge of its type: type, value, option, what is expected as JSON.
type Edge = (&'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const EDGES: [Edge; 29] = [
    ("float8", "'-Infinity'", None, "null"),
    ("float8", "1e-300", None, "1e-300"),
    ("numeric", "'NaN'", Some(("decimal.handling.mode", "string")), "\"NAN\""),
    ("numeric", "'-Infinity'", Some(("decimal.handling.mode", "string")), "\"NEGATIVE_INFINITY\""),
    (
        "numeric(38, 10)",
        "1234567890123456789012345678.0123456789",
        Some(("decimal.handling.mode", "double")),
        "1.2345678901234569e27",
    ),
    ("numeric", "-0.000100", Some(("decimal.handling.mode", "string")), "\"-0.000100\""),
    ("numeric", "-0.000100", None, "{\"scale\":4,\"value\":\"/w==\"}"),
    ("numeric(3, -2)", "12300", None, "\"MAw=\""),
    ("timestamp", "'infinity'", None, "9223372036825200000"),
    ("timestamp(3)", "'-infinity'", None, "-9223372036832400"),
    ("timestamp", "'infinity'", Some(("time.precision.mode", "connect")), "9223372036825200"),
    ("timestamptz", "'-infinity'", None, "\"-infinity\""),
    ("timestamptz", "'0044-03-15 12:00:00+00 BC'", None, "\"-0043-03-15T12:00:00.000000Z\""),
    ("timestamptz", "'294276-12-31 23:59:59.999999+00'", None, "\"+294276-12-31T23:59:59.999999Z\""),
    ("timestamp", "'0044-03-15 12:00:00 BC'", None, "-63517780800000000"),
    ("date", "'0044-03-15 BC'", None, "-735160"),
    ("date", "'5874897-12-31'", None, "2145042905"),
    ("date", "'1582-10-10'", None, "-141432"),
    ("time", "'24:00:00'", None, "86400000000"),
    ("timetz", "'24:00:00+00'", None, "\"00:00:00Z\""),
    ("timetz", "'00:00:00-15:59'", None, "\"15:59:00Z\""),
    ("interval", "'178000000 years'", None, "9223372036854775807"),
    (
        "interval",
        "'-3 days +04:05:06.000007'",
        Some(("interval.handling.mode", "string")),
        "\"P0Y0M-3DT4H5M6.000007S\"",
    ),
    ("money", "'-$92233720368547758.08'", None, "\"gAAAAAAAAAA=\""),
    ("money", "'-$0.01'", Some(("decimal.handling.mode", "string")), "\"-0.01\""),
    ("bytea", "'\\xdeadbeef00ff'", Some(("binary.handling.mode", "base64")), "\"3q2+7wD/\""),
    ("bytea", "'\\xdead'", Some(("binary.handling.mode", "hex")), "\"dead\""),
    ("inet", "'::ffff:1.2.3.4/120'", None, "\"::ffff:1.2.3.4/120\""),
    ("text[]", "'[0:1]={a,NULL}'", None, "[\"a\",null]"),
];

#[tokio::test(flavor = "multi_thread")]
async fn edge_values_are_the_same_from_snapshot_and_stream() {
    let mut groups: Vec<(Option<(&str, &str)>, Vec<_>)> = Vec::new();
    for edge in EDGES {
        match groups.iter_mut().find(|(option, _)| *option == edge.2) {
            Some((_, edges)) => edges.push(edge),
            None => groups.push((edge.2, vec![edge])),
        }
    }
    for (number, (option, edges)) in groups.into_iter().enumerate() {
        let columns: Vec<_> =
            edges.iter().enumerate().map(|(place, edge)| format!("c{place} {}", edge.0)).collect();
        let values: Vec<_> = edges.iter().map(|edge| edge.1).collect();
        let values = values.join(", ");
        let table = format!(
            "CREATE TABLE t (id int PRIMARY KEY, {}); INSERT INTO t VALUES (1, {values})",
            columns.join(", ")
        );
        let database = Database::new(&format!("edge_{number}"), &table).await;
        let mut reader = database.open(option.as_slice()).await;
        let mut records = reader.snapshot().await;
        database.run(&format!("INSERT INTO t VALUES (2, {values})")).await;
        records.extend(reader.records(1).await);
        for record in &records {
            let row = change(record).after.as_ref().unwrap();
            for (edge, value) in edges.iter().zip(&row[1..]) {
                let shown = value_json(value).to_string().replace("e+27", "e27");
                assert_eq!(shown, edge.3, "{} {}", edge.0, edge.1);
            }
        }
        reader.close().await;
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_those_that_debezium_registered() {
    let table = format!(
        "{TYPES} CREATE TABLE d (id int PRIMARY KEY, a int DEFAULT 5, b text DEFAULT 'x', c numeric(8, 2) DEFAULT 1.25,
         d timestamptz DEFAULT '2020-01-01 00:00:00+00', e boolean NOT NULL DEFAULT false, f date DEFAULT '2020-01-02',
         g uuid DEFAULT '00000000-0000-0000-0000-000000000001', h jsonb DEFAULT '{{}}', i text NOT NULL DEFAULT 'n',
         j timestamp DEFAULT now(), k int[] DEFAULT '{{1,2}}', l bytea DEFAULT '\\x01', m interval DEFAULT '1 day',
         n mood DEFAULT 'ok', o varchar(5) DEFAULT NULL, p real DEFAULT 1.5, q time DEFAULT '01:02:03', s serial,
         t timestamptz DEFAULT now()); INSERT INTO d (id) VALUES (1)"
    );
    let database = Database::new("defaults", &table).await;
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
