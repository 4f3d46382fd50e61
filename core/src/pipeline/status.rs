//! What a pipeline is doing, for the API, the metrics and the logs.

use tokio::sync::watch;

use crate::metrics;

/// State of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Opening its source and sink.
    Starting,
    /// Moving records, or waiting for some.
    Running,
    /// Waiting before it tries again; nothing is lost meanwhile.
    Retrying {
        /// Number of failed attempts in a row.
        attempt: u32,
        /// The error's report.
        cause: String,
    },
    /// Ended because an operator must act.
    Failed {
        /// The error's report.
        cause: String,
    },
    /// Ended because it was told to, or because the source ended.
    Stopped,
}

impl State {
    /// All names that [`State::name`] gives.
    pub const NAMES: [&'static str; 5] = ["starting", "running", "retrying", "failed", "stopped"];

    /// Returns the state's name in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Retrying { .. } => "retrying",
            Self::Failed { .. } => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Publishes the state of one pipeline.
#[derive(Debug)]
pub struct StatusWriter {
    connector: String,
    sender: watch::Sender<State>,
}

/// Reads the state of a pipeline; clones see the same.
pub type StatusReader = watch::Receiver<State>;

impl StatusWriter {
    /// Starts in [`State::Starting`].
    pub fn new(connector: impl Into<String>) -> (Self, StatusReader) {
        let (sender, reader) = watch::channel(State::Starting);
        (Self { connector: connector.into(), sender }, reader)
    }

    /// Publishes a state, unless it is the one already published.
    pub fn publish(&self, state: State) {
        if *self.sender.borrow() == state {
            return;
        }
        for name in State::NAMES {
            let labels = [("connector", self.connector.clone()), ("state", name.to_owned())];
            let active = if name == state.name() { 1.0 } else { 0.0 };
            ::metrics::gauge!(metrics::CONNECTOR_STATE, &labels).set(active);
        }
        self.sender.send_replace(state);
    }
}

/// A pipeline that is gone without having said how it ended, as after a panic, has failed.
impl Drop for StatusWriter {
    fn drop(&mut self) {
        let ended = matches!(*self.sender.borrow(), State::Failed { .. } | State::Stopped);
        if !ended {
            let cause = "the connector ended by a defect in sluice; please report it".to_owned();
            self.publish(State::Failed { cause });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_is_gone_without_a_word_has_failed() {
        let (writer, reader) = StatusWriter::new("c");
        writer.publish(State::Running);

        drop(writer);

        assert_eq!(reader.borrow().name(), "failed");
    }

    #[test]
    fn a_pipeline_that_stopped_stays_stopped() {
        let (writer, reader) = StatusWriter::new("c");
        writer.publish(State::Stopped);

        drop(writer);

        assert_eq!(*reader.borrow(), State::Stopped);
    }
}
