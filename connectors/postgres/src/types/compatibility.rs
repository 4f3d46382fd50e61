//! `compatibility=debezium`: values as Debezium has them where it loses, invents or corrupts data.
//!
//! Each line is a case; all others are the same in both settings. What concerns rows and keys is in
//! `table`, at the places that say so.
//!
//! | case | `correct` | `debezium` (3.6) |
//! |---|---|---|
//! | NULL in a column with a default | null | the default |
//! | NULL from before the column was NOT NULL | null, in a schema that allows it | the zero of its type |
//! | key column of `message.key.columns` that the table lacks | refused | left out of the key |
//! | key column outside the replica identity | refused at the start | the zero of its type in deletes and key changes |
//! | column of unknown type, `include.unknown.datatypes=false` | refused at the start | left out |
//! | array of money, name, interval, varbit, xml, point, refcursor | list of the element's type, or refused | left out |
//! | array of bit | list of the element's type | null, in the schema of an element |
//! | `int2vector`, `oidvector` | list of numbers | empty list; null for an empty one |
//! | array of `int2vector`, `oidvector` | list of lists | null, unless it is empty |
//! | array of a domain, of multirange and other unknown types | as the base type (domain), or refused; list of bytes with `include.unknown.datatypes` | left out, or list of bytes with `include.unknown.datatypes` |
//! | column of type `name`, `include.unknown.datatypes=false` | the value | the value in a snapshot, null in the stream |
//! | column that is not published: a generated one, or not listed | left out | the value in a snapshot, no such column in the stream |
//! | row that the publication filters out | left out | comes in a snapshot |
//! | `numeric` NaN, infinity, `precise` | record refused: a decimal has no such value | null |
//! | `numeric` with negative scale | scale 0 | scale 2048 less its amount, filled up with zeros |
//! | `date` ±infinity | the ends of 32 bits | −622191234, −625821272 in a snapshot, −2147472692, −2147472691 in the stream |
//! | `date` BC | astronomical years | the era is lost in a snapshot |
//! | `date` 1582-10-05 to 14 | as Postgres has it | ten days later in a snapshot |
//! | `timestamp` beyond 294247-01-10 in microseconds | record refused | wrapped into negative numbers |
//! | `timestamp` beyond 64 bits of nanoseconds | record refused | null |
//! | `timestamp` ±infinity, `isostring` | `infinity`, `-infinity` | the sentinel's date |
//! | `time`, `timetz` 24:00:00 as text | `24:00:00Z` | `00:00:00Z` |
//! | `time[]` | microseconds | milliseconds in the unit of microseconds |
//! | `timetz[]` | microseconds, `24:00:00Z` | whole seconds, `00:00:00Z` |
//! | `interval` as a number | whole microseconds | rounded to a double twice, then cut |
//! | `interval` as text | whole microseconds | the seconds a double, of nine decimals |
//! | `interval` ±infinity | the ends of 64 bits, `infinity`, `-infinity` | no time at all |
//! | default `24:00:00` of `time` | the end of the day | the last moment before it |
//! | default of text with a quote or a line break | the text | cut at the quote; none with a line break |
//! | default of an enum with a quote | the label | the label with its quotes doubled |
//! | array of more than one dimension | record refused: the schema holds one | as many nulls as the outer dimension is long; of text the addresses of Java's objects, for which there are nulls here too, or a refusal where elements are required |
//! | array of enum, tsvector, `int2vector`, `oidvector` with a null element | record refused: the schema has none | null instead of the array |
//! | large value that did not change: numbers, bit strings, most arrays, base64 | the placeholder | null |
//! | the same of an hstore as text | the placeholder | a map with the placeholder |
//! | array of ltree with a null element | the null | null instead of the array |

use bytes::{BufMut as _, Bytes, BytesMut};
use sluice_core::calendar::{civil_from_days, days_from_civil};
use sluice_core::schema::connect;
use sluice_core::value::Value;

