//! The whole pipeline around Sluice: Airflow writes, Cassandra and Spark follow, erased people are gone everywhere.
//!
//! It runs under its usual names (database `users`, slot `sluice_users`), which no other scenario has, with the files
//! of `config/`.

use std::path::Path;

use anyhow::{Context, ensure};
use sluice_users::{init::create_airflow_database, verify::Slot};
use xtask::{
    pipeline::{self, Pace, Pipeline, Rehearsal},
    stack::Ports,
    workload::Programs,
};

use crate::{
    Outcome,
    sluice::BINARY,
    world::{Scenario, World, until},
};

pub(crate) async fn slot_of_idle_users_follows_airflows_heartbeats(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "heartbeats").await?;
    scenario.feeder(8).await?.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;
    create_airflow_database(&world.stack.postgres_config("postgres")).await?;
    let airflow = pipeline::idle_airflow(&world.stack)?;
    airflow.start()?;

    let slot = tokio::sync::Mutex::new(Slot::new("heartbeats", "airflow"));
    until("the slot has passed rows that Airflow wrote", || async {
        Ok(slot.lock().await.check(&scenario.postgres).await?.is_ok())
    })
    .await?;
    airflow.stop()
}

pub(crate) async fn whole_pipeline_agrees_after_dags_and_erasures(world: &World) -> Outcome {
    let folder = Path::new(BINARY).parent().context("find the folder of the built programs")?;
    let programs = Programs::within(folder)?;
    let pipeline = Pipeline::start(&world.stack, &programs, Ports::Free, Pace::Rehearsal)?;

    let rehearsal = Rehearsal::run(&pipeline)?;

    ensure!(rehearsal.verify(&pipeline)? == 0, "the pipeline does not agree with Postgres, as told above");
    pipeline.stop()
}
