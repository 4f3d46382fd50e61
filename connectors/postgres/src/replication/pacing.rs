//! Naps between reads while data is plenty.
//!
//! A walsender makes one system call per row, and each wakes a reader that sleeps in `read`. A
//! reader that lets some rows gather first spends a fifth of the time per row and, where both
//! ends share cores, lets the sender run faster. Only a flood is worth it: a nap costs up to its
//! length in latency, so none is taken unless data came faster than [`PLENTY`] for
//! [`RUN_BYTES`].

use std::time::{Duration, Instant};

/// Some 50,000 narrow rows a second. Below, a nap would gather too little to pay.
const PLENTY: u64 = 8 * 1024 * 1024;
/// About 100 narrow rows: no small transaction gets there, however quickly its parts arrive.
const RUN_BYTES: usize = 16 * 1024;
/// The kernel's timer adds about as much again. Naps above 400 µs lose throughput.
const NAP: Duration = Duration::from_micros(50);

pub(super) struct Pacer {
    enabled: bool,
    last_read: Instant,
    run: usize,
}

impl Pacer {
    pub(super) fn new(enabled: bool, now: Instant) -> Self {
        Self { enabled, last_read: now, run: 0 }
    }

    /// Notes a read that returned `bytes` at `now`, and says how long to nap before the next.
    pub(super) fn nap_after(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.last_read);
        self.last_read = now;
        if !self.enabled || !plenty(bytes, elapsed) {
            self.run = 0;
            return None;
        }
        self.run = self.run.saturating_add(bytes);
        (self.run >= RUN_BYTES).then_some(NAP)
    }
}

fn plenty(bytes: usize, elapsed: Duration) -> bool {
    bytes as u128 * 1_000_000 >= u128::from(PLENTY) * elapsed.as_micros()
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

    #[test]
    fn a_flood_is_paced_once_it_lasts() {
        let start = Instant::now();
        let mut pacer = Pacer::new(true, start);

        assert_eq!(pacer.nap_after(8 * 1024, at(start, 100)), None);
        assert_eq!(pacer.nap_after(8 * 1024, at(start, 200)), Some(NAP));
    }

    #[test]
    fn a_small_transaction_is_never_paced() {
        let start = Instant::now();
        let mut pacer = Pacer::new(true, start);

        for message in 1..20 {
            assert_eq!(pacer.nap_after(160, at(start, message)), None);
        }
    }

    #[test]
    fn pacing_ends_as_soon_as_data_gets_scarce() {
        let start = Instant::now();
        let mut pacer = Pacer::new(true, start);
        pacer.nap_after(64 * 1024, at(start, 100));

        assert_eq!(pacer.nap_after(160, at(start, 250)), None);
        assert_eq!(pacer.nap_after(8 * 1024, at(start, 300)), None);
    }

    #[test]
    fn pacing_can_be_switched_off() {
        let start = Instant::now();
        let mut pacer = Pacer::new(false, start);

        assert_eq!(pacer.nap_after(1024 * 1024, at(start, 1)), None);
    }
}
