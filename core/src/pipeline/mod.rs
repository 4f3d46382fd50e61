//! A pipeline: source → transforms → sink, driven by one loop.
//!
//! ```text
//! Source::next_batch → [transforms, predicates] → Sink::write   … until size or time, then
//! Sink::flush → CheckpointStore::save → Source::acknowledge
//! ```
//!
//! [`driver`] is the only place that orders these steps and the only one that retries. [`task`] holds what
//! a pipeline is made of, starts and stops it; [`saving`] keeps the
//! store busy beside the driver, [`errors`] decides about records that are refused; [`status`] shows what goes on.

mod admit;
mod chain;
mod driver;
mod errors;
mod saving;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod window;

pub use chain::{Chain, Stage};
pub use errors::{DeadLetter, DeadLetters, ErrorPolicy, RejectedError, RejectionStage, Tolerance};
pub use status::{State, StatusReader, StatusWriter};
pub use task::{FlushPolicy, Opener, Pipeline};