use super::decoder::{array, timetz, written};
use super::facts::{Form, ResolvedType};
use super::mapping::{Mapping, decimal, map_bits};
use super::numeric::Numeric;
use super::structured::interval;
use super::temporal::{
    self, DAY_MICROS, EPOCH_DAYS, EPOCH_MICROS, INFINITY_MICROS, NEGATIVE_INFINITY_MICROS, SECOND_MICROS,
};
use super::{Decoder, Modes, ValueError};
use crate::config::{Compatibility, DecimalMode, TimeMode};

/// What Debezium's snapshot has for `date` `infinity` and `-infinity`, in days since 1970.
const SNAPSHOT_INFINITIES: [i32; 2] = [-622_191_234, -625_821_272];
/// The same of its stream.
const STREAM_INFINITIES: [i32; 2] = [-2_147_472_692, -2_147_472_691];
/// Java's calendar has none of the days from here on, 1582-10-05 …
const GAP_START: i64 = -141_437;
/// … to here, 1582-10-14.
const GAP_END: i64 = -141_428;
/// Length of the gap in days.
const GAP: i64 = 10;

/// A value of Debezium's own.
#[derive(Debug, Clone)]
pub(crate) enum Deviation {
    /// Whatever Postgres holds.
    Null,
    /// Null for what the schema cannot hold.
    Lenient(Decoder),
    /// The date that a snapshot has, or the stream.
    Date { inner: Decoder, snapshot: bool },
    /// Microseconds that wrap.
    Timestamp,
    /// Nanoseconds, or null beyond 64 bits.
    Nanos,
    /// Text with the sentinels' dates.
    IsoTimestamp,
    /// Text whose day ends at 00:00:00.
    IsoTime,
    /// The same, cut to a multiple of so many microseconds.
    TimeTz(i64),
    /// Times cut to milliseconds.
    Millis(Decoder),
    /// Microseconds that went through doubles.
    Interval,
    /// Text whose seconds went through a double, and in which none is without end.
    IntervalText,
    /// An empty list, or null for one.
    Vector,
    /// Null, or an empty list for one.
    Vectors,
    /// Text with so many more zeros than decimals.
    Padded(i32),
}

/// Whether Debezium has no column for a type.
pub(crate) fn leaves_out(type_: &ResolvedType, modes: Modes) -> bool {
    const NEVER: [&str; 7] = ["money", "name", "interval", "varbit", "xml", "point", "refcursor"];

    let Form::Array(element) = &type_.form else { return false };
    modes.compatibility == Compatibility::Debezium
        && (element.built_in() && !element.domain && NEVER.contains(&element.name.as_str())
            || element.domain && !modes.unknown)
}

/// Turns a mapping into Debezium's.
pub(super) fn debezium(type_: &ResolvedType, modes: Modes, mut mapping: Mapping) -> Mapping {
    let deviate = |deviation| Decoder::Debezium(Box::new(deviation));
    match (&type_.form, type_.name.as_str()) {
        (Form::Array(element), _) => return array_of(element, modes, mapping),
        (Form::Base, "numeric") => return numeric(type_.modifier, modes.decimal, mapping),
        (Form::Base, "name") if type_.built_in() && !modes.unknown => {
            mapping.snapshot = Some(mapping.decoder);
            mapping.decoder = deviate(Deviation::Null);
        }
        (Form::Base, "date") => {
            let inner = mapping.decoder;
            mapping.snapshot = Some(deviate(Deviation::Date { inner: inner.clone(), snapshot: true }));
            mapping.decoder = deviate(Deviation::Date { inner, snapshot: false });
        }
        (Form::Base, "time") if modes.time == TimeMode::IsoString => {
            mapping.decoder = deviate(Deviation::IsoTime);
        }
        (Form::Base, "timestamp") => match mapping.decoder {
            Decoder::Timestamp(temporal::Unit::Micros) => mapping.decoder = deviate(Deviation::Timestamp),
            Decoder::Timestamp(temporal::Unit::Nanos) => mapping.decoder = deviate(Deviation::Nanos),
            Decoder::IsoTimestamp => mapping.decoder = deviate(Deviation::IsoTimestamp),
            _ => {}
        },
        (Form::Base, "interval") => match mapping.decoder {
            Decoder::IntervalMicros => mapping.decoder = deviate(Deviation::Interval),
            Decoder::IntervalText => mapping.decoder = deviate(Deviation::IntervalText),
            _ => {}
        },
        (Form::Base, "timetz") if modes.time != TimeMode::Structured => {
            mapping.decoder = deviate(Deviation::TimeTz(1));
        }
        (Form::Base, "int2vector" | "oidvector") => mapping.decoder = deviate(Deviation::Vector),
        _ => {}
    }
    mapping
}

