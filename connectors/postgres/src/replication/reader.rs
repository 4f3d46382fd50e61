//! The thread that owns the socket, in both directions.
//!
//! Hot path.
//!
//! ```text
//!        ┌──────────────────────────────────────────────────────────┐
//!        ▼                                                          │
//!   stop asked? ─→ report due? ─→ mailbox full? ── no ─→ read ─→ cut off frames ─→ nap in a flood
//!        │              │               └─ yes ─→ wait for the consumer or the clock
//!        ▼              ▼
//!   say goodbye    status update
//! ```
//!
//! It never waits for the consumer without watching its clock, so the server hears from it in
//! time whatever happens downstream.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::backend;
use super::buffer::ReceiveBuffer;
use super::error::ReplicationError;
use super::frame::{self, Rest};
use super::liveness::{Liveness, ShutdownWatch, Verdict};
use super::mailbox::Mailbox;
use super::options::StreamOptions;
use super::pacing::{self, Pacer};
use super::status::{Positions, StatusClock};
use super::transport::Transport;
use super::wire::{Wire, timed_out};

/// How long an idle read lasts: bounds how late an acknowledgement or a stop is noticed, costs 20
/// wake-ups a second. Data ends the read at once.
const IDLE_READ: Duration = Duration::from_millis(50);
/// How long the server may take to end the stream after we did.
const GOODBYE: Duration = Duration::from_secs(2);
/// 2000-01-01 00:00 UTC in Unix seconds: where Postgres counts from.
const POSTGRES_EPOCH: Duration = Duration::from_secs(946_684_800);

/// What the thread is asked to do; only ever raised.
#[derive(Default)]
pub(super) struct Stop(AtomicU8);

impl Stop {
    const GRACEFUL: u8 = 1;
    const AT_ONCE: u8 = 2;

    /// Asks for a goodbye.
    pub(super) fn gracefully(&self) {
        self.0.fetch_max(Self::GRACEFUL, Ordering::AcqRel);
    }

    /// Asks for an end without words.
    pub(super) fn at_once(&self) {
        self.0.fetch_max(Self::AT_ONCE, Ordering::AcqRel);
    }

    fn asked(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }

    fn asked_at_once(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::AT_ONCE
    }
}

pub(super) struct Reader {
    transport: Transport,
    buffer: ReceiveBuffer,
    /// The length of the message at the front, if it is known and not yet complete.
    needed: usize,
    mailbox: Arc<Mailbox>,
    positions: Arc<Positions>,
    stop: Arc<Stop>,
    status: StatusClock,
    pacer: Pacer,
    liveness: Liveness,
    shutdown: ShutdownWatch,
    out: BytesMut,
}

impl Reader {
    pub(super) fn new(
        wire: Wire,
        options: &StreamOptions,
        wal_sender_timeout: Option<Duration>,
        mailbox: Arc<Mailbox>,
        positions: Arc<Positions>,
        stop: Arc<Stop>,
    ) -> Result<Self, ReplicationError> {
        let now = Instant::now();
        let interval = options.status_interval;
        wire.transport.set_read_timeout(Some(IDLE_READ))?;
        wire.transport.set_write_timeout(Some(options.liveness_timeout))?;
        Ok(Self {
            buffer: ReceiveBuffer::new(&wire.received, options.read_buffer),
            transport: wire.transport,
            needed: 0,
            status: StatusClock::new(Arc::clone(&positions), interval, wal_sender_timeout, now),
            mailbox,
            positions,
            stop,
            pacer: Pacer::new(options.pacing, now),
            liveness: Liveness::new(options.liveness_timeout, now),
            shutdown: ShutdownWatch::default(),
            out: BytesMut::new(),
        })
    }

    /// Runs until the stream ends or is asked to; returns why it ended.
    pub(super) fn run(mut self) -> ReplicationError {
        let end = self.stream().err().unwrap_or(ReplicationError::Closed);
        self.transport.close();
        end
    }

