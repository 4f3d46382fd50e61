use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    error::Error,
    record::Record,
    source::{Batch, Source},
    testkit::{
        SourceHarness, Violation,
        memory::{Entry, MemoryLog, MemoryPosition, MemorySource, TestError, key_text, text_record},
        source,
    },
};

/// What a source does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Nothing,
    /// Resumes one event too late.
    SkipsOne,
    /// Resumes at the end of the log.
    ResumesAtEnd,
    /// Takes records before an await, and forgets them when it is cancelled there.
    TakesBeforeAwait,
    /// Never carries a position.
    HasNoPosition,
    /// The second close fails.
    FailsSecondClose,
}

struct Harness {
    log: MemoryLog,
    produced: AtomicUsize,
    defect: Defect,
}

struct BrokenSource {
    inner: MemorySource,
    defect: Defect,
    closed: bool,
}

impl Source for BrokenSource {
    type Position = MemoryPosition;

    async fn next_batch(&mut self) -> Result<Option<Batch<MemoryPosition>>, Error> {
        let mut batch = self.inner.next_batch().await?;
        if self.defect == Defect::TakesBeforeAwait {
            tokio::task::yield_now().await;
        }
        if let (Some(batch), Defect::HasNoPosition) = (&mut batch, self.defect) {
            batch.position = None;
        }
        Ok(batch)
    }

    async fn acknowledge(&mut self, position: &MemoryPosition) -> Result<(), Error> {
        self.inner.acknowledge(position).await
    }

    async fn close(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.closed, true) && self.defect == Defect::FailsSecondClose {
            return Err(TestError::stop());
        }
        self.inner.close().await
    }
}

impl SourceHarness for Harness {
    type Source = BrokenSource;

    async fn open(&self, position: Option<MemoryPosition>) -> Result<BrokenSource, Error> {
        let position = position.map(|MemoryPosition { next }| match self.defect {
            Defect::SkipsOne => MemoryPosition { next: next + 1 },
            Defect::ResumesAtEnd => MemoryPosition { next: self.produced.load(Ordering::Relaxed) },
            _ => MemoryPosition { next },
        });
        Ok(BrokenSource { inner: self.log.open(position, 3), defect: self.defect, closed: false })
    }

    async fn produce(&self, count: usize) -> Vec<String> {
        let first = self.produced.fetch_add(count, Ordering::Relaxed);
        let events: Vec<_> = (first..first + count).map(|event| event.to_string()).collect();
        events.iter().for_each(|event| self.log.append(Entry::Record(text_record("t", event, Some("v")))));
        events
    }

    fn identify(&self, record: &Record) -> Option<String> {
        Some(key_text(record).to_owned())
    }
}

fn harness(defect: Defect) -> Harness {
    Harness { log: MemoryLog::default(), produced: AtomicUsize::new(0), defect }
}

fn violation(result: Result<(), Violation>) -> String {
    result.expect_err("the defect is seen").0
}

mod sound {
    use super::{Defect, harness};

    crate::source_conformance!(harness(Defect::Nothing));
}

#[tokio::test(start_paused = true)]
async fn event_lost_at_a_resume_is_seen() {
    assert!(
        violation(source::resume_loses_nothing(&harness(Defect::SkipsOne)).await).contains("1 of 6 events")
    );
}

#[tokio::test(start_paused = true)]
async fn unacknowledged_events_that_do_not_come_again_are_seen() {
    let result = source::unacknowledged_is_repeated(&harness(Defect::ResumesAtEnd)).await;

    assert!(violation(result).contains("5 of 5 events did not come"));
}

#[tokio::test(start_paused = true)]
async fn records_lost_by_a_cancelled_read_are_seen() {
    let result = source::cancel_loses_nothing(&harness(Defect::TakesBeforeAwait)).await;

    assert!(violation(result).contains("cancelled reads lost"));
}

#[tokio::test(start_paused = true)]
async fn source_without_positions_is_seen() {
    let result = source::resume_loses_nothing(&harness(Defect::HasNoPosition)).await;

    assert!(violation(result).contains("no position after the last"));
}

#[tokio::test(start_paused = true)]
async fn failing_second_close_is_seen() {
    assert!(
        violation(source::close_twice(&harness(Defect::FailsSecondClose)).await).contains("second close")
    );
}
