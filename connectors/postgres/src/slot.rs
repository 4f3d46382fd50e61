//! The replication slot: found, judged, created, dropped.

use std::fmt::Display;
use std::time::Duration;

use tokio_postgres::Client;

use crate::config::PostgresConfig;
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::replication::{CreatedSlot, ReplicationClient, ReplicationError, SlotSnapshot};

/// How long a new slot may wait for running transactions; Debezium's hidden default.
const CREATE_TIMEOUT: Duration = Duration::from_secs(90);

/// A row of `pg_replication_slots`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) plugin: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) active_pid: Option<i32>,
    pub(crate) restart: Option<Lsn>,
    pub(crate) confirmed: Option<Lsn>,
    pub(crate) wal_status: Option<String>,
}

/// Looks a slot up.
pub(crate) async fn find(client: &Client, name: &str) -> Result<Option<Slot>, SourceError> {
    const QUERY: &str = "SELECT plugin::text, database::text, active_pid, restart_lsn::text, \
                         confirmed_flush_lsn::text, wal_status \
                         FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    let failed = SourceError::sql("reading the replication slot");
    let Some(row) = client.query_opt(QUERY, &[&name]).await.map_err(failed)? else { return Ok(None) };
    let lsn = |index| -> Result<Option<Lsn>, SourceError> {
        let text: Option<String> = row.try_get(index).map_err(failed)?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    Ok(Some(Slot {
        plugin: row.try_get(0).map_err(failed)?,
        database: row.try_get(1).map_err(failed)?,
        active_pid: row.try_get(2).map_err(failed)?,
        restart: lsn(3)?,
        confirmed: lsn(4)?,
        wal_status: row.try_get(5).map_err(failed)?,
    }))
}

/// Asks for the oldest transaction whose catalog the slot keeps; none if the slot is not there.
pub(crate) async fn catalog_xmin(client: &Client, name: &str) -> Result<Option<i64>, SourceError> {
    const QUERY: &str =
        "SELECT catalog_xmin::text::bigint FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    let failed = SourceError::sql("reading the replication slot");
    let Some(row) = client.query_opt(QUERY, &[&name]).await.map_err(failed)? else { return Ok(None) };
    row.try_get(0).map_err(failed)
}

/// Says that somebody holds the slot, and who.
pub(crate) async fn in_use(client: &Client, name: &str) -> SourceError {
    let holder = holder(client, name).await.ok().flatten();
    let holder = holder.unwrap_or_else(|| "an unknown server process".to_owned());
    SourceError::SlotInUse { slot: name.to_owned(), holder }
}

/// Names who holds a slot. Every role may see the name that a client gave itself, but not its address.
async fn holder(client: &Client, name: &str) -> Result<Option<String>, tokio_postgres::Error> {
    const QUERY: &str = "SELECT format('server process %s, application %I', active_pid, application_name) || \
                         coalesce(' on ' || host(client_addr), '') \
                         FROM pg_catalog.pg_replication_slots \
                         JOIN pg_catalog.pg_stat_activity ON pid = active_pid WHERE slot_name = $1";
    client.query_opt(QUERY, &[&name]).await?.map(|row| row.try_get(0)).transpose()
}

/// Attempts at a slot that cannot be had yet: `slot.max.retries`, each after `slot.retry.delay.ms`.
pub(crate) struct Retries<'a> {
    config: &'a PostgresConfig,
    made: u32,
}

impl<'a> Retries<'a> {
    pub(crate) fn new(config: &'a PostgresConfig) -> Self {
        Self { config, made: 0 }
    }

    /// Waits for the next attempt; false if there is none left.
    pub(crate) async fn next(&mut self, why: impl Display) -> bool {
        if self.made >= self.config.slot_max_retries {
            return false;
        }
        self.made += 1;
        tracing::warn!(slot = self.config.slot, attempt = self.made, %why, "waiting for the slot");
        tokio::time::sleep(self.config.slot_retry_delay.0).await;
        true
    }

    /// How long was waited.
    pub(crate) fn waited(&self) -> Duration {
        self.config.slot_retry_delay.0 * self.made
    }
}

impl Slot {
    /// Whether a session is still making it.
    pub(crate) fn unfinished(&self) -> bool {
        self.confirmed.is_none() && self.active_pid.is_some() && self.plugin.is_some()
    }

