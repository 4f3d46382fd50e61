//! One connector of a scenario: its database, its files, and the commands on them.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    connect::Connect,
    load::Script,
    topic::{Seen, read},
};
use crate::{
    Outcome,
    sluice::{Sluice, output},
    world::{World, until},
};

/// One connector on a database, a slot, a prefix and a name of its own.
pub(super) struct Case<'a> {
    pub(super) world: &'a World,
    pub(super) name: String,
    /// What makes Sluice the heir of the worker that runs the connector.
    worker: Vec<String>,
    pub(super) directory: TempDir,
}

impl<'a> Case<'a> {
    /// Makes the database and the connector's file, and starts Debezium with it in the stack's worker.
    pub(super) async fn start(world: &'a World, name: &str) -> anyhow::Result<(Self, Connect, Script)> {
        Self::start_with(world, name, &[]).await
    }

    /// The same with more properties.
    pub(super) async fn start_with(
        world: &'a World,
        name: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<(Self, Connect, Script)> {
        let (mut case, script) = Self::prepare(world, name, "connect").await?;
        case.write(more)?;
        let own = format!("offset.storage.file.filename={}", case.directory.path().join("offsets").display());
        case.worker.extend(["--set".to_owned(), own]);
        let url = world.stack.connect_url().context("the stack has a worker of Kafka Connect")?;
        let connect = Connect::new(&url, name);
        connect.create(&case.properties(more)).await?;
        Ok((case, connect, script))
    }

    /// Makes the database and the connector's file, for the worker of this name.
    pub(super) async fn prepare(
        world: &'a World,
        name: &str,
        worker: &str,
    ) -> anyhow::Result<(Self, Script)> {
        let admin = sluice_users::postgres::connect(&world.stack.postgres_config("postgres")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let config = world.stack.postgres_config(name);
        let script = Script::new(
            sluice_users::postgres::connect(&config).await?,
            sluice_users::postgres::connect(&config).await?,
        )
        .await?;
        // The very file that the worker is started with.
        let settings = world.stack.directory().join(worker).join("worker.properties");
        let worker = vec!["--worker".to_owned(), settings.display().to_string()];
        let case = Self { world, name: name.to_owned(), worker, directory: TempDir::new()? };
        case.write(&[])?;
        Ok((case, script))
    }

    /// Writes the connector's file, with more properties.
    pub(super) fn write(&self, more: &[(&str, &str)]) -> Outcome {
        let file = json!({"name": self.name, "config": self.properties(more)});
        Ok(fs::write(self.file(), format!("{file:#}"))?)
    }

    fn properties(&self, more: &[(&str, &str)]) -> Json {
        let name = &self.name;
        let mut properties = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1",
            "database.port": self.world.stack.postgres_port().to_string(),
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": name,
            "topic.prefix": name,
            "plugin.name": "pgoutput",
            "slot.name": name,
            "publication.autocreate.mode": "filtered",
            "table.include.list": "public.ledger",
            "topic.creation.default.partitions": "1",
            "topic.creation.default.replication.factor": "1",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        });
        for (key, value) in more {
            properties[key] = json!(value);
        }
        properties
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("connector.json")
    }

    /// Starts Sluice with the worker's and the connector's file.
    pub(super) fn sluice(&self) -> anyhow::Result<Sluice> {
        Sluice::start_as_worker(self.directory.path(), &self.worker, &[self.file()])
    }

    /// Runs a command on the connector's file and returns what it printed.
    pub(super) async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let file = self.file().display().to_string();
        let worker: Vec<_> = self.worker.iter().map(String::as_str).collect();
        let all = [&arguments[..1], &worker, &arguments[1..], &[&file]].concat();
        let output = output(&all).await?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?} failed:\n{error}");
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(super) fn records(&self) -> anyhow::Result<Vec<Seen>> {
        read(&self.world.stack.bootstrap_servers(), &format!("{}.public.ledger", self.name))
    }

    /// Waits until the topic has so many records.
    pub(super) async fn wait_for(&self, count: usize) -> Outcome {
        until(&format!("there are {count} records"), async || Ok(self.records()?.len() >= count)).await
    }

    /// Waits until the topic ends with the last record of the script.
    pub(super) async fn wait_for_end(&self, script: &Script) -> Outcome {
        let last = script.expected().last().context("nothing was written")?;
        until("the last record came", async || {
            Ok(self.records()?.last().is_some_and(|record| record.event == *last))
        })
        .await
    }
}
