//! Runs one case: both programs on one database, then the comparison.

use anyhow::{Context, bail};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::case::{Case, Phase};
use crate::compare::{Difference, compare};
use crate::database::{Column, Database};
use crate::debezium::Debezium;
use crate::expected;
use crate::normal;
use crate::observe::{Observed, Registry};
use crate::side::{Program, Servers, Side, until};
use crate::sluice::Sluice;
use crate::topics::{self, Partitions, Topics};

/// What came of a case that ran.
#[derive(Debug)]
pub enum Seen {
    /// Sluice does not run it, and says why; the columns it may have looked at.
    Refused(String, Vec<Column>),
    /// Both ran; what Debezium wrote, what differs, and the columns of the tables.
    Compared(Observed, Vec<Difference>, Vec<Column>),
}

/// Runs a case and removes what it made.
///
/// # Errors
/// Fails when a server or Debezium does, and when Sluice ends in the middle.
pub async fn run(case: &Case, servers: &Servers, run: &str) -> anyhow::Result<Seen> {
    let name = format!("diff_{}_{run}", case.identifier());
    let debezium = Side::new(Program::Debezium, case, &name, run, servers)?;
    let sluice = Side::new(Program::Sluice, case, &name, run, servers)?;
    let program = Sluice::prepare(servers, &sluice)?;
    if let Some(words) = program.refusal().await? {
        return Ok(Seen::Refused(words, Vec::new()));
    }
    let database = Database::create(&servers.postgres, &name).await?;
    let mut scene = Scene { case, servers, debezium, sluice, program, connector: None, database };
    let seen = scene.play().await;
    let cleaned = scene.clean().await;
    let seen = seen?;
    cleaned.context("clean up")?;
    Ok(seen)
}

struct Scene<'a> {
    case: &'a Case,
    servers: &'a Servers,
    debezium: Side,
    sluice: Side,
    program: Sluice,
    connector: Option<Debezium>,
    database: Database,
}

