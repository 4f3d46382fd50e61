//! The demonstration: feed, watch, and with `--once` prove and leave.
//!
//! A feeder task and a probe task report through watch channels; the view reads those and asks the servers for their
//! counts once a second.

mod view;

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use scylla::client::session::Session;
use sluice_users::compare::{Comparison, Tables, wait_until_equal};
use sluice_users::feeder::{Fed, Feeder, Mix};
use sluice_users::probe::{Latencies, Probe};
use sluice_users::{cassandra, postgres};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{Amount, Servers};
use view::View;

/// Rows of one transaction while the first rows are inserted: a few transactions, so that the stream shows some.
const FIRST_ROWS_PER_TRANSACTION: usize = 100;

/// The big transaction inserts the first rows divided by this, so that the usual mix has its share of a short run.
const BIG_TRANSACTION_SHARE: usize = 10;

/// Pause between two probes in the live view.
const LIVE_PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Pause between two probes with `--once`: short, because the run is.
const ONCE_PROBE_PAUSE: Duration = Duration::from_millis(100);

/// Probes that a `--once` run needs for its percentiles.
const ONCE_PROBES: usize = 50;

/// Pause between two refreshes of the view.
const REFRESH: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    servers: Servers,
    #[command(flatten)]
    amount: Amount,
    /// Feed a fixed number of changes, check that Cassandra equals Postgres cell by cell, print a summary, and exit
    /// with 0 or 1.
    #[arg(long)]
    once: bool,
}

/// What the feeder has done so far.
#[derive(Debug, Clone, Default)]
struct Progress {
    fed: Fed,
    last_key: Option<Uuid>,
}

/// The two tasks of a demonstration, and where they report. Dropping it ends them.
struct Workers {
    feeder: JoinHandle<anyhow::Result<()>>,
    probe: JoinHandle<anyhow::Result<()>>,
    progress: watch::Receiver<Progress>,
    latencies: watch::Receiver<Latencies>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.feeder.abort();
        self.probe.abort();
    }
}

