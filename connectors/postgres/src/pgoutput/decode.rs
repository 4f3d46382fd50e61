//! From the bytes of one message to the message.
//!
//! Hot path.
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::indexing_slicing)]

use bytes::Bytes;

use super::error::DecodeError;
use super::message::{
    Begin, BeginPrepare, Commit, CommitPrepared, Delete, Insert, LogicalMessage, Message, OldKind, OldTuple,
    Origin, Prepare, Relation, RelationColumn, ReplicaIdentity, RollbackPrepared, RowHeader, RowKind,
    StreamAbort, StreamCommit, StreamStart, Truncate, Type, Update, Xid,
};
use super::reader::Reader;
use super::tuple::TupleData;

/// Bit of `Truncate`'s options byte (`TRUNCATE_CASCADE` in Postgres's `logicalproto.h`).
const TRUNCATE_CASCADE: u8 = 1;
/// Bit of `Truncate`'s options byte (`TRUNCATE_RESTART_SEQS`).
const TRUNCATE_RESTART_IDENTITY: u8 = 2;
/// Bit of a column's flags: the column is part of the replica identity.
const COLUMN_KEY: u8 = 1;
/// Bit of a logical message's flags: it belongs to its transaction.
const MESSAGE_TRANSACTIONAL: u8 = 1;

/// Decodes one message.
///
/// `streaming` says whether the message lies between a stream start and its stream stop; only
/// then do changes carry a transaction id. Tuples share `bytes` by reference count; names are
/// copied, since they outlive the buffer.
///
/// # Errors
///
/// When the bytes are not exactly one message of protocol versions 1 to 4.
pub fn decode(bytes: &Bytes, streaming: bool) -> Result<Message, DecodeError> {
    let mut reader = Reader::new(bytes);
    let tag = reader.u8("tag")?;
    let message = message(tag, &mut reader, streaming)?;
    match reader.remaining() {
        0 => Ok(message),
        count => Err(DecodeError::Trailing { tag, count }),
    }
}

/// Reads the head of a row message and leaves its columns alone; `None` for other messages.
///
/// Several times cheaper than [`decode`]; checks nothing after the head.
///
/// # Errors
///
/// When the message ends within its head, or its old tuple has an unknown marker.
#[inline]
pub fn row_header(bytes: &Bytes, streaming: bool) -> Result<Option<RowHeader>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let kind = match reader.u8("tag")? {
        b'I' => RowKind::Insert,
        b'U' => RowKind::Update,
        b'D' => RowKind::Delete,
        _ => return Ok(None),
    };
    let xid = reader.stream_xid(streaming)?;
    let relation_id = reader.u32("relation id")?;
    let old = old_kind(reader.u8("tuple kind")?)?;
    Ok(Some(RowHeader { kind, xid, relation_id, old }))
}

fn message(tag: u8, reader: &mut Reader<'_>, streaming: bool) -> Result<Message, DecodeError> {
    match tag {
        b'I' => insert(reader, streaming).map(Message::Insert),
        b'U' => update(reader, streaming).map(Message::Update),
        b'D' => delete(reader, streaming).map(Message::Delete),
        b'B' => begin(reader).map(Message::Begin),
        b'C' => commit(reader).map(Message::Commit),
        b'R' => relation(reader, streaming).map(Message::Relation),
        b'Y' => type_(reader, streaming).map(Message::Type),
        b'T' => truncate(reader, streaming).map(Message::Truncate),
        b'M' => logical_message(reader, streaming).map(Message::Message),
        b'O' => origin(reader).map(Message::Origin),
        b'S' => stream_start(reader).map(Message::StreamStart),
        b'E' => Ok(Message::StreamStop),
        b'c' => stream_commit(reader).map(Message::StreamCommit),
        b'A' => stream_abort(reader).map(Message::StreamAbort),
        b'b' => begin_prepare(reader).map(Message::BeginPrepare),
        b'P' => prepare(reader).map(Message::Prepare),
        b'K' => commit_prepared(reader).map(Message::CommitPrepared),
        b'r' => rollback_prepared(reader).map(Message::RollbackPrepared),
        b'p' => prepare(reader).map(Message::StreamPrepare),
        tag => Err(DecodeError::UnknownTag { tag }),
    }
}

