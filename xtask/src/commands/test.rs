//! `cargo xtask test`: everything that CI runs, in CI's order.

use serde_json::Value;

use super::{cargo, cargo_with, differential, metadata, python, target};
use crate::dependencies;
use crate::doctor::{self, Purpose};
use crate::report::step;
use crate::stack::{Stack, StackOptions};
use crate::workload::Programs;

/// The files of tests that start servers of their own: those of the servers themselves, then the end-to-end ones.
const WITH_OWN_SERVERS: [&str; 2] = ["servers", "e2e"];

/// What the command line says about the tests.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run only the tests that need no server.
    #[arg(long, conflicts_with_all = ["e2e", "python"])]
    unit: bool,
    /// Run only the end-to-end tests, or those of them whose names contain FILTER.
    #[arg(long, value_name = "FILTER", num_args = 0..=1, conflicts_with = "python")]
    e2e: Option<Option<String>>,
    /// Run only what is not Rust: the checks and tests of airflow/, spark/ and tests/compose/.
    #[arg(long)]
    python: bool,
}

/// Runs the checks and tests; without arguments all of them.
///
/// # Errors
/// Fails at the first step that fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let purpose = if arguments.unit { Purpose::Sluice } else { Purpose::Pipeline };
    step("doctor", || doctor::require(purpose, false, false).map(drop))?;
    match arguments {
        Arguments { unit: true, .. } => unit(),
        Arguments { e2e: Some(filter), .. } => {
            programs()?;
            own_servers(&["e2e"], filter.as_deref())
        }
        Arguments { python: true, .. } => {
            other_checks()?;
            let programs = programs()?;
            let stack = step("servers", || Stack::start(&StackOptions::default()))?;
            python::suites(&stack, &programs)
        }
        _ => {
            checks()?;
            other_checks()?;
            unit()?;
            shared_servers(&programs()?)?;
            own_servers(&WITH_OWN_SERVERS, None)
        }
    }
}

fn checks() -> anyhow::Result<()> {
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("direction of dependencies", || dependencies::check(&metadata()?))?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn other_checks() -> anyhow::Result<()> {
    step("style of airflow/ and spark/", python::style)?;
    step("rules of the compose files", python::compose_rules)
}

/// Builds the programs as the tests do: built alone, some of their dependencies would have other features.
fn programs() -> anyhow::Result<Programs> {
    step("build", || cargo(&["test", "--workspace", "--locked", "--no-run", "--tests"]))?;
    Programs::within(target(&metadata()?)?.join("debug"))
}

/// All tests that need no server; always for the whole workspace, so that features, and so builds, stay the same.
fn unit() -> anyhow::Result<()> {
    step("unit tests", || cargo(&["test", "--workspace", "--locked", "--lib", "--bins"]))?;
    step("examples in the documentation", || cargo(&["test", "--workspace", "--locked", "--doc"]))
}

/// The crates' own tests, the differential, and the tests of the DAGs and of Spark's job, against one set of servers
/// whose addresses they read from the environment.
fn shared_servers(programs: &Programs) -> anyhow::Result<()> {
    let integration = integration_tests(&metadata()?);
    let mut arguments = vec!["test", "--workspace", "--locked"];
    arguments.extend(integration.iter().flat_map(|name| ["--test", name]));
    let options = StackOptions { connect: true, ..StackOptions::default() };
    let stack = step("servers", || Stack::start(&options))?;
    step("connectors against real servers", || cargo_with(&stack.test_environment(), &arguments))?;
    step("sluice beside debezium", || differential::all(&stack, programs.folder()))?;
    python::suites(&stack, programs)
}

fn own_servers(files: &[&str], filter: Option<&str>) -> anyhow::Result<()> {
    let mut arguments = vec!["test", "--workspace", "--locked"];
    arguments.extend(files.iter().flat_map(|name| ["--test", name]));
    arguments.push("--");
    arguments.extend(filter);
    step("end to end", || cargo(&arguments))
}

/// The names of all files of tests that start no servers of their own, each once.
fn integration_tests(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| target["kind"] == serde_json::json!(["test"]));
    let mut names: Vec<String> = tests.filter_map(|test| test["name"].as_str().map(str::to_owned)).collect();
    names.retain(|name| !WITH_OWN_SERVERS.contains(&name.as_str()));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn test_files_that_start_servers_are_left_out() {
        let target = |kind: &str, name: &str| json!({"kind": [kind], "name": name});
        let packages = json!([
            {"targets": [target("lib", "sluice"), target("test", "e2e"), target("test", "properties")]},
            {"targets": [target("test", "golden"), target("test", "properties"), target("bench", "decode")]},
        ]);

        assert_eq!(integration_tests(&json!({"packages": packages})), ["golden", "properties"]);
    }
}