/// Turns the mapping of an array into Debezium's.
fn array_of(element: &ResolvedType, modes: Modes, mut mapping: Mapping) -> Mapping {
    let deviate = |deviation| Decoder::Debezium(Box::new(deviation));
    let (Decoder::Array { element: inner, nullable }, Form::Base) = (&mut mapping.decoder, &element.form)
    else {
        mapping.decoder = deviate(Deviation::Lenient(mapping.decoder));
        return mapping;
    };
    // Elements that are passed on as text are Debezium's already; so is a domain's, where it is captured.
    match element.name.as_str() {
        _ if matches!(**inner, Decoder::Opaque(_)) => {}
        "ltree" => *nullable = false,
        _ if !element.built_in() => {}
        "time" => **inner = deviate(Deviation::Millis((**inner).clone())),
        "timetz" if modes.time != TimeMode::Structured => {
            **inner = deviate(Deviation::TimeTz(SECOND_MICROS));
        }
        "bit" => return Mapping::new(map_bits(element.modifier).0, deviate(Deviation::Null)),
        "int2vector" | "oidvector" => {
            mapping.decoder = deviate(Deviation::Vectors);
            return mapping;
        }
        _ => {}
    }
    mapping.decoder = deviate(Deviation::Lenient(mapping.decoder));
    mapping
}

/// Debezium reads the scale of a type modifier without its sign.
fn numeric(modifier: i32, mode: DecimalMode, mut mapping: Mapping) -> Mapping {
    let packed = modifier - super::facts::MODIFIER_HEADER;
    let scale = packed & 0x7FF;
    if packed >= 0 && scale > 0x3FF {
        match mode {
            DecimalMode::Double => {}
            DecimalMode::String => {
                mapping.decoder = Decoder::Debezium(Box::new(Deviation::Padded(scale)));
                return mapping;
            }
            DecimalMode::Precise => {
                let precision = (packed >> 16 & 0xFFFF).to_string();
                mapping.schema = decimal(scale).with_parameter("connect.decimal.precision", precision);
                mapping.decoder = Decoder::Decimal { scale };
            }
        }
    }
    if mode == DecimalMode::Precise {
        debug_assert!(mapping.schema.is_named(connect::DECIMAL) || !mapping.schema.fields().is_empty());
        mapping.decoder = Decoder::Debezium(Box::new(Deviation::Lenient(mapping.decoder)));
    }
    mapping
}

