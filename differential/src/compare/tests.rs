//! That the comparison sees what may differ, one thing at a time.

use serde_json::json;

use super::*;

fn payload(value: Value) -> Payload {
    Payload { value, ..Payload::default() }
}

fn record(key: Value, value: Value) -> Record {
    Record { key: payload(key), value: payload(value), headers: Vec::new() }
}

/// One topic with these records in its only partition.
fn topic(records: Vec<Record>) -> Observed {
    let partition = BTreeMap::from([(0, records)]);
    Observed { topics: BTreeMap::from([("P.t".to_owned(), partition)]), ..Observed::default() }
}

fn subject(texts: &[&str]) -> Observed {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    Observed { subjects: BTreeMap::from([("P.t-value".to_owned(), texts)]), ..Observed::default() }
}

/// What one insert, one delete and its tombstone look like.
fn observed() -> Observed {
    let header = ("__debezium.newkey".to_owned(), json!("{\"id\":2}"));
    let insert = record(json!({"id": 1}), json!({"op": "c", "after": {"a": 1, "b": [1, 2], "n": null}}));
    let delete =
        Record { headers: vec![header], ..record(json!({"id": 1}), json!({"op": "d", "after": null})) };
    topic(vec![insert, delete, record(json!({"id": 1}), json!(NOTHING))])
}

fn records(observed: &mut Observed) -> &mut Vec<Record> {
    observed.topics.get_mut("P.t").unwrap().get_mut(&0).unwrap()
}

fn places(left: &Observed, right: &Observed) -> Vec<String> {
    let there = compare(left, right);
    assert_eq!(there.len(), compare(right, left).len(), "the same whoever is on the left");
    there.into_iter().map(|difference| difference.place).collect()
}

/// Where a change of what one side wrote is seen.
fn seen(change: impl FnOnce(&mut Observed)) -> Vec<String> {
    let left = observed();
    let mut right = left.clone();
    change(&mut right);
    places(&left, &right)
}

#[test]
fn the_same_is_the_same() {
    assert!(seen(|_| ()).is_empty());
}

#[test]
fn another_value_is_seen_at_its_path() {
    assert_eq!(
        seen(|right| records(right)[0].value.value["after"]["b"][1] = json!(3)),
        ["P.t value /after/b/1"]
    );
    assert_eq!(seen(|right| records(right)[0].key.value["id"] = json!(2)), ["P.t key /id"]);
}

#[test]
fn null_and_absent_differ() {
    let without = |right: &mut Observed| {
        records(right)[0].value.value["after"].as_object_mut().unwrap().shift_remove("n");
    };

    assert_eq!(seen(without), ["P.t value /after/n"]);
}

#[test]
fn a_tombstone_is_neither_null_nor_nothing() {
    assert_eq!(seen(|right| records(right)[2].value.value = Value::Null), ["P.t value "]);
    assert_eq!(seen(|right| drop(records(right).pop())), ["P.t count"]);
}

#[test]
fn a_swapped_order_is_seen() {
    assert!(!seen(|right| records(right).swap(0, 1)).is_empty());
    assert!(!seen(|right| records(right).swap(1, 2)).is_empty());
}

#[test]
fn behind_a_record_that_is_missing_the_others_are_still_compared() {
    let remove = |right: &mut Observed| {
        records(right).remove(0);
        records(right)[0].value.value["after"] = json!(1);
    };

    assert_eq!(seen(remove), ["P.t count", "P.t value /after"]);
}

#[test]
fn another_partition_is_seen() {
    let moved = seen(|right| {
        let last = records(right).pop().unwrap();
        right.topics.get_mut("P.t").unwrap().insert(1, vec![last]);
    });
    assert_eq!(moved, ["P.t count", "P.t partition", "P.t count"]);

    let more = seen(|right| drop(right.topics.get_mut("P.t").unwrap().insert(1, Vec::new())));
    assert_eq!(more, ["P.t partition"]);
}

#[test]
fn headers_are_compared_by_name_order_and_value() {
    let header = |name: &str| (name.to_owned(), json!(null));

    assert_eq!(seen(|right| records(right)[1].headers[0].1 = json!("")), ["P.t header /__debezium.newkey"]);
    assert_eq!(seen(|right| records(right)[1].headers.clear()), ["P.t headers"]);
    assert_eq!(seen(|right| records(right)[0].headers.push(header("a"))), ["P.t headers"]);
    let [mut left, mut right] = [observed(), observed()];
    records(&mut left)[0].headers = vec![header("a"), header("b")];
    records(&mut right)[0].headers = vec![header("b"), header("a")];
    assert_eq!(places(&left, &right), ["P.t headers"]);
}

#[test]
fn a_topic_that_only_one_side_has_is_told_even_if_it_is_empty() {
    let extra = |right: &mut Observed| drop(right.topics.insert("P.u".to_owned(), BTreeMap::new()));

    assert_eq!(seen(extra), ["P.u topic"]);
}

#[test]
fn a_record_of_another_version_of_its_schema_is_seen() {
    let mut left = observed();
    records(&mut left)[0].value.version = Some(1);
    let mut right = left.clone();
    records(&mut right)[0].value.version = Some(2);

    assert_eq!(places(&left, &right), ["P.t value version"]);
}

#[test]
fn json_that_only_reads_the_same_differs() {
    let mut left = observed();
    records(&mut left)[0].value.text = Some(r#"{"a":1}"#.to_owned());
    let mut right = left.clone();
    records(&mut right)[0].value.text = Some(r#"{"a":1.0}"#.to_owned());

    assert_eq!(places(&left, &right), ["P.t value text"]);
}

#[test]
fn fields_of_schemas_are_compared_by_name_and_order() {
    let field = |name: &str| json!({"name": name, "type": "int"});
    let schema = |fields: &[Value]| json!({"fields": fields}).to_string();
    let left = subject(&[&schema(&[field("a"), field("b"), field("c")])]);
    let right = subject(&[&schema(&[field("c"), field("a")])]);

    assert_eq!(places(&left, &right), ["P.t-value schema /fields/b", "P.t-value schema /fields order"]);
}

#[test]
fn schemas_that_only_read_the_same_differ() {
    assert_eq!(places(&subject(&[r#"{"a":1}"#]), &subject(&[r#"{"a": 1}"#])), ["P.t-value schema text"]);
}

#[test]
fn another_number_of_versions_or_subjects_is_seen() {
    assert_eq!(places(&subject(&["1"]), &subject(&["1", "2"])), ["P.t-value versions"]);
    assert_eq!(places(&subject(&["1"]), &Observed::default()), ["P.t-value subject"]);
}

#[test]
fn what_was_made_is_compared() {
    let made = |value: Value| Observed {
        made: BTreeMap::from([("publication".to_owned(), value)]),
        ..Observed::default()
    };

    assert_eq!(
        places(&made(json!({"tables": ["a"]})), &made(json!({"tables": ["b"]}))),
        ["publication /tables/0"]
    );
    assert_eq!(places(&made(json!(1)), &Observed::default()), ["publication "]);
}
