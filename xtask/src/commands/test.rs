//! `cargo xtask test`: everything that CI runs, in CI's order.

use serde_json::Value;

use super::{cargo, metadata};
use crate::report::step;
use crate::{dependencies, doctor};

/// The files of tests that start the servers: those of the servers themselves, then the end-to-end ones.
const WITH_SERVERS: [&str; 2] = ["servers", "e2e"];

/// What the command line says about the tests.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run only the tests that need no server.
    #[arg(long, conflicts_with = "e2e")]
    unit: bool,
    /// Run only the tests with servers, or those of them whose names contain FILTER.
    #[arg(long, value_name = "FILTER", num_args = 0..=1)]
    e2e: Option<Option<String>>,
}

/// Runs the checks and tests; without arguments all of them.
///
/// # Errors
/// Fails at the first step that fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    step("doctor", || doctor::require(false, false).map(drop))?;
    match (arguments.unit, &arguments.e2e) {
        (true, _) => unit(),
        (false, Some(filter)) => end_to_end(filter.as_deref()),
        (false, None) => {
            checks()?;
            unit()?;
            end_to_end(None)
        }
    }
}

fn checks() -> anyhow::Result<()> {
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("direction of dependencies", || dependencies::check(&metadata()?))?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

/// All tests that need no server; always for the whole workspace, so that features, and so builds, stay the same.
fn unit() -> anyhow::Result<()> {
    let integration = integration_tests(&metadata()?);
    let mut arguments = vec!["test", "--workspace", "--locked", "--lib", "--bins", "--examples"];
    arguments.extend(integration.iter().flat_map(|name| ["--test", name]));
    step("unit tests", || cargo(&arguments))?;
    step("examples in the documentation", || cargo(&["test", "--workspace", "--locked", "--doc"]))
}

fn end_to_end(filter: Option<&str>) -> anyhow::Result<()> {
    let mut arguments = vec!["test", "--workspace", "--locked"];
    arguments.extend(WITH_SERVERS.iter().flat_map(|name| ["--test", name]));
    arguments.push("--");
    arguments.extend(filter);
    step("tests with servers", || cargo(&arguments))
}

/// The names of all files of tests that start no servers, each once.
fn integration_tests(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| target["kind"] == serde_json::json!(["test"]));
    let mut names: Vec<String> = tests.filter_map(|test| test["name"].as_str().map(str::to_owned)).collect();
    names.retain(|name| !WITH_SERVERS.contains(&name.as_str()));
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
