//! `time.precision.mode=structured`: dates and times as their parts.
//!
//! Schemas: Debezium 3.7 (3.6 does not have the mode). All parts are optional, so that an infinity
//! can stand as `specialValue` alone.

use sluice_core::calendar::civil_from_days;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef, debezium};
use sluice_core::value::{Struct, Value};

use super::ValueError;
use super::decoder::timetz;
use super::temporal::{DAY_MICROS, EPOCH_DAYS, SECOND_MICROS};

const POSITIVE_INFINITY: &str = "POSITIVE_INFINITY";
const NEGATIVE_INFINITY: &str = "NEGATIVE_INFINITY";

/// Which of the structs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Date,
    Time,
    Timestamp,
    TimeTz,
    TimestampTz,
    Interval,
}

const DATE: [(&str, Kind); 3] = [("year", Kind::Int32), ("month", Kind::Int8), ("day", Kind::Int8)];
const TIME: [(&str, Kind); 4] =
    [("hour", Kind::Int8), ("minute", Kind::Int8), ("second", Kind::Int8), ("nanos", Kind::Int32)];
const OFFSET: [(&str, Kind); 1] = [("offsetSeconds", Kind::Int32)];
const ZONE: [(&str, Kind); 1] = [("zoneId", Kind::String)];
const SPECIAL: [(&str, Kind); 1] = [("specialValue", Kind::String)];
const PRECISION: [(&str, Kind); 1] = [("precision", Kind::Int32)];
const DURATION: [(&str, Kind); 7] = [
    ("years", Kind::Int32),
    ("months", Kind::Int32),
    ("days", Kind::Int32),
    ("hours", Kind::Int32),
    ("minutes", Kind::Int32),
    ("seconds", Kind::Int64),
    ("nanos", Kind::Int32),
];

/// Reads one of the structs.
#[derive(Debug, Clone)]
pub(crate) struct Structured {
    part: Part,
    schema: SchemaRef,
    /// Decimals of the column's seconds.
    precision: i32,
}

impl Structured {
    /// Makes the reader of a column whose seconds have so many decimals.
    pub(super) fn new(part: Part, precision: i32) -> Self {
        let (name, groups): (_, &[&[(&str, Kind)]]) = match part {
            Part::Date => (debezium::STRUCTURED_DATE, &[&DATE, &SPECIAL]),
            Part::Time => (debezium::STRUCTURED_TIME, &[&TIME, &PRECISION]),
            Part::Timestamp => (debezium::STRUCTURED_TIMESTAMP, &[&DATE, &TIME, &SPECIAL, &PRECISION]),
            Part::TimeTz => (debezium::STRUCTURED_ZONED_TIME, &[&TIME, &OFFSET, &PRECISION]),
            Part::TimestampTz => {
                (debezium::STRUCTURED_ZONED_TIMESTAMP, &[&DATE, &TIME, &OFFSET, &ZONE, &SPECIAL, &PRECISION])
            }
            Part::Interval => (debezium::STRUCTURED_DURATION, &[&DURATION, &PRECISION]),
        };
        let field = |(name, kind): &(&str, Kind)| Field::new(*name, Schema::new(kind.clone()).optional());
        let fields = groups.iter().flat_map(|group| group.iter()).map(field).collect();
        let schema = Schema::record(name, fields).versioned(1).shared();
        Self { part, schema, precision }
    }

    /// The schema, required.
    pub(super) fn schema(&self) -> Schema {
        (*self.schema).clone()
    }

    fn of(&self, values: Vec<Value>) -> Value {
        Struct::new(SchemaRef::clone(&self.schema), values).into()
    }

    /// An infinity: everything else is null, the precision of timestamps excepted.
    fn special(&self, word: &'static str) -> Value {
        let value = |field: &Field| match &*field.name {
            "specialValue" => Value::from_static(word),
            "precision" => Value::Int32(self.precision),
            _ => Value::Null,
        };
        self.of(self.schema.fields().iter().map(value).collect())
    }

    /// Reads the binary form.
    pub(super) fn decode(&self, value: &[u8]) -> Result<Value, ValueError> {
        let precision = Value::Int32(self.precision);
        Ok(match self.part {
            Part::Date => match i32::from_be_bytes(fixed(value)?) {
                i32::MAX => self.special(POSITIVE_INFINITY),
                i32::MIN => self.special(NEGATIVE_INFINITY),
                days => {
                    let [year, month, day] = date(days.into());
                    self.of(vec![year, month, day, Value::Null])
                }
            },
            Part::Time => {
                let [hour, minute, second, nanos] = time(i64::from_be_bytes(fixed(value)?));
                self.of(vec![hour, minute, second, nanos, precision])
            }
            Part::TimeTz => {
                let (micros, west) = timetz(value)?;
                let [hour, minute, second, nanos] = time(micros);
                self.of(vec![hour, minute, second, nanos, Value::Int32(-west), precision])
            }
            Part::Timestamp | Part::TimestampTz => match i64::from_be_bytes(fixed(value)?) {
                i64::MAX => self.special(POSITIVE_INFINITY),
                i64::MIN => self.special(NEGATIVE_INFINITY),
                micros => self.timestamp(micros),
            },
            Part::Interval => {
                let (micros, days, months) = interval(value)?;
                self.duration(micros, days, months)?
            }
        })
    }

