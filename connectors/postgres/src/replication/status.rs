//! When to report, and what: the one place that decides what the server is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::lsn::Lsn;

/// Between two reports, whoever asks for them. Keeps a consumer that acknowledges each row, and
/// a server that asks again and again while it shuts down, from filling the link.
const MIN_GAP: Duration = Duration::from_millis(10);

/// What the reader thread and the handles on it share.
#[derive(Debug, Default)]
pub(super) struct Positions {
    acknowledged: AtomicU64,
    received: AtomicU64,
}

impl Positions {
    /// Raises the acknowledged position; a lower one is ignored.
    pub(super) fn acknowledge(&self, lsn: Lsn) {
        self.acknowledged.fetch_max(lsn.as_u64(), Ordering::AcqRel);
    }

    /// Returns the highest position that the server has named.
    pub(super) fn received(&self) -> Lsn {
        Lsn::new(self.received.load(Ordering::Acquire))
    }

    pub(super) fn note_received(&self, lsn: Lsn) {
        self.received.fetch_max(lsn.as_u64(), Ordering::AcqRel);
    }

    /// Returns what may be reported: what is acknowledged, but nothing that was never sent.
    /// Postgres would believe it and lose data (reliability study, fact 3).
    fn reportable(&self) -> Lsn {
        let acknowledged = Lsn::new(self.acknowledged.load(Ordering::Acquire));
        acknowledged.min(self.received())
    }
}

/// The clock of status updates.
pub(super) struct StatusClock {
    positions: Arc<Positions>,
    interval: Duration,
    reported: Lsn,
    last: Instant,
    requested: bool,
}

impl StatusClock {
    /// Reports every `interval`, or twice per `wal_sender_timeout` if that is more often.
    pub(super) fn new(
        positions: Arc<Positions>,
        interval: Duration,
        wal_sender_timeout: Option<Duration>,
        now: Instant,
    ) -> Self {
        let half = wal_sender_timeout.map_or(interval, |timeout| timeout / 2);
        Self { positions, interval: interval.min(half), reported: Lsn::INVALID, last: now, requested: false }
    }

    /// Notes that the server wants to hear from us.
    pub(super) fn request(&mut self) {
        self.requested = true;
    }

    /// Tells whether a report is due.
    pub(super) fn due(&self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.last);
        let news = self.requested || self.positions.reportable() > self.reported;
        since >= self.interval || (news && since >= MIN_GAP)
    }

    /// Returns how long the thread may wait before it must look again.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.last);
        let news = self.requested || self.positions.reportable() > self.reported;
        let next = if news { MIN_GAP } else { self.interval };
        next.saturating_sub(since)
    }

    /// Returns the position to report now, and starts the clock again.
    pub(super) fn report(&mut self, now: Instant) -> Lsn {
        self.reported = self.reported.max(self.positions.reportable());
        self.last = now;
        self.requested = false;
        self.reported
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn clock(timeout: Option<Duration>) -> (Arc<Positions>, StatusClock, Instant) {
        let positions = Arc::new(Positions::default());
        let start = Instant::now();
        let clock = StatusClock::new(Arc::clone(&positions), INTERVAL, timeout, start);
        (positions, clock, start)
    }

    #[test]
    fn nothing_above_what_was_sent_is_ever_reported() {
        let (positions, mut clock, start) = clock(None);
        positions.note_received(Lsn::new(50));
        positions.acknowledge(Lsn::new(100));

        assert_eq!(clock.report(start), Lsn::new(50));
    }

    #[test]
    fn the_position_never_moves_back() {
        let (positions, mut clock, start) = clock(None);
        positions.note_received(Lsn::new(100));
        positions.acknowledge(Lsn::new(80));
        positions.acknowledge(Lsn::new(20));

        assert_eq!(clock.report(start), Lsn::new(80));
    }

    #[test]
    fn reports_come_twice_per_server_timeout() {
        let (_, clock, start) = clock(Some(Duration::from_secs(4)));

        assert!(!clock.due(start + Duration::from_millis(1999)));
        assert!(clock.due(start + Duration::from_secs(2)));
        assert_eq!(clock.wait(start), Duration::from_secs(2));
    }

    #[test]
    fn news_and_requests_are_reported_soon() {
        let (positions, mut clock, start) = clock(None);
        assert!(!clock.due(start + MIN_GAP));

        positions.note_received(Lsn::new(9));
        positions.acknowledge(Lsn::new(9));
        assert!(clock.due(start + MIN_GAP));
        clock.report(start);
        assert!(!clock.due(start + MIN_GAP));

        clock.request();
        assert!(clock.due(start + MIN_GAP));
        assert!(!clock.due(start + MIN_GAP / 2));
    }

    proptest! {
        #[test]
        fn reports_are_monotonic_and_covered(
            steps in prop::collection::vec((any::<bool>(), 0_u64..1000), 0..50),
        ) {
            let (positions, mut clock, start) = clock(None);
            let mut last = Lsn::INVALID;
            for (acknowledge, lsn) in steps {
                if acknowledge {
                    positions.acknowledge(Lsn::new(lsn));
                } else {
                    positions.note_received(Lsn::new(lsn));
                }
                let reported = clock.report(start);
                prop_assert!(reported >= last && reported <= positions.received());
                last = reported;
            }
        }
    }
}
