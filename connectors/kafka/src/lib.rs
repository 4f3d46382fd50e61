//! Kafka source and sink with Schema Registry Avro and JSON converters.

pub mod avro;
pub mod json;
