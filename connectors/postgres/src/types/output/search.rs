//! `tsvector` and `tsquery`. Layouts: `tsvectorsend`, `tsquerysend`; text: `tsvectorout`, `infix` in
//! Postgres's `tsquery.c`.

use bytes::{BufMut, BytesMut};

use super::{Fields, scalars};
use crate::types::ValueError;

/// A position has 14 bits; its weight stands above them.
const POSITION: u16 = 0x3FFF;
/// Weights A to D by their bits, D having no letter in a vector.
const WEIGHTS: [&[u8]; 4] = [b"", b"C", b"B", b"A"];

const OPERAND: u8 = 1;
const OPERATOR: u8 = 2;
const NOT: u8 = 1;
const AND: u8 = 2;
const OR: u8 = 3;
const PHRASE: u8 = 4;
/// Deeper nesting is refused rather than recursed into.
const MAX_DEPTH: usize = 512;

fn put_lexeme(lexeme: &[u8], out: &mut BytesMut) {
    out.put_u8(b'\'');
    for byte in lexeme {
        if matches!(byte, b'\'' | b'\\') {
            out.put_u8(*byte);
        }
        out.put_u8(*byte);
    }
    out.put_u8(b'\'');
}

/// `'fox':4 'quick':2A,5`.
pub(super) fn put_vector(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    for index in 0..fields.count()? {
        if index > 0 {
            out.put_u8(b' ');
        }
        put_lexeme(fields.terminated()?, out);
        let positions = u16::from_be_bytes(fields.take()?);
        for place in 0..positions {
            let position = u16::from_be_bytes(fields.take()?);
            out.put_u8(if place == 0 { b':' } else { b',' });
            scalars::put_integer(position & POSITION, out);
            out.put_slice(WEIGHTS[usize::from(position >> 14)]);
        }
    }
    fields.finish()
}

/// `'fox' & !'cat':*AB`.
pub(super) fn put_query(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    if fields.count()? == 0 {
        return fields.finish();
    }
    put_item(&mut fields, 0, false, MAX_DEPTH, out)?;
    fields.finish()
}

fn priority(operator: u8) -> u8 {
    match operator {
        NOT => 4,
        PHRASE => 3,
        AND => 2,
        _ => 1,
    }
}

/// Writes one item and what hangs below it; an operator is followed by its right operand, then by its left.
fn put_item(
    fields: &mut Fields<'_>,
    parent: u8,
    right_of_phrase: bool,
    depth: usize,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let depth = depth.checked_sub(1).ok_or(ValueError::Length)?;
    let [kind] = fields.take()?;
    if kind == OPERAND {
        return put_operand(fields, out);
    }
    let [operator] = fields.take()?;
    if kind != OPERATOR || !(NOT..=PHRASE).contains(&operator) {
        return Err(ValueError::Length);
    }
    let distance = if operator == PHRASE { u16::from_be_bytes(fields.take()?) } else { 0 };
    let own = priority(operator);
    let nested = own < parent || operator == PHRASE && right_of_phrase;
    if nested {
        out.put_slice(b"( ");
    }
    if operator == NOT {
        out.put_u8(b'!');
        put_item(fields, own, false, depth, out)?;
    } else {
        let mut right = BytesMut::new();
        put_item(fields, own, operator == PHRASE, depth, &mut right)?;
        put_item(fields, own, false, depth, out)?;
        match (operator, distance) {
            (OR, _) => out.put_slice(b" | "),
            (AND, _) => out.put_slice(b" & "),
            (_, 1) => out.put_slice(b" <-> "),
            _ => {
                out.put_slice(b" <");
                scalars::put_integer(distance, out);
                out.put_slice(b"> ");
            }
        }
        out.put_slice(&right);
    }
    if nested {
        out.put_slice(b" )");
    }
    Ok(())
}

fn put_operand(fields: &mut Fields<'_>, out: &mut BytesMut) -> Result<(), ValueError> {
    let [weights, prefix] = fields.take()?;
    put_lexeme(fields.terminated()?, out);
    if weights != 0 || prefix != 0 {
        out.put_u8(b':');
    }
    if prefix != 0 {
        out.put_u8(b'*');
    }
    for (bit, letter) in [(8, b'A'), (4, b'B'), (2, b'C'), (1, b'D')] {
        if weights & bit != 0 {
            out.put_u8(letter);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(put: impl Fn(&[u8], &mut BytesMut) -> Result<(), ValueError>, wire: &[u8]) -> String {
        let mut out = BytesMut::new();
        put(wire, &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn vectors_show_positions_and_weights() {
        let wire = [&[0, 0, 0, 2][..], b"fox\0", &[0, 1, 0, 4], b"it's\0", &[0, 2, 0xC0, 2, 0, 5]].concat();

        assert_eq!(text(put_vector, &wire), "'fox':4 'it''s':2A,5");
    }

    #[test]
    fn queries_keep_their_brackets() {
        let operand = |word: &str, weights: u8| [&[OPERAND, weights, 0][..], word.as_bytes(), &[0]].concat();
        // (cat | !dog:A) & fox, right operands first.
        let wire = [
            vec![0, 0, 0, 6, OPERATOR, AND],
            operand("fox", 0),
            vec![OPERATOR, OR, OPERATOR, NOT],
            operand("dog", 8),
            operand("cat", 0),
        ];

        assert_eq!(text(put_query, &wire.concat()), "( 'cat' | !'dog':A ) & 'fox'");
    }
}
