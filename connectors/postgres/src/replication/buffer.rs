//! The receive buffer: read into at one end, cut off in chunks at the other.

use bytes::{Bytes, BytesMut};

/// Received bytes. Chunks that are cut off share the allocation; it is replaced when its end
/// comes near, and only what is not cut off yet moves over.
pub(super) struct ReceiveBuffer {
    bytes: BytesMut,
    filled: usize,
    size: usize,
}

impl ReceiveBuffer {
    /// Makes a buffer of `size` bytes that begins with what has been received already.
    pub(super) fn new(received: &[u8], size: usize) -> Self {
        let mut buffer = Self { bytes: BytesMut::new(), filled: 0, size };
        buffer.renew(received.len() + size);
        buffer.bytes[..received.len()].copy_from_slice(received);
        buffer.filled = received.len();
        buffer
    }

    /// Returns room to read into, at least a quarter of the buffer's size. A message of `needed`
    /// bytes makes the buffer grow, by no more than what has been received of it: a length field
    /// alone costs nothing.
    pub(super) fn spare(&mut self, needed: usize) -> &mut [u8] {
        let least = self.size / 4;
        if self.bytes.len() - self.filled < least {
            let grown = needed.min(self.filled * 2);
            self.renew(grown.max(self.filled + least).max(self.size));
        }
        &mut self.bytes[self.filled..]
    }

    /// Notes that `count` bytes were read into [`Self::spare`].
    pub(super) fn advance(&mut self, count: usize) {
        self.filled += count;
    }

    pub(super) fn received(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Cuts the first `count` received bytes off.
    pub(super) fn take(&mut self, count: usize) -> Bytes {
        self.filled -= count;
        self.bytes.split_to(count).freeze()
    }

    /// Zeroing costs a few nanoseconds per row, and is the price of reading without `unsafe`.
    fn renew(&mut self, length: usize) {
        let mut bytes = BytesMut::zeroed(length);
        bytes[..self.filled].copy_from_slice(self.received());
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(buffer: &mut ReceiveBuffer, bytes: &[u8], needed: usize) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let spare = buffer.spare(needed);
            let count = spare.len().min(rest.len());
            spare[..count].copy_from_slice(&rest[..count]);
            buffer.advance(count);
            rest = &rest[count..];
        }
    }

    #[test]
    fn chunks_come_out_as_they_went_in() {
        let mut buffer = ReceiveBuffer::new(b"ab", 16);
        let mut out = Vec::new();

        for round in 0..100_u8 {
            receive(&mut buffer, &[round; 7], 0);
            out.extend_from_slice(&buffer.take(7));
        }

        assert_eq!(&out[..9], b"ab\0\0\0\0\0\0\0");
        assert_eq!(out.len(), 700);
        assert_eq!(buffer.received(), [99, 99]);
    }

    #[test]
    fn a_long_message_grows_the_buffer_as_it_arrives() {
        let mut buffer = ReceiveBuffer::new(b"", 16);
        let message: Vec<u8> = (0..100).collect();

        receive(&mut buffer, &message, 100);

        assert_eq!(buffer.received(), message);
    }

    #[test]
    fn a_length_alone_allocates_nothing() {
        let mut buffer = ReceiveBuffer::new(b"12345", 16);

        let spare = buffer.spare(1 << 30).len();

        assert!(spare <= 32, "{spare}");
    }
}
