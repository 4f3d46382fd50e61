//! JSON text as bytes.
//!
//! Hot path.

use base64::{Engine, engine::general_purpose::STANDARD};

/// First byte of the characters beyond U+FFFF in UTF-8.
const BEYOND: u8 = 0xf0;

/// Appends a JSON string: quotes, backslashes and control characters are escaped, and so are characters beyond
/// U+FFFF, as pairs of surrogates, which is what Jackson does when it writes UTF-8.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: &u8| *byte < b' ' || *byte >= BEYOND || matches!(byte, b'"' | b'\\');
    out.push(b'"');
    let mut rest = text;
    while let Some(place) = rest.as_bytes().iter().position(is_special) {
        let (plain, special) = rest.split_at(place);
        out.extend_from_slice(plain.as_bytes());
        let mut characters = special.chars();
        match characters.next() {
            Some(beyond) if beyond > '\u{ffff}' => push_surrogates(out, beyond),
            // All others are one byte.
            _ => push_escape(out, special.as_bytes()[0]),
        }
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

fn push_surrogates(out: &mut Vec<u8>, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.push(DIGITS[usize::from(*unit >> shift & 15)]);
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        control => {
            let (high, low) = (DIGITS[usize::from(control >> 4)], DIGITS[usize::from(control & 15)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    }
}

/// Appends `"key":`, after a comma unless it is the first of its object.
pub(super) fn push_key(out: &mut Vec<u8>, key: &str) {
    separate(out);
    push_string(out, key);
    out.push(b':');
}

/// Appends a comma unless a list or object has just begun.
pub(super) fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

pub(super) fn push_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends bytes as a base64 string.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or_default();
    out.truncate(start + written);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_jackson_escapes_it() {
        let mut out = Vec::new();

        push_string(&mut out, "a\"\\\n\u{1}é漢😀/\u{7f}z");

        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"\\\\\\n\\u0001é漢\\uD83D\\uDE00/\u{7f}z\"");
    }
}
