//! `sluice-users bench`: the whole pipeline over the users table, each way by itself.
//!
//! Rates are rows over the time from the start of the `sluice` process until the last row has arrived, so that the
//! start-up counts. CPU is the process time of `sluice` over the rows, which a busy machine disturbs less than rates.

mod latency;
mod process;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use sluice_users::feeder::Feeder;
use sluice_users::topic::Topic;
use sluice_users::{init, postgres};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::Servers;
use process::{Sluice, Usage};

/// Rows of one transaction of the backlog, as in the figures this is compared with.
const BACKLOG_ROWS_PER_TRANSACTION: usize = 1_000;
/// How often progress is looked at: fine against runs of seconds.
const LOOK: Duration = Duration::from_millis(50);
/// A run that takes longer has stopped.
const LIMIT: Duration = Duration::from_secs(1_800);
/// Name of the database, the topic prefix, the slot and the keyspace.
const NAME: &str = "bench";

/// What is measured, and with what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    servers: Servers,
    /// Rows of the snapshot, and rows of the backlog.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Rows per second while latency is measured.
    #[arg(long, default_value_t = 5_000)]
    rate: u32,
    /// The program under test.
    #[arg(long, default_value = "target/release/sluice")]
    program: PathBuf,
    /// Leave the sink out.
    #[arg(long)]
    source_only: bool,
}

/// One measured run.
struct Run {
    what: &'static str,
    rows: u64,
    seconds: f64,
    usage: Usage,
}

/// Runs all measurements and prints a table.
///
/// # Errors
///
/// A server cannot be reached, or `sluice` ends or stops moving rows.
pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let bench = Bench::prepare(options).await?;
    let mut runs = vec![bench.snapshot().await?, bench.catch_up().await?];
    if !bench.options.source_only {
        runs.extend(bench.sink().await?);
    }
    let latencies = latency::measure(&bench).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}{latencies}", table(&runs))?;
    Ok(ExitCode::SUCCESS)
}

/// What all measurements share.
struct Bench {
    options: Options,
    postgres: Config,
    directory: tempfile::TempDir,
}

impl Bench {
    async fn prepare(options: Options) -> anyhow::Result<Self> {
        let mut postgres: Config = options.servers.postgres.parse().context("parse the connection string")?;
        postgres.dbname(NAME);
        let bench = Self { options, postgres, directory: tempfile::tempdir()? };
        init::init(&bench.connection_string()).await?;
        bench.load(1, bench.options.rows, bench.options.rows).await?;
        Ok(bench)
    }

    fn connection_string(&self) -> String {
        let (host, port) = self.postgres_address();
        let user = self.postgres.get_user().unwrap_or("postgres");
        let password = String::from_utf8_lossy(self.postgres.get_password().unwrap_or_default()).into_owned();
        format!("host={host} port={port} user={user} password={password} dbname={NAME}")
    }

