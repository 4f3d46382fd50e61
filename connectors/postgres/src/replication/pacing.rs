//! Naps between reads while data is plenty.
//!
//! A walsender makes one system call per row, and each wakes a reader that sleeps in `read`. A
//! reader that lets some rows gather first spends less time per row. Only a flood is worth it: a
//! nap costs up to its length in latency, so data fills a bucket that leaks at the rate of
//! [`PLENTY`], and naps are taken while there are [`FLOOD`] bytes in it.

use std::time::{Duration, Instant};

/// Bytes per second: some 50,000 narrow rows. Below, a nap would gather too little to pay.
const PLENTY: u64 = 8 * 1024 * 1024;
/// About 100 narrow rows above what leaks: no small transaction gets there.
const FLOOD: u64 = 16 * 1024;
/// How full the bucket gets: a flood that stops for 6 ms is over.
const FULL: u64 = 4 * FLOOD;
/// Measured on a quiet machine, loopback, 74-byte rows: 400,000 rows a second without naps, 610,000
/// with 100 µs, 730,000 with 200 µs; between hosts naps above 400 µs lose. The timer adds some
/// 60 µs. Where processes queue for the cores, naps save time but cost a fifth of the throughput.
const NAP: Duration = Duration::from_micros(200);

pub(super) struct Pacer {
    enabled: bool,
    last_read: Instant,
    level: u64,
}

impl Pacer {
    pub(super) fn new(enabled: bool, now: Instant) -> Self {
        Self { enabled, last_read: now, level: 0 }
    }

    /// Notes a read that returned `bytes` at `now`, and says how long to nap before the next.
    pub(super) fn nap_after(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.last_read);
        self.last_read = now;
        self.level = self.level.saturating_add(bytes as u64).min(FULL).saturating_sub(leaked(elapsed));
        (self.enabled && self.level >= FLOOD).then_some(NAP)
    }
}

fn leaked(elapsed: Duration) -> u64 {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    micros.saturating_mul(PLENTY) / 1_000_000
}

/// Sleeps. The one place where this project does: it was measured (design, section 5.1), and it
/// never happens on an idle stream.
#[allow(
    clippy::disallowed_methods,
    reason = "pacing of a flood; the reader blocks in read whenever data is not plenty"
)]
pub(super) fn nap(length: Duration) {
    std::thread::sleep(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    fn flooded(start: Instant) -> Pacer {
        let mut pacer = Pacer::new(true, start);
        for read in 1..=20 {
            pacer.nap_after(8 * 1024, at(start, read * 100));
        }
        pacer
    }

    #[test]
    fn a_flood_is_paced_once_it_lasts() {
        let start = Instant::now();
        let mut pacer = Pacer::new(true, start);

        assert_eq!(pacer.nap_after(8 * 1024, at(start, 100)), None);
        assert_eq!(pacer.nap_after(8 * 1024, at(start, 200)), None);
        assert_eq!(pacer.nap_after(8 * 1024, at(start, 300)), Some(NAP));
    }

    #[test]
    fn a_small_transaction_is_never_paced() {
        let start = Instant::now();
        let mut pacer = Pacer::new(true, start);

        for message in 1..80 {
            assert_eq!(pacer.nap_after(160, at(start, message)), None);
        }
    }

    #[test]
    fn a_hiccup_does_not_end_a_flood() {
        let start = Instant::now();
        let mut pacer = flooded(start);

        assert_eq!(pacer.nap_after(160, at(start, 4_000)), Some(NAP));
    }

    #[test]
    fn a_flood_that_stopped_is_over() {
        let start = Instant::now();
        let mut pacer = flooded(start);

        assert_eq!(pacer.nap_after(160, at(start, 10_000)), None);
    }

    #[test]
    fn pacing_can_be_switched_off() {
        let start = Instant::now();
        let mut pacer = Pacer::new(false, start);

        assert_eq!(pacer.nap_after(1024 * 1024, at(start, 1)), None);
    }
}
