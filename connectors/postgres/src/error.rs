//! Why the source cannot go on, with what to do about it.

use std::io;

use sluice_core::{Classify, ErrorClass};

use crate::lsn::Lsn;
use crate::replication::ReplicationError;
use crate::tls::TlsError;
use crate::types::ValueError;

/// An error of the Postgres source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A statement or connection failed.
    #[error("{action} failed: {}", without_values(cause))]
    Sql {
        /// What was tried.
        action: &'static str,
        /// What the server or the link said. It is no `source()`: chains are printed, and a server's DETAIL has values of rows.
        cause: tokio_postgres::Error,
    },
    /// The replication connection failed.
    #[error("replication failed")]
    Replication(#[from] ReplicationError),
    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// A thread of our own ended early.
    #[error("a task of the source ended early")]
    Task,
    /// The spool file failed.
    #[error("cannot {action} the spool file in `{directory}`")]
    Spool {
        /// What was tried.
        action: &'static str,
        /// Where.
        directory: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The server is too old.
    #[error("the server is PostgreSQL {found}; 14 or later is needed")]
    TooOld {
        /// Its version.
        found: String,
    },
    /// `wal_level` is not `logical`.
    #[error("the server's wal_level is `{found}`; it must be `logical`")]
    WalLevel {
        /// What it is.
        found: String,
    },
    /// The publication is missing.
    #[error("publication `{name}` does not exist in database `{database}`")]
    PublicationMissing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        database: String,
    },
    /// The publication says less than it did.
    #[error("publication `{name}` says less than it did: {what}")]
    PublicationChanged {
        /// Its name.
        name: String,
        /// What is missing now.
        what: String,
    },
    /// A captured table is not published.
    #[error("table `{table}` is to be captured, but publication `{publication}` does not contain it")]
    TableNotPublished {
        /// The table.
        table: String,
        /// The publication.
        publication: String,
    },
    /// The filters leave nothing.
    #[error("no table of publication `{publication}` matches the include and exclude lists")]
    NoTables {
        /// The publication.
        publication: String,
    },
    /// More tables are captured than are allowed.
    #[error("{tables} tables would be captured; `guardrail.collections.max` allows {max}")]
    TooManyTables {
        /// How many there are.
        tables: usize,
        /// How many there may be.
        max: u32,
    },
    /// Entries disagree about the replica identity of a table.
    #[error("more than one entry of `replica.identity.autoset.values` is for table `{table}`")]
    AmbiguousIdentity {
        /// The table.
        table: String,
    },
    /// A column has a type without mapping.
    #[error(
        "column `{column}` of table `{table}` has type `{type_name}`, which has no mapping to a type of Connect"
    )]
    UnknownType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type as Postgres prints it.
        type_name: String,
        /// Whether unknown types are to be passed on.
        included: bool,
    },
    /// A column has a type that Postgres cannot send in binary form, nor as text.
    #[error(
        "column `{column}` of table `{table}` has type `{type_name}`, with a part that Postgres cannot send in binary form"
    )]
    Unsendable {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type as Postgres prints it.
        type_name: String,
    },
    /// The key names a column that is not there.
    #[error("table `{table}` has no column `{column}` for its key")]
    KeyColumnMissing {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Updates and deletes do not carry the key.
    #[error("the replica identity of table `{table}` does not cover its key column `{column}`")]
    IdentityMissesKey {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Two tables would share a topic.
    #[error("tables `{first}` and `{second}` would share topic `{topic}`")]
    TopicCollision {
        /// One table.
        first: String,
        /// The other.
        second: String,
        /// The topic.
        topic: String,
    },
    /// The slot that the position belongs to is gone.
    #[error("replication slot `{slot}` is gone: all changes after {stored} are lost to it")]
    SlotMissing {
        /// The slot.
        slot: String,
        /// The saved position.
        stored: Lsn,
    },
    /// The slot moved on without us.
    #[error(
        "replication slot `{slot}` stands at {confirmed}, past the saved position {stored}: the changes between are lost"
    )]
    SlotAhead {
        /// The slot.
        slot: String,
        /// Where it stands.
        confirmed: Lsn,
        /// The saved position.
        stored: Lsn,
    },
    /// The server removed WAL that the slot needs.
    #[error("replication slot `{slot}` is lost: the server removed WAL that it needs")]
    SlotLost {
        /// The slot.
        slot: String,
    },
    /// The slot is of another kind.
    #[error("replication slot `{slot}` {what}")]
    SlotUnfit {
        /// The slot.
        slot: String,
        /// What does not fit.
        what: String,
    },
    /// Another session holds the slot.
    #[error("replication slot `{slot}` is in use by {holder}")]
    SlotInUse {
        /// The slot.
        slot: String,
        /// The server process with the name of its client, as far as they are known.
        holder: String,
    },
    /// The slot cannot be made while old transactions run.
    #[error(
        "replication slot `{slot}` could not be created within {seconds} s: it waits for running transactions of the server processes {pids}"
    )]
    SlotCreationBlocked {
        /// The slot.
        slot: String,
        /// How long was waited.
        seconds: u64,
        /// Who is waited for.
        pids: String,
    },
    /// The position is of another cluster or database.
    #[error("the saved position is of {stored}, but this is {found}")]
    OtherCluster {
        /// Where the position is from.
        stored: String,
        /// What was found.
        found: String,
    },
    /// The server took another turn before the saved position.
    #[error(
        "the server is on timeline {found}, which left timeline {stored} at {switch}, before the saved position {position}"
    )]
    Diverged {
        /// Timeline of the position.
        stored: u32,
        /// Timeline of the server.
        found: u32,
        /// Where they parted.
        switch: Lsn,
        /// The saved position.
        position: Lsn,
    },
    /// The server's log ends before the position: it was set back.
    #[error("the saved position {stored} lies beyond the end of the server's log, {end}")]
    PositionAhead {
        /// The saved position.
        stored: Lsn,
        /// Where the server's log ends.
        end: Lsn,
    },
    /// The position is of another slot.
    #[error("the saved position is of slot `{stored}`, the configuration names `{found}`")]
    OtherSlot {
        /// Slot of the position.
        stored: String,
        /// Slot of the configuration.
        found: String,
    },
    /// An offset of Kafka Connect's is not one of Debezium's Postgres connector.
    #[error("the offset is not one of Debezium's Postgres connector: {what}")]
    ForeignOffset {
        /// What is wrong with it.
        what: String,
    },
    /// A position in a snapshot means nothing to Debezium.
    #[error("the saved position lies within a snapshot: Debezium cannot go on there")]
    WithinSnapshot,
    /// Debezium stopped before it had read all rows that a signal asked for.
    #[error(
        "Debezium stopped within an incremental snapshot of `{tables}`: the rest of its rows would never come"
    )]
    WithinIncrementalSnapshot {
        /// Tables that were not read to their end.
        tables: String,
    },
    /// A value cannot be read.
    #[error("column `{column}` of table `{table}`: {reason}")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why not.
        reason: ValueError,
    },
    /// The stream does not make sense.
    #[error("the stream of changes is broken: {what}")]
    Stream {
        /// What was met.
        what: String,
    },
}