    fn postgres_address(&self) -> (String, u16) {
        let host = match self.postgres.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        };
        (host, self.postgres.get_ports().first().copied().unwrap_or(5432))
    }

    async fn load(&self, seed: u64, rows: usize, rows_per_transaction: usize) -> anyhow::Result<()> {
        let client = postgres::connect_to(&self.postgres).await?;
        Feeder::new(client, seed).await?.insert_many(rows, rows_per_transaction).await
    }

    fn topic(&self) -> anyhow::Result<Topic> {
        Topic::new(&self.options.servers.kafka, &format!("{NAME}.public.users"))
    }

    /// The source connector, as Debezium's users would write it.
    fn source(&self, prefix: &str) -> Vec<(String, String)> {
        let (host, port) = self.postgres_address();
        let pairs = [
            ("name", format!("{prefix}-source")),
            ("connector.class", "io.debezium.connector.postgresql.PostgresConnector".to_owned()),
            ("database.hostname", host),
            ("database.port", port.to_string()),
            ("database.user", "sluice".to_owned()),
            ("database.password", "sluice".to_owned()),
            ("database.dbname", NAME.to_owned()),
            ("topic.prefix", prefix.to_owned()),
            ("plugin.name", "pgoutput".to_owned()),
            ("slot.name", prefix.to_owned()),
            ("publication.name", "sluice_users".to_owned()),
            ("publication.autocreate.mode", "disabled".to_owned()),
            ("table.include.list", "public.users".to_owned()),
            ("topic.creation.default.partitions", "1".to_owned()),
            ("topic.creation.default.replication.factor", "1".to_owned()),
        ];
        owned(pairs).chain(self.converters()).collect()
    }

    fn sink_connector(&self) -> anyhow::Result<Vec<(String, String)>> {
        let address = &self.options.servers.cassandra;
        let (host, port) = address.rsplit_once(':').context("the address of Cassandra has no port")?;
        let pairs = [
            ("name", format!("{NAME}-sink")),
            ("connector.class", "com.datastax.oss.kafka.sink.CassandraSinkConnector".to_owned()),
            ("topics", format!("{NAME}.public.users")),
            ("contactPoints", host.to_owned()),
            ("port", port.to_owned()),
            ("loadBalancing.localDc", "datacenter1".to_owned()),
            ("keyspace", NAME.to_owned()),
            ("schema.policy", "create".to_owned()),
        ];
        Ok(owned(pairs).chain(self.converters()).collect())
    }

    fn converters(&self) -> impl Iterator<Item = (String, String)> {
        let url = self.options.servers.registry.clone();
        ["key", "value"].into_iter().flat_map(move |side| {
            let class = "io.confluent.connect.avro.AvroConverter".to_owned();
            [
                (format!("{side}.converter"), class),
                (format!("{side}.converter.schema.registry.url"), url.clone()),
            ]
        })
    }

    fn start(&self, connector: &[(String, String)]) -> anyhow::Result<Sluice> {
        Sluice::start(&self.options.program, self.directory.path(), &self.options.servers.kafka, connector)
    }

    async fn snapshot(&self) -> anyhow::Result<Run> {
        let rows = self.options.rows as u64;
        self.source_run("snapshot, Postgres to Kafka", rows, rows).await
    }

    async fn catch_up(&self) -> anyhow::Result<Run> {
        self.load(2, self.options.rows, BACKLOG_ROWS_PER_TRANSACTION).await?;
        let rows = self.options.rows as u64;
        self.source_run("catch-up, Postgres to Kafka", rows, 2 * rows).await
    }

    async fn source_run(&self, what: &'static str, rows: u64, until: u64) -> anyhow::Result<Run> {
        let topic = self.topic()?;
        let start = Instant::now();
        let mut sluice = self.start(&self.source(NAME))?;
        // A topic that is being created may have no leader yet; it has no records then either.
        while topic.records().await.map_or(0, |records| records.count) < until {
            sluice.still_runs(start, LIMIT)?;
            tokio::time::sleep(LOOK).await;
        }
        let seconds = start.elapsed().as_secs_f64();
        let usage = sluice.usage()?;
        sluice.stop().await?;
        Ok(Run { what, rows, seconds, usage })
    }

    /// The first half warms Cassandra's compiler, the second is what counts; both are shown.
    async fn sink(&self) -> anyhow::Result<[Run; 2]> {
        let rows = self.options.rows as u64;
        let start = Instant::now();
        let mut sluice = self.start(&self.sink_connector()?)?;
        self.written(&mut sluice, start, rows).await?;
        let (half, half_usage) = (start.elapsed().as_secs_f64(), sluice.usage()?);
        self.written(&mut sluice, start, 2 * rows).await?;
        let (whole, usage) = (start.elapsed().as_secs_f64(), sluice.usage()?);
        sluice.stop().await?;
        let second = Usage { cpu: usage.cpu - half_usage.cpu, ..usage };
        Ok([
            Run { what: "Kafka to Cassandra, cold node", rows, seconds: half, usage: half_usage },
            Run { what: "Kafka to Cassandra, warmer", rows, seconds: whole - half, usage: second },
        ])
    }

    async fn written(&self, sluice: &mut Sluice, start: Instant, rows: u64) -> anyhow::Result<()> {
        while sluice.counter("sluice_records_written_total").await? < rows {
            sluice.still_runs(start, LIMIT)?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

fn owned<const N: usize>(pairs: [(&str, String); N]) -> impl Iterator<Item = (String, String)> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value))
}

fn table(runs: &[Run]) -> String {
    let mut text =
        String::from("| run | rows | s | rows/s | CPU µs/row | peak RSS MB |\n|---|---|---|---|---|---|\n");
    for run in runs {
        let rows = run.rows as f64;
        let micros = run.usage.cpu.as_secs_f64() * 1e6 / rows;
        writeln!(
            text,
            "| {} | {} | {:.1} | {:.0} | {micros:.2} | {} |",
            run.what,
            run.rows,
            run.seconds,
            rows / run.seconds,
            run.usage.peak_bytes / 1_000_000
        )
        .expect("a string takes all that is written");
    }
    text
}

/// Ends a run that does not end by itself.
fn limit(start: Instant, limit: Duration) -> anyhow::Result<()> {
    ensure!(start.elapsed() < limit, "no end after {limit:?}");
    Ok(())
}

/// Fails for a process that has ended.
fn ended(status: std::process::ExitStatus, log: &str) -> anyhow::Result<()> {
    bail!("sluice ended with {status}:\n{log}")
}
