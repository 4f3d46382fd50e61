//! Write timestamps: a pure function of the change's place in the source's log.
//!
//! Hot path. `ts = offset(epoch) + commit − 8·(count − 1 − index) + revision`: rising within a transaction,
//! and across transactions on one key, because each row event takes at least 8 bytes of log. The same change
//! has the same timestamp at every replay, so order and repetition do not matter.

use sluice_core::{Record, record::EventPosition};

use crate::{
    config::{TimestampOffsets, TimestampSource},
    error::CassandraError,
};

/// Log bytes that one row event takes at the least; also the alignment of log records.
const EVENT_BYTES: i128 = 8;

/// Makes write timestamps.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) source: TimestampSource,
    pub(crate) offsets: TimestampOffsets,
    pub(crate) revision: u8,
}

impl Clock {
    /// Returns the write timestamp of a record, in the unit of the clock that Cassandra would use: microseconds.
    ///
    /// # Errors
    /// *Reject* for a record without position or time, *stop* for an epoch without offset.
    pub(crate) fn timestamp(&self, record: &Record) -> Result<i64, CassandraError> {
        match self.source {
            TimestampSource::Position => match &record.origin.event {
                Some(event) => self.of_event(event, record),
                None => {
                    let hint = if record.value.is_tombstone() {
                        "a topic of Debezium's that was compacted holds tombstones without their deletes: drop \
                         them with `Filter` and `RecordIsTombstone`; the deletes themselves carry a position"
                    } else {
                        "read it from a topic that sluice wrote, or set `write.timestamp=record-time`"
                    };
                    let what = "carries no position in the source's log";
                    Err(refused(record, what, "cassandra.position_missing", hint))
                }
            },
            TimestampSource::RecordTime => {
                let micros = record.timestamp.and_then(|millis| millis.checked_mul(1000));
                let offset = self.offsets.of(0).unwrap_or_default();
                let sum =
                    micros.and_then(|micros| micros.checked_add(offset)?.checked_add(self.revision.into()));
                sum.ok_or_else(|| {
                    let hint = "set `write.timestamp=position`, or give the topic's records a time";
                    refused(record, "carries no usable time", "cassandra.time_missing", hint)
                })
            }
        }
    }

    fn of_event(&self, event: &EventPosition, record: &Record) -> Result<i64, CassandraError> {
        let Some(offset) = self.offsets.of(event.epoch) else {
            return Err(CassandraError::Epoch { topic: record.topic.to_string(), epoch: event.epoch });
        };
        let after = i128::from(event.count) - 1 - i128::from(event.index);
        let sum =
            i128::from(offset) + i128::from(event.commit) - EVENT_BYTES * after + i128::from(self.revision);
        // The smallest number is the only one that Cassandra forbids.
        let timestamp = i64::try_from(sum).ok().filter(|&timestamp| timestamp != i64::MIN);
        timestamp.ok_or_else(|| {
            let hint = "look at `write.timestamp.offset`";
            refused(record, "has a timestamp outside 64 bits", "cassandra.timestamp_range", hint)
        })
    }
}

fn refused(record: &Record, what: &'static str, code: &'static str, hint: &'static str) -> CassandraError {
    CassandraError::Record { topic: record.topic.to_string(), what, code, hint }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluice_core::{
        Classify, ErrorClass,
        config::ConfigValue,
        record::{Datum, Payload},
    };

    use super::*;

    fn clock(offsets: &str, revision: u8) -> Clock {
        let offsets = TimestampOffsets::parse(offsets).unwrap();
        Clock { source: TimestampSource::Position, offsets, revision }
    }

    fn at(epoch: u32, commit: u64, index: u64, count: u64) -> Record {
        let mut record = Record::new("t".into(), Datum::NULL, Payload::TOMBSTONE);
        record.origin.event = Some(EventPosition { epoch, commit, index, count });
        record
    }

    #[test]
    fn the_last_event_of_a_transaction_has_the_commit_position() {
        let clock = clock("0", 0);

        assert_eq!(clock.timestamp(&at(0, 1000, 2, 3)).unwrap(), 1000);
        assert_eq!(clock.timestamp(&at(0, 1000, 0, 3)).unwrap(), 984);
    }

    #[test]
    fn epochs_need_an_offset() {
        assert_eq!(clock("1=500", 3).timestamp(&at(1, 1000, 0, 1)).unwrap(), 1503);
        let error = clock("0", 0).timestamp(&at(1, 1000, 0, 1)).unwrap_err();
        assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "cassandra.epoch_without_offset"));
    }

    #[test]
    fn a_record_without_position_is_refused() {
        let mut record = at(0, 0, 0, 1);
        record.origin.event = None;

        let error = clock("0", 0).timestamp(&record).unwrap_err();

        assert_eq!((error.class(), error.code()), (ErrorClass::Reject, "cassandra.position_missing"));
    }

    #[test]
    fn record_time_is_in_microseconds() {
        let clock = Clock { source: TimestampSource::RecordTime, ..clock("0", 0) };
        let mut record = at(0, 0, 0, 1);
        record.timestamp = Some(7);

        assert_eq!(clock.timestamp(&record).unwrap(), 7000);
    }

    proptest! {
        #[test]
        fn order_in_a_transaction_survives_every_revision(
            commit in 0..u64::MAX / 4, count in 2..1_000_000_u64, index in 0..999_999_u64, old in 0..8_u8, new in 0..8_u8,
        ) {
            let index = index % (count - 1);
            let first = clock("0", old).timestamp(&at(0, commit, index, count)).unwrap();
            let second = clock("0", new).timestamp(&at(0, commit, index + 1, count)).unwrap();
            prop_assert!(first < second);
        }
    }
}
