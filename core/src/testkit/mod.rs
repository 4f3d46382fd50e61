//! The conformance kit that every connector runs.