    /// Refuses a slot that cannot serve.
    pub(crate) fn check(&self, name: &str, database: &str) -> Result<(), SourceError> {
        let unfit = |what: String| SourceError::SlotUnfit { slot: name.to_owned(), what };
        match self.plugin.as_deref() {
            Some("pgoutput") => {}
            None => return Err(unfit("is a physical slot; a logical one for pgoutput is needed".to_owned())),
            Some(other) => return Err(unfit(format!("uses output plugin `{other}`; pgoutput is needed"))),
        }
        match self.database.as_deref() {
            Some(found) if found == database => {}
            found => {
                return Err(unfit(format!(
                    "belongs to database `{}`, not `{database}`",
                    found.unwrap_or_default()
                )));
            }
        }
        match (self.confirmed, self.restart, self.wal_status.as_deref()) {
            (Some(_), Some(_), status) if status != Some("lost") => Ok(()),
            _ => Err(SourceError::SlotLost { slot: name.to_owned() }),
        }
    }

    /// Says where to go on after a position: a slot past it is a gap, or trusted, as `offset.mismatch.strategy` says. What a
    /// snapshot has not read yet no slot vouches for.
    ///
    /// # Errors
    /// [`SourceError::SlotAhead`].
    pub(crate) fn settle(
        &self,
        config: &PostgresConfig,
        position: Position,
    ) -> Result<Position, SourceError> {
        let (slot, stored) = (config.slot.clone(), position.lsn);
        let Some(confirmed) = self.confirmed.filter(|confirmed| *confirmed > stored) else {
            return Ok(position);
        };
        if position.snapshot.is_some() || !config.offset_mismatch.trusts_slot() {
            return Err(SourceError::SlotAhead { slot, confirmed, stored });
        }
        tracing::warn!(slot, %confirmed, %stored, "the slot is past the position, and is trusted: all before it counts as delivered");
        Ok(Position { lsn: confirmed, delivered: None, ..position })
    }
}

/// Creates the slot and exports the snapshot at its consistent point, which lasts as long as the
/// returned client.
///
/// # Errors
/// [`SourceError::SlotCreationBlocked`] when transactions run on for too long.
pub(crate) async fn create(
    config: &PostgresConfig,
    sql: &Client,
    mut client: ReplicationClient,
    temporary: bool,
) -> Result<(ReplicationClient, CreatedSlot), SourceError> {
    let interrupt = client.interrupt_handle()?;
    let (name, failover) = (config.slot.clone(), config.slot_failover);
    let mut task = tokio::task::spawn_blocking(move || {
        let created = match temporary {
            true => create_temporary(&mut client, &name),
            false => client.create_logical_slot(&name, SlotSnapshot::Export, failover),
        };
        (client, created)
    });
    match tokio::time::timeout(CREATE_TIMEOUT, &mut task).await {
        Ok(done) => {
            let (client, created) = done.map_err(|_| SourceError::Task)?;
            Ok((client, created?))
        }
        Err(_elapsed) => {
            let error = blocked(config, sql, CREATE_TIMEOUT).await;
            interrupt.interrupt();
            Err(error)
        }
    }
}

/// Says that a slot could not be made, and who is in the way.
pub(crate) async fn blocked(config: &PostgresConfig, sql: &Client, waited: Duration) -> SourceError {
    let pids = blockers(sql).await.unwrap_or_default();
    SourceError::SlotCreationBlocked { slot: config.slot.clone(), seconds: waited.as_secs(), pids }
}

/// A temporary slot goes with its session: enough for a snapshot that nothing follows.
fn create_temporary(client: &mut ReplicationClient, name: &str) -> Result<CreatedSlot, ReplicationError> {
    let sql = format!(
        "CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT",
        crate::replication::quote_identifier(name)
    );
    let answer = client.simple_query(&sql)?;
    let value = |column: &str| {
        let index = answer.columns.iter().position(|name| name == column)?;
        answer.rows.first()?.get(index)?.clone()
    };
    let consistent_point = value("consistent_point").and_then(|text| text.parse().ok());
    Ok(CreatedSlot {
        consistent_point: consistent_point.ok_or_else(|| ReplicationError::Protocol {
            what: "no consistent point of a new slot".to_owned(),
        })?,
        snapshot_name: value("snapshot_name"),
    })
}

