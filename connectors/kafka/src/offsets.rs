//! Where a reader stands: the next offset of each partition.

use std::collections::BTreeMap;

use rdkafka::{Offset, TopicPartitionList, error::KafkaResult};
use serde::{Deserialize, Serialize};

/// The next offset to read, by topic and partition; what stands before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offsets(BTreeMap<String, BTreeMap<i32, i64>>);

impl Offsets {
    /// Moves a partition's offset, forward or back.
    pub(crate) fn set(&mut self, topic: &str, partition: i32, next: i64) {
        match self.0.get_mut(topic) {
            Some(partitions) => {
                partitions.insert(partition, next);
            }
            None => {
                self.0.insert(topic.to_owned(), BTreeMap::from([(partition, next)]));
            }
        }
    }

    /// Forgets a partition.
    pub(crate) fn remove(&mut self, topic: &str, partition: i32) {
        if let Some(partitions) = self.0.get_mut(topic) {
            partitions.remove(&partition);
        }
    }

    /// Returns the next offset of a partition.
    pub fn next(&self, topic: &str, partition: i32) -> Option<i64> {
        self.0.get(topic)?.get(&partition).copied()
    }

    /// Returns all partitions with their next offsets, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, i64)> {
        self.0.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(move |(partition, next)| (topic.as_str(), *partition, *next))
        })
    }

    /// Returns what is to be committed: partitions that are ours and stand elsewhere than in `committed`.
    pub(crate) fn to_commit(&self, committed: &Self, owned: &TopicPartitionList) -> Self {
        let mut changed = Self::default();
        for (topic, partition, next) in self.iter() {
            let ours = owned.find_partition(topic, partition).is_some();
            if ours && committed.next(topic, partition) != Some(next) {
                changed.set(topic, partition, next);
            }
        }
        changed
    }

    /// Takes over all partitions of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (topic, partition, next) in other.iter() {
            self.set(topic, partition, next);
        }
    }

    /// Whether there is no partition.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeMap::is_empty)
    }

    /// Makes librdkafka's list.
    ///
    /// # Errors
    /// When an offset is below zero.
    pub(crate) fn to_list(&self) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (topic, partition, next) in self.iter() {
            list.add_partition_offset(topic, partition, Offset::Offset(next))?;
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_survives_its_checkpoint() {
        let mut offsets = Offsets::default();
        offsets.set("users", 1, 42);

        let text = serde_json::to_string(&offsets).unwrap();

        assert_eq!(text, r#"{"users":{"1":42}}"#);
        assert_eq!(serde_json::from_str::<Offsets>(&text).unwrap(), offsets);
    }

    #[test]
    fn only_owned_partitions_that_moved_are_committed() {
        let (mut now, mut before, mut owned) =
            (Offsets::default(), Offsets::default(), TopicPartitionList::new());
        for partition in 0..3 {
            now.set("users", partition, 10);
        }
        before.set("users", 0, 10);
        owned.add_partition_range("users", 0, 1);

        let commit = now.to_commit(&before, &owned);

        assert_eq!(commit.iter().collect::<Vec<_>>(), [("users", 1, 10)]);
    }
}
