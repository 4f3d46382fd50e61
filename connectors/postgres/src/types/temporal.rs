//! Dates, times and intervals from their binary form.
//!
//! Hot path. Everything is arithmetic on the proleptic Gregorian calendar, as in Postgres, and text
//! is written digit by digit. Layouts: `date.c`, `timestamp.c` of Postgres; results: Debezium, with
//! the exceptions named here.

use bytes::{BufMut, BytesMut};
use sluice_core::calendar::civil_from_days;

use super::ValueError;

/// Days from 1970-01-01 to Postgres's own epoch.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(crate) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * DAY_MICROS;
pub(super) const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;
pub(super) const SECOND_MICROS: i64 = 1_000_000;
/// What Debezium writes for `infinity` of a timestamp, in microseconds: its driver's sentinel.
pub(super) const INFINITY_MICROS: i64 = 9_223_372_036_825_200_000;
/// What Debezium writes for `-infinity`.
pub(super) const NEGATIVE_INFINITY_MICROS: i64 = -9_223_372_036_832_400_000;
/// A month in microseconds as Debezium counts it: 30.4375 days.
const MONTH_MICROS: i128 = 2_629_800_000_000;

/// Unit of a time or timestamp on the Connect side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// Days since 1970-01-01. `infinity` is the largest number of 32 bits, `-infinity` the smallest:
/// Debezium's own numbers there differ between snapshot and stream and mean nothing.
pub(super) fn date(days: i32) -> Result<i32, ValueError> {
    match days {
        i32::MAX | i32::MIN => Ok(days),
        _ => days.checked_add(EPOCH_DAYS).ok_or(ValueError::Range),
    }
}

/// A timestamp since 1970-01-01 in the unit. Milliseconds reach all timestamps; the infinities are
/// Debezium's sentinels, in nanoseconds the ends of 64 bits.
pub(super) fn timestamp(micros: i64, unit: Unit) -> Result<i64, ValueError> {
    let unix = match (micros, unit) {
        (i64::MAX, Unit::Nanos) => return Ok(i64::MAX),
        (i64::MIN, Unit::Nanos) => return Ok(i64::MIN),
        (i64::MAX, _) => INFINITY_MICROS,
        (i64::MIN, _) => NEGATIVE_INFINITY_MICROS,
        (_, Unit::Millis) => return Ok(micros.div_euclid(1000) + EPOCH_MICROS / 1000),
        _ => micros.checked_add(EPOCH_MICROS).ok_or(ValueError::Range)?,
    };
    match unit {
        Unit::Millis => Ok(unix / 1000),
        Unit::Micros => Ok(unix),
        Unit::Nanos => unix.checked_mul(1000).ok_or(ValueError::Range),
    }
}

/// Writes a date as `2024-02-29Z`, the infinities as words.
pub(super) fn put_iso_date(days: i32, out: &mut BytesMut) {
    match days {
        i32::MAX => return out.put_slice(b"infinity"),
        i32::MIN => return out.put_slice(b"-infinity"),
        _ => put_day(i64::from(days), out),
    }
    out.put_u8(b'Z');
}

/// Writes a time of day as `13:14:15.1Z`.
pub(super) fn put_iso_time(micros: i64, out: &mut BytesMut) {
    put_clock(micros, out);
    put_trimmed(micros % SECOND_MICROS, out);
    out.put_u8(b'Z');
}

/// Writes a timestamp as `2024-02-29T13:14:15.1Z`, the infinities as words.
pub(super) fn put_iso_timestamp(micros: i64, out: &mut BytesMut) {
    match micros {
        i64::MAX => return out.put_slice(b"infinity"),
        i64::MIN => return out.put_slice(b"-infinity"),
        _ => put_day(micros.div_euclid(DAY_MICROS), out),
    }
    out.put_u8(b'T');
    put_iso_time(micros.rem_euclid(DAY_MICROS), out);
}

