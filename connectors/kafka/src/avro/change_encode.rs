//! Typed changes → envelope datums.
//!
//! Hot path. Writes Debezium's envelope straight from the [`Change`], without a tree of structs.

use std::sync::Arc;

use sluice_core::{
    change::{Change, ChangeSchema, TransactionBlock, field},
    schema::{Field, Schema},
    value::Value,
};

use super::{
    encode::{EncodeStep, Null, Row, Slot},
    error::{AvroError, EncodeProblem, Failure},
    format::AvroFormat,
};

/// Writes the changes of one table version as datums of its envelope schema.
#[derive(Debug)]
pub struct ChangeEncoder {
    fields: Box<[(Arc<str>, Part)]>,
}

/// What stands in one field of the envelope.
#[derive(Debug)]
enum Part {
    Before(Image),
    After(Image),
    Source(Image),
    Transaction(Block),
    Operation(Slot),
    Millis(Slot),
    Micros(Slot),
    Nanos(Slot),
    /// A field that the typed change does not have: null, or its default.
    Other(Slot),
}

/// A struct field and how its absence is written.
#[derive(Debug)]
struct Image {
    null: Null,
    row: Row,
}

#[derive(Debug)]
struct Block {
    null: Null,
    fields: Box<[(Arc<str>, BlockField, Slot)]>,
}

#[derive(Debug, Clone, Copy)]
enum BlockField {
    Id,
    TotalOrder,
    CollectionOrder,
    Other,
}

impl ChangeEncoder {
    /// Compiles the plan for a table version. Call it once per version, not per record.
    ///
    /// # Errors
    /// [`AvroError::NotRepresentable`] when a default in the schemas is not of its type.
    pub fn compile(schema: &Arc<ChangeSchema>, format: &AvroFormat) -> Result<Self, AvroError> {
        let part = |field: &Field| {
            let part = Part::compile(field, format).map_err(|error| error.within(&field.name))?;
            Ok((Arc::clone(&field.name), part))
        };
        let fields = schema.envelope.fields().iter().map(part).collect::<Result<_, AvroError>>()?;
        Ok(Self { fields })
    }

    /// Appends the datum of a change, without the wire prefix.
    ///
    /// In `before`, null in a required column becomes the column's default or its type's zero, as
    /// Debezium writes old images that lack columns; anywhere else it is an error unless there is a
    /// default. What becomes of null in an optional column with a default is [`super::NullDefaults`]'s to say.
    ///
    /// # Errors
    /// [`AvroError::Encode`] names the field whose value does not fit; `out` then ends in a torn datum
    /// that the caller truncates.
    pub fn encode(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), AvroError> {
        for (name, part) in &self.fields {
            part.encode(change, out).map_err(|failure| failure.within(name))?;
        }
        Ok(())
    }
}

impl Part {
    fn compile(field: &Field, format: &AvroFormat) -> Result<Self, AvroError> {
        let schema = &field.schema;
        let slot = || Slot::compile(schema, format);
        Ok(match &*field.name {
            field::BEFORE => Self::Before(Image::compile(schema, format)?),
            field::AFTER => Self::After(Image::compile(schema, format)?),
            field::SOURCE => {
                let null_defaults = format.null_defaults.of_source();
                Self::Source(Image::compile(schema, &AvroFormat { null_defaults, ..format.clone() })?)
            }
            field::TRANSACTION => Self::Transaction(Block::compile(schema, format)?),
            field::OP => Self::Operation(slot()?),
            field::TS_MS => Self::Millis(slot()?),
            field::TS_US => Self::Micros(slot()?),
            field::TS_NS => Self::Nanos(slot()?),
            _ => Self::Other(slot()?),
        })
    }

    #[inline]
    fn encode(&self, change: &Change, out: &mut Vec<u8>) -> EncodeStep {
        match self {
            Self::Before(image) => match &change.before {
                Some(values) => image.present(out).row.encode_old(values, out),
                None => image.absent(out),
            },
            Self::After(image) => match &change.after {
                Some(values) => image.present(out).row.encode(values, out),
                None => image.absent(out),
            },
            Self::Source(image) => image.present(out).row.encode(&change.source, out),
            Self::Transaction(block) => block.encode(change.transaction.as_ref(), out),
            Self::Operation(slot) => slot.encode(&Value::from_static(change.operation.code()), out),
            Self::Millis(slot) => slot.encode(&clock(change, |nanos| nanos.div_euclid(1_000_000)), out),
            Self::Micros(slot) => slot.encode(&clock(change, |nanos| nanos.div_euclid(1_000)), out),
            Self::Nanos(slot) => slot.encode(&clock(change, |nanos| nanos), out),
            Self::Other(slot) => slot.encode(&Value::Null, out),
        }
    }
}

#[inline]
fn clock(change: &Change, scale: fn(i64) -> i64) -> Value {
    change.timestamp_ns.map_or(Value::Null, |nanos| Value::Int64(scale(nanos)))
}

impl Image {
    fn compile(schema: &Schema, format: &AvroFormat) -> Result<Self, AvroError> {
        Ok(Self { null: Null::of(schema, format.null_defaults), row: Row::compile(schema, format)? })
    }

    #[inline]
    fn present(&self, out: &mut Vec<u8>) -> &Self {
        if self.null == Null::First {
            out.push(2);
        }
        self
    }

    fn absent(&self, out: &mut Vec<u8>) -> EncodeStep {
        absent(self.null, out)
    }
}

#[inline]
fn absent(null: Null, out: &mut Vec<u8>) -> EncodeStep {
    if null != Null::First {
        return Err(Failure::new(EncodeProblem::Null));
    }
    out.push(0);
    Ok(())
}

impl Block {
    fn compile(schema: &Schema, format: &AvroFormat) -> Result<Self, AvroError> {
        let compiled = |field: &Field| {
            let which = match &*field.name {
                "id" => BlockField::Id,
                "total_order" => BlockField::TotalOrder,
                "data_collection_order" => BlockField::CollectionOrder,
                _ => BlockField::Other,
            };
            Ok((Arc::clone(&field.name), which, Slot::compile(&field.schema, format)?))
        };
        let fields = schema.fields().iter().map(compiled).collect::<Result<_, AvroError>>()?;
        Ok(Self { null: Null::of(schema, format.null_defaults), fields })
    }

    fn encode(&self, block: Option<&TransactionBlock>, out: &mut Vec<u8>) -> EncodeStep {
        let Some(block) = block else { return absent(self.null, out) };
        if self.null == Null::First {
            out.push(2);
        }
        for (name, which, slot) in &self.fields {
            let value = match which {
                BlockField::Id => Value::String(block.id.clone()),
                BlockField::TotalOrder => Value::Int64(block.total_order),
                BlockField::CollectionOrder => Value::Int64(block.data_collection_order),
                BlockField::Other => Value::Null,
            };
            slot.encode(&value, out).map_err(|failure| failure.within(name))?;
        }
        Ok(())
    }
}
