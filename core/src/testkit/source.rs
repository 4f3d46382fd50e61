//! What every source must keep.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use super::{PATIENCE, Violation, ensure};
use crate::{error::Error, record::Record, source::Source};

/// How a source's test opens the source and feeds the system behind it.
pub trait SourceHarness: Send + Sync {
    /// The source.
    type Source: Source;

    /// Opens the source at a position, or at its start.
    fn open(
        &self,
        position: Option<<Self::Source as Source>::Position>,
    ) -> impl Future<Output = Result<Self::Source, Error>> + Send;

    /// Makes the system produce events, each one resumable by itself, and returns their identities in order.
    fn produce(&self, count: usize) -> impl Future<Output = Vec<String>> + Send;

    /// Tells which produced event a record is; `None` for what else a source may send (tombstones, heartbeats).
    fn identify(&self, record: &Record) -> Option<String>;
}

type Position<H> = <<H as SourceHarness>::Source as Source>::Position;

/// Events read, and for each position the number of events that came with it or before.
struct Read<P> {
    events: Vec<String>,
    positions: Vec<(usize, P)>,
}

/// Opened again at an acknowledged position, the source sends all that came after that position, what
/// was produced meanwhile included.
///
/// # Errors
/// The violation.
pub async fn resume_loses_nothing(harness: &impl SourceHarness) -> Result<(), Violation> {
    let mut source = harness.open(None).await?;
    let mut produced = harness.produce(10).await;
    let read = read_until(harness, &mut source, &produced).await?;
    let half = read.positions.len() / 2;
    let (done, position) = read.positions.get(half).cloned().ok_or_else(no_position)?;
    for (_, earlier) in &read.positions[..=half] {
        source.acknowledge(&round_trip(earlier)?).await?;
    }
    source.close().await?;
    drop(source);

    produced.extend(harness.produce(5).await);
    let missing: Vec<_> =
        produced.iter().filter(|event| !read.events[..done].contains(event)).cloned().collect();
    let mut source = harness.open(Some(round_trip(&position)?)).await?;
    read_until(harness, &mut source, &missing).await?;
    source.close().await?;
    Ok(())
}

/// What was read but not acknowledged comes again after the source is dropped without a close, as a crash does.
///
/// # Errors
/// The violation.
pub async fn unacknowledged_is_repeated(harness: &impl SourceHarness) -> Result<(), Violation> {
    let mut source = harness.open(None).await?;
    let first = harness.produce(3).await;
    let read = read_until(harness, &mut source, &first).await?;
    let (done, position) = read.positions.last().cloned().ok_or_else(no_position)?;
    source.acknowledge(&round_trip(&position)?).await?;

    let mut second: Vec<_> =
        first.iter().filter(|event| !read.events[..done].contains(event)).cloned().collect();
    second.extend(harness.produce(5).await);
    read_until(harness, &mut source, &second).await?;
    drop(source);

    let mut source = harness.open(Some(round_trip(&position)?)).await?;
    read_until(harness, &mut source, &second).await?;
    source.close().await?;
    Ok(())
}

/// Dropping the future of `next_batch` at any moment loses no record.
///
/// # Errors
/// The violation.
pub async fn cancel_loses_nothing(harness: &impl SourceHarness) -> Result<(), Violation> {
    let mut source = harness.open(None).await?;
    let mut events = Vec::new();
    let mut produced = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for round in 0_u64.. {
        if round % 8 == 0 && produced.len() < 40 {
            produced.extend(harness.produce(8).await);
        }
        // From "polled once" to some milliseconds, so that each await inside is hit.
        let moment = Duration::from_micros(round * 370 % 5_000);
        let batch = match timeout(moment, source.next_batch()).await {
            Ok(batch) => batch?,
            Err(_) => None,
        };
        let records = batch.map(|batch| batch.records).unwrap_or_default();
        events.extend(records.iter().filter_map(|record| harness.identify(record)));
        let lost: Vec<_> = produced.iter().filter(|event| !events.contains(event)).collect();
        if lost.is_empty() && produced.len() >= 40 {
            break;
        }
        ensure!(
            Instant::now() < deadline,
            "cancelled reads lost {} of {}: {lost:?}",
            lost.len(),
            produced.len()
        );
    }
    source.close().await?;
    Ok(())
}

/// A second close does nothing.
///
/// # Errors
/// The violation.
pub async fn close_twice(harness: &impl SourceHarness) -> Result<(), Violation> {
    let mut source = harness.open(None).await?;
    let produced = harness.produce(1).await;
    read_until(harness, &mut source, &produced).await?;
    source.close().await?;
    let second = source.close().await;
    ensure!(second.is_ok(), "the second close failed: {second:?}");
    Ok(())
}

/// Reads until all of `awaited` and a position that covers them have come.
async fn read_until<H: SourceHarness>(
    harness: &H,
    source: &mut H::Source,
    awaited: &[String],
) -> Result<Read<Position<H>>, Violation> {
    let mut read = Read { events: Vec::new(), positions: Vec::new() };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let missing: Vec<_> = awaited.iter().filter(|event| !read.events.contains(event)).collect();
        let covered = read.positions.last().is_some_and(|(done, _)| *done == read.events.len());
        if missing.is_empty() && covered {
            return Ok(read);
        }
        let Ok(batch) = timeout_at(deadline, source.next_batch()).await else {
            return Err(Violation(match missing.len() {
                0 => "all events came, but no position after the last".to_owned(),
                count => format!("{count} of {} events did not come: {missing:?}", awaited.len()),
            }));
        };
        let Some(batch) = batch? else {
            return Err(Violation(format!("the source ended while it owed {missing:?}")));
        };
        let refused = batch.rejected.first().map(|(_, error)| error.report());
        ensure!(refused.is_none(), "the source refused a record of the harness: {refused:?}");
        read.events.extend(batch.records.iter().filter_map(|record| harness.identify(record)));
        read.positions.extend(batch.position.map(|position| (read.events.len(), position)));
    }
}

/// Passes a position through its text, as a checkpoint does.
fn round_trip<P: serde::Serialize + serde::de::DeserializeOwned>(position: &P) -> Result<P, Violation> {
    serde_json::to_string(position)
        .and_then(|text| serde_json::from_str(&text))
        .map_err(|error| Violation(format!("a position does not survive being saved: {error}")))
}

fn no_position() -> Violation {
    Violation("no batch carried a position".to_owned())
}
