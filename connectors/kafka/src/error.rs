//! What can go wrong with the brokers, and what should be done about it.

use rdkafka::{error::KafkaError as ClientError, types::RDKafkaErrorCode};
use sluice_core::{Classify, ErrorClass};

/// A failure of a Kafka client. Messages name topics and servers, never keys, values or secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// librdkafka does not accept the settings of a client.
    #[error("cannot create the Kafka {client}")]
    Client {
        /// `producer`, `consumer` or `admin client`.
        client: &'static str,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// No broker answered in time.
    #[error("no broker of `{servers}` answered")]
    Unreachable {
        /// `bootstrap.servers`.
        servers: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// A topic does not exist and may not be created.
    #[error("topic `{topic}` does not exist and `topic.creation.enable` is false")]
    TopicMissing {
        /// The topic.
        topic: String,
    },
    /// The brokers refused to create a topic.
    #[error("cannot create topic `{topic}`")]
    CreateTopic {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// A record, with its key and headers, is larger than a topic or the producer allows.
    #[error("the record is too large for topic `{topic}`")]
    RecordTooLarge {
        /// The topic.
        topic: String,
    },
    /// The brokers will never take this record.
    #[error("the brokers refuse the record for topic `{topic}`")]
    InvalidRecord {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// Records were not delivered; some may be in the topic nevertheless.
    #[error("{count} records were not delivered to Kafka")]
    Produce {
        /// How many are not known to be delivered.
        count: usize,
        /// The first reason.
        #[source]
        source: ClientError,
    },
    /// A refused record could not be put into the dead letter queue.
    #[error("cannot write to the dead letter queue `{topic}`")]
    DeadLetter {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// An offset could not be written for Kafka Connect.
    #[error("cannot write to Kafka Connect's offsets topic `{topic}`")]
    ConnectOffset {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// Reading failed.
    #[error("cannot read from Kafka")]
    Consume(#[source] ClientError),
    /// The next record of a consumer group is not in its partition: deleted, or the topic was made anew.
    #[error(
        "partition {topic}-{partition} holds offsets {first} to {end}, and group `{group}` has read up to {committed}: \
         records are missing"
    )]
    Gap {
        /// The consumer group.
        group: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Next offset of the group.
        committed: i64,
        /// First offset in the partition.
        first: i64,
        /// Offset after the last in the partition.
        end: i64,
    },
    /// Offsets could not be committed.
    #[error("cannot commit the offsets of group `{group}`")]
    Commit {
        /// The consumer group.
        group: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// A task of the runtime ended before it answered: the process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

/// What a broker's or librdkafka's error means for a whole client.
fn class_of(error: &ClientError) -> ErrorClass {
    use RDKafkaErrorCode as Code;
    let code = match error {
        ClientError::AdminOp(code) => Some(*code),
        ClientError::AdminOpCreation(_) => return ErrorClass::Stop,
        other => other.rdkafka_error_code(),
    };
    match code {
        Some(
            Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::PolicyViolation
            | Code::InvalidTopic
            | Code::InvalidConfig
            | Code::InvalidPartitions
            | Code::InvalidReplicationFactor
            | Code::InvalidRequiredAcks
            | Code::InvalidGroupId
            | Code::InvalidSessionTimeout
            | Code::InconsistentGroupProtocol
            | Code::UnsupportedForMessageFormat
            | Code::UnsupportedCompressionType
            | Code::GroupMaxSizeReached,
        ) => ErrorClass::Stop,
        _ => ErrorClass::Retry,
    }
}

impl Classify for KafkaError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Client { .. } | Self::TopicMissing { .. } | Self::Gap { .. } => ErrorClass::Stop,
            Self::RecordTooLarge { .. } | Self::InvalidRecord { .. } => ErrorClass::Reject,
            Self::Stopping => ErrorClass::Retry,
            Self::DeadLetter { source, .. }
                if source.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) =>
            {
                ErrorClass::Stop
            }
            Self::Unreachable { source, .. }
            | Self::CreateTopic { source, .. }
            | Self::Produce { source, .. }
            | Self::DeadLetter { source, .. }
            | Self::ConnectOffset { source, .. }
            | Self::Consume(source)
            | Self::Commit { source, .. } => class_of(source),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Client { .. } => "kafka.client_settings",
            Self::Unreachable { .. } => "kafka.unreachable",
            Self::TopicMissing { .. } => "kafka.topic_missing",
            Self::CreateTopic { .. } => "kafka.topic_not_created",
            Self::RecordTooLarge { .. } => "kafka.record_too_large",
            Self::InvalidRecord { .. } => "kafka.record_invalid",
            Self::Produce { .. } => "kafka.produce_failed",
            Self::DeadLetter { .. } => "kafka.dead_letter_not_written",
            Self::ConnectOffset { .. } => "kafka.connect_offset_not_written",
            Self::Consume(_) => "kafka.consume_failed",
            Self::Gap { .. } => "kafka.offset_gap",
            Self::Commit { .. } => "kafka.commit_failed",
            Self::Stopping => "kafka.stopping",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Client { .. } => "check `producer.override.*` and `consumer.override.*`",
            Self::Unreachable { .. } => {
                "check `bootstrap.servers`, that a broker runs there, and its `advertised.listeners`; \
                 with TLS or SASL also `security.protocol`"
            }
            Self::TopicMissing { topic } => return Some(create_topic_hint(topic)),
            Self::CreateTopic { .. } => {
                "check `topic.creation.default.*`: no more replicas than brokers, settings that topics have; \
                 the user needs CREATE on the topic or the cluster"
            }
            Self::RecordTooLarge { .. } => {
                "raise `max.message.bytes` of the topic and `producer.override.max.request.size`; \
                 or leave large columns out of the table's record"
            }
            Self::InvalidRecord { .. } => "a compacted topic takes no record without a key",
            Self::Gap { group, topic, partition, .. } => return Some(gap_hint(group, topic, *partition)),
            Self::DeadLetter { .. } if self.class() == ErrorClass::Stop => {
                "raise `max.message.bytes` of the dead letter topic and `producer.override.max.request.size`, \
                 and check that the user may write to it"
            }
            Self::Produce { source, .. } | Self::Consume(source) | Self::Commit { source, .. }
                if class_of(source) == ErrorClass::Stop =>
            {
                "check the credentials and the ACLs of the user: WRITE for sources; READ on topic and group for sinks"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn gap_hint(group: &str, topic: &str, partition: i32) -> String {
    format!(
        "compare source and target, or take a new snapshot; to go on with what is there: \
         `kafka-consumer-groups --group {group} --topic {topic}:{partition} --reset-offsets --to-earliest --execute`, \
         or set `consumer.override.auto.offset.reset=earliest` to always do so"
    )
}

fn create_topic_hint(topic: &str) -> String {
    format!(
        "create it (`kafka-topics --create --topic {topic}`), or set `topic.creation.enable=true` in the worker's settings"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_that_is_away_is_retried_and_a_missing_right_stops() {
        let produce = |code| KafkaError::Produce { count: 1, source: ClientError::MessageProduction(code) };

        assert_eq!(produce(RDKafkaErrorCode::MessageTimedOut).class(), ErrorClass::Retry);
        assert_eq!(produce(RDKafkaErrorCode::TopicAuthorizationFailed).class(), ErrorClass::Stop);
    }

    #[test]
    fn missing_topic_is_named_with_the_command_that_creates_it() {
        let error = KafkaError::TopicMissing { topic: "users".to_owned() };

        assert_eq!(error.class(), ErrorClass::Stop);
        assert!(error.hint().is_some_and(|hint| hint.contains("--topic users")));
    }
}
