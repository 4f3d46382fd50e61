//! The messages of `pgoutput`, one type each.
//!
//! Times are microseconds since 2000-01-01 00:00 UTC, as Postgres sends them. `xid` fields that
//! are options are set inside a stream block (between [`Message::StreamStart`] and
//! [`Message::StreamStop`]) and unset outside; there they name the sub-transaction of the change.

use std::fmt;

use bytes::Bytes;
use postgres_protocol::Oid;

use super::tuple::TupleData;
use crate::lsn::Lsn;

/// A transaction id: 32 bits that Postgres uses again, so no identity beyond one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub u32);

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One message of the logical replication stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A transaction begins; its changes follow up to [`Message::Commit`].
    Begin(Begin),
    /// The transaction is complete.
    Commit(Commit),
    /// The transaction came from elsewhere, through a replication origin.
    Origin(Origin),
    /// What a relation looks like from here on; precedes its first change in a session.
    Relation(Relation),
    /// The name of a type that is not built in.
    Type(Type),
    /// A row is new.
    Insert(Insert),
    /// A row has a new version.
    Update(Update),
    /// A row is gone.
    Delete(Delete),
    /// Relations were emptied.
    Truncate(Truncate),
    /// A message written by `pg_logical_emit_message`.
    Message(LogicalMessage),
    /// A block of changes of a transaction that is still open (version 2).
    StreamStart(StreamStart),
    /// The block ends.
    StreamStop,
    /// The streamed transaction committed.
    StreamCommit(StreamCommit),
    /// The streamed transaction, or a sub-transaction of it, rolled back.
    StreamAbort(StreamAbort),
    /// A transaction that will be prepared begins (version 3).
    BeginPrepare(BeginPrepare),
    /// The transaction is prepared.
    Prepare(Prepare),
    /// A prepared transaction committed.
    CommitPrepared(CommitPrepared),
    /// A prepared transaction rolled back.
    RollbackPrepared(RollbackPrepared),
    /// The streamed transaction is prepared.
    StreamPrepare(Prepare),
}

/// The start of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Start of the commit record; equals [`Commit::commit_lsn`].
    pub final_lsn: Lsn,
    /// Commit time, µs since 2000-01-01 UTC.
    pub commit_micros: i64,
    /// The transaction.
    pub xid: Xid,
}

/// The end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Unused so far; always 0.
    pub flags: u8,
    /// Start of the commit record.
    pub commit_lsn: Lsn,
    /// Position after the commit record: the only place to resume at.
    pub end_lsn: Lsn,
    /// Commit time, µs since 2000-01-01 UTC.
    pub commit_micros: i64,
}

/// Where a transaction was first made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its commit position on the origin server.
    pub commit_lsn: Lsn,
    /// The name of the origin.
    pub name: Box<str>,
}

/// What a relation looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The oid by which changes name the relation.
    pub relation_id: Oid,
    /// The schema's name; empty for `pg_catalog`.
    pub namespace: Box<str>,
    /// The relation's name.
    pub name: Box<str>,
    /// Which old values its updates and deletes carry.
    pub replica_identity: ReplicaIdentity,
    /// The published columns, in the order of every tuple.
    pub columns: Vec<RelationColumn>,
}

/// One published column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationColumn {
    /// Whether the column is part of the replica identity (all are with `FULL`).
    pub key: bool,
    /// Its name.
    pub name: Box<str>,
    /// Its type.
    pub type_id: Oid,
    /// Its type modifier (`atttypmod`), -1 for none.
    pub type_modifier: i32,
}

/// `REPLICA IDENTITY` of a relation (`pg_class.relreplident`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The primary key, if there is one.
    Default,
    /// Nothing; the relation can take inserts only.
    Nothing,
    /// The whole row.
    Full,
    /// The columns of a chosen index.
    Index,
}

/// A type that is not built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The oid by which columns name the type.
    pub type_id: Oid,
    /// The schema's name; empty for `pg_catalog`.
    pub namespace: Box<str>,
    /// The type's name.
    pub name: Box<str>,
}

/// A new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The relation.
    pub relation_id: Oid,
    /// The row.
    pub new: TupleData,
}

/// A new version of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The relation.
    pub relation_id: Oid,
    /// The version before. Without `FULL` only present when an identity column changed (or had a
    /// value stored out of line).
    pub old: Option<OldTuple>,
    /// The version after.
    pub new: TupleData,
}

/// A removed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The relation.
    pub relation_id: Oid,
    /// What is known of the row.
    pub old: OldTuple,
}

