//! Waiting between attempts: exponential back-off with full jitter.

use std::time::Duration;

/// First upper bound of a wait.
pub const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Upper bound that waits grow to: long enough to spare a sick server, short enough that recovery is seen soon.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// The waits of one series of failed attempts; a success starts a new one.
#[derive(Debug, Clone)]
pub struct Backoff {
    attempt: u32,
    max_delay: Duration,
}

impl Backoff {
    /// Starts a series whose waits grow from [`FIRST_DELAY`] to `max_delay`.
    pub fn new(max_delay: Duration) -> Self {
        Self { attempt: 0, max_delay }
    }

    /// Returns the next wait, drawn evenly from zero to a bound that doubles each time.
    pub fn next_delay(&mut self) -> Duration {
        let bound = self.bound();
        self.attempt = self.attempt.saturating_add(1);
        bound.mul_f64(fastrand::f64())
    }

    /// Returns how many waits were drawn.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }

    /// Starts over after a success.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    fn bound(&self) -> Duration {
        FIRST_DELAY.saturating_mul(1 << self.attempt.min(20)).min(self.max_delay)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(MAX_DELAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_never_pass_the_maximum() {
        let mut backoff = Backoff::new(Duration::from_secs(2));

        assert!((0..100).all(|_| backoff.next_delay() <= Duration::from_secs(2)));
        assert_eq!(backoff.attempts(), 100);
    }
}
