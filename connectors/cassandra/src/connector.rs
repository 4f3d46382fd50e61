//! The connector: names, configuration, and the look at the cluster before it runs.

use std::sync::Arc;

use scylla::{client::session::Session, cluster::metadata::Table};
use sluice_core::{Error, config::Fault, sink::SinkConnector, source::TaskContext};

use crate::{
    config::CassandraConfig,
    error::CassandraError,
    mapping::{Source, TopicTable},
    schema::{self, TableName, Wanted},
    session,
    sink::CassandraTask,
};

/// Writes row changes to Cassandra, so that any order, repetition or replay of them ends in the same table.
#[derive(Debug, Clone, Copy, Default)]
pub struct CassandraSink;

impl SinkConnector for CassandraSink {
    const NAME: &'static str = "sluice.CassandraSink";
    const ALIASES: &'static [&'static str] = &[
        "com.datastax.oss.kafka.sink.CassandraSinkConnector",
        "com.datastax.kafkaconnector.DseSinkConnector",
    ];

    type Config = CassandraConfig;
    type Sink = CassandraTask;

    fn validate(&self, config: &CassandraConfig) -> Vec<Fault> {
        config.contradictions()
    }

    async fn check(&self, config: CassandraConfig) -> Vec<Fault> {
        match session::connect(&config).await {
            Ok(session) => check_tables(&config, &session).await,
            Err(error) => vec![Fault::from_error("contactPoints", &error)],
        }
    }

    async fn open(&self, config: CassandraConfig, context: TaskContext) -> Result<CassandraTask, Error> {
        Ok(CassandraTask::open(config, &context.connector).await?)
    }
}

/// Looks at the keyspace and at every table with a mapping.
///
/// Tables without a mapping are known when their first record comes: transforms may rename topics.
async fn check_tables(config: &CassandraConfig, session: &Session) -> Vec<Fault> {
    let state = session.get_cluster_state();
    let mut faults = Vec::new();
    let creates = config.schema_policy.creates();
    if let Some(keyspace) = &config.keyspace
        && state.get_keyspace(keyspace).is_none()
        && !creates
    {
        let missing = CassandraError::Missing {
            what: format!("keyspace {}", schema::quoted(keyspace)),
            create: format!("{};", schema::create_keyspace(keyspace, config.replication.as_cql())),
        };
        faults.push(Fault::from_error("keyspace", &missing));
    }
    for settings in config.topic_tables().0.into_iter().map(Arc::new) {
        let name = TableName::new(&settings.keyspace, &settings.table);
        let property = format!("topic.{}.{}.{}.mapping", settings.topic, settings.keyspace, settings.table);
        let table = state.get_keyspace(&name.keyspace).and_then(|keyspace| keyspace.tables.get(&name.table));
        let found = match table {
            None if creates => continue,
            None => Err(CassandraError::Missing {
                what: format!("table {name}"),
                create: format!("CREATE TABLE {name} (…);"),
            }),
            Some(table) => check_table(session, &settings, &name, table).await,
        };
        faults.extend(found.err().map(|error| Fault::from_error(property, &error)));
    }
    faults
}

async fn check_table(
    session: &Session,
    settings: &TopicTable,
    name: &TableName,
    table: &Table,
) -> Result<(), CassandraError> {
    let wanted: Vec<_> = settings
        .mapping
        .columns
        .iter()
        .map(|column| Wanted {
            name: column.column.clone(),
            source: column.source.clone(),
            schema: None,
            key: matches!(column.source, Source::Key(_)),
        })
        .collect();
    let faults = schema::misfits(table, &wanted, true);
    if !faults.is_empty() {
        let hint = schema::remedy(name, table, &wanted);
        return Err(CassandraError::Misfit { table: name.clone(), faults, hint });
    }
    // Reading is needed by the look for foreign timestamps, and tells whether the role may do it.
    session
        .query_unpaged(format!("SELECT * FROM {name} LIMIT 1"), ())
        .await
        .map(drop)
        .map_err(|error| CassandraError::request("read from", name, error))
}
