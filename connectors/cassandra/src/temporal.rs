//! Times as text: Debezium's `ZonedTimestamp` and `Interval`.
//!
//! Hot path. Text goes in, numbers come out; years beyond four digits and before Christ included, which
//! general date libraries do not carry.

use sluice_core::calendar::days_from_civil;

/// An interval as CQL keeps it. The parts may have different signs here, which CQL refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) nanos: i64,
}

/// Reads `[+|-]YYYY…-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)` to microseconds since 1970-01-01T00:00Z.
///
/// Years are astronomical: 0 is 1 BC. Digits past microseconds are cut off towards the past. The last days of
/// Postgres's range are past 64 bits of microseconds.
pub(crate) fn zoned_micros(text: &str) -> Option<i128> {
    if let Some(micros) = usual_micros(text.as_bytes()) {
        return Some(i128::from(micros));
    }
    let (date, time) = text.split_once('T')?;
    let days = date_days(date)?;
    let zone = time.rfind(['Z', '+', '-'])?;
    let micros = time_micros(&time[..zone])?;
    let offset = zone_minutes(&time[zone..])?;
    Some(i128::from(days * 1440 - offset) * 60_000_000 + i128::from(micros))
}

/// Reads the form that nearly all timestamps have, `YYYY-MM-DDTHH:MM:SS.ffffffZ`, in one pass.
fn usual_micros(text: &[u8]) -> Option<i64> {
    let text: &[u8; 27] = text.try_into().ok()?;
    let marks = [text[4], text[7], text[10], text[13], text[16], text[19], text[26]];
    if &marks != b"--T::.Z" {
        return None;
    }
    let mut is_number = true;
    let mut digits = |range: std::ops::Range<usize>| {
        text[range].iter().fold(0_i64, |sum, one| {
            is_number &= one.is_ascii_digit();
            sum * 10 + i64::from(one.wrapping_sub(b'0'))
        })
    };
    let (year, month, day) = (digits(0..4), digits(5..7), digits(8..10));
    let (hour, minute, second, micros) = (digits(11..13), digits(14..16), digits(17..19), digits(20..26));
    let is_moment = is_number
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 59;
    let days = days_from_civil(year, month.max(1), day);
    is_moment.then(|| (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

fn date_days(date: &str) -> Option<i64> {
    let (sign, digits) = match date.as_bytes().first()? {
        b'-' => (-1, &date[1..]),
        b'+' => (1, &date[1..]),
        _ => (1, date),
    };
    let mut parts = digits.split('-');
    let (year, month, day) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    let is_date = parts.next().is_none()
        && year < 1_000_000
        && (1..=12).contains(&month)
        && (1..=days_in(sign * year, month)).contains(&day);
    is_date.then(|| days_from_civil(sign * year, month, day))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn time_micros(time: &str) -> Option<i64> {
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let second = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction_of(fraction, 6)?)
}

fn zone_minutes(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "0"));
    Some(sign * (number(hours)? * 60 + number(minutes)?))
}

/// Reads decimals after a point as units of 10⁻ᵈⁱᵍⁱᵗˢ; more digits are cut off.
fn fraction_of(fraction: &str, digits: usize) -> Option<i64> {
    let is_number = fraction.bytes().all(|one| one.is_ascii_digit());
    let bytes = fraction.as_bytes();
    let digit = |index: usize| i64::from(bytes.get(index).map_or(0, |one| one - b'0'));
    is_number.then(|| (0..digits).fold(0, |sum, index| sum * 10 + digit(index)))
}

fn number(digits: &str) -> Option<i64> {
    let is_number =
        !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|one| one.is_ascii_digit());
    is_number.then(|| digits.bytes().fold(0, |sum, one| sum * 10 + i64::from(one - b'0')))
}

