//! Postgres source: logical replication and snapshots, in the shape of Debezium's connector.
//!
//! ```text
//! replication ─frames→ assemble ─transactions→ records ─batches→ source
//!   (socket)            (spool)    (types, table)       ↑
//!                                            snapshot ──┘
//! ```
//!
//! - [`config`]: the properties
//! - `open`: the start: server, publication, position, slot, snapshot or stream
//! - [`replication`], [`pgoutput`], [`tls`], [`lsn`]: the wire
//! - `assemble`, `spool`, `difference`: messages → whole transactions, in memory or in a file
//! - `table`, `tables`, `catalog`, `types`: how a table's rows are read
//! - `records`, `source_block`: changes → records; `messages`: logical messages → records
//! - `transaction`: their places in their transactions
//! - `heartbeat`, `notifications`: records that say how the connector fares
//! - `snapshot`: rows that are there already
//! - `slot`, `publication`, `replica_identity`, `position`: what a restart depends on
//! - `takeover`, `debezium_offset`: going on where Debezium stopped, and back
//! - `gauges`: metrics
//! - `preflight`: what is missing, with the SQL to fix it
//! - [`error`], `remedy`: what can go wrong and what to do

mod assemble;
mod catalog;
pub mod config;
mod debezium_offset;
mod difference;
pub mod error;
mod gauges;
mod heartbeat;
pub mod lsn;
mod mask;
mod messages;
mod names;
mod notifications;
mod open;
pub mod pgoutput;
mod position;
mod preflight;
mod publication;
mod records;
mod remedy;
mod replica_identity;
pub mod replication;
mod slot;
mod snapshot;
mod source;
mod source_block;
mod spool;
mod sql;
mod table;
mod tables;
mod takeover;
pub mod tls;
mod transaction;
mod types;

pub use debezium_offset::Delivered;
pub use position::Position;
pub use publication::Published;
pub use source::PostgresTask;
pub use source_block::SOURCE_VERSION;
pub use types::ValueError;

use sluice_core::Error;
use sluice_core::config::{Definition, Fault};
use sluice_core::connect_offsets::OffsetMap;
use sluice_core::source::{Imported, SourceConnector, TaskContext};

use crate::config::PostgresConfig;

/// The Postgres source connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresSource;

impl SourceConnector for PostgresSource {
    const NAME: &'static str = "sluice.PostgresSource";
    const ALIASES: &'static [&'static str] = &["io.debezium.connector.postgresql.PostgresConnector"];
    const UNOBEYED: &'static [Definition] = config::UNOBEYED;

    type Config = PostgresConfig;
    type Source = PostgresTask;

    fn validate(&self, config: &PostgresConfig) -> Vec<Fault> {
        config::validate(config)
    }

    async fn check(&self, config: PostgresConfig) -> Vec<Fault> {
        preflight::check(&config).await
    }

    async fn open(
        &self,
        config: PostgresConfig,
        context: TaskContext,
        position: Option<Position>,
    ) -> Result<PostgresTask, Error> {
        tracing::info!(connector = context.connector, position = ?position, "opening the Postgres source");
        Ok(PostgresTask::open(config, &context.connector, position).await?)
    }

    fn offset_partition(&self, config: &PostgresConfig) -> Option<OffsetMap> {
        Some([("server".to_owned(), config.topic_prefix.as_str().into())].into_iter().collect())
    }

    async fn import_offset(
        &self,
        config: PostgresConfig,
        offset: &OffsetMap,
    ) -> Result<Imported<Position>, Error> {
        Ok(takeover::import(config, offset).await?)
    }

    fn export_offset(&self, position: &Position) -> Result<OffsetMap, Error> {
        Ok(takeover::export(position)?)
    }
}
