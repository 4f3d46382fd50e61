//! Makes plans: which columns a record fills, whether the table fits, and the prepared statements.

use std::{collections::HashMap, sync::Arc};

use scylla::{
    client::session::Session,
    cluster::{ClusterState, metadata::Table},
    statement::prepared::PreparedStatement,
};
use sluice_core::Record;
use uuid::Uuid;

use crate::{
    columns::{Schemas, compile, key_places, mapped_place, misfit, wanted},
    config::{CassandraConfig, SchemaPolicy},
    error::{ADD_COLUMNS, CREATE_KEYSPACE, CREATE_TABLE, CassandraError},
    guard,
    mapping::{Mapping, TimeUnit, TopicTable},
    schema::{self, TableName, Wanted},
    statement::{Column, Plan, TimeToLive, markers_match},
};

/// A table that a topic is written to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) table: TableName,
    pub(crate) settings: Option<Arc<TopicTable>>,
}

/// Makes plans, and remembers the tables they were made for.
pub(crate) struct Planner {
    pub(crate) session: Arc<Session>,
    config: Arc<CassandraConfig>,
    topics: Vec<Arc<TopicTable>>,
    /// Tables that plans were made for, as they were then.
    known: HashMap<TableName, Table>,
    /// The driver's metadata when tables were last compared with it.
    compared: Arc<ClusterState>,
    /// The cluster's schema version when it was last asked for.
    version: Option<Uuid>,
    /// Whether the driver's metadata is known to be old.
    stale: bool,
}

/// The driver notes schema changes but reads them up to a minute later; this tells at once whether there are any.
const SCHEMA_VERSION: &str = "SELECT schema_version FROM system.local WHERE key = 'local'";

impl Planner {
    /// Starts without plans.
    pub(crate) fn new(session: Arc<Session>, config: Arc<CassandraConfig>) -> Self {
        let topics = config.topic_tables().0.into_iter().map(Arc::new).collect();
        let compared = session.get_cluster_state();
        Self { session, config, topics, known: HashMap::new(), compared, version: None, stale: false }
    }

    /// Returns the tables of a topic.
    ///
    /// # Errors
    /// *Stop* when none is named for it.
    pub(crate) fn targets(&self, topic: &str) -> Result<Vec<Target>, CassandraError> {
        let mapped = self.topics.iter().filter(|settings| settings.topic == topic);
        let targets: Vec<_> = mapped
            .map(|settings| Target {
                table: TableName::new(&settings.keyspace, &settings.table),
                settings: Some(Arc::clone(settings)),
            })
            .collect();
        match (&self.config.keyspace, targets.is_empty()) {
            (_, false) => Ok(targets),
            (Some(keyspace), true) => {
                let table = TableName::new(keyspace, self.config.table_format.table(topic));
                Ok(vec![Target { table, settings: None }])
            }
            (None, true) => Err(CassandraError::Unmapped { topic: topic.to_owned() }),
        }
    }

    /// Whether a table that plans were made for is no longer as it was; then all plans must go.
    ///
    /// Cheap while the driver's metadata is the same. Columns that were added do not count.
    pub(crate) fn tables_changed(&mut self) -> Option<TableName> {
        let state = self.session.get_cluster_state();
        if Arc::ptr_eq(&state, &self.compared) {
            return None;
        }
        let changed = self.known.iter().find(|(name, known)| has_changed(known, lookup(&state, name)));
        let changed = changed.map(|(name, _)| name.clone());
        self.compared = state;
        changed
    }

    /// As [`Planner::tables_changed`], after a look at the cluster's schema: one small query, and more only if the
    /// schema changed since the last look.
    ///
    /// # Errors
    /// Failures of the queries.
    pub(crate) async fn look(&mut self) -> Result<Option<TableName>, CassandraError> {
        let Some(table) = self.known.keys().next().cloned() else { return Ok(None) };
        let failed = |source| CassandraError::request("read the schema version beside", &table, source);
        let rows = self.session.query_unpaged(SCHEMA_VERSION, ()).await.map_err(failed)?;
        let version = rows.into_rows_result().ok().and_then(|rows| rows.single_row::<(Uuid,)>().ok());
        let version = version.map(|(version,)| version);
        if version.is_none() || version != self.version {
            self.refresh(&table).await?;
            self.version = version;
        }
        Ok(self.tables_changed())
    }

