//! Nothing is lost when something breaks.

use anyhow::{Context, ensure};
use sluice_users::feeder::Mix;

use crate::{
    Outcome,
    world::{Scenario, World},
};

/// How often the process is killed.
const KILLS: u32 = 10;

pub(crate) async fn killed_ten_times_under_load_loses_nothing(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "killed").await?;
    let mut feeder = scenario.feeder(41).await?;
    feeder.insert_many(3_000, 500).await?;
    let mut random = fastrand::Rng::with_seed(41);

    for _ in 0..KILLS {
        let sluice = scenario.start_both()?;
        // The moment is drawn by how much is fed meanwhile: from the start-up and the snapshot to the steady stream.
        feeder.feed(&Mix::default(), random.u64(1..1_500)).await?;
        sluice.kill().await?;
    }

    let mut sluice = scenario.start_both()?;
    feeder.feed(&Mix::default(), 200).await?;
    scenario.wait_until_equal(&mut sluice).await
}

pub(crate) async fn restart_of_kafka_under_load_loses_nothing(world: &World) -> Outcome {
    restart_under_load(world, "kafka_restart", || world.stack.kafka.restart()).await
}

pub(crate) async fn restart_of_cassandra_under_load_loses_nothing(world: &World) -> Outcome {
    restart_under_load(world, "cassandra_restart", || world.stack.cassandra.restart()).await
}

/// Feeds before, during and after the restart of a server, which must not be Postgres.
async fn restart_under_load(
    world: &World,
    name: &str,
    restart: impl FnOnce() -> anyhow::Result<()> + Send,
) -> Outcome {
    let scenario = Scenario::users(world, name).await?;
    let mut feeder = scenario.feeder(42).await?;
    feeder.insert_many(500, 100).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    feeder.feed(&Mix::default(), 200).await?;
    tokio::task::block_in_place(restart)?;
    feeder.feed(&Mix::default(), 200).await?;

    // The session of the test's own may be to the old server.
    let scenario = Scenario::users(world, name).await?;
    scenario.wait_until_equal(&mut sluice).await
}

pub(crate) async fn restart_of_postgres_under_load_loses_nothing(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "postgres_restart").await?;
    let mut feeder = scenario.feeder(43).await?;
    feeder.insert_many(500, 100).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    feeder.feed(&Mix::default(), 500).await?;
    tokio::task::block_in_place(|| world.stack.postgres.restart())?;
    // The feeder's and the scenario's connections ended with the server.
    let scenario = Scenario::users(world, "postgres_restart").await?;
    let mut feeder = scenario.feeder(44).await?;
    feeder.feed(&Mix::default(), 200).await?;

    scenario.wait_until_equal(&mut sluice).await
}

pub(crate) async fn registry_down_at_start_is_waited_for(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "no_registry").await?;
    scenario.feeder(45).await?.insert_many(50, 50).await?;
    tokio::task::block_in_place(|| world.stack.registry.stop())?;

    let mut sluice = scenario.start_both()?;
    let waited = sluice.wait_for_state("no_registry-source", "retrying").await;
    tokio::task::block_in_place(|| world.stack.registry.start())?;
    waited?;

    scenario.wait_until_equal(&mut sluice).await
}

pub(crate) async fn dropped_slot_is_a_gap(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "gap").await?;
    scenario.feeder(46).await?.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;
    sluice.terminate().await?;

    scenario.postgres.batch_execute("SELECT pg_drop_replication_slot('gap')").await?;
    let mut sluice = scenario.start(&[scenario.source()])?;

    let exit = sluice.exited().await?;
    ensure!(!exit.success(), "sluice went on over a gap");
    let log = sluice.log()?;
    ensure!(log.contains("`gap`") && log.contains("hint:"), "the slot or the remedy is not named in:\n{log}");
    let slots: i64 =
        scenario.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'gap'").await?;
    ensure!(slots == 0, "the slot was created again by itself");
    Ok(())
}

pub(crate) async fn unreadable_checkpoint_file_is_refused(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "damaged").await?;
    scenario.feeder(47).await?.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;
    sluice.terminate().await?;
    let path = scenario.path("offsets");
    let saved = std::fs::read(&path).context("read the positions")?;
    std::fs::write(&path, &saved[..saved.len() - 5])?;

    let mut sluice = scenario.start_both()?;

    let exit = sluice.exited().await?;
    ensure!(!exit.success(), "sluice started from a damaged file");
    let log = sluice.log()?;
    ensure!(log.contains("checkpoint.damaged") && log.contains("hint:"), "no code or remedy in:\n{log}");
    Ok(())
}
