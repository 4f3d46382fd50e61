//! What a datum holds, borrowed from it, whatever its schema: what `serde_avro_fast` reads and writes, and
//! the common form in which what the others read is compared.

use std::fmt;

use apache_avro::types::Value as Apache;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeStruct,
};
use sluice_core::value::Value;

/// Fields that a record is expected to have, as serde does not tell: less makes the list grow on the way.
const FIELDS: usize = 32;

/// A value; `N` is what is kept of the names of a record's fields.
#[derive(Debug, PartialEq)]
pub(crate) enum Tree<'a, N> {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Self>),
    Record(Vec<(N, Self)>),
}

/// The name of a field, kept for the life of the program: a derived struct has its names for nothing, too.
#[derive(Debug)]
pub(crate) struct Name(&'static str);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self(name.leak()))
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Tree<'de, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor(std::marker::PhantomData))
    }
}

struct TreeVisitor<N>(std::marker::PhantomData<N>);

impl<'de, N: Deserialize<'de>> Visitor<'de> for TreeVisitor<N> {
    type Value = Tree<'de, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value of Avro but a map")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i32<E: Error>(self, value: i32) -> Result<Self::Value, E> {
        Ok(Tree::Int(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Tree::Long(value))
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<Self::Value, E> {
        Ok(Tree::Float(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Tree::Double(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(value))
    }

    fn visit_borrowed_bytes<E: Error>(self, value: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Tree::Bytes(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::with_capacity(items.size_hint().unwrap_or_default());
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Tree::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::with_capacity(FIELDS);
        while let Some(field) = fields.next_entry()? {
            values.push(field);
        }
        Ok(Tree::Record(values))
    }
}

impl Serialize for Tree<'_, Name> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i32(*value),
            Self::Long(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f32(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(values) => values.serialize(serializer),
            Self::Record(fields) => {
                let mut record = serializer.serialize_struct("", fields.len())?;
                for (name, value) in fields {
                    record.serialize_field(name.0, value)?;
                }
                record.end()
            }
        }
    }
}

impl<'a> From<&'a Value> for Tree<'a, IgnoredAny> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Int8(value) => Self::Int((*value).into()),
            Value::Int16(value) => Self::Int((*value).into()),
            Value::Int32(value) => Self::Int(*value),
            Value::Int64(value) => Self::Long(*value),
            Value::Float32(value) => Self::Float(*value),
            Value::Float64(value) => Self::Double(*value),
            Value::Bytes(value) => Self::Bytes(value),
            Value::String(value) => Self::Text(value),
            Value::Array(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Struct(value) => Self::record(value.values()),
            Value::Unavailable | Value::Map(_) => panic!("no sample has a value like {}", value.type_name()),
        }
    }
}

impl<'a> From<&'a Apache> for Tree<'a, IgnoredAny> {
    fn from(value: &'a Apache) -> Self {
        match value {
            Apache::Union(_, value) => Self::from(&**value),
            Apache::Null => Self::Null,
            Apache::Boolean(value) => Self::Boolean(*value),
            Apache::Int(value) => Self::Int(*value),
            Apache::Long(value) => Self::Long(*value),
            Apache::Float(value) => Self::Float(*value),
            Apache::Double(value) => Self::Double(*value),
            Apache::Bytes(value) => Self::Bytes(value),
            Apache::String(value) => Self::Text(value),
            Apache::Array(values) => Self::Array(values.iter().map(Self::from).collect()),
            Apache::Record(fields) => Self::record(fields.iter().map(|(_, value)| value)),
            other => panic!("no sample has a value like {other:?}"),
        }
    }
}

impl Tree<'_, IgnoredAny> {
    fn record<T>(values: impl IntoIterator<Item = T>) -> Self
    where
        Self: From<T>,
    {
        Self::Record(values.into_iter().map(|value| (IgnoredAny, Self::from(value))).collect())
    }
}
