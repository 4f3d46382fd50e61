//! `sluice-differential`: runs the cases of a folder against servers that run already.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the program talks to people")]

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Parser;
use futures_util::{StreamExt, stream};
use sluice_differential::case::{self, Case};
use sluice_differential::known::{self, Known};
use sluice_differential::modes;
use sluice_differential::page::{self, Results};
use sluice_differential::properties::Properties;
use sluice_differential::report::{Outcome, outlived};
use sluice_differential::side::{Program, Servers, Side};
use sluice_differential::{random, run};

/// Runs Debezium and Sluice side by side and compares what they write.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only the cases whose names contain this.
    filter: Option<String>,
    /// The folder of the cases and of known.json.
    #[arg(long, default_value = "tests/differential")]
    cases: PathBuf,
    /// Write the page on compatibility to this file, and others into a folder of its name; all cases must run.
    #[arg(long, value_name = "FILE", conflicts_with = "filter")]
    page: Option<PathBuf>,
    /// Run this many cases made by chance instead; each tells the seed that makes it again.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["filter", "page", "seed"])]
    random: Option<u64>,
    /// Run the cases that these seeds make.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["filter", "page"])]
    seed: Vec<u64>,
    /// Show the scripts and what Debezium wrote, too.
    #[arg(long)]
    show: bool,
    /// How many cases run at once.
    #[arg(long, default_value = "2")]
    jobs: usize,
    /// Postgres, in libpq's words, as a superuser.
    #[arg(long, env = "SLUICE_DIFFERENTIAL_POSTGRES")]
    postgres: tokio_postgres::Config,
    /// Kafka's bootstrap.servers.
    #[arg(long, env = "SLUICE_DIFFERENTIAL_KAFKA")]
    kafka: String,
    /// The root of Apicurio Registry.
    #[arg(long, env = "SLUICE_DIFFERENTIAL_REGISTRY")]
    registry: String,
    /// The REST API of the worker that has Debezium and Apicurio's converter.
    #[arg(long, env = "SLUICE_DIFFERENTIAL_CONNECT")]
    connect: String,
    /// The `sluice` program.
    #[arg(long, env = "SLUICE_DIFFERENTIAL_PROGRAM", default_value = "target/debug/sluice")]
    sluice: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match compare_all(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cases and tells whether all is well.
async fn compare_all(arguments: Arguments) -> anyhow::Result<bool> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok()
        .context("install the TLS provider")?;
    let version = postgres_version(&arguments.postgres).await?;
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let major = major.with_context(|| format!("find the major version in `{version}`"))?;
    let known = known::read(&arguments.cases.join("known.json"), major)?;
    let extensions = available_extensions(&arguments.postgres).await?;
    let (cases, left_out) = possible(chosen(&arguments)?, major, &extensions);
    let servers = servers(&arguments)?;

    let started = Instant::now();
    let outcomes = judge_all(cases, &servers, &known, &arguments).await?;
    let all = arguments.filter.is_none() && arguments.random.is_none() && arguments.seed.is_empty();
    let outlived = outlived(&outcomes, all, &known);
    outlived.iter().for_each(|line| println!("{line}"));
    let good = outcomes.iter().filter(|outcome| outcome.faults.is_empty()).count();
    println!(
        "\n{good} of {} cases are as they should be, {} entries of known.json have no use, {:.0} s",
        outcomes.len(),
        outlived.len(),
        started.elapsed().as_secs_f64()
    );
    let well = good == outcomes.len() && outlived.is_empty();
    if !all {
        return Ok(well);
    }

    let properties = Properties::read(&servers.connect, &servers.sluice).await?;
    let unanswered = properties.unanswered();
    unanswered.iter().for_each(|name| println!("sluice has no answer to the property `{name}`"));
    let not_run = modes::not_run(outcomes.iter().map(|outcome| &outcome.case), &properties);
    not_run.iter().for_each(|mode| println!("no case of the matrix runs in {mode}"));
    if let Some(path) = &arguments.page {
        let (outcomes, left_out, known, properties) = (&outcomes, &left_out, &known, &properties);
        page::write(path, &Results { outcomes, left_out, known, properties, postgres: &version })?;
    }
    Ok(well && unanswered.is_empty() && not_run.is_empty())
}

