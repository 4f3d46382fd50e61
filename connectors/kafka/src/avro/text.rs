//! JSON text as Java's Jackson prints it, for schemas that must be byte-identical.

use std::fmt::{LowerExp, Write as _};

/// Appends a JSON string; non-ASCII stays as it is, control characters are escaped in upper case.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{9}' => out.push_str("\\t"),
            '\u{a}' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\u{d}' => out.push_str("\\r"),
            control if control < ' ' => push_escape(out, control),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn push_escape(out: &mut String, control: char) {
    let written = write!(out, "\\u{:04X}", u32::from(control));
    debug_assert!(written.is_ok(), "writing to a string succeeds");
}

/// Appends `"key":`, after a comma unless it is the first of its object.
pub(super) fn push_key(out: &mut String, key: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, key);
    out.push(':');
}

/// Appends a member with a string value.
pub(super) fn push_member(out: &mut String, key: &str, value: &str) {
    push_key(out, key);
    push_string(out, value);
}

/// Appends bytes as text with one character per byte (ISO 8859-1), Avro's form of byte defaults.
pub(super) fn push_latin1(out: &mut String, bytes: &[u8]) {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    push_string(out, &text);
}

/// Appends a double as `Double.toString` prints it; what is no number becomes a string.
pub(crate) fn push_double(out: &mut String, value: f64) {
    let scientific = if value.is_subnormal() { subnormal(value) } else { format!("{value:e}") };
    push_java_float(out, value.is_finite(), &scientific, value.abs(), value.is_sign_negative());
}

/// Appends a float as `Float.toString` prints it; what is no number becomes a string.
pub(crate) fn push_float(out: &mut String, value: f32) {
    let scientific = if value.is_subnormal() { subnormal(value) } else { format!("{value:e}") };
    let magnitude = f64::from(value.abs());
    push_java_float(out, value.is_finite(), &scientific, magnitude, value.is_sign_negative());
}

/// The shortest digits that tell a number from its neighbours, but two at least: nearest to it are `4.9e-324` and
/// `1.4e-45`, where one digit would do.
fn subnormal(value: impl LowerExp) -> String {
    let shortest = format!("{value:e}");
    if shortest.contains('.') { shortest } else { format!("{value:.1e}") }
}

fn push_java_float(out: &mut String, finite: bool, scientific: &str, magnitude: f64, negative: bool) {
    if !finite {
        return out.push_str(match (magnitude.is_nan(), negative) {
            (true, _) => "\"NaN\"",
            (false, true) => "\"-Infinity\"",
            (false, false) => "\"Infinity\"",
        });
    }
    if negative {
        out.push('-');
    }
    let (mantissa, exponent) =
        scientific.trim_start_matches('-').split_once('e').unwrap_or((scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // Java leaves plain notation outside [10^-3, 10^7).
    if magnitude == 0.0 || (-3..7).contains(&exponent) {
        push_plain(out, &digits, exponent);
    } else {
        push_plain(out, &digits, 0);
        out.push('E');
        out.push_str(&exponent.to_string());
    }
}

fn push_plain(out: &mut String, digits: &str, exponent: i32) {
    let Ok(whole) = usize::try_from(exponent) else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', exponent.unsigned_abs() as usize - 1));
        return out.push_str(digits);
    };
    for (place, digit) in digits.chars().enumerate() {
        if place == whole + 1 {
            out.push('.');
        }
        out.push(digit);
    }
    if digits.len() <= whole + 1 {
        out.extend(std::iter::repeat_n('0', whole + 1 - digits.len()));
        out.push_str(".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = String::new();
        push_double(&mut out, value);
        out
    }

    #[test]
    fn doubles_print_as_in_java() {
        let expected = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (100.0, "100.0"),
            (1_234_567.0, "1234567.0"),
            (12_345_678.0, "1.2345678E7"),
            (0.001, "0.001"),
            (0.000_12, "1.2E-4"),
            (1e21, "1.0E21"),
            (-2.5e-7, "-2.5E-7"),
            (5e-324, "4.9E-324"),
            (1e-323, "9.9E-324"),
            (-2e-323, "-2.0E-323"),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ];

        for (value, text) in expected {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn the_smallest_float_prints_two_digits() {
        let mut out = String::new();

        push_float(&mut out, 1e-45);

        assert_eq!(out, "1.4E-45");
    }

    #[test]
    fn control_characters_are_escaped_in_upper_case() {
        let mut out = String::new();

        push_latin1(&mut out, &[0, 0x1f, b'\n', b'"', 0x7f, 0xe9]);

        assert_eq!(out, "\"\\u0000\\u001F\\n\\\"\u{7f}é\"");
    }
}
