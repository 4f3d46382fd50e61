//! Transactions arrive whole or not at all, in their order.

use anyhow::ensure;
use sluice_users::feeder::Operation;

use crate::{
    Outcome,
    world::{Scenario, World, until},
};

pub(crate) async fn ten_thousand_rows_commit_through_the_spool(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "big").await?;
    let mut source = scenario.source();
    source.insert("transaction.memory.bytes".to_owned(), "65536".to_owned());
    let mut sluice = scenario.start(&[source, scenario.sink()])?;
    sluice.wait_for_state("big-source", "running").await?;

    scenario.feeder(11).await?.insert_many(10_000, 10_000).await?;

    scenario.wait_until_equal(&mut sluice).await?;
    let metrics = sluice.metrics().await?;
    let spooled = metrics
        .lines()
        .any(|line| line.starts_with("sluice_transaction_spool_bytes_total") && !line.ends_with(" 0"));
    ensure!(spooled, "the transaction did not pass the spool:\n{metrics}");
    Ok(())
}

pub(crate) async fn rolled_back_work_never_arrives(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "rollback").await?;
    let mut sluice = scenario.start_both()?;
    sluice.wait_for_state("rollback-source", "running").await?;
    let mut feeder = scenario.feeder(12).await?;
    feeder.insert_many(20, 5).await?;

    for _ in 0..10 {
        feeder.step(Operation::Rollback).await?;
        feeder.step(Operation::Savepoint).await?;
    }

    ensure!(feeder.fed().rolled_back.total() > 0, "nothing was rolled back: nothing was tested");
    scenario.wait_until_equal(&mut sluice).await?;
    let expected = feeder.fed().committed.total();
    let read = || async {
        let metrics = sluice.metrics().await?;
        let name = "sluice_records_read_total{connector=\"rollback-source\"}";
        let count = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" 0");
        // Deletes and key changes carry tombstones, so there may be more records than changes, never fewer.
        Ok(count.trim().parse::<u64>()? >= expected)
    };
    until("all committed changes were read", read).await
}

pub(crate) async fn delete_and_reinsert_of_one_key_ends_with_the_row(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "reinsert").await?;
    let mut feeder = scenario.feeder(13).await?;
    feeder.insert_many(10, 10).await?;
    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    for _ in 0..20 {
        feeder.step(Operation::DeleteAndReinsert).await?;
        feeder.step(Operation::ManyChanges).await?;
        feeder.step(Operation::ChangeKey).await?;
    }

    scenario.wait_until_equal(&mut sluice).await
}
