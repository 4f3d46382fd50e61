//! Values at the edges of their types: what Postgres holds, and what Debezium makes of it.

use serde_json::Value as Json;

use crate::connect_json::value_json;
use crate::harness::{Database, change, key};

/// A value at the edge of its type: type, value, option, what is expected as JSON.
type Edge = (&'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const EDGES: &[Edge] = &[
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
    // Values of Debezium's own tests.
    ("real", "3.3", None, "3.3"),
    ("oid", "4000000000", None, "4000000000"),
    ("decimal(3,2)", "1.1", None, "\"bg==\""),
    ("decimal(4)", "10.11", None, "\"Cg==\""),
    ("numeric", "10.1111", None, "{\"scale\":4,\"value\":\"AYr3\"}"),
    ("decimal(3,2)", "1.1", Some(("decimal.handling.mode", "string")), "\"1.10\""),
    ("decimal(4)", "10.11", Some(("decimal.handling.mode", "string")), "\"10\""),
    ("numeric(6,4)", "22.22", Some(("decimal.handling.mode", "string")), "\"22.2200\""),
    ("numeric", "'NaN'", Some(("decimal.handling.mode", "double")), "\"NaN\""),
    ("bit(2)", "B'11'", None, "\"Aw==\""),
    ("bit(7)", "B'1000000'", None, "\"QA==\""),
    ("varbit(2)", "B'00'", None, "\"\""),
    ("bit(24)", "B'000000110000001000000001'", None, "\"AQID\""),
    ("varbit", "B'101'", None, "\"BQ==\""),
    ("varbit(1)", "B'1'", None, "true"),
    ("timestamp", "'2016-11-04T13:51:30.123456'", None, "1478267490123456"),
    ("timestamp(3)", "'2016-11-04T13:51:30.123456'", None, "1478267490123"),
    ("timestamp", "'1936-10-25T22:10:12.608'", None, "-1047174587392000"),
    ("timestamp", "'294247-01-01T23:59:59.999999'", None, "9223371331199999999"),
    ("timestamp", "'4713-12-31T23:59:59.999999 BC'", None, "-210831897600000001"),
    ("timestamp", "'infinity'", Some(("time.precision.mode", "nanoseconds")), "9223372036854775807"),
    ("timestamp", "'infinity'", Some(("time.precision.mode", "isostring")), "\"infinity\""),
    ("date", "'2017-09-15'", Some(("time.precision.mode", "isostring")), "\"2017-09-15Z\""),
    ("time", "'24:00:00'", Some(("time.precision.mode", "isostring")), "\"24:00:00Z\""),
    ("date", "'2016-11-04'", None, "17109"),
    ("time", "'13:51:30'", None, "49890000000"),
    ("time(3)", "'13:51:30.123'", None, "49890123"),
    ("timestamptz", "'2016-11-04T13:51:30.123456+02:00'", None, "\"2016-11-04T11:51:30.123456Z\""),
    ("timestamptz", "'21016-11-04T13:51:30.123456+07:00'", None, "\"+21016-11-04T06:51:30.123456Z\""),
    ("timestamptz", "'21016-11-04T13:51:30.000000+07:00'", None, "\"+21016-11-04T06:51:30.000000Z\""),
    ("timestamptz", "'4714-12-31T23:59:59.999999Z BC'", None, "\"-4713-12-31T23:59:59.999999Z\""),
    ("timetz", "'13:51:30.123789+02:00'", None, "\"11:51:30.123789Z\""),
    ("timetz(0)", "'23:59:59.999999+00'", None, "\"24:00:00Z\""),
    ("timetz[]", "'{\"13:51:02+02:00\",NULL}'", None, "[\"11:51:02Z\",null]"),
    ("interval", "'1 year 2 months 3 days 4 hours 5 minutes 6.78 seconds'", None, "37091106780000"),
    ("interval", "'P1Y2M3DT4H5M6.78S'", Some(("interval.handling.mode", "string")), "\"P1Y2M3DT4H5M6.78S\""),
    ("money", "'$1234.11'", Some(("decimal.handling.mode", "double")), "1234.11"),
    ("money", "'($1234.11)'", Some(("decimal.handling.mode", "string")), "\"-1234.11\""),
    ("money", "'$1234.11'", Some(("money.fraction.digits", "1")), "\"MDU=\""),
    ("char(10)[]", "'{cone}'", None, "[\"cone      \"]"),
    ("date[]", "'{2016-11-04,infinity}'", None, "[17109,2147483647]"),
    ("numeric(10,2)[]", "'{1.2,3.4}'", None, "[\"eA==\",\"AVQ=\"]"),
    ("numeric[]", "'{1.1}'", None, "[{\"scale\":1,\"value\":\"Cw==\"}]"),
    ("inet[]", "'{192.168.0.2/1}'", None, "[\"192.168.0.2/1\"]"),
    ("int4range[]", "'{\"[1,5]\"}'", None, "[\"[1,6)\"]"),
    ("jsonb[]", "ARRAY['{\"key\":1}'::jsonb]", None, "[\"{\\\"key\\\": 1}\"]"),
    ("oid[]", "'{4000000000}'", None, "[4000000000]"),
    ("tsrange", "'[2019-03-31 15:30:00,infinity)'", None, "\"[\\\"2019-03-31 15:30:00\\\",infinity)\""),
    ("daterange", "'[2019-03-31,2019-04-30)'", None, "\"[2019-03-31,2019-04-30)\""),
    ("int8range", "'[1000000,6000000)'", None, "\"[1000000,6000000)\""),
    ("hstore", "'\"key #1\" => \"val 1\"'", None, "\"{\\\"key #1\\\":\\\"val 1\\\"}\""),
    ("hstore", "'key=>NULL'", Some(("hstore.handling.mode", "map")), "{\"key\":null}"),
    ("ltree[]", "'{a.b,c}'", None, "[\"a.b\",\"c\"]"),
    ("isbn", "'0-393-04002-X'", None, "\"0-393-04002-X\""),
    (
        "point",
        "'(1,1)'",
        None,
        "{\"srid\":null,\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAPA/\",\"x\":1.0,\"y\":1.0}",
    ),
    ("tsvector", "'fat:2A rat:3'", None, "\"'fat':2A 'rat':3\""),
    (
        "timestamp(3)",
        "'2016-11-04T13:51:30.123'",
        Some(("time.precision.mode", "structured")),
        "{\"day\":4,\"hour\":13,\"minute\":51,\"month\":11,\"nanos\":123000000,\"precision\":3,\"second\":30,\"specialValue\":null,\"year\":2016}",
    ),
    (
        "timetz",
        "'24:00:00+02'",
        Some(("time.precision.mode", "structured")),
        "{\"hour\":24,\"minute\":0,\"nanos\":0,\"offsetSeconds\":7200,\"precision\":6,\"second\":0}",
    ),
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
    let extensions = "CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION isn";
    let database = Database::new("edges_correct", extensions).await;
    for (option, edges) in groups {
        let columns: Vec<_> =
            edges.iter().enumerate().map(|(place, edge)| format!("c{place} {}", edge.0)).collect();
        let values: Vec<_> = edges.iter().map(|edge| edge.1).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let table = format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, {columns})");
        database.run(&format!("{table}; INSERT INTO t VALUES (1, {values})")).await;
        let options: Vec<_> = option.into_iter().chain([("slot.drop.on.stop", "true")]).collect();
        let mut reader = database.open(&options).await;
        let mut records = reader.snapshot().await;
        database.run(&format!("INSERT INTO t VALUES (2, {values})")).await;
        records.extend(reader.records(1).await);
        reader.close().await;

        for record in &records {
            let row = change(record).after.as_ref().unwrap();
            for (edge, value) in edges.iter().zip(&row[1..]) {
                let expected: Json = serde_json::from_str(edge.3).expect("JSON");
                assert_eq!(value_json(value), expected, "{} {}", edge.0, edge.1);
            }
        }
    }
    database.remove().await;
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
