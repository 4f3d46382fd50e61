//! The decoder against bytes recorded from PostgreSQL 15.18 (`pg_logical_slot_peek_binary_changes`)
//! and against arbitrary bytes.

use bytes::Bytes;
use proptest::prelude::*;

use super::testing::{encode, text_tuple};
use super::*;
use crate::lsn::Lsn;

/// One recorded message of every kind: whether it lay in a stream block, and its bytes.
const RECORDED: &[(bool, &str)] = &[
    (false, BEGIN),
    (false, COMMIT),
    (false, TYPE),
    (false, RELATION),
    (false, RELATION_FULL),
    (false, INSERT),
    (false, INSERT_BINARY),
    (false, UPDATE),
    (false, UPDATE_KEY),
    (false, UPDATE_FULL),
    (false, UPDATE_TOAST),
    (false, DELETE_KEY),
    (false, DELETE_FULL),
    (false, TRUNCATE),
    (false, LOGICAL_MESSAGE),
    (false, ORIGIN),
    (false, STREAM_START),
    (false, "45"),
    (false, STREAM_ABORT),
    (false, STREAM_COMMIT),
    (true, STREAMED_RELATION),
    (true, STREAMED_TYPE),
    (true, STREAMED_UPDATE),
    (true, STREAMED_DELETE),
    (true, STREAMED_TRUNCATE),
    (true, STREAMED_MESSAGE),
    (false, BEGIN_PREPARE),
    (false, PREPARE),
    (false, COMMIT_PREPARED),
    (false, ROLLBACK_PREPARED),
    (false, STREAM_PREPARE),
];

const BEGIN: &str = "42000000000192bdb0000303c5a6db9d31000002e1";
const COMMIT: &str = "4300000000000192bdb0000000000192bde0000303c5a6db9d31";
const TYPE: &str = "59000040067075626c6963006d6f6f6400";
const RELATION: &str = "520000400b7075626c6963007573657273006400050169640000000017ffffffff\
    006e616d650000000019ffffffff0073636f726500000006a4000a0006006d6f6f640000004006ffffffff\
    006269670000000019ffffffff";
const RELATION_FULL: &str = "52000040127075626c69630066756c6c6964656e740066000201610000000017\
    ffffffff01620000000019ffffffff";
const INSERT: &str = "490000400b4e00057400000001317400000003416461740000000531322e3530740000\
    00026f6b6e";
const INSERT_BINARY: &str = "490000400b4e00056200000004000000016200000003416461620000000c0002\
    000000000002000c138862000000026f6b6e";
const UPDATE: &str = "550000400b4e00057400000001317400000003416461740000000531332e3030740000\
    00026f6b6e";
const UPDATE_KEY: &str = "550000400b4b00057400000001316e6e6e6e4e0005740000000132740000000341\
    6461740000000531332e303074000000026f6b6e";
const UPDATE_FULL: &str = "55000040124f00027400000001377400000001784e00027400000001376e";
const UPDATE_TOAST: &str = "550000400b4e00057400000001337400000009756e6368616e6765646e6e75";
const DELETE_KEY: &str = "440000400b4b00057400000001326e6e6e6e";
const DELETE_FULL: &str = "44000040124f00027400000001376e";
const TRUNCATE: &str = "5400000002030000400b00004012";
const LOGICAL_MESSAGE: &str = "4d01000000000192fc0068656c6c6f00000000057700726c64";
const ORIGIN: &str = "4f00000000016b37486f72696700";
const STREAM_START: &str = "53000002fb01";
const STREAM_ABORT: &str = "41000002e6000002e7";
const STREAM_COMMIT: &str = "63000002e600000000000198789800000000019878d0000303c5a6dbcb45";
const STREAMED_RELATION: &str = "52000002fb000040127075626c69630066756c6c6964656e740066000201\
    610000000017ffffffff01620000000019ffffffff";
const STREAMED_TYPE: &str = "59000002fb000040067075626c6963006d6f6f6400";
const STREAMED_UPDATE: &str = "55000002fb0000400b4e0005740000000331303074000000016d7400000004\
    312e30306e6e";
