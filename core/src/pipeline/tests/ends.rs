//! How a pipeline ends: told to, by the source, by an error.

use std::time::Duration;

use super::world::World;
use crate::{
    checkpoint::Checkpoint,
    error::Error,
    pipeline::{Opener, State},
    record::Record,
    registry::{BoxFuture, DynSink, DynSource},
    sink::{Flushed, Rejection, Sink},
    testkit::memory::{Entry, MemoryLog, TestError},
};

#[tokio::test(start_paused = true)]
async fn stop_flushes_saves_and_acknowledges() {
    let world = World::new();
    world.feed(&["a"]);
    let (pipeline, status) = world.pipeline();
    let running = tokio::spawn(pipeline.run());
    world.until("write a").await;

    world.stop.cancel();
    running.await.unwrap().unwrap();

    assert_eq!(
        world.journal.entries(),
        ["open 0", "write a", "flush", "save 1", "acknowledge 1", "close source", "close sink"]
    );
    assert_eq!(*status.borrow(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn stop_without_records_only_closes() {
    let world = World::new();
    let running = world.start();
    world.until("open 0").await;

    world.stop.cancel();
    running.await.unwrap().unwrap();

    assert_eq!(world.journal.entries(), ["open 0", "close source", "close sink"]);
}

#[tokio::test(start_paused = true)]
async fn stop_does_not_wait_for_a_sink_that_fails() {
    let world = World::new();
    (0..1000).for_each(|_| world.table.fail_write(TestError::retry()));
    world.feed(&["a"]);
    let running = world.start();
    world.until("failed write a").await;

    let stopped = tokio::time::Instant::now();
    world.stop.cancel();
    running.await.unwrap().unwrap();

    assert!(stopped.elapsed() < world.flush.shutdown_timeout);
    assert_eq!(world.saved(), None);
}

#[tokio::test(start_paused = true)]
async fn ended_source_ends_the_pipeline() {
    let world = World::new();
    world.log.append(Entry::End);
    let (pipeline, status) = world.pipeline();

    pipeline.run().await.unwrap();

    assert_eq!(*status.borrow(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn stop_error_of_the_source_keeps_what_came_before() {
    let world = World::new();
    world.feed(&["a"]);
    world.log.append(Entry::failure(TestError::stop()));
    let (pipeline, status) = world.pipeline();

    let error = pipeline.run().await.unwrap_err();

    assert_eq!(error.code(), "test.told_to");
    assert_eq!(world.saved(), Some(1));
    assert!(matches!(&*status.borrow(), State::Failed { cause } if cause.contains("somebody must act")));
}

#[tokio::test(start_paused = true)]
async fn stop_error_of_the_sink_saves_nothing() {
    let world = World::new();
    world.feed(&["a"]);
    world.log.append(Entry::End);
    world.table.fail_flush(TestError::stop());

    world.run().await.unwrap_err();

    assert_eq!(world.saved(), None);
    assert_eq!(world.journal_of(&["close"]), ["close source", "close sink"]);
}

#[tokio::test(start_paused = true)]
async fn temporary_error_ends_the_pipeline_once_its_retries_are_used_up() {
    let world = World { max_retries: Some(2), ..World::new() };
    (0..3).for_each(|_| world.table.fail_write(TestError::retry()));
    world.feed(&["a"]);

    world.run().await.unwrap_err();

    assert_eq!(world.journal_of(&["failed write"]).len(), 3);
    assert_eq!(world.saved(), None);
}

#[tokio::test(start_paused = true)]
async fn state_shows_retrying_and_then_running() {
    let world = World::new();
    world.feed(&["a"]);
    world.table.fail_write(TestError::retry());
    let (pipeline, mut status) = world.pipeline();
    let running = tokio::spawn(pipeline.run());

    status.wait_for(|state| matches!(state, State::Retrying { attempt: 1, .. })).await.unwrap();
    status.wait_for(|state| *state == State::Running).await.unwrap();

    running.abort();
}

/// Hangs in its flush, or names a record that it was not given.
struct OddSink {
    hangs: bool,
}

impl Sink for OddSink {
    async fn write(&mut self, _batch: &[Record]) -> Result<(), Error> {
        Ok(())
    }

    async fn flush(&mut self, _checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let rejected = vec![Rejection { index: 7, error: TestError::reject() }];
        Ok(Flushed { rejected, checkpoint_stored: false })
    }

    async fn close(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

struct OddOpener {
    log: MemoryLog,
    hangs: bool,
}

impl Opener for OddOpener {
    fn source(
        &self,
        _position: Option<serde_json::Value>,
    ) -> BoxFuture<'_, Result<Box<dyn DynSource>, Error>> {
        Box::pin(async { Ok(Box::new(self.log.open(None, 2)) as Box<dyn DynSource>) })
    }

    fn sink(&self) -> BoxFuture<'_, Result<Box<dyn DynSink>, Error>> {
        Box::pin(async { Ok(Box::new(OddSink { hangs: self.hangs }) as Box<dyn DynSink>) })
    }
}

#[tokio::test(start_paused = true)]
async fn stop_gives_up_on_a_flush_that_hangs() {
    let world = World::new();
    world.feed(&["a"]);
    let (mut pipeline, _status) = world.pipeline();
    pipeline.opener = Box::new(OddOpener { log: world.log.clone(), hangs: true });
    let running = tokio::spawn(pipeline.run());
    tokio::time::sleep(Duration::from_secs(1)).await;

    let stopped = tokio::time::Instant::now();
    world.stop.cancel();
    running.await.unwrap().unwrap();

    assert!(stopped.elapsed() >= world.flush.shutdown_timeout);
    assert_eq!(world.saved(), None);
}

#[tokio::test(start_paused = true)]
async fn rejection_of_a_record_that_was_not_written_stops_without_a_panic() {
    let world = World::new();
    world.feed(&["a"]);
    world.log.append(Entry::End);
    let (mut pipeline, _status) = world.pipeline();
    pipeline.opener = Box::new(OddOpener { log: world.log.clone(), hangs: false });

    let error = pipeline.run().await.unwrap_err();

    assert_eq!(error.code(), "pipeline.unknown_record");
    assert_eq!(world.saved(), None);
}