/// Reads an ISO 8601 duration as Debezium writes intervals: `P1Y2M-3DT4H5M6.789S`, each number with a sign of its own.
pub(crate) fn interval(text: &str) -> Option<Interval> {
    let (date, time) = text.strip_prefix('P')?.split_once('T').unwrap_or((&text[1..], ""));
    let mut months = 0_i64;
    let mut days = 0_i64;
    let mut nanos = 0_i128;
    for (amount, unit) in components(date)? {
        match unit {
            'Y' => months += amount.whole()?.checked_mul(12)?,
            'M' => months += amount.whole()?,
            'W' => days += amount.whole()?.checked_mul(7)?,
            'D' => days += amount.whole()?,
            _ => return None,
        }
    }
    for (amount, unit) in components(time)? {
        let seconds = match unit {
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        nanos += amount.nanos * seconds;
    }
    Some(Interval {
        months: months.try_into().ok()?,
        days: days.try_into().ok()?,
        nanos: nanos.try_into().ok()?,
    })
}

/// A decimal number in units of 10⁻⁹.
struct Amount {
    nanos: i128,
}

impl Amount {
    fn whole(&self) -> Option<i64> {
        (self.nanos % 1_000_000_000 == 0).then_some((self.nanos / 1_000_000_000) as i64)
    }
}

fn components(text: &str) -> Option<Vec<(Amount, char)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|one: char| one.is_ascii_alphabetic())?;
        let unit = rest[end..].chars().next()?;
        let (sign, digits) = match rest[..end].strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, rest[..end].strip_prefix('+').unwrap_or(&rest[..end])),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let nanos = i128::from(number(whole)?) * 1_000_000_000 + i128::from(fraction_of(fraction, 9)?);
        found.push((Amount { nanos: sign * nanos }, unit));
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoned_timestamps_read_as_postgres_wrote_them() {
        for (text, micros) in [
            ("1970-01-01T00:00:00.000000Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2020-02-29T12:34:56.789Z", 1_582_979_696_789_000),
            ("2020-02-29T12:34:56+01:00", 1_582_976_096_000_000),
            ("-0043-03-15T00:00:00Z", -63_517_824_000_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("+294276-12-31T23:59:59.999999Z", 9_224_318_015_999_999_999),
        ] {
            assert_eq!(zoned_micros(text), Some(micros), "{text}");
        }
        assert_eq!(zoned_micros("+10000-01-01T00:00:00Z"), Some(253_402_300_800_000_000));
    }

    #[test]
    fn text_that_is_no_timestamp_is_refused() {
        for text in
            ["", "infinity", "2020-02-30T00:00:00Z", "2020-01-01", "2020-01-01T00:00:00", "2020-1-xT0:0Z"]
        {
            assert_eq!(zoned_micros(text), None, "{text}");
        }
    }

    #[test]
    fn the_usual_form_reads_as_the_general_one() {
        for text in
            ["2016-05-24T13:49:48.882001Z", "2000-02-29T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z"]
        {
            let general = text.replace('Z', "+00:00");

            assert!(usual_micros(text.as_bytes()).is_some());
            assert_eq!(zoned_micros(text), zoned_micros(&general), "{text}");
        }
        for text in
            ["2016-02-30T13:49:48.882001Z", "2016-05-24T24:49:48.882001Z", "2016-05-24T13:49:48.88200xZ"]
        {
            assert_eq!(usual_micros(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn intervals_keep_the_sign_of_each_part() {
        let parsed = interval("P1Y-2M3DT-4H5M6.789S").unwrap();

        assert_eq!(
            parsed,
            Interval { months: 10, days: 3, nanos: -(4 * 3600 - 5 * 60) * 1_000_000_000 + 6_789_000_000 }
        );
        assert_eq!(interval("P0Y0M0DT0H0M0S"), Some(Interval::default()));
        assert_eq!(interval("P1.5D"), None);
        assert_eq!(interval("1 day"), None);
    }

    #[test]
    fn negative_fractions_keep_their_sign() {
        assert_eq!(interval("PT-0.5S").unwrap().nanos, -500_000_000);
    }
}
