//! The consumer: subscription, group membership, reading and committing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::KafkaError as ClientError,
    types::RDKafkaErrorCode,
};
use sluice_core::java_regex;
use sluice_core::{Classify as _, ErrorClass};
use tokio::{sync::Notify, time::Instant};

use super::{gap, raw::RawBatch};
use crate::{
    client::{ClientSettings, Probe, forward_error, forward_log},
    error::KafkaError,
    offsets::Offsets,
};

/// What the source asks of a consumer unless the user says otherwise.
///
/// Offsets move only when told to. 16 MiB are read ahead, and reading goes on within 10 ms when the queue
/// has room again (librdkafka's own default is a second). New topics and partitions are seen within 10 s.
pub(super) const CONSUMER_DEFAULTS: [(&str, &str); 12] = [
    ("auto.offset.reset", "earliest"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("allow.auto.create.topics", "false"),
    ("check.crcs", "true"),
    ("queued.max.messages.kbytes", "16384"),
    ("fetch.queue.backoff.ms", "10"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.interval.ms", "10000"),
];

/// How often the topics of a pattern are looked up again.
const PATTERN_INTERVAL: Duration = Duration::from_secs(30);
/// Longest wait between two polls: librdkafka takes a consumer that does not poll for dead.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Empty answers in a row that mean an empty queue: an event that is no message gives one, too.
const EMPTY_POLLS: usize = 4;

/// What to read.
pub(super) enum Subscription {
    /// These topics.
    Topics(Vec<String>),
    /// All topics that match.
    Pattern(java_regex::Pattern),
}

/// Sees partitions go, and wakes the task when something comes.
#[derive(Default)]
pub(super) struct Membership {
    revoked: Mutex<Vec<(String, i32)>>,
    /// Assigned, and not yet looked at for gaps.
    assigned: Mutex<Vec<(String, i32)>>,
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        // A missing topic is named once by whoever subscribed to it.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::UnknownTopicOrPartition) {
            forward_error(&error, reason);
        }
    }
}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                tracing::info!(partitions = list.count(), "partitions assigned");
                locked(&self.assigned).extend(partitions(list));
            }
            Rebalance::Revoke(list) => {
                tracing::info!(partitions = list.count(), "partitions revoked");
                let gone = partitions(list);
                locked(&self.assigned).retain(|partition| !gone.contains(partition));
                locked(&self.revoked).extend(gone);
            }
            Rebalance::Error(error) => tracing::warn!(error = %error, "rebalance failed"),
        }
    }
}

/// A member of a consumer group.
pub(super) struct Reader {
    consumer: Arc<BaseConsumer<Membership>>,
    arrived: Arc<Notify>,
    group: String,
    gaps_matter: bool,
    pattern: Option<Pattern>,
}

/// A pattern, and the topics it stands for at present.
struct Pattern {
    regex: java_regex::Pattern,
    probe: Probe,
    topics: Vec<String>,
    due: Instant,
}

impl Reader {
    /// Joins the group and subscribes. Topics that do not exist are waited for, and named once.
    ///
    /// # Errors
    /// When librdkafka does not accept the settings, or no broker answers.
    pub(super) async fn open(
        settings: &ClientSettings,
        subscription: Subscription,
        gaps_matter: bool,
    ) -> Result<Self, KafkaError> {
        let probe = Probe::new(settings)?;
        let existing = probe.topics().await?;
        let mut consumer = BaseConsumer::from_config_and_context(settings.config(), Membership::default())
            .map_err(|error| settings.refused(error))?;
        let arrived = Arc::new(Notify::new());
        let wake = Arc::clone(&arrived);
        consumer.set_nonempty_callback(move || wake.notify_one());
        let group = settings.config().get("group.id").unwrap_or_default().to_owned();
        let mut reader = Self { consumer: Arc::new(consumer), arrived, group, gaps_matter, pattern: None };
        match subscription {
            Subscription::Topics(topics) => {
                for topic in topics.iter().filter(|topic| !existing.contains(topic)) {
                    tracing::warn!(topic, "topic does not exist; waiting for it");
                }
                reader.subscribe(&topics)?;
            }
            Subscription::Pattern(regex) => {
                let mut pattern = Pattern { regex, probe, topics: Vec::new(), due: Instant::now() };
                if !pattern.accept(existing) {
                    tracing::warn!("no topic matches `topics.regex`; waiting for one");
                }
                if !pattern.topics.is_empty() {
                    reader.subscribe(&pattern.topics)?;
                }
                reader.pattern = Some(pattern);
            }
        }
        Ok(reader)
    }

    /// Reads what there is, up to the limits; waits for the first message.
    ///
    /// # Errors
    /// Class *stop* when we may not read; *retry* when the consumer is of no further use.
    ///
    /// # Cancel safety
    /// What was read is in `batch`.
    pub(super) async fn fill(
        &mut self,
        batch: &mut RawBatch,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<(), KafkaError> {
        loop {
            self.look_for_topics().await?;
            self.poll(batch, max_records, max_bytes)?;
            if !batch.is_empty() {
                return Ok(());
            }
            let _ = tokio::time::timeout(POLL_INTERVAL, self.arrived.notified()).await;
        }
    }

    /// Returns the partitions that went since the last call.
    pub(super) fn take_revoked(&self) -> Vec<(String, i32)> {
        std::mem::take(&mut *locked(&self.consumer.context().revoked))
    }

    /// Looks once at each partition that was assigned whether it still holds what comes next, which is added to
    /// `next`. Not when the user says with `auto.offset.reset` what to do then.
    ///
    /// # Errors
    /// [`KafkaError::Gap`]; and class *retry* when the brokers do not answer.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(super) async fn check_assigned(&self, next: &mut Offsets) -> Result<(), KafkaError> {
        let assigned = locked(&self.consumer.context().assigned).clone();
        if assigned.is_empty() || !self.gaps_matter {
            return Ok(());
        }
        let (consumer, group, partitions) =
            (Arc::clone(&self.consumer), self.group.clone(), assigned.clone());
        let check = move || gap::check_committed(&consumer, &partitions, &group);
        let committed = tokio::task::spawn_blocking(check).await.map_err(|_| KafkaError::Stopping)??;
        locked(&self.consumer.context().assigned).retain(|partition| !assigned.contains(partition));
        next.merge(&committed);
        Ok(())
    }

