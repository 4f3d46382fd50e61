//! What is registered is what Debezium registers.

use anyhow::{Context, ensure};

use crate::{
    Outcome,
    world::{Scenario, World, until},
};

pub(crate) async fn registered_schemas_equal_the_golden_files(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "users").await?;
    scenario.feeder(21).await?.insert_many(10, 10).await?;

    let mut sluice = scenario.start_both()?;
    scenario.wait_until_equal(&mut sluice).await?;

    for side in ["key", "value"] {
        let subject = format!("users.public.users-{side}");
        let url = format!("{}/subjects/{subject}/versions/latest", world.stack.registry_url());
        let answer: serde_json::Value = reqwest::get(&url).await?.json().await?;
        let registered =
            answer["schema"].as_str().with_context(|| format!("{subject} is not registered: {answer}"))?;
        let path = format!("{}/schemas/{subject}.avsc", env!("CARGO_MANIFEST_DIR"));
        let golden = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        ensure!(
            registered == golden.trim_end(),
            "{subject} differs\nregistered: {registered}\ngolden:     {golden}"
        );
    }
    Ok(())
}

/// The server sends a commit to us before other sessions see what it did. A standby that is waited for makes that moment
/// long enough to be caught in.
pub(crate) async fn columns_of_a_commit_that_nobody_sees_yet_are_known(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "unseen").await?;
    scenario.feeder(22).await?.insert_many(5, 5).await?;
    let mut sluice = scenario.start(&[scenario.source()])?;
    sluice.wait_for_state("unseen-source", "running").await?;
    let newest = async || {
        let url =
            format!("{}/subjects/unseen.public.users-value/versions/latest", world.stack.registry_url());
        Ok::<_, anyhow::Error>(reqwest::get(&url).await?.text().await?)
    };
    until("the snapshot's rows are written", async || Ok(newest().await?.contains("Envelope"))).await?;

    let altering = sluice_users::postgres::connect(&world.stack.postgres_config("unseen")).await?;
    let waited_for = async |standbys: &str| {
        scenario
            .postgres
            .batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'"))
            .await?;
        scenario.postgres.batch_execute("SELECT pg_reload_conf()").await?;
        let shown =
            async || Ok(scenario.value::<String>("SHOW synchronous_standby_names").await? == standbys);
        until("the setting is read again", shown).await
    };
    waited_for("nobody").await?;
    let commit = tokio::spawn(async move {
        let alter = "BEGIN; ALTER TABLE users ADD COLUMN confirmed boolean NOT NULL DEFAULT false; UPDATE users SET confirmed = true; COMMIT";
        altering.batch_execute(alter).await
    });
    let looks = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%transactionid%' AND pid <> pg_backend_pid())";
    let met = until("sluice meets the commit", async || scenario.value(looks).await).await;
    waited_for("").await?;
    met?;
    commit.await??;

    until("the new version is registered", async || Ok(newest().await?.contains("confirmed"))).await?;
    let registered: serde_json::Value = serde_json::from_str(&newest().await?)?;
    let schema = registered["schema"].as_str().context("there is a schema")?;
    let required = r#"{"name":"confirmed","type":{"type":"boolean""#;
    ensure!(schema.contains(required), "the column became optional: {schema}");
    Ok(())
}
