//! Compares what the two sides wrote, path by path.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::observe::{Observed, Record};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, without the index of the record: `P.public.users value /after/name`.
    pub place: String,
    /// Which record or version.
    pub which: String,
    /// What Debezium wrote.
    pub debezium: String,
    /// What Sluice wrote.
    pub sluice: String,
}

/// Finds all differences, Debezium's being on the left.
pub fn compare(debezium: &Observed, sluice: &Observed) -> Vec<Difference> {
    let mut found = Vec::new();
    for (topic, left, right) in joined(&debezium.topics, &sluice.topics) {
        let empty = BTreeMap::new();
        if left.is_none() || right.is_none() {
            found.push(presence(&format!("{topic} topic"), left, right));
        }
        for (partition, left, right) in joined(left.unwrap_or(&empty), right.unwrap_or(&empty)) {
            let [left, right] = [left, right].map(|records| records.map_or(&[][..], Vec::as_slice));
            compare_records(topic, *partition, left, right, &mut found);
        }
    }
    for (subject, left, right) in joined(&debezium.subjects, &sluice.subjects) {
        match (left, right) {
            (Some(left), Some(right)) => compare_versions(subject, left, right, &mut found),
            _ => found.push(presence(&format!("{subject} subject"), left, right)),
        }
    }
    found
}

fn compare_records(
    topic: &str,
    partition: i32,
    left: &[Record],
    right: &[Record],
    found: &mut Vec<Difference>,
) {
    if left.len() != right.len() {
        found.push(Difference {
            place: format!("{topic} count"),
            which: format!("partition {partition}"),
            debezium: outline(left),
            sluice: outline(right),
        });
    }
    for (index, left, right) in aligned(left, right) {
        let which = format!("record {index} of partition {partition}");
        for (part, left, right) in [("key", &left.key, &right.key), ("value", &left.value, &right.value)] {
            Walk { place: format!("{topic} {part}"), which: &which, found }.values("", left, right);
        }
        compare_headers(topic, &which, &left.headers, &right.headers, found);
    }
}

fn compare_headers(
    topic: &str,
    which: &str,
    left: &[(String, Value)],
    right: &[(String, Value)],
    found: &mut Vec<Difference>,
) {
    let names = |headers: &[(String, Value)]| {
        headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if names(left) != names(right) {
        found.push(Difference {
            place: format!("{topic} headers"),
            which: which.to_owned(),
            debezium: names(left),
            sluice: names(right),
        });
        return;
    }
    for ((name, left), (_, right)) in left.iter().zip(right) {
        Walk { place: format!("{topic} header"), which, found }.values(&format!("/{name}"), left, right);
    }
}

fn compare_versions(subject: &str, left: &[String], right: &[String], found: &mut Vec<Difference>) {
    if left.len() != right.len() {
        found.push(Difference {
            place: format!("{subject} versions"),
            which: "number of versions".to_owned(),
            debezium: left.len().to_string(),
            sluice: right.len().to_string(),
        });
    }
    for (index, (left, right)) in
        left.iter().zip(right).enumerate().filter(|(_, (left, right))| left != right)
    {
        let which = format!("version {}", index + 1);
        let before = found.len();
        if let (Ok(left), Ok(right)) = (serde_json::from_str(left), serde_json::from_str(right)) {
            Walk { place: format!("{subject} schema"), which: &which, found }.values("", &left, &right);
        }
        if found.len() == before {
            let place = format!("{subject} schema text");
            found.push(Difference { place, which, debezium: left.clone(), sluice: right.clone() });
        }
    }
}

/// Pairs the records, with their indexes on the left. Where one side has more, those are passed over that the other
/// has not: what follows would differ in everything.
fn aligned<'a>(left: &'a [Record], right: &'a [Record]) -> Vec<(usize, &'a Record, &'a Record)> {
    if left.len() == right.len() {
        return left
            .iter()
            .zip(right)
            .enumerate()
            .map(|(index, (left, right))| (index, left, right))
            .collect();
    }
    let mut rest = right;
    let mut pairs = Vec::new();
    for (index, record) in left.iter().enumerate() {
        if let Some(at) = rest.iter().position(|other| label(other) == label(record)) {
            pairs.push((index, record, &rest[at]));
            rest = &rest[at + 1..];
        }
    }
    pairs
}

