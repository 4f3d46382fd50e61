//! `cargo xtask bench`: the micro-benchmarks, then the whole pipeline against servers tuned for throughput.

use std::process::Command;

use anyhow::{Context, ensure};

use super::{build_release, cargo, cargo_with, root};
use crate::doctor::{self, Purpose};
use crate::report::step;
use crate::servers::Tuning;
use crate::stack::{Stack, StackOptions};

/// Runs the benchmarks.
///
/// # Errors
/// Fails when a program is missing, a build or a benchmark fails, or a server does not start.
pub fn run() -> anyhow::Result<()> {
    doctor::require(Purpose::Sluice, false, false)?;
    let programs = step("build", build_release)?;
    step("build of the micro-benchmarks", || cargo(&["bench", "--workspace", "--locked", "--no-run"]))?;
    let options = StackOptions { tuning: Tuning::Bench, ..StackOptions::default() };
    let stack = step("servers", || Stack::start(&options))?;
    step("micro-benchmarks", || {
        cargo_with(&stack.test_environment(), &["bench", "--workspace", "--locked", "--benches"])
    })?;
    step("pipeline", || {
        let mut command = Command::new(programs.join("sluice-users"));
        command.arg("bench").current_dir(root()).envs(stack.environment());
        command
            .env("SLUICE_POSTGRES", stack.postgres_config("users"))
            .env("SLUICE_KAFKA", stack.bootstrap_servers());
        command
            .env("SLUICE_REGISTRY", stack.registry_url())
            .env("SLUICE_CASSANDRA", stack.cassandra_address());
        let status = command.status().context("run sluice-users")?;
        ensure!(status.success(), "sluice-users bench: {status}");
        Ok(())
    })
}
