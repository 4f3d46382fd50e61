//! Big-endian two's complement numbers of any length.
//!
//! Hot path.

/// Cuts leading bytes that only repeat the sign; one byte is left.
pub(super) fn minimal(bytes: &[u8]) -> &[u8] {
    let redundant = bytes
        .windows(2)
        .take_while(|pair| matches!((pair[0], pair[1] & 0x80), (0, 0) | (0xff, 0x80)))
        .count();
    &bytes[redundant..]
}

/// Divides by ten while nothing remains: 1.00 and 1.0 become 1. Zero has scale 0.
pub(super) fn strip_zeros(mut scale: i32, unscaled: &[u8]) -> (i32, Vec<u8>) {
    let mut digits = unscaled.to_vec();
    if digits.iter().all(|&byte| byte == 0) {
        return (0, vec![0]);
    }
    let is_negative = digits[0] & 0x80 != 0;
    if is_negative {
        negate(&mut digits);
    }
    while let Some(quotient) = divide_by_ten(&digits) {
        digits = quotient;
        scale = scale.saturating_sub(1);
    }
    if digits[0] & 0x80 != 0 {
        digits.insert(0, 0);
    }
    if is_negative {
        negate(&mut digits);
    }
    (scale, digits)
}

/// Two's complement, in place. The most negative number keeps its bytes, which then read as its magnitude.
fn negate(digits: &mut [u8]) {
    let mut carry = true;
    for byte in digits.iter_mut().rev() {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

/// Returns a tenth of an unsigned big-endian number, if it is whole.
fn divide_by_ten(digits: &[u8]) -> Option<Vec<u8>> {
    let mut remainder = 0_u16;
    let divide = |&byte: &u8| {
        let dividend = remainder << 8 | u16::from(byte);
        remainder = dividend % 10;
        (dividend / 10) as u8
    };
    let quotient: Vec<u8> = digits.iter().map(divide).collect();
    (remainder == 0).then_some(quotient)
}
