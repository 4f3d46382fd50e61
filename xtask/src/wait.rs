//! Waiting for a condition, with a limit.

use std::thread;
use std::time::{Duration, Instant};

/// How long to rest between two looks: short against every start-up here, long against the cost of a look.
const REST: Duration = Duration::from_millis(25);

/// Asks until an answer comes or the limit is over; `None` means that it is over. Asks at least once.
pub(crate) fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::park_timeout(REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_once_even_without_time() {
        assert_eq!(until(Duration::ZERO, || Some(7)), Some(7));
    }

    #[test]
    fn gives_up_at_the_limit() {
        assert_eq!(until(Duration::from_millis(30), || None::<()>), None);
    }
}
