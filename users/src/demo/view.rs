//! The live view: a few lines, redrawn in place on a terminal, one line a second elsewhere.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use scylla::client::session::Session;
use sluice_users::feeder::Fed;
use sluice_users::probe::Latencies;
use sluice_users::topic::Topic;
use sluice_users::{TOPIC, cassandra, postgres};
use tokio::sync::watch;
use tokio_postgres::{Client, Config};
use uuid::Uuid;

use super::Progress;
use crate::Servers;

/// To the top left corner.
const HOME: &str = "\x1b[H";

/// Clears from the cursor to the end of the line.
const CLEAR_LINE: &str = "\x1b[K";

/// Clears from the cursor to the end of the screen.
const CLEAR_BELOW: &str = "\x1b[J";

/// Clears the screen.
const CLEAR: &str = "\x1b[2J";

/// Columns of the sample row.
const SAMPLE: &str = "name_first, name_last, city, country, email, version";

/// Everything the view asks and shows.
pub(super) struct View {
    servers: Servers,
    postgres_address: String,
    postgres: Client,
    cassandra: Arc<Session>,
    topic: Topic,
    progress: watch::Receiver<Progress>,
    latencies: watch::Receiver<Latencies>,
    start: Instant,
    before: Option<(Instant, Counts)>,
    terminal: bool,
}

/// One look at all servers; `None` where one did not answer.
#[derive(Debug, Clone, Default)]
struct Counts {
    postgres: Option<u64>,
    records: Option<u64>,
    partitions: usize,
    cassandra: Option<u64>,
    changes: u64,
}

impl View {
    pub(super) async fn new(
        servers: &Servers,
        cassandra: Arc<Session>,
        progress: watch::Receiver<Progress>,
        latencies: watch::Receiver<Latencies>,
    ) -> anyhow::Result<Self> {
        let config: Config = servers.postgres.parse().context("parse the Postgres connection string")?;
        let terminal = std::io::stdout().is_terminal();
        if terminal {
            write!(std::io::stdout(), "{CLEAR}")?;
        }
        Ok(Self {
            servers: servers.clone(),
            postgres_address: postgres::address(&config),
            postgres: postgres::connect_to(&config).await?,
            cassandra,
            topic: Topic::new(&servers.kafka, TOPIC)?,
            progress,
            latencies,
            start: Instant::now(),
            before: None,
            terminal,
        })
    }

    /// Asks the servers and draws.
    pub(super) async fn draw(&mut self) -> anyhow::Result<()> {
        let counts = self.counts().await;
        let text = if self.terminal { self.screen(&counts).await? } else { self.line(&counts)? };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        self.before = Some((Instant::now(), counts));
        Ok(())
    }

    /// Leaves the cursor below what was drawn.
    pub(super) fn leave(&self) -> anyhow::Result<()> {
        if self.terminal {
            writeln!(std::io::stdout())?;
        }
        Ok(())
    }

    /// `3,504 records in 4 partitions of users.public.users`.
    pub(super) async fn records(&self) -> String {
        match self.topic.records().await {
            Ok(records) => {
                format!("{} records in {} partitions of {TOPIC}", grouped(records.count), records.partitions)
            }
            Err(error) => format!("not known: {error:#}"),
        }
    }

    async fn counts(&self) -> Counts {
        let in_postgres = async {
            let row = self.postgres.query_one("SELECT count(*) FROM public.users", &[]).await.ok()?;
            u64::try_from(row.try_get::<_, i64>(0).ok()?).ok()
        };
        let in_cassandra = cassandra::count_rows(&self.cassandra, "users", "users");
        let (in_postgres, records, in_cassandra) =
            tokio::join!(in_postgres, self.topic.records(), in_cassandra);
        let records = records.ok();
        Counts {
            postgres: in_postgres,
            records: records.map(|records| records.count),
            partitions: records.map_or(0, |records| records.partitions),
            cassandra: in_cassandra.ok(),
            changes: self.progress.borrow().fed.committed.total(),
        }
    }

    fn line(&self, counts: &Counts) -> anyhow::Result<String> {
        Ok(format!(
            "{:>4} s  postgres {} rows, {} changes fed; kafka {} records; cassandra {} rows; latency {}\n",
            self.start.elapsed().as_secs(),
            count(counts.postgres),
            grouped(counts.changes),
            count(counts.records),
            count(counts.cassandra),
            percentiles(&self.latencies.borrow()),
        ))
    }

