//! A replication session that takes commands, until it starts streaming.

use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::authenticate::{self, Authentication};
use super::backend;
use super::command;
use super::error::ReplicationError;
use super::options::{ConnectOptions, SlotSnapshot, StreamOptions};
use super::stream::ReplicationStream;
use super::timeline::{self, TimelineSwitch};
use super::transport::Transport;
use super::wire::Wire;
use crate::lsn::Lsn;

/// Failover slots came with this version.
const FAILOVER_SLOTS: u32 = 17;
/// The server answers in milliseconds here, where `SHOW` would say `1min`.
const WAL_SENDER_TIMEOUT: &str =
    "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'";

/// A replication session, blocking: call it from a thread that may wait.
///
/// Every command keeps the session usable after a [`ReplicationError::Server`].
pub struct ReplicationClient {
    wire: Wire,
    authentication: Authentication,
    server_major: u32,
    wal_sender_timeout: Option<Duration>,
}

/// What `IDENTIFY_SYSTEM` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemIdentity {
    /// Identifies the cluster; the same on its standbys.
    pub system_id: String,
    /// The timeline; it rises with every promotion.
    pub timeline: u32,
    /// The end of flushed WAL.
    pub xlogpos: Lsn,
    /// The database of this session.
    pub database: Option<String>,
}

/// A slot that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    /// From where on whole transactions come. A transaction may commit exactly here and be new.
    pub consistent_point: Lsn,
    /// The exported snapshot, with [`SlotSnapshot::Export`].
    pub snapshot_name: Option<String>,
}

/// The rows of a query, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl TextRows {
    fn value(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.rows.first()?.get(index)?.as_deref()
    }

    fn needed(&self, column: &'static str) -> Result<&str, ReplicationError> {
        self.value(column).ok_or_else(|| ReplicationError::protocol(format!("no `{column}` in the answer")))
    }
}

/// Cuts a session off from another thread, whatever it waits for.
#[derive(Debug)]
pub struct Interrupt {
    socket: TcpStream,
}

impl Interrupt {
    /// Closes the connection; the call that waits on it fails with [`ReplicationError::Closed`].
    pub fn interrupt(&self) {
        // It fails only if the connection is gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl ReplicationClient {
    /// Connects, authenticates and prepares the session: no statement, lock or idle timeouts, and
    /// `tcp_user_timeout` on the server's side of the socket.
    ///
    /// # Errors
    ///
    /// When any of it fails or takes longer than [`ConnectOptions::connect_timeout`].
    pub fn connect(options: &ConnectOptions) -> Result<Self, ReplicationError> {
        let mut wire = Wire::new(Transport::connect(options)?);
        wire.set_deadline(Some(options.connect_timeout))?;
        let greeting = authenticate::open_session(&mut wire, options)?;
        let mut client = Self {
            wire,
            authentication: greeting.authentication,
            server_major: major_version(&greeting.server_version)?,
            wal_sender_timeout: None,
        };
        client.prepare_session(options)?;
        client.wire.set_deadline(None)?;
        tracing::debug!(
            server_version = greeting.server_version,
            authentication = ?client.authentication,
            encrypted = client.wire.transport.encrypted(),
            "opened a replication session"
        );
        Ok(client)
    }

    /// Returns how the session was authenticated.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// Tells whether the connection is under TLS.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        self.wire.transport.encrypted()
    }

    /// Returns the server's major version, like 15.
    #[must_use]
    pub fn server_major(&self) -> u32 {
        self.server_major
    }

    /// Returns the server's `wal_sender_timeout`; `None` if it is off.
    #[must_use]
    pub fn wal_sender_timeout(&self) -> Option<Duration> {
        self.wal_sender_timeout
    }

    /// Returns a handle that ends a waiting call from another thread.
    ///
    /// # Errors
    ///
    /// When the system has no file descriptor left.
    pub fn interrupt_handle(&self) -> Result<Interrupt, ReplicationError> {
        let socket = self.wire.transport.try_clone_socket()?;
        Ok(Interrupt { socket })
    }

    /// Runs SQL or a replication command and returns its rows as text; those of the last
    /// statement, if there are several.
    ///
    /// # Errors
    ///
    /// [`ReplicationError::Server`] if the server refuses it; the session goes on.
    pub fn simple_query(&mut self, sql: &str) -> Result<TextRows, ReplicationError> {
        self.send_query(sql)?;
        let mut answer = TextRows::default();
        let mut refusal = None;
        loop {
            let message = self.wire.receive()?;
            match message.tag {
                backend::ROW_DESCRIPTION => {
                    answer.rows.clear();
                    answer.columns = backend::column_names(&message.body)?;
                }
                backend::DATA_ROW => answer.rows.push(backend::row_values(&message.body)?),
                backend::ERROR => refusal = Some(backend::server_error(&message.body)),
                backend::COMMAND_COMPLETE | backend::EMPTY_QUERY | backend::PARAMETER => {}
                backend::READY => break,
                _ => return Err(message.unexpected("in the answer to a query")),
            }
        }
        match refusal {
            None => Ok(answer),
            Some(error) => Err(ReplicationError::Server(Box::new(error))),
        }
    }