/// Writes a day since 2000-01-01; years beyond 9999 get a sign, years before 1 are negative and
/// astronomical.
pub(super) fn put_day(days: i64, out: &mut BytesMut) {
    let (year, month, day) = civil_from_days(days + i64::from(EPOCH_DAYS));
    match year {
        10_000.. => out.put_u8(b'+'),
        ..0 => out.put_u8(b'-'),
        _ => {}
    }
    put_year(year.abs(), out);
    out.put_u8(b'-');
    put_two(month, out);
    out.put_u8(b'-');
    put_two(day, out);
}

/// Writes a timestamp in UTC with `digits` decimals: `2024-02-29T11:14:15.123456Z`.
///
/// `infinity` and `-infinity` stay words; years beyond 9999 get a sign, years before 1 are negative
/// and astronomical (44 BC is -0043).
pub(super) fn put_timestamptz(micros: i64, digits: u8, out: &mut BytesMut) {
    match micros {
        i64::MAX => return out.put_slice(b"infinity"),
        i64::MIN => return out.put_slice(b"-infinity"),
        _ => {}
    }
    put_day(micros.div_euclid(DAY_MICROS), out);
    out.put_u8(b'T');
    let time = micros.rem_euclid(DAY_MICROS);
    put_clock(time, out);
    if digits > 0 {
        put_fraction(time % SECOND_MICROS, digits.min(6), out);
    }
    out.put_u8(b'Z');
}

/// Writes a time of day with zone, moved to UTC, with as many decimals as it needs.
///
/// `zone_west` is in seconds west of Greenwich. The end of the day in UTC stays 24:00:00, as in
/// Debezium from 3.7 on; 3.6 makes it 00:00:00.
pub(super) fn put_timetz(micros: i64, zone_west: i32, out: &mut BytesMut) {
    let time = match (micros, zone_west) {
        (DAY_MICROS, 0) => DAY_MICROS,
        _ => (micros + i64::from(zone_west) * SECOND_MICROS).rem_euclid(DAY_MICROS),
    };
    put_iso_time(time, out);
}

