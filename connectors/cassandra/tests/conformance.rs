//! The kit that every sink passes, against a real Cassandra.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use sluice_cassandra::{CassandraSink, CassandraTask};
use sluice_core::{
    Error, Record, Value,
    change::Operation,
    config::Properties,
    testkit::{SinkHarness, config, sink::State},
};
use support::{Keyspace, Source, open, user};

struct Users(Keyspace);

impl Users {
    async fn fresh() -> Self {
        let keyspace = Keyspace::fresh("kit").await;
        keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
        Self(keyspace)
    }
}

impl SinkHarness for Users {
    type Sink = CassandraTask;

    async fn open(&self) -> Result<CassandraTask, Error> {
        open(&self.0.properties(&[])).await
    }

    fn records(&self) -> Vec<Record> {
        let source = Source::users();
        vec![
            source.change(Operation::Create, &user(1, "a", "x"), 1000),
            source.change(Operation::Create, &user(2, "b", "y"), 2000),
            source.change(Operation::Update, &user(1, "c", Value::Null), 3000),
            source.change(Operation::Delete, &user(2, "b", "y"), 4000),
            source.tombstone(&user(2, Value::Null, Value::Null), 4000),
        ]
    }

    fn expected(&self) -> State {
        State::from([("1".to_owned(), "'c'|null".to_owned())])
    }

    async fn state(&self) -> State {
        let rows = self.0.rows("SELECT id, name, note FROM KS.users").await;
        let pair = |row: String| row.split_once('|').map(|(id, rest)| (id.to_owned(), rest.to_owned()));
        rows.into_iter().filter_map(pair).collect()
    }

    fn refused(&self) -> Option<Record> {
        let mut record = Source::users().change(Operation::Create, &user(9, "z", "z"), 5000);
        record.origin.event = None;
        Some(record)
    }
}

sluice_core::sink_conformance!(Users::fresh().await);

#[test]
fn faults_of_the_configuration_name_their_property() {
    let valid =
        Properties::from([("keyspace", "users"), ("auth.username", "ann"), ("auth.password", "secret")]);

    config::check_sink(CassandraSink, &valid).unwrap();
}
