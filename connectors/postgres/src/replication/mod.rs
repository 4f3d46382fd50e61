//! The replication connection: from a socket to batches of WAL frames, and positions back.
//!
//! ```text
//!  ReplicationClient (blocking)                  ReplicationStream (async)
//!  connect ─→ TLS ─→ authenticate ─→ commands ─→ start
//!                                                  │      ┌─ mailbox ─→ next_batch ─→ frames
//!                                      socket ⇄ reader thread
//!                                                         └─ positions ←─ acknowledge
//! ```
//!
//! `tokio-postgres` has no replication mode, hence this client over `postgres-protocol`'s
//! messages and SCRAM. Everything that is plain SQL belongs elsewhere.
//!
//! Session: [`ReplicationClient`] from `transport`, `wire`, `authenticate`, `backend`, `command`.
//! Stream: [`ReplicationStream`] from `reader` (the thread), `buffer`, `frame`, `mailbox`,
//! `status`, `liveness`, `pacing`.

mod authenticate;
mod backend;
mod buffer;
mod client;
mod command;
mod error;
mod frame;
mod liveness;
mod mailbox;
mod options;
mod pacing;
mod reader;
mod status;
mod stream;
mod timeline;
mod transport;
mod wire;

pub use authenticate::Authentication;
pub use client::{CreatedSlot, Interrupt, ReplicationClient, SystemIdentity, TextRows};
pub use command::quote_identifier;
pub use error::{ReplicationError, ServerError};
pub use frame::{Frame, Keepalive, WalBatch, XLogData};
pub use options::{
    ConnectOptions, DEFAULT_CONNECT_TIMEOUT, DEFAULT_LIVENESS_TIMEOUT, DEFAULT_MAILBOX_BYTES,
    DEFAULT_READ_BUFFER, DEFAULT_STATUS_INTERVAL, DEFAULT_TCP_USER_TIMEOUT, SlotSnapshot, StreamOptions,
    Streaming,
};
pub use stream::{AckHandle, ReplicationStream};
pub use timeline::TimelineSwitch;
