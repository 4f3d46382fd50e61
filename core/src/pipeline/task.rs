//! What a pipeline is made of, and its life from start to stop.

use std::{sync::Arc, time::Duration};

use serde_json::Value as Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Chain, ErrorPolicy, State, StatusWriter, driver::Driver};
use crate::{
    checkpoint::CheckpointStore,
    error::{Classify, Error, ErrorClass},
    metrics,
    registry::{BoxFuture, DynSink, DynSource},
    retry::Backoff,
};

/// When a window is flushed: whatever comes first.
#[derive(Debug, Clone, Copy)]
pub struct FlushPolicy {
    /// Records in a window.
    pub max_records: usize,
    /// Bytes in a window, as the source counts them.
    pub max_bytes: usize,
    /// Age of a window.
    pub interval: Duration,
    /// How long a stop waits for the last flush.
    pub shutdown_timeout: Duration,
}

impl Default for FlushPolicy {
    /// A window of some ten milliseconds at full speed, 8 MiB at the most, and 200 ms when little comes.
    fn default() -> Self {
        Self {
            max_records: 10_000,
            max_bytes: 8 << 20,
            interval: Duration::from_millis(200),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

/// Opens the two ends of a pipeline, again after failures.
pub trait Opener: Send + Sync {
    /// Opens the source at a position, or at its start.
    fn source(&self, position: Option<Json>) -> BoxFuture<'_, Result<Box<dyn DynSource>, Error>>;
    /// Opens the sink.
    fn sink(&self) -> BoxFuture<'_, Result<Box<dyn DynSink>, Error>>;
}

/// One pipeline, ready to run.
pub struct Pipeline {
    /// Name of the connector.
    pub connector: String,
    /// Opens source and sink.
    pub opener: Box<dyn Opener>,
    /// Transforms.
    pub chain: Chain,
    /// What happens to refused records.
    pub errors: ErrorPolicy,
    /// Where positions are saved; none when acknowledging alone makes them durable.
    pub checkpoints: Option<Arc<dyn CheckpointStore>>,
    /// How often to try again after a temporary failure before it ends the pipeline; none is for ever.
    pub max_retries: Option<u32>,
    /// When to flush.
    pub flush: FlushPolicy,
    /// Shows the state.
    pub status: StatusWriter,
    /// Tells the pipeline to flush, acknowledge and end.
    pub stop: CancellationToken,
}

/// A fault of the engine or of a connector that breaks its contract.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// A rejection names a record that the sink was not given.
    #[error("the sink refused record {index} of the {written} that it was given")]
    UnknownRecord { index: usize, written: usize },
    /// The thread that worked on the checkpoint panicked or was shut down.
    #[error("the checkpoint store did not answer")]
    CheckpointTask(#[source] tokio::task::JoinError),
}

impl Classify for EngineError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownRecord { .. } => "pipeline.unknown_record",
            Self::CheckpointTask(_) => "pipeline.checkpoint_task",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = "nothing was saved past the last checkpoint: restart the connector, and report the error if it \
            comes again";
        Some(hint.to_owned())
    }
}

impl Pipeline {
    /// Runs until stopped, until the source ends, or until an operator must act.
    ///
    /// # Errors
    /// The error of class *stop* or *reject* that ended the pipeline; its state shows it, too.
    pub async fn run(mut self) -> Result<(), Error> {
        let (stop, grace) = (self.stop.clone(), self.flush.shutdown_timeout);
        let overdue = async {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        let result = tokio::select! {
            result = self.supervise() => result,
            () = overdue => {
                tracing::warn!(?grace, "stopped before the last flush was done; it is repeated at the next start");
                Ok(())
            }
        };
        self.status.publish(match &result {
            Ok(()) => State::Stopped,
            Err(error) => State::Failed { cause: error.report() },
        });
        result
    }

    async fn supervise(&mut self) -> Result<(), Error> {
        let mut backoff = Backoff::default();
        let result = loop {
            match self.opener.sink().await {
                Ok(sink) => break Driver::run(self, sink, backoff).await,
                Err(error) => {
                    if let Err(error) = self.pause(&mut backoff, error).await {
                        break Err(error);
                    }
                }
            }
        };
        match result {
            Err(error) if self.stop.is_cancelled() => {
                tracing::warn!(code = error.code(), error = %error.report(), "failed while stopping; what was not saved is repeated at the next start");
                Ok(())
            }
            result => result,
        }
    }

    // `&mut self` in what follows keeps the future `Send` though a dead letter queue need not be `Sync`.

    /// Waits before the next attempt; passes the error on when no attempt should follow.
    pub(super) async fn pause(&mut self, backoff: &mut Backoff, error: Error) -> Result<(), Error> {
        let exhausted = self.max_retries.is_some_and(|max| backoff.attempts() >= max);
        if error.class() != ErrorClass::Retry || exhausted || self.stop.is_cancelled() {
            return Err(error);
        }
        let delay = backoff.next_delay();
        let attempt = backoff.attempts();
        ::metrics::counter!(metrics::RETRIES, "connector" => self.connector.clone()).increment(1);
        tracing::warn!(attempt, ?delay, code = error.code(), error = %error.report(), "attempt failed; trying again");
        self.status.publish(State::Retrying { attempt, cause: error.report() });
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            () = self.stop.cancelled() => Err(error),
        }
    }

    /// Reads the saved position, off the async threads.
    pub(super) async fn load(&mut self) -> Result<Option<Json>, Error> {
        let Some(checkpoints) = self.checkpoints.clone() else { return Ok(None) };
        let connector = self.connector.clone();
        tokio::task::spawn_blocking(move || checkpoints.load(&connector))
            .await
            .map_err(EngineError::CheckpointTask)?
    }

    pub(super) fn count_batch(&self, read: usize, refused: usize, written: usize) {
        self.count(metrics::RECORDS_READ, read as u64);
        self.count(metrics::RECORDS_WRITTEN, written as u64);
        self.count(metrics::RECORDS_FILTERED, (read - refused).saturating_sub(written) as u64);
    }

    pub(super) fn count_refused(&mut self) {
        let refused = self.errors.take_refused();
        self.count(metrics::RECORDS_REJECTED, refused);
    }

    pub(super) fn count_flush(&self, started: Instant) {
        self.count(metrics::FLUSHES, 1);
        ::metrics::histogram!(metrics::FLUSH_SECONDS, "connector" => self.connector.clone())
            .record(started.elapsed());
    }

    fn count(&self, name: &'static str, count: u64) {
        if count > 0 {
            ::metrics::counter!(name, "connector" => self.connector.clone()).increment(count);
        }
    }
}
