//! The loop that moves records, and the only place that orders and retries.
//!
//! Hot path. A *window* is what was written since the last flush; it is kept until it is durable, so
//! that a failed sink gets all of it again. A failed source is opened again at the last saved position.

use std::{sync::Arc, time::Duration};

use serde_json::Value as Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Chain, ErrorPolicy, RejectionStage, State, StatusWriter};
use crate::{
    checkpoint::{Checkpoint, CheckpointStore},
    error::{Error, ErrorClass},
    metrics,
    record::Record,
    registry::{BoxFuture, DynSink, DynSource},
    retry::Backoff,
    source::Batch,
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
    /// A window of some ten milliseconds at full speed, 16 MiB at the most, and 200 ms when little comes.
    fn default() -> Self {
        Self {
            max_records: 10_000,
            max_bytes: 16 << 20,
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
    /// When to flush.
    pub flush: FlushPolicy,
    /// Shows the state.
    pub status: StatusWriter,
    /// Tells the pipeline to flush, acknowledge and end.
    pub stop: CancellationToken,
}

/// What was written since the last flush.
#[derive(Default)]
struct Window {
    records: Vec<Record>,
    position: Option<Json>,
    bytes: usize,
    opened: Option<Instant>,
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
        let sink = loop {
            match self.opener.sink().await {
                Ok(sink) => break sink,
                Err(error) => self.pause(&mut backoff, error).await?,
            }
        };
        let mut run = Run { sink, window: Window::default(), pipeline: self, backoff };
        let result = run.sources().await;
        let closed = run.sink.close().await;
        match result {
            Err(_) if self.stop.is_cancelled() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => closed,
        }
    }

    /// Waits before the next attempt; passes the error on when no attempt should follow.
    async fn pause(&self, backoff: &mut Backoff, error: Error) -> Result<(), Error> {
        if error.class() != ErrorClass::Retry || self.stop.is_cancelled() {
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

    async fn load(&self) -> Result<Option<Json>, Error> {
        self.checkpoints.as_ref().map_or(Ok(None), |checkpoints| checkpoints.load(&self.connector))
    }

    async fn save(&self, checkpoint: Checkpoint) -> Result<(), Error> {
        let Some(checkpoints) = self.checkpoints.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || checkpoints.save(&checkpoint))
            .await
            .expect("saving does not panic")
    }
}

/// A pipeline with its sink open.
struct Run<'a> {
    pipeline: &'a mut Pipeline,
    sink: Box<dyn DynSink>,
    window: Window,
    backoff: Backoff,
}

impl Run<'_> {
    /// Opens the source, and again after each failure that passes.
    async fn sources(&mut self) -> Result<(), Error> {
        loop {
            let position = self.pipeline.load().await?;
            let error = match self.pipeline.opener.source(position).await {
                Ok(mut source) => {
                    let result = self.drive(&mut *source).await;
                    let closed = source.close().await;
                    match result.and(closed) {
                        Ok(()) => return Ok(()),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.pipeline.pause(&mut self.backoff, error).await?;
        }
    }

    /// Moves batches until stopped or until the source ends or fails; leaves an empty window behind.
    async fn drive(&mut self, source: &mut dyn DynSource) -> Result<(), Error> {
        let stop = self.pipeline.stop.clone();
        self.pipeline.status.publish(State::Running);
        loop {
            let due = self.window.opened.map(|opened| opened + self.pipeline.flush.interval);
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => return self.flush(Some(source)).await,
                () = sleep_until(due) => {
                    self.flush(Some(source)).await?;
                    continue;
                }
                batch = source.next_batch() => batch,
            };
            match batch {
                Ok(Some(batch)) => self.accept(batch).await?,
                Ok(None) => return self.flush(Some(source)).await,
                Err(error) => {
                    self.flush(None).await?;
                    return Err(error);
                }
            }
            let FlushPolicy { max_records, max_bytes, .. } = self.pipeline.flush;
            if self.window.records.len() >= max_records || self.window.bytes >= max_bytes {
                self.flush(Some(source)).await?;
            }
        }
    }

    /// Transforms a batch and writes it.
    async fn accept(&mut self, batch: Batch<Json>) -> Result<(), Error> {
        let written = self.window.records.len();
        let read = batch.records.len() + batch.rejected.len();
        for (record, error) in batch.rejected {
            self.pipeline.errors.refuse(record, error, RejectionStage::Read)?;
        }
        if self.pipeline.chain.is_empty() {
            self.window.records.extend(batch.records);
        } else {
            self.transform(batch.records)?;
        }
        self.window.position = batch.position.or(self.window.position.take());
        self.window.bytes += batch.bytes;
        self.window.opened.get_or_insert_with(Instant::now);
        self.count(read, self.window.records.len() - written);
        match self.sink.write(&self.window.records[written..]).await {
            Ok(()) => Ok(()),
            Err(error) => self.rewrite(error).await,
        }
    }

    fn transform(&mut self, records: Vec<Record>) -> Result<(), Error> {
        for record in records {
            // Kept aside only because a transform consumes its record; clones count references.
            let original = record.clone();
            if let Err(error) = self.pipeline.chain.apply(record, &mut self.window.records) {
                self.pipeline.errors.refuse(original, error, RejectionStage::Transformation)?;
            }
        }
        Ok(())
    }

    /// Writes the whole window again until the sink takes it.
    async fn rewrite(&mut self, mut error: Error) -> Result<(), Error> {
        loop {
            self.pipeline.pause(&mut self.backoff, error).await?;
            match self.sink.write(&self.window.records).await {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
    }

    /// Flush, then save, then acknowledge: never in another order.
    async fn flush(&mut self, source: Option<&mut (dyn DynSource + '_)>) -> Result<(), Error> {
        let Some(_) = self.window.opened else { return Ok(()) };
        let started = Instant::now();
        let checkpoint = self
            .window
            .position
            .take()
            .map(|position| Checkpoint { connector: self.pipeline.connector.clone(), position });
        let stored = self.flush_sink(checkpoint.as_ref()).await?;
        self.window.records.clear();
        self.window.bytes = 0;
        self.window.opened = None;
        self.backoff.reset();
        self.pipeline.status.publish(State::Running);
        let Some(checkpoint) = checkpoint else { return Ok(()) };
        if !stored {
            self.pipeline.save(checkpoint.clone()).await?;
        }
        if let Some(source) = source {
            source.acknowledge(&checkpoint.position).await?;
        }
        let connector = &self.pipeline.connector;
        ::metrics::counter!(metrics::FLUSHES, "connector" => connector.clone()).increment(1);
        ::metrics::histogram!(metrics::FLUSH_SECONDS, "connector" => connector.clone())
            .record(started.elapsed());
        Ok(())
    }

    /// Makes the window durable, refused records in the dead letter queue included.
    async fn flush_sink(&mut self, checkpoint: Option<&Checkpoint>) -> Result<bool, Error> {
        let flushed = loop {
            match self.sink.flush(checkpoint).await {
                Ok(flushed) => break flushed,
                Err(error) => self.rewrite(error).await?,
            }
        };
        for rejection in flushed.rejected {
            let record = self.window.records[rejection.index].clone();
            self.pipeline.errors.refuse(record, rejection.error, RejectionStage::Write)?;
        }
        while let Err(error) = self.pipeline.errors.flush().await {
            self.pipeline.pause(&mut self.backoff, error).await?;
        }
        Ok(flushed.checkpoint_stored)
    }

    fn count(&mut self, read: usize, written: usize) {
        let connector = &self.pipeline.connector;
        let refused = self.pipeline.errors.take_refused();
        let add = |name: &'static str, count: u64| {
            if count > 0 {
                ::metrics::counter!(name, "connector" => connector.clone()).increment(count);
            }
        };
        add(metrics::RECORDS_READ, read as u64);
        add(metrics::RECORDS_WRITTEN, written as u64);
        add(metrics::RECORDS_FILTERED, read.saturating_sub(written) as u64);
        add(metrics::RECORDS_REJECTED, refused);
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
