//! What is missing before a start, all at once, with the SQL to fix it. Changes nothing.

use sluice_core::config::Fault;
use tokio_postgres::Client;

use crate::catalog::{self, PublicationFacts, PublishedTable};
use crate::config::{AutoCreate, PostgresConfig, SnapshotRows};
use crate::error::SourceError;
use crate::open::MIN_VERSION;
use crate::replication::quote_identifier;
use crate::table::{Table, captures_table};
use crate::{publication, slot, sql, tables};

/// Connects, looks, and lists what is missing.
pub(crate) async fn check(config: &PostgresConfig) -> Vec<Fault> {
    let client = match sql::connect(config).await {
        Ok(client) => client,
        Err(error) => return vec![Fault::from_error("database.hostname", &error)],
    };
    let mut check = Check { config, client, faults: Vec::new() };
    if let Err(error) = check.all().await {
        check.faults.push(Fault::from_error("", &error));
    }
    check.faults
}

struct Check<'a> {
    config: &'a PostgresConfig,
    client: Client,
    faults: Vec<Fault>,
}

impl Check<'_> {
    async fn all(&mut self) -> Result<(), SourceError> {
        let version = catalog::server_version(&self.client).await?;
        if version < MIN_VERSION {
            let found = catalog::setting(&self.client, "server_version").await?;
            self.add("", &SourceError::TooOld { found });
            return Ok(());
        }
        let level = catalog::setting(&self.client, "wal_level").await?;
        if level != "logical" {
            self.add("", &SourceError::WalLevel { found: level });
        }
        self.role().await?;
        self.slot().await?;
        let facts = catalog::publication(&self.client, &self.config.publication).await?;
        match facts {
            None if self.config.publication_autocreate == AutoCreate::Disabled => {
                let (name, database) = (self.config.publication.clone(), self.config.database.clone());
                self.add("publication.name", &SourceError::PublicationMissing { name, database });
                Ok(())
            }
            None => self.creation().await,
            Some(facts) => self.tables(facts, version).await,
        }
    }

    fn add(&mut self, property: &str, error: &SourceError) {
        self.faults.push(Fault::from_error(property, error));
    }

    async fn flag(&self, query: &str) -> Result<bool, SourceError> {
        let failed = SourceError::sql("checking the server");
        let row = self.client.query_one(query, &[]).await.map_err(failed)?;
        row.try_get(0).map_err(failed)
    }

    async fn role(&mut self) -> Result<(), SourceError> {
        const REPLICATION: &str = "SELECT rolsuper OR rolreplication \
            OR coalesce(pg_has_role(rolname, (SELECT oid FROM pg_roles WHERE rolname = 'rds_replication'), 'member'), false) \
            FROM pg_catalog.pg_roles WHERE rolname = current_user";
        if !self.flag(REPLICATION).await? {
            let role = quote_identifier(&self.config.user);
            let missing = Fault::new(
                "postgres.privilege_missing",
                "database.user",
                format!("role `{}` has no REPLICATION attribute", self.config.user),
            );
            self.faults.push(missing.hint(format!("run ALTER ROLE {role} REPLICATION;")));
        }
        Ok(())
    }

    async fn slot(&mut self) -> Result<(), SourceError> {
        let name = &self.config.slot;
        let Some(slot) = slot::find(&self.client, name).await? else { return self.headroom().await };
        if slot.active_pid.is_some() {
            let in_use = Fault::from_error("slot.name", &slot::in_use(&self.client, name).await);
            // This may well be the connector that is being checked.
            self.faults.push(in_use.warning());
        }
        if let Err(error) = slot.check(name, &self.config.database) {
            self.add("slot.name", &error);
        }
        Ok(())
    }

    async fn headroom(&mut self) -> Result<(), SourceError> {
        const SLOTS: &str = "SELECT (SELECT count(*) FROM pg_catalog.pg_replication_slots) \
                             < current_setting('max_replication_slots')::bigint";
        const SENDERS: &str = "SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender') \
                               < current_setting('max_wal_senders')::bigint";
        for (query, setting) in [(SLOTS, "max_replication_slots"), (SENDERS, "max_wal_senders")] {
            if !self.flag(query).await? {
                let full = Fault::new("postgres.no_headroom", "", format!("all of {setting} are in use"));
                let hint = format!(
                    "raise it with ALTER SYSTEM SET {setting} = …; and restart, or drop slots that nobody uses"
                );
                self.faults.push(full.hint(hint));
            }
        }
        Ok(())
    }

    /// The publication is to be created by the connector.
    async fn creation(&mut self) -> Result<(), SourceError> {
        const SUPERUSER: &str = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
        const CREATE: &str = "SELECT has_database_privilege(current_database(), 'CREATE')";
        let name = quote_identifier(&self.config.publication);
        let (allowed, needs, example) = match self.config.publication_autocreate {
            AutoCreate::AllTables => (self.flag(SUPERUSER).await?, "a superuser", " FOR ALL TABLES"),
            _ => (
                self.flag(CREATE).await?,
                "CREATE on the database and ownership of the tables",
                " FOR TABLE …",
            ),
        };
        if !allowed {
            let message = format!(
                "publication `{}` does not exist, and creating it needs {needs}",
                self.config.publication
            );
            let hint = format!(
                "run CREATE PUBLICATION {name}{example}; as its owner, and set `publication.autocreate.mode=disabled`"
            );
            self.faults.push(
                Fault::new("postgres.publication_missing", "publication.autocreate.mode", message).hint(hint),
            );
        }
        Ok(())
    }

    async fn tables(&mut self, facts: PublicationFacts, version: u32) -> Result<(), SourceError> {
        let config = self.config;
        self.absent().await?;
        let published = catalog::published_tables(&self.client, &config.publication, version).await?;
        // A `filtered` publication is brought in line at the start.
        if config.table_include.is_some() && config.publication_autocreate != AutoCreate::Filtered {
            for table in tables::unpublished(&self.client, config, &published).await? {
                let publication = config.publication.clone();
                self.add("table.include.list", &SourceError::TableNotPublished { table, publication });
            }
        }
        let captured: Vec<_> =
            published.iter().filter(|table| captures_table(config, &table.schema, &table.name)).collect();
        if captured.is_empty() {
            self.add(
                "table.include.list",
                &SourceError::NoTables { publication: config.publication.clone() },
            );
        }
        self.kinds(facts);
        let mut compiled = Vec::new();
        for table in captured {
            self.privilege(table).await?;
            match tables::load_published(&self.client, config, table).await {
                Ok(loaded) => {
                    self.identity(table, &loaded, facts);
                    compiled.push(std::sync::Arc::new(loaded));
                }
                Err(error @ SourceError::Sql { .. }) => return Err(error),
                Err(error) => self.add("table.include.list", &error),
            }
        }
        if let Err(error) = tables::check_topics(compiled.iter()) {
            self.add("table.include.list", &error);
        }
        Ok(())
    }

    async fn absent(&mut self) -> Result<(), SourceError> {
        for pattern in tables::absent(&self.client, self.config).await? {
            let message = format!("`{pattern}` matches no table of database `{}`", self.config.database);
            let fault = Fault::new("postgres.table_missing", "table.include.list", message);
            self.faults.push(fault.hint("write it as schema.table, or create the table first"));
        }
        Ok(())
    }

    /// A publication that leaves out operations which the configuration wants.
    fn kinds(&mut self, facts: PublicationFacts) {
        let missing = publication::missing_operations(facts, self.config.skipped);
        if missing.is_empty() {
            return;
        }
        let name = &self.config.publication;
        let message = format!("publication `{name}` does not publish {}", missing.join(", "));
        let hint = format!(
            "run ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate'); or name them in `skipped.operations`",
            quote_identifier(name)
        );
        self.faults.push(
            Fault::new("postgres.publication_narrow", "publication.name", message).hint(hint).warning(),
        );
    }

    async fn privilege(&mut self, table: &PublishedTable) -> Result<(), SourceError> {
        if self.config.snapshot_policy().rows == SnapshotRows::Never {
            return Ok(());
        }
        let failed = SourceError::sql("checking privileges");
        let query = "SELECT has_schema_privilege($1, 'USAGE'), has_table_privilege($2::oid, 'SELECT')";
        let row = self.client.query_one(query, &[&table.schema, &table.oid]).await.map_err(failed)?;
        let (usage, select): (bool, bool) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        if usage && select {
            return Ok(());
        }
        let role = quote_identifier(&self.config.user);
        let (schema, name) = (quote_identifier(&table.schema), quote_identifier(&table.name));
        let message = format!("role `{}` may not read table `{}`", self.config.user, table.qualified());
        let hint = format!(
            "run GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.{name} TO {role};"
        );
        self.faults.push(Fault::new("postgres.privilege_missing", "database.user", message).hint(hint));
        Ok(())
    }

    /// Updates and deletes that Postgres refuses, or that come without a key.
    fn identity(&mut self, published: &PublishedTable, table: &Table, facts: PublicationFacts) {
        let none = !table.relation.columns.iter().any(|column| column.key);
        if none && (facts.update || facts.delete) {
            let message = format!(
                "table `{}` has no replica identity: Postgres refuses its updates and deletes while they are published",
                published.qualified()
            );
            let (schema, name) = (quote_identifier(&published.schema), quote_identifier(&published.name));
            let hint =
                format!("add a primary key, or run ALTER TABLE {schema}.{name} REPLICA IDENTITY FULL;");
            let fault = Fault::new("postgres.replica_identity", "table.include.list", message);
            self.faults.push(fault.hint(hint).warning());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    #[tokio::test]
    async fn certificate_that_cannot_be_read_is_told_with_the_reason() {
        let missing = ("database.sslrootcert", "/does/not/exist.pem");
        let config = from_pairs(&[("database.sslmode", "verify-ca"), missing]).unwrap();

        let faults = check(&config).await;

        let message = &faults[0].message;
        assert!(message.contains("/does/not/exist.pem") && message.contains("No such file"), "{message}");
    }
}
