//! What a Connect schema means, which CQL types can hold it, and which is made for it.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use sluice_core::{
    Schema, SchemaRef,
    schema::{Kind, connect, debezium},
};

/// Resolution of a timestamp without zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    Millis,
    Micros,
    Nanos,
}

/// The meaning of a schema, as far as Cassandra makes a difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Boolean,
    /// Integer of so many bytes.
    Integer(u8),
    Float32,
    Float64,
    Text,
    Uuid,
    Json,
    ZonedTime,
    Bytes,
    /// Unscaled bytes and a fixed scale.
    Decimal(i32),
    VariableDecimal,
    Date,
    /// Time of day; nanoseconds in one unit.
    Time(i64),
    Timestamp(Resolution),
    ZonedTimestamp,
    /// Microseconds of an interval.
    MicroDuration,
    /// ISO 8601 duration.
    Interval,
    Array(SchemaRef),
    Map(SchemaRef, SchemaRef),
    Struct,
}

impl Shape {
    /// Reads a schema: by its logical name if it has the type that goes with it, else by type.
    pub(crate) fn of(schema: &Schema) -> Self {
        let named = schema.name.as_deref().and_then(|name| Self::named(name, schema));
        named.unwrap_or_else(|| match &schema.kind {
            Kind::Boolean => Self::Boolean,
            Kind::Int8 => Self::Integer(1),
            Kind::Int16 => Self::Integer(2),
            Kind::Int32 => Self::Integer(4),
            Kind::Int64 => Self::Integer(8),
            Kind::Float32 => Self::Float32,
            Kind::Float64 => Self::Float64,
            Kind::Bytes => Self::Bytes,
            Kind::String => Self::Text,
            Kind::Array(element) => Self::Array(SchemaRef::clone(element)),
            Kind::Map { key, value } => Self::Map(SchemaRef::clone(key), SchemaRef::clone(value)),
            Kind::Struct(_) => Self::Struct,
        })
    }

    fn named(name: &str, schema: &Schema) -> Option<Self> {
        Some(match (name, &schema.kind) {
            (connect::DECIMAL, Kind::Bytes) => {
                Self::Decimal(schema.parameter("scale").and_then(|scale| scale.parse().ok())?)
            }
            (debezium::VARIABLE_SCALE_DECIMAL, Kind::Struct(_)) => Self::VariableDecimal,
            (connect::DATE | debezium::DATE, Kind::Int32) => Self::Date,
            (connect::TIME | debezium::TIME, Kind::Int32) => Self::Time(1_000_000),
            (debezium::MICRO_TIME, Kind::Int64) => Self::Time(1_000),
            (debezium::NANO_TIME, Kind::Int64) => Self::Time(1),
            (connect::TIMESTAMP | debezium::TIMESTAMP, Kind::Int64) => Self::Timestamp(Resolution::Millis),
            (debezium::MICRO_TIMESTAMP, Kind::Int64) => Self::Timestamp(Resolution::Micros),
            (debezium::NANO_TIMESTAMP, Kind::Int64) => Self::Timestamp(Resolution::Nanos),
            (debezium::ZONED_TIMESTAMP, Kind::String) => Self::ZonedTimestamp,
            (debezium::ZONED_TIME, Kind::String) => Self::ZonedTime,
            (debezium::MICRO_DURATION, Kind::Int64) => Self::MicroDuration,
            (debezium::INTERVAL, Kind::String) => Self::Interval,
            (debezium::JSON, Kind::String) => Self::Json,
            (debezium::UUID, Kind::String) => Self::Uuid,
            _ => return None,
        })
    }

    /// Returns the CQL type that is made for the shape; none when there is no good one.
    pub(crate) fn default_type(&self, key: bool) -> Option<String> {
        if key && self.key_obstacle().is_some() {
            return None;
        }
        Some(match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Integer(1) => "tinyint".to_owned(),
            Self::Integer(2) => "smallint".to_owned(),
            Self::Integer(4) => "int".to_owned(),
            Self::Integer(_) | Self::MicroDuration => "bigint".to_owned(),
            Self::Float32 => "float".to_owned(),
            Self::Float64 => "double".to_owned(),
            Self::Text | Self::Json | Self::ZonedTime | Self::Interval | Self::Struct => "text".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Bytes => "blob".to_owned(),
            Self::Decimal(_) | Self::VariableDecimal => "decimal".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time(_) => "time".to_owned(),
            Self::Timestamp(Resolution::Millis) => "timestamp".to_owned(),
            // A key in milliseconds would make one row of two.
            Self::Timestamp(_) | Self::ZonedTimestamp if key => "bigint".to_owned(),
            Self::Timestamp(_) | Self::ZonedTimestamp => "timestamp".to_owned(),
            Self::Array(element) => match element_type(element) {
                Some(element) => format!("frozen<list<{element}>>"),
                None => "text".to_owned(),
            },
            Self::Map(map_key, value) => match (element_type(map_key), element_type(value)) {
                (Some(map_key), Some(value)) => format!("frozen<map<{map_key}, {value}>>"),
                _ => "text".to_owned(),
            },
        })
    }

    /// Returns why values of this shape cannot be keys.
    pub(crate) fn key_obstacle(&self) -> Option<&'static str> {
        Some(match self {
            Self::Float32 | Self::Float64 => "0.0 and -0.0 are one key in Postgres and two in Cassandra",
            Self::Interval | Self::MicroDuration => "equal intervals have several forms",
            Self::ZonedTime => "times of different zones that show the same UTC time would become one key",
            Self::Json => "equal documents have several forms",
            Self::Array(_) | Self::Map(..) | Self::Struct => "collections are no keys here",
            _ => return None,
        })
    }

    /// Lists the CQL types that can hold the shape, for messages.
    pub(crate) fn allowed(&self, key: bool) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer(1) => "tinyint, smallint, int, bigint, varint",
            Self::Integer(2) => "smallint, int, bigint, varint",
            Self::Integer(4) => "int, bigint, varint",
            Self::Integer(_) => "bigint, varint",
            Self::Float32 => "float, double",
            Self::Float64 => "double",
            Self::Text if key => "text, ascii, uuid",
            Self::Text => "text, ascii, uuid, inet",
            Self::Uuid => "uuid, text, ascii",
            Self::Json | Self::ZonedTime | Self::Struct => "text",
            Self::Bytes => "blob",
            Self::Decimal(_) | Self::VariableDecimal => "decimal",
            Self::Date => "date, int, bigint",
            Self::Time(1_000_000) => "time, int, bigint",
            Self::Time(_) => "time, bigint",
            Self::Timestamp(Resolution::Millis) => "timestamp, bigint",
            Self::Timestamp(_) if key => {
                "bigint (timestamp keeps milliseconds only and would make one key of two)"
            }
            Self::Timestamp(_) => "timestamp, bigint",
            Self::ZonedTimestamp if key => {
                "bigint (microseconds), text (timestamp keeps milliseconds only and would make one key of two)"
            }
            Self::ZonedTimestamp => "timestamp, bigint (microseconds), text",
            Self::MicroDuration => "bigint, duration",
            Self::Interval => "text, duration",
            Self::Array(_) => "frozen<list>, frozen<set>, vector of the element's type, or text (JSON)",
            Self::Map(..) => "frozen<map> of the types of key and value, or text (JSON)",
        }
    }
}

