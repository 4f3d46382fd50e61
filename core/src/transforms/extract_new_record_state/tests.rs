//! Against recordings of the original, and what they do not cover.

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    change::{Change, ChangeSchema},
    config::{Config as _, Properties},
    record::EventPosition,
    schema::{Field, Kind, Schema},
};

/// Schemas of `create table t(id int primary key, a text, b int)` in a database named like the prefix.
fn table(prefix: &str) -> Arc<ChangeSchema> {
    let id = || Field::new("id", Schema::new(Kind::Int32));
    let text = |name| Field::new(name, Schema::new(Kind::String));
    let row = vec![
        id(),
        Field::new("a", Schema::new(Kind::String).optional()),
        Field::new("b", Schema::new(Kind::Int32).optional()),
    ];
    let row = Schema::record(format!("{prefix}.public.t.Value"), row).optional().shared();
    let key = Schema::record(format!("{prefix}.public.t.Key"), vec![id()]).shared();
    let snapshot = Schema::new(Kind::String).optional().with_default(Value::from("false"));
    let source = vec![
        Field::new("ts_ms", Schema::new(Kind::Int64)),
        Field::new("snapshot", snapshot),
        text("db"),
        text("table"),
        Field::new("lsn", Schema::new(Kind::Int64).optional()),
    ];
    let source = Schema::record("io.debezium.connector.postgresql.Source", source).versioned(1).shared();
    Arc::new(ChangeSchema::new(&format!("{prefix}.public.t"), row, Some(key), source))
}

fn row(id: i32, a: &str, b: i32) -> Option<Vec<Value>> {
    Some(vec![Value::Int32(id), Value::from(a), Value::Int32(b)])
}

fn key_only(id: i32) -> Option<Vec<Value>> {
    Some(vec![Value::Int32(id), Value::Null, Value::Null])
}

fn record(schema: &Arc<ChangeSchema>, key: Value, value: Payload) -> Record {
    let key_schema = schema.key.clone().expect("the table has a key");
    let key = Datum::new(Arc::clone(&key_schema), Struct::new(key_schema, vec![key]).into());
    let mut record = Record::new("p.public.t".into(), key, value);
    record.origin.event = Some(EventPosition { epoch: 0, commit: 9, index: 0, count: 1 });
    record
}

fn change(operation: Operation, before: Option<Vec<Value>>, after: Option<Vec<Value>>) -> Record {
    change_of(&table("p"), operation, before, after)
}

fn change_of(
    schema: &Arc<ChangeSchema>,
    operation: Operation,
    before: Option<Vec<Value>>,
    after: Option<Vec<Value>>,
) -> Record {
    let key = after.as_ref().or(before.as_ref()).map_or(Value::Int32(0), |row| row[0].clone());
    let source = vec![Value::Int64(5), Value::Null, Value::from("d"), Value::from("t"), Value::Int64(16)];
    let change = Change {
        schema: Arc::clone(schema),
        operation,
        before,
        after,
        source,
        transaction: None,
        timestamp_ns: Some(7_000_000),
    };
    let mut record = record(schema, key, Payload::Change(change));
    record.origin.operation = Some(operation);
    record
}

fn unwrap<const N: usize>(pairs: [(&str, &str); N]) -> Unwrap {
    built(&Properties::from(pairs)).expect("the properties are right")
}

fn built(properties: &Properties) -> Result<Unwrap, Vec<Fault>> {
    ExtractNewRecordState.build(ExtractNewRecordStateConfig::from_properties(properties).unwrap())
}

fn kept(unwrap: &Unwrap, record: Record) -> Record {
    match unwrap.apply(record).unwrap() {
        Transformed::Keep(record) => record,
        other => panic!("{other:?}"),
    }
}

fn dropped(unwrap: &Unwrap, record: Record) -> bool {
    matches!(unwrap.apply(record).unwrap(), Transformed::Drop)
}

fn datum(record: &Record) -> &Datum {
    match &record.value {
        Payload::Plain(datum) => datum,
        Payload::Change(_) => panic!("still an envelope"),
    }
}

/// The change with its envelope made into a struct, as a transform on fields leaves it.
fn as_struct(mut record: Record) -> Record {
    if let Payload::Change(change) = record.value {
        let envelope = change.into_struct();
        record.value = Payload::Plain(Datum::new(Arc::clone(envelope.schema()), envelope.into()));
    }
    record
}

