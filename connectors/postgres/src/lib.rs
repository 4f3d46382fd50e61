//! Postgres source: logical replication and snapshots.

pub mod lsn;
pub mod pgoutput;
