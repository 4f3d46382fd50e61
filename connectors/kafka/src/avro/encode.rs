//! Values → Avro datums, by a plan compiled once per schema.
//!
//! Hot path. A plan is a tree of slots, one for each field, that knows its union layout, and the bytes
//! to write for what has no value: the default, the zero of the type, the unavailable placeholder.

use std::sync::Arc;

use sluice_core::{
    schema::{Field, Kind, Schema, SchemaRef, debezium},
    value::{Struct, Value},
};

use super::{
    error::{AvroError, EncodeProblem, Failure},
    format::{AvroFormat, NullDefaults, is_source_block},
    schema::{fixed_size, is_union, null_first},
};

pub use super::change_encode::ChangeEncoder;

pub(super) type EncodeStep = Result<(), Box<Failure<EncodeProblem>>>;

/// Writes values of one Connect schema as datums of the schema that [`super::schema::to_avro`] prints.
#[derive(Debug)]
pub struct Encoder {
    root: Slot,
}

impl Encoder {
    /// Compiles the plan for a schema. Call it once per schema, not per record.
    ///
    /// # Errors
    /// [`AvroError::NotRepresentable`] when a default of the schema is not of its type.
    pub fn compile(schema: &SchemaRef, format: &AvroFormat) -> Result<Self, AvroError> {
        Ok(Self { root: Slot::compile(schema, format)? })
    }

    /// Appends the datum of a value, without the wire prefix.
    ///
    /// Null in a required field with a default becomes the default.
    ///
    /// # Errors
    /// [`AvroError::Encode`] names the field whose value does not fit; `out` then ends in a torn datum
    /// that the caller truncates.
    pub fn encode(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), AvroError> {
        Ok(self.root.encode(value, out)?)
    }
}

/// How null is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    /// Not at all.
    Required,
    /// Null is branch 0, the value branch 1.
    First,
    /// Null is branch 1, the value branch 0.
    Last,
    /// As the default; the value is branch 0.
    Default,
    /// The type is itself a union; null is its branch 0.
    InUnion,
}

impl Null {
    pub(super) fn of(schema: &Schema, null_defaults: NullDefaults) -> Self {
        match (schema.optional, is_union(schema)) {
            (false, _) => Self::Required,
            (true, true) => Self::InUnion,
            (true, false) if null_first(schema) => Self::First,
            (true, false) if null_defaults == NullDefaults::Replace => Self::Default,
            (true, false) => Self::Last,
        }
    }
}

#[derive(Debug)]
pub(super) struct Slot {
    op: Op,
    null: Null,
    /// The datum of the schema's default, for null where null is not allowed.
    default: Option<Box<[u8]>>,
    /// The datum for a value that an old row image lacks: the default, else the type's zero.
    absent: Box<[u8]>,
    /// The datum of the placeholder.
    unavailable: Option<Box<[u8]>>,
}

#[derive(Debug)]
enum Op {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Bytes,
    String,
    Fixed(usize),
    Array(Box<Slot>),
    Map(Box<Slot>),
    Entries(Box<(Slot, Slot)>),
    Record(Row),
    Union(Row),
}

/// The slots of a record's fields.
#[derive(Debug)]
pub(super) struct Row {
    fields: Box<[(Arc<str>, Slot)]>,
}

impl Row {
    pub(super) fn compile(schema: &Schema, format: &AvroFormat) -> Result<Self, AvroError> {
        let slot = |field: &Field| {
            let slot = Slot::compile(&field.schema, format).map_err(|error| error.within(&field.name))?;
            Ok((Arc::clone(&field.name), slot))
        };
        Ok(Self { fields: schema.fields().iter().map(slot).collect::<Result<_, AvroError>>()? })
    }

    /// Appends the fields in order; an error names the field.
    pub(super) fn encode(&self, values: &[Value], out: &mut Vec<u8>) -> EncodeStep {
        self.check(values)?;
        for ((name, slot), value) in self.fields.iter().zip(values) {
            slot.encode(value, out).map_err(|failure| failure.within(name))?;
        }
        Ok(())
    }

    /// Appends the fields of an old row image: null in a required field becomes its default or zero.
    pub(super) fn encode_old(&self, values: &[Value], out: &mut Vec<u8>) -> EncodeStep {
        self.check(values)?;
        for ((name, slot), value) in self.fields.iter().zip(values) {
            if matches!((value, slot.null), (Value::Null, Null::Required)) {
                out.extend_from_slice(&slot.absent);
            } else {
                slot.encode(value, out).map_err(|failure| failure.within(name))?;
            }
        }
        Ok(())
    }

