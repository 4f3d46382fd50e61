//! A database per test, and a source on it that is driven as the engine does.

use std::time::Duration;

use sluice_core::Error;
use sluice_core::change::Change;
use sluice_core::config::{Config as _, Fault, Properties};
use sluice_core::record::{EventPosition, Payload, Record};
use sluice_core::source::{Batch, Source as _, SourceConnector as _, TaskContext};
use sluice_core::value::Value;
use sluice_postgres::config::PostgresConfig;
use sluice_postgres::{Position, PostgresSource, PostgresTask};
use tokio::time::{Instant, timeout};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

/// Far longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A database, a slot and a publication, all of one name.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) sql: Client,
    server: Config,
}

impl Database {
    /// Makes the database anew and runs statements in it.
    pub(crate) async fn new(test: &str, statements: &str) -> Self {
        let mut server: Config = std::env::var("SLUICE_TEST_POSTGRES")
            .expect("SLUICE_TEST_POSTGRES must name a server; `cargo xtask test` starts one and sets it")
            .parse()
            .expect("SLUICE_TEST_POSTGRES is a libpq-style connection string");
        let name = format!("sluice_source_{test}");
        let admin = connect(&server).await;
        remove(&admin, &name).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        server.dbname(&name);
        let sql = connect(&server).await;
        sql.batch_execute(statements).await.unwrap();
        Self { name, sql, server }
    }

    /// Removes it; a test that fails leaves it for inspection, and its next run removes it.
    pub(crate) async fn remove(self) {
        let mut server = self.server.clone();
        server.dbname("postgres");
        drop(self.sql);
        remove(&connect(&server).await, &self.name).await;
    }

    pub(crate) async fn run(&self, statements: &str) {
        self.sql.batch_execute(statements).await.unwrap();
    }

    /// A second session.
    pub(crate) async fn session(&self) -> Client {
        connect(&self.server).await
    }

    pub(crate) async fn text(&self, query: &str) -> String {
        self.sql.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Drops the slot, once the server has let go of it: that is a moment after a source is closed.
    pub(crate) async fn drop_slot(&self) {
        let active =
            format!("SELECT active::text FROM pg_replication_slots WHERE slot_name = '{}'", self.name);
        eventually(self, &active, |active| active == "false").await;
        self.run(&format!("SELECT pg_drop_replication_slot('{}')", self.name)).await;
    }

    pub(crate) fn properties(&self, pairs: &[(&str, &str)]) -> Properties {
        let Some(Host::Tcp(host)) = self.server.get_hosts().first() else {
            panic!("the server is reached by TCP")
        };
        let password = String::from_utf8(self.server.get_password().unwrap_or_default().to_vec()).unwrap();
        let mut properties = Properties::from([
            ("database.hostname", host.as_str()),
            ("database.user", self.server.get_user().unwrap()),
            ("database.password", password.as_str()),
            ("database.dbname", self.name.as_str()),
            ("database.sslmode", "disable"),
            ("topic.prefix", "p"),
            ("slot.name", self.name.as_str()),
            ("slot.max.retries", "50"),
            ("slot.retry.delay.ms", "100"),
            ("publication.name", self.name.as_str()),
        ]);
        properties.set("database.port", self.server.get_ports().first().copied().unwrap_or(5432).to_string());
        pairs.iter().for_each(|(key, value)| properties.set(*key, *value));
        properties
    }

    pub(crate) fn config(&self, pairs: &[(&str, &str)]) -> PostgresConfig {
        PostgresConfig::from_properties(&self.properties(pairs)).unwrap()
    }

    pub(crate) async fn check(&self, pairs: &[(&str, &str)]) -> Vec<Fault> {
        PostgresSource.check(self.config(pairs)).await
    }

    pub(crate) async fn open(&self, pairs: &[(&str, &str)]) -> Reader {
        self.open_at(pairs, None).await.unwrap()
    }

    pub(crate) async fn open_at(
        &self,
        pairs: &[(&str, &str)],
        position: Option<Position>,
    ) -> Result<Reader, Error> {
        let context = TaskContext { connector: self.name.clone() };
        let task = PostgresSource.open(self.config(pairs), context, position.clone()).await?;
        Ok(Reader { task, position })
    }
}

pub(crate) async fn connect(server: &Config) -> Client {
    let (client, connection) = server.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn remove(admin: &Client, name: &str) {
    let statement = format!(
        "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE slot_name = '{name}' AND active"
    );
    admin.batch_execute(&statement).await.unwrap();
    let statement = format!(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{name}'"
    );
    admin.batch_execute(&statement).await.unwrap();
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
}

/// A source and the last position that it gave.
pub(crate) struct Reader {
    pub(crate) task: PostgresTask,
    pub(crate) position: Option<Position>,
}

impl Reader {
    /// Waits for a batch.
    pub(crate) async fn batch(&mut self) -> Option<Batch<Position>> {
        let batch = timeout(PATIENCE, self.task.next_batch()).await.expect("a batch comes in time").unwrap();
        if let Some(position) = batch.as_ref().and_then(|batch| batch.position.clone()) {
            self.position = Some(position);
        }
        batch
    }

    /// Reads until there are `count` records and a position covers them.
    pub(crate) async fn records(&mut self, count: usize) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let batch = self.batch().await.expect("the source goes on");
            let refused: Vec<_> = batch.rejected.iter().map(|(_, error)| error.report()).collect();
            assert_eq!(refused, [""; 0]);
            records.extend(batch.records);
            if records.len() >= count && batch.position.is_some() {
                assert_eq!(records.len(), count, "no record too many");
                return records;
            }
        }
    }