/// What a record is about: its operation, its key, its row.
fn label(record: &Record) -> (String, &Value, Option<&Value>) {
    let payload = record.value.get("payload").unwrap_or(&record.value);
    let op = payload.get("op").and_then(Value::as_str).unwrap_or("-");
    (op.to_owned(), record.key.get("payload").unwrap_or(&record.key), payload.pointer("/source/lsn"))
}

/// The operations of a partition, with their keys: what an uneven count is read by.
fn outline(records: &[Record]) -> String {
    let line = |record: &Record| {
        let (op, key, _) = label(record);
        format!("{op} {key}")
    };
    let lines: Vec<_> = records.iter().map(line).collect();
    format!("{} records: {}", records.len(), lines.join("; "))
}

fn presence<T>(place: &str, left: Option<&T>, right: Option<&T>) -> Difference {
    let word = |there: bool| if there { "there" } else { "absent" }.to_owned();
    Difference {
        place: place.to_owned(),
        which: "itself".to_owned(),
        debezium: word(left.is_some()),
        sluice: word(right.is_some()),
    }
}

/// Goes through two values at once.
struct Walk<'a> {
    place: String,
    which: &'a str,
    found: &'a mut Vec<Difference>,
}

impl Walk<'_> {
    fn values(&mut self, path: &str, left: &Value, right: &Value) {
        match (left, right) {
            (Value::Object(left_fields), Value::Object(right_fields)) => {
                let left_fields: Vec<_> =
                    left_fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
                let right_fields: Vec<_> =
                    right_fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
                self.named(path, &left_fields, &right_fields);
            }
            (Value::Array(left_items), Value::Array(right_items)) => {
                if let (Some(left_items), Some(right_items)) = (names(left_items), names(right_items)) {
                    self.named(path, &left_items, &right_items);
                } else if left_items.len() == right_items.len() {
                    for (index, (left, right)) in left_items.iter().zip(right_items).enumerate() {
                        self.values(&format!("{path}/{index}"), left, right);
                    }
                } else {
                    self.differ(path, &left.to_string(), &right.to_string());
                }
            }
            _ if left == right => {}
            _ => self.differ(path, &left.to_string(), &right.to_string()),
        }
    }

    /// Compares what has names: values by name, then the order of the names.
    fn named(&mut self, path: &str, left: &[(&str, &Value)], right: &[(&str, &Value)]) {
        let find = |fields: &[(&str, &Value)], name: &str| {
            fields.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).clone())
        };
        for (name, left) in left {
            match find(right, name) {
                Some(right) => self.values(&format!("{path}/{name}"), left, &right),
                None => self.differ(&format!("{path}/{name}"), &left.to_string(), "(absent)"),
            }
        }
        for (name, right) in right.iter().filter(|(name, _)| find(left, name).is_none()) {
            self.differ(&format!("{path}/{name}"), "(absent)", &right.to_string());
        }
        let order = |fields: &[(&str, &Value)], others: &[(&str, &Value)]| {
            let shared = fields.iter().map(|(name, _)| *name).filter(|name| find(others, name).is_some());
            shared.collect::<Vec<_>>().join(", ")
        };
        let (left, right) = (order(left, right), order(right, left));
        if left != right {
            self.differ(&format!("{path} order"), &left, &right);
        }
    }

    fn differ(&mut self, path: &str, left: &str, right: &str) {
        self.found.push(Difference {
            place: format!("{} {path}", self.place),
            which: self.which.to_owned(),
            debezium: left.to_owned(),
            sluice: right.to_owned(),
        });
    }
}

