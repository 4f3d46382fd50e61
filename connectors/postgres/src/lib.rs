//! Postgres source: logical replication and snapshots.

pub mod lsn;
pub mod pgoutput;
pub mod replication;
pub mod tls;
