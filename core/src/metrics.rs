//! Names of the metrics, in one place. Labels: `connector`, and `task` where it is more than one.
//!
//! Counted locally and emitted once per batch, never per record.

/// Records taken from the source.
pub const RECORDS_READ: &str = "sluice_records_read_total";
/// Records handed to the sink, after the transforms.
pub const RECORDS_WRITTEN: &str = "sluice_records_written_total";
/// Records that a transform dropped.
pub const RECORDS_FILTERED: &str = "sluice_records_filtered_total";
/// Records that were refused and skipped or sent to the dead letter queue.
pub const RECORDS_REJECTED: &str = "sluice_records_rejected_total";
/// Flushes that ended with a saved position.
pub const FLUSHES: &str = "sluice_flushes_total";
/// Seconds from the beginning of a flush to the acknowledged position.
pub const FLUSH_SECONDS: &str = "sluice_flush_duration_seconds";
/// Attempts that failed and were repeated.
pub const RETRIES: &str = "sluice_retries_total";
/// State of a connector: 1 for the state in label `state`, 0 for the others.
pub const CONNECTOR_STATE: &str = "sluice_connector_state";
/// Seconds from the source's commit to the record's arrival at this pipeline.
pub const SOURCE_LAG_SECONDS: &str = "sluice_source_lag_seconds";
/// Bytes of log that the source still holds for us.
pub const SOURCE_LAG_BYTES: &str = "sluice_source_lag_bytes";
/// Bytes of transactions held in memory until their commit.
pub const TRANSACTION_BUFFER_BYTES: &str = "sluice_transaction_buffer_bytes";
/// Bytes of transactions spooled to disk.
pub const TRANSACTION_SPOOL_BYTES: &str = "sluice_transaction_spool_bytes_total";
/// Updates that the source left out because they change nothing captured.
pub const UPDATES_UNCHANGED: &str = "sluice_source_unchanged_updates_total";
/// Runs of `heartbeat.action.query` that failed.
pub const HEARTBEAT_QUERY_FAILURES: &str = "sluice_heartbeat_query_failures_total";
/// Requests of a sink that are in flight.
pub const SINK_IN_FLIGHT: &str = "sluice_sink_requests_in_flight";
/// Limit of a sink's requests in flight.
pub const SINK_LIMIT: &str = "sluice_sink_requests_limit";

/// Describes the metrics to the recorder, for the `# HELP` lines.
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(RECORDS_READ, "Records taken from the source");
    describe_counter!(RECORDS_WRITTEN, "Records handed to the sink, after the transforms");
    describe_counter!(RECORDS_FILTERED, "Records that a transform dropped");
    describe_counter!(RECORDS_REJECTED, "Records refused: skipped or sent to the dead letter queue");
    describe_counter!(FLUSHES, "Flushes that ended with a saved position");
    describe_histogram!(
        FLUSH_SECONDS,
        Unit::Seconds,
        "From the beginning of a flush to the acknowledged position"
    );
    describe_counter!(RETRIES, "Attempts that failed and were repeated");
    describe_gauge!(CONNECTOR_STATE, "1 for the connector's state in label `state`, 0 for the others");
    describe_gauge!(
        SOURCE_LAG_SECONDS,
        Unit::Seconds,
        "From the source's commit to the arrival of the record"
    );
    describe_gauge!(SOURCE_LAG_BYTES, Unit::Bytes, "Log that the source still holds for us");
    describe_gauge!(TRANSACTION_BUFFER_BYTES, Unit::Bytes, "Transactions held in memory until their commit");
    describe_counter!(TRANSACTION_SPOOL_BYTES, Unit::Bytes, "Transactions spooled to disk");
    describe_counter!(UPDATES_UNCHANGED, "Updates left out because they change nothing captured");
    describe_counter!(HEARTBEAT_QUERY_FAILURES, "Runs of heartbeat.action.query that failed");
    describe_gauge!(SINK_IN_FLIGHT, "Requests of a sink in flight");
    describe_gauge!(SINK_LIMIT, "Limit of a sink's requests in flight");
}
