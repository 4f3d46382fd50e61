//! What is registered is what Debezium registers.

use anyhow::{Context, ensure};

use crate::{
    Outcome,
    world::{Scenario, World},
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
