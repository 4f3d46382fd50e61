//! `sluice-users`: the program that writes the users, and proves what became of them.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, ensure};

use crate::commands::root;
use crate::stack::Stack;

/// The database of the users.
const DATABASE: &str = "users";

/// The built programs of the workspace.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Cargo's folder that holds them.
    folder: PathBuf,
}

impl Programs {
    /// Finds the programs in a folder of cargo's.
    ///
    /// # Errors
    /// Fails when one was not built.
    pub fn within(folder: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let programs = Self { folder: folder.into() };
        for program in [programs.sluice(), programs.users()] {
            ensure!(
                program.exists(),
                "`{}` is not built; build it with: cargo build -p sluice-cdc -p sluice-users",
                program.display()
            );
        }
        Ok(programs)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sluice.
    pub(crate) fn sluice(&self) -> PathBuf {
        self.folder.join("sluice")
    }

    /// The users workload.
    pub(crate) fn users(&self) -> PathBuf {
        self.folder.join("sluice-users")
    }
}

/// The workload's program, told where the servers are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) stack: &'a Stack,
    /// Where Sluice listens.
    pub(crate) sluice_port: u16,
}

impl Workload<'_> {
    /// Runs a command at the terminal and returns its exit code.
    pub(crate) fn run(&self, words: &[&str]) -> anyhow::Result<u8> {
        let status = self.command(words).status().context("run sluice-users")?;
        // A shell's way to tell the end by a signal.
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
        Ok(u8::try_from(code).unwrap_or(1))
    }

    /// Runs a command that must succeed and returns what it printed on standard output.
    pub(crate) fn output(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.command(words).stdin(Stdio::null()).output().context("run sluice-users")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        expect_success(output.status).with_context(|| format!("{words:?}: {errors}"))?;
        String::from_utf8(output.stdout).context("read what sluice-users printed")
    }

    /// The command, which ends with this process.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(self.programs.users()).args(words);
        command.args(["--postgres", &self.stack.postgres_config(DATABASE)]);
        command.args(["--kafka", &self.stack.bootstrap_servers(), "--registry", &self.stack.registry_url()]);
        command.args(["--cassandra", &self.stack.cassandra_address()]);
        command.args(["--sluice", &format!("http://127.0.0.1:{}", self.sluice_port)]);
        command.current_dir(root());
        command
    }
}

fn expect_success(status: ExitStatus) -> anyhow::Result<()> {
    ensure!(status.success(), "sluice-users: {status}");
    Ok(())
}
