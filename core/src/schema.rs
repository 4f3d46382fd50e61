//! Kafka Connect's schema model: what a [`Value`] means.
//!
//! A schema is built once (per table version, per registry id) and shared by [`SchemaRef`]; records
//! carry the reference, never a copy. Source of the model: `org.apache.kafka.connect.data.Schema`.

use std::sync::Arc;

use crate::value::Value;

/// A schema shared by all the records that follow it.
pub type SchemaRef = Arc<Schema>;

/// The shape of a value: Connect's schema types with what composes them.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 16-bit integer.
    Int16,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// IEEE 754 single precision.
    Float32,
    /// IEEE 754 double precision.
    Float64,
    /// Bytes of any length.
    Bytes,
    /// UTF-8 text.
    String,
    /// A list of values of one schema.
    Array(SchemaRef),
    /// Keys of one schema to values of another.
    Map {
        /// Schema of the keys.
        key: SchemaRef,
        /// Schema of the values.
        value: SchemaRef,
    },
    /// Named fields in a fixed order.
    Struct(Vec<Field>),
}

impl Kind {
    /// Connect's name of the type, in lower case as its JSON converter writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map { .. } => "map",
            Self::Struct(_) => "struct",
        }
    }
}

/// One field of a struct schema; its place in the struct is its index in [`Kind::Struct`].
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name, unique in the struct; any text.
    pub name: Arc<str>,
    /// Schema of the field's value.
    pub schema: SchemaRef,
}

/// A Connect schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Shape of the value.
    pub kind: Kind,
    /// Whether null is allowed.
    pub optional: bool,
    /// Default of a field that is absent, never [`Value::Unavailable`].
    pub default: Option<Value>,
    /// Logical or record name, such as `io.debezium.time.MicroTimestamp`.
    pub name: Option<Arc<str>>,
    /// Version of the logical type.
    pub version: Option<i32>,
    /// Documentation.
    pub doc: Option<Arc<str>>,
    /// Parameters of the logical type, in the order they were given.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
}

