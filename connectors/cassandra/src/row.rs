//! Records as plans see them: what they ask for, and where their values are.
//!
//! Hot path.

use std::sync::Arc;

use sluice_core::{
    Record, Value,
    change::{Change, Operation},
    record::{Headers, Payload},
};

use crate::error::CassandraError;

/// What a record asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Upsert,
    Delete,
    Truncate,
}

/// Where in a record a column's value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// Path of field indexes in the key; the whole key when empty.
    Key(Box<[usize]>),
    /// Path of field indexes in the row; the whole value when empty.
    Row(Box<[usize]>),
    /// Header by name.
    Header(Arc<str>),
}

/// The root that a path starts from.
#[derive(Debug, Clone, Copy)]
enum Root<'a> {
    Fields(&'a [Value]),
    Whole(&'a Value),
}

impl<'a> Root<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Struct(fields) => Self::Fields(fields.values()),
            other => Self::Whole(other),
        }
    }

    fn find(self, path: &[usize]) -> &'a Value {
        let Some((&first, rest)) = path.split_first() else {
            return if let Self::Whole(value) = self { value } else { &Value::Null };
        };
        let Self::Fields(fields) = self else { return &Value::Null };
        rest.iter().fold(fields.get(first).unwrap_or(&Value::Null), |value, &index| match value {
            Value::Struct(fields) => fields.values().get(index).unwrap_or(&Value::Null),
            Value::Unavailable => value,
            _ => &Value::Null,
        })
    }
}

/// A record as a plan sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    key: Root<'a>,
    row: Root<'a>,
    /// The row before an update, when it is known in full.
    before: Option<Root<'a>>,
    headers: &'a Headers,
}

impl<'a> Row<'a> {
    /// Returns what is at a place; null where there is nothing.
    pub(crate) fn find(&self, place: &Place) -> &'a Value {
        match place {
            Place::Key(path) => self.key.find(path),
            Place::Row(path) => self.row.find(path),
            Place::Header(name) => self.headers.last(name).map_or(&Value::Null, |header| &header.value.value),
        }
    }

    /// Looks at a record as the action needs it: a delete of a change looks at the row before.
    pub(crate) fn of(record: &'a Record, action: Action) -> Self {
        let (row, before) = match &record.value {
            Payload::Change(change) if action == Action::Delete => (change.before.as_deref(), None),
            Payload::Change(change) => (change.after.as_deref(), full_before(change)),
            Payload::Plain(datum) => {
                let (key, row) = (Root::of(&record.key.value), Root::of(&datum.value));
                return Self { key, row, before: None, headers: &record.headers };
            }
        };
        Self {
            key: Root::of(&record.key.value),
            row: Root::Fields(row.unwrap_or_default()),
            before: before.map(Root::Fields),
            headers: &record.headers,
        }
    }
}

/// Returns the row before an update if it is the whole row.
///
/// Under a replica identity other than FULL it may hold the identity's columns only, and invented values in
/// the rest. Those columns are NOT NULL, so a value in a nullable column proves the whole row.
fn full_before(change: &Change) -> Option<&[Value]> {
    let before = change.before.as_deref().filter(|_| change.operation == Operation::Update)?;
    let mut columns = change.schema.row.fields().iter().zip(before);
    let is_full = columns
        .any(|(field, value)| field.schema.optional && !matches!(value, Value::Null | Value::Unavailable));
    is_full.then_some(before)
}

impl Row<'_> {
    /// Whether an update is known to have found a null at a place.
    pub(crate) fn was_null(&self, place: &Place) -> bool {
        match (&self.before, place) {
            (Some(before), Place::Row(path)) => before.find(path).is_null(),
            _ => false,
        }
    }
}

/// Tells what a record asks for.
///
/// # Errors
/// *Reject* for records that are no row changes.
pub(crate) fn action(record: &Record) -> Result<Action, CassandraError> {
    let refused = |what, hint| {
        Err(CassandraError::Record { topic: record.topic.to_string(), what, code: "cassandra.no_row", hint })
    };
    let operation = match &record.value {
        Payload::Change(change) => Some(change.operation),
        Payload::Plain(_) => record.origin.operation,
    };
    let keyless = record.key.value.is_null();
    match (operation, &record.value) {
        (Some(Operation::Truncate), _) => Ok(Action::Truncate),
        (Some(Operation::Message), _) => {
            refused("is a logical message, not a row", "let `topics.regex` name the topics of tables only")
        }
        (Some(Operation::Delete), Payload::Change(change)) if keyless && change.before.is_none() => {
            refused("deletes a row without saying which", "give the source table a primary key")
        }
        (Some(Operation::Delete), _) => Ok(Action::Delete),
        (_, Payload::Change(change)) if change.after.is_none() => {
            refused("is a change without the row after it", "the topic holds no complete envelopes")
        }
        (_, Payload::Plain(_)) if record.value.is_tombstone() && keyless => {
            refused("has neither key nor value", "filter such records with a transform")
        }
        (_, Payload::Plain(_)) if record.value.is_tombstone() => Ok(Action::Delete),
        _ => Ok(Action::Upsert),
    }
}
