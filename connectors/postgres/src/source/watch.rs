//! What the catalog says while the stream runs: versions of tables, the publication, the slot.

use std::sync::Arc;

use tokio::time::Instant;

use super::{PostgresTask, WATCH_INTERVAL};
use crate::error::SourceError;
use crate::publication::Fingerprint;
use crate::table::captures_table;
use crate::{catalog, slot, sql, tables};

impl PostgresTask {
    /// Compiles a relation that the stream announced. The old version is kept if nothing changed.
    pub(super) async fn load_relation(&mut self) -> Result<(), SourceError> {
        let Some(relation) = self.relation.clone() else { return Ok(()) };
        let id = relation.relation_id;
        if self.sql.is_closed() {
            self.sql = Arc::new(sql::connect(&self.config).await?);
        }
        if let Some(xid) = self.assembler.open_xid() {
            catalog::await_visible(&self.sql, xid).await?;
        }
        let loaded = Arc::new(tables::load_relation(&self.sql, &self.config, relation).await?);
        let table = match self.tables.get(&id) {
            Some(known) if known.relation == loaded.relation && known.schema == loaded.schema => {
                Arc::clone(known)
            }
            _ => {
                tracing::info!(table = loaded.qualified, "following a new version of a table");
                loaded
            }
        };
        self.tables.insert(id, Arc::clone(&table));
        tables::check_topics(self.tables.values())?;
        self.assembler.install(id, Some(table))?;
        self.relation = None;
        Ok(())
    }

    /// Looks whether publication and slot still are what they were. Looking may fail; that says nothing.
    pub(super) async fn watch(&mut self) -> Result<(), SourceError> {
        self.watch_at = Instant::now() + WATCH_INTERVAL;
        match self.look().await {
            Err(error @ SourceError::Sql { .. }) => {
                tracing::warn!(error = %error, "could not look after the publication");
                Ok(())
            }
            other => other,
        }
    }

    async fn look(&mut self) -> Result<(), SourceError> {
        if self.sql.is_closed() {
            self.sql = Arc::new(sql::connect(&self.config).await?);
        }
        let name = &self.config.publication;
        let changed = |what: String| SourceError::PublicationChanged { name: name.clone(), what };
        let facts = catalog::publication(&self.sql, name).await?;
        let facts = facts.ok_or_else(|| changed("it was dropped".to_owned()))?;
        let published = catalog::published_tables(&self.sql, name, self.server_version).await?;
        let captured: Vec<_> = published
            .into_iter()
            .filter(|table| captures_table(&self.config, &table.schema, &table.name))
            .collect();
        let fingerprint = Fingerprint::new(facts, &captured);
        let oids = catalog::existing(&self.sql, self.tables.keys().copied()).await?;
        if let Some(what) = self.fingerprint.narrowed(&fingerprint, |oid| oids.contains(&oid)) {
            return Err(changed(what));
        }
        for (table, oid, column) in self.fingerprint.fewer_columns(&fingerprint) {
            // A dropped column is not published any more either.
            if catalog::table(&self.sql, oid).await?.column(column).is_some() {
                return Err(changed(format!("column `{column}` of table `{table}` is not in it any more")));
            }
        }
        self.position.published = fingerprint.published();
        self.fingerprint = fingerprint;
        match slot::find(&self.sql, &self.config.slot).await?.and_then(|slot| slot.wal_status) {
            Some(status) if status == "unreserved" || status == "lost" => {
                tracing::error!(
                    slot = self.config.slot,
                    status,
                    "the server is about to remove WAL that the slot needs"
                );
            }
            Some(status) if status == "extended" => {
                tracing::warn!(slot = self.config.slot, status, "the slot holds more WAL than max_wal_size");
            }
            _ => {}
        }
        Ok(())
    }
}
