//! `sluice-users`: sets the users database up, feeds it, and shows or proves that Cassandra follows.

mod bench;
mod demo;
mod status;

use std::io::Write;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use sluice_users::compare::Tables;
use sluice_users::feeder::Feeder;
use sluice_users::verify::{Expected, Places, Slot, verify};
use sluice_users::{TOPIC, cassandra, erasure, init, postgres, randomuser};
use uuid::Uuid;

/// Rows of one transaction of `load`: commits must not be what is measured.
const LOAD_ROWS_PER_TRANSACTION: usize = 50_000;

/// The users workload of Sluice.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the database if it is missing and apply postgres-init/ to it; safe to repeat.
    Init(Init),
    /// Feed inserts, updates and deletes, and show them arrive.
    Demo(demo::Options),
    /// Insert many rows as fast as the server takes them.
    Load(Load),
    /// Serve made-up people as randomuser.me does.
    #[command(name = "randomuser")]
    RandomUser(randomuser::command::Options),
    /// Measure the pipeline on a million rows; starts sluice itself.
    Bench(bench::Options),
    /// Ask for the erasure of people, and print their keys.
    RequestErasure(RequestErasure),
    /// Print what the pipeline holds, as a line of JSON.
    Status(status::Options),
    /// Prove that mirror, statistics and erasures agree with Postgres: exits with 0 if they do, with 1 if not in time.
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Init {
    #[command(flatten)]
    servers: Servers,
    /// Create the database of Airflow's metadata, too.
    #[arg(long)]
    airflow: bool,
}

#[derive(Debug, Args)]
struct RequestErasure {
    #[command(flatten)]
    servers: Servers,
    /// How many people are to be erased.
    #[arg(long, default_value_t = 1)]
    people: u32,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    servers: Servers,
    /// People who were erased: their keys, separated by commas.
    #[arg(long, value_name = "UUIDS", value_delimiter = ',')]
    erased: Vec<Uuid>,
    /// Another database of the server that writes while the users database is idle: the slot must follow.
    #[arg(long, value_name = "DATABASE")]
    neighbour: Option<String>,
    /// The replication slot.
    #[arg(long, default_value = "sluice_users")]
    slot: String,
    /// Seconds that everything may take to agree.
    #[arg(long, default_value = "120", value_parser = parse_seconds)]
    deadline: Duration,
}

#[derive(Debug, Args)]
struct Load {
    #[command(flatten)]
    servers: Servers,
    /// Rows to insert.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Seed of the people; a second load needs another one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(init) => run_init(&init).await.map(|()| ExitCode::SUCCESS),
        Command::Demo(options) => demo::run(options).await,
        Command::RandomUser(options) => randomuser::command::run(options).await.map(|()| ExitCode::SUCCESS),
        Command::Bench(options) => bench::run(options).await,
        Command::Load(load) => run_load(&load).await.map(|()| ExitCode::SUCCESS),
        Command::RequestErasure(request) => run_request(&request).await.map(|()| ExitCode::SUCCESS),
        Command::Status(options) => status::run(options).await.map(|()| ExitCode::SUCCESS),
        Command::Verify(options) => run_verify(options).await,
    };
    done.unwrap_or_else(|error| {
        // Nothing is left to tell if standard error is gone.
        drop(writeln!(std::io::stderr(), "error: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run_init(init: &Init) -> anyhow::Result<()> {
    init::init(&init.servers.postgres).await?;
    if init.airflow {
        init::create_airflow_database(&init.servers.postgres).await?;
    }
    Ok(())
}

async fn run_request(request: &RequestErasure) -> anyhow::Result<()> {
    let client = postgres::connect(&request.servers.postgres).await?;
    for key in erasure::request(&client, request.people).await? {
        writeln!(std::io::stdout(), "{key}")?;
    }
    Ok(())
}

async fn run_verify(options: Verify) -> anyhow::Result<ExitCode> {
    let places = Places {
        postgres: &postgres::connect(&options.servers.postgres).await?,
        cassandra: &cassandra::connect(&options.servers.cassandra).await?,
        kafka: &options.servers.kafka,
        topic: TOPIC,
        tables: Tables::users(),
        statistics: "spark_streams",
    };
    let slot = options.neighbour.as_deref().map(|neighbour| Slot::new(&options.slot, neighbour));
    let expected = Expected { erased: options.erased, slot };
    let verdict = verify(&places, expected, options.deadline).await;
    write!(std::io::stdout(), "{verdict}")?;
    Ok(if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run_load(load: &Load) -> anyhow::Result<()> {
    let client = postgres::connect(&load.servers.postgres).await?;
    let mut feeder = Feeder::new(client, load.seed).await?;
    let start = Instant::now();
    feeder.insert_many(load.rows, LOAD_ROWS_PER_TRANSACTION).await?;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{} rows in {seconds:.1} s, {:.0} rows/s",
        load.rows,
        load.rows as f64 / seconds
    )?;
    Ok(())
}

/// Where the servers of the pipeline are. Every command takes all of them, so that a caller need not know which it asks.
#[derive(Debug, Clone, Args)]
struct Servers {
    /// Connection string of the users database.
    #[arg(
        long,
        env = "SLUICE_POSTGRES",
        default_value = "host=127.0.0.1 port=5432 user=postgres password=postgres dbname=users",
        hide_env_values = true
    )]
    postgres: String,
    /// Kafka brokers, `host:port`.
    #[arg(long, env = "SLUICE_KAFKA", default_value = "127.0.0.1:9092")]
    kafka: String,
    /// Schema Registry.
    #[arg(long, env = "SLUICE_REGISTRY", default_value = "http://127.0.0.1:8081")]
    registry: String,
    /// A Cassandra node, `host:port`.
    #[arg(long, env = "SLUICE_CASSANDRA", default_value = "127.0.0.1:9042")]
    cassandra: String,
    /// The REST API of sluice.
    #[arg(long, env = "SLUICE_URL", default_value = "http://127.0.0.1:8083")]
    sluice: String,
}

/// How much is fed, and how fast.
#[derive(Debug, Clone, Args)]
struct Amount {
    /// Rows to begin with.
    #[arg(long, default_value_t = 1_000)]
    rows: usize,
    /// Row changes of the whole run with --once, the first rows included [default: twice --rows].
    #[arg(long)]
    changes: Option<u64>,
    /// Row changes per second without --once.
    #[arg(long, default_value = "200")]
    rate: NonZeroU32,
    /// Seed of people and changes [default: another one at each start].
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds that Cassandra may take to become equal with --once.
    #[arg(long, default_value = "120", value_parser = parse_seconds)]
    deadline: Duration,
}

fn parse_seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
