//! Arrays, ranges, composites and hstore: parts between signs, quoted where they need it.
//!
//! Layouts: `array_send`, `range_send`, `multirange_send`, `record_send`, `hstore_send`; quoting:
//! the `_out` functions beside them.

use bytes::{BufMut, BytesMut};

use super::{Fields, Output, scalars};
use crate::types::ValueError;

const RANGE_EMPTY: u8 = 0x01;
const RANGE_LOWER_INCLUSIVE: u8 = 0x02;
const RANGE_UPPER_INCLUSIVE: u8 = 0x04;
const RANGE_LOWER_INFINITE: u8 = 0x08;
const RANGE_UPPER_INFINITE: u8 = 0x10;
/// As many dimensions as Postgres allows.
const MAX_DIMENSIONS: usize = 6;

/// Bounds and length of one dimension.
#[derive(Debug, Clone, Copy)]
struct Dimension {
    lower: i32,
    length: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

/// Writes a part, then quotes it if it is empty or holds one of `special`, blanks, `"` or `\`.
/// Inside, `"` and `\` are doubled, or escaped by `\`.
fn put_part(
    part: &Output,
    value: &[u8],
    special: &[u8],
    escape: Option<u8>,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let start = out.len();
    part.put(value, out)?;
    let text = &out[start..];
    let plain = |byte: &u8| !is_space(*byte) && !matches!(byte, b'"' | b'\\') && !special.contains(byte);
    // Only arrays have a word for null, and only they escape by `\`.
    let is_null_word = escape.is_some() && text.eq_ignore_ascii_case(b"NULL");
    if !text.is_empty() && !is_null_word && text.iter().all(plain) {
        return Ok(());
    }
    let raw = text.to_vec();
    out.truncate(start);
    out.put_u8(b'"');
    for byte in raw {
        if matches!(byte, b'"' | b'\\') {
            out.put_u8(escape.unwrap_or(byte));
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
    Ok(())
}

fn dimensions(fields: &mut Fields<'_>) -> Result<Vec<Dimension>, ValueError> {
    let count = fields.count()?;
    if count > MAX_DIMENSIONS {
        return Err(ValueError::Length);
    }
    // Flags and the element's oid say nothing new.
    fields.take::<8>()?;
    let dimension = |_| Ok(Dimension { length: fields.count()?, lower: fields.int32()? });
    let dimensions = (0..count).map(dimension).collect::<Result<Vec<_>, _>>()?;
    // An element takes its length field at least; of none there is an empty `int2vector`.
    let elements = dimensions.iter().fold(1_usize, |product, one| product.saturating_mul(one.length.max(1)));
    if elements > (fields.0.len() / 4).max(1) {
        return Err(ValueError::Length);
    }
    Ok(dimensions)
}

/// `{1,NULL,"a b"}`; with other lower bounds than 1, `[0:2]={…}`.
pub(super) fn put_array(
    element: &Output,
    delimiter: u8,
    value: &[u8],
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let dimensions = dimensions(&mut fields)?;
    if dimensions.is_empty() {
        out.put_slice(b"{}");
        return fields.finish();
    }
    if dimensions.iter().any(|dimension| dimension.lower != 1) {
        for Dimension { lower, length } in &dimensions {
            let upper = i64::from(*lower) + i64::try_from(*length).unwrap_or(i64::MAX) - 1;
            out.put_u8(b'[');
            scalars::put_integer(*lower, out);
            out.put_u8(b':');
            scalars::put_integer(upper, out);
            out.put_u8(b']');
        }
        out.put_u8(b'=');
    }
    put_dimension(element, delimiter, &dimensions, &mut fields, out)?;
    fields.finish()
}

fn put_dimension(
    element: &Output,
    delimiter: u8,
    dimensions: &[Dimension],
    fields: &mut Fields<'_>,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let Some((first, inner)) = dimensions.split_first() else {
        let special = [b'{', b'}', delimiter];
        return match fields.sized()? {
            None => {
                out.put_slice(b"NULL");
                Ok(())
            }
            Some(value) => put_part(element, value, &special, Some(b'\\'), out),
        };
    };
    out.put_u8(b'{');
    for index in 0..first.length {
        if index > 0 {
            out.put_u8(delimiter);
        }
        put_dimension(element, delimiter, inner, fields, out)?;
    }
    out.put_u8(b'}');
    Ok(())
}

/// `1 2 3`, as `int2vector` and `oidvector` are printed.
pub(super) fn put_vector(element: &Output, value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let count: usize = dimensions(&mut fields)?.iter().map(|dimension| dimension.length).sum();
    for index in 0..count {
        if index > 0 {
            out.put_u8(b' ');
        }
        element.put(fields.sized()?.ok_or(ValueError::Length)?, out)?;
    }
    fields.finish()
}

/// `[1,10)`, `(,5]`, `empty`.
pub(super) fn put_range(bound: &Output, value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let [flags] = fields.take()?;
    if flags & RANGE_EMPTY != 0 {
        out.put_slice(b"empty");
        return fields.finish();
    }
    let mut put_bound = |infinite: u8, out: &mut BytesMut| match flags & infinite {
        0 => put_part(bound, fields.sized()?.ok_or(ValueError::Length)?, b"()[],", None, out),
        _ => Ok(()),
    };
    out.put_u8(if flags & RANGE_LOWER_INCLUSIVE != 0 { b'[' } else { b'(' });
    put_bound(RANGE_LOWER_INFINITE, out)?;
    out.put_u8(b',');
    put_bound(RANGE_UPPER_INFINITE, out)?;
    out.put_u8(if flags & RANGE_UPPER_INCLUSIVE != 0 { b']' } else { b')' });
    fields.finish()
}

/// `{[1,3),[5,7)}`.
pub(super) fn put_multirange(range: &Output, value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    out.put_u8(b'{');
    for index in 0..fields.count()? {
        if index > 0 {
            out.put_u8(b',');
        }
        range.put(fields.sized()?.ok_or(ValueError::Length)?, out)?;
    }
    out.put_u8(b'}');
    fields.finish()
}

/// `(7,"x y",)`; null is nothing.
pub(super) fn put_composite(
    attributes: &[(u32, Output)],
    value: &[u8],
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    if fields.count()? != attributes.len() {
        return Err(ValueError::Length);
    }
    out.put_u8(b'(');
    for (index, (_, attribute)) in attributes.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        // The attribute's oid may be that of a domain; its form is that of the base.
        fields.take::<4>()?;
        if let Some(value) = fields.sized()? {
            put_part(attribute, value, b"(),", None, out)?;
        }
    }
    out.put_u8(b')');
    fields.finish()
}

/// The pairs of an hstore in the order of the wire: by length of the key, then by its bytes.
#[derive(Debug)]
pub(in crate::types) struct Pairs<'a> {
    fields: Fields<'a>,
    left: usize,
}

