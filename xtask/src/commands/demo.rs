//! `cargo xtask demo`: the whole pipeline with real servers, from an empty machine to rows in Cassandra.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};

use super::{build_release, root};
use crate::account::{self, Account};
use crate::ports::Port;
use crate::process::{Blueprint, Launch, Lifetime, Server, Signal};
use crate::report::{say, step};
use crate::servers::Tuning;
use crate::stack::{Ports, Stack, StackOptions};
use crate::{doctor, http};

/// Where the data goes when root's checkout is closed to the account that runs Postgres.
const SHARED_DIRECTORY: &str = "/var/tmp/sluice-demo";
/// The database of the users workload.
const DATABASE: &str = "users";
/// Where `sluice` listens, as its settings say.
const SLUICE_PORT: u16 = 8083;
/// The password that `postgres-init/` gives to the replication role of developers' machines.
const REPLICATION_PASSWORD: &str = "sluice";
/// The settings of the process, for the well-known ports.
const WORKER: &str = "config/worker.properties";
/// The connectors that the demo runs.
const CONNECTORS: [&str; 2] = ["config/users-source.properties", "config/users-sink.properties"];

/// What the command line says about the demo.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Check the pipeline once and end, instead of feeding it until ctrl-c.
    #[arg(long)]
    once: bool,
    /// Leave the servers and Sluice running; `cargo xtask down` stops them.
    #[arg(long)]
    keep: bool,
    /// How many rows to begin with.
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
}

/// Starts everything and runs the users workload on it; returns the workload's exit code.
///
/// # Errors
/// Fails when a program is missing, a build fails, or a server or Sluice does not start.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    doctor::require(false, false)?;
    let programs = step("build", build_release)?;
    let lifetime = if arguments.keep { Lifetime::Detached } else { Lifetime::Attached };
    let options = StackOptions {
        ports: Ports::WellKnown,
        directory: Some(directory()?),
        tuning: Tuning::Test,
        lifetime,
        only: Vec::new(),
    };
    let stack = step("servers", || Stack::start(&options))?;
    let workload = Workload { programs: &programs, stack: &stack };
    step("roles, table and publication", || workload.run(&["init"]).and_then(expect_success))?;
    let sluice = Server::new(sluice(&programs, &stack, lifetime)?);
    step("sluice", || sluice.start())?;

    let rows = arguments.rows.map(|rows| rows.to_string());
    let mut words = vec!["demo"];
    words.extend(arguments.once.then_some("--once"));
    words.extend(rows.iter().flat_map(|rows| ["--rows", rows]));
    let code = workload.run(&words)?;
    if arguments.keep {
        say(format_args!(
            "everything still runs, with logs in {}; stop it with: cargo xtask down",
            stack.directory().display()
        ));
    } else {
        sluice.stop()?;
        stack.stop()?;
    }
    Ok(ExitCode::from(code))
}

/// The folder with the demo's data: in the checkout, and ignored by git.
///
/// # Errors
/// Fails when the accounts cannot be read.
pub(crate) fn directory() -> anyhow::Result<PathBuf> {
    let directory = root().join(".sluice/demo");
    let closed = Account::unprivileged()?.is_some() && account::barrier(&root()).is_some();
    Ok(if closed { SHARED_DIRECTORY.into() } else { directory })
}

/// The program that writes the users and compares the two databases.
struct Workload<'a> {
    programs: &'a Path,
    stack: &'a Stack,
}

impl Workload<'_> {
    /// Runs the program at the terminal and returns its exit code.
    fn run(&self, words: &[&str]) -> anyhow::Result<u8> {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(self.programs.join("sluice-users")).args(words);
        command.args(["--postgres", &self.stack.postgres_config(DATABASE)]);
        command.args(["--kafka", &self.stack.bootstrap_servers(), "--registry", &self.stack.registry_url()]);
        command.args(["--cassandra", &self.stack.cassandra_address()]);
        command.args(["--sluice", &format!("http://127.0.0.1:{SLUICE_PORT}")]);
        let status = command.current_dir(root()).status().context("run sluice-users")?;
        // A shell's way to tell the end by a signal.
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
        Ok(u8::try_from(code).unwrap_or(1))
    }
}

fn expect_success(code: u8) -> anyhow::Result<()> {
    ensure!(code == 0, "sluice-users ended with code {code}");
    Ok(())
}

/// Sluice itself, which keeps its positions in its own folder beside the servers'.
fn sluice(programs: &Path, stack: &Stack, lifetime: Lifetime) -> anyhow::Result<Blueprint> {
    let folder = stack.directory().join("sluice");
    fs::create_dir_all(&folder).context("make sluice's folder")?;
    let mut arguments: Vec<OsString> = vec!["run".into(), "--worker".into(), root().join(WORKER).into()];
    arguments.extend(CONNECTORS.map(|file| root().join(file).into_os_string()));
    let addresses = stack.environment().into_iter().map(|(name, value)| (name, value.into()));
    let password = ("POSTGRES_REPLICATION_PASSWORD", REPLICATION_PASSWORD.into());
    Ok(Blueprint {
        name: "sluice",
        port: Port::exactly("sluice", SLUICE_PORT)?,
        inner_ports: Vec::new(),
        directory: stack.directory().to_owned(),
        first: None,
        launch: Launch {
            program: programs.join("sluice"),
            arguments,
            environment: addresses.chain([password]).collect(),
            directory: folder,
            account: None,
            lifetime,
            stop: Signal::Term,
            abandon: Signal::Term,
        },
        probe: |port| {
            // Any answer will do: a connector that fails to start is for the workload to tell.
            http::request(port, "GET", "/health", "").map(drop)
        },
    })
}
