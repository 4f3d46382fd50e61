//! librdkafka's log and its global errors, as `tracing` events.

use rdkafka::{ClientContext, config::RDKafkaLogLevel, error::KafkaError as ClientError};

/// Forwards a log line. Servers that come and go are no errors: whoever waits for them says so.
pub(crate) fn forward_log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => {
            tracing::warn!(target: "sluice_kafka::librdkafka", facility, "{line}");
        }
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "sluice_kafka::librdkafka", facility, "{line}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "sluice_kafka::librdkafka", facility, "{line}"),
    }
}

/// Logs a global error; those of a connection come back as failed requests as well.
pub(crate) fn forward_error(error: &ClientError, reason: &str) {
    tracing::warn!(target: "sluice_kafka::librdkafka", error = %error, reason, "kafka client error");
}

/// The context of a client that needs no more than a log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl rdkafka::consumer::ConsumerContext for Logged {}
