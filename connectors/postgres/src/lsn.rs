//! Positions in the write-ahead log.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A byte position in the write-ahead log of one Postgres timeline.
///
/// Text form: two hexadecimal halves, as `pg_lsn` prints them (`16/B374D848`).
/// Serialised as that text. A bare `Lsn` says nothing about cluster, timeline or slot;
/// where to resume is more than this (design, section 5.4).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

impl Lsn {
    /// The position `0/0`, which Postgres calls invalid and uses for "none".
    pub const INVALID: Self = Self(0);

    /// Wraps a byte position.
    #[must_use]
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    /// Returns the byte position.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Tells whether this is a position at all, not `0/0`.
    #[must_use]
    pub const fn valid(self) -> bool {
        self.0 != 0
    }

    /// Returns the position `bytes` further on, or `None` past the end of the number range.
    #[must_use]
    pub fn checked_add(self, bytes: u64) -> Option<Self> {
        self.0.checked_add(bytes).map(Self)
    }

    /// Returns the position `bytes` back, or `None` before the start of the log.
    #[must_use]
    pub fn checked_sub(self, bytes: u64) -> Option<Self> {
        self.0.checked_sub(bytes).map(Self)
    }

    /// Returns how many bytes this position is ahead of `earlier`, or `None` if it is behind.
    #[must_use]
    pub fn bytes_since(self, earlier: Self) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }
}

impl From<u64> for Lsn {
    fn from(position: u64) -> Self {
        Self(position)
    }
}

impl From<Lsn> for u64 {
    fn from(lsn: Lsn) -> Self {
        lsn.0
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a position in the write-ahead log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is not an LSN; expected two hexadecimal halves like `16/B374D848`")]
pub struct ParseLsnError {
    text: String,
}

impl FromStr for Lsn {
    type Err = ParseLsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseLsnError { text: text.to_owned() })
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

fn parse(text: &str) -> Option<Lsn> {
    let (high, low) = text.split_once('/')?;
    Some(Lsn(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
}

/// Reads one to eight hexadecimal digits; `from_str_radix` alone would take a sign too.
fn half(digits: &str) -> Option<u32> {
    let plain = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_form_is_that_of_pg_lsn() {
        let lsn = Lsn::new(0x16_B374_D848);

        assert_eq!(lsn.to_string(), "16/B374D848");
        assert_eq!("16/B374D848".parse(), Ok(lsn));
        assert_eq!("16/b374d848".parse(), Ok(lsn));
        assert_eq!("0/0".parse(), Ok(Lsn::INVALID));
    }

    #[test]
    fn malformed_text_is_refused_by_name() {
        for text in ["", "/", "16", "16/", "/1", "+1/1", "1/-1", "1/1/1", "1/123456789", " 1/1", "g/1"] {
            let error = text.parse::<Lsn>().unwrap_err();

            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        let last = Lsn::new(u64::MAX);

        assert_eq!(last.checked_add(1), None);
        assert_eq!(Lsn::INVALID.checked_sub(1), None);
        assert_eq!(Lsn::new(8).bytes_since(Lsn::new(3)), Some(5));
        assert_eq!(Lsn::new(3).bytes_since(Lsn::new(8)), None);
    }

    #[test]
    fn serde_form_is_the_text() {
        let json = serde_json::to_string(&Lsn::new(0x1_0000_00FF)).unwrap();

        assert_eq!(json, "\"1/FF\"");
        assert_eq!(serde_json::from_str::<Lsn>(&json).unwrap(), Lsn::new(0x1_0000_00FF));
        assert!(serde_json::from_str::<Lsn>("\"1\"").is_err());
    }

    proptest! {
        #[test]
        fn every_position_survives_its_text(position: u64) {
            let lsn = Lsn::new(position);

            prop_assert_eq!(lsn.to_string().parse(), Ok(lsn));
        }

        #[test]
        fn order_is_that_of_the_bytes(a: u64, b: u64) {
            prop_assert_eq!(Lsn::new(a).cmp(&Lsn::new(b)), a.cmp(&b));
        }
    }
}
