//! `numeric` and `money` from their binary form.
//!
//! Hot path. Up to 36 digits stay in a machine integer; longer ones take an allocation.
//! Layout: `numeric_send` in Postgres's `numeric.c`: base 10,000 digits, weight, sign, display scale.

use bytes::{BufMut, Bytes, BytesMut};

use super::ValueError;

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;
/// Decimal digits in one digit of the wire form.
const GROUP: i32 = 4;
/// Powers of ten that fit a step of the slow path.
const STEP: u32 = 10_000;
/// Decimal digits that surely fit an `i128`.
const FAST_DIGITS: i32 = 36;

/// A number as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numeric<'a> {
    groups: &'a [u8],
    weight: i32,
    sign: u16,
    display_scale: i32,
}

impl<'a> Numeric<'a> {
    /// Reads the header; the groups stay where they are.
    pub(super) fn read(value: &'a [u8]) -> Result<Self, ValueError> {
        let (head, groups) = value.split_first_chunk::<8>().ok_or(ValueError::Length)?;
        let [a, b, c, d, e, f, g, h] = *head;
        let count = usize::from(u16::from_be_bytes([a, b]));
        let sign = u16::from_be_bytes([e, f]);
        let read = Self {
            groups,
            weight: i16::from_be_bytes([c, d]).into(),
            sign,
            display_scale: u16::from_be_bytes([g, h]).into(),
        };
        let known = matches!(sign, POSITIVE | NEGATIVE | NAN | INFINITY | NEGATIVE_INFINITY);
        if groups.len() != count * 2 || !known || read.digits().any(|digit| digit >= STEP) {
            return Err(ValueError::Length);
        }
        Ok(read)
    }

    fn digits(self) -> impl DoubleEndedIterator<Item = u32> + 'a {
        self.groups.as_chunks::<2>().0.iter().map(|group| u16::from_be_bytes(*group).into())
    }

    fn count(self) -> i32 {
        i32::try_from(self.groups.len() / 2).unwrap_or(i32::MAX)
    }

    fn negative(self) -> bool {
        self.sign == NEGATIVE
    }

    /// The word that Debezium writes for what is no number.
    pub(super) fn special(self) -> Option<&'static str> {
        match self.sign {
            NAN => Some("NAN"),
            INFINITY => Some("POSITIVE_INFINITY"),
            NEGATIVE_INFINITY => Some("NEGATIVE_INFINITY"),
            _ => None,
        }
    }

    /// How many decimals are left once trailing zeros are dropped, 0 or more.
    pub(super) fn stripped_scale(self) -> i32 {
        let Some((zeros, last)) = self.digits().rev().enumerate().find(|(_, digit)| *digit != 0) else {
            return 0;
        };
        let groups = self.count() - i32::try_from(zeros).unwrap_or(0);
        let trailing = (1..GROUP).take_while(|power| last % 10_u32.pow(power.unsigned_abs()) == 0).count();
        let decimals = (groups - 1 - self.weight) * GROUP - i32::try_from(trailing).unwrap_or(0);
        decimals.max(0)
    }

    /// Writes the unscaled value at `scale` as Java's `BigInteger.toByteArray` does: big-endian two's
    /// complement, as short as it can be. Digits beyond the scale are cut off.
    pub(super) fn unscaled(self, scale: i32, out: &mut BytesMut) -> Bytes {
        let exponent = (self.weight - self.count() + 1) * GROUP + scale;
        if self.count() * GROUP + exponent.max(0) <= FAST_DIGITS {
            let coefficient = self.digits().fold(0_i128, |sum, digit| sum * 10_000 + i128::from(digit));
            let power = |digits: i32| 10_i128.checked_pow(digits.unsigned_abs());
            let magnitude = match exponent {
                0.. => coefficient * power(exponent).unwrap_or(1),
                _ => power(exponent).map_or(0, |power| coefficient / power),
            };
            return put_integer(if self.negative() { -magnitude } else { magnitude }, out);
        }
        self.unscaled_large(exponent)
    }

    fn unscaled_large(self, exponent: i32) -> Bytes {
        let mut magnitude = Magnitude(Vec::with_capacity(self.groups.len() / 3 + 2));
        for digit in self.digits() {
            magnitude.multiply_add(STEP, digit);
        }
        for _ in 0..exponent / GROUP {
            magnitude.multiply_add(STEP, 0);
        }
        for _ in 0..exponent % GROUP {
            magnitude.multiply_add(10, 0);
        }
        for _ in 0..-exponent / GROUP {
            magnitude.divide(STEP);
        }
        for _ in 0..-exponent % GROUP {
            magnitude.divide(10);
        }
        magnitude.into_bytes(self.negative())
    }

    /// Writes the number as Postgres prints it, with all its decimals and never with an exponent.
    pub(super) fn put_plain(self, out: &mut BytesMut) {
        if self.negative() {
            out.put_u8(b'-');
        }
        let digit = |index: i32| {
            let group =
                usize::try_from(index).ok().and_then(|index| self.groups.as_chunks::<2>().0.get(index));
            group.map_or(0, |group| u16::from_be_bytes(*group))
        };
        if self.weight < 0 {
            out.put_u8(b'0');
        }
        for index in 0..=self.weight {
            let mut buffer = itoa::Buffer::new();
            let text = buffer.format(digit(index));
            if index > 0 {
                out.put_bytes(b'0', 4 - text.len());
            }
            out.put_slice(text.as_bytes());
        }
        if self.display_scale == 0 {
            return;
        }
        out.put_u8(b'.');
        let end = out.len() + usize::try_from(self.display_scale).unwrap_or(0);
        let mut index = self.weight + 1;
        while out.len() < end {
            let group = digit(index);
            for power in [1000, 100, 10, 1] {
                out.put_u8(b'0' + u8::try_from(group / power % 10).unwrap_or(0));
            }
            index += 1;
        }
        out.truncate(end);
    }
}

