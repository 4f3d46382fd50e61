//! The Python that Airflow and Spark's Python side run on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::doctor::on_path;

/// The name under which every source of Python has this version: the lock files are made for no other.
const PROGRAM: &str = "python3.11";

/// A CPython 3.11 that can make virtual environments.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    /// The interpreter itself, not a wrapper that picks one.
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

impl Python {
    /// Finds the first `python3.11` on the path that works and has `venv` with `pip`.
    ///
    /// # Errors
    /// Fails when there is none; the error says what will do.
    pub(crate) fn find() -> anyhow::Result<Self> {
        on_path(PROGRAM).find_map(|program| Self::at(&program)).with_context(|| {
            format!(
                "find {PROGRAM} with venv; install python3.11-venv, or put any CPython 3.11 on the PATH as {PROGRAM}"
            )
        })
    }

    fn at(program: &Path) -> Option<Self> {
        const QUESTION: &str =
            "import ensurepip, platform, sys, venv; print(platform.python_version(), sys.executable)";
        let output = Command::new(program).args(["-I", "-c", QUESTION]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (version, program) = text.trim_end().split_once(' ')?;
        Some(Self { program: program.into(), version: version.to_owned() })
    }
}

/// Makes a command of a program in a virtual environment.
pub(crate) fn command(environment: &Path, program: &str) -> Command {
    let mut command = Command::new(environment.join("bin").join(program));
    // The sources belong to the checkout; what is compiled does not.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
