//! Values at the edges of their types: what Postgres holds, and what Debezium makes of it.

use serde_json::Value as Json;

use crate::connect_json::value_json;
use crate::harness::{Database, change, key};

/// A value at the edge of its type: type, value, option, what is expected as JSON.
type Edge = (&'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const EDGES: [Edge; 29] = [
    ("float8", "'-Infinity'", None, "\"-Infinity\""),
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
    ("timetz", "'24:00:00+00'", None, "\"24:00:00Z\""),
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

/// One case of the recordings: a table, its rows, and the values that snapshot and stream had.
struct Recorded(Json);

impl Recorded {
    fn list(&self, name: &str) -> Vec<Json> {
        self.0[name].as_array().cloned().unwrap_or_default()
    }

    fn rows(&self, first_id: usize) -> String {
        let row = |(place, row): (usize, &Json)| {
            let values = row.as_array().unwrap().iter().map(|value| value.as_str().unwrap());
            let values: Vec<_> = values.collect();
            format!("({}, {})", first_id + place, values.join(", "))
        };
        self.list("rows").iter().enumerate().map(row).collect::<Vec<_>>().join(", ")
    }

    fn options(&self) -> Vec<(&str, &str)> {
        let options = self.0["options"].as_object().unwrap();
        let set = options.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap()));
        set.chain([("compatibility", "debezium"), ("slot.drop.on.stop", "true")]).collect()
    }

    fn columns(&self) -> String {
        self.list("columns").iter().map(|column| column.as_str().unwrap()).collect::<Vec<_>>().join(", ")
    }
}

fn shown<'a>(records: impl IntoIterator<Item = &'a sluice_core::record::Record>) -> Vec<Json> {
    let row = |record| change(record).after.as_ref().expect("there is a row")[1..].iter().map(value_json);
    records.into_iter().map(|record| row(record).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_values_are_debeziums_where_that_is_asked_for() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../golden/edges.json")).unwrap();
    let database = Database::new("edges_debezium", "").await;
    for case in cases.into_iter().map(Recorded) {
        let columns = case.columns();
        let table = format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, {columns})");
        database.run(&format!("{table}; INSERT INTO t VALUES {}", case.rows(1))).await;
        let mut reader = database.open(&case.options()).await;
        let mut snapshot = reader.snapshot().await;
        snapshot.sort_by_key(key);
        database.run(&format!("INSERT INTO t VALUES {}", case.rows(101))).await;
        let streamed = reader.records(case.list("rows").len()).await;
        reader.close().await;

        assert_eq!(shown(&snapshot), case.list("snapshot"), "snapshot of {columns}");
        let expected = if case.0["stream"].is_null() { "snapshot" } else { "stream" };
        assert_eq!(shown(&streamed), case.list(expected), "stream of {columns}");
    }
    database.remove().await;
}