impl Deviation {
    pub(super) fn decode(
        &self,
        whole: &Bytes,
        value: &[u8],
        chunk: &mut BytesMut,
    ) -> Result<Value, ValueError> {
        match self {
            Self::Null => return Ok(Value::Null),
            Self::Lenient(inner) => {
                let holds_nulls = !matches!(inner, Decoder::Array { nullable: false, .. });
                return lenient(inner.decode(whole, value, chunk), value, holds_nulls);
            }
            Self::Date { inner, snapshot } => return decode_date(inner, *snapshot, whole, value, chunk),
            Self::Timestamp => {
                return Ok(Value::Int64(timestamp(i64::from_be_bytes(array(value)?))));
            }
            Self::Nanos => return Ok(nanos(i64::from_be_bytes(array(value)?))),
            Self::Millis(inner) => {
                let micros = i64::from_be_bytes(array(value)?) / 1000 * 1000;
                let micros = Bytes::from(micros.to_be_bytes().to_vec());
                return inner.decode(&micros, &micros, chunk);
            }
            Self::Interval => {
                let (micros, days, months) = ending(value)?;
                return Ok(Value::Int64(temporal::interval_through_doubles(micros, days, months)));
            }
            Self::IntervalText => {
                let (micros, days, months) = ending(value)?;
                temporal::put_interval_through_doubles(micros, days, months, chunk);
            }
            Self::IsoTimestamp => match i64::from_be_bytes(array(value)?) {
                i64::MAX => put_unix(INFINITY_MICROS, chunk),
                i64::MIN => put_unix(NEGATIVE_INFINITY_MICROS, chunk),
                micros => temporal::put_iso_timestamp(micros, chunk),
            },
            Self::IsoTime => {
                temporal::put_iso_time(i64::from_be_bytes(array(value)?) % DAY_MICROS, chunk);
            }
            Self::TimeTz(unit) => {
                let (time, west) = timetz(value)?;
                let utc = (time + i64::from(west) * SECOND_MICROS).rem_euclid(DAY_MICROS);
                temporal::put_iso_time(utc / unit * unit, chunk);
            }
            Self::Vector if has_elements(value)? => return Ok(Value::Array(Vec::new())),
            Self::Vector => return Ok(Value::Null),
            Self::Vectors if has_elements(value)? => return Ok(Value::Null),
            Self::Vectors => return Ok(Value::Array(Vec::new())),
            Self::Padded(zeros) => {
                let numeric = Numeric::read(value)?;
                if let Some(word) = numeric.special() {
                    return Ok(Value::from_static(word));
                }
                put_padded(numeric, *zeros, chunk);
            }
        }
        written(chunk)
    }

    pub(super) fn decode_text(&self, whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
        match self {
            Self::Lenient(inner) => inner.decode_text(whole, value),
            Self::Null => Ok(Value::Null),
            _ => Err(ValueError::TextForm),
        }
    }
}

fn lenient(read: Result<Value, ValueError>, value: &[u8], holds_nulls: bool) -> Result<Value, ValueError> {
    match read {
        Err(ValueError::NotANumber(_) | ValueError::NullElement) => Ok(Value::Null),
        Err(ValueError::Dimensions) if holds_nulls => {
            let length = usize::try_from(outer_length(value)?).map_err(|_| ValueError::Length)?;
            // An element takes its length field at least, which bounds what is reserved.
            if length > value.len() / 4 {
                return Err(ValueError::Length);
            }
            Ok(Value::Array(vec![Value::Null; length]))
        }
        read => read,
    }
}

/// Reads a date as Debezium has it, in the unit of `inner`.
fn decode_date(
    inner: &Decoder,
    snapshot: bool,
    whole: &Bytes,
    value: &[u8],
    chunk: &mut BytesMut,
) -> Result<Value, ValueError> {
    let days = i32::from_be_bytes(array(value)?);
    match (date(days, snapshot), inner) {
        (Some(unix), Decoder::Date) => Ok(Value::Int32(unix)),
        (Some(unix), _) if !matches!(days, i32::MAX | i32::MIN) => {
            let days = Bytes::from(unix.wrapping_sub(EPOCH_DAYS).to_be_bytes().to_vec());
            inner.decode(&days, &days, chunk)
        }
        // Only numbers were recorded of the infinities.
        _ => inner.decode(whole, value, chunk),
    }
}