    async fn screen(&self, counts: &Counts) -> anyhow::Result<String> {
        let mut text = String::new();
        let seconds = self.start.elapsed().as_secs();
        writeln!(
            text,
            "sluice demo · Postgres → Kafka (Avro) → Cassandra · {:02}:{:02}\n",
            seconds / 60,
            seconds % 60
        )?;
        self.write_counts(&mut text, counts)?;
        let latencies = self.latencies.borrow().clone();
        writeln!(text, "  latency     commit to Cassandra: {}", percentiles(&latencies))?;
        writeln!(text, "  operations  {}\n", operations(&self.progress.borrow().fed))?;
        let key = self.progress.borrow().last_key;
        if let Some(key) = key {
            self.write_samples(&mut text, key).await?;
        }
        self.write_addresses(&mut text)?;
        Ok(format!("{HOME}{}{CLEAR_BELOW}", text.replace('\n', &format!("{CLEAR_LINE}\n"))))
    }

    fn write_counts(&self, text: &mut String, counts: &Counts) -> std::fmt::Result {
        let rate = |now: Option<u64>, earlier: fn(&Counts) -> Option<u64>| {
            let (at, before) = self.before.as_ref()?;
            let grown = now?.saturating_sub(earlier(before)?) as f64;
            Some(grown / at.elapsed().as_secs_f64())
        };
        let fed = per_second(rate(Some(counts.changes), |before| Some(before.changes)));
        let arrived = per_second(rate(counts.records, |before| before.records));
        let (rows, records, copies) =
            (count(counts.postgres), count(counts.records), count(counts.cassandra));
        writeln!(
            text,
            "  Postgres    {rows:>10} rows     in public.users, {} changes fed{fed}",
            grouped(counts.changes)
        )?;
        writeln!(
            text,
            "  Kafka       {records:>10} records  in {} partitions of {TOPIC}{arrived}",
            counts.partitions
        )?;
        writeln!(text, "  Cassandra   {copies:>10} rows     in users.users")
    }

    async fn write_samples(&self, text: &mut String, key: Uuid) -> std::fmt::Result {
        writeln!(text, "  one row     {key}")?;
        writeln!(
            text,
            "  Postgres    {}",
            self.postgres_sample(key).await.unwrap_or_else(|_| "—".to_owned())
        )?;
        writeln!(
            text,
            "  Cassandra   {}\n",
            self.cassandra_sample(key).await.unwrap_or_else(|_| "—".to_owned())
        )
    }

    async fn postgres_sample(&self, key: Uuid) -> anyhow::Result<String> {
        let statement =
            format!("SELECT concat_ws(' · ', {SAMPLE}) FROM public.users WHERE id = $1::text::uuid");
        let row = self.postgres.query_opt(&statement, &[&key.to_string()]).await?;
        Ok(row.map_or_else(|| Ok("—".to_owned()), |row| row.try_get(0))?)
    }

    async fn cassandra_sample(&self, key: Uuid) -> anyhow::Result<String> {
        type Sample =
            (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<i32>);
        let statement = format!("SELECT {SAMPLE} FROM users.users WHERE id = ?");
        let rows = self.cassandra.query_unpaged(statement, (key,)).await?.into_rows_result()?;
        let Some((first, last, city, country, email, version)) = rows.maybe_first_row::<Sample>()? else {
            return Ok("—".to_owned());
        };
        let version = version.map(|version| version.to_string());
        let cells = [first, last, city, country, email, version];
        Ok(cells.into_iter().flatten().collect::<Vec<_>>().join(" · "))
    }

    fn write_addresses(&self, text: &mut String) -> std::fmt::Result {
        let Servers { kafka, registry, cassandra, sluice, .. } = &self.servers;
        writeln!(text, "  look at     postgres    {}", self.postgres_address)?;
        writeln!(text, "              kafka       {kafka}")?;
        writeln!(text, "              schemas     {registry}/subjects")?;
        writeln!(text, "              cassandra   {cassandra}")?;
        writeln!(text, "              health      {sluice}/health")?;
        writeln!(text, "              metrics     {sluice}/metrics")?;
        writeln!(text, "  stop        ctrl-c")
    }
}

/// `last 11.9 ms, p50 11.2 ms, p99 30.1 ms of 52 probes`.
pub(super) fn percentiles(latencies: &Latencies) -> String {
    let millis = |latency: Option<Duration>| match latency {
        Some(latency) => format!("{:.1} ms", latency.as_secs_f64() * 1_000.0),
        None => "—".to_owned(),
    };
    let (last, p50, p99) = (latencies.last(), latencies.percentile(50), latencies.percentile(99));
    format!("last {}, p50 {}, p99 {} of {} probes", millis(last), millis(p50), millis(p99), latencies.count())
}

/// `Insert 120, MoveHouse 251, …`.
pub(super) fn operations(fed: &Fed) -> String {
    let parts: Vec<_> =
        fed.operations.iter().map(|(operation, times)| format!("{operation:?} {times}")).collect();
    parts.join(", ")
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "—".to_owned(), grouped)
}

fn per_second(rate: Option<f64>) -> String {
    rate.map_or_else(String::new, |rate| format!(" ({rate:.0}/s)"))
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
