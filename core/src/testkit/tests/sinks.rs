use crate::{
    checkpoint::Checkpoint,
    error::Error,
    record::Record,
    sink::{Flushed, Sink},
    testkit::{
        SinkHarness, Violation,
        memory::{MemorySink, MemoryTable, TestError, text_record},
        sink::{self, State},
    },
};

/// What a sink does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Nothing,
    /// A flush says that all is durable and keeps it in memory.
    FlushesNothing,
    /// A record that is written again changes the state.
    CountsDuplicates,
    /// What was in flight when a flush failed is taken for written when it comes again.
    SkipsWhatFailed,
    /// A passing fault is one for an operator.
    StopsOnPassingFaults,
    /// Faults are swallowed.
    SwallowsFaults,
    /// Places are counted from the opening on.
    CountsFromOpening,
    /// A rejection is reported by every flush.
    RepeatsRejections,
    /// Flushing nothing fails.
    FailsEmptyFlush,
    /// The second close fails.
    FailsSecondClose,
}

struct Harness {
    table: MemoryTable,
    defect: Defect,
}

struct BrokenSink {
    inner: MemorySink,
    table: MemoryTable,
    defect: Defect,
    flushed: usize,
    in_flight: Vec<Record>,
    failed: bool,
    rejected: Vec<usize>,
    closed: bool,
}

impl Sink for BrokenSink {
    async fn write(&mut self, batch: &[Record]) -> Result<(), Error> {
        if self.defect == Defect::SkipsWhatFailed && self.failed {
            return Ok(());
        }
        self.in_flight.extend_from_slice(batch);
        if self.defect != Defect::CountsDuplicates {
            return self.inner.write(batch).await;
        }
        let seen = self.table.rows();
        let changed: Vec<_> = batch
            .iter()
            .map(|record| match seen.contains_key(crate::testkit::memory::key_text(record)) {
                true => text_record("t", crate::testkit::memory::key_text(record), Some("again")),
                false => record.clone(),
            })
            .collect();
        self.inner.write(&changed).await
    }

    async fn flush(&mut self, checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        let written = std::mem::take(&mut self.in_flight).len();
        match self.defect {
            Defect::FlushesNothing => return Ok(Flushed::default()),
            Defect::FailsEmptyFlush if written == 0 => return Err(TestError::stop()),
            _ => {}
        }
        let mut flushed = match (self.inner.flush(checkpoint).await, self.defect) {
            (Err(_), Defect::StopsOnPassingFaults) => return Err(TestError::stop()),
            (Err(_), Defect::SwallowsFaults) => return Ok(Flushed::default()),
            (Err(error), _) => {
                self.failed = true;
                return Err(error);
            }
            (Ok(flushed), _) => flushed,
        };
        if self.defect == Defect::CountsFromOpening {
            flushed.rejected.iter_mut().for_each(|rejection| rejection.index += self.flushed);
        }
        if self.defect == Defect::RepeatsRejections {
            self.rejected.extend(flushed.rejected.drain(..).map(|rejection| rejection.index));
            let again = |index: &usize| crate::sink::Rejection { index: *index, error: TestError::reject() };
            flushed.rejected = self.rejected.iter().map(again).collect();
        }
        self.flushed += written;
        Ok(flushed)
    }

    async fn close(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.closed, true) && self.defect == Defect::FailsSecondClose {
            return Err(TestError::stop());
        }
        self.inner.close().await
    }
}

impl SinkHarness for Harness {
    type Sink = BrokenSink;

    async fn open(&self) -> Result<BrokenSink, Error> {
        Ok(BrokenSink {
            inner: self.table.open(),
            table: self.table.clone(),
            defect: self.defect,
            flushed: 0,
            in_flight: Vec::new(),
            failed: false,
            rejected: Vec::new(),
            closed: false,
        })
    }

    fn records(&self) -> Vec<Record> {
        let value = |key, value| text_record("t", key, value);
        vec![value("a", Some("1")), value("b", Some("2")), value("a", Some("3")), value("c", None)]
    }

    fn expected(&self) -> State {
        [("a", "3"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    async fn state(&self) -> State {
        self.table.rows()
    }

    fn refused(&self) -> Option<Record> {
        Some(text_record("t", "d", Some("refused")))
    }

    async fn disturb(&self) -> bool {
        self.table.fail_flush(TestError::retry());
        true
    }
}

fn harness(defect: Defect) -> Harness {
    let table = MemoryTable::default();
    table.refuse("refused");
    Harness { table, defect }
}

fn violation(result: Result<(), Violation>) -> String {
    result.expect_err("the defect is seen").0
}

mod sound {
    use super::{Defect, harness};

    crate::sink_conformance!(harness(Defect::Nothing));
}

#[tokio::test]
async fn flush_of_nothing_durable_is_seen() {
    let result = sink::flushed_is_durable(&harness(Defect::FlushesNothing)).await;

    assert!(violation(result).starts_with("after write and flush the target holds {}"));
}

#[tokio::test]
async fn sink_that_counts_duplicates_is_seen() {
    let result = sink::written_twice_is_written_once(&harness(Defect::CountsDuplicates)).await;

    assert!(violation(result).contains("again in another window"));
}

#[tokio::test]
async fn window_lost_after_an_error_is_seen() {
    let check = |defect| async move {
        let harness = harness(defect);
        violation(sink::flush_after_error_writes_all(&harness).await)
    };

    assert!(check(Defect::SkipsWhatFailed).await.contains("written again the target holds {}"));
    assert!(check(Defect::StopsOnPassingFaults).await.contains("not of class retry"));
    assert!(check(Defect::SwallowsFaults).await.contains("was not reported"));
}

#[tokio::test]
async fn wrong_rejections_are_seen() {
    let check = |defect| async move {
        let harness = harness(defect);
        violation(sink::rejection_names_its_record(&harness).await)
    };

    assert!(check(Defect::CountsFromOpening).await.contains("the flush names [6]"));
    assert!(check(Defect::RepeatsRejections).await.contains("record 2 was refused"));
}

#[tokio::test]
async fn failing_empty_flush_is_seen() {
    assert!(
        violation(sink::empty_flush_succeeds(&harness(Defect::FailsEmptyFlush)).await).contains("unexpected")
    );
}

#[tokio::test]
async fn failing_second_close_is_seen() {
    assert!(violation(sink::close_twice(&harness(Defect::FailsSecondClose)).await).contains("second close"));
}
