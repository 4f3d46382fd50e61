//! Whether the partitions still hold what the group has not read.
//!
//! A consumer whose offset is gone starts somewhere else without a word. Records that were deleted before
//! they were read are a loss that somebody must know of: at the assignment, and whenever retention overtakes
//! a consumer that is behind.

use std::sync::Arc;

use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};

use super::{raw::RawBatch, reader::Membership};
use crate::{client::BROKER_TIMEOUT, error::KafkaError, offsets::Offsets};

/// Compares the committed offsets of partitions with what the brokers hold; returns those offsets.
///
/// Blocking: asks the brokers once for each partition that has a committed offset.
///
/// # Errors
/// [`KafkaError::Gap`] for the first partition whose next record is not there.
pub(super) fn check_committed(
    consumer: &Arc<BaseConsumer<Membership>>,
    partitions: &[(String, i32)],
    group: &str,
) -> Result<Offsets, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    let mut offsets = Offsets::default();
    let committed = consumer.committed_offsets(list, BROKER_TIMEOUT).map_err(KafkaError::Consume)?;
    for element in committed.elements() {
        if let Some(next) = element.offset().to_raw().filter(|offset| *offset >= 0) {
            offsets.set(element.topic(), element.partition(), next);
        }
    }
    check(consumer, &offsets, group)?;
    Ok(offsets)
}

/// Asks the brokers whether partitions still hold the records that come next. Blocking.
///
/// # Errors
/// [`KafkaError::Gap`] for the first partition that does not.
pub(super) fn check(
    consumer: &Arc<BaseConsumer<Membership>>,
    next: &Offsets,
    group: &str,
) -> Result<(), KafkaError> {
    for (topic, partition, next) in next.iter() {
        let (first, end) =
            consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT).map_err(KafkaError::Consume)?;
        if !(first..=end).contains(&next) {
            let (group, topic) = (group.to_owned(), topic.to_owned());
            return Err(KafkaError::Gap { group, topic, partition, committed: next, first, end });
        }
    }
    Ok(())
}

/// The partitions of a batch that do not go on where reading stood, with the first offset that was left out.
///
/// Compaction and transactions leave offsets out, too: the brokers know whether it was retention.
pub(super) fn jumps(batch: &RawBatch, next: &Offsets) -> Offsets {
    find_jumps(batch.places(), next)
}

fn find_jumps<'a>(places: impl Iterator<Item = (&'a str, i32, i64)>, next: &Offsets) -> Offsets {
    let (mut jumps, mut passed) = (Offsets::default(), Offsets::default());
    // The partition that is being followed, with what comes next in it.
    let mut run: Option<(&str, i32, i64)> = None;
    for (topic, partition, offset) in places {
        let expected = match run {
            Some((of, number, expected)) if (of, number) == (topic, partition) => Some(expected),
            _ => {
                if let Some((topic, partition, expected)) = run {
                    passed.set(topic, partition, expected);
                }
                passed.next(topic, partition).or_else(|| next.next(topic, partition))
            }
        };
        if let Some(expected) = expected.filter(|expected| *expected < offset)
            && jumps.next(topic, partition).is_none()
        {
            jumps.set(topic, partition, expected);
        }
        run = Some((topic, partition, offset + 1));
    }
    jumps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(places: &[(&str, i32, i64)]) -> Offsets {
        let mut offsets = Offsets::default();
        places.iter().for_each(|(topic, partition, next)| offsets.set(topic, *partition, *next));
        offsets
    }

    #[test]
    fn partitions_that_take_turns_do_not_jump() {
        let batch = [("t", 0, 5), ("t", 0, 6), ("t", 1, 3), ("t", 0, 7), ("u", 0, 0), ("t", 1, 4)];
        let next = offsets(&[("t", 0, 5), ("t", 1, 3)]);

        assert!(find_jumps(batch.into_iter(), &next).is_empty());
    }

    #[test]
    fn first_offset_that_was_left_out_is_told() {
        let batch = [("t", 0, 5), ("t", 1, 9), ("t", 0, 8), ("t", 0, 20)];
        let next = offsets(&[("t", 0, 5), ("t", 1, 3)]);

        assert_eq!(find_jumps(batch.into_iter(), &next), offsets(&[("t", 0, 6), ("t", 1, 3)]));
    }
}
