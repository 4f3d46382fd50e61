//! `sluice run` and `sluice check`.

use std::process::ExitCode;

use metrics_exporter_prometheus::BuildError;
use sluice_core::{config::Severity, error::Error};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::print_faults;
use crate::{
    api::{self, Api, ListenError},
    settings::Settings,
    telemetry,
    worker::{Plan, Worker},
};

/// Runs the planned connectors until told to stop or until all have ended.
pub(super) fn run(settings: Settings, plans: Vec<Plan>) -> ExitCode {
    with_runtime(async {
        match run_until_stopped(settings, plans).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    })
}

/// Checks the planned connectors against their systems.
pub(super) fn check(_settings: Settings, plans: Vec<Plan>) -> ExitCode {
    with_runtime(async {
        let mut good = true;
        for plan in plans {
            let mut faults = plan.warnings.clone();
            faults.extend(plan.check().await);
            good &= faults.iter().all(|fault| fault.severity == Severity::Warning);
            if faults.is_empty() {
                println!("{}: {} is ready to run", plan.path.display(), plan.name);
            } else {
                print_faults(&plan.path.display().to_string(), &faults);
            }
        }
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

pub(super) fn with_runtime(work: impl Future<Output = ExitCode>) -> ExitCode {
    match Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A client library's blocking call must not hold up the exit.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why the worker could not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("cannot install the metrics: {0}")]
    Metrics(#[from] BuildError),
    #[error("{}", .0.report())]
    Worker(Error),
    #[error("{error}: {}", source_of(error))]
    Listen { error: ListenError },
    #[error("cannot wait for signals: {0}")]
    Signals(#[from] std::io::Error),
}

fn source_of(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(String::new, ToString::to_string)
}

async fn run_until_stopped(settings: Settings, plans: Vec<Plan>) -> Result<bool, StartError> {
    let metrics = telemetry::metrics()?;
    let stop = CancellationToken::new();
    let worker = Worker::start(plans, &settings.worker, &stop).map_err(StartError::Worker)?;
    let api = Api { metrics, connectors: worker.states() };
    let listening = api::serve(settings.worker.listeners.0, api, stop.clone()).await;
    listening.map_err(|error| StartError::Listen { error })?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let signalled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        signalled.cancel();
    });
    Ok(worker.ended().await)
}
