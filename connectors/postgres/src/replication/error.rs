//! What can go wrong between us and a walsender.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::pgoutput::DecodeError;
use crate::tls::TlsError;

/// A failure of the replication connection.
///
/// The connection is of no further use after any of these, but for [`Self::Server`] as the
/// answer to a command.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplicationError {
    /// No TCP connection could be made.
    #[error("cannot connect to `{host}:{port}`")]
    Connect {
        /// The host as configured.
        host: String,
        /// The port.
        port: u16,
        /// Why, for the last address tried.
        #[source]
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error("cannot set up TLS with `{host}`")]
    Tls {
        /// The host as configured.
        host: String,
        /// Why.
        #[source]
        source: TlsError,
    },
    /// The server refused the session: credentials, role, database or `pg_hba.conf`.
    #[error("the server refused the session of user `{user}`")]
    Authentication {
        /// The role.
        user: String,
        /// What the server said.
        #[source]
        source: Box<ServerError>,
    },
    /// The server did not prove that it knows the password.
    #[error("the server did not prove its identity by SCRAM")]
    ServerProof(#[source] io::Error),
    /// The server wants a kind of authentication that this client does not have.
    #[error(
        "the server asks for {method} authentication; known: SCRAM-SHA-256, SCRAM-SHA-256-PLUS, \
         md5, password, trust, client certificates"
    )]
    UnsupportedAuth {
        /// What it wants, by name.
        method: String,
    },
    /// The server asks for a password, none is configured.
    #[error("the server asks for a password of user `{user}`, none is configured")]
    NoPassword {
        /// The role.
        user: String,
    },
    /// The server answered with an error.
    #[error("the server refused")]
    Server(#[source] Box<ServerError>),
    /// The server is too old for what was asked.
    #[error("{feature} needs PostgreSQL {needed}, the server is {found}")]
    TooOld {
        /// What was asked.
        feature: &'static str,
        /// The first major version that has it.
        needed: u32,
        /// The server's major version.
        found: u32,
    },
    /// The connection ended without a word.
    #[error("the server closed the connection")]
    Closed,
    /// The server is shutting down and would wait for acknowledgements that do not come.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The server said something that the protocol does not allow at this point.
    #[error("the server broke the protocol: {what}")]
    Protocol {
        /// What was wrong.
        what: String,
    },
    /// A message of the server is malformed.
    #[error("the server sent a malformed message")]
    Malformed(#[from] DecodeError),
    /// Reading or writing failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// Something took too long.
    #[error("{what} took longer than {after:?}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// The reader thread could not be started.
    #[error("cannot start the reader thread")]
    Thread(#[source] io::Error),
}

impl ReplicationError {
    /// Returns the SQLSTATE, when the server gave one (Postgres manual, appendix A).
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Authentication { source, .. } | Self::Server(source) => Some(&source.sqlstate),
            _ => None,
        }
    }

    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol { what: what.into() }
    }
}

impl From<io::Error> for ReplicationError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Self::Closed
            }
            _ => Self::Io(error),
        }
    }
}

/// An error as the server reports it (`ErrorResponse`, Postgres manual 55.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`, never translated.
    pub severity: String,
    /// The five-character code.
    pub sqlstate: String,
    /// The message, in the server's language.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.sqlstate, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}
