//! Sink that prints records: the connector to learn from.
