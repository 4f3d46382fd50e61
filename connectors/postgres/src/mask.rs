//! Values that are hidden or cut in rows, as Debezium does it. Keys are not touched.
//!
//! Hot path for the tables that have such columns; the others have an empty list.

use bytes::{BufMut, Bytes};
use bytestring::ByteString;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sluice_core::value::Value;

use crate::config::Hashing;

/// A hash algorithm by Java's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`.
    Md5,
    /// `SHA-1`.
    Sha1,
    /// `SHA-224`.
    Sha224,
    /// `SHA-256`.
    Sha256,
    /// `SHA-384`.
    Sha384,
    /// `SHA-512`.
    Sha512,
    /// `SHA-512/224`.
    Sha512To224,
    /// `SHA-512/256`.
    Sha512To256,
}

impl Algorithm {
    /// Java's names of the algorithms.
    pub const NAMES: [&'static str; 8] =
        ["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA-512/224", "SHA-512/256"];

    /// Finds an algorithm by its name in Java, whatever the case; `SHA` and `SHA1` are other names of `SHA-1`.
    pub fn named(name: &str) -> Option<Self> {
        const ALL: [Algorithm; 8] = [
            Algorithm::Md5,
            Algorithm::Sha1,
            Algorithm::Sha224,
            Algorithm::Sha256,
            Algorithm::Sha384,
            Algorithm::Sha512,
            Algorithm::Sha512To224,
            Algorithm::Sha512To256,
        ];
        let name =
            if ["SHA", "SHA1"].iter().any(|other| name.eq_ignore_ascii_case(other)) { "SHA-1" } else { name };
        let place = Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Some(ALL[place])
    }

    /// Hashes parts, and writes the hash in hexadecimal.
    fn hex(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Md5 => hex::<md5::Md5>(parts),
            Self::Sha1 => hex::<Sha1>(parts),
            Self::Sha224 => hex::<Sha224>(parts),
            Self::Sha256 => hex::<Sha256>(parts),
            Self::Sha384 => hex::<Sha384>(parts),
            Self::Sha512 => hex::<Sha512>(parts),
            Self::Sha512To224 => hex::<Sha512_224>(parts),
            Self::Sha512To256 => hex::<Sha512_256>(parts),
        }
    }
}

fn hex<D: Digest>(parts: &[&[u8]]) -> String {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    let digits =
        |byte: u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'));
    hash.finalize().iter().copied().flat_map(digits).collect()
}

/// A column whose values are hidden or cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnMask {
    mask: Mask,
    null: Value,
    unavailable: Value,
}

impl ColumnMask {
    /// Makes a mask for a column in which `unavailable` stands for what was not sent.
    pub(crate) fn new(mask: Mask, mut unavailable: Value) -> Self {
        let mut null = Value::Null;
        if matches!(mask, Mask::Fixed(_)) {
            mask.apply(&mut null);
        }
        mask.apply(&mut unavailable);
        Self { mask, null, unavailable }
    }

    /// Hides or cuts a value.
    pub(crate) fn apply(&self, value: &mut Value) {
        match value {
            Value::Null => *value = self.null.clone(),
            Value::Unavailable => *value = self.unavailable.clone(),
            value => self.mask.apply(value),
        }
    }
}

/// What becomes of a column's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mask {
    /// The same text for all, NULL among them.
    Fixed(ByteString),
    /// A hash, cut to the length of the column.
    Hash {
        /// How it is computed.
        hashing: Hashing,
        /// Characters that the column holds.
        length: usize,
    },
    /// The first characters.
    Truncate(usize),
}

impl Mask {
    /// Hides or cuts a value; what is neither text nor bytes stays, unless all values are to look alike.
    fn apply(&self, value: &mut Value) {
        match (self, &*value) {
            (Self::Fixed(text), _) => *value = Value::String(text.clone()),
            (Self::Hash { hashing, length }, Value::String(text)) => {
                let salt = hashing.salt.as_bytes();
                let mut hash = match hashing.plain {
                    true => hashing.algorithm.hex(&[salt, text.as_bytes()]),
                    false => hashing.algorithm.hex(&[salt, &serialised(text)]),
                };
                hash.truncate(*length);
                *value = Value::from(hash);
            }
            (Self::Truncate(length), Value::String(text)) => {
                if let Some(cut) = truncated(text, *length) {
                    *value = Value::String(cut);
                }
            }
            (Self::Truncate(length), Value::Bytes(bytes)) if bytes.len() > *length => {
                *value = Value::Bytes(bytes.slice(..*length));
            }
            _ => {}
        }
    }
}

/// The first characters of a text that is longer, as Java counts and cuts: by UTF-16 units, half a pair being `?`.
fn truncated(text: &ByteString, length: usize) -> Option<ByteString> {
    // No unit has more units than bytes.
    if text.len() <= length || text.encode_utf16().nth(length).is_none() {
        return None;
    }
    let mut units = 0;
    for (place, character) in text.char_indices() {
        let next = units + character.len_utf16();
        if next > length {
            let mut cut = text[..place].to_owned();
            if units < length {
                cut.push('?');
            }
            return Some(cut.into());
        }
        units = next;
    }
    None
}

