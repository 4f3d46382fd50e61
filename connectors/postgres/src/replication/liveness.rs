//! Whether the server is still there, and whether it wants to go.

use std::time::{Duration, Instant};

/// Whether the server has been heard of in time.
pub(super) struct Liveness {
    timeout: Duration,
    heard: Instant,
    asked: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// It was silent for the timeout: ask it for a sign of life.
    Ask,
    /// It was silent for as long again.
    Dead,
}

impl Liveness {
    pub(super) fn new(timeout: Duration, now: Instant) -> Self {
        Self { timeout, heard: now, asked: false }
    }

    /// Returns how long the server may be silent in all.
    pub(super) fn limit(&self) -> Duration {
        self.timeout * 2
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = false;
    }

    pub(super) fn check(&mut self, now: Instant) -> Verdict {
        let silent = now.saturating_duration_since(self.heard);
        if silent >= self.limit() {
            return Verdict::Dead;
        }
        if silent >= self.timeout && !self.asked {
            self.asked = true;
            return Verdict::Ask;
        }
        Verdict::Fine
    }
}

/// Notices that the server is shutting down and waits for us.
///
/// A walsender ends only when all it sent is confirmed as flushed. Until then it asks for a
/// report, and asks again as soon as it has one. A consumer that stands still would so hold up
/// the shutdown for ever; after [`GRACE`] it is better to go. Nothing else makes a server ask that
/// often: it asks when it heard nothing for half of `wal_sender_timeout`.
#[derive(Default)]
pub(super) struct ShutdownWatch {
    /// Since when it asks, and how often it did.
    asking: Option<(Instant, u32)>,
}

/// What the consumer gets to acknowledge the rest.
const GRACE: Duration = Duration::from_millis(1500);
/// Far more than any timeout in use causes within [`GRACE`]; we answer some 20 a second.
const REQUESTS: u32 = 8;

impl ShutdownWatch {
    /// Notes that there are still changes to come.
    pub(super) fn changes(&mut self) {
        self.asking = None;
    }

    /// Notes a request for a report; `true` if the server is shutting down.
    pub(super) fn requested(&mut self, now: Instant) -> bool {
        let (since, requests) = self.asking.unwrap_or((now, 0));
        let asking_for = now.saturating_duration_since(since);
        self.asking = if asking_for < GRACE { Some((since, requests + 1)) } else { None };
        asking_for >= GRACE && requests >= REQUESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn a_silent_server_is_asked_once_and_then_given_up() {
        let start = Instant::now();
        let mut liveness = Liveness::new(TIMEOUT, start);

        assert_eq!(liveness.check(start), Verdict::Fine);
        assert_eq!(liveness.check(start + TIMEOUT), Verdict::Ask);
        assert_eq!(liveness.check(start + TIMEOUT), Verdict::Fine);
        assert_eq!(liveness.check(start + TIMEOUT * 2), Verdict::Dead);
    }

    #[test]
    fn a_sign_of_life_starts_the_clock_again() {
        let start = Instant::now();
        let mut liveness = Liveness::new(TIMEOUT, start);
        liveness.check(start + TIMEOUT);

        liveness.heard(start + TIMEOUT * 2);

        assert_eq!(liveness.check(start + TIMEOUT * 2), Verdict::Fine);
        assert_eq!(liveness.check(start + TIMEOUT * 3), Verdict::Ask);
    }

    fn requests(watch: &mut ShutdownWatch, start: Instant, every: Duration, count: u32) -> bool {
        (0..count).any(|request| watch.requested(start + every * request))
    }

    #[test]
    fn a_server_that_keeps_asking_is_shutting_down() {
        let mut watch = ShutdownWatch::default();

        assert!(requests(&mut watch, Instant::now(), Duration::from_millis(60), 30));
    }

    #[test]
    fn a_server_with_a_short_timeout_is_not_shutting_down() {
        let mut watch = ShutdownWatch::default();

        assert!(!requests(&mut watch, Instant::now(), Duration::from_millis(500), 100));
    }

    #[test]
    fn a_server_that_still_sends_changes_is_not_waiting_for_us() {
        let start = Instant::now();
        let mut watch = ShutdownWatch::default();

        for request in 0..100 {
            watch.changes();
            assert!(!watch.requested(start + Duration::from_millis(60) * request));
        }
    }
}
