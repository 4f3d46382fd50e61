//! Sluice as a library: [`run`] with a registry of your own makes a binary with your own connectors.

use std::process::ExitCode;

use sluice_core::registry::Registry;

pub mod connectors;

mod api;
mod cli;
mod settings;
mod takeover;
mod telemetry;
mod worker;

/// Runs the command line over the given connectors, transforms and predicates.
///
/// Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.
pub fn run(registry: &Registry) -> ExitCode {
    cli::run(registry)
}