impl Scene<'_> {
    async fn play(&mut self) -> anyhow::Result<Seen> {
        self.database.run(&self.case.before).await?;
        // Sluice first: where it refuses, the slower one need not start.
        self.program.start()?;
        if let Some(words) = self.await_sluice().await? {
            return Ok(Seen::Refused(words, self.database.columns().await?));
        }
        self.connector = Some(Debezium::start(&self.servers.connect, &self.debezium).await?);
        self.await_debezium().await?;
        let first_transaction = self.database.commit_no_rows().await?;
        let mut readers = [self.open(&self.debezium)?, self.open(&self.sluice)?];
        for (index, (phase, statements)) in self.case.phases.iter().enumerate() {
            // Before the first one nothing can be behind but the snapshot, which only a stop would cut short.
            if index > 0 || *phase == Phase::Stopped {
                readers = self.reach_mark(readers).await?;
            }
            match phase {
                Phase::Streaming => self.database.run(statements).await?,
                Phase::Stopped => {
                    self.stop().await?;
                    self.database.run(statements).await?;
                    self.resume().await?;
                }
            }
        }
        let readers = match self.reach_mark(readers).await {
            Ok(readers) => readers,
            // Types are refused when the first row of a table comes.
            Err(error) => match self.program.ended()? {
                Some(words) => return Ok(Seen::Refused(words, self.database.columns().await?)),
                None => return Err(error),
            },
        };
        self.stop().await?;
        let mut observed = self.observe(readers).await?;
        observed.iter_mut().for_each(|observed| observed.forget_transactions_before(first_transaction));
        let [debezium, sluice] = observed;
        let mut differences = compare(&debezium, &sluice);
        differences.extend(expected::check(&self.case.expected, &sluice));
        Ok(Seen::Compared(debezium, differences, self.database.columns().await?))
    }

    fn open(&self, side: &Side) -> anyhow::Result<Topics> {
        Topics::open(&self.servers.kafka, &side.prefix)
    }

    fn connector(&self) -> anyhow::Result<&Debezium> {
        self.connector.as_ref().context("debezium was not started")
    }

    /// Waits until Sluice streams; its last words if it ends instead.
    async fn await_sluice(&mut self) -> anyhow::Result<Option<String>> {
        let Self { program, database, sluice, .. } = self;
        let program = std::sync::Mutex::new(program);
        until("sluice streams", async || {
            let ended = program.lock().map_or(Ok(None), |mut program| program.ended())?;
            match ended {
                Some(words) => Ok(Some(Some(words))),
                None => Ok(database.streams(sluice).await?.then_some(None)),
            }
        })
        .await
    }

    async fn await_debezium(&self) -> anyhow::Result<()> {
        let connector = self.connector()?;
        until("debezium streams", async || {
            let healthy = connector.healthy().await?;
            Ok((healthy && self.database.streams(&self.debezium).await?).then_some(()))
        })
        .await
    }

    /// Marks the end in the database and reads until both sides have written it.
    async fn reach_mark(&mut self, readers: [Topics; 2]) -> anyhow::Result<[Topics; 2]> {
        let mark = self.database.mark().await?;
        let [mut debezium, mut sluice] = readers;
        let (mut debezium_found, mut sluice_found) = (false, false);
        for _ in 0..2000 {
            let mark = mark.clone();
            (debezium, sluice, debezium_found, sluice_found) =
                spawn_blocking(move || -> anyhow::Result<_> {
                    debezium_found |= debezium.read_until_mark(&mark)?;
                    sluice_found |= sluice.read_until_mark(&mark)?;
                    Ok((debezium, sluice, debezium_found, sluice_found))
                })
                .await??;
            if debezium_found && sluice_found {
                return Ok([debezium, sluice]);
            }
            self.connector()?.healthy().await?;
            if let Some(words) = self.program.ended()? {
                bail!("sluice ended:\n{words}");
            }
        }
        bail!("the mark came from debezium: {debezium_found}, from sluice: {sluice_found}")
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        self.connector()?.stop().await?;
        self.program.stop().await?;
        until("nobody reads the slots", async || {
            let rest =
                self.database.rests(&self.debezium).await? && self.database.rests(&self.sluice).await?;
            Ok(rest.then_some(()))
        })
        .await
    }

    async fn resume(&mut self) -> anyhow::Result<()> {
        self.connector()?.resume().await?;
        self.program.start()?;
        if let Some(words) = self.await_sluice().await? {
            bail!("sluice did not go on:\n{words}");
        }
        self.await_debezium().await
    }

    async fn observe(&self, readers: [Topics; 2]) -> anyhow::Result<[Observed; 2]> {
        let [debezium, sluice] = spawn_blocking(move || readers.map(Topics::read_to_end)).await?;
        let mut registry = Registry::new(&self.servers.registry);
        let mut observe = async |side: &Side, partitions: &Partitions| {
            registry
                .observe(side, partitions)
                .await
                .with_context(|| format!("read what {} wrote", side.program.name()))
        };
        let mut observed =
            [observe(&self.debezium, &debezium?).await?, observe(&self.sluice, &sluice?).await?];
        for (observed, side) in observed.iter_mut().zip([&self.debezium, &self.sluice]) {
            observed.made = self.database.made(side).await?;
            for (topic, settings) in topics::settings(&self.servers.kafka, &side.prefix).await? {
                observed
                    .made
                    .insert(format!("{} settings", normal::text(&topic, &side.prefix)), json!(settings));
            }
        }
        Ok(observed)
    }

    /// Removes connectors, topics, slots and the database. What was registered stays: Apicurio, when it deletes, may
    /// take what another case registers at that moment for refuse.
    async fn clean(mut self) -> anyhow::Result<()> {
        // A failed one has nothing more to say: its words were shown already.
        let _ = self.program.stop().await;
        if let Some(connector) = &self.connector {
            connector.delete().await?;
        }
        let Self { servers, debezium, sluice, database, .. } = self;
        until("nobody reads the slots", async || {
            Ok((database.rests(&debezium).await? && database.rests(&sluice).await?).then_some(()))
        })
        .await?;
        for side in [&debezium, &sluice] {
            topics::delete(&servers.kafka, &side.prefix).await?;
        }
        database.drop([&debezium, &sluice]).await
    }
}
