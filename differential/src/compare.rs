//! Compares what the two sides wrote, path by path.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::observe::{NOTHING, Observed, Payload, Record};

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
            if left.is_none() || right.is_none() {
                found.push(presence(&format!("{topic} partition"), left, right));
            }
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
    for (what, left, right) in joined(&debezium.made, &sluice.made) {
        let [left, right] = [left, right].map(|value| value.unwrap_or(&Value::Null));
        Walk { place: what.clone(), which: "itself", found: &mut found }.values("", left, right);
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
            compare_payloads(&format!("{topic} {part}"), &which, left, right, found);
        }
        compare_headers(topic, &which, &left.headers, &right.headers, found);
    }
}

fn compare_payloads(place: &str, which: &str, left: &Payload, right: &Payload, found: &mut Vec<Difference>) {
    let before = found.len();
    Walk { place: place.to_owned(), which, found }.values("", &left.value, &right.value);
    let same = found.len() == before;
    let mut differ = |what: &str, debezium: String, sluice: String| {
        found.push(Difference {
            place: format!("{place} {what}"),
            which: which.to_owned(),
            debezium,
            sluice,
        });
    };
    if left.version != right.version {
        differ("version", format!("{:?}", left.version), format!("{:?}", right.version));
    }
    let texts = [left, right].map(|payload| payload.text.as_deref().unwrap_or_default());
    if same && texts[0] != texts[1] {
        let [debezium, sluice] = texts.map(str::to_owned);
        differ("text", debezium, sluice);
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
    let [key, value] =
        [&record.key.value, &record.value.value].map(|value| value.get("payload").unwrap_or(value));
    // A tombstone is no operation without a name.
    let op = if value == NOTHING { NOTHING } else { value.get("op").and_then(Value::as_str).unwrap_or("-") };
    (op.to_owned(), key, value.pointer("/source/lsn"))
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
mod tests;