/// Parts the cases that this server can run from those that it cannot, with what it lacks.
fn possible(cases: Vec<Case>, major: u32, extensions: &HashSet<String>) -> (Vec<Case>, Vec<(Case, String)>) {
    let (mut possible, mut left_out) = (Vec::new(), Vec::new());
    for case in cases {
        match case.missing(major, extensions) {
            None => possible.push(case),
            Some(why) => {
                println!("{:22} {} ({why})", "left out", case.name);
                left_out.push((case, why));
            }
        }
    }
    (possible, left_out)
}

fn servers(arguments: &Arguments) -> anyhow::Result<Servers> {
    Ok(Servers {
        postgres: arguments.postgres.clone(),
        kafka: arguments.kafka.clone(),
        registry: arguments.registry.trim_end_matches('/').to_owned(),
        connect: arguments.connect.trim_end_matches('/').to_owned(),
        sluice: arguments.sluice.canonicalize().context("find the sluice program; build it first")?,
    })
}

/// Runs the cases, some at a time; the outcomes come in the order of their names.
async fn judge_all(
    cases: Vec<Case>,
    servers: &Servers,
    known: &[Known],
    arguments: &Arguments,
) -> anyhow::Result<Vec<Outcome>> {
    // Keeps the names of runs apart: stored positions outlive their connectors.
    let run = SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?.as_secs() % 1_000_000;
    let run = run.to_string();
    let outcomes = stream::iter(cases).map(|case| judge(case, servers, &run, known, arguments.show));
    let mut outcomes: Vec<Outcome> = outcomes.buffer_unordered(arguments.jobs.max(1)).collect().await;
    outcomes.sort_by(|one, other| one.case.name.cmp(&other.case.name));
    Ok(outcomes)
}

/// The cases that the arguments ask for.
fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<Case>> {
    if !arguments.seed.is_empty() {
        return Ok(arguments.seed.iter().map(|seed| random::case(*seed)).collect());
    }
    if let Some(count) = arguments.random {
        // Short seeds: people copy them.
        return Ok((0..count).map(|_| random::case(fastrand::u64(..1_000_000))).collect());
    }
    let mut cases = case::read_all(&arguments.cases)?;
    if let Some(filter) = &arguments.filter {
        cases.retain(|case| case.name.contains(filter));
    }
    ensure!(!cases.is_empty(), "no case fits; `{}` has the cases", arguments.cases.display());
    Ok(cases)
}

async fn judge(case: Case, servers: &Servers, run: &str, known: &[Known], show: bool) -> Outcome {
    let started = Instant::now();
    let seen = run::run(&case, servers, run).await;
    let properties = Side::new(Program::Sluice, &case, "", run, servers).map(|side| side.properties);
    let outcome = Outcome::new(case, properties.unwrap_or_default(), started.elapsed(), seen, known);
    print!("{}", outcome.lines(known));
    // What chance made is in no file.
    if show || outcome.case.made_by_chance() && !outcome.faults.is_empty() {
        print!("{}", outcome.case.text());
    }
    if show {
        print!("{}", outcome.written());
    }
    outcome
}

/// The version as the server tells it: `17.10`.
async fn postgres_version(server: &tokio_postgres::Config) -> anyhow::Result<String> {
    Ok(connect(server).await?.query_one("SHOW server_version", &[]).await?.get(0))
}

/// The names of the extensions that databases of the server may have.
async fn available_extensions(server: &tokio_postgres::Config) -> anyhow::Result<HashSet<String>> {
    let rows = connect(server).await?.query("SELECT name::text FROM pg_available_extensions", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn connect(server: &tokio_postgres::Config) -> anyhow::Result<tokio_postgres::Client> {
    let mut config = server.clone();
    let (client, connection) = config.dbname("postgres").connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
