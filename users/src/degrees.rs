//! Coordinates as the table holds them.

use std::fmt;

/// An angle in ten-thousandths of a degree: `numeric(8,4)` without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degrees(i32);

impl Degrees {
    /// Parses `-69.8246`: at most three digits, and at most four decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, decimals) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || decimals.len() > 4 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let scaled: i32 = format!("{whole}{decimals:0<4}").parse().ok()?;
        Some(Self(if negative { -scaled } else { scaled }))
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(formatter, "{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_keep_their_sign_below_one() {
        for text in ["-0.0001", "0.0000", "-179.9999", "90.0000"] {
            assert_eq!(Degrees::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Degrees::parse("7.5").unwrap().to_string(), "7.5000");
        assert_eq!(Degrees::parse("north"), None);
    }
}