    /// Asks which cluster this is, and how far it is.
    ///
    /// # Errors
    ///
    /// When the server refuses, or answers nonsense.
    pub fn identify_system(&mut self) -> Result<SystemIdentity, ReplicationError> {
        let answer = self.simple_query("IDENTIFY_SYSTEM")?;
        Ok(SystemIdentity {
            system_id: answer.needed("systemid")?.to_owned(),
            timeline: parse(answer.needed("timeline")?)?,
            xlogpos: parse(answer.needed("xlogpos")?)?,
            database: answer.value("dbname").map(str::to_owned),
        })
    }

    /// Asks where the ancestors of a timeline ended, oldest first; none for timeline 1.
    ///
    /// # Errors
    ///
    /// `58P01` if the server has no such history file.
    pub fn timeline_history(&mut self, timeline: u32) -> Result<Vec<TimelineSwitch>, ReplicationError> {
        if timeline <= 1 {
            return Ok(Vec::new());
        }
        let answer = self.simple_query(&format!("TIMELINE_HISTORY {timeline}"))?;
        timeline::parse_history(answer.needed("content")?)
    }

    /// Makes a logical slot for `pgoutput`. Waits for all transactions that are running.
    ///
    /// The snapshot, if exported, lasts until the next command on this client or its drop.
    ///
    /// # Errors
    ///
    /// `42710` if the slot exists; [`ReplicationError::TooOld`] for a failover slot before 17.
    pub fn create_logical_slot(
        &mut self,
        name: &str,
        snapshot: SlotSnapshot,
        failover: bool,
    ) -> Result<CreatedSlot, ReplicationError> {
        if failover && self.server_major < FAILOVER_SLOTS {
            return Err(ReplicationError::TooOld {
                feature: "a failover slot",
                needed: FAILOVER_SLOTS,
                found: self.server_major,
            });
        }
        let command = command::create_logical_slot(name, snapshot, failover, self.server_major);
        let answer = self.simple_query(&command)?;
        Ok(CreatedSlot {
            consistent_point: parse(answer.needed("consistent_point")?)?,
            snapshot_name: answer.value("snapshot_name").map(str::to_owned),
        })
    }

    /// Starts streaming: from here on a thread of its own serves the connection.
    ///
    /// # Errors
    ///
    /// `55006` if another session has the slot, `42704` if there is none, `55000` if it is lost.
    /// A missing publication shows only in the stream, once there is a change to decode.
    pub fn start(mut self, options: &StreamOptions) -> Result<ReplicationStream, ReplicationError> {
        self.send_query(&command::start_replication(options))?;
        loop {
            let message = self.wire.receive()?;
            match message.tag {
                backend::COPY_BOTH => break,
                backend::ERROR => {
                    let error = backend::server_error(&message.body);
                    return Err(ReplicationError::Server(Box::new(error)));
                }
                backend::PARAMETER => {}
                _ => return Err(message.unexpected("in the answer to START_REPLICATION")),
            }
        }
        ReplicationStream::spawn(self.wire, options, self.wal_sender_timeout)
    }

    fn send_query(&mut self, sql: &str) -> Result<(), ReplicationError> {
        let mut message = BytesMut::new();
        frontend::query(sql, &mut message)?;
        self.wire.send(&message)
    }

    fn prepare_session(&mut self, options: &ConnectOptions) -> Result<(), ReplicationError> {
        let tcp_user_timeout = options.tcp_user_timeout.as_millis().to_string();
        let settings = [
            ("tcp_user_timeout", tcp_user_timeout.as_str()),
            ("statement_timeout", "0"),
            ("lock_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("idle_session_timeout", "0"),
        ];
        for (name, value) in settings {
            self.set(name, value)?;
        }
        let answer = self.simple_query(WAL_SENDER_TIMEOUT)?;
        let timeout = Duration::from_millis(parse(answer.needed("setting")?)?);
        self.wal_sender_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        Ok(())
    }

    /// Sets a parameter of the session if the server lets us: old ones lack some of them.
    fn set(&mut self, name: &'static str, value: &str) -> Result<(), ReplicationError> {
        match self.simple_query(&format!("SET {name} = {value}")) {
            Err(ReplicationError::Server(error)) => {
                tracing::warn!(name, error = %error, "the server refused a session parameter");
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ReplicationError> {
    text.parse().map_err(|_| ReplicationError::protocol(format!("unexpected value `{text}`")))
}

fn major_version(server_version: &str) -> Result<u32, ReplicationError> {
    let end =
        server_version.find(|character: char| !character.is_ascii_digit()).unwrap_or(server_version.len());
    parse(&server_version[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_the_first_number() {
        assert_eq!(major_version("15.18 (Debian 15.18-0)").unwrap(), 15);
        assert_eq!(major_version("17devel").unwrap(), 17);
        assert!(major_version("").is_err());
    }
}
