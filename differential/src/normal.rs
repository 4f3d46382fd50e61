//! The normal form of a record: what must differ between two connectors on one log, replaced.
//!
//! | what | because |
//! |---|---|
//! | the prefix, wherever it occurs | each side has its own |
//! | `ts_*` beside `op`, and those of heartbeats | the connector's clock |
//! | `source.version` | each program has its own |
//! | `ts_*`, `lsn`, `txId` and `sequence` of snapshot rows | each side takes its own snapshot |
//! | header `__debezium.context.runId` | made up at each start |
//! | header `sluice.position` | ours alone |
//!
//! A replaced value keeps whether it was there, or null.

use serde_json::{Map, Value, json};

use crate::observe::Record;

const CLOCKS: [&str; 3] = ["ts_ms", "ts_us", "ts_ns"];
const OF_A_SNAPSHOT: [&str; 6] = ["ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence"];
const OWN_HEADER: &str = "sluice.position";
const RUN_HEADER: &str = "__debezium.context.runId";

/// Replaces a side's prefix by `P`.
pub fn text(text: &str, prefix: &str) -> String {
    text.replace(prefix, "P")
}

/// Brings a record of a topic into normal form.
pub fn record(topic: &str, prefix: &str, record: Record) -> Record {
    let Record { mut key, mut value, headers } = record;
    replace_prefix(&mut key, prefix);
    replace_prefix(&mut value, prefix);
    // With its schema, a JSON value is in `payload`.
    let payload = match &mut value {
        Value::Object(fields) if fields.contains_key("schema") && fields.contains_key("payload") => {
            &mut fields["payload"]
        }
        value => value,
    };
    if let Value::Object(fields) = payload {
        if fields.contains_key("op") || topic.starts_with("__debezium-heartbeat") {
            replace(fields, &CLOCKS, "(clock)");
        }
        if let Some(Value::Object(source)) = fields.get_mut("source") {
            replace_source(source);
        }
    }
    let headers = headers.into_iter().filter(|(name, _)| name != OWN_HEADER).map(|(name, mut value)| {
        replace_prefix(&mut value, prefix);
        let value = if name == RUN_HEADER && value.is_string() { json!("(run)") } else { value };
        (name, value)
    });
    Record { key, value, headers: headers.collect() }
}

fn replace_source(source: &mut Map<String, Value>) {
    replace(source, &["version"], "(version)");
    let snapshot = source.get("snapshot").and_then(Value::as_str).unwrap_or("false");
    if snapshot != "false" {
        replace(source, &OF_A_SNAPSHOT, "(snapshot)");
    }
}

fn replace(fields: &mut Map<String, Value>, names: &[&str], by: &str) {
    for name in names {
        if let Some(value) = fields.get_mut(*name).filter(|value| !value.is_null()) {
            *value = json!(by);
        }
    }
}

fn replace_prefix(value: &mut Value, prefix: &str) {
    match value {
        Value::String(string) if string.contains(prefix) => *string = text(string, prefix),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_prefix(item, prefix)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace_prefix(field, prefix)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(value: Value) -> Value {
        record("p.public.t", "p", Record { key: json!(1), value, headers: Vec::new() }).value
    }

    #[test]
    fn streamed_rows_keep_their_place_in_the_log() {
        let source =
            json!({"version": "3.6", "name": "p", "ts_ms": 5, "snapshot": "false", "lsn": 7, "xmin": null});

        let value = normal(json!({"after": {"ts_ms": 1}, "source": source, "op": "c", "ts_ms": 9}));

        let source = json!({"version": "(version)", "name": "P", "ts_ms": 5, "snapshot": "false", "lsn": 7, "xmin": null});
        assert_eq!(value, json!({"after": {"ts_ms": 1}, "source": source, "op": "c", "ts_ms": "(clock)"}));
    }

    #[test]
    fn snapshot_rows_lose_theirs() {
        let value = normal(
            json!({"payload": {"source": {"snapshot": "last", "lsn": 7, "txId": null}}, "schema": {}}),
        );

        let source = json!({"snapshot": "last", "lsn": "(snapshot)", "txId": null});
        assert_eq!(value["payload"]["source"], source);
    }

    #[test]
    fn our_own_header_is_left_out() {
        let headers = [
            ("sluice.position", "0/1"),
            ("__debezium.context.runId", "7"),
            ("__debezium.context.taskId", "0"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), json!(value))).to_vec();

        let record = record("p.t", "p", Record { key: Value::Null, value: Value::Null, headers });

        let names: Vec<_> =
            record.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        assert_eq!(
            names,
            [("__debezium.context.runId", json!("(run)")), ("__debezium.context.taskId", json!("0"))]
        );
    }
}
