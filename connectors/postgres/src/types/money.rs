//! `money` from its binary form: cents, whatever the server's locale.
//!
//! Hot path.

use bytes::{BufMut, BytesMut};
use sluice_core::value::Value;

use super::ValueError;
use super::decoder::written;
use super::numeric::put_integer;

/// Decimals that `money` holds.
const SCALE: u8 = 2;
/// The same as a factor.
const UNIT: u64 = 10_u64.pow(SCALE as u32);

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

/// Reads a sum.
pub(super) fn money(cents: i64, form: MoneyForm, chunk: &mut BytesMut) -> Result<Value, ValueError> {
    Ok(match form {
        MoneyForm::Decimal(digits) => Value::Bytes(put_integer(rescale(cents, digits), chunk)),
        #[expect(clippy::cast_precision_loss, reason = "this is what `double` asks for")]
        MoneyForm::Double => Value::Float64(cents as f64 / UNIT as f64),
        MoneyForm::Text => {
            if cents < 0 {
                chunk.put_u8(b'-');
            }
            let magnitude = cents.unsigned_abs();
            chunk.put_slice(itoa::Buffer::new().format(magnitude / UNIT).as_bytes());
            let mut buffer = itoa::Buffer::new();
            let hundredths = buffer.format(magnitude % UNIT);
            chunk.put_slice(if hundredths.len() < 2 { b".0" } else { b"." });
            chunk.put_slice(hundredths.as_bytes());
            return written(chunk);
        }
    })
}

/// The configuration bounds `digits`, so that the product fits.
fn rescale(cents: i64, digits: u8) -> i128 {
    let cents = i128::from(cents);
    if digits >= SCALE {
        return cents * 10_i128.pow(u32::from(digits - SCALE));
    }
    let divisor = 10_i128.pow(u32::from(SCALE - digits));
    // Half up in Java's sense: away from zero.
    let rounded = (cents.abs() + divisor / 2) / divisor;
    if cents < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_its_cents_in_every_form() {
        let value = |cents: i64, form| money(cents, form, &mut BytesMut::new()).unwrap();

        assert_eq!(value(-1, MoneyForm::Text), Value::from_static("-0.01"));
        assert_eq!(value(i64::MIN, MoneyForm::Text), Value::from_static("-92233720368547758.08"));
        assert_eq!(value(123_456, MoneyForm::Double), Value::Float64(1234.56));
        let smallest = vec![0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(value(i64::MIN, MoneyForm::Decimal(2)), Value::Bytes(smallest.into()));
    }

    #[test]
    fn other_decimals_round_half_up() {
        assert_eq!(rescale(123_456, 4), 12_345_600);
        assert_eq!(rescale(123_450, 1), 12_345);
        assert_eq!(rescale(-123_455, 1), -12_346);
        assert_eq!(rescale(-149, 0), -1);
        assert_eq!(rescale(150, 0), 2);
    }
}
