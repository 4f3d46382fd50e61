//! The normal form of a record: what must differ between two connectors on one log, replaced.
//!
//! | what | because |
//! |---|---|
//! | the prefix, wherever it occurs | each side has its own |
//! | `ts_*` beside `op`, and those of heartbeats | the connector's clock |
//! | how many heartbeats there are | the connector's clock: equal ones that follow each other count as one |
//! | `BEGIN` and `END` before both sides stream | one side streams first; servers before 15 send empty transactions |
//! | `id` and `timestamp` of notifications, and the order of `additional_data` | made up, the clock, and chance in Java |
//! | `source.version` | each program has its own |
//! | `source.xmin` | each side has its own slot |
//! | `ts_*`, `lsn`, `txId` and `sequence` of snapshot rows | each side takes its own snapshot |
//! | header `__debezium.context.runId` | made up at each start |
//! | header `sluice.position` | ours alone; unless the case switches it off |
//!
//! A replaced value keeps whether it was there, or null, a number or a text.

use serde_json::{Map, Value, json};

use crate::observe::{Payload, Record};
use crate::side::{Program, Side};

const CLOCKS: [&str; 3] = ["ts_ms", "ts_us", "ts_ns"];
const OF_A_SNAPSHOT: [&str; 6] = ["ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence"];
const OWN_HEADER: &str = "sluice.position";
const OWN_HEADER_SWITCH: &str = "sluice.position.header";
const RUN_HEADER: &str = "__debezium.context.runId";

/// Replaces a side's prefix by `P`.
pub fn text(text: &str, prefix: &str) -> String {
    text.replace(prefix, "P")
}

/// Brings a record into normal form.
pub fn record(side: &Side, mut record: Record) -> Record {
    for Payload { value, text: json, .. } in [&mut record.key, &mut record.value] {
        replace_prefix(value, &side.prefix);
        *json = json.as_ref().map(|json| masked(&text(json, &side.prefix)));
    }
    let heartbeat = is_heartbeat(&record);
    if let Value::Object(fields) = payload_mut(&mut record.value.value) {
        if fields.contains_key("op") || heartbeat {
            replace(fields, &CLOCKS, "clock");
        }
        if let Some(Value::Object(source)) = fields.get_mut("source") {
            replace_source(source);
        }
        if fields.contains_key("aggregate_type") {
            replace_notification(&mut record);
        }
    }
    let own = side.program == Program::Sluice
        && side.properties.get(OWN_HEADER_SWITCH).is_none_or(|switch| switch != "false");
    record.headers.retain(|(name, _)| !(own && name == OWN_HEADER));
    for (name, value) in &mut record.headers {
        replace_prefix(value, &side.prefix);
        if name == RUN_HEADER && value.is_string() {
            *value = json!("(run)");
        }
    }
    record
}

/// Leaves one of equal heartbeats that follow each other.
pub fn heartbeats_once(records: &mut Vec<Record>) {
    records.dedup_by(|next, record| is_heartbeat(record) && next == record);
}

/// Leaves out the records of transactions before the first that both sides read.
pub fn transactions_since(records: &mut Vec<Record>, first: u64) {
    records.retain(|record| told_transaction(record).is_none_or(|id| id >= first));
}

/// The id of the transaction whose begin or end a record tells.
fn told_transaction(record: &Record) -> Option<u64> {
    let told = payload(&record.value.value);
    told.get("status").and(told.get("event_count"))?;
    told.get("id")?.as_str()?.split(':').next()?.parse().ok()
}

fn is_heartbeat(record: &Record) -> bool {
    payload(&record.key.value).get("serverName").is_some()
}

/// The value itself: with its schema, a JSON value is in `payload`.
fn payload(value: &Value) -> &Value {
    value.get("schema").and(value.get("payload")).unwrap_or(value)
}

fn payload_mut(value: &mut Value) -> &mut Value {
    if value.get("schema").is_some() && value.get("payload").is_some() {
        return &mut value["payload"];
    }
    value
}

fn replace_notification(record: &mut Record) {
    for part in [&mut record.key, &mut record.value] {
        part.text = None;
        if let Value::Object(fields) = payload_mut(&mut part.value) {
            replace(fields, &["id"], "made up");
            replace(fields, &["timestamp"], "clock");
            if let Some(Value::Object(data)) = fields.get_mut("additional_data") {
                data.sort_keys();
            }
        }
    }
}

/// Masks the values of all fields that a normal form may replace. What is left shows how values were written.
fn masked(json: &str) -> String {
    let mut masked = String::new();
    let mut rest = json;
    while let Some((name, from)) = next_field(rest) {
        masked.push_str(&rest[..from]);
        let value = &rest[from..];
        let end = if let Some(string) = value.strip_prefix('"') {
            2 + closing_quote(string)
        } else {
            value.find([',', '}', ']']).unwrap_or(value.len())
        };
        masked.push_str(&format!("({name})"));
        rest = &value[end.min(value.len())..];
    }
    masked + rest
}

/// The first field of those that a normal form may replace, and where its value begins.
fn next_field(json: &str) -> Option<(&'static str, usize)> {
    let names = OF_A_SNAPSHOT.into_iter().chain(["version"]);
    let found = names.filter_map(|name| {
        let field = format!("\"{name}\":");
        json.find(&field).map(|at| (name, at + field.len()))
    });
    found.min_by_key(|(_, at)| *at)
}

