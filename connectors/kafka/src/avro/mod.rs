//! Confluent-compatible Avro: Connect schemas to Avro schemas and back, values to bytes and back.
//!
//! ```text
//! Schema  --schema::to_avro-->  Avro text        Avro text --parse::from_avro--> Schema
//! Schema  --Encoder::compile--> plan             Avro text --Decoder::compile--> plan
//! Value/Change --plan--> datum                   datum     --plan--> Value/Change
//! ```
//!
//! The mapping is that of the converter Debezium is used with (`AvroData`, as recorded), so that
//! what we register is byte for byte what Debezium registers. The wire prefix (byte 0 and the
//! registry's id) is not part of this module. Compile once per schema, use for every record.

pub mod decode;
pub mod encode;
pub mod error;
pub mod format;
pub mod parse;
pub mod schema;
pub mod unavailable;

mod change_decode;
mod change_encode;
mod connect;
mod cursor;
mod defaults;
mod plan;
pub(crate) mod same;
pub(crate) mod text;
mod words;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
pub(crate) mod oracle_tests;
#[cfg(test)]
mod schema_tests;

pub use decode::Decoder;
pub use encode::{ChangeEncoder, Encoder};
pub use error::AvroError;
pub use format::{AvroFormat, NullDefaults};
pub use unavailable::UnavailableValue;

/// Names that the converter uses in Avro schemas and in Connect parameters.
mod names {
    pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
    pub(super) const DEFAULT_RECORD: &str = "ConnectDefault";
    pub(super) const MAP_ENTRY: &str = "MapEntry";
    pub(super) const UNION: &str = "io.confluent.connect.avro.Union";
    pub(super) const ENUM: &str = "io.confluent.connect.avro.Enum";
    pub(super) const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
    pub(super) const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
    pub(super) const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
    pub(super) const CONNECT_RECORD_DOC: &str = "connect.record.doc";
    pub(super) const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
    pub(super) const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
    pub(super) const DOC: &str = "connect.doc";
    pub(super) const VERSION: &str = "connect.version";
    pub(super) const PARAMETERS: &str = "connect.parameters";
    pub(super) const DEFAULT: &str = "connect.default";
    pub(super) const NAME: &str = "connect.name";
    pub(super) const TYPE: &str = "connect.type";
    pub(super) const INTERNAL_TYPE: &str = "connect.internal.type";
    pub(super) const DECIMAL_PRECISION: &str = "connect.decimal.precision";
    pub(super) const FIXED_SIZE: &str = "connect.fixed.size";
    pub(super) const AVRO_PROPERTY: &str = "avro";
    /// Precision written for a Decimal whose schema does not say it.
    pub(super) const DEFAULT_PRECISION: u32 = 64;
}