    fn timestamp(&self, micros: i64) -> Value {
        let mut values = Vec::with_capacity(self.schema.fields().len());
        values.extend(date(micros.div_euclid(DAY_MICROS)));
        values.extend(time(micros.rem_euclid(DAY_MICROS)));
        if self.part == Part::TimestampTz {
            values.extend([Value::Int32(0), Value::from_static("Z")]);
        }
        values.extend([Value::Null, Value::Int32(self.precision)]);
        self.of(values)
    }

    fn duration(&self, micros: i64, days: i32, months: i32) -> Result<Value, ValueError> {
        let seconds = micros / SECOND_MICROS;
        // The hours of an interval reach beyond 32 bits.
        let hours = i32::try_from(seconds / 3600).map_err(|_| ValueError::Range)?;
        Ok(self.of(vec![
            Value::Int32(months / 12),
            Value::Int32(months % 12),
            Value::Int32(days),
            Value::Int32(hours),
            small32(seconds / 60 % 60),
            Value::Int64(seconds % 60),
            small32(micros % SECOND_MICROS * 1000),
            Value::Int32(self.precision),
        ]))
    }

    /// What stands for a required value that is not known: 1970-01-01, midnight, no time at all.
    pub(super) fn zero(name: &str) -> Option<Value> {
        let part = match name {
            debezium::STRUCTURED_DATE => Part::Date,
            debezium::STRUCTURED_TIME => Part::Time,
            debezium::STRUCTURED_TIMESTAMP => Part::Timestamp,
            debezium::STRUCTURED_ZONED_TIME => Part::TimeTz,
            debezium::STRUCTURED_ZONED_TIMESTAMP => Part::TimestampTz,
            debezium::STRUCTURED_DURATION => Part::Interval,
            _ => return None,
        };
        let zero = match part {
            Part::Date => (-EPOCH_DAYS).to_be_bytes().to_vec(),
            Part::Time => vec![0; 8],
            Part::TimeTz => vec![0; 12],
            Part::Timestamp | Part::TimestampTz => (-super::temporal::EPOCH_MICROS).to_be_bytes().to_vec(),
            Part::Interval => vec![0; 16],
        };
        Self::new(part, 6).decode(&zero).ok()
    }
}

/// Splits an interval into microseconds, days and months.
pub(super) fn interval(value: &[u8]) -> Result<(i64, i32, i32), ValueError> {
    let (micros, rest) = value.split_at_checked(8).ok_or(ValueError::Length)?;
    let (days, months) = rest.split_at_checked(4).ok_or(ValueError::Length)?;
    Ok((
        i64::from_be_bytes(fixed(micros)?),
        i32::from_be_bytes(fixed(days)?),
        i32::from_be_bytes(fixed(months)?),
    ))
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::Length)
}

fn date(days: i64) -> [Value; 3] {
    let (year, month, day) = civil_from_days(days + i64::from(EPOCH_DAYS));
    [small32(year), small8(month), small8(day)]
}

fn time(micros: i64) -> [Value; 4] {
    let seconds = micros / SECOND_MICROS;
    [
        small8(seconds / 3600),
        small8(seconds / 60 % 60),
        small8(seconds % 60),
        small32(micros % SECOND_MICROS * 1000),
    ]
}

/// A part of a date or time, which its calendar bounds.
fn small8(number: i64) -> Value {
    Value::Int8(i8::try_from(number).unwrap_or(i8::MAX))
}

fn small32(number: i64) -> Value {
    Value::Int32(i32::try_from(number).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(part: Part, wire: &[u8]) -> Vec<Value> {
        match Structured::new(part, 6).decode(wire).unwrap() {
            Value::Struct(value) => value.values().to_vec(),
            _ => panic!("a struct"),
        }
    }

    #[test]
    fn timestamps_show_their_parts() {
        let micros = 1_709_212_455_123_456_i64 - super::super::temporal::EPOCH_MICROS;
        let clock = [Value::Int8(13), Value::Int8(14), Value::Int8(15), Value::Int32(123_456_000)];
        let day = [Value::Int32(2024), Value::Int8(2), Value::Int8(29)];

        let zoned = values(Part::TimestampTz, &micros.to_be_bytes());
        assert_eq!(zoned[..3], day);
        assert_eq!(zoned[3..7], clock);
        let rest = [Value::Int32(0), Value::from_static("Z"), Value::Null, Value::Int32(6)];
        assert_eq!(zoned[7..], rest);
        let special = values(Part::Timestamp, &i64::MIN.to_be_bytes());
        assert!(special[..7].iter().all(Value::is_null));
        assert_eq!(special[7..], [Value::from_static("NEGATIVE_INFINITY"), Value::Int32(6)]);
    }

    #[test]
    fn the_end_of_the_day_and_the_zone_stay() {
        let wire = [&86_400_000_000_i64.to_be_bytes()[..], &(-7200_i32).to_be_bytes()].concat();

        let shown = values(Part::TimeTz, &wire);

        assert_eq!(shown[0], Value::Int8(24));
        assert_eq!(shown[4], Value::Int32(7200));
    }

    #[test]
    fn durations_keep_their_parts() {
        let wire = [&14_706_789_000_i64.to_be_bytes()[..], &3_i32.to_be_bytes(), &14_i32.to_be_bytes()];

        let shown = values(Part::Interval, &wire.concat());

        let expected = [1, 2, 3, 4, 5].map(Value::Int32);
        assert_eq!(shown[..5], expected);
        assert_eq!(shown[5..], [Value::Int64(6), Value::Int32(789_000_000), Value::Int32(6)]);
    }
}
