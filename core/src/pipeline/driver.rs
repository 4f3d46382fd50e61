//! The loop that moves records, and the only place that orders and retries.
//!
//! Hot path. A *window* is what was written since the last flush; it is kept until it is durable, so
//! that a failed sink gets all of it again. A failed source is opened again at the last saved position,
//! always with an empty window, so that no record stands in it twice.

use serde_json::Value as Json;
use tokio::time::Instant;

use super::{Pipeline, RejectionStage, State, task::EngineError, window::Window};
use crate::{
    checkpoint::Checkpoint,
    error::Error,
    record::Record,
    registry::{DynSink, DynSource},
    retry::Backoff,
    sink::{Flushed, Rejection},
    source::Batch,
};

/// A pipeline with its sink open.
pub(super) struct Driver<'a> {
    pipeline: &'a mut Pipeline,
    sink: Box<dyn DynSink>,
    window: Window,
    backoff: Backoff,
    /// Position that was saved last, by the store or by the sink.
    saved: Option<Json>,
}

impl<'a> Driver<'a> {
    /// Runs until stopped, until the source ends, or until an operator must act; closes the sink.
    pub(super) async fn run(
        pipeline: &'a mut Pipeline,
        sink: Box<dyn DynSink>,
        backoff: Backoff,
    ) -> Result<(), Error> {
        let mut driver = Self { pipeline, sink, window: Window::default(), backoff, saved: None };
        let result = driver.sources().await;
        let closed = driver.sink.close().await;
        result.and(closed)
    }

    /// Opens the source, and again after each failure that passes.
    async fn sources(&mut self) -> Result<(), Error> {
        loop {
            match self.source().await {
                Ok(()) => return Ok(()),
                Err(error) => self.pipeline.pause(&mut self.backoff, error).await?,
            }
        }
    }

    async fn source(&mut self) -> Result<(), Error> {
        if self.saved.is_none() {
            self.saved = self.pipeline.load().await?;
        }
        let mut source = self.pipeline.opener.source(self.saved.clone()).await?;
        let result = self.drive(&mut *source).await;
        let closed = source.close().await;
        result.and(closed)
    }

    /// Moves batches until stopped or until the source ends or fails; leaves an empty window behind, unless
    /// the sink has failed for good.
    async fn drive(&mut self, source: &mut dyn DynSource) -> Result<(), Error> {
        let (stop, policy) = (self.pipeline.stop.clone(), self.pipeline.flush);
        self.pipeline.status.publish(State::Running);
        loop {
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => return self.flush(Some(source)).await,
                () = self.window.due(policy) => {
                    self.flush(Some(source)).await?;
                    continue;
                }
                batch = source.next_batch() => batch,
            };
            let admitted = match batch {
                Ok(Some(batch)) => self.admit(batch),
                Ok(None) => return self.flush(Some(source)).await,
                Err(error) => Err(error),
            };
            match admitted {
                Ok(first) => self.write(first).await?,
                Err(error) => {
                    self.flush(None).await?;
                    return Err(error);
                }
            }
            if self.window.is_full(policy) {
                self.flush(Some(source)).await?;
            }
        }
    }

    /// Transforms a batch into the window; returns the place of its first record. An error leaves the window as it was.
    fn admit(&mut self, batch: Batch<Json>) -> Result<usize, Error> {
        let first = self.window.records.len();
        let (read, mut refused) = (batch.records.len() + batch.rejected.len(), batch.rejected.len());
        for (record, error) in batch.rejected {
            self.pipeline.errors.refuse(record, error, RejectionStage::Read)?;
        }
        refused += self.transform(batch.records).inspect_err(|_| self.window.records.truncate(first))?;
        self.window.advance(batch.position, batch.bytes);
        self.pipeline.count_batch(read, refused, self.window.records.len() - first);
        Ok(first)
    }

    /// Appends what becomes of the records to the window and returns how many were refused.
    fn transform(&mut self, records: Vec<Record>) -> Result<usize, Error> {
        let Pipeline { chain, errors, .. } = &mut *self.pipeline;
        if chain.is_empty() {
            self.window.records.extend(records);
            return Ok(0);
        }
        let mut refused = 0;
        for record in records {
            // A transform consumes its record; what an error must tell of it is kept aside.
            let trace = errors.trace(&record);
            if let Err(error) = chain.apply(record, &mut self.window.records) {
                errors.refuse(trace, error, RejectionStage::Transformation)?;
                refused += 1;
            }
        }
        Ok(refused)
    }

    /// Writes the window from a place on; if that fails, all of it again until the sink takes it.
    async fn write(&mut self, mut first: usize) -> Result<(), Error> {
        while first < self.window.records.len() {
            match self.sink.write(&self.window.records[first..]).await {
                Ok(()) => break,
                Err(error) => self.pipeline.pause(&mut self.backoff, error).await?,
            }
            first = 0;
        }
        Ok(())
    }

    /// Flush, then save, then acknowledge: never in another order.
    async fn flush(&mut self, source: Option<&mut (dyn DynSource + '_)>) -> Result<(), Error> {
        let Some(_) = self.window.opened else { return self.flush_refused().await };
        let started = Instant::now();
        let position = self.window.position.take();
        let checkpoint = position.map(|position| Checkpoint::new(&self.pipeline.connector, position));
        let flushed = self.flush_sink(checkpoint.as_ref()).await?;
        let refused = self.refuse(flushed.rejected);
        self.window.clear();
        refused?;
        self.flush_refused().await?;
        self.backoff.reset();
        self.pipeline.status.publish(State::Running);
        let Some(checkpoint) = checkpoint else { return Ok(()) };
        if !flushed.checkpoint_stored {
            while let Err(error) = self.pipeline.save(&checkpoint).await {
                self.pipeline.pause(&mut self.backoff, error).await?;
            }
        }
        if self.pipeline.checkpoints.is_some() || flushed.checkpoint_stored {
            self.saved = Some(checkpoint.position.clone());
        }
        if let Some(source) = source {
            source.acknowledge(&checkpoint.position).await?;
        }
        self.pipeline.count_flush(started);
        Ok(())
    }

    async fn flush_sink(&mut self, checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        loop {
            match self.sink.flush(checkpoint).await {
                Ok(flushed) => return Ok(flushed),
                Err(error) => self.pipeline.pause(&mut self.backoff, error).await?,
            }
            self.write(0).await?;
        }
    }

    fn refuse(&mut self, rejected: Vec<Rejection>) -> Result<(), Error> {
        let written = self.window.records.len();
        for rejection in rejected {
            let index = rejection.index;
            let record = self.window.records.get(index).cloned();
            let record = record.ok_or(EngineError::UnknownRecord { index, written })?;
            self.pipeline.errors.refuse(record, rejection.error, RejectionStage::Write)?;
        }
        Ok(())
    }

    /// Makes refused records durable where they go, before any position passes them.
    async fn flush_refused(&mut self) -> Result<(), Error> {
        while let Err(error) = self.pipeline.errors.flush().await {
            self.pipeline.pause(&mut self.backoff, error).await?;
        }
        self.pipeline.count_refused();
        Ok(())
    }
}
