//! The start: what is there, whether it fits the saved position, and what to do first.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_postgres::Client;
use uuid::Uuid;

use crate::catalog::{self, PublishedTable};
use crate::config::{GuardrailAction, PostgresConfig, SnapshotRows};
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::publication::{self, Fingerprint, Published};
use crate::replication::{
    AckHandle, ReplicationClient, ReplicationError, ReplicationStream, StreamOptions, SystemIdentity,
    TimelineSwitch,
};
use crate::slot::{self, Retries, Slot};
use crate::snapshot::{Snapshot, SnapshotPlan};
use crate::table::{Table, captures_table};
use crate::{replica_identity, sql, tables};

/// The first version whose `pgoutput` sends binary values.
pub(crate) const MIN_VERSION: u32 = 140_000;
/// WAL positions are multiples of this; rows of a snapshot sort that much below the slot's WAL.
const LSN_STEP: u64 = 8;

/// What the start found and began.
pub(crate) struct Opened {
    pub(crate) sql: Client,
    pub(crate) server_version: u32,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) position: Position,
    pub(crate) snapshot: Option<Snapshot>,
    /// Nothing follows: the configuration asks for a snapshot only.
    pub(crate) snapshot_only: bool,
}

/// Looks at everything, checks the position, and starts the snapshot if there is to be one.
pub(crate) async fn open(
    config: &Arc<PostgresConfig>,
    position: Option<Position>,
    run: Uuid,
) -> Result<Opened, SourceError> {
    let sql = sql::connect(config).await?;
    let server_version = check_server(&sql).await?;
    let (client, system, history) = identify(config, position.as_ref()).await?;
    if let Some(position) = &position {
        position.check(&system, &history, &config.database, &config.slot)?;
        // Before the publication is brought in line: what it left out meanwhile would not show afterwards.
        check_published(&sql, config, server_version, &position.published).await?;
    }
    let facts = publication::ensure(&sql, config).await?;
    replica_identity::ensure(&sql, config).await?;
    let published = tables::captured(&sql, config, server_version).await?;
    if published.is_empty() && (config.table_include.is_some() || config.schema_include.is_some()) {
        return Err(SourceError::NoTables { publication: config.publication.clone() });
    }
    check_count(config, published.len())?;
    let compiled = compile(&sql, config, &published).await?;
    let fingerprint = Fingerprint::new(facts, &published);
    let pairs: Vec<_> = published.into_iter().zip(compiled.iter().cloned()).collect();
    let timeline = system.timeline;
    let begin = Begin { config, sql: &sql, system, run };
    let (position, snapshot) = begin.position_and_snapshot(client, position, pairs).await?;
    // From here on the position is one of this timeline.
    let position = Position { published: fingerprint.published(), timeline, ..position };
    Ok(Opened {
        server_version,
        fingerprint,
        tables: compiled,
        position,
        snapshot,
        snapshot_only: !config.snapshot_policy().stream,
        sql,
    })
}

/// Refuses a publication that is gone, or says less than it did when the position was saved.
async fn check_published(
    sql: &Client,
    config: &PostgresConfig,
    server_version: u32,
    before: &Published,
) -> Result<(), SourceError> {
    if *before == Published::default() {
        return Ok(());
    }
    let name = &config.publication;
    let changed = |what| SourceError::PublicationChanged { name: name.clone(), what };
    let facts = catalog::publication(sql, name).await?;
    let facts = facts.ok_or_else(|| changed("it was dropped".to_owned()))?;
    let mut published = catalog::published_tables(sql, name, server_version).await?;
    published.retain(|table| captures_table(config, &table.schema, &table.name));
    let now = Fingerprint::new(facts, &published).published();
    let tables = catalog::user_tables(sql).await?;
    let wanted: HashSet<_> = tables
        .iter()
        .filter(|(schema, table)| captures_table(config, schema, table))
        .map(|(schema, table)| format!("{schema}.{table}"))
        .collect();
    before.narrowed(&now, |table| wanted.contains(table)).map_or(Ok(()), |what| Err(changed(what)))
}

/// Keeps to `guardrail.collections.max`.
fn check_count(config: &PostgresConfig, tables: usize) -> Result<(), SourceError> {
    let max = config.guardrail_max;
    if max == 0 || u32::try_from(tables).is_ok_and(|tables| tables <= max) {
        return Ok(());
    }
    match config.guardrail_action {
        GuardrailAction::Fail => Err(SourceError::TooManyTables { tables, max }),
        GuardrailAction::Warn => {
            tracing::warn!(tables, max, "more tables are captured than guardrail.collections.max says");
            Ok(())
        }
    }
}