/// Writes an integer as Java's `BigInteger.toByteArray` does.
pub(super) fn put_integer(value: i128, out: &mut BytesMut) -> Bytes {
    let bytes = value.to_be_bytes();
    let redundant = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    // One bit of the sign must stay.
    let skip = (redundant.saturating_sub(1) / 8) as usize;
    out.put_slice(&bytes[skip.min(15)..]);
    out.split().freeze()
}

/// A large number without sign, least significant word first.
struct Magnitude(Vec<u32>);

impl Magnitude {
    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = low(product);
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    fn divide(&mut self, divisor: u32) {
        let mut rest = 0_u64;
        for word in self.0.iter_mut().rev() {
            let dividend = rest << 32 | u64::from(*word);
            *word = low(dividend / u64::from(divisor));
            rest = dividend % u64::from(divisor);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn into_bytes(self, negative: bool) -> Bytes {
        let mut bytes: Vec<u8> =
            std::iter::once(0).chain(self.0.iter().rev().flat_map(|word| word.to_be_bytes())).collect();
        if negative {
            let mut carry = true;
            for byte in bytes.iter_mut().rev() {
                let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
                *byte = sum;
                carry = overflow;
            }
        }
        let sign = if negative { 0xFF } else { 0 };
        let redundant =
            bytes.windows(2).take_while(|pair| pair[0] == sign && (pair[1] ^ sign) & 0x80 == 0).count();
        Bytes::from(bytes).slice(redundant..)
    }
}

fn low(value: u64) -> u32 {
    (value & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(groups: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(u16::try_from(groups.len()).unwrap().to_be_bytes());
        out.extend(weight.to_be_bytes());
        out.extend(sign.to_be_bytes());
        out.extend(scale.to_be_bytes());
        groups.iter().for_each(|group| out.extend(group.to_be_bytes()));
        out
    }

    fn plain(wire: &[u8]) -> String {
        let mut out = BytesMut::new();
        Numeric::read(wire).unwrap().put_plain(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn plain_text_is_that_of_postgres() {
        assert_eq!(plain(&wire(&[123, 4500], 0, 0, 2)), "123.45");
        assert_eq!(plain(&wire(&[1], 1, NEGATIVE, 0)), "-10000");
        assert_eq!(plain(&wire(&[], 0, 0, 2)), "0.00");
        assert_eq!(plain(&wire(&[100], -1, 0, 4)), "0.0100");
        assert_eq!(plain(&wire(&[1], -3, 0, 12)), "0.000000000001");
        assert_eq!(plain(&wire(&[1, 2, 3], 1, 0, 4)), "10002.0003");
    }

    #[test]
    fn unscaled_value_is_that_of_java() {
        let unscaled =
            |wire: &[u8], scale| Numeric::read(wire).unwrap().unscaled(scale, &mut BytesMut::new()).to_vec();

        assert_eq!(unscaled(&wire(&[1, 1000], 0, 0, 2), 2), [0x6E]);
        assert_eq!(unscaled(&wire(&[], 0, 0, 2), 2), [0]);
        assert_eq!(unscaled(&wire(&[123, 4500], 0, 0, 2), 2), [0x30, 0x39]);
        assert_eq!(unscaled(&wire(&[1, 2800], 0, NEGATIVE, 2), 2), [0x80]);
        assert_eq!(unscaled(&wire(&[2], 0, NEGATIVE, 2), 2), [0xFF, 0x38]);
    }

    #[test]
    fn long_numbers_take_the_slow_path_to_the_same_bytes() {
        // 1234567890123456789012345678.0123456789 as in golden/zoo_default.json.
        let long = wire(&[1234, 5678, 9012, 3456, 7890, 1234, 5678, 123, 4567, 8900], 6, 0, 10);
        let number = Numeric::read(&long).unwrap();
        let expected =
            [0x09, 0x49, 0xB0, 0xF6, 0xF0, 0x02, 0x33, 0x13, 0xC4, 0x49, 0x90, 0x4E, 0xCC, 0x67, 0x45, 0x15];

        assert_eq!(number.unscaled(10, &mut BytesMut::new())[..], expected);
        let negative = wire(&[1234, 5678, 9012, 3456, 7890, 1234, 5678, 123, 4567, 8900], 6, NEGATIVE, 10);
        let bytes = Numeric::read(&negative).unwrap().unscaled(10, &mut BytesMut::new());
        assert_eq!(i128::from_be_bytes(bytes[..].try_into().unwrap()), -i128::from_be_bytes(expected));
    }

    #[test]
    fn stripped_scale_drops_trailing_zeros_and_stays_at_zero() {
        let scale =
            |groups: &[u16], weight| Numeric::read(&wire(groups, weight, 0, 20)).unwrap().stripped_scale();

        assert_eq!(scale(&[1, 5000], 0), 1);
        assert_eq!(scale(&[1, 5000, 0], 0), 1);
        assert_eq!(scale(&[100], 1), 0);
        assert_eq!(scale(&[], 0), 0);
        assert_eq!(scale(&[1234, 5678, 9000], 0), 5);
    }
}
