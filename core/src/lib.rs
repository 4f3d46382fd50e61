//! The data model, the contracts and the engine of Sluice. Knows no system.
//!
//! A *pipeline* moves records from a [`source::Source`] through [`transform::Transform`]s into a
//! [`sink::Sink`]; [`pipeline`] drives it and is the only place that orders flush, checkpoint and
//! acknowledgement. Connectors implement the typed traits and register a factory in a
//! [`registry::Registry`]; the engine sees the erased twins.

pub mod calendar;
pub mod change;
pub mod checkpoint;
pub mod config;
pub mod connect_offsets;
pub mod error;
pub mod java_regex;
pub mod metrics;
pub mod pipeline;
pub mod record;
pub mod registry;
pub mod retry;
pub mod schema;
pub mod sink;
pub mod source;
pub mod testkit;
pub mod transform;
pub mod transforms;
pub mod value;
pub mod zero;

pub use bytestring::ByteString;
pub use error::{Classify, Error, ErrorClass};
pub use record::Record;
pub use schema::{Schema, SchemaRef};
pub use value::Value;
