//! Tests of what is told, in which order.

use serde_json::Value as Json;

use super::*;
use crate::config::from_pairs;
use crate::table::tests::connect_json;

fn notifier(channels: &str) -> Option<Notifier> {
    let pairs = [("notification.enabled.channels", channels), ("notification.sink.topic.name", "n")];
    Notifier::new(&from_pairs(&pairs).unwrap())
}

fn notifier_with(pairs: &[(&str, &str)]) -> Notifier {
    let sink = [("notification.enabled.channels", "sink"), ("notification.sink.topic.name", "n")];
    Notifier::new(&from_pairs(&[&sink, pairs].concat()).unwrap()).unwrap()
}

fn additional_data(record: &Record) -> Vec<(&str, &str)> {
    let Payload::Plain(Datum { value: Value::Struct(value), .. }) = &record.value else {
        panic!("it is a notification")
    };
    let Some(Value::Map(data)) = value.value("additional_data") else { panic!("there is data") };
    data.iter().map(|(name, value)| (name.as_str().unwrap(), value.as_str().unwrap())).collect()
}

/// Types, with the table and how many rows it had.
fn outline(records: &[Record]) -> Vec<String> {
    let line = |record: &Record| {
        let Payload::Plain(Datum { value: Value::Struct(value), .. }) = &record.value else {
            return "row".to_owned();
        };
        let Some(Value::Map(data)) = value.value("additional_data") else { panic!("there is data") };
        let of = |wanted: &[&str]| {
            let found = data.iter().find(|(name, _)| wanted.contains(&name.as_str().unwrap()));
            found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let table = of(&["current_collection_in_progress", "scanned_collection"]);
        let chunk = match of(&["chunk_index"]) {
            "" => String::new(),
            index => format!("{index}/{} ", of(&["total_chunks"])),
        };
        let kind = value.value("type").unwrap().as_str().unwrap();
        format!("{kind} {table} {chunk}{}", of(&["total_rows_scanned"])).trim_end().to_owned()
    };
    records.iter().map(line).collect()
}

#[test]
fn schemas_are_those_of_the_recording() {
    let recorded: Json = serde_json::from_str(include_str!("testdata/side_topics.json")).unwrap();
    let recorded = &recorded["notification"];

    assert_eq!(connect_json(&key_schema(), None), recorded["key_schema"]);
    assert_eq!(connect_json(&value_schema(), None), recorded["value_schema"]);
}

#[test]
fn tables_are_told_of_in_their_order_empty_ones_too() {
    let mut notifier = notifier("sink").unwrap();
    let row = || Record::new("t".into(), Datum::NULL, Payload::TOMBSTONE);
    let tables = [("a", 0), ("b", 1), ("c", 0), ("d", 1), ("e", 0)];
    let part = |table, rows, completed| Read { table, chunk: 0, rows, chunk_completed: completed, completed };

    let mut told = notifier.started(tables.into_iter());
    told.extend(notifier.around(part(1, 2, false), vec![row(), row()]));
    told.extend(notifier.around(part(1, 1, true), vec![row()]));
    told.extend(notifier.around(part(3, 1, true), vec![row()]));
    told.extend(notifier.completed());

    let expected = [
        "STARTED",
        "IN_PROGRESS a",
        "TABLE_SCAN_COMPLETED a 0",
        "IN_PROGRESS b",
        "row",
        "row",
        "row",
        "TABLE_SCAN_COMPLETED b 3",
        "IN_PROGRESS c",
        "TABLE_SCAN_COMPLETED c 0",
        "IN_PROGRESS d",
        "row",
        "TABLE_SCAN_COMPLETED d 1",
        "IN_PROGRESS e",
        "TABLE_SCAN_COMPLETED e 0",
        "COMPLETED",
    ];
    assert_eq!(outline(&told), expected);
}

#[test]
fn parts_are_told_of_with_several_threads() {
    let mut notifier = notifier_with(&[("snapshot.max.threads", "2")]);
    let part = |chunk, completed| Read { table: 1, chunk, rows: 2, chunk_completed: true, completed };

    let mut told = notifier.started([("a", 0), ("b", 2)].into_iter());
    told.extend(notifier.around(part(1, false), Vec::new()));
    told.extend(notifier.around(part(0, true), Vec::new()));
    told.extend(notifier.completed());

    let expected = [
        "STARTED",
        "IN_PROGRESS a",
        "TABLE_CHUNK_IN_PROGRESS a 0/1 0",
        "TABLE_CHUNK_COMPLETED a 0/1",
        "TABLE_SCAN_COMPLETED a 0",
        "IN_PROGRESS b",
        "TABLE_CHUNK_IN_PROGRESS b 1/2 0",
        "TABLE_CHUNK_COMPLETED b 1/2",
        "TABLE_CHUNK_IN_PROGRESS b 0/2 2",
        "TABLE_CHUNK_COMPLETED b 0/2",
        "TABLE_SCAN_COMPLETED b 4",
        "COMPLETED",
    ];
    assert_eq!(outline(&told), expected);
}

/// What Debezium 3.6.1 wrote to its log when the second of three tables could not be read.
#[test]
fn refused_table_is_told_of_before_the_end() {
    let mut notifier = notifier("sink").unwrap();
    notifier.started([("public.a", 1), ("public.b", 1), ("public.c", 1)].into_iter());

    let told = notifier.aborted(Some(1));

    assert_eq!(outline(&told), ["IN_PROGRESS public.b", "TABLE_SCAN_COMPLETED public.b", "ABORTED"]);
    let recorded = [
        &[("connector_name", "p"), ("scanned_collection", "public.b"), ("status", "SQL_EXCEPTION")][..],
        &[("connector_name", "p")],
    ];
    for (record, recorded) in told[1..].iter().zip(recorded) {
        assert_eq!(additional_data(record), recorded);
    }
}

#[test]
fn only_the_sink_makes_records() {
    assert!(notifier("").is_none() && notifier("jmx").is_none());
    assert_eq!(notifier("log").unwrap().skipped(), []);
    assert_eq!(outline(&notifier("log, sink").unwrap().skipped()), ["SKIPPED"]);
}
