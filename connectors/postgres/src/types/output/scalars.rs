//! Numbers, dates and identifiers as Postgres prints them.

use bytes::{BufMut, BytesMut};
use sluice_core::calendar::civil_from_days;

use super::Fields;
use crate::types::temporal::{self, DAY_MICROS, EPOCH_DAYS, SECOND_MICROS};
use crate::types::{ValueError, money};

pub(super) fn put_integer(number: impl itoa::Integer, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes the shortest digits that read back as the same number, `extra_float_digits` being 1.
pub(super) fn put_float64(number: f64, out: &mut BytesMut) {
    put_float(&format!("{number:e}"), 15, out);
}

/// The same for single precision.
pub(super) fn put_float32(number: f32, out: &mut BytesMut) {
    put_float(&format!("{number:e}"), 6, out);
}

/// `scientific` is Rust's `-1.25e-7`; exponents from -4 to below `limit` are written out
/// (`double_to_shortest_decimal_buf` in Postgres's `d2s.c`).
fn put_float(scientific: &str, limit: i32, out: &mut BytesMut) {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        let word = match scientific {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            _ => "NaN",
        };
        return out.put_slice(word.as_bytes());
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    if unsigned.len() < mantissa.len() {
        out.put_u8(b'-');
    }
    let digits: Vec<u8> = unsigned.bytes().filter(|byte| *byte != b'.').collect();
    if !(-4..limit).contains(&exponent) {
        put_digits(&digits, 1, out);
        let sign = if exponent < 0 { "e-" } else { "e+" };
        out.put_slice(sign.as_bytes());
        if exponent.abs() < 10 {
            out.put_u8(b'0');
        }
        return put_integer(exponent.abs(), out);
    }
    let places = usize::try_from(exponent + 1).unwrap_or(0);
    if places == 0 {
        out.put_slice(b"0.");
        out.put_bytes(b'0', usize::try_from(-exponent - 1).unwrap_or(0));
        return out.put_slice(&digits);
    }
    put_digits(&digits, places, out);
}

/// Writes digits with the point after the first `places` of them, which are filled up with zeros.
fn put_digits(digits: &[u8], places: usize, out: &mut BytesMut) {
    let (whole, fraction) = digits.split_at(places.min(digits.len()));
    out.put_slice(whole);
    out.put_bytes(b'0', places - whole.len());
    if !fraction.is_empty() {
        out.put_u8(b'.');
        out.put_slice(fraction);
    }
}

/// `$1,234.56`: the signs of locale C, with the decimals of the server's.
pub(super) fn put_money(sum: i64, decimals: u8, out: &mut BytesMut) {
    out.put_slice(if sum < 0 { b"-$" } else { b"$" });
    let mut buffer = itoa::Buffer::new();
    let whole = buffer.format(sum.unsigned_abs() / money::unit(decimals)).as_bytes();
    for (place, digit) in whole.iter().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.put_u8(b',');
        }
        out.put_u8(*digit);
    }
    money::put_decimals(sum, decimals, out);
}

pub(super) fn put_date(days: i32, out: &mut BytesMut) {
    match days {
        i32::MAX => out.put_slice(b"infinity"),
        i32::MIN => out.put_slice(b"-infinity"),
        _ => put_era(put_day(i64::from(days), out), out),
    }
}

pub(super) fn put_timestamp(micros: i64, zone: &str, out: &mut BytesMut) {
    match micros {
        i64::MAX => out.put_slice(b"infinity"),
        i64::MIN => out.put_slice(b"-infinity"),
        _ => {
            let year = put_day(micros.div_euclid(DAY_MICROS), out);
            out.put_u8(b' ');
            put_time(micros.rem_euclid(DAY_MICROS), out);
            out.put_slice(zone.as_bytes());
            put_era(year, out);
        }
    }
}

/// Writes a day since 2000-01-01 and returns its year; years before 1 are counted back from 1 BC.
fn put_day(days: i64, out: &mut BytesMut) -> i64 {
    let (year, month, day) = civil_from_days(days + i64::from(EPOCH_DAYS));
    temporal::put_year(if year > 0 { year } else { 1 - year }, out);
    out.put_u8(b'-');
    temporal::put_two(month, out);
    out.put_u8(b'-');
    temporal::put_two(day, out);
    year
}

fn put_era(year: i64, out: &mut BytesMut) {
    if year <= 0 {
        out.put_slice(b" BC");
    }
}

pub(super) fn put_time(micros: i64, out: &mut BytesMut) {
    temporal::put_clock(micros, out);
    temporal::put_trimmed(micros % SECOND_MICROS, out);
}

pub(super) fn put_timetz(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let (micros, west) = (i64::from_be_bytes(fields.take()?), fields.int32()?);
    put_time(micros, out);
    out.put_u8(if west > 0 { b'-' } else { b'+' });
    let seconds = i64::from(west).abs();
    temporal::put_two(seconds / 3600, out);
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    if minute != 0 || second != 0 {
        out.put_u8(b':');
        temporal::put_two(minute, out);
    }
    if second != 0 {
        out.put_u8(b':');
        temporal::put_two(second, out);
    }
    fields.finish()
}