/// A schema as Connect's JSON converter writes it.
fn schema_json(schema: &Schema) -> Json {
    let mut json = json!({ "type": schema.kind.name(), "optional": schema.optional });
    if let Some(name) = &schema.name {
        json["name"] = json!(&**name);
    }
    if let Kind::Struct(fields) = &schema.kind {
        let fields = fields.iter().map(|field| {
            let mut json = schema_json(&field.schema);
            json["field"] = json!(&*field.name);
            json
        });
        json["fields"] = fields.collect();
    }
    json
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::String(text) => json!(&**text),
        Value::Struct(value) => {
            let names = value.schema().fields().iter().map(|field| field.name.to_string());
            Json::Object(names.zip(value.values().iter().map(value_json)).collect())
        }
        other => json!(other.as_i64().expect("the recordings hold text and integers")),
    }
}

/// What the original's output lists, of ours.
fn recorded_form(record: &Record) -> Json {
    let datum = datum(record);
    let headers = record
        .headers
        .iter()
        .map(|header| json!({ "key": &*header.key, "value": value_json(&header.value.value) }));
    json!({
        "topic": &*record.topic,
        "key_schema": record.key.schema.as_deref().map(schema_json),
        "key": value_json(&record.key.value),
        "value_schema": datum.schema.as_deref().map(schema_json),
        "value": value_json(&datum.value),
        "value_is_null": datum.schema.is_none() && datum.value.is_null(),
        "headers": headers.collect::<Json>(),
    })
}

/// What the source emitted for the recorded statements, with positions and clocks from the recording.
fn recorded_input(prefix: &str, full: bool, records: &[Json]) -> Vec<Record> {
    use Operation::{Create, Delete, Read, Truncate, Update};

    let schema = table(prefix);
    let old = |id, a, b| if full { row(id, a, b) } else { key_only(id) };
    let mut recorded = records.iter().filter(|record| record["value_is_null"] == false);
    let mut event = |operation, before, after, header: Option<(&str, &str)>| {
        let mut record = change_of(&schema, operation, before, after);
        record.topic = format!("{prefix}.public.t").into();
        if let Payload::Change(change) = &mut record.value {
            let seen = recorded.next().map(|record| &record["value"]);
            let of = |names: &[&str]| names.iter().find_map(|name| seen?[*name].as_i64()).unwrap_or(0);
            change.source[0] = Value::Int64(of(&["__source_ts_ms"]));
            change.source[2] = Value::from(format!("g_{prefix}"));
            change.source[4] = Value::Int64(of(&["__lsn", "_source_lsn"]));
            change.timestamp_ns = Some(of(&["__ts_ms"]) * 1_000_000);
        }
        if let Some((key, value)) = header {
            record.headers.push(key, Datum::new(plan::optional_text(), Value::from(value)));
        }
        let mut tombstone = record.clone();
        tombstone.value = Payload::TOMBSTONE;
        let is_delete = operation == Delete;
        std::iter::once(record).chain(is_delete.then_some(tombstone)).collect::<Vec<_>>()
    };
    let mut input = event(Read, None, row(1, "a", 1), None);
    input.extend(event(Create, None, row(2, "b", 2), None));
    input.extend(event(Update, full.then(|| row(2, "b", 2)).flatten(), row(2, "c", 2), None));
    input.extend(event(Delete, old(2, "c", 2), None, Some(("__debezium.newkey", "{\"id\":4}"))));
    input.extend(event(Create, None, row(4, "c", 2), Some(("__debezium.oldkey", "{\"id\":2}"))));
    input.extend(event(Delete, old(1, "a", 1), None, None));
    input.extend(event(Truncate, None, None, None));
    input
}

fn assert_as_recorded(prefix: &str, recording: &str) {
    let recording: Json = serde_json::from_str(recording).unwrap();
    let properties: Properties = recording["transforms"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(key, value)| {
            let key = key.strip_prefix("transforms.unwrap.").filter(|key| *key != "type")?;
            Some((key.to_owned(), value.as_str()?.to_owned()))
        })
        .collect();
    let records = recording["records"].as_array().unwrap();
    let full = recording["sql"].to_string().contains("replica identity full");
    let unwrap = built(&properties).expect("the original took these properties");

    for prepare in [|record| record, as_struct] {
        let output: Vec<_> = recorded_input(prefix, full, records)
            .into_iter()
            .filter_map(|record| match unwrap.apply(prepare(record)).unwrap() {
                Transformed::Keep(record) => Some(recorded_form(&record)),
                _ => None,
            })
            .collect();

        assert_eq!(output.len(), records.len());
        for (index, (ours, theirs)) in output.iter().zip(records).enumerate() {
            assert_eq!(ours, theirs, "record {index}");
        }
    }
}

