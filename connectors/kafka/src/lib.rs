//! Kafka source and sink with Schema Registry Avro and JSON converters.
//!
//! Kafka is the other end of every connector: [`KafkaSink`] ends the pipeline of a source connector,
//! [`KafkaSource`] begins that of a sink connector, [`KafkaDeadLetters`] takes what is refused there.
//!
//! ```text
//! Record → converter (avro, json) → producer → topic            sink, topics, headers
//! topic → source (one arena a batch) → converter → Record       source, offsets
//!         schema_registry: asked once for each schema
//! ```

pub mod avro;
pub mod json;

mod check;
mod client;
mod config;
mod connect_offsets;
mod converter;
mod dead_letters;
mod error;
mod headers;
mod offsets;
mod producer;
mod schema_registry;
mod sink;
mod source;
mod text;
mod topics;

pub use client::cluster_id;
pub use config::{DeadLettersConfig, KafkaSinkConfig, KafkaSourceConfig, Servers};
pub use connect_offsets::{read_connect_offsets, write_connect_offset};
pub use converter::ConvertError;
pub use dead_letters::KafkaDeadLetters;
pub use error::KafkaError;
pub use offsets::Offsets;
pub use schema_registry::RegistryError;
pub use sink::{KafkaSink, KafkaSinkTask};
pub use source::{KafkaSource, KafkaSourceTask};
