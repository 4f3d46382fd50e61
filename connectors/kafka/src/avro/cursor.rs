//! Checked reads over one datum.
//!
//! Hot path. Every read checks the end; a length is compared with what remains before it is used.

use bytes::Bytes;
use bytestring::ByteString;

use super::error::{DecodeProblem, Failure};

pub(super) type DecodeStep<T> = Result<T, Box<Failure<DecodeProblem>>>;

/// Items of zero size in one datum; no real schema has them, and they cost memory without bytes.
const ZERO_SIZE_ITEMS: usize = 1 << 16;

pub(super) struct Cursor<'a> {
    source: &'a Bytes,
    data: &'a [u8],
    at: usize,
    zero_size_items: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a Bytes) -> Self {
        Self { source, data: source, at: 0, zero_size_items: ZERO_SIZE_ITEMS }
    }

    #[cold]
    pub(super) fn fail<T>(&self, problem: DecodeProblem) -> DecodeStep<T> {
        Err(Failure::at(self.at, problem))
    }

    #[inline]
    pub(super) fn byte(&mut self) -> DecodeStep<u8> {
        let Some(byte) = self.data.get(self.at) else { return self.fail(DecodeProblem::Truncated) };
        self.at += 1;
        Ok(*byte)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> DecodeStep<[u8; N]> {
        match self.data.get(self.at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => self.fail(DecodeProblem::Truncated),
        }
    }

    /// Reads a zig-zag variable-length integer.
    #[inline(always)]
    pub(super) fn long(&mut self) -> DecodeStep<i64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(unzigzag(first.into()));
        }
        self.long_rest(first)
    }

    #[inline(never)]
    fn long_rest(&mut self, first: u8) -> DecodeStep<i64> {
        let start = self.at - 1;
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        while shift < 64 {
            let byte = self.byte()?;
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(unzigzag(value));
            }
            shift += 7;
        }
        Err(Failure::at(start, DecodeProblem::IntegerTooLong))
    }

    /// Reads an integer that must fit a narrower type.
    #[inline]
    pub(super) fn narrow<T: TryFrom<i64>>(&mut self, name: &'static str) -> DecodeStep<T> {
        let start = self.at;
        let value = self.long()?;
        T::try_from(value).map_err(|_| Failure::at(start, DecodeProblem::IntegerOutOfRange(name)))
    }

    /// Reads a length and checks that so many bytes remain.
    #[inline(always)]
    fn length(&mut self) -> DecodeStep<usize> {
        let start = self.at;
        let length = self.long()?;
        let Ok(length) = usize::try_from(length) else {
            return Err(Failure::at(start, DecodeProblem::NegativeLength));
        };
        if length > self.remaining() {
            return Err(Failure::at(start, DecodeProblem::Truncated));
        }
        Ok(length)
    }

    #[inline]
    pub(super) fn remaining(&self) -> usize {
        self.data.len() - self.at
    }

    /// Shares the next bytes of a length given by the schema.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> DecodeStep<Bytes> {
        if length > self.remaining() {
            return self.fail(DecodeProblem::Truncated);
        }
        let start = self.at;
        self.at += length;
        Ok(self.source.slice(start..self.at))
    }

    /// Shares the next length-prefixed bytes.
    #[inline]
    pub(super) fn bytes(&mut self) -> DecodeStep<Bytes> {
        let length = self.length()?;
        self.take(length)
    }

    /// Looks at the next length-prefixed bytes without sharing them.
    #[inline(always)]
    pub(super) fn raw(&mut self) -> DecodeStep<&'a [u8]> {
        let length = self.length()?;
        let start = self.at;
        self.at += length;
        Ok(&self.data[start..self.at])
    }

    /// Shares the `length` bytes just read as text.
    #[inline(always)]
    pub(super) fn text_before(&self, length: usize) -> DecodeStep<ByteString> {
        let start = self.at - length;
        match ByteString::try_from(self.source.slice(start..self.at)) {
            Ok(text) => Ok(text),
            Err(_) => Err(Failure::at(start, DecodeProblem::Utf8)),
        }
    }

    /// Shares the next length-prefixed text.
    #[inline]
    pub(super) fn text(&mut self) -> DecodeStep<ByteString> {
        let length = self.raw()?.len();
        self.text_before(length)
    }

    /// Reads the count of a block's items, each of at least `size` bytes; 0 ends the blocks.
    pub(super) fn block(&mut self, size: usize) -> DecodeStep<usize> {
        let start = self.at;
        let mut count = self.long()?;
        if count < 0 {
            // A negative count is followed by the block's size in bytes, for readers that skip.
            self.long()?;
            count = count.checked_neg().unwrap_or(i64::MAX);
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if size == 0 {
            if count > self.zero_size_items {
                return Err(Failure::at(start, DecodeProblem::TooManyItems));
            }
            self.zero_size_items -= count;
        } else if count > self.remaining() / size {
            return Err(Failure::at(start, DecodeProblem::Truncated));
        }
        Ok(count)
    }

    /// Checks that nothing follows.
    #[inline]
    pub(super) fn finish(self) -> DecodeStep<()> {
        match self.remaining() {
            0 => Ok(()),
            rest => self.fail(DecodeProblem::Trailing(rest)),
        }
    }
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