    fn check(&self, values: &[Value]) -> EncodeStep {
        if values.len() == self.fields.len() {
            return Ok(());
        }
        Err(Failure::new(EncodeProblem::FieldCount { expected: self.fields.len(), found: values.len() }))
    }

    /// Appends the branch of the one member that is set; null is branch 0 of a nullable union.
    fn encode_union(&self, values: &[Value], null: Null, out: &mut Vec<u8>) -> EncodeStep {
        self.check(values)?;
        let set = self.fields.iter().zip(values).enumerate().find(|(_, (_, value))| !value.is_null());
        let Some((index, ((name, slot), value))) = set else { return Err(Failure::new(EncodeProblem::Null)) };
        let branch = index + usize::from(null == Null::InUnion);
        write_length(out, branch);
        slot.encode_bare(value, out).map_err(|failure| failure.within(name))
    }
}

impl Slot {
    pub(super) fn compile(schema: &Schema, format: &AvroFormat) -> Result<Self, AvroError> {
        let op = Op::compile(schema, format)?;
        let mut slot = Self {
            op,
            null: Null::of(schema, format.null_defaults),
            default: None,
            absent: Box::default(),
            unavailable: None,
        };
        if let Some(default) = &schema.default {
            slot.default = Some(slot.constant(default)?);
        }
        slot.absent = match &slot.default {
            Some(default) => default.clone(),
            None if slot.null == Null::Required => slot.constant(&zero(schema))?,
            None => Box::default(),
        };
        // A fixed has no room for the marker: such a value is refused when it is met.
        slot.unavailable = format.unavailable.form(schema).and_then(|form| slot.constant(&form).ok());
        Ok(slot)
    }

    fn constant(&self, value: &Value) -> Result<Box<[u8]>, AvroError> {
        let mut out = Vec::new();
        match self.encode(value, &mut out) {
            Ok(()) => Ok(out.into()),
            Err(failure) => Err(AvroError::not_representable("", AvroError::from(failure).to_string())),
        }
    }

    /// Appends a value with its union branch.
    #[inline]
    pub(super) fn encode(&self, value: &Value, out: &mut Vec<u8>) -> EncodeStep {
        match (value, self.null) {
            // Nearly all of most rows: branch and length go in one write.
            (Value::String(text), Null::First) if text.len() < 0x40 && matches!(self.op, Op::String) => {
                out.extend_from_slice(&[2, (text.len() as u8) << 1]);
                out.extend_from_slice(text.as_bytes());
            }
            (Value::Null, Null::First | Null::InUnion) => out.push(0),
            (Value::Null, Null::Last) => out.push(2),
            (Value::Null, Null::Required | Null::Default) => return self.encode_default(out),
            (Value::Unavailable, _) => return self.encode_unavailable(out),
            (value, Null::First) => {
                out.push(2);
                return self.encode_bare(value, out);
            }
            (value, Null::Last | Null::Default) => {
                out.push(0);
                return self.encode_bare(value, out);
            }
            (value, Null::Required | Null::InUnion) => return self.encode_bare(value, out),
        }
        Ok(())
    }

    #[cold]
    fn encode_default(&self, out: &mut Vec<u8>) -> EncodeStep {
        let default = self.default.as_deref().ok_or_else(|| Failure::new(EncodeProblem::Null))?;
        out.extend_from_slice(default);
        Ok(())
    }

    #[cold]
    fn encode_unavailable(&self, out: &mut Vec<u8>) -> EncodeStep {
        let problem = || Failure::new(EncodeProblem::Unavailable(self.op.name()));
        out.extend_from_slice(self.unavailable.as_deref().ok_or_else(problem)?);
        Ok(())
    }