const STREAMED_DELETE: &str = "44000002fb0000400b4b000574000000033130306e6e6e6e";
const STREAMED_TRUNCATE: &str = "54000002fb000000010000004012";
const STREAMED_MESSAGE: &str = "4d000002fb010000000001a0e08874780000000002696e";
const BEGIN_PREPARE: &str = "62000000000198e728000000000198e820000303c5aa0394f5000002ea676964206f6e6500";
const PREPARE: &str = "5000000000000198e728000000000198e820000303c5aa0394f5000002ea676964206f6e6500";
const COMMIT_PREPARED: &str = "4b00000000000198e820000000000198e860000303c5aa03961b000002ea676964206f6e6500";
const ROLLBACK_PREPARED: &str = "7200000000000198e9d8000000000198ea18000303c5aa0397b4000303c5\
    aa039865000002eb6769642074776f00";
const STREAM_PREPARE: &str = "70000000000001a3f4480000000001a3f790000303c5ab47491a000002fb62696700";

fn bytes(hex: &str) -> Bytes {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn message(hex: &str) -> Message {
    decode(&bytes(hex), false).unwrap()
}

fn streamed(hex: &str) -> Message {
    decode(&bytes(hex), true).unwrap()
}

fn texts(tuple: &TupleData) -> Vec<Column<&str>> {
    tuple
        .columns()
        .map(|column| match column {
            Column::Text(text) => Column::Text(std::str::from_utf8(text).unwrap()),
            Column::Null => Column::Null,
            Column::Unchanged => Column::Unchanged,
            Column::Binary(_) => panic!("a text tuple has no binary column"),
        })
        .collect()
}

#[test]
fn begin_and_commit_name_the_same_commit_record() {
    let Message::Begin(begin) = message(BEGIN) else { panic!() };
    let Message::Commit(commit) = message(COMMIT) else { panic!() };

    assert_eq!(begin.final_lsn, commit.commit_lsn);
    assert_eq!(begin.commit_micros, commit.commit_micros);
    assert_eq!(begin.xid, Xid(737));
    assert_eq!(commit.end_lsn, "0/192BDE0".parse().unwrap());
}

#[test]
fn relation_lists_columns_with_their_types() {
    let Message::Relation(relation) = message(RELATION) else { panic!() };

    assert_eq!((&*relation.namespace, &*relation.name), ("public", "users"));
    assert_eq!(relation.replica_identity, ReplicaIdentity::Default);
    let columns: Vec<_> = relation
        .columns
        .iter()
        .map(|column| (&*column.name, column.key, column.type_id, column.type_modifier))
        .collect();
    assert_eq!(
        columns,
        [
            ("id", true, 23, -1),
            ("name", false, 25, -1),
            ("score", false, 1700, 0x000A_0006),
            ("mood", false, 0x4006, -1),
            ("big", false, 25, -1),
        ]
    );
}

#[test]
fn full_identity_marks_every_column_as_key() {
    let Message::Relation(relation) = message(RELATION_FULL) else { panic!() };

    assert_eq!(relation.replica_identity, ReplicaIdentity::Full);
    assert!(relation.columns.iter().all(|column| column.key));
}

#[test]
fn type_has_schema_and_name() {
    let Message::Type(type_) = message(TYPE) else { panic!() };

    assert_eq!((type_.type_id, &*type_.namespace, &*type_.name), (0x4006, "public", "mood"));
}

#[test]
fn insert_has_text_and_null() {
    let Message::Insert(insert) = message(INSERT) else { panic!() };

    assert_eq!(insert.relation_id, 0x400B);
    assert_eq!(
        texts(&insert.new),
        [Column::Text("1"), Column::Text("Ada"), Column::Text("12.50"), Column::Text("ok"), Column::Null]
    );
}

#[test]
fn binary_values_are_shared_without_a_copy() {
    let received = bytes(INSERT_BINARY);
    let Message::Insert(insert) = decode(&received, false).unwrap() else { panic!() };

    let columns: Vec<_> = insert.new.shared_columns().collect();

    let Column::Binary(name) = &columns[1] else { panic!() };
    assert_eq!(&name[..], b"Ada");
    assert!(received.as_ptr_range().contains(&name.as_ptr()));
    assert_eq!(columns[0], Column::Binary(Bytes::from_static(&[0, 0, 0, 1])));
    assert_eq!(columns[4], Column::Null);
}

#[test]
fn update_carries_old_values_only_as_identity_demands() {
    let Message::Update(plain) = message(UPDATE) else { panic!() };
    let Message::Update(key) = message(UPDATE_KEY) else { panic!() };
    let Message::Update(full) = message(UPDATE_FULL) else { panic!() };

    assert_eq!(plain.old, None);
    let Some(OldTuple::Key(old)) = &key.old else { panic!() };
    assert_eq!(texts(old)[..2], [Column::Text("1"), Column::Null]);
    assert_eq!(texts(&key.new)[0], Column::Text("2"));
    let Some(OldTuple::Full(old)) = &full.old else { panic!() };
    assert_eq!(texts(old), [Column::Text("7"), Column::Text("x")]);
    assert_eq!(texts(&full.new), [Column::Text("7"), Column::Null]);
}

#[test]
fn unchanged_toast_is_neither_null_nor_a_value() {
    let Message::Update(update) = message(UPDATE_TOAST) else { panic!() };

    assert_eq!(texts(&update.new)[4], Column::Unchanged);
}

#[test]
fn delete_tells_key_from_full_row() {
    let Message::Delete(key) = message(DELETE_KEY) else { panic!() };
    let Message::Delete(full) = message(DELETE_FULL) else { panic!() };

    assert_eq!(key.old.kind(), OldKind::Key);
    assert_eq!(full.old.kind(), OldKind::Full);
    assert_eq!(texts(full.old.tuple()), [Column::Text("7"), Column::Null]);
}

#[test]
fn truncate_lists_relations_and_options() {
    let expected =
        Truncate { xid: None, cascade: true, restart_identity: true, relation_ids: vec![0x400B, 0x4012] };

    assert_eq!(message(TRUNCATE), Message::Truncate(expected));
}

#[test]
fn logical_message_and_origin_are_read() {
    let Message::Message(logical) = message(LOGICAL_MESSAGE) else { panic!() };
    let Message::Origin(origin) = message(ORIGIN) else { panic!() };

    assert!(logical.transactional);
    assert_eq!(&*logical.prefix, "hello");
    assert_eq!(&logical.content[..], b"w\0rld");
    assert_eq!((origin.commit_lsn, &*origin.name), (Lsn::new(0x16B_3748), "orig"));
}

#[test]
fn changes_in_a_stream_block_carry_their_xid() {
    let xid = Some(Xid(0x2FB));
    let Message::Relation(relation) = streamed(STREAMED_RELATION) else { panic!() };
    let Message::Type(type_) = streamed(STREAMED_TYPE) else { panic!() };
    let Message::Update(update) = streamed(STREAMED_UPDATE) else { panic!() };
    let Message::Delete(delete) = streamed(STREAMED_DELETE) else { panic!() };
    let Message::Truncate(truncate) = streamed(STREAMED_TRUNCATE) else { panic!() };
    let Message::Message(logical) = streamed(STREAMED_MESSAGE) else { panic!() };

    assert_eq!([relation.xid, type_.xid, update.xid], [xid; 3]);
    assert_eq!([delete.xid, truncate.xid, logical.xid], [xid; 3]);
    assert_eq!(update.relation_id, 0x400B);
}

#[test]
fn stream_abort_names_the_sub_transaction() {
    let Message::StreamAbort(abort) = message(STREAM_ABORT) else { panic!() };

    assert_eq!((abort.xid, abort.sub_xid, abort.abort), (Xid(742), Xid(743), None));
}

#[test]
fn parallel_stream_abort_has_place_and_time() {
    let mut hex = STREAM_ABORT.to_owned();
    hex.push_str("00000000000198780000000000000007");

    let Message::StreamAbort(abort) = message(&hex) else { panic!() };

    assert_eq!(abort.abort, Some((Lsn::new(0x19878), 0x00000000_00000007)));
}

#[test]
fn two_phase_messages_carry_the_gid() {
    let Message::BeginPrepare(begin) = message(BEGIN_PREPARE) else { panic!() };
    let Message::Prepare(prepare) = message(PREPARE) else { panic!() };
    let Message::CommitPrepared(commit) = message(COMMIT_PREPARED) else { panic!() };
    let Message::RollbackPrepared(rollback) = message(ROLLBACK_PREPARED) else { panic!() };
    let Message::StreamPrepare(streamed) = message(STREAM_PREPARE) else { panic!() };

    assert_eq!((&*begin.gid, &*prepare.gid, &*commit.gid), ("gid one", "gid one", "gid one"));
    assert_eq!((&*rollback.gid, &*streamed.gid), ("gid two", "big"));
    assert_eq!(begin.end_lsn, prepare.end_lsn);
    assert!(rollback.rollback_micros > rollback.prepare_micros);
    assert_eq!(streamed.xid, Xid(0x2FB));
}

#[test]
fn row_header_agrees_with_the_decoder() {
    let expected = |kind, old| RowHeader { kind, xid: None, relation_id: 0x400B, old };
    let header = |hex| row_header(&bytes(hex), false).unwrap();

    assert_eq!(header(INSERT), Some(expected(RowKind::Insert, None)));
    assert_eq!(header(UPDATE), Some(expected(RowKind::Update, None)));
    assert_eq!(header(UPDATE_KEY), Some(expected(RowKind::Update, Some(OldKind::Key))));
    assert_eq!(header(DELETE_KEY), Some(expected(RowKind::Delete, Some(OldKind::Key))));
    assert_eq!(header(BEGIN), None);
    let streamed = row_header(&bytes(STREAMED_DELETE), true).unwrap().unwrap();
    assert_eq!((streamed.xid, streamed.relation_id), (Some(Xid(0x2FB)), 0x400B));
}

#[test]
fn unknown_tag_is_an_error_that_names_it() {
    let error = decode(&Bytes::from_static(b"Zabc"), false).unwrap_err();

    assert_eq!(error.to_string(), "unknown pgoutput message `Z` (0x5A)");
}

#[test]
fn bytes_after_the_message_are_an_error() {
    let mut hex = COMMIT.to_owned();
    hex.push_str("00");

    let error = decode(&bytes(&hex), false).unwrap_err();

    assert_eq!(error, DecodeError::Trailing { tag: b'C', count: 1 });
}

#[test]
fn negative_counts_are_errors() {
    let tuple = bytes("490000400b4effff");
    let value = bytes("490000400b4e000174ffffffff");

    assert_eq!(decode(&tuple, false), Err(DecodeError::Negative { field: "column count" }));
    assert_eq!(decode(&value, false), Err(DecodeError::Negative { field: "column length" }));
}

#[test]
fn every_recorded_message_survives_re_encoding() {
    for (streaming, hex) in RECORDED {
        let received = bytes(hex);

        let message = decode(&received, *streaming).unwrap();

        assert_eq!(encode(&message), received, "{message:?}");
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    for (streaming, hex) in RECORDED {
        let received = bytes(hex);

        for end in 0..received.len() {
            assert!(decode(&received.slice(..end), *streaming).is_err(), "{hex} cut at {end}");
        }
    }
}

#[test]
fn text_tuples_are_made_for_tests() {
    let tuple = text_tuple(&[Some("a"), None]);

    assert_eq!(texts(&tuple), [Column::Text("a"), Column::Null]);
}

/// Recorded messages with some bytes overwritten: nearer to the truth than noise.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    (0..RECORDED.len(), edits).prop_map(|(recorded, edits)| {
        let mut message = bytes(RECORDED[recorded].1).to_vec();
        for (index, byte) in edits {
            let at = index.index(message.len());
            message[at] = byte;
        }
        message
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(
        message in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), damaged()],
        streaming: bool,
    ) {
        let message = Bytes::from(message);

        let header = row_header(&message, streaming);
        let decoded = decode(&message, streaming);

        if let Ok(Message::Insert(insert)) = &decoded {
            prop_assert_eq!(insert.new.columns().count(), usize::from(insert.new.column_count()));
            prop_assert_eq!(header.unwrap().unwrap().relation_id, insert.relation_id);
        }
    }

    #[test]
    fn what_decodes_encodes_to_something_equal(message in damaged(), streaming: bool) {
        if let Ok(decoded) = decode(&Bytes::from(message), streaming) {
            prop_assert_eq!(decode(&encode(&decoded), streaming), Ok(decoded));
        }
    }
}
