//! `cargo xtask`: see [`xtask`].

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use xtask::doctor::Purpose;
use xtask::{commands, doctor};

/// Development tasks of Sluice.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Check the programs that building and testing need.
    Doctor {
        /// Install what is missing.
        #[arg(long)]
        yes: bool,
        /// Check also what `demo --full` and `test` need: Python.
        #[arg(long)]
        full: bool,
    },
    /// Run the real servers until ctrl-c and print their addresses.
    Servers(commands::servers::Arguments),
    /// Run everything that CI runs: checks, unit tests, Sluice beside Debezium, end-to-end tests.
    Test(commands::test::Arguments),
    /// Run Sluice beside Debezium and compare what they write.
    Differential(commands::differential::Arguments),
    /// Show the whole pipeline at work, with real servers on their well-known ports.
    Demo(commands::demo::Arguments),
    /// Stop what `demo --keep` left running.
    Down,
    /// Run the benchmarks.
    Bench,
}

fn main() -> ExitCode {
    run(&Task::parse()).unwrap_or_else(|error| {
        // With its causes, but without the backtrace that `Debug` would add: these are messages to people.
        let _ = writeln!(io::stderr(), "error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(task: &Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Doctor { yes, full } => {
            let purpose = if *full { Purpose::Pipeline } else { Purpose::Sluice };
            doctor::require(purpose, *yes, true).map(drop)?;
        }
        Task::Servers(arguments) => commands::servers::run(arguments)?,
        Task::Test(arguments) => commands::test::run(arguments)?,
        Task::Differential(arguments) => commands::differential::run(arguments)?,
        Task::Demo(arguments) => return commands::demo::run(arguments),
        Task::Down => commands::down::run()?,
        Task::Bench => commands::bench::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
