//! Messages the other way, from values to bytes: for tests, benchmarks and fuzzing.
//!
//! Not on any path of the connector.

use bytes::{BufMut, Bytes, BytesMut};

use super::message::{Message, OldTuple, Relation, ReplicaIdentity, Truncate, Xid};
use super::reader::Reader;
use super::tuple::{Column, TupleData};

/// Makes the tuple that Postgres would send for these columns.
///
/// # Panics
///
/// If there are more than 32,767 columns or one is longer than 2 GiB.
#[must_use]
pub fn tuple(columns: &[Column<&[u8]>]) -> TupleData {
    let mut out = BytesMut::new();
    let count = i16::try_from(columns.len()).expect("a tuple has at most 32,767 columns");
    out.put_i16(count);
    for column in columns {
        put_column(&mut out, column);
    }
    TupleData::read(&mut Reader::new(&out.freeze())).expect("it was just written as the reader reads it")
}

/// Makes a tuple of text columns, `None` being null.
#[must_use]
pub fn text_tuple(columns: &[Option<&str>]) -> TupleData {
    let columns: Vec<_> = columns
        .iter()
        .map(|column| column.map_or(Column::Null, |text| Column::Text(text.as_bytes())))
        .collect();
    tuple(&columns)
}

/// Writes a message as Postgres would; the inverse of [`decode`](super::decode).
///
/// # Panics
///
/// If a count or length is beyond what the protocol can say.
#[must_use]
pub fn encode(message: &Message) -> Bytes {
    let mut out = BytesMut::new();
    match message {
        Message::Insert(insert) => {
            put_change(&mut out, b'I', insert.xid, insert.relation_id);
            put_tuple(&mut out, b'N', &insert.new);
        }
        Message::Update(update) => {
            put_change(&mut out, b'U', update.xid, update.relation_id);
            if let Some(old) = &update.old {
                put_old(&mut out, old);
            }
            put_tuple(&mut out, b'N', &update.new);
        }
        Message::Delete(delete) => {
            put_change(&mut out, b'D', delete.xid, delete.relation_id);
            put_old(&mut out, &delete.old);
        }
        Message::Relation(relation) => put_relation(&mut out, relation),
        Message::Truncate(truncate) => put_truncate(&mut out, truncate),
        Message::Type(type_) => {
            put_change(&mut out, b'Y', type_.xid, type_.type_id);
            put_name(&mut out, &type_.namespace);
            put_name(&mut out, &type_.name);
        }
        Message::Message(message) => {
            put_tag(&mut out, b'M', message.xid);
            out.put_u8(message.transactional.into());
            out.put_u64(message.lsn.as_u64());
            put_name(&mut out, &message.prefix);
            put_bytes(&mut out, &message.content);
        }
        boundary => put_boundary(&mut out, boundary),
    }
    out.freeze()
}

fn put_boundary(out: &mut BytesMut, message: &Message) {
    match message {
        Message::Begin(begin) => {
            out.put_u8(b'B');
            put_place(out, &[begin.final_lsn.as_u64()], &[begin.commit_micros]);
            out.put_u32(begin.xid.0);
        }
        Message::Commit(commit) => {
            out.put_slice(&[b'C', commit.flags]);
            put_place(out, &[commit.commit_lsn.as_u64(), commit.end_lsn.as_u64()], &[commit.commit_micros]);
        }
        Message::Origin(origin) => {
            out.put_u8(b'O');
            out.put_u64(origin.commit_lsn.as_u64());
            put_name(out, &origin.name);
        }
        Message::StreamStart(start) => {
            put_tag(out, b'S', Some(start.xid));
            out.put_u8(start.first_segment.into());
        }
        Message::StreamStop => out.put_u8(b'E'),
        Message::StreamCommit(stream) => {
            let commit = &stream.commit;
            put_tag(out, b'c', Some(stream.xid));
            out.put_u8(commit.flags);
            put_place(out, &[commit.commit_lsn.as_u64(), commit.end_lsn.as_u64()], &[commit.commit_micros]);
        }
        Message::StreamAbort(stream) => {
            put_tag(out, b'A', Some(stream.xid));
            out.put_u32(stream.sub_xid.0);
            if let Some((lsn, micros)) = stream.abort {
                put_place(out, &[lsn.as_u64()], &[micros]);
            }
        }
        prepared => put_prepared(out, prepared),
    }
}

