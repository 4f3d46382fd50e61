//! Frames of the stream: pure, in both directions.
//!
//! Hot path.
//!
//! Received bytes are looked over once by the reader thread ([`scan`]), which leaves them in
//! place; the consumer walks the same bytes again on its own core ([`WalBatch`]). Nothing is
//! allocated or counted per frame in between.
//!
//! Layouts: Postgres manual, "Streaming Replication Protocol".
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::indexing_slicing)]

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::backend::{COPY_DATA, HEADER, message_length};
use super::error::ReplicationError;
use crate::lsn::Lsn;

/// Postgres's own limit of a message (`MaxAllocSize`), and some room for headers.
pub(super) const MAX_FRAME: usize = (1 << 30) + 64;
/// `XLogData`: tag, start, server's end, time; then the payload.
const XLOG_DATA_HEADER: usize = 1 + 8 + 8 + 8;
/// Primary keepalive: tag, server's end, time, reply requested.
const KEEPALIVE: usize = 1 + 8 + 8 + 1;

/// One frame of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message of the output plugin.
    XLogData(XLogData),
    /// A sign of life.
    Keepalive(Keepalive),
}

/// A message of the output plugin and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XLogData {
    /// Where the message belongs: for a commit its end, for a relation 0/0. No identity and no
    /// place to resume at.
    pub wal_start: Lsn,
    /// How far the server has sent.
    pub wal_end: Lsn,
    /// The server's clock, µs since 2000-01-01 UTC.
    pub sent_micros: i64,
    /// One message, for [`decode`](crate::pgoutput::decode); shares the received buffer.
    pub payload: Bytes,
}

/// A sign of life. It comes after all frames of transactions that end at or before its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// How far the server has read its log: nothing up to here is still to come, unless part of
    /// a transaction that is open. Acknowledging it is safe when nothing received is outstanding.
    pub wal_end: Lsn,
    /// The server's clock, µs since 2000-01-01 UTC.
    pub sent_micros: i64,
}

/// Frames in the order of the stream; an iterator that can be put aside half-way.
#[derive(Clone, Debug, Default)]
pub struct WalBatch {
    /// Each holds whole `CopyData` messages back to back, checked by [`scan`].
    chunks: VecDeque<Bytes>,
}

impl WalBatch {
    pub(super) fn new(chunks: VecDeque<Bytes>) -> Self {
        Self { chunks }
    }

    /// Returns how many received bytes are left to walk over.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }
}

impl Iterator for WalBatch {
    type Item = Frame;

    #[inline]
    fn next(&mut self) -> Option<Frame> {
        loop {
            let chunk = self.chunks.front_mut()?;
            if let Some(frame) = split_frame(chunk) {
                return Some(frame);
            }
            self.chunks.pop_front();
        }
    }
}

fn split_frame(chunk: &mut Bytes) -> Option<Frame> {
    let length = message_length(chunk, MAX_FRAME).ok()??;
    if chunk.len() < length {
        return None;
    }
    let mut body = chunk.split_to(length);
    body.advance(HEADER);
    match (body.try_get_u8().ok()?, body.len() + 1) {
        (b'w', XLOG_DATA_HEADER..) => Some(Frame::XLogData(XLogData {
            wal_start: body.get_u64().into(),
            wal_end: body.get_u64().into(),
            sent_micros: body.get_i64(),
            payload: body,
        })),
        (b'k', KEEPALIVE) => {
            Some(Frame::Keepalive(Keepalive { wal_end: body.get_u64().into(), sent_micros: body.get_i64() }))
        }
        _ => None,
    }
}

/// What received bytes begin with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The length of all whole frames at the front.
    pub(super) complete: usize,
    /// The highest position that the server named in them.
    pub(super) wal_end: Lsn,
    /// There is a message of the output plugin among them.
    pub(super) changes: bool,
    /// A keepalive among them asks for an answer.
    pub(super) reply_requested: bool,
    /// What follows the frames.
    pub(super) rest: Rest,
}

/// What follows the whole frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing, or part of a header.
    #[default]
    Unknown,
    /// Part of a frame of this full length.
    Frame(usize),
    /// A message that is not a frame: an error, a notice, the end.
    Other,
}

/// Looks over received bytes, up to the first thing that is not a whole frame.
pub(super) fn scan(received: &[u8]) -> Result<Scan, ReplicationError> {
    let mut scan = Scan::default();
    let mut rest = received;
    loop {
        let Some(length) = message_length(rest, MAX_FRAME)? else {
            return Ok(scan);
        };
        if rest.first() != Some(&COPY_DATA) {
            scan.rest = Rest::Other;
            return Ok(scan);
        }
        let Some((frame, after)) = rest.split_at_checked(length) else {
            scan.rest = Rest::Frame(length);
            return Ok(scan);
        };
        note(frame, &mut scan)?;
        scan.complete += length;
        rest = after;
    }
}

