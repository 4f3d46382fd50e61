//! Decimals between Connect's unscaled bytes and JSON numbers.

/// Least exponent that Java writes without an `E`.
const LEAST_PLAIN_EXPONENT: i64 = -6;

/// Writes a big-endian two's complement number, `scale` digits of it after the point, as Java's
/// `BigDecimal.toString` does: very small numbers and those of a negative scale with an exponent.
pub(crate) fn to_text(unscaled: &[u8], scale: i32) -> String {
    let negative = unscaled.first().is_some_and(|byte| *byte >= 0x80);
    let mut digits = digits(unscaled, negative);
    let exponent = i64::try_from(digits.len()).unwrap_or(i64::MAX) - 1 - i64::from(scale);
    let plain = usize::try_from(scale).ok().filter(|_| exponent >= LEAST_PLAIN_EXPONENT);
    // Digits after the point: all but the first before an exponent.
    let fraction = plain.unwrap_or(digits.len() - 1);
    while digits.len() <= fraction {
        digits.push(0);
    }
    let mut text = String::with_capacity(digits.len() + 2);
    if negative {
        text.push('-');
    }
    for (place, digit) in digits.iter().enumerate().rev() {
        text.push(char::from(b'0' + digit));
        if place == fraction && fraction > 0 {
            text.push('.');
        }
    }
    if plain.is_none() && exponent != 0 {
        text.push_str(&format!("E{exponent:+}"));
    }
    text
}

/// Returns the decimal digits of the magnitude, lowest first; at least one.
fn digits(unscaled: &[u8], negative: bool) -> Vec<u8> {
    let mut magnitude: Vec<u8> = unscaled.to_vec();
    if negative {
        negate(&mut magnitude);
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u16;
        for byte in &mut magnitude {
            let dividend = rest << 8 | u16::from(*byte);
            // Both are below 256 because the rest is below 10.
            *byte = (dividend / 10) as u8;
            rest = dividend % 10;
        }
        digits.push(rest as u8);
    }
    if digits.is_empty() {
        digits.push(0);
    }
    digits
}

/// Negates a big-endian two's complement number in place.
fn negate(number: &mut [u8]) {
    let mut carry = true;
    for byte in number.iter_mut().rev() {
        let (sum, overflow) = (!*byte).overflowing_add(carry.into());
        *byte = sum;
        carry = overflow;
    }
}

/// Reads a JSON number as an unscaled number with `scale` digits after the point.
///
/// `None` when the number has more digits after the point than the scale, or an absurd exponent.
pub(super) fn from_text(number: &str, scale: i32) -> Option<Vec<u8>> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes()).map(|digit| digit.wrapping_sub(b'0')).collect();
    if digits.is_empty() || digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let shift = i64::from(scale) + i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
    if digits.iter().all(|digit| *digit == 0) {
        return Some(vec![0]);
    }
    if !(-MAX_SHIFT..=MAX_SHIFT).contains(&shift) {
        return None;
    }
    digits.extend(std::iter::repeat_n(0, usize::try_from(shift).unwrap_or_default()));
    for _ in shift..0 {
        if digits.pop()? != 0 {
            return None;
        }
    }
    Some(unscaled(&digits, negative))
}

/// Most digits added or dropped; Postgres has at most 16,383 after the point.
const MAX_SHIFT: i64 = 20_000;

fn unscaled(digits: &[u8], negative: bool) -> Vec<u8> {
    let mut number: Vec<u8> = vec![0];
    for digit in digits {
        let mut carry = u16::from(*digit);
        for byte in number.iter_mut().rev() {
            let sum = u16::from(*byte) * 10 + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        if carry > 0 {
            number.insert(0, carry as u8);
        }
    }
    if negative {
        number.insert(0, 0);
        negate(&mut number);
    } else if number[0] >= 0x80 {
        number.insert(0, 0);
    }
    shorten(&mut number);
    number
}

/// Drops leading bytes that repeat the sign.
fn shorten(number: &mut Vec<u8>) {
    let superfluous = number
        .windows(2)
        .take_while(|pair| (pair[0] == 0 && pair[1] < 0x80) || (pair[0] == 0xff && pair[1] >= 0x80));
    let count = superfluous.count();
    number.drain(..count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_a_round_trip() {
        let numbers = [
            "0",
            "1.10",
            "-1.28",
            "0.05",
            "-0.05",
            "128",
            "-128",
            "-129",
            "255",
            "123456789012345678901234567890.12",
        ];

        for number in numbers {
            let scale = number.split_once('.').map_or(0, |(_, fraction)| fraction.len()) as i32;
            let unscaled = from_text(number, scale).unwrap();
            assert_eq!(to_text(&unscaled, scale), number);
        }
    }

    #[test]
    fn unscaled_bytes_are_as_javas_biginteger() {
        assert_eq!(from_text("1.10", 2), Some(vec![0x6e]));
        assert_eq!(from_text("128", 0), Some(vec![0, 0x80]));
        assert_eq!(from_text("-128", 0), Some(vec![0x80]));
        assert_eq!(from_text("1e2", 0), Some(vec![100]));
    }

    #[test]
    fn digits_beyond_the_scale_are_refused() {
        assert_eq!(from_text("1.125", 2), None);
        assert_eq!(from_text("1.120", 2), Some(vec![112]));
        assert_eq!(from_text("1e999999", 2), None);
    }

    #[test]
    fn exponents_stand_where_java_writes_them() {
        assert_eq!(to_text(&[12], -2), "1.2E+3");
        assert_eq!(to_text(&[0], -2), "0E+2");
        assert_eq!(to_text(&[1], 6), "0.000001");
        assert_eq!(to_text(&[12], 7), "0.0000012");
        assert_eq!(to_text(&[1], 7), "1E-7");
        assert_eq!(to_text(&[0xff], 10), "-1E-10");
        assert_eq!(to_text(&[0], 10), "0E-10");
        assert_eq!(to_text(&[123], 20), "1.23E-18");
    }
}
