//! `cargo xtask servers`: the real servers, for developing against.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::doctor::{self, Purpose};
use crate::downloads::Major;
use crate::process::{Lifetime, Server};
use crate::report::{answer, say};
use crate::servers::Tuning;
use crate::stack::{Ports, Stack, StackOptions};

/// How often to look whether a server ended by itself.
const LOOK: Duration = Duration::from_secs(2);

/// What the command line says about the servers.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which ports to take; well-known ones are replaced by SLUICE_POSTGRES_PORT, SLUICE_KAFKA_PORT,
    /// SLUICE_REGISTRY_PORT, SLUICE_CASSANDRA_PORT, SLUICE_ZOOKEEPER_PORT and SLUICE_CONNECT_PORT.
    #[arg(long, value_enum, default_value = "free")]
    ports: PortChoice,
    /// Keep data and logs in this folder, and go on with what is there.
    #[arg(long, value_name = "DIR")]
    keep_dir: Option<PathBuf>,
    /// Start only these servers: postgres, kafka, registry, cassandra.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
    /// The major version of Postgres.
    #[arg(long, value_enum, default_value_t)]
    postgres: Major,
    /// Take Kafka 3.9 with ZooKeeper instead of the newest Kafka, which needs none.
    #[arg(long)]
    zookeeper: bool,
    /// Start a worker of Kafka Connect too, with Debezium's Postgres connector and Apicurio's converters.
    #[arg(long)]
    connect: bool,
    /// Tune for throughput instead of a quick start.
    #[arg(long)]
    bench: bool,
}

/// Which ports to take.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PortChoice {
    /// Free ones.
    Free,
    /// 5432, 9092, 8081, 9042, 2181 for ZooKeeper, 8083 for Kafka Connect.
    WellKnown,
}

/// Starts the servers, prints their addresses as `NAME=value` lines, and stays until ctrl-c.
///
/// # Errors
/// Fails when a program is missing or a server does not start.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    doctor::require(Purpose::Sluice, false, false)?;
    let stack = Stack::start(&StackOptions {
        ports: match arguments.ports {
            PortChoice::Free => Ports::Free,
            PortChoice::WellKnown => Ports::WellKnown,
        },
        directory: arguments.keep_dir.clone(),
        tuning: if arguments.bench { Tuning::Bench } else { Tuning::Test },
        lifetime: Lifetime::Attached,
        only: arguments.only.clone(),
        postgres: arguments.postgres,
        zookeeper: arguments.zookeeper,
        connect: arguments.connect,
    })?;
    for (name, value) in stack.environment() {
        answer(format_args!("{name}={value}"));
    }
    say(format_args!("logs are in {}; ctrl-c stops the servers", stack.directory().display()));
    watch(&stack)
}

/// Tells once about every server that ends by itself. Never returns: ctrl-c ends the process, and so the servers.
fn watch(stack: &Stack) -> ! {
    let mut running: Vec<&Server> =
        stack.servers().into_iter().filter(|server| server.pid().is_some()).collect();
    loop {
        thread::park_timeout(LOOK);
        running.retain(|server| {
            let alive = server.pid().is_some();
            if !alive {
                say(format_args!("{} ended; its log is {}", server.name(), server.log_path().display()));
            }
            alive
        });
    }
}