impl Schema {
    /// Starts a required schema of the given shape without name, version or default.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: Vec::new(),
        }
    }

    /// Starts a struct schema with the given fields in order.
    pub fn record(name: impl Into<Arc<str>>, fields: Vec<Field>) -> Self {
        Self::new(Kind::Struct(fields)).named(name)
    }

    /// Sets the logical or record name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn versioned(mut self, version: i32) -> Self {
        self.version = Some(version);
        self
    }

    /// Allows null.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets the default.
    #[must_use]
    pub fn with_default(mut self, default: Value) -> Self {
        self.default = Some(default);
        self
    }

    /// Sets the documentation.
    #[must_use]
    pub fn documented(mut self, doc: impl Into<Arc<str>>) -> Self {
        self.doc = Some(doc.into());
        self
    }

    /// Appends a parameter.
    #[must_use]
    pub fn with_parameter(mut self, key: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.parameters.push((key.into(), value.into()));
        self
    }

    /// Ends building.
    pub fn shared(self) -> SchemaRef {
        Arc::new(self)
    }

    /// Returns the fields of a struct schema, and none for any other.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// Returns the index of a struct's field by name.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| &*field.name == name)
    }

    /// Returns a struct's field by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().iter().find(|field| &*field.name == name)
    }

    /// Returns a parameter by key.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| &**name == key).map(|(_, value)| &**value)
    }

    /// Whether the schema carries the given logical name.
    pub fn is_named(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

impl Field {
    /// Makes a field.
    pub fn new(name: impl Into<Arc<str>>, schema: impl Into<SchemaRef>) -> Self {
        Self { name: name.into(), schema: schema.into() }
    }
}

/// Logical names that Kafka Connect itself defines.
pub mod connect {
    /// `Decimal`: bytes, big-endian two's complement unscaled value, parameter `scale`.
    pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
    /// `Date`: int32, days since 1970-01-01.
    pub const DATE: &str = "org.apache.kafka.connect.data.Date";
    /// `Time`: int32, milliseconds since midnight.
    pub const TIME: &str = "org.apache.kafka.connect.data.Time";
    /// `Timestamp`: int64, milliseconds since 1970-01-01T00:00Z.
    pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
}

/// Logical names that Debezium defines, as its connectors write them.
pub mod debezium {
    /// int32, days since 1970-01-01.
    pub const DATE: &str = "io.debezium.time.Date";
    /// string, date with zone `Z`.
    pub const ISO_DATE: &str = "io.debezium.time.IsoDate";
    /// string, time of day with zone `Z`.
    pub const ISO_TIME: &str = "io.debezium.time.IsoTime";
    /// string, timestamp without zone, written with zone `Z`.
    pub const ISO_TIMESTAMP: &str = "io.debezium.time.IsoTimestamp";
    /// struct of `year`, `month`, `day`, `specialValue`.
    pub const STRUCTURED_DATE: &str = "io.debezium.time.StructuredDate";
    /// struct of `hour`, `minute`, `second`, `nanos`, `precision`.
    pub const STRUCTURED_TIME: &str = "io.debezium.time.StructuredTime";
    /// struct of the fields of a date and a time.
    pub const STRUCTURED_TIMESTAMP: &str = "io.debezium.time.StructuredTimestamp";
    /// struct of the fields of a time, with `offsetSeconds`.
    pub const STRUCTURED_ZONED_TIME: &str = "io.debezium.time.StructuredZonedTime";
    /// struct of the fields of a timestamp, with `offsetSeconds` and `zoneId`.
    pub const STRUCTURED_ZONED_TIMESTAMP: &str = "io.debezium.time.StructuredZonedTimestamp";
    /// struct of `years`, `months`, `days`, `hours`, `minutes`, `seconds`, `nanos`, `precision`.
    pub const STRUCTURED_DURATION: &str = "io.debezium.time.StructuredDuration";
    /// int32, milliseconds since midnight.
    pub const TIME: &str = "io.debezium.time.Time";
    /// int64, microseconds since midnight.
    pub const MICRO_TIME: &str = "io.debezium.time.MicroTime";
    /// int64, nanoseconds since midnight.
    pub const NANO_TIME: &str = "io.debezium.time.NanoTime";
    /// int64, milliseconds since 1970-01-01 without zone.
    pub const TIMESTAMP: &str = "io.debezium.time.Timestamp";
    /// int64, microseconds since 1970-01-01 without zone.
    pub const MICRO_TIMESTAMP: &str = "io.debezium.time.MicroTimestamp";
    /// int64, nanoseconds since 1970-01-01 without zone.
    pub const NANO_TIMESTAMP: &str = "io.debezium.time.NanoTimestamp";
    /// string, ISO 8601 with zone `Z`.
    pub const ZONED_TIMESTAMP: &str = "io.debezium.time.ZonedTimestamp";
    /// string, time of day with zone `Z`.
    pub const ZONED_TIME: &str = "io.debezium.time.ZonedTime";
    /// int64, microseconds, a month counted as 365.25/12 days.
    pub const MICRO_DURATION: &str = "io.debezium.time.MicroDuration";
    /// string, ISO 8601 duration.
    pub const INTERVAL: &str = "io.debezium.time.Interval";
    /// string, a JSON document.
    pub const JSON: &str = "io.debezium.data.Json";
    /// string, an XML document.
    pub const XML: &str = "io.debezium.data.Xml";
    /// string, labels joined by dots.
    pub const LTREE: &str = "io.debezium.data.Ltree";
    /// string, lexemes with their positions.
    pub const TSVECTOR: &str = "io.debezium.data.Tsvector";
    /// struct of `x`, `y`, `wkb`, `srid`.
    pub const POINT: &str = "io.debezium.data.geometry.Point";
    /// struct of `wkb`, `srid`.
    pub const GEOMETRY: &str = "io.debezium.data.geometry.Geometry";
    /// struct of `wkb`, `srid`.
    pub const GEOGRAPHY: &str = "io.debezium.data.geometry.Geography";
    /// array of float64.
    pub const DOUBLE_VECTOR: &str = "io.debezium.data.DoubleVector";
    /// array of float32.
    pub const FLOAT_VECTOR: &str = "io.debezium.data.FloatVector";
    /// struct of `dimensions` int16 and `vector`, a map from int16 to float64.
    pub const SPARSE_DOUBLE_VECTOR: &str = "io.debezium.data.SparseDoubleVector";
    /// string, canonical lower-case UUID.
    pub const UUID: &str = "io.debezium.data.Uuid";
    /// string, one of parameter `allowed`.
    pub const ENUM: &str = "io.debezium.data.Enum";
    /// bytes, little-endian bits, parameter `length`.
    pub const BITS: &str = "io.debezium.data.Bits";
    /// struct of `scale` int32 and `value` bytes.
    pub const VARIABLE_SCALE_DECIMAL: &str = "io.debezium.data.VariableScaleDecimal";
}