fn insert(reader: &mut Reader<'_>, streaming: bool) -> Result<Insert, DecodeError> {
    let xid = reader.stream_xid(streaming)?;
    let relation_id = reader.u32("relation id")?;
    expect_new(reader.u8("tuple kind")?)?;
    Ok(Insert { xid, relation_id, new: TupleData::read(reader)? })
}

fn update(reader: &mut Reader<'_>, streaming: bool) -> Result<Update, DecodeError> {
    let xid = reader.stream_xid(streaming)?;
    let relation_id = reader.u32("relation id")?;
    let old = match old_kind(reader.u8("tuple kind")?)? {
        None => None,
        Some(kind) => {
            let old = old_tuple(kind, reader)?;
            expect_new(reader.u8("tuple kind")?)?;
            Some(old)
        }
    };
    Ok(Update { xid, relation_id, old, new: TupleData::read(reader)? })
}

fn delete(reader: &mut Reader<'_>, streaming: bool) -> Result<Delete, DecodeError> {
    let xid = reader.stream_xid(streaming)?;
    let relation_id = reader.u32("relation id")?;
    let kind = old_kind(reader.u8("tuple kind")?)?
        .ok_or(DecodeError::UnknownMarker { field: "tuple kind", value: b'N' })?;
    Ok(Delete { xid, relation_id, old: old_tuple(kind, reader)? })
}

fn old_tuple(kind: OldKind, reader: &mut Reader<'_>) -> Result<OldTuple, DecodeError> {
    let tuple = TupleData::read(reader)?;
    Ok(match kind {
        OldKind::Key => OldTuple::Key(tuple),
        OldKind::Full => OldTuple::Full(tuple),
    })
}

fn old_kind(marker: u8) -> Result<Option<OldKind>, DecodeError> {
    match marker {
        b'N' => Ok(None),
        b'K' => Ok(Some(OldKind::Key)),
        b'O' => Ok(Some(OldKind::Full)),
        value => Err(DecodeError::UnknownMarker { field: "tuple kind", value }),
    }
}

fn expect_new(marker: u8) -> Result<(), DecodeError> {
    if marker == b'N' {
        return Ok(());
    }
    Err(DecodeError::UnknownMarker { field: "tuple kind", value: marker })
}

fn begin(reader: &mut Reader<'_>) -> Result<Begin, DecodeError> {
    Ok(Begin {
        final_lsn: reader.lsn("final lsn")?,
        commit_micros: reader.i64("commit time")?,
        xid: reader.xid("xid")?,
    })
}

fn commit(reader: &mut Reader<'_>) -> Result<Commit, DecodeError> {
    Ok(Commit {
        flags: reader.u8("flags")?,
        commit_lsn: reader.lsn("commit lsn")?,
        end_lsn: reader.lsn("end lsn")?,
        commit_micros: reader.i64("commit time")?,
    })
}

fn origin(reader: &mut Reader<'_>) -> Result<Origin, DecodeError> {
    Ok(Origin { commit_lsn: reader.lsn("commit lsn")?, name: reader.name("origin name")? })
}

fn relation(reader: &mut Reader<'_>, streaming: bool) -> Result<Relation, DecodeError> {
    Ok(Relation {
        xid: reader.stream_xid(streaming)?,
        relation_id: reader.u32("relation id")?,
        namespace: reader.name("namespace")?,
        name: reader.name("relation name")?,
        replica_identity: replica_identity(reader.u8("replica identity")?)?,
        columns: {
            let count = reader.count16("column count")?;
            (0..count).map(|_| relation_column(reader)).collect::<Result<_, _>>()?
        },
    })
}

fn relation_column(reader: &mut Reader<'_>) -> Result<RelationColumn, DecodeError> {
    Ok(RelationColumn {
        key: reader.u8("column flags")? & COLUMN_KEY != 0,
        name: reader.name("column name")?,
        type_id: reader.u32("column type")?,
        type_modifier: reader.i32("column type modifier")?,
    })
}

fn replica_identity(marker: u8) -> Result<ReplicaIdentity, DecodeError> {
    match marker {
        b'd' => Ok(ReplicaIdentity::Default),
        b'n' => Ok(ReplicaIdentity::Nothing),
        b'f' => Ok(ReplicaIdentity::Full),
        b'i' => Ok(ReplicaIdentity::Index),
        value => Err(DecodeError::UnknownMarker { field: "replica identity", value }),
    }
}

