//! Dates and times in the seven modes of `time.precision.mode`.

use sluice_core::schema::{Kind, Schema, connect, debezium};

use super::semantic;
use crate::config::{IntervalMode, TimeMode};
use crate::types::structured::{Part, Structured};
use crate::types::temporal::Unit;
use crate::types::{Decoder, Modes};

/// Decimals of a time without modifier.
const FULL_PRECISION: i32 = 6;
/// What an interval's modifier says when it bounds the fields and not the decimals.
const ANY_PRECISION: i32 = 0xFFFF;

/// Maps a temporal type; `None` for any other.
pub(super) fn map(name: &str, modifier: i32, modes: Modes) -> Option<(Schema, Decoder)> {
    let digits = if modifier < 0 { FULL_PRECISION } else { modifier };
    Some(match name {
        "date" => date(modes.time),
        "time" => time(digits, modes.time),
        "timestamp" => timestamp(digits, modes.time),
        "timestamptz" if modes.time == TimeMode::Structured => structured(Part::TimestampTz, digits),
        "timestamptz" => {
            let digits = u8::try_from(digits).unwrap_or(6);
            (semantic(Kind::String, debezium::ZONED_TIMESTAMP), Decoder::TimestampTz { digits })
        }
        "timetz" if modes.time == TimeMode::Structured => structured(Part::TimeTz, digits),
        "timetz" => (semantic(Kind::String, debezium::ZONED_TIME), Decoder::TimeTz),
        "interval" if modes.time == TimeMode::Structured => {
            let digits = match modifier & ANY_PRECISION {
                ANY_PRECISION => FULL_PRECISION,
                digits => digits,
            };
            structured(Part::Interval, digits)
        }
        "interval" => match modes.interval {
            IntervalMode::Numeric => {
                (semantic(Kind::Int64, debezium::MICRO_DURATION), Decoder::IntervalMicros)
            }
            IntervalMode::String => (semantic(Kind::String, debezium::INTERVAL), Decoder::IntervalText),
        },
        _ => return None,
    })
}

fn structured(part: Part, digits: i32) -> (Schema, Decoder) {
    let structured = Structured::new(part, digits);
    (structured.schema(), Decoder::Structured(Box::new(structured)))
}

fn date(mode: TimeMode) -> (Schema, Decoder) {
    match mode {
        TimeMode::Connect => (semantic(Kind::Int32, connect::DATE), Decoder::Date),
        TimeMode::IsoString => (semantic(Kind::String, debezium::ISO_DATE), Decoder::IsoDate),
        TimeMode::Structured => structured(Part::Date, FULL_PRECISION),
        _ => (semantic(Kind::Int32, debezium::DATE), Decoder::Date),
    }
}

fn time(digits: i32, mode: TimeMode) -> (Schema, Decoder) {
    let (kind, name, unit) = match mode {
        TimeMode::IsoString => {
            return (semantic(Kind::String, debezium::ISO_TIME), Decoder::IsoTime);
        }
        TimeMode::Structured => return structured(Part::Time, digits),
        TimeMode::Connect => (Kind::Int32, connect::TIME, Unit::Millis),
        TimeMode::Adaptive if digits <= 3 => (Kind::Int32, debezium::TIME, Unit::Millis),
        TimeMode::Nanoseconds => (Kind::Int64, debezium::NANO_TIME, Unit::Nanos),
        _ => (Kind::Int64, debezium::MICRO_TIME, Unit::Micros),
    };
    (semantic(kind, name), Decoder::Time(unit))
}

fn timestamp(digits: i32, mode: TimeMode) -> (Schema, Decoder) {
    let (name, unit) = match mode {
        TimeMode::IsoString => {
            return (semantic(Kind::String, debezium::ISO_TIMESTAMP), Decoder::IsoTimestamp);
        }
        TimeMode::Structured => return structured(Part::Timestamp, digits),
        TimeMode::Connect => (connect::TIMESTAMP, Unit::Millis),
        TimeMode::Nanoseconds => (debezium::NANO_TIMESTAMP, Unit::Nanos),
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds if digits <= 3 => {
            (debezium::TIMESTAMP, Unit::Millis)
        }
        _ => (debezium::MICRO_TIMESTAMP, Unit::Micros),
    };
    (semantic(Kind::Int64, name), Decoder::Timestamp(unit))
}
