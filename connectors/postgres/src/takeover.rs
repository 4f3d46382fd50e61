//! Going on where Debezium stopped, and handing back to it.

use std::sync::Arc;

use sluice_core::connect_offsets::OffsetMap;
use sluice_core::source::Imported;
use tokio_postgres::Client;

use crate::config::PostgresConfig;
use crate::debezium_offset::{self, Delivered, Stand};
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::position::Position;
use crate::replication::SystemIdentity;
use crate::slot::{Retries, Slot};
use crate::{open, slot, sql};

/// What no offset of Debezium's can tell.
const UNVERIFIED: &str = "Debezium keeps neither the cluster's identity, nor its timeline, nor what was published: that \
                          all this is still what it was when Debezium stopped could not be verified. From now on it is";

/// Reads an offset as a position on the same slot, which must stand at it or before, unless it is trusted. A slot in use is
/// waited for, as often as configured.
///
/// # Errors
/// [`SourceError::ForeignOffset`]; [`SourceError::SlotMissing`], [`SourceError::SlotAhead`],
/// [`SourceError::SlotInUse`] and the others about slots; [`SourceError::PositionAhead`].
pub(crate) async fn import(
    config: PostgresConfig,
    offset: &OffsetMap,
) -> Result<Imported<Position>, SourceError> {
    let stand = debezium_offset::read(offset)?;
    let config = Arc::new(config);
    let sql = sql::connect(&config).await?;
    open::check_server(&sql).await?;
    let (_client, system, _) = open::identify(&config, None).await?;
    let Some(slot) = idle_slot(&config, &sql).await? else {
        if stand == Stand::Snapshot {
            let meaning = "Debezium stopped within its snapshot, and its slot is gone: all starts anew";
            return Ok(Imported { position: None, meaning: vec![meaning.to_owned()] });
        }
        return Err(SourceError::SlotMissing { slot: config.slot.clone(), stored: stand.lsn() });
    };
    slot.check(&config.slot, &config.database)?;
    let (position, mut meaning) = place(&config, &system, &slot, stand)?;
    position.check(&system, &[], &config.database, &config.slot)?;
    meaning.push(UNVERIFIED.to_owned());
    Ok(Imported { position: Some(position), meaning })
}

/// Finds the slot once nobody reads it: after a crash the server lets go of it only when it notices.
async fn idle_slot(config: &PostgresConfig, sql: &Client) -> Result<Option<Slot>, SourceError> {
    let mut retries = Retries::new(config);
    loop {
        let found = slot::find(sql, &config.slot).await?;
        if found.as_ref().is_none_or(|slot| slot.active_pid.is_none()) {
            return Ok(found);
        }
        let in_use = slot::in_use(sql, &config.slot).await;
        if !retries.next(&in_use).await {
            return Err(in_use);
        }
    }
}

/// Writes the offset from which Debezium goes on after a position.
///
/// # Errors
/// [`SourceError::WithinSnapshot`].
pub(crate) fn export(position: &Position) -> Result<OffsetMap, SourceError> {
    match position.snapshot {
        Some(_) => Err(SourceError::WithinSnapshot),
        None => Ok(debezium_offset::write(position.lsn)),
    }
}

impl Stand {
    /// Returns an LSN to speak of.
    fn lsn(&self) -> Lsn {
        match self {
            Self::Snapshot => Lsn::INVALID,
            Self::Snapshotted(lsn) | Self::Stream { resume: lsn, .. } => *lsn,
        }
    }
}

