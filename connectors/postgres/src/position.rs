//! Where the source is: never a bare LSN.

use serde::{Deserialize, Serialize};

use crate::debezium_offset::Delivered;
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::publication::Published;
use crate::replication::{SystemIdentity, TimelineSwitch};

/// A position in the change stream of one slot of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// `system_identifier` of the cluster; its standbys share it.
    pub system_id: String,
    /// Timeline on which the position was reached.
    pub timeline: u32,
    /// Database of the slot.
    pub database: String,
    /// Name of the slot.
    pub slot: String,
    /// Where the slot stood when this connector first saw it: its generation.
    pub slot_origin: Lsn,
    /// Generation of the LSNs: 0, since a server whose LSNs start over is refused.
    pub epoch: u32,
    /// Up to here all is durable downstream: end of a commit, or of WAL without events. Resume here.
    pub lsn: Lsn,
    /// End of the last commit that was read, for `source.sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_commit: Option<Lsn>,
    /// Its time, µs since 2000-01-01 UTC: that of messages outside of transactions, which have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_commit_micros: Option<i64>,
    /// Set while the snapshot is not complete: the tables, as `schema.table`, that are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Vec<String>>,
    /// Set while Debezium had delivered a part of the next transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Delivered>,
    /// What was published when it was reached.
    #[serde(default)]
    pub published: Published,
}

impl Position {
    /// The position of a slot that this connector sees first at `slot_origin`: nothing was read of it yet.
    pub(crate) fn first(system: &SystemIdentity, database: &str, slot: &str, slot_origin: Lsn) -> Self {
        Self {
            system_id: system.system_id.clone(),
            timeline: system.timeline,
            database: database.to_owned(),
            slot: slot.to_owned(),
            slot_origin,
            epoch: 0,
            lsn: slot_origin,
            last_commit: None,
            last_commit_micros: None,
            snapshot: None,
            delivered: None,
            published: Published::default(),
        }
    }

    /// Refuses a position that is not of this cluster, database and slot, or that lies beyond the
    /// point where the server's history left the position's, or beyond the end of the server's log:
    /// Postgres would start there without a word and leave out all that commits below.
    ///
    /// `history` is that of the server's timeline.
    ///
    /// # Errors
    /// [`SourceError::OtherCluster`], [`SourceError::OtherSlot`], [`SourceError::Diverged`],
    /// [`SourceError::PositionAhead`].
    pub(crate) fn check(
        &self,
        system: &SystemIdentity,
        history: &[TimelineSwitch],
        database: &str,
        slot: &str,
    ) -> Result<(), SourceError> {
        if self.system_id != system.system_id {
            return Err(SourceError::OtherCluster {
                stored: format!("cluster {}", self.system_id),
                found: format!("cluster {}", system.system_id),
            });
        }
        if self.database != database {
            return Err(SourceError::OtherCluster {
                stored: format!("database `{}`", self.database),
                found: format!("database `{database}`"),
            });
        }
        if self.slot != slot {
            return Err(SourceError::OtherSlot { stored: self.slot.clone(), found: slot.to_owned() });
        }
        self.check_timeline(system.timeline, history)?;
        if self.lsn > system.xlogpos {
            return Err(SourceError::PositionAhead { stored: self.lsn, end: system.xlogpos });
        }
        Ok(())
    }

    fn check_timeline(&self, found: u32, history: &[TimelineSwitch]) -> Result<(), SourceError> {
        if found == self.timeline {
            return Ok(());
        }
        let left = history.iter().find(|switch| switch.timeline == self.timeline);
        match left {
            Some(switch) if switch.switch_point >= self.lsn => Ok(()),
            // The server is on an older timeline, or on one that never was ours.
            left => Err(SourceError::Diverged {
                stored: self.timeline,
                found,
                switch: left.map_or(Lsn::INVALID, |switch| switch.switch_point),
                position: self.lsn,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position { lsn: Lsn::new(100), ..Position::first(&system(1), "d", "s", Lsn::new(8)) }
    }

    fn system(timeline: u32) -> SystemIdentity {
        SystemIdentity { system_id: "7".to_owned(), timeline, xlogpos: Lsn::new(200), database: None }
    }

    fn switch(timeline: u32, at: u64) -> TimelineSwitch {
        TimelineSwitch { timeline, switch_point: Lsn::new(at), reason: String::new() }
    }

    #[test]
    fn failover_is_followed_only_if_nothing_was_lost() {
        let position = position();

        assert!(position.check(&system(2), &[switch(1, 100)], "d", "s").is_ok());
        assert!(matches!(
            position.check(&system(2), &[switch(1, 99)], "d", "s"),
            Err(SourceError::Diverged { stored: 1, found: 2, .. })
        ));
        let promoted = Position { timeline: 2, ..position };
        assert!(matches!(promoted.check(&system(1), &[], "d", "s"), Err(SourceError::Diverged { .. })));
    }

    #[test]
    fn other_cluster_database_or_slot_is_refused() {
        let position = position();
        let other = SystemIdentity { system_id: "8".to_owned(), ..system(1) };

        assert!(matches!(position.check(&other, &[], "d", "s"), Err(SourceError::OtherCluster { .. })));
        assert!(matches!(position.check(&system(1), &[], "e", "s"), Err(SourceError::OtherCluster { .. })));
        assert!(matches!(position.check(&system(1), &[], "d", "t"), Err(SourceError::OtherSlot { .. })));
        assert!(position.check(&system(1), &[], "d", "s").is_ok());
    }

    #[test]
    fn position_reads_back_from_its_json() {
        let position = Position { snapshot: Some(vec!["public.t".to_owned()]), ..position() };

        let json = serde_json::to_value(&position).unwrap();

        assert_eq!(json["lsn"], "0/64");
        assert_eq!(serde_json::from_value::<Position>(json).unwrap(), position);
    }
}
