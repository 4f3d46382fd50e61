//! Bad input is told at once, by name, with what to do next.

use anyhow::ensure;

use crate::{
    Outcome,
    sluice::output,
    world::{File, Scenario, World, file},
};

/// Runs `validate` or `check` on a connector and expects it to fail with all the given texts.
async fn refused(scenario: &Scenario<'_>, command: &str, connector: &File, expected: &[&str]) -> Outcome {
    let path = scenario.write(connector)?;
    let bootstrap = format!("bootstrap.servers={}", scenario.world.stack.bootstrap_servers());
    let output = output(&[command, "--set", &bootstrap, &path.display().to_string()]).await?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "{command} accepted {connector:?}");
    for part in expected {
        ensure!(text.contains(part), "`{part}` is not in what {command} said:\n{text}");
    }
    ensure!(!text.contains("hunter2"), "a secret was printed:\n{text}");
    Ok(())
}

fn with(mut connector: File, changes: &[(&str, &str)]) -> File {
    connector.extend(file(changes));
    connector
}

pub(crate) async fn every_fault_of_a_file_is_named_at_once(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "validation").await?;
    let mut source = with(
        scenario.source(),
        &[
            ("database.prot", "5432"),
            ("database.port", "many"),
            ("snapshot.mode", "sometimes"),
            ("database.password", "hunter2"),
            ("transforms", "route"),
            ("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter"),
            ("transforms.route.regexp", "x"),
        ],
    );
    source.remove("database.hostname");

    let expected = [
        "database.prot",
        "did you mean `database.port`?",
        "`database.port`: expected an integer",
        "`database.hostname`: must be set",
        "`snapshot.mode`: expected one of",
        "transforms.route.regex",
    ];
    refused(&scenario, "validate", &source, &expected).await?;
    refused(
        &scenario,
        "validate",
        &with(scenario.source(), &[("connector.class", "NoSuch")]),
        &["`NoSuch`", "sluice.PostgresSource"],
    )
    .await?;
    refused(
        &scenario,
        "validate",
        &with(scenario.sink(), &[("port", "0x"), ("keyspaces", "k")]),
        &["`port`", "did you mean `keyspace`?"],
    )
    .await
}

pub(crate) async fn contradictions_and_unreadable_files_are_refused(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "contradictions").await?;
    let both = with(scenario.source(), &[("table.exclude.list", "public.x")]);
    refused(&scenario, "validate", &both, &["table.include.list", "table.exclude.list"]).await?;
    let both = with(scenario.sink(), &[("topics.regex", "x.*")]);
    refused(&scenario, "validate", &both, &["topics.regex"]).await?;
    let secret = with(scenario.source(), &[("database.password", "${env:NO_SUCH_VARIABLE}")]);
    refused(&scenario, "validate", &secret, &["NO_SUCH_VARIABLE"]).await?;

    let path = scenario.path("broken.json");
    std::fs::write(&path, "{\"name\": \"x\", ")?;
    let output = output(&["validate", &path.display().to_string(), "no-such-file"]).await?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        text.contains("broken.json") && text.contains("no-such-file"),
        "both files must be named:\n{text}"
    );
    Ok(())
}

pub(crate) async fn check_names_what_the_servers_lack(world: &World) -> Outcome {
    let scenario = Scenario::users(world, "check").await?;
    let source = |changes: &[(&str, &str)]| with(scenario.source(), changes);

    let absent = source(&[("table.include.list", "public.users,public.orders")]);
    refused(&scenario, "check", &absent, &["public.orders"]).await?;
    let publication = source(&[("publication.name", "nobody")]);
    refused(&scenario, "check", &publication, &["`nobody`", "CREATE PUBLICATION"]).await?;

    let sql = "CREATE TABLE notes (id int PRIMARY KEY, t text); CREATE TABLE keyless (t text);
        GRANT SELECT ON keyless TO sluice; ALTER PUBLICATION sluice_users ADD TABLE keyless;
        CREATE TYPE pair AS (a int, b int);
        CREATE TABLE geo (id int PRIMARY KEY, p pair); GRANT SELECT ON geo TO sluice; ALTER PUBLICATION sluice_users ADD TABLE geo;
        CREATE TABLE closed (id int PRIMARY KEY); ALTER PUBLICATION sluice_users ADD TABLE closed";
    scenario.postgres.batch_execute(sql).await?;
    let faulty = source(&[("table.include.list", "public.notes,public.keyless,public.geo,public.closed")]);
    let expected = [
        "GRANT SELECT ON",
        "ALTER PUBLICATION",
        "public.keyless",
        "REPLICA IDENTITY",
        "`p`",
        "column.exclude.list",
    ];
    refused(&scenario, "check", &faulty, &expected).await?;

    let sink = with(scenario.sink(), &[("schema.policy", "validate"), ("keyspace", "nowhere")]);
    refused(&scenario, "check", &sink, &["nowhere", "CREATE KEYSPACE"]).await
}

pub(crate) async fn describe_tells_the_properties_from_the_code(_world: &World) -> Outcome {
    let list = output(&["describe"]).await?;
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    for class in ["sluice.PostgresSource", "sluice.CassandraSink", "sluice.Stdout", "ExtractNewRecordState"] {
        ensure!(list.contains(class), "`{class}` is not listed:\n{list}");
    }
    let schema = output(&["describe", "PostgresConnector", "--format", "json"]).await?;
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout)?;
    ensure!(schema["properties"]["database.port"]["default"] == "5432", "{schema:#}");
    ensure!(schema["properties"]["database.password"]["writeOnly"] == true, "{schema:#}");
    Ok(())
}
