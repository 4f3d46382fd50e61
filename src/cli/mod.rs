//! The command line.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the program talks to people")]

mod describe;
mod offsets;
mod run;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use sluice_core::{
    config::{Fault, Severity},
    registry::Registry,
};

use crate::{
    settings::{Settings, read_connector},
    telemetry::{self, LogFormat},
    worker::Plan,
};

/// Change data capture from Postgres to Kafka and Cassandra, wire compatible with Debezium.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, arg_required_else_help = true)]
struct Cli {
    /// What log lines on stderr look like; SLUICE_LOG filters them (such as `debug` or `sluice_kafka=trace`).
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the connectors of these files until SIGTERM or ctrl-c.
    Run(Files),
    /// Tell everything that is wrong with these files, without connecting to anything.
    Validate(Files),
    /// Connect to the systems that these files name and tell what is missing, with the statements to fix it.
    Check(Files),
    /// List connectors, transforms and predicates, or the properties of one of them.
    Describe {
        /// A connector, transform or predicate by its full or simple name, `worker` or `common`.
        name: Option<String>,
        /// How to show it.
        #[arg(long, value_enum, default_value = "text")]
        format: describe::Format,
    },
    /// Go on where Debezium stopped: save the offset that Kafka Connect keeps of a connector as its position.
    ImportOffsets(offsets::Import),
    /// Give a connector back to Debezium: write its position as Kafka Connect keeps offsets.
    ExportOffsets(offsets::Export),
    /// Print the version.
    Version,
}

#[derive(Debug, Args)]
struct Files {
    /// Worker settings in Kafka Connect's names; environment variables CONNECT_… and --set come on top.
    #[arg(long, value_name = "FILE")]
    worker: Option<PathBuf>,
    /// Sets a worker property, such as `bootstrap.servers=kafka:9092`.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Connector files: properties, flat JSON, or {"name", "config"} JSON.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// Wrong usage or configuration.
const EXIT_USAGE: u8 = 2;

/// Parses the arguments and does what they say.
pub(crate) fn run(registry: &Registry) -> ExitCode {
    let cli = Cli::parse();
    telemetry::log(cli.log_format);
    // Fails only if somebody installed a provider before, and then that one is used.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli.command {
        Command::Run(files) => with_plans(registry, &files, run::run),
        Command::Validate(files) => with_plans(registry, &files, |_, plans| {
            for plan in plans {
                let place = plan.path.display().to_string();
                if !plan.warnings.is_empty() {
                    print_faults(&place, &plan.warnings);
                }
                println!("{place}: {} is valid", plan.name);
            }
            ExitCode::SUCCESS
        }),
        Command::Check(files) => with_plans(registry, &files, run::check),
        Command::Describe { name, format } => describe::describe(registry, name.as_deref(), format),
        Command::ImportOffsets(import) => with_plans(registry, &import.files(), |settings, plans| {
            plans.iter().map(|plan| import.run(&settings, plan)).next().unwrap_or(ExitCode::SUCCESS)
        }),
        Command::ExportOffsets(export) => with_plans(registry, &export.files(), |settings, plans| {
            plans.iter().map(|plan| export.run(&settings, plan)).next().unwrap_or(ExitCode::SUCCESS)
        }),
        Command::Version => {
            println!("sluice {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
    }
}

/// Plans all files and goes on, or prints every fault of every file.
fn with_plans(
    registry: &Registry,
    files: &Files,
    go_on: impl FnOnce(Settings, Vec<Plan>) -> ExitCode,
) -> ExitCode {
    let settings = match Settings::load(files.worker.as_deref(), &files.set) {
        Ok(settings) => settings,
        Err(faults) => {
            let place =
                files.worker.as_ref().map_or("worker settings".to_owned(), |file| file.display().to_string());
            print_faults(&place, &faults);
            return EXIT_USAGE.into();
        }
    };
    let mut plans: Vec<Plan> = Vec::new();
    let mut faulty = false;
    for path in &files.files {
        let planned = read_connector(path)
            .map_err(|error| vec![Fault::from(error)])
            .and_then(|file| Plan::new(registry, &settings, file, Severity::Error))
            .and_then(|plan| unique(&plans, plan));
        match planned {
            Ok(plan) => plans.push(plan),
            Err(faults) => {
                faulty = true;
                print_faults(&path.display().to_string(), &faults);
            }
        }
    }
    if faulty { EXIT_USAGE.into() } else { go_on(settings, plans) }
}

fn unique(plans: &[Plan], plan: Plan) -> Result<Plan, Vec<Fault>> {
    match plans.iter().find(|other| other.name == plan.name) {
        None => Ok(plan),
        Some(other) => {
            let message =
                format!("`{}` is the name of the connector in `{}`, too", plan.name, other.path.display());
            Err(vec![Fault::new("config.duplicate_name", "name", message)])
        }
    }
}

fn print_faults(place: &str, faults: &[Fault]) {
    let warnings = faults.iter().filter(|fault| fault.severity == Severity::Warning).count();
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let counts = [counted(faults.len() - warnings, "fault"), counted(warnings, "warning")];
    eprintln!("{place}: {}", counts.into_iter().flatten().collect::<Vec<_>>().join(" and "));
    for fault in faults {
        let severity = if fault.severity == Severity::Warning { "warning: " } else { "" };
        eprintln!("  {severity}{}", fault.to_string().replace('\n', "\n  "));
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_of_all_commands_do_not_contradict() {
        Cli::command().debug_assert();
    }
}
