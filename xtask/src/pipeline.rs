//! The whole pipeline around Sluice, on a running [`Stack`].
//!
//! ```text
//! randomuser → Airflow → Postgres ─ Sluice → Kafka ─ Sluice → Cassandra
//!                           └ its metadata      └ Spark ───────┘
//! ```
//!
//! What starts after what: databases → (randomuser, Sluice, Airflow, Spark's cluster, side by side) → the first people,
//! and with them the topic → the job on Spark.

mod dags;
mod rehearsal;
mod view;

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::ports::Port;
use crate::process::Server;
pub use crate::servers::airflow::Airflow;
use crate::servers::airflow::Surroundings;
use crate::servers::spark::Spark;
use crate::servers::{randomuser, sluice};
use crate::stack::{Ports, Stack, Task, side_by_side};
use crate::wait;
use crate::workload::{Programs, Workload};
use dags::{DAGS, Dags};
pub use rehearsal::Rehearsal;

/// How long the first people may take from Airflow to Kafka.
const FIRST_PEOPLE_LIMIT: Duration = Duration::from_secs(180);
/// The topic of the users' changes.
const TOPIC: &str = "users.public.users";

/// How often the DAGs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Often enough to be watched.
    Live,
    /// Once each, when they are un-paused, and then not for a day: a rehearsal decides what comes next.
    Rehearsal,
}

impl Pace {
    /// Settings of the DAGs.
    fn variables(self) -> Vec<(&'static str, String)> {
        let settings: &[(&'static str, u32)] = match self {
            Self::Live => &[
                ("USERS_INGEST_EVERY_SECONDS", 30),
                ("USERS_INGEST_RESULTS", 200),
                ("USERS_MUTATE_EVERY_SECONDS", 20),
                ("USERS_ERASE_EVERY_SECONDS", 30),
                ("USERS_RECONCILE_EVERY_SECONDS", 60),
            ],
            Self::Rehearsal => &[
                ("USERS_INGEST_EVERY_SECONDS", 86_400),
                ("USERS_INGEST_RESULTS", 1_000),
                ("USERS_MUTATE_EVERY_SECONDS", 86_400),
                // Every kind of event happens in the one run.
                ("USERS_MUTATE_RARE_ONE_IN", 1),
                ("USERS_ERASE_EVERY_SECONDS", 86_400),
                ("USERS_RECONCILE_EVERY_SECONDS", 86_400),
            ],
        };
        let fast = [("USERS_ERASE_POKE_SECONDS", 1), ("USERS_RETRY_SECONDS", 5)];
        settings.iter().chain(&fast).map(|(name, value)| (*name, value.to_string())).collect()
    }
}

/// The processes around a stack. They end when this is dropped, unless the stack's servers stay.
#[derive(Debug)]
pub struct Pipeline<'a> {
    stack: &'a Stack,
    programs: &'a Programs,
    randomuser: Server,
    sluice: Server,
    airflow: Airflow,
    spark: Spark,
}

impl<'a> Pipeline<'a> {
    /// Starts everything on a running stack and waits until people arrive: `users_ingest` is un-paused, the other DAGs
    /// are not.
    ///
    /// # Errors
    /// Fails when a download fails, a port is taken, a process does not come up, or no people arrive.
    pub fn start(stack: &'a Stack, programs: &'a Programs, ports: Ports, pace: Pace) -> anyhow::Result<Self> {
        let pipeline = Self::prepare(stack, programs, ports, pace)?;
        if let Err(error) = pipeline.start_all() {
            // Detached processes would stay otherwise.
            pipeline.stop()?;
            return Err(error);
        }
        Ok(pipeline)
    }