    /// Reads the snapshot to its end.
    pub(crate) async fn snapshot(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let batch = self.batch().await.expect("the snapshot has an end");
            let refused: Vec<_> = batch.rejected.iter().map(|(_, error)| error.report()).collect();
            assert_eq!(refused, [""; 0]);
            records.extend(batch.records);
            if batch.position.is_some_and(|position| position.snapshot.is_none()) {
                return records;
            }
        }
    }

    /// Says that all up to the last position is durable.
    pub(crate) async fn acknowledge(&mut self) {
        let position = self.position.clone().expect("a batch carried a position");
        self.task.acknowledge(&position).await.unwrap();
    }

    /// Closes the source and returns the last position.
    pub(crate) async fn close(mut self) -> Option<Position> {
        self.task.close().await.unwrap();
        self.position
    }
}

pub(crate) fn change(record: &Record) -> &Change {
    match &record.value {
        Payload::Change(change) => change,
        Payload::Plain(_) => panic!("the record is a change"),
    }
}

/// The operation's code; `-` for a tombstone.
pub(crate) fn code(record: &Record) -> &'static str {
    match &record.value {
        Payload::Change(change) => change.operation.code(),
        Payload::Plain(_) => "-",
    }
}

pub(crate) fn codes(records: &[Record]) -> String {
    records.iter().map(code).collect()
}

pub(crate) fn event(record: &Record) -> EventPosition {
    record.origin.event.expect("each record has its position")
}

/// A field of the row after the change.
pub(crate) fn after<'a>(record: &'a Record, field: &str) -> &'a Value {
    let change = change(record);
    let place = change.schema.row.field_index(field).expect("the row has the field");
    &change.after.as_ref().expect("there is a row after")[place]
}

/// A field of the row before the change.
pub(crate) fn before<'a>(record: &'a Record, field: &str) -> &'a Value {
    let change = change(record);
    let place = change.schema.row.field_index(field).expect("the row has the field");
    &change.before.as_ref().expect("there is a row before")[place]
}

/// The key's only field.
pub(crate) fn key(record: &Record) -> i64 {
    let key = record.key.value.as_struct().expect("the key is a struct");
    key.values()[0].as_i64().expect("the key is a number")
}

/// Waits until a condition on the server holds.
pub(crate) async fn eventually(database: &Database, query: &str, holds: impl Fn(&str) -> bool) {
    let start = Instant::now();
    loop {
        let text = database.text(query).await;
        if holds(&text) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "`{query}` stays `{text}`");
        database.run("SELECT pg_sleep(0.02)").await;
    }
}