/// Microseconds of an interval, a month counted as 30.4375 days; ends at the ends of 64 bits.
pub(super) fn interval_micros(micros: i64, days: i32, months: i32) -> i64 {
    let sum =
        i128::from(micros) + i128::from(days) * i128::from(DAY_MICROS) + i128::from(months) * MONTH_MICROS;
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// The same as Debezium counts it: seconds as a double, of which the microseconds are cut to 64 bits. Source:
/// `MicroDuration.durationMicros`.
pub(super) fn interval_through_doubles(micros: i64, days: i32, months: i32) -> i64 {
    const DAYS_PER_MONTH: f64 = 30.4375;

    let whole = micros / SECOND_MICROS;
    let (hours, minutes) = ((whole / 3600) as f64, (whole / 60 % 60) as f64);
    let seconds = (whole % 60) as f64 + (micros % SECOND_MICROS) as f64 / 1e6;
    let days = f64::from(months) * DAYS_PER_MONTH + f64::from(days);
    let seconds = ((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds;
    (seconds * 1e6) as i64
}

/// The word for an interval without end, which Postgres has since 17.
pub(super) fn endless(micros: i64, days: i32, months: i32) -> Option<&'static str> {
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => Some("infinity"),
        (i64::MIN, i32::MIN, i32::MIN) => Some("-infinity"),
        _ => None,
    }
}

/// Writes an interval as Debezium does, always in six parts: `P1Y2M3DT4H5M6.789S`. One without end is the word for it.
pub(super) fn put_interval(micros: i64, days: i32, months: i32, out: &mut BytesMut) {
    if let Some(word) = endless(micros, days, months) {
        return out.put_slice(word.as_bytes());
    }
    put_minutes(micros, days, months, out);
    let (second, fraction) = (micros / SECOND_MICROS % 60, micros % SECOND_MICROS);
    if fraction < 0 && second == 0 {
        out.put_u8(b'-');
    }
    out.put_slice(itoa::Buffer::new().format(second).as_bytes());
    put_trimmed(fraction.abs(), out);
    out.put_u8(b'S');
}

/// The same with Debezium's seconds: a double, of whose text nine decimals are left. Source: `Interval.toIsoString`.
pub(super) fn put_interval_through_doubles(micros: i64, days: i32, months: i32, out: &mut BytesMut) {
    const DECIMALS: usize = 9;

    put_minutes(micros, days, months, out);
    let seconds = (micros / SECOND_MICROS % 60) as f64 + (micros % SECOND_MICROS) as f64 / 1e6;
    let text = seconds.to_string();
    let (second, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction[..fraction.len().min(DECIMALS)].trim_end_matches('0');
    out.put_slice(second.as_bytes());
    if !fraction.is_empty() {
        out.put_u8(b'.');
        out.put_slice(fraction.as_bytes());
    }
    out.put_u8(b'S');
}

/// Writes an interval but for its seconds.
fn put_minutes(micros: i64, days: i32, months: i32, out: &mut BytesMut) {
    let seconds = micros / SECOND_MICROS;
    let parts = [
        (b"P".as_slice(), i64::from(months / 12), b'Y'),
        (b"", i64::from(months % 12), b'M'),
        (b"", days.into(), b'D'),
        (b"T", seconds / 3600, b'H'),
        (b"", seconds / 60 % 60, b'M'),
    ];
    for (before, number, unit) in parts {
        out.put_slice(before);
        out.put_slice(itoa::Buffer::new().format(number).as_bytes());
        out.put_u8(unit);
    }
}

/// Writes a year without sign, four digits at least.
pub(super) fn put_year(year: i64, out: &mut BytesMut) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(year);
    out.put_bytes(b'0', 4_usize.saturating_sub(text.len()));
    out.put_slice(text.as_bytes());
}

pub(super) fn put_clock(micros: i64, out: &mut BytesMut) {
    let seconds = micros / SECOND_MICROS;
    put_two(seconds / 3600, out);
    out.put_u8(b':');
    put_two(seconds / 60 % 60, out);
    out.put_u8(b':');
    put_two(seconds % 60, out);
}

pub(super) fn put_two(number: i64, out: &mut BytesMut) {
    let [tens, ones] = [number / 10 % 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or(0));
    out.put_slice(&[tens, ones]);
}

fn put_fraction(micros: i64, digits: u8, out: &mut BytesMut) {
    out.put_u8(b'.');
    let mut power = SECOND_MICROS / 10;
    for _ in 0..digits {
        out.put_u8(b'0' + u8::try_from(micros / power % 10).unwrap_or(0));
        power = (power / 10).max(1);
    }
}

/// Writes a fraction without trailing zeros, and none for none.
pub(super) fn put_trimmed(micros: i64, out: &mut BytesMut) {
    if micros == 0 {
        return;
    }
    let zeros = (1..6_u32).take_while(|power| micros % 10_i64.pow(*power) == 0).count();
    put_fraction(micros, 6 - u8::try_from(zeros).unwrap_or(0), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(put: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        put(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn timestamps_with_zone_read_as_in_the_recordings() {
        let zoned =
            |unix_micros: i64, digits| text(|out| put_timestamptz(unix_micros - EPOCH_MICROS, digits, out));

        assert_eq!(zoned(1_709_205_255_123_456, 6), "2024-02-29T11:14:15.123456Z");
        assert_eq!(zoned(1_709_205_255_000_000, 0), "2024-02-29T11:14:15Z");
        assert_eq!(zoned(1_709_205_255_123_000, 3), "2024-02-29T11:14:15.123Z");
        assert_eq!(zoned(-62_135_596_800_000_000, 6), "0001-01-01T00:00:00.000000Z");
        assert_eq!(zoned(-63_517_780_800_000_000, 6), "-0043-03-15T12:00:00.000000Z");
        assert_eq!(
            text(|out| put_timestamptz(9_223_371_331_199_999_999, 6, out)),
            "+294276-12-31T23:59:59.999999Z"
        );
        assert_eq!(text(|out| put_timestamptz(i64::MIN, 6, out)), "-infinity");
    }

    #[test]
    fn times_with_zone_move_to_utc() {
        assert_eq!(text(|out| put_timetz(47_655_123_456, -7200, out)), "11:14:15.123456Z");
        assert_eq!(text(|out| put_timetz(86_400_000_000, 0, out)), "24:00:00Z");
        assert_eq!(text(|out| put_timetz(86_400_000_000, -7200, out)), "22:00:00Z");
        assert_eq!(text(|out| put_timetz(0, 57_540, out)), "15:59:00Z");
        assert_eq!(text(|out| put_timetz(100_000, 0, out)), "00:00:00.1Z");
    }

    #[test]
    fn intervals_read_as_in_the_recordings() {
        assert_eq!(text(|out| put_interval(14_706_789_000, 3, 14, out)), "P1Y2M3DT4H5M6.789S");
        assert_eq!(text(|out| put_interval(0, 0, -1, out)), "P0Y-1M0DT0H0M0S");
        assert_eq!(text(|out| put_interval(14_706_000_007, -3, 0, out)), "P0Y0M-3DT4H5M6.000007S");
        assert_eq!(text(|out| put_interval(i64::MAX, i32::MAX, i32::MAX, out)), "infinity");
        assert_eq!(interval_micros(14_706_789_000, 3, 14), 37_091_106_789_000);
        assert_eq!(interval_micros(14_706_000_007, -3, 0), -244_493_999_993);
        assert_eq!(interval_micros(0, 0, 178_000_000 * 12), i64::MAX);
    }

    #[test]
    fn intervals_in_text_lose_microseconds_in_doubles_as_recorded() {
        let shown = |micros| text(|out| put_interval_through_doubles(micros, 0, 0, out));

        assert_eq!(shown(10_604_857), "P0Y0M0DT0H0M10.604856999S");
        assert_eq!(shown(14_706_789_000), "P0Y0M0DT4H5M6.789S");
        assert_eq!((shown(-1), shown(0)), ("P0Y0M0DT0H0M-0.000001S".into(), "P0Y0M0DT0H0M0S".into()));
    }

    #[test]
    fn intervals_lose_microseconds_in_doubles_as_recorded() {
        let clock = (15 * 3600 + 50 * 60) * SECOND_MICROS + 38_555_083;

        assert_eq!(interval_micros(clock, 23_342, 9969), 28_233_282_038_555_083);
        assert_eq!(interval_through_doubles(clock, 23_342, 9969), 28_233_282_038_555_084);
        assert_eq!(interval_through_doubles(14_706_789_000, 3, 14), 37_091_106_789_000);
        assert_eq!(interval_through_doubles(0, 0, 178_000_000 * 12), i64::MAX);
    }

    #[test]
    fn timestamps_without_zone_count_from_1970() {
        assert_eq!(timestamp(1_709_212_455_123_456 - EPOCH_MICROS, Unit::Micros), Ok(1_709_212_455_123_456));
        assert_eq!(timestamp(1_709_212_455_123_456 - EPOCH_MICROS, Unit::Millis), Ok(1_709_212_455_123));
        assert_eq!(timestamp(i64::MAX, Unit::Micros), Ok(9_223_372_036_825_200_000));
        assert_eq!(timestamp(i64::MIN, Unit::Millis), Ok(-9_223_372_036_832_400));
        assert_eq!(timestamp(9_223_371_331_199_999_999, Unit::Micros), Err(ValueError::Range));
        assert_eq!(
            timestamp(1_709_212_455_123_456 - EPOCH_MICROS, Unit::Nanos),
            Ok(1_709_212_455_123_456_000)
        );
        assert_eq!(timestamp(i64::MIN, Unit::Nanos), Ok(i64::MIN));
        assert_eq!(timestamp(253_402_300_799_999_999 - EPOCH_MICROS, Unit::Nanos), Err(ValueError::Range));
        assert_eq!(date(19_782 - EPOCH_DAYS), Ok(19_782));
    }

    #[test]
    fn iso_forms_read_as_in_the_recordings() {
        let micros = 1_709_212_455_123_000 - EPOCH_MICROS;

        assert_eq!(text(|out| put_iso_date(19_782 - EPOCH_DAYS, out)), "2024-02-29Z");
        assert_eq!(text(|out| put_iso_time(47_655_000_000, out)), "13:14:15Z");
        assert_eq!(text(|out| put_iso_timestamp(micros, out)), "2024-02-29T13:14:15.123Z");
        assert_eq!(text(|out| put_iso_timestamp(i64::MAX, out)), "infinity");
    }
}
