//! Postgres types: what each becomes in Connect's model, and how its binary form is read.
//!
//! One decoder per column serves the stream (`binary 'true'`) and the snapshot (`COPY … (FORMAT
//! binary)`), so both yield the same value for the same datum. The mapping is Debezium's; where it
//! differs, the entry says so.
//!
//! - `facts`: types as the catalog describes them
//! - `mapping`: type → schema and decoder
//! - `decoder`: bytes → value
//! - `numeric`, `money`, `temporal`, `structured`, `text`, `shapes`: the forms behind it
//! - `output`: bytes → the text that Postgres prints, for ranges and unknown types
//! - `opaque`: unknown types
//! - `compatibility`: where Debezium's values are not those of Postgres, and how to get them; `unchanged`: where it has
//!   no placeholder
//!
//! Postgres streams text for a type without binary form, and fails on an array, range or composite
//! with such a part; a snapshot asks for the text by a cast. No other value is ever read from text.

mod compatibility;
mod decoder;
mod facts;
mod mapping;
mod money;
mod numeric;
mod opaque;
mod output;
mod shapes;
mod structured;
pub(crate) mod temporal;
mod text;
mod unchanged;

pub(crate) use compatibility::{before_midnight, leaves_out};
pub(crate) use decoder::{Decoder, put_binary};
pub(crate) use facts::{Form, ResolvedType, TypeCatalog, TypeRow};
pub(crate) use mapping::{Mapping, absent, function_default, has_defaults, map};
pub(crate) use unchanged::unchanged;

use crate::config::{BinaryMode, Compatibility, DecimalMode, HstoreMode, IntervalMode, TimeMode};

/// How values are shaped, from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modes {
    pub(crate) decimal: DecimalMode,
    /// Decimals of `money`.
    pub(crate) money_digits: u8,
    pub(crate) time: TimeMode,
    pub(crate) binary: BinaryMode,
    pub(crate) hstore: HstoreMode,
    pub(crate) interval: IntervalMode,
    /// Pass unknown types on as the bytes of their text.
    pub(crate) unknown: bool,
    pub(crate) compatibility: Compatibility,
}

/// A value that cannot be read. Never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The bytes do not have the length or layout of the type.
    #[error("the bytes are not those of the column's type")]
    Length,
    /// Text that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// NaN or an infinity where only numbers can stand.
    #[error("{0} cannot be a decimal")]
    NotANumber(&'static str),
    /// The target type ends before the value.
    #[error("the value is beyond the range of the target type")]
    Range,
    /// An array of arrays.
    #[error("the array has more than one dimension")]
    Dimensions,
    /// A null where the element's schema has none.
    #[error("the array has a null element, which its schema does not allow")]
    NullElement,
    /// The server sent text for a type that is read from its binary form only.
    #[error("the server sent the value as text")]
    TextForm,
}

impl ValueError {
    /// What the user can do about it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::NotANumber(_) => {
                "set `decimal.handling.mode=string` or `double`, which can hold NaN and the infinities; \
                 or correct the row"
            }
            Self::Range => {
                "set `time.precision.mode=connect` or `isostring`, which reach further; or correct the row"
            }
            Self::Dimensions | Self::NullElement => {
                "leave the column out with `column.exclude.list`, or send the record to the dead letter topic"
            }
            Self::Length | Self::NotUtf8 | Self::TextForm => {
                "leave the column out with `column.exclude.list`, and report this: it should not happen"
            }
        }
    }
}
