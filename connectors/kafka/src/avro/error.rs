//! What can be wrong with an Avro schema, a value for it, or bytes of it.

use sluice_core::{Classify, ErrorClass};

/// A failure of the Avro codec. Messages name fields and types, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AvroError {
    /// The schema text is not JSON.
    #[error("cannot read the Avro schema: it is not JSON")]
    SchemaNotJson(#[source] serde_json::Error),
    /// The schema text is JSON but not a schema that we can read.
    #[error("cannot read the Avro schema at `{path}`: {problem}")]
    SchemaInvalid {
        /// Place in the schema, as dotted names; `(root)` at the top.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// A Connect schema that has no Avro form.
    #[error("cannot write `{path}` as an Avro schema: {problem}")]
    NotRepresentable {
        /// Place in the schema, as dotted names; `(root)` at the top.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// A value that its schema does not allow.
    #[error("cannot encode `{path}`: {problem}")]
    Encode {
        /// Dotted field path; `(root)` at the top.
        path: String,
        /// What is wrong there.
        problem: EncodeProblem,
    },
    /// Bytes that do not follow their writer schema.
    #[error("cannot decode `{path}` at byte {offset}: {problem}")]
    Decode {
        /// Dotted field path; `(root)` at the top.
        path: String,
        /// Offset in the datum, after the wire prefix, in bytes.
        offset: usize,
        /// What is wrong there.
        problem: DecodeProblem,
    },
}

/// Why a value cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeProblem {
    /// Null where the schema neither allows it nor has a default.
    #[error("null in a required field without default")]
    Null,
    /// A value of another type than the schema's.
    #[error("the schema wants {expected}, the value is {found}")]
    Mismatch {
        /// Connect's name of the schema's type.
        expected: &'static str,
        /// Connect's name of the value's type.
        found: &'static str,
    },
    /// A struct with another number of values than its schema has fields.
    #[error("the schema has {expected} fields, the value {found}")]
    FieldCount {
        /// Fields of the schema.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An unavailable value in a type that has no placeholder.
    #[error("the value is unavailable and type {0} has no placeholder")]
    Unavailable(&'static str),
    /// A fixed of another length than its schema's.
    #[error("the schema wants {expected} bytes, the value has {found}")]
    FixedLength {
        /// Bytes of the schema.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
}

/// Why bytes cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// The datum ends too early, or a length or count reaches beyond its end.
    #[error("the datum ends before the value does")]
    Truncated,
    /// A length or count below zero.
    #[error("negative length")]
    NegativeLength,
    /// A variable-length integer of more than 64 bits.
    #[error("variable-length integer too long")]
    IntegerTooLong,
    /// An integer that its type cannot hold.
    #[error("integer out of range of {0}")]
    IntegerOutOfRange(&'static str),
    /// A boolean byte that is neither 0 nor 1.
    #[error("boolean is neither 0 nor 1")]
    Boolean,
    /// Text that is not UTF-8.
    #[error("text is not valid UTF-8")]
    Utf8,
    /// A union branch that the schema does not have.
    #[error("union branch out of range, the schema has {0}")]
    Branch(usize),
    /// An enum symbol that the schema does not have.
    #[error("enum symbol out of range, the schema has {0}")]
    Symbol(usize),
    /// Too many items that take no bytes.
    #[error("too many items of zero size")]
    TooManyItems,
    /// Bytes after the datum.
    #[error("{0} bytes follow the datum")]
    Trailing(usize),
    /// An `op` that Debezium does not define.
    #[error("unknown operation code")]
    Operation,
    /// The schema is not a Debezium envelope.
    #[error("the schema is not that of a change envelope")]
    NotAnEnvelope,
}

/// Place name of the outermost value in messages.
pub(super) const ROOT: &str = "(root)";

impl AvroError {
    pub(super) fn invalid(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::SchemaInvalid { path: rooted(path.into()), problem: problem.into() }
    }

    pub(super) fn not_representable(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::NotRepresentable { path: rooted(path.into()), problem: problem.into() }
    }

    /// Prefixes the path of a schema error with the name of what contains it.
    #[must_use]
    pub(super) fn within(mut self, outer: &str) -> Self {
        if let Self::SchemaInvalid { path, .. } | Self::NotRepresentable { path, .. } = &mut self {
            prepend(path, outer);
        }
        self
    }
}

fn rooted(path: String) -> String {
    if path.is_empty() { ROOT.to_owned() } else { path }
}

fn prepend(path: &mut String, outer: &str) {
    if path.is_empty() || path == ROOT {
        outer.clone_into(path);
    } else {
        path.insert(0, '.');
        path.insert_str(0, outer);
    }
}

impl Classify for AvroError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NotRepresentable { .. } => ErrorClass::Stop,
            _ => ErrorClass::Reject,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::SchemaNotJson(_) => "kafka.avro_schema_not_json",
            Self::SchemaInvalid { .. } => "kafka.avro_schema_invalid",
            Self::NotRepresentable { .. } => "kafka.avro_schema_not_representable",
            Self::Encode { .. } => "kafka.avro_encode",
            Self::Decode { .. } => "kafka.avro_decode",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::SchemaNotJson(_) | Self::SchemaInvalid { .. } => {
                "look at the schema under its id in the Schema Registry: it must be an Avro schema without recursion"
            }
            Self::NotRepresentable { .. } => "rename the schema or field, or use the JSON converter",
            Self::Encode { .. } => {
                "compare the record with its schema; a transform may have changed one and not the other"
            }
            Self::Decode { .. } => {
                "the record was not written with the schema its id names; check the converter of its producer"
            }
        };
        Some(hint.to_owned())
    }
}

/// A failure on the hot path; small to return, its path grows as it leaves the fields.
#[derive(Debug)]
pub(super) struct Failure<P> {
    path: String,
    offset: usize,
    problem: P,
}

impl<P> Failure<P> {
    #[cold]
    pub(super) fn new(problem: P) -> Box<Self> {
        Self::at(0, problem)
    }

    #[cold]
    pub(super) fn at(offset: usize, problem: P) -> Box<Self> {
        Box::new(Self { path: String::new(), offset, problem })
    }

    #[cold]
    pub(super) fn within(mut self: Box<Self>, field: &str) -> Box<Self> {
        prepend(&mut self.path, field);
        self
    }
}

impl From<Box<Failure<EncodeProblem>>> for AvroError {
    fn from(failure: Box<Failure<EncodeProblem>>) -> Self {
        Self::Encode { path: rooted(failure.path), problem: failure.problem }
    }
}

impl From<Box<Failure<DecodeProblem>>> for AvroError {
    fn from(failure: Box<Failure<DecodeProblem>>) -> Self {
        Self::Decode { path: rooted(failure.path), offset: failure.offset, problem: failure.problem }
    }
}