/// Items by name, if all have one, and different ones: the fields of a schema.
fn names(items: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let name = |item: &'_ Value| item.get("name").or_else(|| item.get("field"))?.as_str().map(str::len);
    if items.is_empty() || items.iter().any(|item| name(item).is_none()) {
        return None;
    }
    let named = |item| {
        let field: &Value = item;
        let name = field.get("field").or_else(|| field.get("name"));
        (name.and_then(Value::as_str).unwrap_or_default(), field)
    };
    let mut named: Vec<_> = items.iter().map(named).collect();
    let fields = named.clone();
    named.sort_by_key(|(name, _)| *name);
    let unique = named.windows(2).all(|pair| pair[0].0 != pair[1].0);
    unique.then_some(fields)
}

/// All keys of both maps, each with what the maps have for it.
fn joined<'a, K: Ord, V>(
    left: &'a BTreeMap<K, V>,
    right: &'a BTreeMap<K, V>,
) -> Vec<(&'a K, Option<&'a V>, Option<&'a V>)> {
    let mut keys: Vec<_> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| (key, left.get(key), right.get(key))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn observed(value: Value, schema: &str) -> Observed {
        let record = Record { key: json!({"id": 1}), value, headers: Vec::new() };
        let partition = BTreeMap::from([(0, vec![record])]);
        Observed {
            topics: BTreeMap::from([("P.t".to_owned(), partition)]),
            subjects: BTreeMap::from([("P.t-value".to_owned(), vec![schema.to_owned()])]),
        }
    }

    fn places(left: &Observed, right: &Observed) -> Vec<String> {
        compare(left, right).into_iter().map(|difference| difference.place).collect()
    }

    #[test]
    fn values_are_compared_by_path() {
        let left = observed(json!({"after": {"a": 1, "b": [1, 2]}}), "{}");
        let right = observed(json!({"after": {"a": 1, "b": [1, 3], "c": null}}), "{}");

        assert_eq!(places(&left, &right), ["P.t value /after/b/1", "P.t value /after/c"]);
    }

    #[test]
    fn fields_of_schemas_are_compared_by_name_and_order() {
        let field = |name: &str| json!({"name": name, "type": "int"});
        let schema = |fields: &[Value]| json!({"fields": fields}).to_string();
        let left = observed(Value::Null, &schema(&[field("a"), field("b"), field("c")]));
        let right = observed(Value::Null, &schema(&[field("c"), field("a")]));

        assert_eq!(places(&left, &right), ["P.t-value schema /fields/b", "P.t-value schema /fields order"]);
    }

    #[test]
    fn schemas_that_only_read_the_same_differ() {
        let left = observed(Value::Null, r#"{"a":1}"#);
        let right = observed(Value::Null, r#"{"a": 1}"#);

        assert_eq!(places(&left, &right), ["P.t-value schema text"]);
    }

    #[test]
    fn behind_a_record_that_is_missing_the_others_are_still_compared() {
        let record = |key: i32, value: Value| Record { key: json!(key), value, headers: Vec::new() };
        let mut left = observed(Value::Null, "{}");
        let mut right = left.clone();
        let records = |observed: &mut Observed, records| {
            observed.topics.insert("P.t".to_owned(), BTreeMap::from([(0, records)]));
        };
        records(
            &mut left,
            vec![record(1, json!({"a": 1})), record(2, json!({"a": 2})), record(3, json!({"a": 3}))],
        );
        records(&mut right, vec![record(1, json!({"a": 1})), record(3, json!({"a": 4}))]);

        assert_eq!(places(&left, &right), ["P.t count", "P.t value /a"]);
    }

    #[test]
    fn a_record_or_topic_that_only_one_side_has_is_told() {
        let left = observed(Value::Null, "{}");
        let mut right = left.clone();
        right.topics.get_mut("P.t").unwrap().get_mut(&0).unwrap().clear();

        assert_eq!(places(&left, &right), ["P.t count"]);
        right.topics.clear();
        assert_eq!(places(&left, &right), ["P.t topic", "P.t count"]);
    }
}