async fn blockers(sql: &Client) -> Result<String, tokio_postgres::Error> {
    const QUERY: &str = "SELECT coalesce(string_agg(pid::text, ', ' ORDER BY xact_start), 'unknown') \
                         FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()";
    sql.query_one(QUERY, &[]).await?.try_get(0)
}

/// Drops the slot, for `slot.drop.on.stop`. The server lets go of it a moment after the stream ended.
pub(crate) async fn drop_slot(client: &Client, name: &str) -> Result<(), SourceError> {
    const QUERY: &str = "SELECT pg_catalog.pg_drop_replication_slot(slot_name) \
                         FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    const ATTEMPTS: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(50);

    for _ in 0..ATTEMPTS {
        match find(client, name).await? {
            Some(slot) if slot.active_pid.is_some() => tokio::time::sleep(PAUSE).await,
            _ => break,
        }
    }
    client.query(QUERY, &[&name]).await.map(drop).map_err(SourceError::sql("dropping the replication slot"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;
    use crate::debezium_offset::Delivered;
    use crate::replication::SystemIdentity;

    fn slot() -> Slot {
        Slot {
            plugin: Some("pgoutput".to_owned()),
            database: Some("d".to_owned()),
            active_pid: None,
            restart: Some(Lsn::new(50)),
            confirmed: Some(Lsn::new(100)),
            wal_status: Some("reserved".to_owned()),
        }
    }

    fn position(lsn: u64) -> Position {
        let system = SystemIdentity {
            system_id: "7".to_owned(),
            timeline: 1,
            xlogpos: Lsn::new(1_000),
            database: None,
        };
        Position::first(&system, "d", "s", Lsn::new(lsn))
    }

    /// Where a slot at 100 lets go on from a position.
    fn settled(strategy: &str, position: Position) -> Result<Position, SourceError> {
        slot().settle(&from_pairs(&[("offset.mismatch.strategy", strategy)]).unwrap(), position)
    }

    #[test]
    fn slot_behind_or_at_the_position_is_followed_from_the_position() {
        for strategy in ["no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"] {
            assert_eq!(settled(strategy, position(100)).unwrap(), position(100));
            assert_eq!(settled(strategy, position(200)).unwrap(), position(200));
        }
    }

    #[test]
    fn slot_past_the_position_is_a_gap_unless_it_is_trusted() {
        for strategy in ["no_validation", "trust_offset"] {
            let error = settled(strategy, position(99)).unwrap_err();
            assert!(matches!(error, SourceError::SlotAhead { .. }), "{error}");
        }
        for strategy in ["trust_slot", "trust_greater_lsn"] {
            assert_eq!(
                settled(strategy, position(99)).unwrap(),
                Position { lsn: Lsn::new(100), ..position(99) }
            );
        }
    }

    #[test]
    fn what_was_delivered_before_a_trusted_slot_is_forgotten() {
        let delivered = Delivered { xid: 7, lsn: Lsn::new(95), message: false, changes: 1 };
        let cut = Position { delivered: Some(delivered), ..position(90) };

        assert_eq!(settled("trust_slot", cut).unwrap().delivered, None);
    }

    #[test]
    fn slot_past_a_snapshot_is_a_gap_even_if_it_is_trusted() {
        let within = Position { snapshot: Some(Vec::new()), ..position(99) };

        assert!(matches!(settled("trust_slot", within), Err(SourceError::SlotAhead { .. })));
    }

    #[test]
    fn lost_and_foreign_slots_are_refused() {
        let lost = Slot { wal_status: Some("lost".to_owned()), restart: None, ..slot() };
        let foreign = Slot { plugin: Some("test_decoding".to_owned()), ..slot() };

        assert!(slot().check("s", "d").is_ok());
        assert!(matches!(lost.check("s", "d"), Err(SourceError::SlotLost { .. })));
        assert!(matches!(foreign.check("s", "d"), Err(SourceError::SlotUnfit { .. })));
        assert!(matches!(slot().check("s", "other"), Err(SourceError::SlotUnfit { .. })));
    }
}