/// What is known of a row version that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldTuple {
    /// The columns of the replica identity; all others are null.
    Key(TupleData),
    /// The whole row.
    Full(TupleData),
}

impl OldTuple {
    /// Returns the columns, whichever kind they are.
    #[must_use]
    pub fn tuple(&self) -> &TupleData {
        match self {
            Self::Key(tuple) | Self::Full(tuple) => tuple,
        }
    }

    /// Tells how much of the row this is.
    #[must_use]
    pub fn kind(&self) -> OldKind {
        match self {
            Self::Key(_) => OldKind::Key,
            Self::Full(_) => OldKind::Full,
        }
    }
}

/// How much of an old row version a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKind {
    /// The columns of the replica identity.
    Key,
    /// The whole row.
    Full,
}

/// Emptied relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncate {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// `CASCADE` was given.
    pub cascade: bool,
    /// `RESTART IDENTITY` was given.
    pub restart_identity: bool,
    /// The relations, in the server's order.
    pub relation_ids: Vec<Oid>,
}

/// A message written by `pg_logical_emit_message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalMessage {
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// Whether it belongs to the transaction around it; if not, it stands for itself and may
    /// come between transactions.
    pub transactional: bool,
    /// Its position in the log.
    pub lsn: Lsn,
    /// Who it is for.
    pub prefix: Box<str>,
    /// What it says.
    pub content: Bytes,
}

/// The start of a block of an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamStart {
    /// The top transaction.
    pub xid: Xid,
    /// Whether this is the transaction's first block.
    pub first_segment: bool,
}

/// The commit of a streamed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCommit {
    /// The top transaction.
    pub xid: Xid,
    /// Flags, commit and end position, time.
    pub commit: Commit,
}

/// The roll-back of a streamed transaction or of one sub-transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamAbort {
    /// The top transaction.
    pub xid: Xid,
    /// What rolled back: only the changes that carry this id are void. Equals `xid` when all is.
    pub sub_xid: Xid,
    /// Position and time (µs since 2000-01-01 UTC) of the abort record; only with parallel
    /// streaming (version 4).
    pub abort: Option<(Lsn, i64)>,
}

/// The start of a transaction that will be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeginPrepare {
    /// Start of the prepare record.
    pub prepare_lsn: Lsn,
    /// Position after the prepare record.
    pub end_lsn: Lsn,
    /// Prepare time, µs since 2000-01-01 UTC.
    pub prepare_micros: i64,
    /// The transaction.
    pub xid: Xid,
    /// Its global identifier.
    pub gid: Box<str>,
}

/// A prepared transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepare {
    /// Unused so far; always 0.
    pub flags: u8,
    /// Start of the prepare record.
    pub prepare_lsn: Lsn,
    /// Position after the prepare record.
    pub end_lsn: Lsn,
    /// Prepare time, µs since 2000-01-01 UTC.
    pub prepare_micros: i64,
    /// The transaction.
    pub xid: Xid,
    /// Its global identifier.
    pub gid: Box<str>,
}

/// The commit of a prepared transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPrepared {
    /// Unused so far; always 0.
    pub flags: u8,
    /// Start of the commit record.
    pub commit_lsn: Lsn,
    /// Position after the commit record.
    pub end_lsn: Lsn,
    /// Commit time, µs since 2000-01-01 UTC.
    pub commit_micros: i64,
    /// The transaction.
    pub xid: Xid,
    /// Its global identifier.
    pub gid: Box<str>,
}

/// The roll-back of a prepared transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackPrepared {
    /// Unused so far; always 0.
    pub flags: u8,
    /// Position after the prepare record.
    pub prepare_end_lsn: Lsn,
    /// Position after the roll-back record.
    pub rollback_end_lsn: Lsn,
    /// Prepare time, µs since 2000-01-01 UTC.
    pub prepare_micros: i64,
    /// Roll-back time, µs since 2000-01-01 UTC.
    pub rollback_micros: i64,
    /// The transaction.
    pub xid: Xid,
    /// Its global identifier.
    pub gid: Box<str>,
}

/// What kind of change a row message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// [`Message::Insert`].
    Insert,
    /// [`Message::Update`].
    Update,
    /// [`Message::Delete`].
    Delete,
}

/// The head of a row message: enough to route it, with the columns left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowHeader {
    /// What kind of change it is.
    pub kind: RowKind,
    /// Set in a stream block.
    pub xid: Option<Xid>,
    /// The relation.
    pub relation_id: Oid,
    /// Which old version precedes the new one, if any.
    pub old: Option<OldKind>,
}
