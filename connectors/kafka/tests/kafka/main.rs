//! The Kafka end against a real broker and a real Schema Registry.

mod conformance_sink;
mod conformance_source;
mod connect_offsets;
mod dead_letters;
mod faults;
mod front;
mod registry;
mod registry_access;
mod servers;
mod sink;
mod source;
mod table;
