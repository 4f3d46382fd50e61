//! `cargo xtask differential`: Sluice beside Debezium in Kafka Connect, on the same Postgres, and what both write compared.

use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::{cargo, metadata, root, target};
use crate::doctor::{self, Purpose};
use crate::downloads::Major;
use crate::report::step;
use crate::stack::{Stack, StackOptions};

/// The page that `--page` writes.
const PAGE: &str = "docs/compatibility.md";

/// How many cases run at once unless told otherwise: what two cores like.
const JOBS: &str = "4";
/// The cases made by chance that CI runs: the first ones.
const SEEDS: RangeInclusive<u64> = 1..=12;

/// What the command line says about the cases.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run only the cases whose names contain this.
    filter: Option<String>,
    /// The major version of Postgres.
    #[arg(long, value_enum, default_value_t)]
    postgres: Major,
    /// Write docs/compatibility.md from what ran.
    #[arg(long, conflicts_with = "filter")]
    page: bool,
    /// Run this many cases made by chance instead; each tells the seed that makes it again.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["filter", "page", "seed"])]
    random: Option<u64>,
    /// Run the cases that these seeds make.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["filter", "page"])]
    seed: Vec<u64>,
    /// Show what Debezium wrote, too.
    #[arg(long)]
    show: bool,
    /// How many cases run at once.
    #[arg(long, default_value = JOBS)]
    jobs: usize,
}

/// Builds Sluice, starts the servers and a Connect worker, and runs the cases of `tests/differential`.
///
/// # Errors
/// Fails when a program is missing, a server does not start, or anything differs that is not known to.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    doctor::require(Purpose::Sluice, false, false)?;
    step("build", || cargo(&["build", "--locked", "-p", "sluice-cdc", "-p", "sluice-differential"]))?;
    let programs = target(&metadata()?)?.join("debug");
    let only = ["postgres", "kafka", "registry"].map(str::to_owned).into();
    let options =
        StackOptions { only, connect: true, postgres: arguments.postgres, ..StackOptions::default() };
    let stack = step("servers", || Stack::start(&options))?;
    step(&format!("cases on Postgres {}", arguments.postgres), || {
        compare(&stack, &programs, &arguments.for_the_program())
    })
}

/// Runs every case, and the ones that [`SEEDS`] make, as CI does.
///
/// # Errors
/// Fails when anything differs that is not known to.
pub(crate) fn all(stack: &Stack, programs: &Path) -> anyhow::Result<()> {
    let jobs = ["--jobs".to_owned(), JOBS.to_owned()];
    compare(stack, programs, &jobs)?;
    let seeds: Vec<_> = SEEDS.map(|seed| format!("--seed={seed}")).collect();
    compare(stack, programs, &[&jobs[..], &seeds].concat())
}

/// Runs the built program against a stack that has a worker of Kafka Connect.
///
/// # Errors
/// Fails when anything differs that is not known to.
pub(crate) fn compare(stack: &Stack, programs: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let mut command = Command::new(programs.join("sluice-differential"));
    command.current_dir(root()).envs(stack.differential_environment()?).args(arguments);
    command.arg("--sluice").arg(programs.join("sluice"));
    let status = command.status().context("run sluice-differential")?;
    ensure!(status.success(), "the two differ; each difference is shown above");
    Ok(())
}

impl Arguments {
    /// What is left to the program that runs the cases.
    fn for_the_program(&self) -> Vec<String> {
        let mut arguments: Vec<String> = self.filter.iter().cloned().collect();
        arguments.extend(["--jobs".to_owned(), self.jobs.to_string()]);
        let numbers = self.random.iter().map(|count| ("--random", count));
        for (flag, number) in numbers.chain(self.seed.iter().map(|seed| ("--seed", seed))) {
            arguments.extend([flag.to_owned(), number.to_string()]);
        }
        if self.show {
            arguments.push("--show".to_owned());
        }
        if self.page {
            arguments.extend(["--page", PAGE].map(str::to_owned));
        }
        arguments
    }
}
