//! The kit that every source runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use sluice_core::Error;
use sluice_core::record::Record;
use sluice_core::source::{SourceConnector as _, TaskContext};
use sluice_core::testkit::SourceHarness;
use sluice_postgres::{Position, PostgresSource, PostgresTask};

use crate::harness::{Database, change};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

struct Table {
    database: Database,
    next: AtomicUsize,
}

impl Table {
    async fn fresh() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = Database::new(&format!("kit_{number}"), "CREATE TABLE t (id int PRIMARY KEY)").await;
        Self { database, next: AtomicUsize::new(1) }
    }
}

impl SourceHarness for Table {
    type Source = PostgresTask;

    async fn open(&self, position: Option<Position>) -> Result<PostgresTask, Error> {
        let context = TaskContext { connector: self.database.name.clone() };
        PostgresSource.open(self.database.config(&[]), context, position).await
    }

    async fn produce(&self, count: usize) -> Vec<String> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let ids = first..first + count;
        for id in ids.clone() {
            self.database.run(&format!("INSERT INTO t VALUES ({id})")).await;
        }
        ids.map(|id| id.to_string()).collect()
    }

    fn identify(&self, record: &Record) -> Option<String> {
        let id = change(record).after.as_ref()?.first()?.as_i64()?;
        Some(id.to_string())
    }
}

sluice_core::source_conformance!(Table::fresh().await);

#[test]
fn faults_name_their_property_and_hold_no_secret() -> Result<(), sluice_core::testkit::Violation> {
    let valid = sluice_core::config::Properties::from([
        ("database.hostname", "localhost"),
        ("database.user", "sluice"),
        ("database.dbname", "users"),
        ("topic.prefix", "users"),
    ]);
    sluice_core::testkit::config::check_source(PostgresSource, &valid)
}
