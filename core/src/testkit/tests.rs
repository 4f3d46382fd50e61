//! The kit on doubles that keep every promise, and each check on a double that breaks just that one.

mod configs;
mod sinks;
mod sources;