    /// Looks whether a batch left out records because they are gone, given what was to come `next`.
    ///
    /// # Errors
    /// As [`Self::check_assigned`].
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(super) async fn check_jumps(&self, batch: &RawBatch, next: &Offsets) -> Result<(), KafkaError> {
        let jumps = gap::jumps(batch, next);
        if jumps.is_empty() || !self.gaps_matter {
            return Ok(());
        }
        let (consumer, group) = (Arc::clone(&self.consumer), self.group.clone());
        let check = move || gap::check(&consumer, &jumps, &group);
        tokio::task::spawn_blocking(check).await.map_err(|_| KafkaError::Stopping)?
    }

    /// Returns the partitions that are ours.
    ///
    /// # Errors
    /// When the consumer is of no further use.
    pub(super) fn assignment(&self) -> Result<TopicPartitionList, KafkaError> {
        self.consumer.assignment().map_err(KafkaError::Consume)
    }

    /// Commits offsets and waits for the answer; false when the group has moved on without us, which is safe:
    /// whoever has the partitions reads again what we wrote.
    ///
    /// # Errors
    /// When the offsets are not known to be committed.
    pub(super) async fn commit(&self, offsets: &Offsets) -> Result<bool, KafkaError> {
        let failed = |source| KafkaError::Commit { group: self.group.clone(), source };
        let list = offsets.to_list().map_err(failed)?;
        let consumer = Arc::clone(&self.consumer);
        let committed = tokio::task::spawn_blocking(move || consumer.commit(&list, CommitMode::Sync)).await;
        match committed.map_err(|_| KafkaError::Stopping)? {
            Ok(()) => Ok(true),
            Err(error) if is_left_behind(&error) => {
                tracing::warn!(group = self.group, error = %error, "offsets not committed; the group is rebalancing");
                Ok(false)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Leaves the group, off the async threads.
    pub(super) async fn close(self) {
        // Fails only while the process stops.
        let _ = tokio::task::spawn_blocking(move || drop(self.consumer)).await;
    }

    fn poll(&self, batch: &mut RawBatch, max_records: usize, max_bytes: usize) -> Result<(), KafkaError> {
        let mut empty = 0;
        while batch.len() < max_records && batch.weight() < max_bytes {
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => batch.push(&message),
                Some(Err(error)) => self.judge(error)?,
                None if empty == EMPTY_POLLS || !batch.is_empty() => break,
                None => empty += 1,
            }
        }
        Ok(())
    }

    /// Lets pass what librdkafka repeats on its own.
    fn judge(&self, error: ClientError) -> Result<(), KafkaError> {
        let fatal = matches!(error, ClientError::MessageConsumptionFatal(_))
            || error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset);
        let error = KafkaError::Consume(error);
        if fatal || error.class() == ErrorClass::Stop {
            return Err(error);
        }
        Ok(())
    }

    fn subscribe(&self, topics: &[String]) -> Result<(), KafkaError> {
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        self.consumer.subscribe(&topics).map_err(KafkaError::Consume)
    }

    /// Follows the topics that a pattern stands for.
    async fn look_for_topics(&mut self) -> Result<(), KafkaError> {
        let Some(pattern) = self.pattern.as_mut().filter(|pattern| pattern.due <= Instant::now()) else {
            return Ok(());
        };
        let existing = match pattern.probe.topics().await {
            Ok(existing) => existing,
            Err(error) if error.class() == ErrorClass::Retry => {
                pattern.due = Instant::now() + PATTERN_INTERVAL;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if pattern.accept(existing) {
            let topics = pattern.topics.clone();
            tracing::info!(topics = topics.len(), "topics of the pattern changed");
            self.subscribe(&topics)?;
        }
        Ok(())
    }
}

impl Pattern {
    /// Takes a list of all topics; whether those that match are others than before.
    fn accept(&mut self, existing: Vec<String>) -> bool {
        self.due = Instant::now() + PATTERN_INTERVAL;
        let mut matching: Vec<_> = existing.into_iter().filter(|topic| self.regex.matches(topic)).collect();
        matching.sort();
        if matching.is_empty() || matching == self.topics {
            return false;
        }
        self.topics = matching;
        true
    }
}

fn locked(partitions: &Mutex<Vec<(String, i32)>>) -> MutexGuard<'_, Vec<(String, i32)>> {
    partitions.lock().unwrap_or_else(PoisonError::into_inner)
}

fn partitions(list: &TopicPartitionList) -> Vec<(String, i32)> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

/// Whether a commit failed because the partitions are no longer ours.
fn is_left_behind(error: &ClientError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::RebalanceInProgress
                | Code::AssignmentLost
                | Code::StaleMemberEpoch
                | Code::FencedInstanceId
        )
    )
}
