//! Logs on stderr and metrics for Prometheus.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line, for machines.
    Json,
}

/// Environment variable with the log filter, in `tracing`'s syntax.
pub(crate) const LOG_VARIABLE: &str = "SLUICE_LOG";

/// What is logged when nothing else is asked for: our own `info`, and warnings of the libraries. The balancer of
/// the Cassandra driver warns once per token and query plan of what is by intent: a preferred data centre.
const DEFAULT_FILTER: &str = "warn,scylla::policies::load_balancing=error,\
    sluice=info,sluice_core=info,sluice_postgres=info,sluice_kafka=info,sluice_cassandra=info";

/// Flush times from a millisecond to half a minute.
const FLUSH_BUCKETS: [f64; 10] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// Starts logging; a second call in one process does nothing.
pub(crate) fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(io::stderr);
    // Fails only when a subscriber is set already, and then logs go there.
    let _ = match format {
        LogFormat::Text => registry.with(layer.with_ansi(io::stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
}

/// Installs the recorder of metrics and returns what renders them.
pub(crate) fn metrics() -> Result<PrometheusHandle, BuildError> {
    let flushes = Matcher::Full(sluice_core::metrics::FLUSH_SECONDS.to_owned());
    let handle =
        PrometheusBuilder::new().set_buckets_for_metric(flushes, &FLUSH_BUCKETS)?.install_recorder()?;
    sluice_core::metrics::describe();
    Ok(handle)
}