fn put_prepared(out: &mut BytesMut, message: &Message) {
    let (xid, gid) = match message {
        Message::BeginPrepare(begin) => {
            out.put_u8(b'b');
            let lsns = [begin.prepare_lsn.as_u64(), begin.end_lsn.as_u64()];
            put_place(out, &lsns, &[begin.prepare_micros]);
            (begin.xid, &begin.gid)
        }
        Message::Prepare(prepare) | Message::StreamPrepare(prepare) => {
            let streamed = matches!(message, Message::StreamPrepare(_));
            out.put_slice(&[if streamed { b'p' } else { b'P' }, prepare.flags]);
            let lsns = [prepare.prepare_lsn.as_u64(), prepare.end_lsn.as_u64()];
            put_place(out, &lsns, &[prepare.prepare_micros]);
            (prepare.xid, &prepare.gid)
        }
        Message::CommitPrepared(commit) => {
            out.put_slice(&[b'K', commit.flags]);
            let lsns = [commit.commit_lsn.as_u64(), commit.end_lsn.as_u64()];
            put_place(out, &lsns, &[commit.commit_micros]);
            (commit.xid, &commit.gid)
        }
        Message::RollbackPrepared(rollback) => {
            out.put_slice(&[b'r', rollback.flags]);
            put_place(
                out,
                &[rollback.prepare_end_lsn.as_u64(), rollback.rollback_end_lsn.as_u64()],
                &[rollback.prepare_micros, rollback.rollback_micros],
            );
            (rollback.xid, &rollback.gid)
        }
        _ => unreachable!("the other messages are written above"),
    };
    out.put_u32(xid.0);
    put_name(out, gid);
}

fn put_relation(out: &mut BytesMut, relation: &Relation) {
    put_change(out, b'R', relation.xid, relation.relation_id);
    put_name(out, &relation.namespace);
    put_name(out, &relation.name);
    out.put_u8(match relation.replica_identity {
        ReplicaIdentity::Default => b'd',
        ReplicaIdentity::Nothing => b'n',
        ReplicaIdentity::Full => b'f',
        ReplicaIdentity::Index => b'i',
    });
    out.put_i16(relation.columns.len().try_into().expect("a relation has at most 1,600 columns"));
    for column in &relation.columns {
        out.put_u8(column.key.into());
        put_name(out, &column.name);
        out.put_u32(column.type_id);
        out.put_i32(column.type_modifier);
    }
}

fn put_truncate(out: &mut BytesMut, truncate: &Truncate) {
    put_tag(out, b'T', truncate.xid);
    let count = truncate.relation_ids.len();
    out.put_i32(count.try_into().expect("a truncate names fewer than 2^31 relations"));
    out.put_u8(u8::from(truncate.cascade) | u8::from(truncate.restart_identity) << 1);
    for id in &truncate.relation_ids {
        out.put_u32(*id);
    }
}

fn put_tag(out: &mut BytesMut, tag: u8, xid: Option<Xid>) {
    out.put_u8(tag);
    if let Some(xid) = xid {
        out.put_u32(xid.0);
    }
}

fn put_change(out: &mut BytesMut, tag: u8, xid: Option<Xid>, id: u32) {
    put_tag(out, tag, xid);
    out.put_u32(id);
}

fn put_place(out: &mut BytesMut, lsns: &[u64], micros: &[i64]) {
    lsns.iter().for_each(|lsn| out.put_u64(*lsn));
    micros.iter().for_each(|micros| out.put_i64(*micros));
}

fn put_old(out: &mut BytesMut, old: &OldTuple) {
    match old {
        OldTuple::Key(tuple) => put_tuple(out, b'K', tuple),
        OldTuple::Full(tuple) => put_tuple(out, b'O', tuple),
    }
}

fn put_tuple(out: &mut BytesMut, kind: u8, tuple: &TupleData) {
    out.put_u8(kind);
    out.put_u16(tuple.column_count());
    for column in tuple.columns() {
        put_column(out, &column);
    }
}

fn put_column(out: &mut BytesMut, column: &Column<&[u8]>) {
    match column {
        Column::Null => out.put_u8(b'n'),
        Column::Unchanged => out.put_u8(b'u'),
        Column::Text(value) => {
            out.put_u8(b't');
            put_bytes(out, value);
        }
        Column::Binary(value) => {
            out.put_u8(b'b');
            put_bytes(out, value);
        }
    }
}

fn put_name(out: &mut BytesMut, name: &str) {
    out.put_slice(name.as_bytes());
    out.put_u8(0);
}

fn put_bytes(out: &mut BytesMut, value: &[u8]) {
    out.put_i32(value.len().try_into().expect("a value is shorter than 2 GiB"));
    out.put_slice(value);
}
