//! What happens to rows in Postgres happens to rows in Cassandra.

use anyhow::ensure;
use sluice_users::feeder::Mix;

use crate::{
    Outcome,
    world::{Scenario, World, until},
};

pub(crate) async fn snapshot_then_stream_makes_cassandra_equal_postgres(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "snapshot").await?;
    let mut feeder = scenario.feeder(1).await?;
    feeder.insert_many(2_000, 500).await?;

    let mut sluice = scenario.start_both()?;
    feeder.feed(&Mix::default(), 500).await?;
    scenario.wait_until_equal(&mut sluice).await?;
    feeder.feed(&Mix::default(), 500).await?;
    scenario.wait_until_equal(&mut sluice).await
}

/// Without before-images: Postgres then sends neither old rows nor large values that an update leaves alone.
const KEYS_ONLY: &str = "ALTER TABLE users REPLICA IDENTITY DEFAULT";

pub(crate) async fn every_operation_arrives(world: &World) -> Outcome {
    every_operation_of(&Scenario::users(world, "operations").await?).await
}

pub(crate) async fn every_operation_arrives_without_before_images(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "keys_only").await?;
    scenario.postgres.batch_execute(KEYS_ONLY).await?;
    every_operation_of(&scenario).await
}

async fn every_operation_of(scenario: &Scenario<'_>) -> Outcome {
    let mut sluice = scenario.start_both()?;
    sluice.wait_for_state(&format!("{}-source", scenario.name), "running").await?;
    let mut feeder = scenario.feeder(2).await?;

    // Inserts, updates, NULLs, deletes, key changes, many changes of one row in one transaction, rollbacks,
    // savepoints, large values: compared after each round, so that a later change cannot cover an earlier fault.
    for _ in 0..3 {
        feeder.every_operation().await?;
        scenario.wait_until_equal(&mut sluice).await?;
    }
    Ok(())
}

pub(crate) async fn unchanged_toast_keeps_the_cell(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "toast").await?;
    scenario.postgres.batch_execute(KEYS_ONLY).await?;
    let mut feeder = scenario.feeder(3).await?;
    for _ in 0..20 {
        feeder.step(sluice_users::feeder::Operation::ReplaceDocument).await?;
    }
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    for _ in 0..20 {
        feeder.step(sluice_users::feeder::Operation::KeepLargeDocument).await?;
    }

    let large: i64 = scenario.value("SELECT count(*) FROM users WHERE length(raw::text) > 8192").await?;
    ensure!(large > 0, "no value was stored out of line: nothing was tested");
    scenario.wait_until_equal(&mut sluice).await
}

pub(crate) async fn two_connectors_run_in_one_process(world: &World) -> Outcome {
    let (first, second) = (Scenario::users(world, "first").await?, Scenario::users(world, "second").await?);
    first.feeder(4).await?.insert_many(100, 100).await?;
    second.feeder(5).await?.insert_many(50, 50).await?;

    let mut sluice = first.start(&[first.source(), second.source(), first.sink(), second.sink()])?;

    first.wait_until_equal(&mut sluice).await?;
    second.wait_until_equal(&mut sluice).await?;
    let metrics = sluice.metrics().await?;
    for connector in ["first-source", "second-source", "first-sink", "second-sink"] {
        ensure!(
            metrics.contains(&format!("connector=\"{connector}\"")),
            "no metrics of {connector}:\n{metrics}"
        );
    }
    Ok(())
}

pub(crate) async fn idle_slot_follows_the_log(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "idle").await?;
    scenario.feeder(6).await?.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    scenario.postgres.batch_execute("CREATE TABLE busy AS SELECT generate_series(1, 100000) AS n").await?;
    let written: String = scenario.value("SELECT pg_current_wal_lsn()::text").await?;

    let confirmed = format!(
        "SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots WHERE slot_name = 'idle'"
    );
    until("the slot has passed what another table wrote", || scenario.value(&confirmed)).await
}

pub(crate) async fn sigterm_drains_and_exits_cleanly(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "sigterm").await?;
    let mut feeder = scenario.feeder(7).await?;
    feeder.insert_many(500, 100).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;
    feeder.feed(&Mix::default(), 300).await?;

    let exit = sluice.terminate().await?;
    ensure!(exit.success(), "SIGTERM ended with {exit}");

    let active: bool =
        scenario.value("SELECT active FROM pg_replication_slots WHERE slot_name = 'sigterm'").await?;
    ensure!(!active, "the slot is still in use after the exit");
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await
}
