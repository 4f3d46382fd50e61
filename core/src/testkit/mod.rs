//! The conformance kit that every connector runs, and the in-memory doubles that the engine's own tests use.
//!
//! A connector's tests implement [`SinkHarness`] or [`SourceHarness`] — how to open it, how to feed and
//! observe the system behind it — and let a macro make one test of each check:
//!
//! ```ignore
//! sluice_core::sink_conformance!(TableHarness::fresh().await);
//! ```
//!
//! The harness expression runs once per test, in its async context, and must give a fresh, empty target.
//!
//! | check | holds when |
//! |---|---|
//! | [`sink::flushed_is_durable`] | after a flush all is there, though the sink is dropped without a close |
//! | [`sink::written_twice_is_written_once`] | the same records again end in the same state |
//! | [`sink::flush_after_error_writes_all`] | after a failure the whole window, written again, is there |
//! | [`sink::rejection_names_its_record`] | a refused record is named by its place since the last flush, and only it |
//! | [`sink::empty_flush_succeeds`] | nothing written is flushed at once |
//! | [`sink::close_twice`] | the second close does nothing |
//! | [`source::resume_loses_nothing`] | from an acknowledged position on, all that came after it comes |
//! | [`source::unacknowledged_is_repeated`] | what was read but not acknowledged comes again |
//! | [`source::cancel_loses_nothing`] | dropping `next_batch` futures at any moment loses no record |
//! | [`source::close_twice`] | the second close does nothing |
//! | [`config::check_sink`], [`config::check_source`] | faults name their property and hold no secret |
//!
//! Checks return the [`Violation`] instead of panicking: the kit's own tests run each of them on a double
//! that is broken in just that way, and see it fail.

pub mod config;
mod macros;
pub mod memory;
pub mod sink;
pub mod source;
#[cfg(test)]
mod tests;

pub use sink::SinkHarness;
pub use source::SourceHarness;

use std::{fmt, time::Duration};

/// How long a check waits for records that must come: generous, since it only delays a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A promise that a connector does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

impl From<crate::Error> for Violation {
    fn from(error: crate::Error) -> Self {
        Self(format!("unexpected error: {}", error.report()))
    }
}

/// Ends a check with a violation unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::testkit::Violation(format!($($message)+)));
        }
    };
}
use ensure;
