//! Whole messages over a transport: the conversation before the stream.

use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::backend::{self, BackendMessage};
use super::error::ReplicationError;
use super::transport::Transport;

/// Far above any answer to a replication command.
const MAX_REPLY: usize = 16 * 1024 * 1024;
const SCRATCH: usize = 8 * 1024;

/// A transport and what has been received but not yet read.
pub(super) struct Wire {
    pub(super) transport: Transport,
    pub(super) received: BytesMut,
    /// Until when the session must stand, and how long that was.
    deadline: Option<(Instant, Duration)>,
}

impl Wire {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, received: BytesMut::new(), deadline: None }
    }

    /// Bounds all that follows, together; `None` lifts the bound.
    pub(super) fn set_deadline(&mut self, timeout: Option<Duration>) -> Result<(), ReplicationError> {
        self.deadline = timeout.map(|timeout| (Instant::now() + timeout, timeout));
        self.transport.set_write_timeout(timeout)?;
        self.transport.set_read_timeout(timeout)?;
        Ok(())
    }

    pub(super) fn send(&mut self, message: &BytesMut) -> Result<(), ReplicationError> {
        self.transport.write_all(message)?;
        Ok(())
    }

    /// Waits for the next message; notices are logged and skipped.
    pub(super) fn receive(&mut self) -> Result<BackendMessage, ReplicationError> {
        loop {
            match backend::take_message(&mut self.received, MAX_REPLY)? {
                Some(message) if message.tag == backend::NOTICE => {
                    let notice = backend::server_error(&message.body);
                    tracing::debug!(sqlstate = notice.sqlstate, "the server sent a notice");
                }
                Some(message) => return Ok(message),
                None => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> Result<(), ReplicationError> {
        if let Some((deadline, timeout)) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(session_timeout(timeout));
            }
            self.transport.set_read_timeout(Some(left))?;
        }
        let mut scratch = [0; SCRATCH];
        match (self.transport.read(&mut scratch), self.deadline) {
            (Ok(0), _) => Err(ReplicationError::Closed),
            (Ok(count), _) => {
                self.received.extend_from_slice(&scratch[..count]);
                Ok(())
            }
            (Err(error), Some((_, timeout))) if timed_out(&error) => Err(session_timeout(timeout)),
            (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// Tells a read or write timeout from a failure; which kind it is depends on the platform.
pub(super) fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn session_timeout(after: Duration) -> ReplicationError {
    ReplicationError::Timeout { what: "opening the session", after }
}
