//! A real Postgres for tests: sessions, and a slot with its publication and table per test.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use sluice_postgres::lsn::Lsn;
use sluice_postgres::pgoutput::{Message, decode};
use sluice_postgres::replication::{
    ConnectOptions, Frame, ReplicationClient, ReplicationStream, SlotSnapshot, StreamOptions, WalBatch,
    quote_identifier,
};
use sluice_postgres::tls::TlsMode;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};

/// Far longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

fn config() -> Config {
    std::env::var("SLUICE_TEST_POSTGRES")
        .expect("SLUICE_TEST_POSTGRES must name a server; `cargo xtask test` starts one and sets it")
        .parse()
        .expect("SLUICE_TEST_POSTGRES is a libpq-style connection string")
}

/// Connects as the superuser, for SQL.
pub(crate) async fn admin() -> Client {
    let (client, connection) = config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Describes a replication connection as the superuser.
pub(crate) fn connect_options() -> ConnectOptions {
    let config = config();
    let Some(Host::Tcp(host)) = config.get_hosts().first() else {
        panic!("the server is reached by TCP");
    };
    let password = config
        .get_password()
        .map(|password| SecretString::from(String::from_utf8(password.to_vec()).unwrap()));
    let mut options = ConnectOptions::new(host, config.get_user().unwrap(), config.get_dbname().unwrap());
    options.port = config.get_ports().first().copied().unwrap_or(options.port);
    options.password = password;
    if config.get_ssl_mode() == SslMode::Disable {
        options.tls.mode = TlsMode::Disable;
    }
    options
}

pub(crate) fn connect() -> ReplicationClient {
    ReplicationClient::connect(&connect_options()).unwrap()
}

/// A table, a publication of it and a slot, all of one name; gone when the test begins again.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) sql: Client,
    pub(crate) start_lsn: Lsn,
}

impl Fixture {
    pub(crate) async fn new(name: &str) -> Self {
        let name = format!("sluice test {name}");
        let fixture = Self { sql: admin().await, start_lsn: Lsn::INVALID, name };
        fixture.remove().await;
        let table = quote_identifier(&fixture.name);
        fixture
            .execute(&format!(
                "CREATE TABLE {table} (id int PRIMARY KEY, name text, big text);
                 ALTER TABLE {table} ALTER COLUMN big SET STORAGE EXTERNAL;
                 CREATE PUBLICATION {table} FOR TABLE {table}"
            ))
            .await;
        let slot = connect().create_logical_slot(&fixture.slot(), SlotSnapshot::NoExport, false).unwrap();
        Self { start_lsn: slot.consistent_point, ..fixture }
    }

    pub(crate) fn slot(&self) -> String {
        self.name.replace(' ', "_")
    }

    pub(crate) fn options(&self) -> StreamOptions {
        StreamOptions::new(&self.slot(), self.start_lsn, vec![self.name.clone()])
    }

    pub(crate) fn start(&self, options: &StreamOptions) -> ReplicationStream {
        connect().start(options).unwrap()
    }

    /// Runs statements in which `$table` stands for the table.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = sql.replace("$table", &quote_identifier(&self.name));
        self.sql.batch_execute(&sql).await.unwrap();
    }

    /// Asks for one text.
    pub(crate) async fn text(&self, sql: &str) -> String {
        self.sql.query_one(sql, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn current_wal_lsn(&self) -> Lsn {
        let text = self.text("SELECT pg_current_wal_lsn()::text").await;
        text.parse().unwrap()
    }

    pub(crate) async fn confirmed(&self) -> Lsn {
        let text = self.slot_column("confirmed_flush_lsn::text").await;
        text.parse().unwrap()
    }

    /// The process that serves the slot.
    pub(crate) async fn walsender(&self) -> String {
        self.slot_column("coalesce(active_pid::text, 'none')").await
    }

    /// Waits until the slot is confirmed up to `lsn`.
    pub(crate) async fn await_confirmed(&self, lsn: Lsn) {
        let start = Instant::now();
        while self.confirmed().await < lsn {
            assert!(start.elapsed() < PATIENCE, "the slot is not confirmed");
            self.wait(Duration::from_millis(20)).await;
        }
    }

    /// Lets time pass on the server.
    pub(crate) async fn wait(&self, length: Duration) {
        let seconds = length.as_secs_f64();
        self.execute(&format!("SELECT pg_sleep({seconds})")).await;
    }

    /// Removes table, publication and slot; whoever holds the slot is ended first.
    pub(crate) async fn remove(&self) {
        let table = quote_identifier(&self.name);
        let slot = self.slot();
        self.execute(&format!(
            "DROP PUBLICATION IF EXISTS {table};
             DROP TABLE IF EXISTS {table};
             SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots
              WHERE slot_name = '{slot}' AND active;
             SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
              WHERE slot_name = '{slot}'"
        ))
        .await;
    }

    async fn slot_column(&self, column: &str) -> String {
        let slot = self.slot();
        let sql = format!("SELECT {column} FROM pg_replication_slots WHERE slot_name = '{slot}'");
        self.text(&sql).await
    }
}

/// Reads a stream message by message, with the block state that decoding needs.
pub(crate) struct Messages {
    pub(crate) stream: ReplicationStream,
    batch: WalBatch,
    in_block: bool,
}

impl Messages {
    pub(crate) fn new(stream: ReplicationStream) -> Self {
        Self { stream, batch: WalBatch::default(), in_block: false }
    }

    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.batch.next() {
                return frame;
            }
            let batch = tokio::time::timeout(PATIENCE, self.stream.next_batch());
            self.batch = batch.await.expect("a frame comes in time").unwrap();
        }
    }

    pub(crate) async fn next(&mut self) -> Message {
        loop {
            let Frame::XLogData(data) = self.frame().await else {
                continue;
            };
            let message = decode(&data.payload, self.in_block).unwrap();
            match message {
                Message::StreamStart(_) => self.in_block = true,
                Message::StreamStop => self.in_block = false,
                _ => {}
            }
            return message;
        }
    }

    /// Reads up to and including the next commit.
    pub(crate) async fn transaction(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            messages.push(self.next().await);
            if let Some(Message::Commit(_)) = messages.last() {
                return messages;
            }
        }
    }
}
