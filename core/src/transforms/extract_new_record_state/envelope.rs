//! One view on an envelope, typed or made into a struct by an earlier transform.
//!
//! Hot path.

use std::sync::Arc;

use crate::{
    change::{Change, Operation, field},
    record::{Datum, Payload},
    schema::{Kind, SchemaRef},
    value::{Struct, Value},
};

/// How the names of envelope schemas end; the original tells an envelope by it.
const NAME_SUFFIX: &str = ".Envelope";

/// Debezium's envelope.
pub(super) enum Envelope {
    Typed(Change),
    Struct(Struct),
}

/// Which of the two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSide {
    Before,
    After,
}

/// Place of a value in an envelope, by its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A field of the envelope.
    Outer(usize),
    /// A field of a struct in the envelope.
    Inner(usize, usize),
}

impl RowSide {
    fn field(self) -> &'static str {
        match self {
            Self::Before => field::BEFORE,
            Self::After => field::AFTER,
        }
    }
}

impl Envelope {
    /// Takes a payload as an envelope, or gives it back.
    #[expect(clippy::result_large_err, reason = "the payload goes back to where it came from")]
    pub(super) fn recognise(payload: Payload) -> Result<Self, Payload> {
        match payload {
            Payload::Change(change) if change.operation != Operation::Message => Ok(Self::Typed(change)),
            Payload::Plain(Datum { schema: Some(_), value: Value::Struct(value) })
                if value.schema().name.as_deref().is_some_and(|name| name.ends_with(NAME_SUFFIX)) =>
            {
                Ok(Self::Struct(value))
            }
            other => Err(other),
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Typed(change) => &change.schema.envelope,
            Self::Struct(value) => value.schema(),
        }
    }

    pub(super) fn operation(&self) -> Option<Operation> {
        match self {
            Self::Typed(change) => Some(change.operation),
            Self::Struct(value) => Operation::from_code(value.value(field::OP)?.as_str()?),
        }
    }

    /// Returns the schema of a row: its own, or where it is null the one that the envelope names.
    pub(super) fn row_schema(&self, side: RowSide) -> Option<&SchemaRef> {
        match self {
            Self::Typed(change) => Some(&change.schema.row),
            Self::Struct(value) => match value.value(side.field())? {
                Value::Struct(row) => Some(row.schema()),
                _ => Some(&value.schema().field(side.field())?.schema)
                    .filter(|schema| matches!(schema.kind, Kind::Struct(_))),
            },
        }
    }

    pub(super) fn has_row(&self, side: RowSide) -> bool {
        match (self, side) {
            (Self::Typed(change), RowSide::Before) => change.before.is_some(),
            (Self::Typed(change), RowSide::After) => change.after.is_some(),
            (Self::Struct(value), _) => matches!(value.value(side.field()), Some(Value::Struct(_))),
        }
    }

    /// Moves a row out.
    pub(super) fn take_row(&mut self, side: RowSide) -> Option<(SchemaRef, Vec<Value>)> {
        match self {
            Self::Typed(change) => {
                let row = match side {
                    RowSide::Before => change.before.take(),
                    RowSide::After => change.after.take(),
                };
                Some((Arc::clone(&change.schema.row), row?))
            }
            Self::Struct(value) => Some(value.value(side.field())?.as_struct()?.clone().into_parts()),
        }
    }

    /// Returns a column of a row.
    pub(super) fn column(&self, side: RowSide, name: &str) -> Option<&Value> {
        match (self, side) {
            (Self::Typed(change), _) => {
                let row = match side {
                    RowSide::Before => change.before.as_ref(),
                    RowSide::After => change.after.as_ref(),
                };
                row?.get(change.schema.row.field_index(name)?)
            }
            (Self::Struct(value), _) => value.value(side.field())?.as_struct()?.value(name),
        }
    }

    /// Returns what stands at a place of the envelope's schema; null where a struct around it is null.
    pub(super) fn value(&self, place: Place) -> Value {
        match (self, place) {
            (Self::Typed(change), place) => typed_value(change, place),
            (Self::Struct(value), Place::Outer(outer)) => {
                value.values().get(outer).cloned().unwrap_or_default()
            }
            (Self::Struct(value), Place::Inner(outer, inner)) => value
                .values()
                .get(outer)
                .and_then(Value::as_struct)
                .and_then(|part| part.values().get(inner))
                .cloned()
                .unwrap_or_default(),
        }
    }
}

fn typed_value(change: &Change, place: Place) -> Value {
    let (outer, inner) = match place {
        Place::Outer(outer) => (outer, None),
        Place::Inner(outer, inner) => (outer, Some(inner)),
    };
    let Some(outer) = change.schema.envelope.fields().get(outer) else { return Value::Null };
    let of_row = |row: &Option<Vec<Value>>| match (row, inner) {
        (Some(row), Some(inner)) => row.get(inner).cloned().unwrap_or_default(),
        (Some(row), None) => Struct::new(Arc::clone(&change.schema.row), row.clone()).into(),
        (None, _) => Value::Null,
    };
    match (&*outer.name, inner) {
        (field::OP, None) => Value::from_static(change.operation.code()),
        (field::TS_MS | field::TS_US | field::TS_NS, None) => change.clock(&outer.name),
        (field::SOURCE, Some(inner)) => change.source.get(inner).cloned().unwrap_or_default(),
        (field::SOURCE, None) => Struct::new(Arc::clone(&change.schema.source), change.source.clone()).into(),
        (field::BEFORE, _) => of_row(&change.before),
        (field::AFTER, _) => of_row(&change.after),
        (field::TRANSACTION, _) => {
            let Some(block) = change.transaction.clone() else { return Value::Null };
            match (block.into_value(&outer.schema), inner) {
                (Value::Struct(block), Some(inner)) => block.values().get(inner).cloned().unwrap_or_default(),
                (block, _) => block,
            }
        }
        _ => Value::Null,
    }
}
