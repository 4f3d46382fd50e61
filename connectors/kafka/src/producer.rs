//! The producer with its count of deliveries.
//!
//! Hot path. A record carries its index through librdkafka as a plain number; a delivery report is an
//! addition on an atomic, and wakes the task only when it reaches what the task waits for.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    error::KafkaError as ClientError,
    message::{DeliveryResult, Message as _},
    producer::{BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, ThreadedProducer},
    types::RDKafkaErrorCode,
};
use tokio::sync::Notify;

use crate::{
    client::{ClientSettings, forward_error, forward_log},
    error::KafkaError,
};

/// Deliveries that a full queue waits for at once, so that a wake-up pays.
const ROOM: usize = 1_024;
/// Without any delivery for so long, somebody should know; the wait goes on.
const STALLED: Duration = Duration::from_secs(10);
/// What [`Deliveries::wake_at`] holds while nobody waits.
const NOBODY: usize = usize::MAX;

/// What the sink asks of a producer unless the user says otherwise.
///
/// `linger.ms` 2 keeps the way from commit to broker short and still fills batches under load;
/// `partitioner` is Java's, so that topics shared with Debezium keep their partitions; the queue holds
/// 32 MiB, as in Java, or 100,000 records; a broker that comes back is found within a second.
pub(crate) const PRODUCER_DEFAULTS: [(&str, &str); 12] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    ("compression.type", "lz4"),
    ("linger.ms", "2"),
    ("batch.size", "524288"),
    ("partitioner", "murmur2_random"),
    ("message.timeout.ms", "120000"),
    ("queue.buffering.max.kbytes", "32768"),
    ("queue.buffering.max.messages", "100000"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.sparse", "true"),
];

/// Counts delivery reports and keeps the failures.
#[derive(Default)]
pub(crate) struct Deliveries {
    reported: AtomicUsize,
    wake_at: AtomicUsize,
    woken: Notify,
    failures: Mutex<Vec<Failure>>,
}

/// A record that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its index, as given to [`Producer::send`].
    pub(crate) index: usize,
    /// Its topic.
    pub(crate) topic: String,
    /// Why.
    pub(crate) error: ClientError,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        if let Err((error, message)) = result {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push(Failure { index, topic: message.topic().to_owned(), error: error.clone() });
        }
        let reported = self.reported.fetch_add(1, Ordering::SeqCst) + 1;
        if reported >= self.wake_at.load(Ordering::SeqCst) {
            self.woken.notify_one();
        }
    }
}

impl Deliveries {
    /// Waits until so many reports have come.
    ///
    /// # Cancel safety
    /// Nothing is lost when dropped.
    async fn reach(&self, target: usize) {
        // The order matters: a report that misses the mark below is seen by the check after it.
        self.wake_at.store(target, Ordering::SeqCst);
        loop {
            let before = self.reported.load(Ordering::SeqCst);
            if before >= target {
                break;
            }
            let woken = tokio::time::timeout(STALLED, self.woken.notified()).await;
            let reported = self.reported.load(Ordering::SeqCst);
            if woken.is_err() && reported == before {
                let waiting = target - reported;
                tracing::warn!(waiting, "no record was delivered to Kafka for 10 s; waiting");
            }
        }
        self.wake_at.store(NOBODY, Ordering::SeqCst);
    }
}

/// What became of a record.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It is in the queue.
    Queued,
    /// The queue is full; wait with [`Producer::room`] and try again.
    Full,
    /// It cannot be sent.
    Refused(ClientError),
}

/// A record as bytes.
pub(crate) struct Message<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) headers: Option<rdkafka::message::OwnedHeaders>,
}

/// A producer and how much it has sent.
pub(crate) struct Producer {
    inner: ThreadedProducer<Deliveries, NoCustomPartitioner>,
    deliveries: Arc<Deliveries>,
    sent: usize,
    /// Bytes that the queue holds: a larger record never finds room.
    queue_bytes: usize,
}

impl Producer {
    /// Makes a producer; it connects on its own.
    ///
    /// # Errors
    /// When librdkafka does not accept the settings.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, KafkaError> {
        let deliveries = Deliveries { wake_at: AtomicUsize::new(NOBODY), ..Deliveries::default() };
        let inner = ThreadedProducer::from_config_and_context(settings.config(), deliveries)
            .map_err(|error| settings.refused(error))?;
        let deliveries = Arc::clone(inner.client().context());
        let kibibytes = settings.config().get("queue.buffering.max.kbytes");
        let queue_bytes =
            kibibytes.and_then(|text| text.parse::<usize>().ok()).map_or(usize::MAX, |size| size * 1024);
        Ok(Self { inner, deliveries, sent: 0, queue_bytes })
    }

    /// Puts a record into the queue, which copies it.
    pub(crate) fn send(&mut self, message: Message<'_>, index: usize) -> Sent {
        let size = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        let record = BaseRecord {
            topic: message.topic,
            partition: message.partition,
            payload: message.value,
            key: message.key,
            timestamp: message.timestamp,
            headers: message.headers,
            delivery_opaque: index,
        };
        match self.inner.send(record) {
            Ok(()) => {
                self.sent += 1;
                Sent::Queued
            }
            Err((ClientError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                let too_large = ClientError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
                if size > self.queue_bytes { Sent::Refused(too_large) } else { Sent::Full }
            }
            Err((error, _)) => Sent::Refused(error),
        }
    }

    /// Waits until some of what is in the queue is delivered.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn room(&self) {
        let reported = self.deliveries.reported.load(Ordering::SeqCst);
        let waiting = self.sent.saturating_sub(reported);
        self.deliveries.reach(reported + waiting.min(ROOM)).await;
    }

    /// Waits until all that was sent is delivered or failed, and returns the failures.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn drain(&self) -> Vec<Failure> {
        self.deliveries.reach(self.sent).await;
        let mut failures = self.deliveries.failures.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *failures)
    }

    /// Gives up what is in flight and closes the connections, off the async threads: it takes up to 0.6 s.
    pub(crate) async fn discard(self) {
        // Fails only while the process stops.
        let _ = tokio::task::spawn_blocking(move || drop(self.inner)).await;
    }
}
