//! Heartbeats: records that say from time to time that the connector is alive, and a statement that is run with each.
//!
//! An idle slot moves without them; they are for those who watch the topic, and for consumers that need an event now and
//! then. When they come is Debezium's: after events once the interval has passed since the last one, when idle, and
//! always at the end of a snapshot, never within one.

use std::sync::Arc;
use std::time::Duration;

use metrics::Counter;
use sluice_core::Classify as _;
use sluice_core::metrics::HEARTBEAT_QUERY_FAILURES;
use sluice_core::record::{Datum, Payload, Record};
use sluice_core::schema::{Field, Kind, Schema, SchemaRef};
use sluice_core::value::{Struct, Value};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::config::PostgresConfig;
use crate::error::SourceError;
use crate::{names, sql};

/// The partition that all heartbeats go to.
const PARTITION: i32 = 0;

/// The heartbeats of one connector.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    due: Instant,
    topic: Arc<str>,
    key: Datum,
    value: SchemaRef,
    action: Option<Action>,
}

impl Heartbeat {
    /// Starts the clock; none if there are to be no heartbeats.
    pub(crate) fn new(config: &Arc<PostgresConfig>, connector: &str) -> Option<Self> {
        let interval = config.heartbeat_interval.0;
        if interval.is_zero() {
            return None;
        }
        let key = key_schema();
        let name = Struct::new(Arc::clone(&key), vec![config.topic_prefix.as_str().into()]);
        Some(Self {
            interval,
            due: Instant::now() + interval,
            topic: names::heartbeat_topic(config).into(),
            key: Datum::new(key, name.into()),
            value: value_schema(),
            action: config.heartbeat_query.as_deref().map(|query| Action::start(config, query, connector)),
        })
    }

    /// Returns when the next one is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Makes a heartbeat if one is due at `now`, the connector's clock in ns since 1970.
    pub(crate) fn beat_if_due(&mut self, now: i64) -> Option<Record> {
        let instant = Instant::now();
        if instant < self.due {
            return None;
        }
        self.due = instant + self.interval;
        Some(self.beat(now))
    }

    /// Makes a heartbeat, due or not, and has the statement run.
    pub(crate) fn beat(&self, now: i64) -> Record {
        if let Some(action) = &self.action {
            action.run();
        }
        let value = Struct::new(Arc::clone(&self.value), vec![Value::Int64(now.div_euclid(1_000_000))]);
        let value = Payload::Plain(Datum::new(Arc::clone(&self.value), value.into()));
        let mut record = Record::new(Arc::clone(&self.topic), self.key.clone(), value);
        record.partition = Some(PARTITION);
        record
    }
}

/// Runs `heartbeat.action.query` on a session of its own: one that waits for a lock must not hold up the stream.
#[derive(Debug)]
struct Action {
    /// Room for one: a heartbeat that finds the last one's statement still waiting to be run needs no other.
    wanted: mpsc::Sender<()>,
    /// Ends with the heartbeats.
    _task: JoinSet<()>,
}

impl Action {
    fn start(config: &Arc<PostgresConfig>, query: &str, connector: &str) -> Self {
        let (wanted, runs) = mpsc::channel(1);
        let failures = metrics::counter!(HEARTBEAT_QUERY_FAILURES, "connector" => connector.to_owned());
        let mut task = JoinSet::new();
        task.spawn(run(Arc::clone(config), query.to_owned(), failures, runs));
        Self { wanted, _task: task }
    }

    fn run(&self) {
        // Full: it is behind already.
        let _ = self.wanted.try_send(());
    }
}

async fn run(config: Arc<PostgresConfig>, query: String, failures: Counter, mut runs: mpsc::Receiver<()>) {
    let mut session = None;
    while runs.recv().await.is_some() {
        if let Err(error) = run_once(&config, &query, &mut session).await {
            failures.increment(1);
            tracing::warn!(code = error.code(), %error, "heartbeat.action.query failed; the connector goes on without it");
        }
    }
}

async fn run_once(
    config: &PostgresConfig,
    query: &str,
    session: &mut Option<Client>,
) -> Result<(), SourceError> {
    let failed = SourceError::sql("running heartbeat.action.query");
    let client = match session.take().filter(|client| !client.is_closed()) {
        Some(client) => client,
        // The statement is the user's: it finds tables as a session of theirs does.
        None => sql::connect_as_user(config).await?,
    };
    let ran = client.batch_execute(query).await.map_err(failed);
    *session = Some(client);
    ran
}

fn key_schema() -> SchemaRef {
    schema("ServerNameKey", Field::new("serverName", Schema::new(Kind::String)))
}

fn value_schema() -> SchemaRef {
    schema("Heartbeat", Field::new("ts_ms", Schema::new(Kind::Int64)))
}

fn schema(name: &str, field: Field) -> SchemaRef {
    Schema::record(format!("io.debezium.connector.common.{name}"), vec![field]).versioned(1).shared()
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::config::from_pairs;
    use crate::table::tests::connect_json;

    fn heartbeat(pairs: &[(&str, &str)]) -> Option<Heartbeat> {
        Heartbeat::new(&Arc::new(from_pairs(pairs).unwrap()), "c")
    }

    #[test]
    fn record_is_that_of_the_recording() {
        let recorded: Json = serde_json::from_str(include_str!("testdata/side_topics.json")).unwrap();
        let recorded = &recorded["heartbeat"];
        let pairs = [("topic.prefix", "heartbeat"), ("heartbeat.interval.ms", "500")];

        let record = heartbeat(&pairs).unwrap().beat(1_999_999);

        assert_eq!((&*record.topic, record.partition), (recorded["topic"].as_str().unwrap(), Some(0)));
        assert_eq!(connect_json(record.key.schema.as_ref().unwrap(), None), recorded["key_schema"]);
        assert_eq!(record.key.value.as_struct().unwrap().value("serverName"), Some(&"heartbeat".into()));
        let Payload::Plain(value) = record.value else { panic!("a heartbeat is no change") };
        assert_eq!(connect_json(value.schema.as_ref().unwrap(), None), recorded["value_schema"]);
        assert_eq!(value.value.as_struct().unwrap().value("ts_ms"), Some(&Value::Int64(1)));
    }

    #[test]
    fn heartbeat_is_due_an_interval_after_the_last_one() {
        assert!(heartbeat(&[]).is_none());
        let mut heartbeat = heartbeat(&[("heartbeat.interval.ms", "3600000")]).unwrap();
        assert!(heartbeat.beat_if_due(0).is_none());

        heartbeat.due = Instant::now();

        assert!(heartbeat.beat_if_due(0).is_some());
        assert!(heartbeat.beat_if_due(0).is_none());
    }
}