/// How far it is to the quote that ends a string of JSON.
fn closing_quote(json: &str) -> usize {
    let mut escaped = false;
    let end = json.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    });
    end.unwrap_or(json.len())
}

fn replace_source(source: &mut Map<String, Value>) {
    replace(source, &["version"], "version");
    replace(source, &["xmin"], "slot");
    let snapshot = source.get("snapshot").and_then(Value::as_str).unwrap_or("false");
    if snapshot != "false" {
        replace(source, &OF_A_SNAPSHOT, "snapshot");
    }
}

fn replace(fields: &mut Map<String, Value>, names: &[&str], by: &str) {
    for name in names {
        if let Some(value) = fields.get_mut(*name).filter(|value| !value.is_null()) {
            let kind = if value.is_number() { "number" } else { "text" };
            *value = json!(format!("({by}: {kind})"));
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
    use crate::case::Properties;

    fn side(properties: &[(&str, &str)]) -> Side {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Side {
            program: Program::Sluice,
            prefix: "p".to_owned(),
            slot: String::new(),
            properties: properties.collect::<Properties>(),
        }
    }

    fn normal(value: Value) -> Value {
        let value = Payload { value, ..Payload::default() };
        record(&side(&[]), Record { value, ..Record::default() }).value.value
    }

    #[test]
    fn transactions_that_one_side_alone_read_are_left_out() {
        let told = |value| Record { value: Payload { value, ..Payload::default() }, ..Record::default() };
        let begin = |id: &str| json!({"status": "BEGIN", "id": id, "event_count": null});
        let row = told(json!({"after": {"id": "1:7"}, "op": "c"}));
        let mut records = vec![
            told(begin("98:7")),
            row.clone(),
            told(begin("99:8")),
            told(json!({"payload": begin("100:9"), "schema": {}})),
        ];
        let kept = [row, records[2].clone(), records[3].clone()];

        transactions_since(&mut records, 99);

        assert_eq!(records, kept);
    }

    #[test]
    fn streamed_rows_keep_their_place_in_the_log() {
        let source =
            json!({"version": "3.6", "name": "p", "ts_ms": 5, "snapshot": "false", "lsn": 7, "xmin": null});

        let value = normal(json!({"after": {"ts_ms": 1}, "source": source, "op": "c", "ts_ms": 9}));

        let source = json!({"version": "(version: text)", "name": "P", "ts_ms": 5, "snapshot": "false", "lsn": 7,
            "xmin": null});
        assert_eq!(
            value,
            json!({"after": {"ts_ms": 1}, "source": source, "op": "c", "ts_ms": "(clock: number)"})
        );
    }

    #[test]
    fn snapshot_rows_lose_theirs_but_not_its_type() {
        let value = normal(
            json!({"payload": {"source": {"snapshot": "last", "lsn": 7, "txId": null}}, "schema": {}}),
        );

        let source = json!({"snapshot": "last", "lsn": "(snapshot: number)", "txId": null});
        assert_eq!(value["payload"]["source"], source);
    }

    #[test]
    fn heartbeats_count_once_and_other_records_as_often_as_they_come() {
        let of = |key: Value, value: Value| {
            let [key, value] = [key, value].map(|value| Payload { value, ..Payload::default() });
            record(&side(&[]), Record { key, value, ..Record::default() })
        };
        let heartbeat =
            |time: i64| of(json!({"schema": {}, "payload": {"serverName": "p"}}), json!({"ts_ms": time}));
        let row = |time: i64| of(json!({"id": 1}), json!({"op": "c", "ts_ms": time}));
        let mut records = vec![heartbeat(1), heartbeat(2), row(3), row(4), heartbeat(5)];

        heartbeats_once(&mut records);

        assert_eq!(records, [heartbeat(1), row(3), row(4), heartbeat(5)]);
    }

    #[test]
    fn notifications_lose_what_is_made_up_and_the_order_of_a_map() {
        let value = json!({"id": "x", "aggregate_type": "a", "timestamp": 5,
            "additional_data": {"status": "s", "connector_name": "p"}});

        let data = json!({"connector_name": "P", "status": "s"});
        assert_eq!(
            normal(value).to_string(),
            json!({"id": "(made up: text)", "aggregate_type": "a", "timestamp": "(clock: number)", "additional_data": data})
                .to_string()
        );
    }

    #[test]
    fn a_text_keeps_how_values_are_written() {
        let text = r#"{"a":1.50,"source":{"sequence":"[\"1\",\"2\"]","lsn":17,"version":"3\\"},"ts_ms":5}"#;

        assert_eq!(
            masked(text),
            r#"{"a":1.50,"source":{"sequence":(sequence),"lsn":(lsn),"version":(version)},"ts_ms":(ts_ms)}"#
        );
    }

    #[test]
    fn our_own_header_is_left_out_unless_the_case_switches_it_off() {
        let headers = ["sluice.position", "__debezium.context.runId"];
        let headers = headers.map(|name| (name.to_owned(), json!("7"))).to_vec();
        let normal = |side: &Side| {
            let record = record(side, Record { headers: headers.clone(), ..Record::default() });
            record.headers.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };

        assert_eq!(normal(&side(&[])), [json!("(run)")]);
        assert_eq!(normal(&side(&[("sluice.position.header", "false")])), [json!("7"), json!("(run)")]);
    }
}