    /// Forgets all tables, so that the next plans look again.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
        self.stale = true;
    }

    /// Makes the plan for records like this one, whose write timestamp is `timestamp`.
    ///
    /// Returns `None` for a delete from a table that is still to be made: there is nothing to delete.
    ///
    /// # Errors
    /// *Stop* when the table does not fit, *reject* when the record has no usable key, and failures of requests.
    pub(crate) async fn plan(
        &mut self,
        record: &Record,
        target: &Target,
        timestamp: i64,
    ) -> Result<Option<Plan>, CassandraError> {
        let schemas = Schemas::of(record)?;
        let mapping = self.mapping(target, &schemas);
        let wanted = wanted(record, target, &mapping, &schemas)?;
        let Some(table) = self.table(target, &wanted, &schemas, timestamp).await? else { return Ok(None) };
        if self.known.get(&target.table).is_some_and(|known| has_changed(known, Some(&table))) {
            return Err(CassandraError::Changed { table: target.table.clone() });
        }
        let columns = compile(target, &table, &wanted, &schemas, self.config.schema_policy)?;
        let keys = key_places(record, &table, &columns)?;
        let mut plan = Plan {
            table: target.table.clone(),
            columns,
            keys,
            insert: None,
            delete: None,
            ttl: self.time_to_live(target, &mapping, &schemas),
            timestamp: mapped_place(mapping.timestamp.as_ref(), &schemas).map(|place| {
                (
                    place,
                    target
                        .settings
                        .as_ref()
                        .map_or(TimeUnit::MICROSECONDS, |settings| settings.timestamp_unit),
                )
            }),
            max_bytes: self.config.max_request_bytes.0,
            null_to_unset: target.settings.as_ref().and_then(|settings| settings.null_to_unset),
            deletes: target.settings.as_ref().is_none_or(|settings| settings.deletes_enabled),
        };
        if schemas.row.is_some() {
            plan.insert = Some(self.prepare_insert(target, &table, &plan).await?);
        }
        if plan.deletes {
            plan.delete = Some(self.prepare_delete(target, &table, &plan).await?);
        }
        self.known.insert(target.table.clone(), table);
        Ok(Some(plan))
    }

    fn mapping(&self, target: &Target, schemas: &Schemas<'_>) -> Mapping {
        match &target.settings {
            Some(settings) => settings.mapping.clone(),
            None => {
                Mapping { columns: schema::default_columns(schemas.key, schemas.row), ..Mapping::default() }
            }
        }
    }

    fn time_to_live(&self, target: &Target, mapping: &Mapping, schemas: &Schemas<'_>) -> TimeToLive {
        let settings = target.settings.as_ref();
        if let Some(place) = mapped_place(mapping.ttl.as_ref(), schemas) {
            return TimeToLive::Field(
                place,
                settings.map_or(TimeUnit::SECONDS, |settings| settings.ttl_unit),
            );
        }
        let seconds = settings.and_then(|settings| settings.ttl).unwrap_or(self.config.ttl.into());
        match i32::try_from(seconds) {
            Ok(seconds) if seconds > 0 => TimeToLive::Seconds(seconds),
            _ => TimeToLive::Table,
        }
    }

    /// Finds the table, makes or extends it if the policy says so, and looks for what would hide our writes.
    async fn table(
        &mut self,
        target: &Target,
        wanted: &[Wanted],
        schemas: &Schemas<'_>,
        timestamp: i64,
    ) -> Result<Option<Table>, CassandraError> {
        let name = &target.table;
        let policy = self.config.schema_policy;
        if self.stale {
            self.refresh(name).await?;
            self.stale = false;
        }
        let mut found = self.find(name);
        if found.is_none() {
            if schemas.row.is_none() && policy.creates() {
                return Ok(None);
            }
            self.refresh(name).await?;
            found = self.find(name);
        }
        let mut table = match found {
            Some(table) => table,
            None => self.create(name, wanted).await?,
        };
        if policy != SchemaPolicy::None && !self.known.contains_key(name) {
            let columns: Vec<_> = wanted.iter().map(|column| column.name.as_str()).collect();
            guard::check_dropped_columns(&self.session, name, &columns, timestamp).await?;
            guard::check_existing_cells(&self.session, name, &table, timestamp).await?;
        }
        if policy == SchemaPolicy::Evolve
            && let Some(statement) = schema::add_columns(name, &table, wanted)
                .map_err(|faults| misfit(name, faults, &table, wanted))?
        {
            self.alter(name, ADD_COLUMNS, &statement).await?;
            table = self.find(name).unwrap_or(table);
        }
        Ok(Some(table))
    }

    async fn create(&self, name: &TableName, wanted: &[Wanted]) -> Result<Table, CassandraError> {
        let state = self.session.get_cluster_state();
        let create_keyspace = schema::create_keyspace(&name.keyspace, self.config.replication.as_cql());
        let has_keyspace = state.get_keyspace(&name.keyspace).is_some();
        let create_table = schema::create_table(name, wanted);
        if !self.config.schema_policy.creates() {
            let keyspace = format!("keyspace {}", schema::quoted(&name.keyspace));
            let table = create_table.unwrap_or_else(|_| format!("CREATE TABLE {name} (…)"));
            return Err(match has_keyspace {
                true => {
                    CassandraError::Missing { what: format!("table {name}"), create: format!("{table};") }
                }
                false => CassandraError::Missing {
                    what: keyspace,
                    create: format!("{create_keyspace};\n  {table};"),
                },
            });
        }
        let create_table = create_table.map_err(|faults| CassandraError::Misfit {
            table: name.clone(),
            faults,
            hint:
                "create the table by hand and map its columns with `topic.<topic>.<keyspace>.<table>.mapping`"
                    .to_owned(),
        })?;
        if !has_keyspace {
            self.alter(name, CREATE_KEYSPACE, &create_keyspace).await?;
        }
        self.alter(name, CREATE_TABLE, &create_table).await?;
        tracing::info!(table = %name, "table created");
        self.find(name).ok_or_else(|| CassandraError::Changed { table: name.clone() })
    }

    async fn alter(
        &self,
        name: &TableName,
        doing: &'static str,
        statement: &str,
    ) -> Result<(), CassandraError> {
        self.session
            .query_unpaged(statement, ())
            .await
            .map_err(|error| CassandraError::request(doing, name, error))?;
        self.refresh(name).await
    }

    async fn refresh(&self, name: &TableName) -> Result<(), CassandraError> {
        let failed = |error: scylla::errors::MetadataError| {
            CassandraError::request("read the metadata of", name, error.into())
        };
        self.session.refresh_metadata().await.map_err(failed)
    }

    /// Returns the table as the driver knows it.
    pub(crate) fn find(&self, name: &TableName) -> Option<Table> {
        lookup(&self.session.get_cluster_state(), name).cloned()
    }

    async fn prepare_insert(
        &self,
        target: &Target,
        table: &Table,
        plan: &Plan,
    ) -> Result<PreparedStatement, CassandraError> {
        let has_ttl = !matches!(plan.ttl, TimeToLive::Table);
        let statement = schema::insert(&target.table, &plan.columns, has_ttl);
        let prepared = self.prepare(target, &statement).await?;
        self.compare(target, table, &prepared, plan.columns.iter())?;
        Ok(prepared)
    }

    async fn prepare_delete(
        &self,
        target: &Target,
        table: &Table,
        plan: &Plan,
    ) -> Result<PreparedStatement, CassandraError> {
        let keys: Vec<_> = plan.keys.iter().map(|&index| &plan.columns[index]).collect();
        let names: Vec<_> = keys.iter().map(|column| column.name.as_str()).collect();
        let prepared = self.prepare(target, &schema::delete(&target.table, &names)).await?;
        self.compare(target, table, &prepared, keys.into_iter())?;
        Ok(prepared)
    }

    /// Makes sure that the server prepared the statement for the types that the encoders were made for.
    fn compare<'a>(
        &self,
        target: &Target,
        table: &Table,
        prepared: &PreparedStatement,
        columns: impl Iterator<Item = &'a Column>,
    ) -> Result<(), CassandraError> {
        let expected: Vec<_> =
            columns.map(|column| (column.name.as_str(), &table.columns[&column.name].typ)).collect();
        if markers_match(prepared, &expected) {
            return Ok(());
        }
        Err(CassandraError::Changed { table: target.table.clone() })
    }

    async fn prepare(&self, target: &Target, statement: &str) -> Result<PreparedStatement, CassandraError> {
        let failed = |error: scylla::errors::PrepareError| {
            CassandraError::request("prepare statements for", &target.table, error.into())
        };
        let mut prepared = self.session.prepare(statement).await.map_err(failed)?;
        prepared.set_is_idempotent(true);
        if let Some(consistency) = target.settings.as_ref().and_then(|settings| settings.consistency) {
            prepared.set_consistency(consistency.to_cql());
        }
        Ok(prepared)
    }
}

fn lookup<'a>(state: &'a ClusterState, name: &TableName) -> Option<&'a Table> {
    state.get_keyspace(&name.keyspace)?.tables.get(&name.table)
}

fn has_changed(known: &Table, now: Option<&Table>) -> bool {
    now.is_none_or(|now| {
        known.partition_key != now.partition_key
            || known.clustering_key != now.clustering_key
            || known.columns.iter().any(|(name, column)| now.columns.get(name) != Some(column))
    })
}