/// CQL type of an element: what stands alone would, but no collection in a collection; that becomes JSON.
fn element_type(schema: &Schema) -> Option<String> {
    match Shape::of(schema) {
        Shape::Array(_) | Shape::Map(..) | Shape::Struct => None,
        shape => shape.default_type(false),
    }
}

/// Writes a CQL type as CQL does.
pub(crate) fn cql_name(column: &ColumnType<'_>) -> String {
    let frozen = |is_frozen: bool, name: String| if is_frozen { format!("frozen<{name}>") } else { name };
    match column {
        ColumnType::Native(native) => native_name(native).to_owned(),
        ColumnType::Collection { frozen: is_frozen, typ } => frozen(
            *is_frozen,
            match typ {
                CollectionType::List(element) => format!("list<{}>", cql_name(element)),
                CollectionType::Set(element) => format!("set<{}>", cql_name(element)),
                CollectionType::Map(key, value) => format!("map<{}, {}>", cql_name(key), cql_name(value)),
                _ => "collection".to_owned(),
            },
        ),
        ColumnType::Vector { typ, dimensions } => format!("vector<{}, {dimensions}>", cql_name(typ)),
        ColumnType::UserDefinedType { frozen: is_frozen, definition } => {
            frozen(*is_frozen, definition.name.to_string())
        }
        ColumnType::Tuple(types) => {
            format!("tuple<{}>", types.iter().map(cql_name).collect::<Vec<_>>().join(", "))
        }
        _ => "unknown".to_owned(),
    }
}

/// Whether two types are the same; the server does not tell of markers whether they are frozen.
pub(crate) fn same_type(marker: &ColumnType<'_>, column: &ColumnType<'_>) -> bool {
    cql_name(marker).replace("frozen<", "").replace('>', "")
        == cql_name(column).replace("frozen<", "").replace('>', "")
}

fn native_name(native: &NativeType) -> &'static str {
    match native {
        NativeType::Ascii => "ascii",
        NativeType::Boolean => "boolean",
        NativeType::Blob => "blob",
        NativeType::Counter => "counter",
        NativeType::Date => "date",
        NativeType::Decimal => "decimal",
        NativeType::Double => "double",
        NativeType::Duration => "duration",
        NativeType::Float => "float",
        NativeType::Int => "int",
        NativeType::BigInt => "bigint",
        NativeType::Text => "text",
        NativeType::Timestamp => "timestamp",
        NativeType::Inet => "inet",
        NativeType::SmallInt => "smallint",
        NativeType::TinyInt => "tinyint",
        NativeType::Time => "time",
        NativeType::Timeuuid => "timeuuid",
        NativeType::Uuid => "uuid",
        NativeType::Varint => "varint",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logical_name_counts_only_on_its_own_type() {
        assert_eq!(Shape::of(&Schema::new(Kind::Int32).named(debezium::DATE)), Shape::Date);
        assert_eq!(Shape::of(&Schema::new(Kind::String).named(debezium::DATE)), Shape::Text);
    }

    #[test]
    fn timestamps_become_bigint_as_keys() {
        let shape = Shape::of(&Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP));

        assert_eq!(shape.default_type(true).as_deref(), Some("bigint"));
        assert_eq!(shape.default_type(false).as_deref(), Some("timestamp"));
    }

    #[test]
    fn keys_that_would_collapse_have_no_type() {
        assert_eq!(Shape::Float64.default_type(true), None);
        assert_eq!(Shape::Interval.default_type(true), None);
    }

    #[test]
    fn nested_arrays_become_json_text() {
        let inner = Schema::new(Kind::Array(Schema::new(Kind::Int32).shared())).shared();

        assert_eq!(Shape::Array(SchemaRef::clone(&inner)).default_type(false).as_deref(), Some("text"));
        assert_eq!(Shape::of(&inner).default_type(false).as_deref(), Some("frozen<list<int>>"));
    }
}
