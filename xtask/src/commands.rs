//! The commands of `cargo xtask`, and how they run cargo and the built programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::report::say;

pub mod bench;
pub mod demo;
pub mod differential;
pub mod down;
mod python;
pub mod servers;
pub mod test;

/// The repository's root: the folder that holds this crate, whichever crate of it cargo runs.
pub(crate) fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").exists());
    root.map_or_else(|| here.clone(), Path::to_owned)
}

/// Runs cargo in the repository's root and fails when it does.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    cargo_with(&[], arguments)
}

/// Runs cargo with more in its environment.
pub(crate) fn cargo_with(environment: &[(&str, String)], arguments: &[&str]) -> anyhow::Result<()> {
    say(format_args!("$ cargo {}", arguments.join(" ")));
    let mut command = cargo_command();
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    let status = command.status().context("run cargo")?;
    ensure!(status.success(), "cargo {}: {status}", arguments.join(" "));
    Ok(())
}

/// What cargo knows of the workspace, without what lies outside of it.
pub(crate) fn metadata() -> anyhow::Result<Value> {
    let output = cargo_command()
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .context("run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("parse cargo's metadata")
}

/// Builds the programs of the demo and the benchmark; returns the folder that holds them.
pub(crate) fn build_release() -> anyhow::Result<PathBuf> {
    cargo(&["build", "--release", "--locked", "-p", "sluice-cdc", "-p", "sluice-users"])?;
    Ok(target(&metadata()?)?.join("release"))
}

/// Cargo's folder of all that it builds.
pub(crate) fn target(metadata: &Value) -> anyhow::Result<PathBuf> {
    metadata["target_directory"].as_str().map(PathBuf::from).context("find cargo's target folder")
}

fn cargo_command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
