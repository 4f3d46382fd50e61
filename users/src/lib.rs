//! The users workload: randomuser-shaped rows, their feeder, and the proof that Cassandra equals Postgres.
//!
//! ```text
//! person ─▶ row ─▶ feeder ─▶ Postgres ─▶ (sluice) ─▶ Cassandra
//!                               │                        │
//!                               └───────▶ compare ◀──────┘
//! ```

pub mod cassandra;
pub mod compare;
pub mod degrees;
pub mod erasure;
pub mod feeder;
pub mod init;
pub mod person;
pub mod postgres;
pub mod probe;
pub mod randomuser;
pub mod row;
pub mod topic;
pub mod verify;
pub mod words;

/// The topic that carries the changes of the users table.
pub const TOPIC: &str = "users.public.users";

/// Quotes an identifier for SQL and CQL alike: both double an inner quote.
#[must_use]
pub fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
