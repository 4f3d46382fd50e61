//! Checked reads over one message.
//!
//! Hot path.
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::indexing_slicing)]

use bytes::Bytes;

use super::error::DecodeError;
use super::message::Xid;
use crate::lsn::Lsn;

/// A cursor over a message; every read names the field, and fails rather than passes the end.
pub(crate) struct Reader<'a> {
    source: &'a Bytes,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a Bytes) -> Self {
        Self { source, rest: source }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Returns the place of the next byte, for [`Self::shared_since`].
    pub(crate) fn offset(&self) -> usize {
        self.source.len() - self.rest.len()
    }

    /// Shares what has been read since `start`, an earlier [`Self::offset`].
    pub(crate) fn shared_since(&self, start: usize) -> Bytes {
        self.source.slice(start..self.offset())
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(DecodeError::Truncated { field });
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(DecodeError::Truncated { field });
        };
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_be_bytes)
    }

    pub(crate) fn lsn(&mut self, field: &'static str) -> Result<Lsn, DecodeError> {
        self.array(field).map(u64::from_be_bytes).map(Lsn::new)
    }

    pub(crate) fn xid(&mut self, field: &'static str) -> Result<Xid, DecodeError> {
        self.u32(field).map(Xid)
    }

    /// Reads the transaction id that messages carry inside a stream block only.
    #[inline]
    pub(crate) fn stream_xid(&mut self, streaming: bool) -> Result<Option<Xid>, DecodeError> {
        if streaming { self.xid("xid").map(Some) } else { Ok(None) }
    }

    /// Reads a signed 16-bit count.
    #[inline]
    pub(crate) fn count16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        let count = i16::from_be_bytes(self.array(field)?);
        u16::try_from(count).map_err(|_| DecodeError::Negative { field })
    }

    /// Reads a signed 32-bit length.
    #[inline]
    pub(crate) fn length32(&mut self, field: &'static str) -> Result<usize, DecodeError> {
        let length = i32::from_be_bytes(self.array(field)?);
        usize::try_from(length).map_err(|_| DecodeError::Negative { field })
    }

    /// Reads a zero-terminated name and copies it: names outlive the received buffer.
    pub(crate) fn name(&mut self, field: &'static str) -> Result<Box<str>, DecodeError> {
        match std::str::from_utf8(self.zero_terminated(field)?) {
            Ok(name) => Ok(name.into()),
            Err(_) => Err(DecodeError::NotUtf8 { field }),
        }
    }

    /// Reads a zero-terminated text for a human, whatever its encoding.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, DecodeError> {
        self.zero_terminated(field).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn zero_terminated(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some(end) = memchr::memchr(0, self.rest) else {
            return Err(DecodeError::Truncated { field });
        };
        let text = self.take(end, field)?;
        self.u8(field)?;
        Ok(text)
    }
}
