//! The HTTP listener: `/metrics` for Prometheus and `/health` for probes.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State as Shared, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, json};
use sluice_core::pipeline::{State, StatusReader};
use tokio_util::sync::CancellationToken;

/// What the routes look at.
pub(crate) struct Api {
    /// Renders the metrics.
    pub(crate) metrics: PrometheusHandle,
    /// State of each connector, by name.
    pub(crate) connectors: Vec<(String, StatusReader)>,
}

/// A listener that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}` (property `listeners`)")]
pub(crate) struct ListenError {
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// Opens the listener and serves until `stop`.
pub(crate) async fn serve(address: SocketAddr, api: Api, stop: CancellationToken) -> Result<(), ListenError> {
    let failed = |source| ListenError { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    tracing::info!(address = %listener.local_addr().map_err(failed)?, "listening");
    let router = Router::new()
        .route("/metrics", get(render_metrics))
        .route("/health", get(health))
        .with_state(Arc::new(api));
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(error = %error, "http listener ended");
        }
    });
    Ok(())
}

async fn render_metrics(Shared(api): Shared<Arc<Api>>) -> String {
    api.metrics.run_upkeep();
    api.metrics.render()
}

/// 200 while every connector runs or tries, 503 while one starts, 500 once one has failed.
async fn health(Shared(api): Shared<Arc<Api>>) -> impl IntoResponse {
    let states: Vec<(&str, State)> =
        api.connectors.iter().map(|(name, state)| (name.as_str(), state.borrow().clone())).collect();
    let (code, status) = match &states {
        states if states.iter().any(|(_, state)| matches!(state, State::Failed { .. })) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "unhealthy")
        }
        states if states.iter().any(|(_, state)| *state == State::Starting) => {
            (StatusCode::SERVICE_UNAVAILABLE, "starting")
        }
        _ => (StatusCode::OK, "healthy"),
    };
    let connectors: Map<_, _> = states
        .into_iter()
        .map(|(name, state)| {
            let cause = match &state {
                State::Failed { cause } | State::Retrying { cause, .. } => Some(cause.clone()),
                _ => None,
            };
            (name.to_owned(), json!({ "state": state.name(), "cause": cause }))
        })
        .collect();
    (code, Json(json!({ "status": status, "connectors": connectors })))
}