/// A string as Java's `ObjectOutputStream` writes it: magic, version, type, length and modified UTF-8.
fn serialised(text: &str) -> Bytes {
    const HEADER: [u8; 4] = [0xAC, 0xED, 0, 5];
    const STRING: u8 = 0x74;
    const LONG_STRING: u8 = 0x7C;

    let mut body = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let [_, byte] = unit.to_be_bytes();
        let bits = |shift: u16, mark: u8, mask: u8| mark | (unit >> shift).to_be_bytes()[1] & mask;
        match unit {
            1..0x80 => body.put_u8(byte),
            0 | 0x80..0x800 => body.put_slice(&[bits(6, 0xC0, 0x1F), bits(0, 0x80, 0x3F)]),
            _ => body.put_slice(&[bits(12, 0xE0, 0x0F), bits(6, 0x80, 0x3F), bits(0, 0x80, 0x3F)]),
        }
    }
    let mut out = Vec::with_capacity(body.len() + 13);
    out.put_slice(&HEADER);
    match u16::try_from(body.len()) {
        Ok(length) => {
            out.put_u8(STRING);
            out.put_u16(length);
        }
        Err(_) => {
            out.put_u8(LONG_STRING);
            out.put_u64(body.len() as u64);
        }
    }
    out.put_slice(&body);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(plain: bool) -> Mask {
        let hashing = Hashing { algorithm: Algorithm::Sha256, salt: "CzQMA0cB5K".to_owned(), plain };
        Mask::Hash { hashing, length: 20 }
    }

    fn masked(mask: &Mask, value: impl Into<Value>) -> Value {
        let mut value = value.into();
        mask.apply(&mut value);
        value
    }

    #[test]
    fn hashes_are_those_of_the_recordings() {
        assert_eq!(masked(&hash(false), "test"), Value::from_static("8e68c68edbbac316dfe2"));
        assert!(matches!(masked(&hash(true), "test"), Value::String(hash) if hash.starts_with("b924906b")));
    }

    #[test]
    fn null_and_what_was_not_sent_are_hidden_by_stars_only() {
        let of = |mask: Mask, mut value| {
            ColumnMask::new(mask, Value::Unavailable).apply(&mut value);
            value
        };

        for value in [Value::Null, Value::Unavailable] {
            assert_eq!(of(hash(false), value.clone()), value);
            assert_eq!(of(Mask::Truncate(1), value.clone()), value);
            assert_eq!(of(Mask::Fixed("*****".into()), value), Value::from_static("*****"));
        }
    }

    #[test]
    fn what_stands_for_unavailable_as_in_debezium_is_hashed() {
        let mask = ColumnMask::new(hash(false), Value::from_static("placeholder"));

        let mut unavailable = Value::Unavailable;
        mask.apply(&mut unavailable);

        assert_eq!(unavailable, masked(&hash(false), "placeholder"));
    }

    #[test]
    fn texts_are_cut_as_java_counts() {
        assert_eq!(masked(&Mask::Truncate(3), "é漢字x"), Value::from_static("é漢字"));
        assert_eq!(masked(&Mask::Truncate(3), "ab"), Value::from_static("ab"));
        assert_eq!(masked(&Mask::Truncate(3), "ab😀c"), Value::from_static("ab?"));
        assert_eq!(masked(&Mask::Truncate(4), "ab😀"), Value::from_static("ab😀"));
        assert_eq!(masked(&Mask::Truncate(0), "a"), Value::from_static(""));
        assert_eq!(
            masked(&Mask::Truncate(1), Value::Bytes(Bytes::from_static(&[1, 2]))),
            Value::Bytes(Bytes::from_static(&[1]))
        );
    }

    #[test]
    fn texts_are_serialised_as_by_java() {
        assert_eq!(*serialised("t\0é"), [0xAC, 0xED, 0, 5, 0x74, 0, 5, b't', 0xC0, 0x80, 0xC3, 0xA9]);
        assert_eq!(serialised("😀")[7..], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]);
        assert_eq!(serialised(&"x".repeat(70_000))[4..13], [0x7C, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    }

    #[test]
    fn algorithms_have_javas_names() {
        for (name, digits) in Algorithm::NAMES.iter().zip([32, 40, 56, 64, 96, 128, 56, 64]) {
            let algorithm = Algorithm::named(&name.to_lowercase()).unwrap();
            assert_eq!(algorithm.hex(&[b"a"]).len(), digits, "{name}");
        }
        assert_eq!(Algorithm::named("SHA1"), Some(Algorithm::Sha1));
        assert_eq!(Algorithm::named("SHA-3"), None);
    }
}
