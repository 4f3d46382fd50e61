//! The consumer's side of a running stream.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use super::error::ReplicationError;
use super::frame::WalBatch;
use super::mailbox::Mailbox;
use super::options::StreamOptions;
use super::reader::{Reader, Stop};
use super::status::Positions;
use super::wire::Wire;
use crate::lsn::Lsn;

/// A running stream; a thread of its own serves the connection.
///
/// Dropping it closes the connection without a goodbye: what was acknowledged within the last
/// moments may be unknown to the server, and comes again.
pub struct ReplicationStream {
    mailbox: Arc<Mailbox>,
    positions: Arc<Positions>,
    stop: Arc<Stop>,
    socket: TcpStream,
    reader: Option<JoinHandle<()>>,
    thread: Thread,
}

/// Tells the server how far all is durable. There should be one owner of this decision.
#[derive(Clone, Debug)]
pub struct AckHandle {
    positions: Arc<Positions>,
    thread: Thread,
}

impl AckHandle {
    /// Acknowledges everything up to `lsn`, a commit end or a keepalive's position. Lower than
    /// before is ignored; higher than the server has sent is held back until it has.
    ///
    /// Returns at once. The server hears of it within 60 ms, as part of the next report.
    pub fn acknowledge(&self, lsn: Lsn) {
        self.positions.acknowledge(lsn);
        self.thread.unpark();
    }
}

impl ReplicationStream {
    pub(super) fn spawn(
        wire: Wire,
        options: &StreamOptions,
        wal_sender_timeout: Option<Duration>,
    ) -> Result<Self, ReplicationError> {
        let mailbox = Arc::new(Mailbox::new(options.mailbox_bytes));
        let positions = Arc::new(Positions::default());
        let stop = Arc::new(Stop::default());
        let socket = wire.transport.try_clone_socket()?;
        let reader = Reader::new(
            wire,
            options,
            wal_sender_timeout,
            Arc::clone(&mailbox),
            Arc::clone(&positions),
            Arc::clone(&stop),
        )?;
        let end = CloseOnDrop(Arc::clone(&mailbox));
        let reader = thread::Builder::new()
            .name(format!("wal-{}", options.slot))
            .spawn(move || end.0.close(reader.run()))
            .map_err(ReplicationError::Thread)?;
        let thread = reader.thread().clone();
        Ok(Self { mailbox, positions, stop, socket, reader: Some(reader), thread })
    }

    /// Waits for frames and takes all that have arrived.
    ///
    /// # Errors
    ///
    /// Why the stream ended, after its last frames. Once told, it is [`ReplicationError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// No frame is lost when the future is dropped.
    pub async fn next_batch(&mut self) -> Result<WalBatch, ReplicationError> {
        let taken = self.mailbox.take().await?;
        if taken.was_full {
            self.thread.unpark();
        }
        Ok(taken.batch)
    }

    /// Returns a handle for acknowledging.
    #[must_use]
    pub fn ack_handle(&self) -> AckHandle {
        AckHandle { positions: Arc::clone(&self.positions), thread: self.thread.clone() }
    }

    /// Returns the highest position that the server has named so far.
    #[must_use]
    pub fn received(&self) -> Lsn {
        self.positions.received()
    }

    /// Ends the stream: reports what is acknowledged, waits up to two seconds for the server to
    /// agree, and joins the thread. Frames not taken yet are dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the stream as dropping the stream does.
    pub async fn shutdown(mut self) {
        self.stop.gracefully();
        self.thread.unpark();
        self.mailbox.ended().await;
        self.join();
    }

    fn join(&mut self) {
        if let Some(reader) = self.reader.take()
            && reader.join().is_err()
        {
            tracing::error!("the reader thread panicked");
        }
    }
}

impl Drop for ReplicationStream {
    /// Waits for the thread, which the closed socket ends at once.
    fn drop(&mut self) {
        self.stop.at_once();
        // It fails only if the connection is gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.thread.unpark();
        self.join();
    }
}

/// Ends the mailbox even if the thread panics, so that no consumer waits for ever.
struct CloseOnDrop(Arc<Mailbox>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close(ReplicationError::Closed);
    }
}
