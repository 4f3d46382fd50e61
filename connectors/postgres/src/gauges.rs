//! The source's metrics, set once per batch.

use metrics::{Counter, Gauge};
use sluice_core::metrics as names;

use crate::types::temporal::EPOCH_MICROS;

/// Handles on the metrics of one connector.
pub(crate) struct Gauges {
    lag_seconds: Gauge,
    lag_bytes: Gauge,
    buffer: Gauge,
    spooled: Counter,
    unchanged: Counter,
}

impl Gauges {
    pub(crate) fn new(connector: &str) -> Self {
        let connector = || connector.to_owned();
        Self {
            lag_seconds: metrics::gauge!(names::SOURCE_LAG_SECONDS, "connector" => connector()),
            lag_bytes: metrics::gauge!(names::SOURCE_LAG_BYTES, "connector" => connector()),
            buffer: metrics::gauge!(names::TRANSACTION_BUFFER_BYTES, "connector" => connector()),
            spooled: metrics::counter!(names::TRANSACTION_SPOOL_BYTES, "connector" => connector()),
            unchanged: metrics::counter!(names::UPDATES_UNCHANGED, "connector" => connector()),
        }
    }

    /// A transaction was read: when it committed (µs since 2000), the clock (ns since 1970), and how
    /// much of it was in a file.
    pub(crate) fn transaction(&self, commit_micros: i64, now: i64, spooled: u64) {
        let lag = now / 1000 - commit_micros.saturating_add(EPOCH_MICROS);
        self.lag_seconds.set((lag.max(0) as f64) / 1e6);
        if spooled > 0 {
            self.spooled.increment(spooled);
        }
    }

    /// Bytes of WAL that were received and not handed over, bytes held for open transactions, and how many updates
    /// without a change were dropped since the last time.
    pub(crate) fn stream(&self, lag: u64, buffered: usize, unchanged: u64) {
        self.lag_bytes.set(lag as f64);
        self.buffer.set(buffered as f64);
        if unchanged > 0 {
            self.unchanged.increment(unchanged);
        }
    }
}