pub(crate) async fn check_server(sql: &Client) -> Result<u32, SourceError> {
    let version = catalog::server_version(sql).await?;
    if version < MIN_VERSION {
        return Err(SourceError::TooOld { found: catalog::setting(sql, "server_version").await? });
    }
    let found = catalog::setting(sql, "wal_level").await?;
    if found == "logical" { Ok(version) } else { Err(SourceError::WalLevel { found }) }
}

pub(crate) async fn identify(
    config: &Arc<PostgresConfig>,
    position: Option<&Position>,
) -> Result<(ReplicationClient, SystemIdentity, Vec<TimelineSwitch>), SourceError> {
    let options = sql::replication_options(config);
    let timeline = position.map(|position| position.timeline);
    let task = tokio::task::spawn_blocking(move || {
        let mut client = ReplicationClient::connect(&options)?;
        let system = client.identify_system()?;
        let moved = timeline.is_some_and(|timeline| timeline != system.timeline);
        let history = if moved { client.timeline_history(system.timeline)? } else { Vec::new() };
        Ok::<_, ReplicationError>((client, system, history))
    });
    Ok(task.await.map_err(|_| SourceError::Task)??)
}

async fn compile(
    sql: &Client,
    config: &PostgresConfig,
    published: &[PublishedTable],
) -> Result<Vec<Arc<Table>>, SourceError> {
    let mut compiled = Vec::with_capacity(published.len());
    for table in published {
        compiled.push(Arc::new(tables::load_published(sql, config, table).await?));
    }
    tables::check_topics(compiled.iter())?;
    Ok(compiled)
}

/// A slot that was found or created, and where it is to be read from.
struct Begun {
    position: Position,
    /// Nothing was read of it yet: what stood in the tables before is to come from a snapshot.
    gap: bool,
    /// It replaces one that is gone.
    lost: bool,
    /// The session that created it, which keeps the snapshot of that moment …
    exporter: Option<ReplicationClient>,
    /// … under this name.
    exported: Option<String>,
}

/// What the first steps need to know.
struct Begin<'a> {
    config: &'a Arc<PostgresConfig>,
    sql: &'a Client,
    system: SystemIdentity,
    run: Uuid,
}