    fn stream(&mut self) -> Result<(), ReplicationError> {
        self.receive()?;
        loop {
            if self.stop.asked() {
                return self.say_goodbye();
            }
            let now = Instant::now();
            if self.status.due(now) {
                self.send_status(now, false)?;
            }
            if self.mailbox.full() {
                thread::park_timeout(self.status.wait(now));
                self.liveness.heard(Instant::now());
                continue;
            }
            match self.transport.read(self.buffer.spare(self.needed)) {
                Ok(0) => return Err(ReplicationError::Closed),
                Ok(count) => self.received(count)?,
                Err(error) if timed_out(&error) => self.idle()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn received(&mut self, count: usize) -> Result<(), ReplicationError> {
        let now = Instant::now();
        self.liveness.heard(now);
        self.buffer.advance(count);
        self.receive()?;
        if let Some(length) = self.pacer.nap_after(count, now) {
            pacing::nap(length);
        }
        Ok(())
    }

    /// Hands over the whole frames that are in the buffer, and sees to what is not a frame.
    fn receive(&mut self) -> Result<(), ReplicationError> {
        loop {
            let scan = frame::scan(self.buffer.received())?;
            if scan.complete > 0 {
                self.positions.note_received(scan.wal_end);
                self.mailbox.put(self.buffer.take(scan.complete));
            }
            if scan.changes {
                self.shutdown.changes();
            }
            if scan.reply_requested {
                self.answer_request()?;
            }
            match scan.rest {
                Rest::Unknown => self.needed = 0,
                Rest::Frame(length) => self.needed = length,
                Rest::Other => {
                    if self.other_message()? {
                        continue;
                    }
                }
            }
            return Ok(());
        }
    }

    fn answer_request(&mut self) -> Result<(), ReplicationError> {
        self.status.request();
        if self.shutdown.requested(Instant::now()) {
            return Err(ReplicationError::ShuttingDown);
        }
        Ok(())
    }

    /// Sees to a message that is not a frame; `false` if it is not complete yet.
    fn other_message(&mut self) -> Result<bool, ReplicationError> {
        let received = self.buffer.received();
        let length = backend::message_length(received, frame::MAX_FRAME)?.unwrap_or_default();
        if received.len() < length {
            self.needed = length;
            return Ok(false);
        }
        let mut message = BytesMut::from(self.buffer.take(length));
        let Some(message) = backend::take_message(&mut message, frame::MAX_FRAME)? else {
            return Ok(false);
        };
        match message.tag {
            backend::NOTICE | backend::PARAMETER => Ok(true),
            backend::ERROR => {
                let error = backend::server_error(&message.body);
                Err(ReplicationError::Server(Box::new(error)))
            }
            // A server that shuts down completes the command.
            backend::COPY_DONE | backend::COMMAND_COMPLETE => Err(ReplicationError::Closed),
            _ => Err(message.unexpected("in the stream")),
        }
    }

    fn idle(&mut self) -> Result<(), ReplicationError> {
        let now = Instant::now();
        match self.liveness.check(now) {
            Verdict::Fine => Ok(()),
            Verdict::Ask => self.send_status(now, true),
            Verdict::Dead => Err(ReplicationError::Timeout {
                what: "a sign of life from the server",
                after: self.liveness.limit(),
            }),
        }
    }

    fn send_status(&mut self, now: Instant, request_reply: bool) -> Result<(), ReplicationError> {
        let acknowledged = self.status.report(now);
        self.out.clear();
        frame::put_status(&mut self.out, acknowledged, postgres_clock(), request_reply);
        self.transport.write_all(&self.out)?;
        Ok(())
    }

    /// Reports a last time and ends the copy. That the server ends it too proves that it has
    /// seen the report; what else it had to say nobody will take, and it is sent again.
    fn say_goodbye(&mut self) -> Result<(), ReplicationError> {
        if self.stop.asked_at_once() {
            return Ok(());
        }
        let start = Instant::now();
        self.send_status(start, false)?;
        self.out.clear();
        frontend::copy_done(&mut self.out);
        self.transport.write_all(&self.out)?;
        while start.elapsed() < GOODBYE && !self.stop.asked_at_once() {
            match self.transport.read(self.buffer.spare(self.needed)) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.buffer.advance(count);
                    if self.ended_by_server()? {
                        break;
                    }
                }
                Err(error) if timed_out(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.out.clear();
        frontend::terminate(&mut self.out);
        self.transport.write_all(&self.out)?;
        Ok(())
    }

    /// Drops frames, and tells whether the server's `CopyDone` came after them.
    fn ended_by_server(&mut self) -> Result<bool, ReplicationError> {
        let scan = frame::scan(self.buffer.received())?;
        self.buffer.take(scan.complete);
        self.needed = match scan.rest {
            Rest::Frame(length) => length,
            Rest::Unknown | Rest::Other => 0,
        };
        Ok(scan.rest == Rest::Other)
    }
}

/// Returns the time as Postgres writes it, µs since 2000-01-01 UTC; for the server's own view
/// of our delay, nothing else.
fn postgres_clock() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH + POSTGRES_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or_default()
}
