//! Names of client settings: Java's by librdkafka's.
//!
//! Users bring the names of the Java clients; librdkafka shares most of them. This table holds those
//! that differ, those that mean nothing here, and the common ones for suggestions.

/// What becomes of a Java property.
pub(super) enum Translation {
    /// librdkafka calls it so.
    Named(&'static str),
    /// librdkafka calls it so and counts in KiB.
    Kibibytes(&'static str),
    /// Has no meaning here; the reason.
    Without(&'static str),
    /// Would break what the connector promises; the reason.
    Forbidden(&'static str),
    /// The value is made of others: trust and key stores, JAAS.
    Special,
}

use Translation::{Forbidden, Kibibytes, Named, Special, Without};

const OWN_FORMAT: &str = "the converters write keys and values: set `key.converter` and `value.converter`";
const OWN_OFFSETS: &str = "offsets are committed after the records are written, never on a timer";
const JAVA_ONLY: &str = "it means something to Java clients only";
const WAITS: &str = "the connector waits as long as it takes";

/// Java's names that are not librdkafka's, or that are not for users to set.
pub(super) const TABLE: [(&str, Translation); 48] = [
    ("acks", Named("acks")),
    ("allow.auto.create.topics", Named("allow.auto.create.topics")),
    ("auto.commit.interval.ms", Without(OWN_OFFSETS)),
    ("auto.include.jmx.reporter", Without(JAVA_ONLY)),
    ("auto.offset.reset", Named("auto.offset.reset")),
    ("batch.size", Named("batch.size")),
    ("bootstrap.servers", Forbidden("set `bootstrap.servers` itself")),
    ("buffer.memory", Kibibytes("queue.buffering.max.kbytes")),
    ("client.id", Named("client.id")),
    ("client.rack", Named("client.rack")),
    ("compression.type", Named("compression.type")),
    ("default.api.timeout.ms", Without(WAITS)),
    ("delivery.timeout.ms", Named("message.timeout.ms")),
    ("enable.auto.commit", Forbidden(OWN_OFFSETS)),
    ("enable.auto.offset.store", Forbidden(OWN_OFFSETS)),
    ("enable.idempotence", Named("enable.idempotence")),
    ("exclude.internal.topics", Without("only the topics of `topics` and `topics.regex` are read")),
    ("fetch.max.wait.ms", Named("fetch.wait.max.ms")),
    ("group.id", Named("group.id")),
    ("interceptor.classes", Without(JAVA_ONLY)),
    ("isolation.level", Named("isolation.level")),
    ("key.deserializer", Without(OWN_FORMAT)),
    ("key.serializer", Without(OWN_FORMAT)),
    ("linger.ms", Named("linger.ms")),
    ("max.block.ms", Without(WAITS)),
    ("max.in.flight.requests.per.connection", Named("max.in.flight.requests.per.connection")),
    ("max.partition.fetch.bytes", Named("fetch.message.max.bytes")),
    ("max.poll.interval.ms", Named("max.poll.interval.ms")),
    ("max.poll.records", Special),
    ("max.request.size", Named("message.max.bytes")),
    ("metric.reporters", Without(JAVA_ONLY)),
    ("metrics.num.samples", Without(JAVA_ONLY)),
    ("metrics.recording.level", Without(JAVA_ONLY)),
    ("metrics.sample.window.ms", Without(JAVA_ONLY)),
    ("partition.assignment.strategy", Special),
    ("partitioner.class", Special),
    ("receive.buffer.bytes", Named("socket.receive.buffer.bytes")),
    ("sasl.jaas.config", Special),
    ("send.buffer.bytes", Named("socket.send.buffer.bytes")),
    ("ssl.enabled.protocols", Without("OpenSSL chooses the newest that both sides have")),
    ("ssl.keystore.certificate.chain", Named("ssl.certificate.pem")),
    ("ssl.keystore.key", Named("ssl.key.pem")),
    ("ssl.keystore.location", Special),
    ("ssl.protocol", Without("OpenSSL chooses the newest that both sides have")),
    ("ssl.truststore.certificates", Named("ssl.ca.pem")),
    ("ssl.truststore.location", Special),
    ("value.deserializer", Without(OWN_FORMAT)),
    ("value.serializer", Without(OWN_FORMAT)),
];

/// Returns names to suggest for a misspelt one.
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
    const NATIVE: [&str; 24] = [
        "batch.num.messages",
        "broker.address.family",
        "connections.max.idle.ms",
        "fetch.max.bytes",
        "fetch.min.bytes",
        "group.instance.id",
        "heartbeat.interval.ms",
        "message.max.bytes",
        "metadata.max.age.ms",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queued.max.messages.kbytes",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retries",
        "retry.backoff.ms",
        "sasl.mechanism",
        "sasl.password",
        "sasl.username",
        "security.protocol",
        "session.timeout.ms",
        "ssl.ca.location",
        "ssl.key.password",
    ];
    TABLE.iter().map(|(name, _)| *name).chain(NATIVE)
}
