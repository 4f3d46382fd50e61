//! The servers that all scenarios share, and what one scenario has for itself.

use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use scylla::client::session::Session;
use sluice_users::{
    compare::{Tables, wait_until_equal},
    feeder::Feeder,
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, time::Instant};
use tokio_postgres::Client;
use xtask::stack::{Stack, StackOptions};

use crate::{Outcome, sluice::Sluice};

/// How long a condition may take before a scenario fails; generous, since machines differ.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(50);

/// Properties of a connector file.
pub(crate) type File = BTreeMap<String, String>;

/// The servers and the runtime of the test clients.
pub(crate) struct World {
    pub(crate) stack: Stack,
    runtime: Runtime,
}

impl World {
    /// Starts the servers.
    ///
    /// # Panics
    /// When one does not come up: no scenario can run then.
    pub(crate) fn start() -> Self {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .expect("no other provider was installed");
        let stack = Stack::start(&StackOptions { connect: true, ..StackOptions::default() })
            .unwrap_or_else(|error| panic!("{error:#}"));
        Self { stack, runtime: Runtime::new().expect("a runtime starts") }
    }

    /// Runs one scenario.
    pub(crate) fn run(&self, scenario: impl Future<Output = Outcome>) -> Outcome {
        self.runtime.block_on(scenario)
    }
}

/// Looks again and again until `look` answers true.
pub(crate) async fn until<F: Future<Output = anyhow::Result<bool>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    while !look().await.with_context(|| format!("while waiting until {what}"))? {
        ensure!(Instant::now() < deadline, "waited {LIMIT:?} until {what}");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// One scenario's database with the `users` table, its names and its files.
pub(crate) struct Scenario<'a> {
    pub(crate) world: &'a World,
    /// Name of the database, the topic prefix, the slot and the keyspace.
    pub(crate) name: String,
    pub(crate) postgres: Client,
    pub(crate) cassandra: Session,
    directory: TempDir,
}

impl<'a> Scenario<'a> {
    /// Prepares a database with the `users` table.
    pub(crate) async fn users(world: &'a World, name: &str) -> anyhow::Result<Self> {
        let config = world.stack.postgres_config(name);
        sluice_users::init::init(&config).await?;
        Ok(Self {
            world,
            name: name.to_owned(),
            postgres: sluice_users::postgres::connect(&config).await?,
            cassandra: sluice_users::cassandra::connect(&world.stack.cassandra_address()).await?,
            directory: TempDir::new()?,
        })
    }

    /// Topic of the `users` table.
    pub(crate) fn topic(&self) -> String {
        format!("{}.public.users", self.name)
    }

    /// A file of this scenario's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The source connector, as a user of Debezium would write it.
    pub(crate) fn source(&self) -> File {
        let port = self.world.stack.postgres_port().to_string();
        let mut file = file(&[
            ("name", &format!("{}-source", self.name)),
            ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
            ("database.hostname", "127.0.0.1"),
            ("database.port", &port),
            ("database.user", "sluice"),
            ("database.password", "sluice"),
            ("database.dbname", &self.name),
            ("topic.prefix", &self.name),
            ("plugin.name", "pgoutput"),
            ("slot.name", &self.name),
            ("publication.name", "sluice_users"),
            ("publication.autocreate.mode", "disabled"),
            ("table.include.list", "public.users"),
            ("topic.creation.default.partitions", "4"),
            ("topic.creation.default.replication.factor", "1"),
        ]);
        self.add_converters(&mut file);
        file
    }

    /// The sink connector, as a user of the DataStax sink would write it.
    pub(crate) fn sink(&self) -> File {
        let address = self.world.stack.cassandra_address();
        let (host, port) = address.split_once(':').expect("an address has a port");
        let mut file = file(&[
            ("name", &format!("{}-sink", self.name)),
            ("connector.class", "com.datastax.oss.kafka.sink.CassandraSinkConnector"),
            ("topics", &self.topic()),
            ("contactPoints", host),
            ("port", port),
            ("loadBalancing.localDc", "datacenter1"),
            ("keyspace", &self.name),
            ("schema.policy", "create"),
            ("transforms", "unwrap"),
            ("transforms.unwrap.type", "io.debezium.transforms.ExtractNewRecordState"),
        ]);
        self.add_converters(&mut file);
        file
    }

    fn add_converters(&self, file: &mut File) {
        for side in ["key", "value"] {
            file.insert(format!("{side}.converter"), "io.confluent.connect.avro.AvroConverter".to_owned());
            file.insert(format!("{side}.converter.schema.registry.url"), self.world.stack.registry_url());
        }
    }

    /// Writes a connector file.
    pub(crate) fn write(&self, file: &File) -> anyhow::Result<PathBuf> {
        let path = self.path(&format!("{}.properties", file.get("name").map_or("unnamed", String::as_str)));
        fs::write(&path, lines(file))?;
        Ok(path)
    }

    /// Starts `sluice run` with these connectors; positions are kept in the scenario's own file.
    pub(crate) fn start(&self, files: &[File]) -> anyhow::Result<Sluice> {
        let paths = files.iter().map(|file| self.write(file)).collect::<Result<Vec<_>, _>>()?;
        Sluice::start(self.directory.path(), &self.world.stack.bootstrap_servers(), &paths)
    }

    /// Starts source and sink.
    pub(crate) fn start_both(&self) -> anyhow::Result<Sluice> {
        self.start(&[self.source(), self.sink()])
    }

    /// Makes a feeder of the `users` table over a connection of its own.
    pub(crate) async fn feeder(&self, seed: u64) -> anyhow::Result<Feeder> {
        let config = self.world.stack.postgres_config(&self.name);
        Feeder::new(sluice_users::postgres::connect(&config).await?, seed).await
    }

    /// Waits until Cassandra equals Postgres, cell by cell; meanwhile `sluice` must not fail.
    pub(crate) async fn wait_until_equal(&self, sluice: &mut Sluice) -> Outcome {
        let tables = Tables::new("public", "users", &self.name, "users");
        let comparison = tokio::select! {
            comparison = wait_until_equal(&self.postgres, &self.cassandra, &tables, LIMIT) => comparison?,
            exit = sluice.exited() => bail!("sluice ended ({}) before the tables were equal:\n{}", exit?, sluice.log_tail()),
        };
        ensure!(comparison.is_equal(), "tables differ: {comparison:#?}\n{}", sluice.log_tail());
        ensure!(comparison.postgres_rows > 0, "equal, but empty: nothing was compared");
        Ok(())
    }

    /// Reads one value of one row by SQL.
    pub(crate) async fn value<T: for<'b> tokio_postgres::types::FromSql<'b>>(
        &self,
        sql: &str,
    ) -> anyhow::Result<T> {
        Ok(self.postgres.query_one(sql, &[]).await?.try_get(0)?)
    }
}

/// Makes a file of pairs.
pub(crate) fn file(pairs: &[(&str, &str)]) -> File {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Writes a file as properties.
pub(crate) fn lines(file: &File) -> String {
    file.iter().map(|(key, value)| format!("{key}={value}\n")).collect()
}

/// Returns the last lines of a text file.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