/// An interval in microseconds, days and months; the driver of Debezium reads nothing of one without end.
fn ending(value: &[u8]) -> Result<(i64, i32, i32), ValueError> {
    let (micros, days, months) = interval(value)?;
    let endless = temporal::endless(micros, days, months).is_some();
    Ok(if endless { (0, 0, 0) } else { (micros, days, months) })
}

/// The length of the outer dimension of an array that has one.
fn outer_length(value: &[u8]) -> Result<i32, ValueError> {
    /// Bytes before it.
    const HEADER: usize = 12;
    Ok(i32::from_be_bytes(array(value.get(HEADER..HEADER + 4).ok_or(ValueError::Length)?)?))
}

/// Whether an array has elements: an empty one has no dimension, an empty vector one of no length.
fn has_elements(value: &[u8]) -> Result<bool, ValueError> {
    let dimensions = i32::from_be_bytes(array(value.get(..4).ok_or(ValueError::Length)?)?);
    Ok(dimensions > 0 && outer_length(value)? > 0)
}

/// A date in days since 1970, as it went through Java; none beyond 32 bits.
fn date(days: i32, snapshot: bool) -> Option<i32> {
    let infinities = if snapshot { SNAPSHOT_INFINITIES } else { STREAM_INFINITIES };
    match days {
        i32::MAX => return Some(infinities[0]),
        i32::MIN => return Some(infinities[1]),
        _ => {}
    }
    let unix = i64::from(days) + i64::from(EPOCH_DAYS);
    let seen = match civil_from_days(unix) {
        _ if !snapshot => unix,
        _ if (GAP_START..=GAP_END).contains(&unix) => unix + GAP,
        (year @ ..=0, month, day) => days_from_civil(1 - year, month, day),
        _ => unix,
    };
    i32::try_from(seen).ok()
}

/// Seconds that stop at the end of 64 bits, and a fraction that goes over it.
fn timestamp(micros: i64) -> i64 {
    match micros {
        i64::MAX => INFINITY_MICROS,
        i64::MIN => NEGATIVE_INFINITY_MICROS,
        _ => {
            let seconds = micros.div_euclid(SECOND_MICROS) + EPOCH_MICROS / SECOND_MICROS;
            seconds.saturating_mul(SECOND_MICROS).wrapping_add(micros.rem_euclid(SECOND_MICROS))
        }
    }
}

/// Nanoseconds since 1970, or null where those of the midnight before go beyond 64 bits, or their sum does.
/// Source: `NanoTimestamp.toEpochNanos`.
fn nanos(micros: i64) -> Value {
    if matches!(micros, i64::MAX | i64::MIN) {
        return Value::Int64(micros);
    }
    let midnight = micros.div_euclid(DAY_MICROS) + i64::from(EPOCH_DAYS);
    let nanos = midnight
        .checked_mul(DAY_MICROS * 1000)
        .and_then(|nanos| nanos.checked_add(micros.rem_euclid(DAY_MICROS) * 1000));
    nanos.map_or(Value::Null, Value::Int64)
}

/// The default `24:00:00` of a `time` as Java's last time of day, in the unit at hand.
pub(crate) fn before_midnight(end_of_day: &Value) -> Value {
    match end_of_day {
        Value::Int32(millis) => Value::Int32(millis - 1),
        Value::Int64(fractions) => Value::Int64(fractions - 1),
        _ => Value::from_static("23:59:59.999999999Z"),
    }
}

fn put_padded(numeric: Numeric<'_>, zeros: i32, chunk: &mut BytesMut) {
    numeric.put_plain(chunk);
    chunk.put_u8(b'.');
    chunk.put_bytes(b'0', usize::try_from(zeros).unwrap_or(0));
}

