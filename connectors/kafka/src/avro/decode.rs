//! Avro datums → values, by a plan compiled once per writer schema.
//!
//! Hot path. Text and bytes are slices of the datum; nothing is allocated per field but the list of a
//! row's values. Bad input is an error that names field and byte offset, whatever the bytes are.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use sluice_core::{
    change::{Change, ChangeSchema},
    schema::SchemaRef,
    value::{Struct, Value},
};

use super::{
    change_decode::ChangePlan,
    connect::to_connect,
    cursor::{Cursor, DecodeStep},
    error::{AvroError, DecodeProblem, Failure},
    parse,
    plan::{Compiler, Watch},
    unavailable::UnavailableValue,
    words::Words,
};

/// Reads datums of one writer schema.
#[derive(Debug)]
pub struct Decoder {
    schema: SchemaRef,
    root: Slot,
    change: Option<ChangePlan>,
}

impl Decoder {
    /// Compiles the plan for a writer schema, as the registry holds it. Call it once per schema id.
    ///
    /// In the fields of a row (those of an envelope's `before` and `after`, or of the outermost record)
    /// a value that is the placeholder's form for its type reads as [`Value::Unavailable`].
    ///
    /// # Errors
    /// [`AvroError::SchemaNotJson`] and [`AvroError::SchemaInvalid`].
    pub fn compile(writer: &str, unavailable: &UnavailableValue) -> Result<Self, AvroError> {
        let node = parse::parse(writer)?;
        let schema = to_connect(&node)?;
        let change = ChangeSchema::recognise(&schema).map(Arc::new);
        let mut compiler = Compiler::new(unavailable);
        let root = match &change {
            Some(_) => compiler.envelope(&node, &schema)?,
            None => compiler.slot(&node, &schema, Watch::Fields)?,
        };
        let change = match (change, &root.op) {
            (Some(change), Op::Record(row)) => Some(ChangePlan::compile(change, row)?),
            _ => None,
        };
        Ok(Self { schema, root, change })
    }

    /// Returns the Connect schema of what [`Self::decode`] returns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads a datum, without the wire prefix; the value shares the datum's memory.
    ///
    /// # Errors
    /// [`AvroError::Decode`].
    pub fn decode(&self, datum: &Bytes) -> Result<Value, AvroError> {
        let mut cursor = Cursor::new(datum);
        let value = self.root.decode(&mut cursor)?;
        cursor.finish()?;
        Ok(value)
    }

    /// Returns the schemas of the table version when the writer schema is a Debezium envelope.
    pub fn change_schema(&self) -> Option<&Arc<ChangeSchema>> {
        self.change.as_ref().map(ChangePlan::schema)
    }

    /// Reads an envelope datum, without the wire prefix, as a typed change.
    ///
    /// Fields of the envelope that a change does not have are skipped. The clock is the finest given.
    ///
    /// # Errors
    /// [`AvroError::Decode`]; also when [`Self::change_schema`] is none.
    pub fn decode_change(&self, datum: &Bytes) -> Result<Change, AvroError> {
        let Some(change) = &self.change else {
            return Err(Failure::new(DecodeProblem::NotAnEnvelope).into());
        };
        let mut cursor = Cursor::new(datum);
        let change = change.decode(&mut cursor)?;
        cursor.finish()?;
        Ok(change)
    }
}

/// How null is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    Required,
    First,
    Last,
    /// Not at all, but the value is the one branch of a union.
    OneBranch,
}

/// How one value is read.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) op: Op,
    pub(super) null: Null,
    /// The placeholder's form, where it is looked for.
    pub(super) watch: Option<Value>,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Bytes,
    String,
    /// Text that repeats from record to record.
    Word(Arc<Words>),
    Fixed(usize),
    Enum(Arc<[ByteString]>),
    Array(Arc<Slot>),
    Map(Arc<Slot>),
    Entries(Arc<(Slot, Slot)>),
    Record(Arc<Row>),
    Union(Arc<Union>),
}

/// How a record is read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) schema: SchemaRef,
    pub(super) fields: Box<[(Arc<str>, Slot)]>,
}

/// How a union of several types is read: as a struct with one member set.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) schema: SchemaRef,
    /// For each branch the member's place and slot; none for null.
    pub(super) branches: Box<[Option<(usize, Slot)>]>,
}