#[inline]
fn note(frame: &[u8], scan: &mut Scan) -> Result<(), ReplicationError> {
    let mut body = frame.get(HEADER..).unwrap_or_default();
    let length = body.len();
    match body.try_get_u8() {
        Ok(b'w') if length >= XLOG_DATA_HEADER => {
            scan.changes = true;
            let wal_start = body.get_u64().into();
            scan.wal_end = scan.wal_end.max(wal_start).max(body.get_u64().into());
            Ok(())
        }
        Ok(b'k') if length == KEEPALIVE => {
            scan.wal_end = scan.wal_end.max(body.get_u64().into());
            scan.reply_requested |= body.get(8).is_some_and(|reply| *reply != 0);
            Ok(())
        }
        Ok(tag) => Err(ReplicationError::protocol(format!(
            "stream frame `{}` of {length} bytes",
            tag.escape_ascii()
        ))),
        Err(_) => Err(ReplicationError::protocol("empty stream frame")),
    }
}

/// Writes a standby status update: everything up to `acknowledged` is written, flushed, applied.
pub(super) fn put_status(out: &mut BytesMut, acknowledged: Lsn, now_micros: i64, request_reply: bool) {
    /// Length field, tag, three positions, time, reply requested.
    const LENGTH: u32 = 4 + 1 + 3 * 8 + 8 + 1;

    out.put_u8(COPY_DATA);
    out.put_u32(LENGTH);
    out.put_u8(b'r');
    for _ in ["written", "flushed", "applied"] {
        out.put_u64(acknowledged.as_u64());
    }
    out.put_i64(now_micros);
    out.put_u8(request_reply.into());
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put_frame(out: &mut BytesMut, body: &[u8]) {
        out.put_u8(COPY_DATA);
        out.put_u32(u32::try_from(body.len()).unwrap() + 4);
        out.put_slice(body);
    }

    fn put_xlog_data(out: &mut BytesMut, lsn: u64, payload: &[u8]) {
        let mut body = BytesMut::new();
        body.put_u8(b'w');
        body.put_u64(lsn);
        body.put_u64(lsn);
        body.put_i64(7);
        body.put_slice(payload);
        put_frame(out, &body);
    }

    fn put_keepalive(out: &mut BytesMut, lsn: u64, reply: u8) {
        let mut body = BytesMut::new();
        body.put_u8(b'k');
        body.put_u64(lsn);
        body.put_i64(8);
        body.put_u8(reply);
        put_frame(out, &body);
    }

    fn stream() -> BytesMut {
        let mut out = BytesMut::new();
        put_xlog_data(&mut out, 100, b"B...");
        put_xlog_data(&mut out, 90, b"I");
        put_keepalive(&mut out, 120, 1);
        out
    }

    #[test]
    fn scan_finds_frames_position_and_request() {
        let received = stream();

        let scan = scan(&received).unwrap();

        assert_eq!(scan.complete, received.len());
        assert_eq!(scan.wal_end, Lsn::new(120));
        assert!(scan.changes && scan.reply_requested);
        assert_eq!(scan.rest, Rest::Unknown);
    }

    #[test]
    fn batch_yields_the_frames_in_order_sharing_the_buffer() {
        let received = stream().freeze();

        let frames: Vec<_> = WalBatch::new([received.clone()].into()).collect();

        let Frame::XLogData(first) = &frames[0] else { panic!() };
        assert_eq!(&first.payload[..], b"B...");
        assert_eq!(first.wal_start, Lsn::new(100));
        assert!(received.as_ptr_range().contains(&first.payload.as_ptr()));
        let keepalive = Keepalive { wal_end: Lsn::new(120), sent_micros: 8 };
        assert_eq!(frames[2], Frame::Keepalive(keepalive));
        assert_eq!(frames.len(), 3);
    }

    #[test]
    fn a_stream_cut_anywhere_keeps_its_whole_frames() {
        let received = stream();
        let whole: Vec<_> = WalBatch::new([received.clone().freeze()].into()).collect();

        for end in 0..received.len() {
            let scan = scan(&received[..end]).unwrap();
            let chunk = Bytes::copy_from_slice(&received[..scan.complete]);
            let frames: Vec<_> = WalBatch::new([chunk].into()).collect();

            assert_eq!(frames[..], whole[..frames.len()]);
            assert!(scan.complete <= end);
        }
    }

    #[test]
    fn other_messages_end_the_scan_after_the_frames() {
        let mut received = stream();
        let frames = received.len();
        received.put_slice(b"E\0\0\0\x05\0");

        let scan = scan(&received).unwrap();

        assert_eq!((scan.complete, scan.rest), (frames, Rest::Other));
    }

    #[test]
    fn a_part_of_a_frame_tells_its_length() {
        let mut received = BytesMut::new();
        put_xlog_data(&mut received, 1, &[0; 1000]);

        let scan = scan(&received[..50]).unwrap();

        assert_eq!(scan.rest, Rest::Frame(received.len()));
    }

    #[test]
    fn unknown_and_short_frames_are_errors() {
        for body in [&b"x12345678"[..], b"w1", b"k1", b""] {
            let mut received = BytesMut::new();
            put_frame(&mut received, body);

            assert!(scan(&received).is_err(), "{body:?}");
        }
    }

    #[test]
    fn status_reports_one_position_three_times() {
        let mut out = BytesMut::new();

        put_status(&mut out, Lsn::new(0x0102), -1, true);

        let mut expected = b"d\0\0\0\x26r".to_vec();
        for _ in 0..3 {
            expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 2]);
        }
        expected.extend_from_slice(&[0xFF; 8]);
        expected.push(1);
        assert_eq!(&out[..], expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_scan_or_batch_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
            let _ = WalBatch::new([Bytes::from(bytes)].into()).count();
        }
    }
}
