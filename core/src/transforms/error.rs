//! Records that do not fit a transform.

use crate::error::{Classify, ErrorClass};

/// A record that does not fit a transform; always of class *reject*. Holds names and types, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// Fields were asked for where there are none.
    #[error("`{transform}` works on a struct or a schemaless map, but the {side} is {found}")]
    NotAStruct {
        /// Simple name of the transform.
        transform: &'static str,
        /// `key` or `value`.
        side: &'static str,
        /// Type that was found.
        found: &'static str,
    },
    /// A renamed field takes a name that another field has.
    #[error("field `{field}` would stand twice in the {side}")]
    DuplicateField {
        /// Name of the field.
        field: String,
        /// `key` or `value`.
        side: &'static str,
    },
    /// A field has a type without a mask.
    #[error("cannot mask field `{field}` of type {found}{}", if *.replaced { " with a replacement" } else { "" })]
    CannotMask {
        /// Name of the field.
        field: String,
        /// Type of the field.
        found: &'static str,
        /// Whether a replacement was configured.
        replaced: bool,
    },
    /// The replacement is no value of the field's type.
    #[error("the replacement is no {found}, the type of field `{field}`")]
    ReplacementType {
        /// Name of the field.
        field: String,
        /// Type of the field.
        found: &'static str,
    },
    /// The row has no text under the field that names the topic.
    #[error("cannot route by field `{field}`: {reason}")]
    Route {
        /// Name of the field.
        field: String,
        /// What is there instead.
        reason: &'static str,
    },
    /// The header that lists fields to drop holds something else.
    #[error("header `{header}` must hold a list of field names, but is {found}")]
    DropFields {
        /// Name of the header.
        header: String,
        /// Type that was found.
        found: &'static str,
    },
}

impl Classify for TransformError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Reject
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotAStruct { .. } => "transform.not_a_struct",
            Self::DuplicateField { .. } => "transform.duplicate_field",
            Self::CannotMask { .. } => "transform.cannot_mask",
            Self::ReplacementType { .. } => "transform.replacement_type",
            Self::Route { .. } => "transform.cannot_route",
            Self::DropFields { .. } => "transform.drop_fields_header",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotAStruct { .. } => "put a predicate on the transform that lets only fitting records in",
            Self::DuplicateField { .. } => "change `renames`, or exclude the field that has the name already",
            Self::CannotMask { replaced: true, .. } => {
                "leave out `replacement`, or give the field a transform of its own"
            }
            Self::CannotMask { .. } => "drop the field with ReplaceField instead",
            Self::ReplacementType { .. } => "mask fields of other types with another MaskField",
            Self::Route { .. } => "`route.by.field` must name a text column; it may be null",
            Self::DropFields { .. } => "write the header as an array of strings",
        };
        Some(hint.to_owned())
    }
}
