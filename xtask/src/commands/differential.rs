//! `cargo xtask differential`: Sluice beside Debezium in Kafka Connect, on the same Postgres, and what both write compared.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::{cargo, metadata, root};
use crate::doctor::{self, Purpose};
use crate::ports::Port;
use crate::process::Server;
use crate::report::step;
use crate::servers::connect;
use crate::stack::{Stack, StackOptions};

/// The page that `--page` writes.
const PAGE: &str = "docs/compatibility.md";

/// What the command line says about the cases.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run only the cases whose names contain this.
    filter: Option<String>,
    /// The major version of Postgres.
    #[arg(long, default_value = "17", value_parser = ["17"])]
    postgres: String,
    /// Write docs/compatibility.md from what ran.
    #[arg(long, conflicts_with = "filter")]
    page: bool,
    /// Run this many cases made by chance instead; each tells the seed that makes it again.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["filter", "page", "seed"])]
    random: Option<u64>,
    /// Run the case that this seed makes.
    #[arg(long, conflicts_with_all = ["filter", "page"])]
    seed: Option<u64>,
    /// Show what Debezium wrote, too.
    #[arg(long)]
    show: bool,
    /// How many cases run at once.
    #[arg(long, default_value = "2")]
    jobs: usize,
}

/// Builds Sluice, starts the servers and a Connect worker, and runs the cases of `tests/differential`.
///
/// # Errors
/// Fails when a program is missing, a server does not start, or anything differs that is not known to.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    doctor::require(Purpose::Sluice, false, false)?;
    step("build", || cargo(&["build", "--locked", "-p", "sluice-cdc", "-p", "sluice-differential"]))?;
    let metadata = metadata()?;
    let programs = Path::new(metadata["target_directory"].as_str().context("find cargo's target folder")?);
    let programs = programs.join("debug");
    let only = ["postgres", "kafka", "registry"].map(str::to_owned).into();
    let stack = step("servers", || Stack::start(&StackOptions { only, ..StackOptions::default() }))?;
    let connect = connect::blueprint(stack.setting(), Port::free()?, &stack.bootstrap_servers())?;
    let connect = Server::new(connect);
    step("connect worker", || connect.start())?;

    let mut command = Command::new(programs.join("sluice-differential"));
    command.current_dir(root()).args(&arguments.filter);
    command.args(["--jobs", &arguments.jobs.to_string(), "--postgres", &stack.postgres_config("postgres")]);
    command.args(["--kafka", &stack.bootstrap_servers()]);
    command.args(["--registry", &format!("http://127.0.0.1:{}", stack.registry.port())]);
    command.args(["--connect", &format!("http://127.0.0.1:{}", connect.port())]);
    command.arg("--sluice").arg(programs.join("sluice"));
    for (flag, number) in [("--random", arguments.random), ("--seed", arguments.seed)] {
        command.args(number.iter().flat_map(|number| [flag.to_owned(), number.to_string()]));
    }
    if arguments.show {
        command.arg("--show");
    }
    if arguments.page {
        command.args(["--page", PAGE]);
    }
    step(&format!("cases on Postgres {}", arguments.postgres), || {
        let status = command.status().context("run sluice-differential")?;
        ensure!(status.success(), "the two differ; each difference is shown above");
        Ok(())
    })
}
