//! What can be wrong with JSON messages.

use sluice_core::{Classify, ErrorClass};

/// A failure of the JSON codec. Messages name fields and types, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The message is not JSON.
    #[error("cannot read the message as JSON at byte {offset}: {problem}")]
    NotJson {
        /// Offset of the fault in bytes.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The message should carry its schema and does not.
    #[error("cannot read the message: it is not an object of `schema` and `payload`")]
    NoSchema,
    /// The schema in the message cannot be read, or a schema cannot be written.
    #[error("cannot use the schema at `{path}`: {problem}")]
    Schema {
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
        problem: String,
    },
    /// A payload that its schema does not allow.
    #[error("cannot decode `{path}`: {problem}")]
    Decode {
        /// Dotted field path; `(root)` at the top.
        path: String,
        /// What is wrong there.
        problem: String,
    },
}

impl JsonError {
    pub(super) fn schema(problem: impl Into<String>) -> Self {
        Self::Schema { path: ROOT.to_owned(), problem: problem.into() }
    }

    #[cold]
    pub(super) fn encode(problem: impl Into<String>) -> Self {
        Self::Encode { path: ROOT.to_owned(), problem: problem.into() }
    }

    #[cold]
    pub(super) fn decode(problem: impl Into<String>) -> Self {
        Self::Decode { path: ROOT.to_owned(), problem: problem.into() }
    }

    /// Prefixes the path with the name of what contains it.
    #[cold]
    #[must_use]
    pub(super) fn within(mut self, outer: &str) -> Self {
        if let Self::Schema { path, .. } | Self::Encode { path, .. } | Self::Decode { path, .. } = &mut self {
            if path == ROOT {
                outer.clone_into(path);
            } else {
                path.insert(0, '.');
                path.insert_str(0, outer);
            }
        }
        self
    }
}

const ROOT: &str = "(root)";

impl Classify for JsonError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Reject
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "kafka.json_invalid",
            Self::NoSchema => "kafka.json_schema_missing",
            Self::Schema { .. } => "kafka.json_schema_invalid",
            Self::Encode { .. } => "kafka.json_encode",
            Self::Decode { .. } => "kafka.json_decode",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotJson { .. } => "the topic is not JSON; set the converter that its producer uses",
            Self::NoSchema => "for JSON without schemas set `schemas.enable=false` on the converter",
            Self::Schema { .. } => "compare the schema with those Connect's JsonConverter writes",
            Self::Encode { .. } => {
                "compare the record with its schema; a transform may have changed one and not the other"
            }
            Self::Decode { .. } => {
                "the payload does not follow the schema in the same message; check its producer"
            }
        };
        Some(hint.to_owned())
    }
}
