//! Where received chunks wait for the consumer.
//!
//! The reader thread puts chunks in and never waits; the consumer takes all that is there at
//! once. So a quick consumer sees each chunk as it arrives and a slow one sees them merged, and
//! neither depends on a timer. Bounded in bytes: when full, the reader stops reading.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::error::ReplicationError;
use super::frame::WalBatch;

pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    bytes: usize,
    end: End,
}

#[derive(Default)]
enum End {
    #[default]
    Open,
    Failed(ReplicationError),
    Told,
}

/// What the consumer took.
pub(super) struct Taken {
    pub(super) batch: WalBatch,
    /// The reader may be waiting for room.
    pub(super) was_full: bool,
}

impl Mailbox {
    /// Makes a mailbox that is full at `capacity` bytes; the last chunk may go beyond.
    pub(super) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity }
    }

    pub(super) fn put(&self, chunk: Bytes) {
        let mut state = self.lock();
        state.bytes += chunk.len();
        state.chunks.push_back(chunk);
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn full(&self) -> bool {
        self.lock().bytes >= self.capacity
    }

    /// Ends the stream. The consumer still gets what was put before, then the error once.
    pub(super) fn close(&self, error: ReplicationError) {
        let mut state = self.lock();
        if matches!(state.end, End::Open) {
            state.end = End::Failed(error);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for chunks and takes all of them; the error of the stream's end after the last.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: it takes only in its last step.
    pub(super) async fn take(&self) -> Result<Taken, ReplicationError> {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until the stream has ended, dropping what nobody will take.
    pub(super) async fn ended(&self) {
        while self.take().await.is_ok() {}
    }

    fn try_take(&self) -> Option<Result<Taken, ReplicationError>> {
        let mut state = self.lock();
        if !state.chunks.is_empty() {
            let was_full = state.bytes >= self.capacity;
            state.bytes = 0;
            let batch = WalBatch::new(std::mem::take(&mut state.chunks));
            return Some(Ok(Taken { batch, was_full }));
        }
        match std::mem::replace(&mut state.end, End::Told) {
            End::Open => {
                state.end = End::Open;
                None
            }
            End::Failed(error) => Some(Err(error)),
            End::Told => Some(Err(ReplicationError::Closed)),
        }
    }

    /// The state is whole after every step, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(bytes: usize) -> Bytes {
        Bytes::from(vec![0; bytes])
    }

    #[tokio::test]
    async fn chunks_merge_while_nobody_takes() {
        let mailbox = Mailbox::new(10);
        mailbox.put(chunk(4));
        assert!(!mailbox.full());
        mailbox.put(chunk(7));
        assert!(mailbox.full());

        let taken = mailbox.take().await.unwrap();

        assert_eq!(taken.batch.byte_len(), 11);
        assert!(taken.was_full);
        assert!(!mailbox.full());
    }

    #[tokio::test]
    async fn the_end_comes_after_the_last_chunk_and_stays() {
        let mailbox = Mailbox::new(10);
        mailbox.put(chunk(1));
        mailbox.close(ReplicationError::protocol("first"));
        mailbox.close(ReplicationError::protocol("second"));

        assert!(mailbox.take().await.is_ok());
        let error = mailbox.take().await.err().unwrap();

        assert!(error.to_string().contains("first"), "{error}");
        let after = mailbox.take().await.err().unwrap();
        assert!(matches!(after, ReplicationError::Closed));
    }

    #[tokio::test]
    async fn a_waiting_consumer_is_woken_by_a_chunk() {
        let mailbox = Mailbox::new(10);

        let (taken, ()) = tokio::join!(mailbox.take(), async { mailbox.put(chunk(3)) });

        assert_eq!(taken.unwrap().batch.byte_len(), 3);
    }
}
