//! Whether the partitions still hold what the group has not read.
//!
//! A consumer whose offset is gone starts somewhere else without a word. Records that were deleted before
//! they were read are a loss that somebody must know of.

use std::sync::Arc;

use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};

use super::reader::Membership;
use crate::{client::BROKER_TIMEOUT, error::KafkaError};

/// Compares the committed offsets of partitions with what the brokers hold.
///
/// Blocking: asks the brokers once for each partition that has a committed offset.
///
/// # Errors
/// [`KafkaError::Gap`] for the first partition whose next record is not there.
pub(super) fn check(
    consumer: &Arc<BaseConsumer<Membership>>,
    partitions: &[(String, i32)],
    group: &str,
) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    let committed = consumer.committed_offsets(list, BROKER_TIMEOUT).map_err(KafkaError::Consume)?;
    for element in committed.elements() {
        let Some(committed) = element.offset().to_raw().filter(|offset| *offset >= 0) else { continue };
        let (topic, partition) = (element.topic(), element.partition());
        let (first, end) =
            consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT).map_err(KafkaError::Consume)?;
        if !(first..=end).contains(&committed) {
            return Err(KafkaError::Gap {
                group: group.to_owned(),
                topic: topic.to_owned(),
                partition,
                committed,
                first,
                end,
            });
        }
    }
    Ok(())
}