impl Begin<'_> {
    /// Returns where to begin, and the snapshot to begin with if there is to be one.
    async fn position_and_snapshot(
        &self,
        client: ReplicationClient,
        position: Option<Position>,
        tables: Vec<(PublishedTable, Arc<Table>)>,
    ) -> Result<(Position, Option<Snapshot>), SourceError> {
        let policy = self.config.snapshot_policy();
        let only_once = policy.rows == SnapshotRows::Once && !policy.stream;
        let position = match position {
            Some(position) if only_once && position.snapshot.is_none() => return Ok((position, None)),
            position => position,
        };
        let begun = self.find_or_create_slot(client, position).await?;
        let wanted = match policy.rows {
            SnapshotRows::Never => begun.lost && policy.again_after_loss,
            SnapshotRows::Once => begun.gap || begun.position.snapshot.is_some(),
            SnapshotRows::Always => true,
        };
        if !wanted {
            return Ok((Position { snapshot: None, ..begun.position }, None));
        }
        self.start_snapshot(begun, tables).await
    }

    async fn find_or_create_slot(
        &self,
        client: ReplicationClient,
        position: Option<Position>,
    ) -> Result<Begun, SourceError> {
        let config = self.config;
        if let Some(slot) = self.judge_slot(position.as_ref()).await? {
            let gap = position.is_none();
            let position = match position {
                Some(position) => slot.settle(config, position)?,
                None => self.position(slot.confirmed.unwrap_or_default()),
            };
            return Ok(Begun { position, gap, lost: false, exporter: None, exported: None });
        }
        let temporary = !config.snapshot_policy().stream;
        let (exporter, created) = slot::create(config, self.sql, client, temporary).await?;
        tracing::info!(slot = config.slot, consistent_point = %created.consistent_point, "created the replication slot");
        Ok(Begun {
            position: self.position(created.consistent_point),
            gap: true,
            lost: position.is_some(),
            exporter: Some(exporter),
            exported: created.snapshot_name,
        })
    }

    /// Starts the snapshot of what is not done.
    async fn start_snapshot(
        &self,
        begun: Begun,
        tables: Vec<(PublishedTable, Arc<Table>)>,
    ) -> Result<(Position, Option<Snapshot>), SourceError> {
        let (config, position) = (self.config, begun.position);
        let done = position.snapshot.clone().unwrap_or_default();
        let is_wanted =
            |table: &Table| config.snapshots(&table.qualified) && !done.contains(&table.qualified);
        let restart = slot::find(self.sql, &config.slot).await?.and_then(|slot| slot.restart);
        let floor = restart.and_then(|lsn| lsn.checked_sub(LSN_STEP)).unwrap_or_default();
        let plan = SnapshotPlan {
            config: Arc::clone(config),
            tables: tables.into_iter().filter(|(_, table)| is_wanted(table)).collect(),
            exported: begun.exported,
            lsn: position.lsn,
            floor,
            epoch: position.epoch,
            run: self.run,
        };
        let snapshot = Snapshot::start(plan, begun.exporter).await?;
        Ok((Position { snapshot: Some(done), ..position }, Some(snapshot)))
    }

    /// Finds a slot that serves; none if it is to be created.
    async fn judge_slot(&self, position: Option<&Position>) -> Result<Option<Slot>, SourceError> {
        let config = self.config;
        let found = self.find_slot().await?;
        let policy = config.snapshot_policy();
        // Without a stream the slot was a temporary one, and nothing is to be read from it.
        let may_restart = policy.again_after_loss || !policy.stream;
        match (found, position) {
            (None, Some(position)) if !may_restart => {
                Err(SourceError::SlotMissing { slot: config.slot.clone(), stored: position.lsn })
            }
            (None, _) => Ok(None),
            (Some(slot), _) => slot.check(&config.slot, &config.database).map(|()| Some(slot)),
        }
    }

    /// Looks the slot up. One that is still being made is waited for: the server goes on making it for
    /// a connector that was killed, until the transactions have ended that it waits for.
    async fn find_slot(&self) -> Result<Option<Slot>, SourceError> {
        let mut retries = Retries::new(self.config);
        loop {
            let found = slot::find(self.sql, &self.config.slot).await?;
            if !found.as_ref().is_some_and(Slot::unfinished) {
                return Ok(found);
            }
            if !retries.next("it is still being made").await {
                return Err(slot::blocked(self.config, self.sql, retries.waited()).await);
            }
        }
    }

    fn position(&self, slot_origin: Lsn) -> Position {
        Position::first(&self.system, &self.config.database, &self.config.slot, slot_origin)
    }
}

/// Starts streaming at a position. A slot in use is waited for, as often as configured.
///
/// # Errors
/// [`SourceError::SlotInUse`] when another session keeps the slot, [`SourceError::SlotAhead`] when it moved
/// on meanwhile.
pub(crate) async fn start_stream(
    config: &Arc<PostgresConfig>,
    sql: &Client,
    lsn: Lsn,
) -> Result<(ReplicationStream, AckHandle), SourceError> {
    /// SQLSTATE `object_in_use`.
    const IN_USE: &str = "55006";

    let mut retries = Retries::new(config);
    loop {
        let connect = sql::replication_options(config);
        let mut options = StreamOptions::new(&config.slot, lsn, vec![config.publication.clone()]);
        options.binary = true;
        options.messages = true;
        options.status_interval = config.status_interval.0;
        options.origin.clone_from(&config.stream_params.origin);
        let task = tokio::task::spawn_blocking(move || ReplicationClient::connect(&connect)?.start(&options));
        match task.await.map_err(|_| SourceError::Task)? {
            Ok(stream) => {
                // It was judged before a snapshot or a wait. Now that it is ours nobody else moves it.
                let confirmed = slot::find(sql, &config.slot).await?.and_then(|slot| slot.confirmed);
                if let Some(confirmed) = confirmed.filter(|confirmed| *confirmed > lsn) {
                    return Err(SourceError::SlotAhead { slot: config.slot.clone(), confirmed, stored: lsn });
                }
                let acknowledge = stream.ack_handle();
                return Ok((stream, acknowledge));
            }
            Err(error) if error.sqlstate() == Some(IN_USE) => {
                let in_use = slot::in_use(sql, &config.slot).await;
                if !retries.next(&in_use).await {
                    return Err(in_use);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
