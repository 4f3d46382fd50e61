//! `cargo xtask demo`: the pipeline with real servers, from an empty machine to rows in Cassandra.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;

use super::{build_release, root};
use crate::account::{self, Account};
use crate::doctor::{self, Purpose};
use crate::downloads::Major;
use crate::pipeline::{Pace, Pipeline, Rehearsal};
use crate::process::{Lifetime, Server};
use crate::report::{answer, say, step};
use crate::servers::{Tuning, sluice};
use crate::stack::{Ports, Stack, StackOptions};
use crate::workload::{Programs, Workload};

/// Where the data goes when root's checkout is closed to the account that runs Postgres.
const SHARED_DIRECTORY: &str = "/var/tmp/sluice-demo";
/// What the command line says about the demo.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Check the pipeline once and end, instead of feeding it until ctrl-c.
    #[arg(long)]
    once: bool,
    /// Show the whole pipeline: people from Airflow, statistics by Spark. Needs Python 3.11.
    #[arg(long)]
    full: bool,
    /// Take Kafka 3.9 with ZooKeeper instead of the newest Kafka, which needs none.
    #[arg(long)]
    zookeeper: bool,
    /// Leave the servers and Sluice running; `cargo xtask down` stops them.
    #[arg(long)]
    keep: bool,
    /// How many rows to begin with.
    #[arg(long, value_name = "N", conflicts_with = "full")]
    rows: Option<u64>,
}

/// Starts everything and runs the users workload on it; returns the workload's exit code.
///
/// # Errors
/// Fails when a program is missing, a build fails, or a server or Sluice does not start.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let purpose = if arguments.full { Purpose::Pipeline } else { Purpose::Sluice };
    doctor::require(purpose, false, false)?;
    let programs = step("build", || Programs::within(build_release()?))?;
    let options = StackOptions {
        ports: Ports::WellKnown,
        directory: Some(directory(arguments.full, arguments.zookeeper)?),
        tuning: Tuning::Test,
        lifetime: arguments.lifetime(),
        only: Vec::new(),
        postgres: Major::default(),
        zookeeper: arguments.zookeeper,
        connect: false,
    };
    let stack = step("servers", || Stack::start(&options))?;
    let code = if arguments.full {
        full(arguments, &programs, &stack)?
    } else {
        plain(arguments, &programs, &stack)?
    };
    if arguments.keep {
        say(format_args!(
            "everything still runs, with logs in {}; stop it with: cargo xtask down",
            stack.directory().display()
        ));
    } else {
        stack.stop()?;
    }
    Ok(ExitCode::from(code))
}

impl Arguments {
    fn lifetime(&self) -> Lifetime {
        if self.keep { Lifetime::Detached } else { Lifetime::Attached }
    }
}

/// Sluice between its servers, fed by the workload's program.
fn plain(arguments: &Arguments, programs: &Programs, stack: &Stack) -> anyhow::Result<u8> {
    let port = Ports::WellKnown.take("sluice", 8083)?;
    let workload = Workload { programs, stack, sluice_port: port.number() };
    step("roles, table and publication", || {
        let code = workload.run(&["init"])?;
        ensure!(code == 0, "sluice-users ended with code {code}");
        Ok(())
    })?;
    let blueprint = sluice::blueprint(stack.setting(), &programs.sluice(), stack.environment(), port)?;
    let sluice = Server::new(blueprint);
    step("sluice", || sluice.start())?;

    let rows = arguments.rows.map(|rows| rows.to_string());
    let mut words = vec!["demo"];
    words.extend(arguments.once.then_some("--once"));
    words.extend(rows.iter().flat_map(|rows| ["--rows", rows]));
    let code = workload.run(&words)?;
    if !arguments.keep {
        sluice.stop()?;
    }
    Ok(code)
}

/// The whole pipeline, fed by Airflow.
fn full(arguments: &Arguments, programs: &Programs, stack: &Stack) -> anyhow::Result<u8> {
    let pace = if arguments.once { Pace::Rehearsal } else { Pace::Live };
    let pipeline = step("pipeline", || Pipeline::start(stack, programs, Ports::WellKnown, pace))?;
    for (name, address) in pipeline.addresses() {
        answer(format_args!("{name:<11}{address}"));
    }
    let code = if arguments.once {
        let rehearsal = Rehearsal::run(&pipeline)?;
        step("verification", || rehearsal.verify(&pipeline))?
    } else {
        pipeline.watch()?;
        0
    };
    if !arguments.keep {
        step("stop", || pipeline.stop())?;
    }
    Ok(code)
}

/// The folder with the data of one kind of demo: in the checkout, and ignored by git.
fn directory(full: bool, zookeeper: bool) -> anyhow::Result<PathBuf> {
    // Their data do not mix: other tables, other Kafka.
    let kind = [if full { "-full" } else { "" }, if zookeeper { "-zookeeper" } else { "" }].concat();
    let closed = Account::unprivileged()?.is_some() && account::barrier(&root()).is_some();
    Ok(if closed {
        format!("{SHARED_DIRECTORY}{kind}").into()
    } else {
        root().join(format!(".sluice/demo{kind}"))
    })
}

/// The folders of all kinds of demo that exist.
///
/// # Errors
/// Fails when the accounts cannot be read.
pub(crate) fn directories() -> anyhow::Result<Vec<PathBuf>> {
    let all = [(false, false), (true, false), (false, true), (true, true)];
    let all: Vec<PathBuf> =
        all.into_iter().map(|(full, zookeeper)| directory(full, zookeeper)).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|directory| directory.exists()).collect())
}
