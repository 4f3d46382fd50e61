//! The loop that moves records, and the only place that orders and retries.
//!
//! Hot path. A *window* is what was written since the last flush; it is kept until it is durable, so
//! that a failed sink gets all of it again. A failed source is opened again at the last saved position,
//! always with an empty window, so that no record stands in it twice. Positions are saved beside the windows
//! that follow ([`Saving`]).

use tokio::time::Instant;

use super::{
    Pipeline, RejectionStage, State,
    saving::{Durable, Saving},
    task::EngineError,
    window::Window,
};
use crate::{
    checkpoint::Checkpoint,
    error::Error,
    registry::{DynSink, DynSource},
    retry::Backoff,
    sink::{Flushed, Rejection},
};

/// A pipeline with its sink open.
pub(super) struct Driver<'a> {
    pipeline: &'a mut Pipeline,
    sink: Box<dyn DynSink>,
    window: Window,
    backoff: Backoff,
    saving: Saving,
}

impl<'a> Driver<'a> {
    /// Runs until stopped, until the source ends, or until an operator must act; closes the sink.
    pub(super) async fn run(
        pipeline: &'a mut Pipeline,
        sink: Box<dyn DynSink>,
        backoff: Backoff,
    ) -> Result<(), Error> {
        let mut driver =
            Self { pipeline, sink, window: Window::default(), backoff, saving: Saving::default() };
        let result = driver.sources().await;
        if driver.saving.is_under_way() {
            driver.saving.answered().await; // Or it would overtake whoever reads or sets the position next.
        }
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
        // A source that ended and then failed to acknowledge may have left one: it would come after the source's start.
        self.settle(None).await?;
        if self.saving.saved.is_none() {
            self.saving.saved = self.pipeline.load().await?;
        }
        let mut source = self.pipeline.opener.source(self.saving.saved.clone()).await?;
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
            let admitted = tokio::select! {
                biased;
                () = stop.cancelled() => return self.finish(Some(source)).await,
                () = self.saving.answered() => self.acknowledge(Some(source)).await.map(|()| None),
                () = self.window.due(policy) => {
                    self.flush().await?;
                    continue;
                }
                batch = source.next_batch() => match batch {
                    Ok(Some(batch)) => self.pipeline.admit(batch, &mut self.window).map(Some),
                    Ok(None) => return self.finish(Some(source)).await,
                    Err(error) => Err(error),
                },
            };
            match admitted {
                Ok(Some(first)) => self.write(first).await?,
                Ok(None) => continue,
                Err(error) => {
                    self.finish(None).await?;
                    return Err(error);
                }
            }
            if self.window.is_full(policy) {
                self.flush().await?;
            }
        }
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

    /// Flushes, then has the position saved; [`Self::acknowledge`] comes when it is: never in another order.
    async fn flush(&mut self) -> Result<(), Error> {
        let Some(_) = self.window.opened else { return self.flush_refused().await };
        let since = Instant::now();
        let position = self.window.position.take();
        let checkpoint = position.map(|position| Checkpoint::new(&self.pipeline.connector, position));
        let flushed = self.flush_sink(checkpoint.as_ref()).await?;
        let refused = self.refuse(flushed.rejected);
        self.window.clear();
        refused?;
        self.flush_refused().await?;
        self.backoff.reset();
        self.pipeline.status.publish(State::Running);
        if let Some(checkpoint) = checkpoint {
            let durable = Durable { checkpoint, stored: flushed.checkpoint_stored, since };
            self.saving.save(durable, self.pipeline.checkpoints.as_ref());
        }
        Ok(())
    }

    /// Takes the store's answer: acknowledges what is saved, or tries again.
    async fn acknowledge(&mut self, source: Option<&mut (dyn DynSource + '_)>) -> Result<(), Error> {
        match self.saving.take_saved(self.pipeline.checkpoints.as_ref()) {
            Ok(Some(durable)) => {
                if let Some(source) = source {
                    source.acknowledge(&durable.checkpoint.position).await?;
                }
                self.pipeline.count_flush(durable.since);
            }
            Ok(None) => {}
            Err(error) => {
                self.pipeline.pause(&mut self.backoff, error).await?;
                self.saving.start_waiting(self.pipeline.checkpoints.as_ref());
            }
        }
        Ok(())
    }

    /// Flushes what there is and waits until its position is saved and acknowledged.
    async fn finish(&mut self, source: Option<&mut (dyn DynSource + '_)>) -> Result<(), Error> {
        self.flush().await?;
        self.settle(source).await
    }

    /// Waits until no position is on its way to the store.
    async fn settle(&mut self, mut source: Option<&mut (dyn DynSource + '_)>) -> Result<(), Error> {
        while self.saving.is_under_way() {
            self.saving.answered().await;
            self.acknowledge(source.as_deref_mut()).await?;
        }
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