    /// Stops everything in order; the stack goes on.
    ///
    /// # Errors
    /// Fails when a signal cannot be sent.
    pub fn stop(&self) -> anyhow::Result<()> {
        let clients: [Task<'_>; 2] = [&|| self.spark.stop(), &|| self.airflow.stop()];
        side_by_side(clients)?;
        self.sluice.stop()?;
        self.randomuser.stop()
    }

    /// What a person opens in a browser, and how to log in.
    pub fn addresses(&self) -> Vec<(&'static str, String)> {
        let url = |server: &Server| format!("http://127.0.0.1:{}", server.port());
        vec![
            ("Airflow", format!("{} (user admin, password admin)", url(&self.airflow.api))),
            ("Spark", url(&self.spark.master)),
            ("Spark job", url(&self.spark.users_stats)),
            ("Sluice", format!("{}/health", url(&self.sluice))),
            ("schemas", format!("{}/subjects", self.stack.registry_url())),
            ("people", format!("{}/api/?results=3", url(&self.randomuser))),
        ]
    }

    /// Lets the scheduler run all DAGs and shows what happens, until this process is ended, as ctrl-c does.
    ///
    /// # Errors
    /// Fails when Airflow cannot be asked, or when the program that looks ends.
    pub fn watch(&self) -> anyhow::Result<()> {
        let mut dags = self.dags()?;
        DAGS.iter().try_for_each(|dag| dags.pause(dag, false))?;
        view::watch(self, dags)
    }

    fn prepare(stack: &'a Stack, programs: &'a Programs, ports: Ports, pace: Pace) -> anyhow::Result<Self> {
        let setting = stack.setting();
        let randomuser_port = ports.take("randomuser", 8008)?;
        let airflow_port = ports.take("airflow", 8080)?;
        let surroundings = surroundings(stack, &randomuser_port, pace);
        let randomuser = randomuser::blueprint(setting, &programs.users(), randomuser_port);
        let sluice =
            sluice::blueprint(setting, &programs.sluice(), stack.environment(), ports.take("sluice", 8083)?);
        Ok(Self {
            stack,
            programs,
            randomuser: Server::new(randomuser.context("prepare randomuser")?),
            sluice: Server::new(sluice.context("prepare sluice")?),
            airflow: Airflow::new(setting, &airflow_port, &surroundings).context("prepare Airflow")?,
            spark: Spark::new(stack, ports, TOPIC).context("prepare Spark")?,
        })
    }

    fn start_all(&self) -> anyhow::Result<()> {
        self.workload().output(&["init", "--airflow"]).context("make the databases")?;
        let independent: [Task<'_>; 4] =
            [&|| self.randomuser.start(), &|| self.sluice.start(), &|| self.airflow.start(), &|| {
                self.spark.start_cluster()
            }];
        side_by_side(independent)?;
        let mut dags = self.dags()?;
        // An earlier pipeline on the same data may have left them running.
        DAGS.iter().try_for_each(|dag| dags.pause(dag, true))?;
        let run = dags.start_run(DAGS[0])?;
        // The job cannot read a topic that is not there, and Sluice makes it for the first record.
        let people = wait::until(FIRST_PEOPLE_LIMIT, || {
            let status = self.status().ok()?;
            (status["topic_records"].as_u64()? > 0).then_some(())
        });
        if people.is_none() {
            dags.await_end(DAGS[0])?;
            bail!("no people arrived in Kafka, though run `{}` of {} ended well", run.id, DAGS[0]);
        }
        self.spark.users_stats.start()
    }

    /// One look at all that the pipeline holds, as `sluice-users status` prints it.
    fn status(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.workload().output(&["status"])?).context("read the status")
    }

    fn dags(&self) -> anyhow::Result<Dags> {
        Dags::connect(self.airflow.api.port(), self.airflow.logs())
    }

    fn workload(&self) -> Workload<'_> {
        Workload { programs: self.programs, stack: self.stack, sluice_port: self.sluice.port() }
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        // All at once; each server's own drop then waits for its end.
        let servers = [
            &self.airflow.scheduler,
            &self.airflow.dag_processor,
            &self.airflow.api,
            &self.spark.users_stats,
            &self.spark.worker,
            &self.spark.master,
            &self.sluice,
            &self.randomuser,
        ];
        servers.into_iter().for_each(Server::abandon);
    }
}

/// Airflow beside a stack, with nothing to work on: its heartbeats alone keep the database `airflow` busy, which must
/// exist.
///
/// # Errors
/// Fails when the download fails or no port is free.
pub fn idle_airflow(stack: &Stack) -> anyhow::Result<Airflow> {
    let surroundings = Surroundings { variables: Vec::new(), metadata_port: stack.postgres_port() };
    Airflow::new(stack.setting(), &Port::free()?, &surroundings)
}

/// A stand-in for randomuser.me of its own, for tests that let it fail.
pub(crate) fn stand_in(stack: &Stack, programs: &Programs) -> anyhow::Result<Server> {
    randomuser::blueprint(stack.setting(), &programs.users(), Port::free()?).map(Server::new)
}

/// The connections of the DAGs, and how often they run.
fn surroundings(stack: &Stack, randomuser: &Port, pace: Pace) -> Surroundings {
    let (postgres, kafka) = (stack.postgres_port(), stack.bootstrap_servers());
    let mut variables = vec![
        ("AIRFLOW_CONN_USERS_DB", format!("postgresql://users_app:users_app@127.0.0.1:{postgres}/users")),
        ("AIRFLOW_CONN_USERS_CASSANDRA", format!("generic://{}/users", stack.cassandra_address())),
        ("AIRFLOW_CONN_USERS_KAFKA", format!("generic://{kafka}")),
        ("AIRFLOW_CONN_RANDOMUSER", format!("http://127.0.0.1:{}", randomuser.number())),
    ];
    variables.extend(pace.variables());
    Surroundings { variables, metadata_port: postgres }
}