/// The message of a server without its DETAIL, or what befell the link with its causes.
fn without_values(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{} ({})", answer.message(), answer.code().code());
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What an SQLSTATE asks for (reliability study, section 2.1).
fn class_of_state(state: &str) -> ErrorClass {
    match state {
        "57P01" | "57P02" | "57P03" | "53300" | "53400" | "53100" | "53200" | "55006" | "40001" | "40P01" => {
            ErrorClass::Retry
        }
        _ if state.starts_with("08") => ErrorClass::Retry,
        _ => ErrorClass::Stop,
    }
}

impl SourceError {
    /// Makes an error of what a statement or a connection for some purpose answered.
    pub(crate) fn sql(action: &'static str) -> impl Fn(tokio_postgres::Error) -> Self + Copy {
        move |cause| Self::Sql { action, cause }
    }

    fn state(&self) -> Option<&str> {
        match self {
            Self::Sql { cause, .. } => cause.code().map(tokio_postgres::error::SqlState::code),
            Self::Replication(error) => error.sqlstate(),
            _ => None,
        }
    }
}

impl Classify for SourceError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Value { .. } => ErrorClass::Reject,
            Self::Sql { .. } | Self::Replication(_) => match (self.state(), self) {
                (Some(state), _) => class_of_state(state),
                (
                    None,
                    Self::Replication(
                        ReplicationError::NoPassword { .. }
                        | ReplicationError::UnsupportedAuth { .. }
                        | ReplicationError::TooOld { .. }
                        | ReplicationError::ServerProof(_)
                        | ReplicationError::Tls { .. },
                    ),
                ) => ErrorClass::Stop,
                _ => ErrorClass::Retry,
            },
            Self::Task | Self::SlotCreationBlocked { .. } | Self::Spool { .. } => ErrorClass::Retry,
            _ => ErrorClass::Stop,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Sql { .. } | Self::Replication(_) => match self.state() {
                Some("28000" | "28P01") => "postgres.credentials_refused",
                Some("42501") => "postgres.privilege_missing",
                Some("55006") => "postgres.slot_in_use",
                Some("42704") => "postgres.object_missing",
                Some("55000" | "58P01") => "postgres.slot_lost",
                Some(_) => "postgres.refused",
                None => "postgres.unreachable",
            },
            Self::Tls(_) => "postgres.tls",
            Self::Task => "postgres.task_ended",
            Self::Spool { .. } => "postgres.spool",
            Self::TooOld { .. } => "postgres.server_too_old",
            Self::WalLevel { .. } => "postgres.wal_level",
            Self::PublicationMissing { .. } => "postgres.publication_missing",
            Self::PublicationChanged { .. } => "postgres.publication_changed",
            Self::TableNotPublished { .. } => "postgres.table_not_published",
            Self::NoTables { .. } => "postgres.no_tables",
            Self::TooManyTables { .. } => "postgres.too_many_tables",
            Self::AmbiguousIdentity { .. } => "postgres.ambiguous_identity",
            Self::UnknownType { .. } => "postgres.unknown_type",
            Self::Unsendable { .. } => "postgres.unsendable_type",
            Self::KeyColumnMissing { .. } => "postgres.key_column_missing",
            Self::IdentityMissesKey { .. } => "postgres.identity_misses_key",
            Self::TopicCollision { .. } => "postgres.topic_collision",
            Self::SlotMissing { .. } => "postgres.slot_missing",
            Self::SlotAhead { .. } => "postgres.slot_ahead",
            Self::SlotLost { .. } => "postgres.slot_lost",
            Self::SlotUnfit { .. } => "postgres.slot_unfit",
            Self::SlotInUse { .. } => "postgres.slot_in_use",
            Self::SlotCreationBlocked { .. } => "postgres.slot_creation_blocked",
            Self::OtherCluster { .. } => "postgres.other_cluster",
            Self::Diverged { .. } => "postgres.diverged",
            Self::PositionAhead { .. } => "postgres.position_ahead",
            Self::OtherSlot { .. } => "postgres.other_slot",
            Self::ForeignOffset { .. } => "postgres.foreign_offset",
            Self::WithinSnapshot => "postgres.within_snapshot",
            Self::WithinIncrementalSnapshot { .. } => "postgres.within_incremental_snapshot",
            Self::Value { .. } => "postgres.value",
            Self::Stream { .. } => "postgres.stream",
        }
    }

    fn hint(&self) -> Option<String> {
        crate::remedy::hint(self, self.state())
    }
}