macro_rules! as_recorded {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            assert_as_recorded(stringify!($name), include_str!(concat!("golden/", stringify!($name), ".json")));
        }
    )*};
}

/// Every record and schema of the original's output, from typed changes and from envelope structs.
mod recorded {
    use super::assert_as_recorded;

    as_recorded!(smt_unwrap_default smt_unwrap_delete_to_tombstone smt_unwrap_drop smt_unwrap_rewrite
        smt_unwrap_rewrite_with_tombstone smt_unwrap_tombstone);
}

#[test]
fn origin_stays_and_the_schema_is_shared_by_the_rows_of_a_table() {
    let unwrap = unwrap([]);
    let schema = table("p");
    let first = change_of(&schema, Operation::Create, None, row(1, "a", 1));
    let origin = first.origin.clone();

    let first = kept(&unwrap, first);
    let second = kept(&unwrap, change_of(&schema, Operation::Update, None, row(2, "b", 2)));

    assert_eq!(first.origin, origin);
    let schema = |record: &Record| datum(record).schema.clone().unwrap();
    assert!(Arc::ptr_eq(&schema(&first), &schema(&second)));
}

#[test]
fn older_properties_keep_their_meaning() {
    let delete = || change(Operation::Delete, key_only(1), None);
    let tombstone = || record(&table("p"), Value::Int32(1), Payload::TOMBSTONE);

    let dropping = unwrap([("drop.tombstones", "false")]);
    assert!(dropped(&dropping, delete()));
    assert!(kept(&dropping, tombstone()).value.is_tombstone());

    let passing = unwrap([("delete.handling.mode", "none")]);
    assert!(kept(&passing, delete()).value.is_tombstone());
    assert!(dropped(&passing, tombstone()));

    let rewriting = unwrap([("delete.handling.mode", "rewrite"), ("drop.tombstones", "false")]);
    let rewritten = kept(&rewriting, delete());
    assert_eq!(datum(&rewritten).value.as_struct().unwrap().value("__deleted"), Some(&Value::from("true")));
    assert!(kept(&rewriting, tombstone()).value.is_tombstone());
}

#[test]
fn old_and_new_properties_together_are_a_fault() {
    let properties = Properties::from([
        ("delete.tombstone.handling.mode", "drop"),
        ("drop.tombstones", "true"),
        ("add.fields", "a:b:c"),
        ("add.headers", "a.b.c"),
    ]);

    let faults = built(&properties).err().unwrap();

    let names: Vec<_> = faults.iter().map(|fault| fault.property.as_str()).collect();
    assert_eq!(names, ["drop.tombstones", "add.fields", "add.headers"]);
}

#[test]
fn tombstone_that_goes_on_says_that_it_is_a_delete() {
    let unwrap =
        unwrap([("delete.tombstone.handling.mode", "rewrite-with-tombstone"), ("add.headers", "op,db")]);

    let record = kept(&unwrap, record(&table("p"), Value::Int32(1), Payload::TOMBSTONE));

    let headers: Vec<_> = record.headers.iter().map(|header| (&*header.key, &header.value.value)).collect();
    assert_eq!(headers, [("__op", &Value::from("d"))]);
}

#[test]
fn delete_without_a_row_before_is_still_a_delete() {
    let delete = || change(Operation::Delete, None, None);

    assert!(kept(&unwrap([]), delete()).value.is_tombstone());
    assert!(kept(&unwrap([("delete.tombstone.handling.mode", "rewrite")]), delete()).value.is_tombstone());
}

