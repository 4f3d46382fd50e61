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
    let mut jumps = Offsets::default();
    for (topic, partition, previous, offset) in batch.steps() {
        let expected = previous.map(|previous| previous + 1).or_else(|| next.next(topic, partition));
        if expected.is_some_and(|expected| expected < offset) && jumps.next(topic, partition).is_none() {
            jumps.set(topic, partition, expected.unwrap_or(offset));
        }
    }
    jumps
}
