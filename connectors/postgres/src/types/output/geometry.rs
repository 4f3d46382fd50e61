//! Points to polygons. Layouts: the `_send` functions of Postgres's `geo_ops.c`.

use bytes::{BufMut, BytesMut};

use super::Fields;
use crate::types::ValueError;

/// How a coordinate is written.
pub(in crate::types) type PutFloat = fn(f64, &mut BytesMut);

/// A built-in geometric type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Point,
    Line,
    Segment,
    Box,
    Path,
    Polygon,
    Circle,
}

impl Figure {
    /// Finds a type by name.
    pub(in crate::types) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "point" => Self::Point,
            "line" => Self::Line,
            "lseg" => Self::Segment,
            "box" => Self::Box,
            "path" => Self::Path,
            "polygon" => Self::Polygon,
            "circle" => Self::Circle,
            _ => return None,
        })
    }

    /// Writes a value with its numbers in the given form.
    pub(in crate::types) fn put(
        self,
        value: &[u8],
        float: PutFloat,
        out: &mut BytesMut,
    ) -> Result<(), ValueError> {
        let mut fields = Fields(value);
        match self {
            Self::Point => put_points(1, &mut fields, float, out)?,
            Self::Line => put_numbers(b"{}", 3, &mut fields, float, out)?,
            Self::Segment => put_between(b"[]", 2, &mut fields, float, out)?,
            Self::Box => put_points(2, &mut fields, float, out)?,
            Self::Path => {
                let [closed] = fields.take()?;
                let signs = if closed == 0 { b"[]" } else { b"()" };
                put_between(signs, fields.count()?, &mut fields, float, out)?;
            }
            Self::Polygon => put_between(b"()", fields.count()?, &mut fields, float, out)?,
            Self::Circle => {
                out.put_u8(b'<');
                put_points(1, &mut fields, float, out)?;
                out.put_u8(b',');
                float(number(&mut fields)?, out);
                out.put_u8(b'>');
            }
        }
        fields.finish()
    }
}

fn number(fields: &mut Fields<'_>) -> Result<f64, ValueError> {
    fields.take().map(f64::from_be_bytes)
}

fn put_numbers(
    signs: &[u8; 2],
    count: usize,
    fields: &mut Fields<'_>,
    float: PutFloat,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    out.put_u8(signs[0]);
    for index in 0..count {
        if index > 0 {
            out.put_u8(b',');
        }
        float(number(fields)?, out);
    }
    out.put_u8(signs[1]);
    Ok(())
}

fn put_points(
    count: usize,
    fields: &mut Fields<'_>,
    float: PutFloat,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    for index in 0..count {
        if index > 0 {
            out.put_u8(b',');
        }
        put_numbers(b"()", 2, fields, float, out)?;
    }
    Ok(())
}

fn put_between(
    signs: &[u8; 2],
    count: usize,
    fields: &mut Fields<'_>,
    float: PutFloat,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    out.put_u8(signs[0]);
    put_points(count, fields, float, out)?;
    out.put_u8(signs[1]);
    Ok(())
}

/// Writes a number as Java does: always with a decimal, with an exponent below 0.001 and from ten
/// million on (`Double.toString`). Debezium passes geometric types on in this form.
pub(in crate::types) fn put_java_float(number: f64, out: &mut BytesMut) {
    let magnitude = number.abs();
    let text = match magnitude {
        _ if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => if number < 0.0 { "-Infinity" } else { "Infinity" }.to_owned(),
        0.0 | 1e-3..1e7 => format!("{number:?}"),
        _ => {
            let scientific = format!("{number:E}");
            match scientific.split_once('E') {
                Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
                _ => scientific,
            }
        }
    };
    out.put_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(figure: Figure, head: &[u8], numbers: &[f64]) -> String {
        let mut out = BytesMut::new();
        let numbers: Vec<_> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        figure.put(&[head, &numbers].concat(), put_java_float, &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn figures_read_as_in_the_recordings() {
        let three = [0, 0, 0, 3];

        assert_eq!(text(Figure::Line, &[], &[1.0, 2.0, 3.0]), "{1.0,2.0,3.0}");
        assert_eq!(text(Figure::Segment, &[], &[0.0, 0.0, 1.0, 1.0]), "[(0.0,0.0),(1.0,1.0)]");
        assert_eq!(text(Figure::Box, &[], &[2.0, 2.0, 0.0, 0.0]), "(2.0,2.0),(0.0,0.0)");
        let corners = [0.0, 0.0, 1.0, 1.0, 2.0, 0.0];
        let open = [&[0][..], &three].concat();
        assert_eq!(text(Figure::Path, &open, &corners), "[(0.0,0.0),(1.0,1.0),(2.0,0.0)]");
        assert_eq!(text(Figure::Polygon, &three, &corners), "((0.0,0.0),(1.0,1.0),(2.0,0.0))");
        assert_eq!(text(Figure::Circle, &[], &[1.0, 2.0, 3.0]), "<(1.0,2.0),3.0>");
    }

    #[test]
    fn java_numbers_change_form_at_their_limits() {
        let java = |number| {
            let mut out = BytesMut::new();
            put_java_float(number, &mut out);
            String::from_utf8(out.to_vec()).unwrap()
        };

        assert_eq!(java(1e7), "1.0E7");
        assert_eq!(java(9_999_999.0), "9999999.0");
        assert_eq!(java(0.001), "0.001");
        assert_eq!(java(0.00025), "2.5E-4");
        assert_eq!(java(-0.0), "-0.0");
        assert_eq!(java(f64::NEG_INFINITY), "-Infinity");
    }
}