impl Slot {
    /// Reads a value with its union branch; an error's path begins inside of it.
    #[inline]
    pub(super) fn decode(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Value> {
        if !self.present(cursor)? {
            return Ok(Value::Null);
        }
        let value = self.op.decode(cursor)?;
        match &self.watch {
            Some(form) if is_form(form, &value) => Ok(Value::Unavailable),
            _ => Ok(value),
        }
    }

    /// Reads a value onto the end of a row.
    ///
    /// The common types are pushed by functions of their own that are not inlined. Merged into one push,
    /// each value is built on the stack and copied with loads wider than its stores, and the processor
    /// waits for them (measured; returning values instead of pushing them was slower still).
    #[inline]
    fn push(&self, cursor: &mut Cursor<'_>, row: &mut Vec<Value>) -> DecodeStep<()> {
        if !self.present(cursor)? {
            push_null(row);
            return Ok(());
        }
        match &self.op {
            Op::String => {
                let bytes = cursor.raw()?;
                match &self.watch {
                    Some(Value::String(marker)) if marker.as_bytes() == bytes => push_unavailable(row),
                    _ => return push_text(bytes.len(), cursor, row),
                }
            }
            Op::Word(words) => return push_word(words, cursor, row),
            Op::Int64 => push_long(cursor.long()?, row),
            Op::Int32 => push_int(cursor.narrow("int32")?, row),
            _ => return self.push_other(cursor, row),
        }
        Ok(())
    }

    #[inline(never)]
    fn push_other(&self, cursor: &mut Cursor<'_>, row: &mut Vec<Value>) -> DecodeStep<()> {
        let value = self.op.decode(cursor)?;
        let marked = self.watch.as_ref().is_some_and(|form| is_form(form, &value));
        row.push(if marked { Value::Unavailable } else { value });
        Ok(())
    }

    /// Reads the union branch of an optional value; whether there is a value.
    #[inline]
    pub(super) fn present(&self, cursor: &mut Cursor<'_>) -> DecodeStep<bool> {
        if self.null == Null::Required {
            return Ok(true);
        }
        match (cursor.long()?, self.null) {
            (0, Null::First) | (1, Null::Last) => Ok(false),
            (0, _) | (1, Null::First) => Ok(true),
            (_, Null::OneBranch) => cursor.fail(DecodeProblem::Branch(1)),
            _ => cursor.fail(DecodeProblem::Branch(2)),
        }
    }

    /// Returns the fewest bytes that a value takes.
    fn least(&self) -> usize {
        if self.null == Null::Required { self.op.least() } else { 1 }
    }
}

#[inline(never)]
fn push_null(row: &mut Vec<Value>) {
    row.push(Value::Null);
}

#[inline(never)]
fn push_unavailable(row: &mut Vec<Value>) {
    row.push(Value::Unavailable);
}

#[inline(never)]
fn push_long(value: i64, row: &mut Vec<Value>) {
    row.push(Value::Int64(value));
}

#[inline(never)]
fn push_int(value: i32, row: &mut Vec<Value>) {
    row.push(Value::Int32(value));
}

#[inline(never)]
fn push_text(length: usize, cursor: &Cursor<'_>, row: &mut Vec<Value>) -> DecodeStep<()> {
    row.push(Value::String(cursor.text_before(length)?));
    Ok(())
}

#[inline(never)]
fn push_word(words: &Words, cursor: &mut Cursor<'_>, row: &mut Vec<Value>) -> DecodeStep<()> {
    row.push(Value::String(word(words, cursor)?));
    Ok(())
}

/// Reads text that is probably one of the words seen before.
#[inline(always)]
fn word(words: &Words, cursor: &mut Cursor<'_>) -> DecodeStep<ByteString> {
    let bytes = cursor.raw()?;
    if let Some(word) = words.find(bytes) {
        return Ok(word);
    }
    let word = cursor.text_before(bytes.len())?;
    words.learn(&word);
    Ok(word)
}

/// Whether a value is the placeholder's form; of structs, the values count and not the schemas.
#[inline]
fn is_form(form: &Value, value: &Value) -> bool {
    match (form, value) {
        (Value::String(form), Value::String(value)) => form == value,
        (Value::Struct(form), Value::Struct(value)) => form.values() == value.values(),
        (Value::Array(form), Value::Array(value)) => {
            form.len() == value.len() && form.iter().zip(value).all(|(form, value)| is_form(form, value))
        }
        _ => form == value,
    }
}

impl Op {
    #[inline]
    pub(super) fn decode(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Value> {
        Ok(match self {
            Self::String => Value::String(cursor.text()?),
            Self::Word(words) => Value::String(word(words, cursor)?),
            Self::Int64 => Value::Int64(cursor.long()?),
            Self::Int32 => Value::Int32(cursor.narrow("int32")?),
            Self::Int16 => Value::Int16(cursor.narrow("int16")?),
            Self::Int8 => Value::Int8(cursor.narrow("int8")?),
            Self::Boolean => match cursor.byte()? {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                _ => return cursor.fail(DecodeProblem::Boolean),
            },
            Self::Bytes => Value::Bytes(cursor.bytes()?),
            Self::Float32 => Value::Float32(f32::from_le_bytes(cursor.array()?)),
            Self::Float64 => Value::Float64(f64::from_le_bytes(cursor.array()?)),
            other => return other.decode_composite(cursor),
        })
    }

    fn decode_composite(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Value> {
        match self {
            Self::Fixed(size) => cursor.take(*size).map(Value::Bytes),
            Self::Enum(symbols) => {
                let index = cursor.long()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                match symbol {
                    Some(symbol) => Ok(Value::String(symbol.clone())),
                    None => cursor.fail(DecodeProblem::Symbol(symbols.len())),
                }
            }
            Self::Array(item) => blocks(cursor, item.least(), |cursor| item.decode(cursor)).map(Value::Array),
            Self::Map(slot) => blocks(cursor, 1 + slot.least(), |cursor| {
                Ok((Value::String(cursor.text()?), slot.decode(cursor)?))
            })
            .map(Value::Map),
            Self::Entries(slots) => blocks(cursor, slots.0.least() + slots.1.least(), |cursor| {
                Ok((slots.0.decode(cursor)?, slots.1.decode(cursor)?))
            })
            .map(Value::Map),
            Self::Record(row) => {
                let values = row.decode(cursor)?;
                Ok(Value::Struct(Struct::new(Arc::clone(&row.schema), values)))
            }
            Self::Union(union) => union.decode(cursor),
            scalar => scalar.decode(cursor),
        }
    }

    fn least(&self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Float64 => 8,
            Self::Fixed(size) => *size,
            Self::Record(row) => {
                row.fields.iter().fold(0, |sum: usize, (_, slot)| sum.saturating_add(slot.least()))
            }
            _ => 1,
        }
    }
}

impl Row {
    /// Reads the fields in order; an error names the field.
    #[inline]
    pub(super) fn decode(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Vec<Value>> {
        let mut values = Vec::with_capacity(self.fields.len());
        for (name, slot) in &self.fields {
            if let Err(failure) = slot.push(cursor, &mut values) {
                return Err(failure.within(name));
            }
        }
        Ok(values)
    }
}

impl Union {
    fn decode(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Value> {
        let branch = cursor.long()?;
        let branch = usize::try_from(branch).ok().and_then(|branch| self.branches.get(branch));
        let Some(branch) = branch else { return cursor.fail(DecodeProblem::Branch(self.branches.len())) };
        let Some((place, slot)) = branch else { return Ok(Value::Null) };
        let value = slot.decode(cursor)?;
        let mut values = vec![Value::Null; self.schema.fields().len()];
        if let Some(member) = values.get_mut(*place) {
            *member = value;
        }
        Ok(Value::Struct(Struct::new(Arc::clone(&self.schema), values)))
    }
}

/// Reads the blocks of a list or map whose items take at least `least` bytes.
fn blocks<T>(
    cursor: &mut Cursor<'_>,
    least: usize,
    mut each: impl FnMut(&mut Cursor<'_>) -> DecodeStep<T>,
) -> DecodeStep<Vec<T>> {
    let mut items = Vec::new();
    loop {
        let count = cursor.block(least)?;
        if count == 0 {
            return Ok(items);
        }
        items.reserve(count);
        for _ in 0..count {
            items.push(each(cursor)?);
        }
    }
}
