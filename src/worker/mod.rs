//! The life of connectors in this process: planned from files, run side by side, stopped together.

mod opener;
mod plan;
mod properties;

use std::sync::Arc;

use opener::Ends;
pub(crate) use plan::{Direction, Plan, client_properties};
pub(crate) use properties::common;
use sluice_core::{
    checkpoint::{CheckpointStore, FileCheckpoints},
    error::Error,
    pipeline::{ErrorPolicy, FlushPolicy, Pipeline, StatusReader, StatusWriter},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{settings::WorkerSettings, takeover::Store};

/// Connectors that run.
pub(crate) struct Worker {
    tasks: JoinSet<(String, Result<(), Error>)>,
    states: Vec<(String, StatusReader)>,
}

impl Worker {
    /// Starts a pipeline for each plan.
    ///
    /// # Errors
    /// When the file of positions or a dead letter queue cannot be used; nothing has started then.
    pub(crate) fn start(
        plans: Vec<Plan>,
        settings: &WorkerSettings,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let checkpoints = FileCheckpoints::open(settings.offsets_file.as_ref())?;
        let mut worker = Self { tasks: JoinSet::new(), states: Vec::new() };
        let mut pipelines = Vec::new();
        for plan in plans {
            report(&plan);
            let (status, state) = StatusWriter::new(&plan.name);
            worker.states.push((plan.name.clone(), state));
            let connect = Store::of(&plan, settings)?;
            let ends = Ends { plan, connect };
            pipelines.push(pipeline(ends, settings, &checkpoints, status, stop.clone())?);
        }
        for pipeline in pipelines {
            let name = pipeline.connector.clone();
            worker.tasks.spawn(async move { (name, pipeline.run().await) });
        }
        Ok(worker)
    }

    /// Returns each connector's name and state.
    pub(crate) fn states(&self) -> Vec<(String, StatusReader)> {
        self.states.clone()
    }

    /// Waits until all connectors have ended; false if one failed.
    pub(crate) async fn ended(mut self) -> bool {
        let mut good = true;
        while let Some(joined) = self.tasks.join_next().await {
            match joined {
                Ok((connector, Ok(()))) => tracing::info!(connector, "connector stopped"),
                Ok((connector, Err(error))) => {
                    good = false;
                    tracing::error!(connector, code = error.code(), "connector failed: {}", error.report());
                }
                Err(panic) => {
                    good = false;
                    tracing::error!(error = %panic, "connector ended by a defect in sluice; please report it");
                }
            }
        }
        good
    }
}

fn report(plan: &Plan) {
    for fault in &plan.warnings {
        let (connector, property, code) = (&plan.name, &fault.property, fault.code);
        tracing::warn!(connector, property, code, "{}", fault.message);
    }
}

fn pipeline(
    ends: Ends,
    settings: &WorkerSettings,
    checkpoints: &FileCheckpoints,
    status: StatusWriter,
    stop: CancellationToken,
) -> Result<Pipeline, Error> {
    let plan = &ends.plan;
    let dead_letters = plan.dead_letters()?;
    // A sink connector's positions are the committed offsets of its consumer group.
    let checkpoints: Option<Arc<dyn CheckpointStore>> = match plan.direction {
        Direction::Source { .. } => Some(Arc::new(checkpoints.clone())),
        Direction::Sink { .. } => None,
    };
    Ok(Pipeline {
        connector: plan.name.clone(),
        chain: plan.chain.clone(),
        errors: ErrorPolicy::new(plan.tolerance, dead_letters),
        checkpoints,
        max_retries: plan.max_retries,
        flush: FlushPolicy {
            interval: settings.flush_interval.0,
            shutdown_timeout: settings.shutdown_timeout.0,
            ..FlushPolicy::default()
        },
        status,
        stop,
        opener: Box::new(ends),
    })
}