#[test]
fn added_fields_that_are_not_there_are_left_out_and_null_structs_give_null() {
    let unwrap = unwrap([("add.fields", "nothing,total_order,snapshot,before.a,transaction")]);

    let record = kept(&unwrap, change(Operation::Create, None, row(1, "a", 1)));

    let row = datum(&record).value.as_struct().unwrap();
    let names: Vec<_> = row.schema().fields().iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["id", "a", "b", "__total_order", "__snapshot", "__before_a", "__transaction"]);
    assert!(row.values()[3..].iter().all(Value::is_null));
    let snapshot = &row.schema().field("__snapshot").unwrap().schema;
    assert!(snapshot.optional && snapshot.default.is_none());
}

#[test]
fn null_becomes_the_default_in_rewrite_modes_only() {
    let rows = |null: bool| {
        let id = Schema::new(Kind::Int32).optional().with_default(Value::Int32(8));
        let row = Schema::record("p.s.t.Value", vec![Field::new("a", id)]).optional().shared();
        let schema = ChangeSchema::new("p.s.t", row, None, Arc::clone(&table("p").source));
        let mut record = change(Operation::Create, None, Some(vec![Value::Null]));
        if let Payload::Change(change) = &mut record.value {
            change.schema = Arc::new(schema);
        }
        let properties = [
            ("delete.tombstone.handling.mode", "rewrite"),
            ("replace.null.with.default", if null { "true" } else { "false" }),
        ];
        (record.clone(), kept(&unwrap(properties), record))
    };
    let first = |record: &Record| datum(record).value.as_struct().unwrap().values()[0].clone();

    assert_eq!(first(&rows(true).1), Value::Int32(8));
    assert_eq!(first(&rows(false).1), Value::Null);
    assert_eq!(first(&kept(&unwrap([]), rows(true).0)), Value::Null);
}

#[test]
fn column_routes_to_its_topic() {
    let unwrap = unwrap([("route.by.field", "a")]);

    let routed = kept(&unwrap, change(Operation::Create, None, row(1, "elsewhere", 1)));
    let deleted = kept(&unwrap, change(Operation::Delete, row(1, "elsewhere", 1), None));
    let unnamed = kept(&unwrap, change(Operation::Create, None, key_only(1)));

    assert_eq!((&*routed.topic, &*deleted.topic, &*unnamed.topic), ("elsewhere", "elsewhere", "p.public.t"));
}

#[test]
fn column_that_cannot_route_refuses_the_record() {
    for field in ["b", "nothing"] {
        let unwrap = unwrap([("route.by.field", field)]);

        let error = unwrap.apply(change(Operation::Create, None, row(1, "a", 1))).unwrap_err();

        assert_eq!(error.code(), "transform.cannot_route");
    }
}

#[test]
fn header_drops_optional_fields_or_all_that_it_lists() {
    let listed = |list: Value| {
        let mut record = change(Operation::Create, None, row(1, "a", 1));
        record.headers.push("drop", Datum::schemaless(list));
        record
    };
    let names = |record: &Record| {
        let schema = datum(record).schema.clone().unwrap();
        schema.fields().iter().map(|field| field.name.to_string()).collect::<Vec<_>>()
    };
    let list = || Value::Array(vec![Value::from("id"), Value::from("a")]);

    let compatible = unwrap([("drop.fields.header.name", "drop")]);
    assert_eq!(names(&kept(&compatible, listed(list()))), ["id", "b"]);
    assert_eq!(names(&kept(&compatible, listed(Value::from("[\"b\"]")))), ["id", "a"]);
    assert!(compatible.apply(listed(Value::Int64(1))).is_err());

    let all = unwrap([
        ("drop.fields.header.name", "drop"),
        ("drop.fields.from.key", "true"),
        ("drop.fields.keep.schema.compatible", "false"),
    ]);
    let record = kept(&all, listed(list()));
    assert_eq!(names(&record), ["b"]);
    assert!(record.key.schema.unwrap().fields().is_empty());
}

#[test]
fn what_is_no_envelope_passes_unchanged() {
    let unwrap = unwrap([("add.headers", "op")]);
    let row = Schema::record("row", vec![Field::new("id", Schema::new(Kind::Int32))]).shared();
    let value = Payload::Plain(Datum::new(Arc::clone(&row), Struct::new(row, vec![Value::Int32(1)]).into()));
    let plain = record(&table("p"), Value::Int32(1), value);
    let message = change(Operation::Message, None, None);

    assert_eq!(kept(&unwrap, plain.clone()), plain);
    assert_eq!(kept(&unwrap, message.clone()), message);
}
