//! The `pgoutput` protocol: bytes in, messages out.
//!
//! Comes in: the payload of one `XLogData` frame. Goes out: one [`Message`], whose tuples are
//! slices of that payload. Nothing here does I/O, keeps state or can panic on input.
//!
//! - `decode`: [`decode`], and [`row_header`], a glance that leaves the columns alone
//! - `message`: what Postgres says, one type per message
//! - `tuple`: the columns of one row version
//! - `reader`: checked reads
//! - [`testing`]: the same messages the other way, for tests and benchmarks
//!
//! Layouts: Postgres manual, "Logical Replication Message Formats"; protocol versions 1 to 4.

mod decode;
mod error;
mod message;
pub(crate) mod reader;
pub mod testing;
#[cfg(test)]
mod tests;
mod tuple;

pub use decode::{decode, row_header};
pub use error::DecodeError;
pub use message::{
    Begin, BeginPrepare, Commit, CommitPrepared, Delete, Insert, LogicalMessage, Message, OldKind, OldTuple,
    Origin, Prepare, Relation, RelationColumn, ReplicaIdentity, RollbackPrepared, RowHeader, RowKind,
    StreamAbort, StreamCommit, StreamStart, Truncate, Type, Update, Xid,
};
pub use tuple::{Column, Columns, SharedColumns, TupleData};
