//! `money` from its binary form: a number of the smallest units, whose size the server's `lc_monetary` says.
//!
//! Hot path.

use bytes::{BufMut, BytesMut};
use sluice_core::value::Value;

use super::ValueError;
use super::decoder::written;
use super::numeric::put_integer;

/// What `money` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MoneyForm {
    /// Unscaled bytes with so many decimals (`money.fraction.digits`), rounded half up.
    Decimal(u8),
    /// Double precision.
    Double,
    /// Text with two decimals.
    Text,
}

/// Reads a sum of which so many digits are decimals: 2 in most locales, 10 at the most (`cash_in` in Postgres's `cash.c`).
pub(super) fn money(
    sum: i64,
    decimals: u8,
    form: MoneyForm,
    chunk: &mut BytesMut,
) -> Result<Value, ValueError> {
    Ok(match form {
        MoneyForm::Decimal(digits) => Value::Bytes(put_integer(rescale(sum, decimals, digits), chunk)),
        MoneyForm::Double => Value::Float64(sum as f64 / unit(decimals) as f64),
        MoneyForm::Text => {
            if sum < 0 {
                chunk.put_u8(b'-');
            }
            let whole = sum.unsigned_abs() / unit(decimals);
            chunk.put_slice(itoa::Buffer::new().format(whole).as_bytes());
            put_decimals(sum, decimals, chunk);
            return written(chunk);
        }
    })
}

/// What a whole one is in smallest units.
pub(super) fn unit(decimals: u8) -> u64 {
    10_u64.pow(decimals.into())
}

/// Writes the decimals of a sum behind a point; nothing when the currency has none.
pub(super) fn put_decimals(sum: i64, decimals: u8, out: &mut BytesMut) {
    if decimals == 0 {
        return;
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(sum.unsigned_abs() % unit(decimals));
    out.put_u8(b'.');
    out.put_bytes(b'0', usize::from(decimals) - digits.len());
    out.put_slice(digits.as_bytes());
}

/// The configuration bounds `digits`, so that the product fits.
fn rescale(sum: i64, decimals: u8, digits: u8) -> i128 {
    let sum = i128::from(sum);
    if digits >= decimals {
        return sum * 10_i128.pow(u32::from(digits - decimals));
    }
    let divisor = 10_i128.pow(u32::from(decimals - digits));
    // Half up in Java's sense: away from zero.
    let rounded = (sum.abs() + divisor / 2) / divisor;
    if sum < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(sum: i64, decimals: u8, form: MoneyForm) -> Value {
        money(sum, decimals, form, &mut BytesMut::new()).unwrap()
    }

    #[test]
    fn money_keeps_its_cents_in_every_form() {
        assert_eq!(value(-1, 2, MoneyForm::Text), Value::from_static("-0.01"));
        assert_eq!(value(i64::MIN, 2, MoneyForm::Text), Value::from_static("-92233720368547758.08"));
        assert_eq!(value(123_456, 2, MoneyForm::Double), Value::Float64(1234.56));
        let smallest = vec![0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(value(i64::MIN, 2, MoneyForm::Decimal(2)), Value::Bytes(smallest.into()));
    }

    #[test]
    fn yen_have_no_cents_and_dinars_have_mils() {
        assert_eq!(value(1234, 0, MoneyForm::Text), Value::from_static("1234"));
        assert_eq!(value(1234, 0, MoneyForm::Double), Value::Float64(1234.0));
        assert_eq!(value(1, 0, MoneyForm::Decimal(2)), Value::Bytes(vec![100].into()));
        assert_eq!(value(-1005, 3, MoneyForm::Text), Value::from_static("-1.005"));
        assert_eq!(value(1005, 3, MoneyForm::Decimal(2)), Value::Bytes(vec![101].into()));
    }

    #[test]
    fn other_decimals_round_half_up() {
        assert_eq!(rescale(123_456, 2, 4), 12_345_600);
        assert_eq!(rescale(123_450, 2, 1), 12_345);
        assert_eq!(rescale(-123_455, 2, 1), -12_346);
        assert_eq!(rescale(-149, 2, 0), -1);
        assert_eq!(rescale(150, 2, 0), 2);
    }
}