fn put_unix(micros: i64, chunk: &mut BytesMut) {
    let (days, time) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    temporal::put_day(days - i64::from(EPOCH_DAYS), chunk);
    chunk.put_u8(b'T');
    temporal::put_iso_time(time, chunk);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_lose_eras_and_skip_the_gap_as_recorded() {
        let seen = |unix: i32| date(unix - EPOCH_DAYS, true).unwrap();

        assert_eq!(seen(-735_160), -703_383);
        assert_eq!(seen(-719_162), -719_162);
        assert_eq!(seen(-141_432), -141_422);
        assert_eq!(seen(-141_427), -141_427);
        assert_eq!(date(i32::MAX, true), Some(-622_191_234));
        assert_eq!(date(i32::MIN, false), Some(-2_147_472_691));
        assert_eq!(date(-735_160 - EPOCH_DAYS, false), Some(-735_160));
    }

    #[test]
    fn far_timestamps_wrap_as_recorded() {
        assert_eq!(timestamp(9_223_371_331_199_999_999), -9_223_372_036_853_775_810);
        assert_eq!(timestamp(253_402_300_799_999_999 - EPOCH_MICROS), 253_402_300_799_999_999);
        assert_eq!(timestamp(i64::MIN), NEGATIVE_INFINITY_MICROS);
    }

    #[test]
    fn nanoseconds_beyond_64_bits_are_null_as_recorded() {
        let seen = |unix_micros: i64| nanos(unix_micros - EPOCH_MICROS);

        assert_eq!(seen(9_223_372_036_854_775), Value::Int64(9_223_372_036_854_775_000));
        assert_eq!(seen(9_223_372_036_854_776), Value::Null);
        assert_eq!(seen(-9_223_372_036_854_775), Value::Null);
        assert_eq!(seen(-1), Value::Int64(-1000));
        assert_eq!(nanos(i64::MAX), Value::Int64(i64::MAX));
    }

    #[test]
    fn what_is_no_number_is_not_filled_up_with_zeros() {
        let nan = Bytes::from_static(&[0, 0, 0, 0, 0xC0, 0, 0, 0]);

        let value = Deviation::Padded(2046).decode(&nan, &nan, &mut BytesMut::new());

        assert_eq!(value, Ok(Value::from_static("NAN")));
    }

    #[test]
    fn nested_arrays_become_as_many_nulls_as_recorded() {
        let inner = Decoder::Array { element: Box::new(Decoder::Int32), nullable: true };
        let wire: Vec<u8> = [2, 0, 23, 2, 1, 2, 1, 4, 1, 4, 2, 4, 3, 4, 4]
            .iter()
            .flat_map(|number: &i32| number.to_be_bytes())
            .collect();
        let whole = Bytes::from(wire);

        let value = Deviation::Lenient(inner).decode(&whole, &whole, &mut BytesMut::new());

        assert_eq!(value, Ok(Value::Array(vec![Value::Null; 2])));
    }

    #[test]
    fn intervals_without_end_are_none_as_recorded() {
        let wire = [&[0x7F][..], &[0xFF; 7], &[0x7F], &[0xFF; 3], &[0x7F], &[0xFF; 3]].concat();

        assert_eq!(interval(&wire), Ok((i64::MAX, i32::MAX, i32::MAX)));
        assert_eq!(ending(&wire), Ok((0, 0, 0)));
    }

    #[test]
    fn vectors_lose_their_numbers_as_recorded() {
        let wire = |numbers: &[i32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_be_bytes()).collect() };
        let read = |deviation: Deviation, numbers: &[i32]| {
            let whole = Bytes::from(wire(numbers));
            deviation.decode(&whole, &whole, &mut BytesMut::new()).unwrap()
        };
        let (full, empty, none) = ([1, 0, 26, 1, 0, 4, 7], [1, 0, 26, 0, 0], [0, 0, 26]);

        assert_eq!(read(Deviation::Vector, &full), Value::Array(Vec::new()));
        assert_eq!(read(Deviation::Vector, &empty), Value::Null);
        assert_eq!(read(Deviation::Vectors, &full), Value::Null);
        assert_eq!(read(Deviation::Vectors, &none), Value::Array(Vec::new()));
    }
}
