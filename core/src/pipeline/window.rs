//! What was written since the last flush.
//!
//! Hot path.

use serde_json::Value as Json;
use tokio::time::Instant;

use super::FlushPolicy;
use crate::record::Record;

/// Records that are written but not known to be durable; kept so that they can be written again.
///
/// Holds no more than [`FlushPolicy::max_records`] and [`FlushPolicy::max_bytes`], passed by one batch at the most.
#[derive(Default)]
pub(super) struct Window {
    /// In the order in which the sink got them; rejections name their places.
    pub(super) records: Vec<Record>,
    /// Newest position that a batch carried; what came after it is repeated by a restart.
    pub(super) position: Option<Json>,
    /// Size as the source counts it.
    pub(super) bytes: usize,
    /// When its first batch came; none while there is nothing to flush.
    pub(super) opened: Option<Instant>,
}

impl Window {
    /// Takes the position and the size of a batch whose records are in.
    pub(super) fn advance(&mut self, position: Option<Json>, bytes: usize) {
        self.position = position.or(self.position.take());
        self.bytes += bytes;
        if self.position.is_some() || !self.records.is_empty() {
            self.opened.get_or_insert_with(Instant::now);
        }
    }

    pub(super) fn is_full(&self, policy: FlushPolicy) -> bool {
        self.records.len() >= policy.max_records || self.bytes >= policy.max_bytes
    }

    /// Waits until the window is too old; for ever while there is nothing to flush. Cancel-safe.
    pub(super) async fn due(&self, policy: FlushPolicy) {
        match self.opened {
            Some(opened) => tokio::time::sleep_until(opened + policy.interval).await,
            None => std::future::pending().await,
        }
    }

    /// Starts the next window and keeps the memory for it.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.position = None;
        self.bytes = 0;
        self.opened = None;
    }
}
