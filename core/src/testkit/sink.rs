//! What every sink must keep.

use std::{collections::BTreeMap, future::Future};

use super::{Violation, ensure};
use crate::{
    error::{Error, ErrorClass},
    record::Record,
    sink::{Flushed, Sink},
};

/// What readers of a target see: for each key the newest value, as text of the harness's own choice.
///
/// A deleted key is absent. For a target that only appends, each key's last entry.
pub type State = BTreeMap<String, String>;

/// How a sink's test opens the sink and looks at its target.
pub trait SinkHarness: Send + Sync {
    /// The sink.
    type Sink: Sink;

    /// Opens the sink on the harness's target, which keeps what earlier sinks wrote.
    fn open(&self) -> impl Future<Output = Result<Self::Sink, Error>> + Send;

    /// Returns records that the sink takes: three at the least, one key twice at the least, a delete if
    /// the sink knows deletes. The same ones on each call.
    fn records(&self) -> Vec<Record>;

    /// Returns the state after all of [`SinkHarness::records`], as known without the sink.
    fn expected(&self) -> State;

    /// Looks at the target, not at the sink.
    fn state(&self) -> impl Future<Output = State> + Send;

    /// Returns a record that the sink refuses for good; `None` for a sink that refuses nothing.
    fn refused(&self) -> Option<Record>;

    /// Makes the target fail the next write or flush, once, in a way that passes; answers `false`
    /// when it has no way to, and the check then only repeats the window.
    fn disturb(&self) -> impl Future<Output = bool> + Send {
        async { false }
    }
}

/// After a flush all records are durable, though the sink is dropped without a close.
///
/// # Errors
/// The violation.
pub async fn flushed_is_durable(harness: &impl SinkHarness) -> Result<(), Violation> {
    let mut sink = harness.open().await?;
    sink.write(&harness.records()).await?;
    flush(&mut sink).await?;
    drop(sink);

    expect_state(harness, "after write and flush").await
}

/// The same records written twice, in one window and in two, end in the same state.
///
/// # Errors
/// The violation.
pub async fn written_twice_is_written_once(harness: &impl SinkHarness) -> Result<(), Violation> {
    let records = harness.records();
    let mut sink = harness.open().await?;
    sink.write(&records).await?;
    sink.write(&records).await?;
    flush(&mut sink).await?;
    expect_state(harness, "after the records twice in one window").await?;

    sink.write(&records).await?;
    flush(&mut sink).await?;
    expect_state(harness, "after the records again in another window").await?;

    sink.close().await?;
    let mut sink = harness.open().await?;
    sink.write(&records).await?;
    flush(&mut sink).await?;
    expect_state(harness, "after the records again from a sink that was opened again").await
}

/// A failed write or flush is of class *retry*, and the whole window written again is there after a flush.
///
/// # Errors
/// The violation.
pub async fn flush_after_error_writes_all(harness: &impl SinkHarness) -> Result<(), Violation> {
    let records = harness.records();
    let mut sink = harness.open().await?;
    let disturbed = harness.disturb().await;
    let failed = match sink.write(&records).await {
        Ok(()) => sink.flush(None).await.err(),
        Err(error) => Some(error),
    };
    match failed {
        Some(error) if error.class() != ErrorClass::Retry => {
            return Err(Violation(format!("a passing fault is not of class retry: {}", error.report())));
        }
        None if disturbed => return Err(Violation("the fault of the target was not reported".to_owned())),
        _ => {}
    }
    sink.write(&records).await?;
    flush(&mut sink).await?;
    expect_state(harness, "after the window was written again").await
}

/// A refused record is named by its place among all since the last flush, over several writes; the others
/// are durable, and the next flush does not name it again.
///
/// # Errors
/// The violation.
pub async fn rejection_names_its_record(harness: &impl SinkHarness) -> Result<(), Violation> {
    let Some(refused) = harness.refused() else { return Ok(()) };
    let records = harness.records();
    let mut sink = harness.open().await?;
    // A first window, so that places counted from the opening on are found out.
    sink.write(&records).await?;
    flush(&mut sink).await?;

    sink.write(&records[..1]).await?;
    let mut second = vec![records[1].clone(), refused];
    second.extend_from_slice(&records[2..]);
    sink.write(&second).await?;
    let flushed = sink.flush(None).await?;

    let places: Vec<_> = flushed.rejected.iter().map(|rejection| rejection.index).collect();
    ensure!(places == [2], "the record at place 2 was refused, the flush names {places:?}");
    let class = flushed.rejected[0].error.class();
    ensure!(class == ErrorClass::Reject, "a refused record's error is of class {class:?}");
    flush(&mut sink).await?;
    expect_state(harness, "after a window with a refused record").await
}

/// A flush without records succeeds, twice.
///
/// # Errors
/// The violation.
pub async fn empty_flush_succeeds(harness: &impl SinkHarness) -> Result<(), Violation> {
    let mut sink = harness.open().await?;
    flush(&mut sink).await?;
    flush(&mut sink).await?;
    let state = harness.state().await;
    ensure!(state.is_empty(), "nothing was written, but the target holds {} keys", state.len());
    Ok(())
}

/// A second close does nothing, with records in flight and without.
///
/// # Errors
/// The violation.
pub async fn close_twice(harness: &impl SinkHarness) -> Result<(), Violation> {
    for records in [Vec::new(), harness.records()] {
        let mut sink = harness.open().await?;
        if !records.is_empty() {
            sink.write(&records).await?;
        }
        sink.close().await?;
        let second = sink.close().await;
        ensure!(second.is_ok(), "the second close failed: {second:?}");
    }
    Ok(())
}

async fn flush(sink: &mut impl Sink) -> Result<Flushed, Violation> {
    let flushed = sink.flush(None).await?;
    match flushed.rejected.first() {
        None => Ok(flushed),
        Some(rejection) => Err(Violation(format!(
            "record {} was refused, which the harness says is good: {}",
            rejection.index,
            rejection.error.report()
        ))),
    }
}

async fn expect_state(harness: &impl SinkHarness, when: &str) -> Result<(), Violation> {
    let (expected, state) = (harness.expected(), harness.state().await);
    ensure!(state == expected, "{when} the target holds {state:?}; expected {expected:?}");
    Ok(())
}