/// Makes the position, and says what it means.
///
/// # Errors
/// [`SourceError::SlotAhead`].
fn place(
    config: &PostgresConfig,
    system: &SystemIdentity,
    slot: &Slot,
    stand: Stand,
) -> Result<(Position, Vec<String>), SourceError> {
    let confirmed = slot.confirmed.unwrap_or_default();
    let first = Position::first(system, &config.database, &config.slot, confirmed);
    let (position, mut meaning) = match stand {
        Stand::Snapshot => (
            Position { snapshot: Some(Vec::new()), ..first },
            vec!["Debezium stopped within its snapshot: it is taken again, as Debezium would".to_owned()],
        ),
        Stand::Snapshotted(lsn) => after_snapshot(first, lsn),
        Stand::Stream { resume, delivered } => {
            let meaning = vec![describe(resume, delivered.as_ref())];
            (Position { lsn: resume, last_commit: Some(resume), delivered, ..first }, meaning)
        }
    };
    let stored = position.lsn;
    let position = slot.settle(config, position)?;
    if position.lsn > stored {
        meaning.push(format!(
            "the slot is past that, at {}, and is trusted, as `offset.mismatch.strategy` says: nothing before it is \
             delivered",
            position.lsn
        ));
    }
    meaning.push(format!("streaming goes on at {} on slot `{}`", position.lsn, position.slot));
    Ok((position, meaning))
}

/// Goes on after a snapshot that is complete at `lsn`, or where the slot stands if that is before: the snapshot was
/// not the slot's own then, and may lack transactions that had just committed.
fn after_snapshot(first: Position, lsn: Lsn) -> (Position, Vec<String>) {
    let confirmed = first.lsn;
    let mut meaning = vec![format!("Debezium completed a snapshot at {lsn} and streamed nothing yet")];
    if confirmed < lsn {
        meaning.push(format!(
            "the slot is older than the snapshot: its changes from {confirmed} on are delivered, though the snapshot \
             shows most of them"
        ));
    }
    (Position { lsn: confirmed.min(lsn), ..first }, meaning)
}

fn describe(resume: Lsn, delivered: Option<&Delivered>) -> String {
    let Some(delivered) = delivered else {
        return format!("Debezium delivered all transactions up to {resume}, and nothing of the next");
    };
    format!(
        "Debezium delivered all transactions up to {resume}, and of transaction {} all up to {}: they are left out. What \
         shares that LSN (rows of one COPY, a tombstone, the create after a change of key) may have been delivered or \
         not: it is delivered again, but for its first record",
        delivered.xid, delivered.lsn
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    fn placed(confirmed: u64, stand: Stand) -> Position {
        let slot = Slot {
            plugin: Some("pgoutput".to_owned()),
            database: Some("d".to_owned()),
            active_pid: None,
            restart: Some(Lsn::new(1)),
            confirmed: Some(Lsn::new(confirmed)),
            wal_status: None,
        };
        let system = SystemIdentity {
            system_id: "7".to_owned(),
            timeline: 3,
            xlogpos: Lsn::new(1_000),
            database: None,
        };
        place(&from_pairs(&[]).unwrap(), &system, &slot, stand).unwrap().0
    }

    #[test]
    fn interrupted_snapshot_is_taken_anew_from_where_the_slot_stands() {
        let position = placed(50, Stand::Snapshot);

        assert_eq!((position.lsn, position.snapshot), (Lsn::new(50), Some(Vec::new())));
    }

    #[test]
    fn snapshot_beside_an_older_slot_is_followed_from_the_slot() {
        let own = placed(90, Stand::Snapshotted(Lsn::new(90)));
        let older = placed(50, Stand::Snapshotted(Lsn::new(90)));

        assert_eq!((own.lsn, own.snapshot), (Lsn::new(90), None));
        assert_eq!(older.lsn, Lsn::new(50));
    }

    #[test]
    fn exported_position_is_imported_as_itself() {
        let position = placed(50, Stand::Stream { resume: Lsn::new(90), delivered: None });

        let stand = debezium_offset::read(&export(&position).unwrap()).unwrap();

        assert_eq!(placed(50, stand), position);
    }

    #[test]
    fn position_within_a_snapshot_cannot_be_exported() {
        let error = export(&placed(50, Stand::Snapshot)).unwrap_err();

        assert!(matches!(error, SourceError::WithinSnapshot), "{error}");
    }
}