    #[inline]
    fn encode_bare(&self, value: &Value, out: &mut Vec<u8>) -> EncodeStep {
        match (&self.op, value) {
            (Op::String, Value::String(text)) => write_bytes(out, text.as_bytes()),
            (Op::Int64, Value::Int64(value)) => write_long(out, *value),
            (Op::Int32, Value::Int32(value)) => write_long(out, (*value).into()),
            (Op::Int16, Value::Int16(value)) => write_long(out, (*value).into()),
            (Op::Int8, Value::Int8(value)) => write_long(out, (*value).into()),
            (Op::Boolean, Value::Boolean(value)) => out.push((*value).into()),
            (Op::Bytes, Value::Bytes(bytes)) => write_bytes(out, bytes),
            (Op::Float32, Value::Float32(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Op::Float64, Value::Float64(value)) => out.extend_from_slice(&value.to_le_bytes()),
            _ => return self.encode_composite(value, out),
        }
        Ok(())
    }

    fn encode_composite(&self, value: &Value, out: &mut Vec<u8>) -> EncodeStep {
        match (&self.op, value) {
            (Op::Fixed(size), Value::Bytes(bytes)) if bytes.len() == *size => out.extend_from_slice(bytes),
            (Op::Fixed(expected), Value::Bytes(bytes)) => {
                let (expected, found) = (*expected, bytes.len());
                return Err(Failure::new(EncodeProblem::FixedLength { expected, found }));
            }
            (Op::Array(item), Value::Array(values)) => {
                write_block(out, values, |out, value| item.encode(value, out))?;
            }
            (Op::Map(slot), Value::Map(pairs)) => write_block(out, pairs, |out, (key, value)| {
                let Value::String(key) = key else { return Err(mismatch("string", key)) };
                write_bytes(out, key.as_bytes());
                slot.encode(value, out)
            })?,
            (Op::Entries(slots), Value::Map(pairs)) => write_block(out, pairs, |out, (key, value)| {
                slots.0.encode(key, out)?;
                slots.1.encode(value, out)
            })?,
            (Op::Record(row), Value::Struct(value)) => return row.encode(value.values(), out),
            (Op::Union(row), Value::Struct(value)) => {
                return row.encode_union(value.values(), self.null, out);
            }
            (op, value) => return Err(mismatch(op.name(), value)),
        }
        Ok(())
    }
}

#[cold]
fn mismatch(expected: &'static str, value: &Value) -> Box<Failure<EncodeProblem>> {
    Failure::new(EncodeProblem::Mismatch { expected, found: value.type_name() })
}

impl Op {
    fn compile(schema: &Schema, format: &AvroFormat) -> Result<Self, AvroError> {
        let slot = |schema: &Schema| Slot::compile(schema, format);
        Ok(match &schema.kind {
            Kind::Boolean => Self::Boolean,
            Kind::Int8 => Self::Int8,
            Kind::Int16 => Self::Int16,
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Float32 => Self::Float32,
            Kind::Float64 => Self::Float64,
            Kind::Bytes => fixed_size(schema).map_or(Self::Bytes, Self::Fixed),
            Kind::String => Self::String,
            Kind::Array(item) => Self::Array(Box::new(slot(item)?)),
            Kind::Map { key, value } if format.is_avro_map(key) => Self::Map(Box::new(slot(value)?)),
            Kind::Map { key, value } => Self::Entries(Box::new((slot(key)?, slot(value)?))),
            Kind::Struct(_) if is_union(schema) => Self::Union(Row::compile(schema, format)?),
            Kind::Struct(_) if is_source_block(schema) => {
                let null_defaults = format.null_defaults.of_source();
                Self::Record(Row::compile(schema, &AvroFormat { null_defaults, ..format.clone() })?)
            }
            Kind::Struct(_) => Self::Record(Row::compile(schema, format)?),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Bytes | Self::Fixed(_) => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) | Self::Entries(_) => "map",
            Self::Record(_) | Self::Union(_) => "struct",
        }
    }
}

/// The zero of a schema, also of what only Avro has: fixed bytes, and unions, of which the first member is set.
pub(crate) fn zero(schema: &Schema) -> Value {
    match (&schema.kind, fixed_size(schema)) {
        (Kind::Bytes, Some(size)) => Value::Bytes(vec![0; size].into()),
        (Kind::Struct(fields), _) if !schema.is_named(debezium::VARIABLE_SCALE_DECIMAL) => {
            let chosen = |place, field: &Field| (is_union(schema) && place == 0) || !field.schema.optional;
            let values = fields.iter().enumerate().map(|(place, field)| match chosen(place, field) {
                true => zero(&field.schema),
                false => Value::Null,
            });
            Struct::new(SchemaRef::new(schema.clone()), values.collect()).into()
        }
        _ => sluice_core::zero::zero(schema),
    }
}

/// Appends a list or map: one block with its count, then the end mark.
fn write_block<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut each: impl FnMut(&mut Vec<u8>, &T) -> EncodeStep,
) -> EncodeStep {
    if !items.is_empty() {
        write_length(out, items.len());
        for item in items {
            each(out, item)?;
        }
    }
    out.push(0);
    Ok(())
}

#[inline]
fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[inline]
fn write_length(out: &mut Vec<u8>, length: usize) {
    // A buffer never reaches 2^63 bytes.
    write_long(out, length.cast_signed() as i64);
}

/// Appends a number as Avro's zig-zag variable-length integer.
#[inline]
pub(super) fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    if rest < 0x80 {
        return out.push(rest as u8);
    }
    let mut buffer = [0; 10];
    let mut length = 0;
    while rest >= 0x80 {
        buffer[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    buffer[length] = rest as u8;
    out.extend_from_slice(&buffer[..=length]);
}
