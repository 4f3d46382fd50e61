//! Null rules and keys, bound without a server.

use std::sync::Arc;

use sluice_core::{
    Classify, Schema, SchemaRef,
    change::{Change, ChangeSchema},
    record::Datum,
    schema::{Field, Kind},
    value::Struct,
};

use super::*;
use crate::{probe::Probe, row::action};

const UNSET: [u8; 4] = (-2_i32).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

fn key_schema() -> SchemaRef {
    Schema::record("Key", vec![Field::new("id", Schema::new(Kind::Int32))]).shared()
}

fn row_schema() -> SchemaRef {
    let text = || Schema::new(Kind::String).optional();
    Schema::record(
        "Value",
        vec![Field::new("id", Schema::new(Kind::Int32)), Field::new("a", text()), Field::new("b", text())],
    )
    .optional()
    .shared()
}

fn change(operation: Operation, before: Option<[Value; 2]>, after: Option<[Value; 2]>) -> Record {
    let source = Schema::record("Source", Vec::new()).shared();
    let schema = Arc::new(ChangeSchema::new("p", row_schema(), Some(key_schema()), source));
    let row = |values: Option<[Value; 2]>| values.map(|[a, b]| vec![Value::Int32(1), a, b]);
    let value = Change {
        schema,
        operation,
        before: row(before),
        after: row(after),
        source: Vec::new(),
        transaction: None,
        timestamp_ns: None,
    };
    Record::new("t".into(), key(1), Payload::Change(value))
}

fn key(id: i32) -> Datum {
    Datum::new(key_schema(), Struct::new(key_schema(), vec![Value::Int32(id)]).into())
}

/// Returns the cells of columns `a` and `b`.
fn cells(record: &Record) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = Vec::new();
    Probe::new(&key_schema(), &row_schema()).insert(record, 7, &mut bytes).unwrap();
    let mut cells = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let size = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        cells.push(rest[..4 + size].to_vec());
        rest = &after[size..];
    }
    assert_eq!(cells.len(), 4, "id, a, b and the timestamp");
    assert_eq!(cells[3], [&8_i32.to_be_bytes()[..], &7_i64.to_be_bytes()].concat(), "the timestamp is set");
    (cells[1].clone(), cells[2].clone())
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as i32).to_be_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn a_null_that_was_inserted_or_read_is_unset() {
    for operation in [Operation::Create, Operation::Read] {
        let record = change(operation, None, Some([Value::Null, "x".into()]));

        assert_eq!(cells(&record), (UNSET.to_vec(), text("x")));
    }
}

#[test]
fn a_null_that_came_by_an_update_is_a_tombstone() {
    let record = change(Operation::Update, None, Some([Value::Null, "x".into()]));

    assert_eq!(cells(&record), (NULL.to_vec(), text("x")));
}

#[test]
fn with_the_whole_row_before_a_null_that_was_null_is_unset_and_every_value_is_written() {
    let record = change(Operation::Update, Some([Value::Null, "x".into()]), Some([Value::Null, "y".into()]));
    assert_eq!(cells(&record), (UNSET.to_vec(), text("y")));

    // The row may not be in the table: compacted away, or older than the first record.
    let record = change(Operation::Update, Some(["x".into(), "z".into()]), Some([Value::Null, "z".into()]));
    assert_eq!(cells(&record), (NULL.to_vec(), text("z")));
}

#[test]
fn a_row_before_that_may_be_the_key_only_proves_nothing() {
    let record = change(Operation::Update, Some([Value::Null, Value::Null]), Some([Value::Null, "y".into()]));

    assert_eq!(cells(&record), (NULL.to_vec(), text("y")));
}

#[test]
fn an_unavailable_value_is_unset_in_an_update_and_refused_in_a_new_row() {
    let row = || Some([Value::Unavailable, "x".into()]);
    assert_eq!(cells(&change(Operation::Update, None, row())).0, UNSET);

    let new = change(Operation::Create, None, row());
    let error = Probe::new(&key_schema(), &row_schema()).insert(&new, 7, &mut Vec::new()).unwrap_err();

    assert_eq!(error.code(), "cassandra.unavailable_value");
    assert!(error.to_string().contains("column `a`"));
}

#[test]
fn where_deletes_are_switched_off_an_inserted_null_hides_what_an_older_row_left() {
    let record = change(Operation::Create, None, Some([Value::Null, Value::Null]));
    let mut probe = Probe::new(&key_schema(), &row_schema());
    probe.keep_deleted();

    let mut bytes = Vec::new();
    probe.insert(&record, 7, &mut bytes).unwrap();

    assert_eq!(bytes[8..12], NULL);
}

#[test]
fn an_unwrapped_row_of_unknown_operation_counts_as_an_update() {
    let row = Struct::new(row_schema(), vec![Value::Int32(1), Value::Null, "x".into()]);
    let mut record = Record::new("t".into(), key(1), Payload::Plain(Datum::new(row_schema(), row.into())));
    assert_eq!(cells(&record).0, NULL);

    record.origin.operation = Some(Operation::Read);
    assert_eq!(cells(&record).0, UNSET);
}

#[test]
fn null_to_unset_overrides_the_operation() {
    let record = change(Operation::Create, None, Some([Value::Null, Value::Null]));
    let mut probe = Probe::new(&key_schema(), &row_schema());
    probe.null_to_unset(false);

    let mut bytes = Vec::new();
    probe.insert(&record, 7, &mut bytes).unwrap();

    assert_eq!(bytes[8..12], NULL);
}

#[test]
fn a_null_key_is_refused_by_name() {
    let mut record = change(Operation::Create, None, Some([Value::Null, Value::Null]));
    record.key = Datum::new(key_schema(), Struct::new(key_schema(), vec![Value::Null]).into());

    let error = Probe::new(&key_schema(), &row_schema()).insert(&record, 7, &mut Vec::new()).unwrap_err();

    assert_eq!((error.code(), error.class()), ("cassandra.null_key", sluice_core::ErrorClass::Reject));
    assert!(error.to_string().contains("column `id`"));
}

#[test]
fn a_tombstone_deletes_by_key() {
    let record = Record::new("t".into(), key(5), Payload::TOMBSTONE);
    let mut bytes = Vec::new();

    assert_eq!(action(&record).unwrap(), Action::Delete);
    Probe::new(&key_schema(), &row_schema()).delete(&record, 7, &mut bytes).unwrap();

    assert_eq!(
        bytes,
        [&8_i32.to_be_bytes()[..], &7_i64.to_be_bytes(), &4_i32.to_be_bytes(), &5_i32.to_be_bytes()].concat()
    );
}

#[test]
fn records_that_are_no_rows_are_refused() {
    let keyless = Record::new("t".into(), Datum::NULL, Payload::TOMBSTONE);
    let mut nameless = change(Operation::Delete, None, None);
    nameless.key = Datum::NULL;

    for record in
        [keyless, nameless, change(Operation::Message, None, None), change(Operation::Create, None, None)]
    {
        assert_eq!(action(&record).unwrap_err().code(), "cassandra.no_row");
    }
    assert_eq!(action(&change(Operation::Truncate, None, None)).unwrap(), Action::Truncate);
}