impl Workers {
    async fn start(options: &Options, session: &Arc<Session>) -> anyhow::Result<Self> {
        let seed = options.amount.seed.unwrap_or_else(|| fastrand::u64(..));
        let feeder = Feeder::new(postgres::connect(&options.servers.postgres).await?, seed).await?;
        let probe = postgres::connect(&options.servers.postgres).await?;
        let (report_progress, progress) = watch::channel(Progress::default());
        let (report_latencies, latencies) = watch::channel(Latencies::default());
        Ok(Self {
            feeder: tokio::spawn(feed(feeder, options.amount.clone(), options.once, report_progress)),
            probe: tokio::spawn(measure(
                probe,
                Arc::clone(session),
                options.once,
                options.amount.deadline,
                report_latencies,
            )),
            progress,
            latencies,
        })
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let session = Arc::new(cassandra::connect(&options.servers.cassandra).await?);
    let mut workers = Workers::start(&options, &session).await?;
    let mut view = View::new(
        &options.servers,
        Arc::clone(&session),
        workers.progress.clone(),
        workers.latencies.clone(),
    )
    .await?;
    if options.once {
        return once(&options, &session, &mut workers, &mut view).await;
    }
    let feeder =
        async { (&mut workers.feeder).await.context("feeder task")?.context("feed the users table") };
    tokio::select! {
        fed = watched(&mut view, feeder) => fed?,
        interrupt = tokio::signal::ctrl_c() => interrupt.context("wait for ctrl-c")?,
    }
    view.leave()?;
    Ok(ExitCode::SUCCESS)
}

async fn once(
    options: &Options,
    session: &Session,
    workers: &mut Workers,
    view: &mut View,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let client = postgres::connect(&options.servers.postgres).await?;
    let prove = async {
        (&mut workers.feeder).await.context("feeder task")?.context("feed the users table")?;
        let fed_in = start.elapsed();
        (&mut workers.probe).await.context("probe task")?.context("probe the latency")?;
        let left = options.amount.deadline.saturating_sub(start.elapsed() - fed_in);
        let comparison = wait_until_equal(&client, session, &Tables::users(), left).await?;
        anyhow::Ok((fed_in, comparison))
    };
    let (fed_in, comparison) = watched(view, prove).await?;
    view.leave()?;
    let (progress, latencies) = (workers.progress.borrow().clone(), workers.latencies.borrow().clone());
    let records = view.records().await;
    summary(&progress.fed, fed_in, start.elapsed(), &records, &latencies, &comparison)?;
    Ok(if comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Refreshes the view until the work is done.
async fn watched<T>(view: &mut View, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = std::pin::pin!(work);
    let mut clock = tokio::time::interval(REFRESH);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = clock.tick() => {}
        }
        // The work goes on while the servers answer; the view is cut short when it is done.
        tokio::select! {
            done = &mut work => return done,
            drawn = view.draw() => drawn?,
        }
    }
}

/// Feeds the first rows, every operation once, and then the usual mix: to the end with `--once`, else for ever.
async fn feed(
    mut feeder: Feeder,
    amount: Amount,
    once: bool,
    report: watch::Sender<Progress>,
) -> anyhow::Result<()> {
    let publish = |feeder: &Feeder| {
        report.send_replace(Progress { fed: feeder.fed().clone(), last_key: feeder.last_key() });
    };
    let missing = if once { amount.rows } else { amount.rows.saturating_sub(feeder.rows()) };
    feeder.insert_many(missing, FIRST_ROWS_PER_TRANSACTION).await?;
    feeder = feeder.with_big_transaction_rows(amount.rows.div_ceil(BIG_TRANSACTION_SHARE));
    feeder.every_operation().await?;
    publish(&feeder);

    let target = amount.changes.unwrap_or(2 * amount.rows as u64);
    let mix = Mix::default();
    if !once {
        feeder = feeder.with_rate(amount.rate);
    }
    let slice = u64::from(amount.rate.get()).div_ceil(4);
    while !once || feeder.fed().committed.total() < target {
        let left = target.saturating_sub(feeder.fed().committed.total());
        feeder.feed(&mix, if once { slice.min(left) } else { slice }).await?;
        publish(&feeder);
    }
    Ok(())
}

/// Probes until there are enough measurements with `--once`, else for ever.
///
/// The first probe is not counted: it waits for the snapshot and for the table to be created.
async fn measure(
    client: tokio_postgres::Client,
    session: Arc<Session>,
    once: bool,
    deadline: Duration,
    report: watch::Sender<Latencies>,
) -> anyhow::Result<()> {
    let mut probe = Probe::new(client, &session, Tables::users());
    let pause = if once { ONCE_PROBE_PAUSE } else { LIVE_PROBE_PAUSE };
    let give_up = Instant::now() + deadline;
    let mut warm = false;
    while !once || (report.borrow().count() < ONCE_PROBES && Instant::now() < give_up) {
        let limit = if once { give_up.saturating_duration_since(Instant::now()) } else { deadline };
        if let Some(latency) = probe.measure(limit).await? {
            if warm {
                report.send_modify(|latencies| latencies.record(latency));
            }
            warm = true;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

fn summary(
    fed: &Fed,
    fed_in: Duration,
    took: Duration,
    records: &str,
    latencies: &Latencies,
    comparison: &Comparison,
) -> anyhow::Result<()> {
    let changes = fed.committed;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "fed        {} changes in {} transactions: {} inserts, {} updates, {} deletes, {} key changes; {} more rolled back",
        changes.total(),
        fed.transactions,
        changes.inserts,
        changes.updates,
        changes.deletes,
        changes.key_changes,
        fed.rolled_back.total()
    )?;
    writeln!(out, "operations {}", view::operations(fed))?;
    writeln!(out, "kafka      {records}")?;
    writeln!(out, "time       fed in {:.1} s, done after {:.1} s", fed_in.as_secs_f64(), took.as_secs_f64())?;
    writeln!(out, "latency    commit to Cassandra: {}", view::percentiles(latencies))?;
    writeln!(out, "result     {comparison}")?;
    Ok(())
}
