//! How many users a client may ask for: the service's limit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Users per client and window.
pub(super) const LIMIT: u64 = 20_000;
/// Length of a window. Windows are the same for all clients and begin at the start of the server.
pub(super) const WINDOW: Duration = Duration::from_secs(300);

/// Users asked for in the present window, by client.
#[derive(Debug, Default)]
pub(super) struct Quota {
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    number: u64,
    users: HashMap<String, u64>,
}

impl Quota {
    /// Counts the users of a request that comes `uptime` after the start of the server.
    ///
    /// A client below the limit gets all that it asks for: the request that crosses the limit is still served.
    ///
    /// # Errors
    ///
    /// Says how many users the client has had if the limit is reached; the request is not counted then.
    pub(super) fn charge(&self, client: &str, users: u32, uptime: Duration) -> Result<(), u64> {
        let number = uptime.as_secs() / WINDOW.as_secs();
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.number != number {
            *window = Window { number, users: HashMap::new() };
        }
        let counted = window.users.entry(client.to_owned()).or_default();
        if *counted >= LIMIT {
            return Err(*counted);
        }
        *counted += u64::from(users);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_that_crosses_the_limit_is_served_and_the_next_is_not() {
        let quota = Quota::default();

        assert_eq!(quota.charge("a", 19_999, Duration::ZERO), Ok(()));
        assert_eq!(quota.charge("a", 5_000, Duration::ZERO), Ok(()));
        assert_eq!(quota.charge("a", 1, Duration::ZERO), Err(24_999));
    }

    #[test]
    fn clients_are_counted_apart() {
        let quota = Quota::default();
        quota.charge("a", 20_000, Duration::ZERO).unwrap();

        assert_eq!(quota.charge("b", 1, Duration::ZERO), Ok(()));
    }

    #[test]
    fn windows_are_fixed_and_do_not_slide() {
        let quota = Quota::default();
        let end = WINDOW - Duration::from_millis(1);
        quota.charge("a", 20_000, end).unwrap();

        assert_eq!(quota.charge("a", 1, end), Err(20_000));
        assert_eq!(quota.charge("a", 1, WINDOW), Ok(()));
    }
}
