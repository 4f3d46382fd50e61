//! The side of a record that a transform with `$Key` and `$Value` works on.
//!
//! Hot path.

use std::sync::Arc;

use super::TransformError;
use crate::{
    error::Error,
    record::{Datum, Payload, Record},
    transform::Transformed,
    value::{Struct, Value},
};

/// Key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Key,
    Value,
}

/// What has fields: with a schema, or as a schemaless map.
pub(super) enum Fields {
    Struct(Struct),
    Map(Vec<(Value, Value)>),
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
        }
    }

    /// Changes the fields of this side; a null passes through, a change is made into the envelope struct.
    pub(super) fn change_fields(
        self,
        transform: &'static str,
        mut record: Record,
        change: impl FnOnce(Fields) -> Result<Fields, TransformError>,
    ) -> Result<Transformed, Error> {
        let taken = self.take(&mut record);
        let fields = match (taken.schema, taken.value) {
            (schema, Value::Null) => {
                self.put(&mut record, Datum { schema, value: Value::Null });
                return Ok(Transformed::Keep(record));
            }
            (Some(_), Value::Struct(value)) => Fields::Struct(value),
            (None, Value::Map(pairs)) => Fields::Map(pairs),
            (_, other) => {
                let found = other.type_name();
                return Err(TransformError::NotAStruct { transform, side: self.name(), found }.into());
            }
        };
        let changed = match change(fields)? {
            Fields::Struct(value) => Datum::new(Arc::clone(value.schema()), value.into()),
            Fields::Map(pairs) => Datum::schemaless(Value::Map(pairs)),
        };
        self.put(&mut record, changed);
        Ok(Transformed::Keep(record))
    }

    fn take(self, record: &mut Record) -> Datum {
        match self {
            Self::Key => std::mem::take(&mut record.key),
            Self::Value => match std::mem::replace(&mut record.value, Payload::TOMBSTONE) {
                Payload::Plain(datum) => datum,
                Payload::Change(change) => {
                    let envelope = change.into_struct();
                    Datum::new(Arc::clone(envelope.schema()), envelope.into())
                }
            },
        }
    }

    fn put(self, record: &mut Record, datum: Datum) {
        match self {
            Self::Key => record.key = datum,
            Self::Value => record.value = Payload::Plain(datum),
        }
    }
}
