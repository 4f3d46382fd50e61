//! How many requests may be in flight: up while latency stays near its floor, down when it does not.
//!
//! Cassandra does not answer "overloaded" but reads sockets more slowly, so latency is the only honest
//! signal. On a 2-core node 64 requests in flight gave all the throughput there is; 1024 gave the same at 25
//! times the latency. The floor is measured anew every half minute with few requests in flight; without
//! that, a queue of our own making would become the new normal.

use std::time::{Duration, Instant};

/// Requests in flight to each node at the start.
pub(crate) const START_PER_NODE: usize = 64;
/// How long latencies are collected before the limit moves.
const WINDOW: Duration = Duration::from_millis(100);
/// How long a measured floor counts.
const FLOOR_AGE: Duration = Duration::from_secs(30);
/// Answers that a window needs to say anything.
const MIN_SAMPLES: u32 = 16;
/// Latency above the floor that is no queue: the timer's and the scheduler's noise.
const NOISE: Duration = Duration::from_millis(1);

/// Additive increase, multiplicative decrease on mean latency.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    least: usize,
    most: usize,
    floor: Option<Duration>,
    floor_until: Instant,
    probing: bool,
    window: Window,
}

#[derive(Debug)]
struct Window {
    opened: Instant,
    total: Duration,
    samples: u32,
    peak: usize,
}

impl Limiter {
    /// Starts with [`START_PER_NODE`] for each node, at most `most`.
    pub(crate) fn new(nodes: usize, most: usize, now: Instant) -> Self {
        let limit = (START_PER_NODE * nodes.max(1)).clamp(1, most.max(1));
        Self {
            limit,
            least: nodes.clamp(1, limit),
            most: most.max(1),
            floor: None,
            floor_until: now + FLOOR_AGE,
            probing: false,
            window: Window::open(now),
        }
    }

    /// Returns how many requests may be in flight now.
    pub(crate) fn limit(&self) -> usize {
        if self.probing { (self.limit / 4).max(self.least) } else { self.limit }
    }

    /// Learns of an answer.
    ///
    /// `in_flight` is how many requests were in flight with it: a limit that was not reached is not raised.
    pub(crate) fn observe(&mut self, latency: Duration, in_flight: usize, now: Instant) {
        self.window.total += latency;
        self.window.samples += 1;
        self.window.peak = self.window.peak.max(in_flight);
        if now.duration_since(self.window.opened) >= WINDOW {
            self.end_window(now);
        }
    }

    /// Learns that the servers could not keep up: a timeout, or "overloaded".
    pub(crate) fn overloaded(&mut self, now: Instant) {
        self.limit = (self.limit / 2).max(self.least);
        self.window = Window::open(now);
    }

    fn end_window(&mut self, now: Instant) {
        let window = std::mem::replace(&mut self.window, Window::open(now));
        if window.samples < MIN_SAMPLES {
            return;
        }
        let mean = window.total / window.samples;
        if self.probing {
            self.floor = Some(mean);
            self.floor_until = now + FLOOR_AGE;
            self.probing = false;
            return;
        }
        let floor = self.floor.map_or(mean, |floor| floor.min(mean));
        self.floor = Some(floor);
        if mean > floor * 2 + NOISE {
            self.limit = (self.limit - self.limit / 10).max(self.least);
        } else if window.peak >= self.limit {
            self.limit = (self.limit + (self.limit / 16).max(1)).min(self.most);
        }
        self.probing = now >= self.floor_until;
    }
}

impl Window {
    fn open(now: Instant) -> Self {
        Self { opened: now, total: Duration::ZERO, samples: 0, peak: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Server {
        limiter: Limiter,
        now: Instant,
    }

    impl Server {
        fn new(most: usize) -> Self {
            let now = Instant::now();
            Self { limiter: Limiter::new(1, most, now), now }
        }

        /// Answers for some windows with a latency that depends on what is in flight.
        fn serve(&mut self, windows: usize, latency: impl Fn(usize) -> Duration) {
            for _ in 0..windows {
                for _ in 0..20 {
                    self.now += WINDOW / 20;
                    let in_flight = self.limiter.limit();
                    self.limiter.observe(latency(in_flight), in_flight, self.now);
                }
            }
        }
    }

    #[test]
    fn grows_to_the_cap_while_latency_is_flat() {
        let mut server = Server::new(500);

        server.serve(100, |_| Duration::from_millis(2));

        assert_eq!(server.limiter.limit(), 500);
    }

    #[test]
    fn settles_where_the_server_begins_to_queue() {
        let mut server = Server::new(10_000);

        // 30 requests in a millisecond: the rest waits.
        server.serve(2_000, |in_flight| Duration::from_micros(1_000.max(in_flight as u64 * 33)));

        assert!((64..400).contains(&server.limiter.limit()), "{}", server.limiter.limit());
    }

    #[test]
    fn follows_a_server_that_becomes_slower_for_good() {
        let mut server = Server::new(500);
        server.serve(50, |_| Duration::from_millis(1));

        server.serve(1_000, |_| Duration::from_millis(20));

        assert_eq!(server.limiter.limit(), 500);
    }

    #[test]
    fn an_overloaded_server_halves_it_but_never_to_nothing() {
        let mut server = Server::new(500);

        (0..20).for_each(|_| server.limiter.overloaded(server.now));

        assert_eq!(server.limiter.limit(), 1);
    }

    #[test]
    fn does_not_grow_while_it_is_not_used() {
        let mut server = Server::new(500);

        for _ in 0..400 {
            server.now += WINDOW / 20;
            server.limiter.observe(Duration::from_millis(1), 3, server.now);
        }

        assert_eq!(server.limiter.limit(), START_PER_NODE);
    }
}