fn type_(reader: &mut Reader<'_>, streaming: bool) -> Result<Type, DecodeError> {
    Ok(Type {
        xid: reader.stream_xid(streaming)?,
        type_id: reader.u32("type id")?,
        namespace: reader.name("namespace")?,
        name: reader.name("type name")?,
    })
}

fn truncate(reader: &mut Reader<'_>, streaming: bool) -> Result<Truncate, DecodeError> {
    let xid = reader.stream_xid(streaming)?;
    let count = reader.length32("relation count")?;
    let options = reader.u8("truncate options")?;
    let length =
        count.checked_mul(size_of::<u32>()).ok_or(DecodeError::Truncated { field: "relation ids" })?;
    let (ids, _) = reader.take(length, "relation ids")?.as_chunks::<4>();
    Ok(Truncate {
        xid,
        cascade: options & TRUNCATE_CASCADE != 0,
        restart_identity: options & TRUNCATE_RESTART_IDENTITY != 0,
        relation_ids: ids.iter().map(|id| u32::from_be_bytes(*id)).collect(),
    })
}

fn logical_message(reader: &mut Reader<'_>, streaming: bool) -> Result<LogicalMessage, DecodeError> {
    let xid = reader.stream_xid(streaming)?;
    let transactional = reader.u8("flags")? & MESSAGE_TRANSACTIONAL != 0;
    let lsn = reader.lsn("message lsn")?;
    let prefix = reader.name("message prefix")?;
    let length = reader.length32("content length")?;
    let start = reader.offset();
    reader.take(length, "content")?;
    Ok(LogicalMessage { xid, transactional, lsn, prefix, content: reader.shared_since(start) })
}

fn stream_start(reader: &mut Reader<'_>) -> Result<StreamStart, DecodeError> {
    Ok(StreamStart { xid: reader.xid("xid")?, first_segment: reader.u8("first segment")? == 1 })
}

fn stream_commit(reader: &mut Reader<'_>) -> Result<StreamCommit, DecodeError> {
    Ok(StreamCommit { xid: reader.xid("xid")?, commit: commit(reader)? })
}

fn stream_abort(reader: &mut Reader<'_>) -> Result<StreamAbort, DecodeError> {
    let xid: Xid = reader.xid("xid")?;
    let sub_xid = reader.xid("sub-transaction xid")?;
    let abort = match reader.remaining() {
        0 => None,
        _ => Some((reader.lsn("abort lsn")?, reader.i64("abort time")?)),
    };
    Ok(StreamAbort { xid, sub_xid, abort })
}

fn begin_prepare(reader: &mut Reader<'_>) -> Result<BeginPrepare, DecodeError> {
    Ok(BeginPrepare {
        prepare_lsn: reader.lsn("prepare lsn")?,
        end_lsn: reader.lsn("end lsn")?,
        prepare_micros: reader.i64("prepare time")?,
        xid: reader.xid("xid")?,
        gid: reader.name("gid")?,
    })
}

fn prepare(reader: &mut Reader<'_>) -> Result<Prepare, DecodeError> {
    Ok(Prepare {
        flags: reader.u8("flags")?,
        prepare_lsn: reader.lsn("prepare lsn")?,
        end_lsn: reader.lsn("end lsn")?,
        prepare_micros: reader.i64("prepare time")?,
        xid: reader.xid("xid")?,
        gid: reader.name("gid")?,
    })
}

fn commit_prepared(reader: &mut Reader<'_>) -> Result<CommitPrepared, DecodeError> {
    Ok(CommitPrepared {
        flags: reader.u8("flags")?,
        commit_lsn: reader.lsn("commit lsn")?,
        end_lsn: reader.lsn("end lsn")?,
        commit_micros: reader.i64("commit time")?,
        xid: reader.xid("xid")?,
        gid: reader.name("gid")?,
    })
}

fn rollback_prepared(reader: &mut Reader<'_>) -> Result<RollbackPrepared, DecodeError> {
    Ok(RollbackPrepared {
        flags: reader.u8("flags")?,
        prepare_end_lsn: reader.lsn("prepare end lsn")?,
        rollback_end_lsn: reader.lsn("rollback end lsn")?,
        prepare_micros: reader.i64("prepare time")?,
        rollback_micros: reader.i64("rollback time")?,
        xid: reader.xid("xid")?,
        gid: reader.name("gid")?,
    })
}