impl<'a> Pairs<'a> {
    /// Reads the header.
    pub(in crate::types) fn read(value: &'a [u8]) -> Result<Self, ValueError> {
        let mut fields = Fields(value);
        let left = fields.count()?;
        // A pair takes its two lengths at least, which bounds what is reserved for them.
        if left > fields.0.len() / 8 {
            return Err(ValueError::Length);
        }
        Ok(Self { fields, left })
    }

    fn pair(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), ValueError> {
        let key = self.fields.sized()?.ok_or(ValueError::Length)?;
        Ok((key, self.fields.sized()?))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a [u8], Option<&'a [u8]>), ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.pair())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// `"a"=>"1", "b"=>NULL`.
pub(super) fn put_hstore(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let put_quoted = |text: &[u8], out: &mut BytesMut| {
        out.put_u8(b'"');
        for byte in text {
            if matches!(byte, b'"' | b'\\') {
                out.put_u8(b'\\');
            }
            out.put_u8(*byte);
        }
        out.put_u8(b'"');
    };
    for (index, pair) in Pairs::read(value)?.enumerate() {
        let (key, value) = pair?;
        if index > 0 {
            out.put_slice(b", ");
        }
        put_quoted(key, out);
        out.put_slice(b"=>");
        match value {
            None => out.put_slice(b"NULL"),
            Some(value) => put_quoted(value, out),
        }
    }
    Ok(())
}

/// Writes a JSON string as Jackson does: control characters escaped, all else as it is.
pub(in crate::types) fn put_json_string(text: &[u8], out: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";

    out.put_u8(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.put_slice(&[b'\\', *byte]),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            0x08 => out.put_slice(b"\\b"),
            0x0C => out.put_slice(b"\\f"),
            ..0x20 => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.put_slice(b"\\u00");
                out.put_slice(&digits);
            }
            _ => out.put_u8(*byte),
        }
    }
    out.put_u8(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(output: &Output, value: &[u8]) -> String {
        let mut out = BytesMut::new();
        output.put(value, &mut out).unwrap();
        for end in 0..value.len() {
            assert!(output.put(&value[..end], &mut BytesMut::new()).is_err(), "cut at {end}");
        }
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn sized(value: &[u8]) -> Vec<u8> {
        [&i32::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat()
    }

    fn array(dimensions: &[(i32, i32)], elements: &[Option<&[u8]>]) -> Vec<u8> {
        let mut wire = i32::try_from(dimensions.len()).unwrap().to_be_bytes().to_vec();
        wire.extend([0; 8]);
        for (length, lower) in dimensions {
            wire.extend([length.to_be_bytes(), lower.to_be_bytes()].concat());
        }
        for element in elements {
            wire.extend(element.map_or_else(|| vec![255; 4], sized));
        }
        wire
    }

    #[test]
    fn arrays_quote_what_needs_it() {
        let output = Output::Array { element: Box::new(Output::Verbatim), delimiter: b',' };
        let elements: [Option<&[u8]>; 6] =
            [Some(b"a"), None, Some(b"b,c"), Some(b"d\"e\\"), Some(b"null"), Some(b"")];

        let wire = array(&[(6, 1)], &elements);
        assert_eq!(text(&output, &wire), r#"{a,NULL,"b,c","d\"e\\","null",""}"#);
        let wire = array(&[(2, 0), (1, 1)], &[Some(b"x"), Some(b"y")]);
        assert_eq!(text(&output, &wire), "[0:1][1:1]={{x},{y}}");
        assert_eq!(text(&output, &array(&[], &[])), "{}");
    }

    #[test]
    fn arrays_of_more_elements_than_were_sent_are_refused_at_once() {
        let output = Output::Array { element: Box::new(Output::Verbatim), delimiter: b',' };

        for lengths in [[i32::MAX, 0], [i32::MAX, i32::MAX]] {
            let mut out = BytesMut::new();
            let wire = array(&lengths.map(|length| (length, 1)), &[Some(b"x")]);
            assert!(output.put(&wire, &mut out).is_err());
            assert!(out.is_empty());
        }
    }

    #[test]
    fn empty_vectors_have_one_dimension_of_nothing() {
        let output = Output::Vector(Box::new(Output::Int16));

        assert_eq!(text(&output, &array(&[(0, 0)], &[])), "");
    }

    #[test]
    fn ranges_and_multiranges_read_as_postgres_prints_them() {
        let range = Output::Range(Box::new(Output::Timestamp));
        let day = 86_400_000_000_i64.to_be_bytes();
        let lower = [&[RANGE_LOWER_INCLUSIVE | RANGE_UPPER_INFINITE][..], &sized(&day)].concat();
        assert_eq!(text(&range, &lower), r#"["2000-01-02 00:00:00",)"#);
        assert_eq!(text(&range, &[RANGE_EMPTY]), "empty");

        let range = Output::Range(Box::new(Output::Int32));
        let bounds = [sized(&1_i32.to_be_bytes()), sized(&3_i32.to_be_bytes())].concat();
        let one = sized(&[&[RANGE_LOWER_INCLUSIVE][..], &bounds].concat());
        let wire = [&2_i32.to_be_bytes()[..], &one, &one].concat();
        assert_eq!(text(&Output::Multirange(Box::new(range)), &wire), "{[1,3),[1,3)}");
    }

    #[test]
    fn composites_leave_out_nulls_and_double_quotes() {
        let output =
            Output::Composite(vec![(23, Output::Int32), (25, Output::Verbatim), (25, Output::Verbatim)]);
        let wire = [
            &3_i32.to_be_bytes()[..],
            &[0, 0, 0, 23],
            &sized(&7_i32.to_be_bytes()),
            &[0, 0, 0, 25],
            &sized(b"x \"y\""),
            &[0, 0, 0, 25, 255, 255, 255, 255],
        ];

        assert_eq!(text(&output, &wire.concat()), r#"(7,"x ""y""",)"#);
    }

    #[test]
    fn hstores_read_as_postgres_prints_them() {
        let wire = [&2_i32.to_be_bytes()[..], &sized(b"a"), &sized(b"1\""), &sized(b"b"), &[255; 4]].concat();

        assert_eq!(text(&Output::Hstore, &wire), r#""a"=>"1\"", "b"=>NULL"#);
    }
}
