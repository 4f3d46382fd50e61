//! `cargo xtask`: see [`xtask`].

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
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
    },
    /// Run the real servers until ctrl-c and print their addresses.
    Servers(commands::servers::Arguments),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With its causes, but without the backtrace that `Debug` would add: these are messages to people.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Doctor { yes } => doctor::require(yes, true).map(drop),
        Task::Servers(arguments) => commands::servers::run(&arguments),
    }
}
