//! Values as they flow: Connect's data types plus *unavailable*.
//!
//! Hot path. Text and bytes are slices of the buffer they arrived in; cloning them counts a
//! reference and copies nothing.

use bytes::Bytes;
use bytestring::ByteString;

use crate::schema::{Kind, Schema, SchemaRef};

/// One value. Which logical type it is says the [`Schema`] beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// The source did not send the value because it did not change (unchanged TOAST): neither null nor known.
    Unavailable,
    /// True or false.
    Boolean(bool),
    /// Signed 8-bit integer.
    Int8(i8),
    /// Signed 16-bit integer.
    Int16(i16),
    /// Signed 32-bit integer.
    Int32(i32),
    /// Signed 64-bit integer.
    Int64(i64),
    /// IEEE 754 single precision.
    Float32(f32),
    /// IEEE 754 double precision.
    Float64(f64),
    /// Bytes.
    Bytes(Bytes),
    /// UTF-8 text.
    String(ByteString),
    /// List, in order.
    Array(Vec<Value>),
    /// Pairs of key and value, in order.
    Map(Vec<(Value, Value)>),
    /// Struct.
    Struct(Struct),
}

/// A struct's values, one for each field of its schema and in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    schema: SchemaRef,
    values: Vec<Value>,
}

impl Struct {
    /// Joins a struct schema with its values.
    ///
    /// # Panics
    /// In debug builds, when the number of values is not that of the schema's fields.
    pub fn new(schema: SchemaRef, values: Vec<Value>) -> Self {
        debug_assert_eq!(schema.fields().len(), values.len(), "a struct has one value for each field");
        Self { schema, values }
    }

    /// Returns the schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the values in the order of the schema's fields.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Returns the value of the named field.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(self.schema.field_index(name)?)
    }

    /// Takes the struct apart.
    pub fn into_parts(self) -> (SchemaRef, Vec<Value>) {
        (self.schema, self.values)
    }
}

impl Value {
    /// Makes a text value from static text, without copying it.
    pub const fn from_static(text: &'static str) -> Self {
        Self::String(ByteString::from_static(text))
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the struct.
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(value) => Some(value),
            _ => None,
        }
    }

    /// Returns an integer of any width, widened.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int8(value) => Some(value.into()),
            Self::Int16(value) => Some(value.into()),
            Self::Int32(value) => Some(value.into()),
            Self::Int64(value) => Some(value),
            _ => None,
        }
    }

    /// Returns Connect's name of the value's type, for messages; the value itself never goes there.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unavailable => "unavailable",
            Self::Boolean(_) => "boolean",
            Self::Int8(_) => "int8",
            Self::Int16(_) => "int16",
            Self::Int32(_) => "int32",
            Self::Int64(_) => "int64",
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::Bytes(_) => "bytes",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Struct(_) => "struct",
        }
    }

    /// Whether the value can stand where `schema` is expected, looking at the outermost type only.
    pub fn fits(&self, schema: &Schema) -> bool {
        match (self, &schema.kind) {
            (Self::Null, _) => schema.optional,
            (Self::Unavailable, _)
            | (Self::Boolean(_), Kind::Boolean)
            | (Self::Int8(_), Kind::Int8)
            | (Self::Int16(_), Kind::Int16)
            | (Self::Int32(_), Kind::Int32)
            | (Self::Int64(_), Kind::Int64)
            | (Self::Float32(_), Kind::Float32)
            | (Self::Float64(_), Kind::Float64)
            | (Self::Bytes(_), Kind::Bytes)
            | (Self::String(_), Kind::String)
            | (Self::Array(_), Kind::Array(_))
            | (Self::Map(_), Kind::Map { .. })
            | (Self::Struct(_), Kind::Struct(_)) => true,
            _ => false,
        }
    }

    /// Returns roughly how many bytes of memory the value holds, for budgets.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Bytes(bytes) => bytes.len(),
                Self::String(text) => text.len(),
                Self::Array(values) => values.iter().map(Self::weight).sum(),
                Self::Map(pairs) => pairs.iter().map(|(key, value)| key.weight() + value.weight()).sum(),
                Self::Struct(value) => value.values.iter().map(Self::weight).sum(),
                _ => 0,
            }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Struct> for Value {
    fn from(value: Struct) -> Self {
        Self::Struct(value)
    }
}
