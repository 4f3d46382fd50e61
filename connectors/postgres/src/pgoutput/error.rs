//! What can be wrong with the bytes of a message.

use thiserror::Error;

/// A message that is not what the Postgres manual describes.
///
/// Never carries row values: only names of fields, markers and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The message ended inside a field.
    #[error("message ends inside `{field}`")]
    Truncated {
        /// The field being read.
        field: &'static str,
    },
    /// The first byte names no message of protocol versions 1 to 4.
    #[error("unknown pgoutput message `{}` (0x{tag:02X})", tag.escape_ascii())]
    UnknownTag {
        /// The first byte.
        tag: u8,
    },
    /// A marker byte inside a message has an unknown value.
    #[error("unknown value `{}` (0x{value:02X}) of `{field}`", value.escape_ascii())]
    UnknownMarker {
        /// The field being read.
        field: &'static str,
        /// Its value.
        value: u8,
    },
    /// A count or length is negative.
    #[error("negative `{field}`")]
    Negative {
        /// The field being read.
        field: &'static str,
    },
    /// A name is not valid UTF-8, although the session asks for that encoding.
    #[error("`{field}` is not valid UTF-8")]
    NotUtf8 {
        /// The field being read.
        field: &'static str,
    },
    /// Bytes follow the end of the message.
    #[error("{count} bytes follow the end of message `{}`", tag.escape_ascii())]
    Trailing {
        /// The first byte of the message.
        tag: u8,
        /// How many bytes follow.
        count: usize,
    },
}
