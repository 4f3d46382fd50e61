//! What a replication connection and a stream can be told.

use std::time::Duration;

use secrecy::SecretString;

use crate::lsn::Lsn;
use crate::tls::TlsOptions;

/// Long enough for a busy server to fork and authenticate, short enough to try another address.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer that acknowledges nothing for this long is dead. Bounds how long a frozen client can
/// stall a checkpoint of the server: minutes without it, seconds with it.
pub const DEFAULT_TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
/// Postgres's own `wal_receiver_status_interval`.
pub const DEFAULT_STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// Postgres's own default of `wal_sender_timeout` and `wal_receiver_timeout`.
pub const DEFAULT_LIVENESS_TIMEOUT: Duration = Duration::from_secs(60);
/// Room for a nap's worth of a full-speed stream, many times over.
pub const DEFAULT_READ_BUFFER: usize = 256 * 1024;
/// About 25,000 narrow rows: enough to ride out a pause of the consumer, small beside the budget
/// of the process.
pub const DEFAULT_MAILBOX_BYTES: usize = 4 * 1024 * 1024;

/// Where and as whom to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// A host name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The role; it needs `REPLICATION`.
    pub user: String,
    /// The password, if the server may ask for one.
    pub password: Option<SecretString>,
    /// The database; logical replication is bound to one.
    pub database: String,
    /// TLS.
    pub tls: TlsOptions,
    /// Shown in `pg_stat_replication`.
    pub application_name: String,
    /// For each address, and again for TLS and authentication together.
    pub connect_timeout: Duration,
    /// Set on our socket and, by `SET tcp_user_timeout`, on the server's side of it.
    /// Milliseconds count; zero leaves both at the system's default.
    pub tcp_user_timeout: Duration,
    /// `SO_RCVBUF` in bytes; `None` leaves it to the kernel, which grows it by itself.
    pub receive_buffer: Option<usize>,
}

impl ConnectOptions {
    /// Describes a connection with default timeouts, port 5432, no password and TLS if offered.
    #[must_use]
    pub fn new(host: &str, user: &str, database: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: 5432,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
            tls: TlsOptions::default(),
            application_name: "sluice".to_owned(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            tcp_user_timeout: DEFAULT_TCP_USER_TIMEOUT,
            receive_buffer: None,
        }
    }
}

/// What becomes of the snapshot at a new slot's consistent point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotSnapshot {
    /// Other sessions may adopt it by name until this connection's next command.
    Export,
    /// It is dropped.
    NoExport,
    /// The open transaction of this connection uses it; needs `BEGIN ISOLATION LEVEL REPEATABLE
    /// READ` before.
    Use,
}

/// What `START_REPLICATION` is told, and how the stream is read.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// The slot.
    pub slot: String,
    /// Where to start: a commit end position. The server moves an earlier one forward to the
    /// slot's, without a word; a later one hides what lies between (reliability study, fact 2).
    pub start_lsn: Lsn,
    /// The publications; at least one.
    pub publications: Vec<String>,
    /// The version of the `pgoutput` protocol, 1 to 4.
    pub protocol: u8,
    /// Values in their types' binary form, where they have one (PostgreSQL 14).
    pub binary: bool,
    /// Messages of `pg_logical_emit_message` too (PostgreSQL 14).
    pub messages: bool,
    /// Changes of transactions that are still open.
    pub streaming: Streaming,
    /// Prepared transactions when they are prepared (protocol 3).
    pub two_phase: bool,
    /// Changes of which replication origins are sent: `none` or `any`; the server's default is any (PostgreSQL 16).
    pub origin: Option<String>,
    /// How often to report at least, whatever the server's timeout.
    pub status_interval: Duration,
    /// How long the server may be silent before it is asked, and again before it is given up.
    pub liveness_timeout: Duration,
    /// Bytes asked for at once; a longer message makes its buffer grow.
    pub read_buffer: usize,
    /// Received bytes that may wait for the consumer before reading stops.
    pub mailbox_bytes: usize,
    /// Naps between reads while data is plenty: they save client and server time, and cost up to
    /// 300 µs of latency in a flood.
    pub pacing: bool,
}

impl StreamOptions {
    /// Describes a stream by protocol 1, with values as text and default clocks and sizes.
    #[must_use]
    pub fn new(slot: &str, start_lsn: Lsn, publications: Vec<String>) -> Self {
        Self {
            slot: slot.to_owned(),
            start_lsn,
            publications,
            protocol: 1,
            binary: false,
            messages: false,
            streaming: Streaming::Off,
            two_phase: false,
            origin: None,
            status_interval: DEFAULT_STATUS_INTERVAL,
            liveness_timeout: DEFAULT_LIVENESS_TIMEOUT,
            read_buffer: DEFAULT_READ_BUFFER,
            mailbox_bytes: DEFAULT_MAILBOX_BYTES,
            pacing: true,
        }
    }
}

/// Whether changes of open transactions are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streaming {
    /// Only whole transactions, at their commit.
    Off,
    /// Blocks of open transactions (protocol 2, PostgreSQL 14).
    On,
    /// The same, and aborts carry their position (protocol 4, PostgreSQL 16).
    Parallel,
}
