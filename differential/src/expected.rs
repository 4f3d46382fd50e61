//! What Sluice must write, value by value: `NAME.expected.json` beside a case.
//!
//! ```json
//! {
//!   "P.public.t": [
//!     {"key": {"id": 1}, "value": {"op": "c", "after": {"price": "0x6e"}}},
//!     {"key": {"id": 1}, "value": "(nothing)"}
//!   ],
//!   "P.public.t-value": ["\"scale\":\"2\""]
//! }
//! ```
//!
//! A topic has its records in order, all of them, those of one partition behind those of another. Of an object only the
//! fields that are named are looked at; a list counts as a whole. A subject has one part of the text of each version.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::compare::Difference;
use crate::observe::{Observed, Record};

/// Records by topic and parts of schemas by subject.
pub type Expected = BTreeMap<String, Vec<Value>>;

/// Finds what is not as expected.
pub fn check(expected: &Expected, observed: &Observed) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, items) in expected {
        let written = match observed.subjects.get(name) {
            Some(texts) => texts.iter().map(|text| Value::String(text.clone())).collect(),
            None => records(observed, name),
        };
        if written.len() != items.len() {
            found.push(difference(name, "count", &Value::from(items.len()), &Value::from(written.len())));
        }
        for (index, (item, written)) in items.iter().zip(&written).enumerate() {
            look(name, &format!("/{index}"), item, written, &mut found);
        }
    }
    found
}

fn records(observed: &Observed, topic: &str) -> Vec<Value> {
    let partitions = observed.topics.get(topic).into_iter().flat_map(BTreeMap::values);
    partitions.flatten().map(as_object).collect()
}

fn as_object(record: &Record) -> Value {
    let headers = record.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let parts = [
        ("key", record.key.value.clone()),
        ("value", record.value.value.clone()),
        ("headers", Value::Object(headers)),
    ];
    Value::Object(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn look(name: &str, path: &str, expected: &Value, written: &Value, found: &mut Vec<Difference>) {
    match (expected, written) {
        (Value::Object(fields), Value::Object(written)) => {
            for (field, expected) in fields {
                let path = format!("{path}/{field}");
                match written.get(field) {
                    Some(written) => look(name, &path, expected, written, found),
                    None => found.push(difference(name, &path, expected, &Value::from("(absent)"))),
                }
            }
        }
        // A part of a schema's text.
        (Value::String(part), Value::String(text)) if text.starts_with('{') && text.contains(part) => {}
        _ if expected == written => {}
        _ => found.push(difference(name, path, expected, written)),
    }
}

fn difference(name: &str, path: &str, expected: &Value, written: &Value) -> Difference {
    Difference {
        place: format!("{name} expected {path}"),
        which: "as NAME.expected.json says".to_owned(),
        debezium: format!("(expected) {expected}"),
        sluice: written.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::Payload;

    fn places(expected: Value) -> Vec<String> {
        let payload = |value: Value| Payload { value, ..Payload::default() };
        let record = Record {
            key: payload(json!({"id": 1})),
            value: payload(json!({"op": "c", "after": {"a": [1, 2], "n": null}})),
            headers: Vec::new(),
        };
        let observed = Observed {
            topics: BTreeMap::from([("P.t".to_owned(), BTreeMap::from([(0, vec![record])]))]),
            subjects: BTreeMap::from([("P.t-value".to_owned(), vec![r#"{"scale":"2"}"#.to_owned()])]),
            ..Observed::default()
        };
        let expected: Expected = serde_json::from_value(expected).unwrap();
        check(&expected, &observed).into_iter().map(|difference| difference.place).collect()
    }

    #[test]
    fn fields_that_are_not_named_do_not_count() {
        assert!(places(json!({"P.t": [{"value": {"after": {"a": [1, 2]}}}]})).is_empty());
        assert_eq!(
            places(json!({"P.t": [{"value": {"after": {"a": [1]}}}]})),
            ["P.t expected /0/value/after/a"]
        );
        assert_eq!(
            places(json!({"P.t": [{"value": {"after": {"m": null}}}]})),
            ["P.t expected /0/value/after/m"]
        );
    }

    #[test]
    fn records_and_topics_that_are_missing_are_seen() {
        assert_eq!(places(json!({"P.t": [{}, {}]})), ["P.t expected count"]);
        assert_eq!(places(json!({"P.u": [{}]})), ["P.u expected count"]);
    }

    #[test]
    fn a_schema_must_hold_a_part() {
        assert!(places(json!({"P.t-value": ["\"scale\":\"2\""]})).is_empty());
        assert_eq!(places(json!({"P.t-value": ["\"scale\":\"3\""]})), ["P.t-value expected /0"]);
    }
}