/// `1 year 2 mons 3 days 04:05:06.789` (`EncodeInterval` in Postgres's `datetime.c`).
pub(super) fn put_interval(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let micros = i64::from_be_bytes(fields.take()?);
    let (days, months) = (fields.int32()?, fields.int32()?);
    fields.finish()?;
    match temporal::endless(micros, days, months) {
        Some(word) => out.put_slice(word.as_bytes()),
        None => put_parts(micros, days, months, out),
    }
    Ok(())
}

fn put_parts(micros: i64, days: i32, months: i32, out: &mut BytesMut) {
    let start = out.len();
    let mut before_negative = false;
    for (number, unit) in [(months / 12, " year"), (months % 12, " mon"), (days, " day")] {
        if number == 0 {
            continue;
        }
        if out.len() > start {
            out.put_u8(b' ');
        }
        if before_negative && number > 0 {
            out.put_u8(b'+');
        }
        put_integer(number, out);
        out.put_slice(unit.as_bytes());
        if number != 1 {
            out.put_u8(b's');
        }
        before_negative = number < 0;
    }
    if micros == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.put_u8(b' ');
    }
    if micros < 0 {
        out.put_u8(b'-');
    } else if before_negative {
        out.put_u8(b'+');
    }
    put_hours(micros.unsigned_abs(), out);
}

/// Hours are not bound to two digits.
fn put_hours(micros: u64, out: &mut BytesMut) {
    const SECOND: u64 = SECOND_MICROS.unsigned_abs();

    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let hours = seconds / 3600;
    if hours < 10 {
        out.put_u8(b'0');
    }
    put_integer(hours, out);
    for part in [seconds / 60 % 60, seconds % 60] {
        out.put_u8(b':');
        temporal::put_two(part.cast_signed(), out);
    }
    temporal::put_trimmed(fraction.cast_signed(), out);
}

pub(super) fn put_lsn(lsn: u64, out: &mut BytesMut) {
    out.put_slice(crate::lsn::Lsn::from(lsn).to_string().as_bytes());
}

/// `(block,offset)`.
pub(super) fn put_row_place(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    out.put_u8(b'(');
    put_integer(u32::from_be_bytes(fields.take()?), out);
    out.put_u8(b',');
    put_integer(u16::from_be_bytes(fields.take()?), out);
    out.put_u8(b')');
    fields.finish()
}

/// `xmin:xmax:xid,xid`.
pub(super) fn put_snapshot(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let mut fields = Fields(value);
    let count = fields.count()?;
    put_integer(u64::from_be_bytes(fields.take()?), out);
    out.put_u8(b':');
    put_integer(u64::from_be_bytes(fields.take()?), out);
    out.put_u8(b':');
    for index in 0..count {
        if index > 0 {
            out.put_u8(b',');
        }
        put_integer(u64::from_be_bytes(fields.take()?), out);
    }
    fields.finish()
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
    fn floats_read_as_postgres_prints_them() {
        let double = |number| text(|out| put_float64(number, out));

        assert_eq!(double(1.5), "1.5");
        assert_eq!(double(-0.0), "-0");
        assert_eq!(double(123_456_789_012_345.0), "123456789012345");
        assert_eq!(double(1e15), "1e+15");
        assert_eq!(double(1.25e-7), "1.25e-07");
        assert_eq!(double(0.0001), "0.0001");
        assert_eq!(double(0.000_012), "1.2e-05");
        assert_eq!(double(100.0), "100");
        assert_eq!(double(1e-300), "1e-300");
        assert_eq!(double(f64::NEG_INFINITY), "-Infinity");
        assert_eq!(text(|out| put_float32(1e6, out)), "1e+06");
        assert_eq!(text(|out| put_float32(3.25, out)), "3.25");
    }

    #[test]
    fn zones_show_as_many_parts_as_they_have() {
        let zoned = |west: i32| {
            let value = [&0_i64.to_be_bytes()[..], &west.to_be_bytes()].concat();
            text(|out| put_timetz(&value, out).unwrap())
        };

        assert_eq!(zoned(-7200), "00:00:00+02");
        assert_eq!(zoned(-19_800), "00:00:00+05:30");
        assert_eq!(zoned(57_540), "00:00:00-15:59");
        assert_eq!(zoned(0), "00:00:00+00");
    }

    #[test]
    fn intervals_read_as_postgres_prints_them() {
        let interval = |micros: i64, days: i32, months: i32| {
            let value = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()].concat();
            text(|out| put_interval(&value, out).unwrap())
        };

        assert_eq!(interval(14_706_789_000, 3, 14), "1 year 2 mons 3 days 04:05:06.789");
        assert_eq!(interval(0, 0, -1), "-1 mons");
        assert_eq!(interval(14_706_000_007, -3, 0), "-3 days +04:05:06.000007");
        assert_eq!(interval(0, 0, 0), "00:00:00");
        assert_eq!(interval(-1_000_000, 1, 0), "1 day -00:00:01");
        assert_eq!(interval(i64::MIN, i32::MIN, i32::MIN), "-infinity");
    }

    #[test]
    fn money_groups_its_digits() {
        assert_eq!(text(|out| put_money(123_456, 2, out)), "$1,234.56");
        assert_eq!(text(|out| put_money(-1, 2, out)), "-$0.01");
        assert_eq!(text(|out| put_money(99_999, 2, out)), "$999.99");
    }
}
