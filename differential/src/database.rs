//! The database of a case, with the marker table that both sides capture.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;
use tokio_postgres::{Client, Config, NoTls};

use crate::side::Side;

/// A table that sorts before others, with a row: an empty one would take the marker `first` out of the snapshot.
const MARKER: &str = "CREATE SCHEMA differential;
    CREATE TABLE differential.marker (mark text PRIMARY KEY, ended boolean);
    INSERT INTO differential.marker VALUES ('snapshot', false)";

/// The columns of a case's own tables, by the names of their types without modifiers; a type that a script made by its kind.
/// `int2vector` passes for an array, but has one itself.
const COLUMNS: &str = "SELECT n.nspname || '.' || c.relname, a.attname, \
        format(CASE WHEN t.oid = e.oid THEN '%s' WHEN e.typtype = 'd' THEN '(%s)[]' ELSE '%s[]' END, \
            CASE WHEN e.typtype = 'e' THEN 'enum' WHEN e.typtype = 'c' THEN 'composite type' \
                WHEN e.typtype = 'd' THEN 'domain over ' || format_type(e.typbasetype, NULL) \
                WHEN e.typtype = 'r' AND e.typnamespace <> 'pg_catalog'::regnamespace THEN 'own range' \
                WHEN e.typtype = 'm' AND e.typnamespace <> 'pg_catalog'::regnamespace THEN 'own multirange' \
                ELSE format_type(e.oid, NULL) END), \
        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY(i.indkey)) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
        JOIN pg_type t ON t.oid = a.atttypid \
        JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typarray = 0 THEN t.typelem ELSE t.oid END \
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'differential')";
/// What a slot of this name is like.
const SLOT: &str = "SELECT string_agg((to_jsonb(s) - '{slot_name,datoid,active,active_pid,xmin,catalog_xmin,restart_lsn,\
    confirmed_flush_lsn,safe_wal_size,inactive_since,two_phase_at}'::text[])::text, '') \
    FROM pg_replication_slots s WHERE slot_name = $1";
/// What a publication of this name is like.
const PUBLICATION: &str = "SELECT string_agg((to_jsonb(p) - '{oid,pubname,pubowner}'::text[])::text, '') \
    FROM pg_publication p WHERE pubname = $1";
/// The tables of a publication of this name, with columns and filter.
const PUBLISHED: &str = "SELECT jsonb_agg(to_jsonb(t) - 'pubname' ORDER BY schemaname, tablename)::text \
    FROM pg_publication_tables t WHERE pubname = $1";

/// A column of a case.
#[derive(Debug, Clone)]
pub struct Column {
    /// Schema and table, with a point between.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its type, without length or precision.
    pub kind: String,
    /// Whether it is part of the primary key.
    pub key: bool,
}

impl Column {
    /// Whether a difference at a place is of this column. One without a path is of all that is no key.
    pub fn is_at(&self, place: &str) -> bool {
        let Some((at, path)) = place.split_once(" /") else {
            return !self.key && place == format!("P.{}-value versions", self.table);
        };
        if at.starts_with(REFUSED) {
            return self.is_refused_at(place) && path == self.name;
        }
        let row = path.strip_prefix("payload/").unwrap_or(path);
        if row.starts_with("source") || row.starts_with("transaction") {
            return false;
        }
        let of_the_table = place.strip_prefix("P.").and_then(|place| place.strip_prefix(&self.table));
        of_the_table.is_some_and(|rest| rest.starts_with([' ', '-']))
            && path.split('/').any(|part| part == self.name)
    }

    /// Whether a column of the same table is the reason of a refusal, and this one no key.
    pub fn is_refused_at(&self, place: &str) -> bool {
        let table = place.strip_prefix(REFUSED).and_then(|named| named.trim_start().split_once(" /"));
        !self.key && table.is_some_and(|(table, _)| table == self.table)
    }
}

/// The place of a refusal; behind it, as in `refused public.t /a`, the column that is named as its reason.
pub const REFUSED: &str = "refused";

/// A fresh database and a session in it.
pub struct Database {
    name: String,
    server: Config,
    client: Client,
    marks: u32,
}

impl Database {
    /// Makes the database, empty but for the marker table.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn create(server: &Config, name: &str) -> anyhow::Result<Self> {
        let maintenance = connect(server, "postgres").await?;
        maintenance.batch_execute(&format!("CREATE DATABASE {name}")).await.context("create the database")?;
        let client = connect(server, name).await?;
        client.batch_execute(MARKER).await.context("make the marker table")?;
        Ok(Self { name: name.to_owned(), server: server.clone(), client, marks: 0 })
    }

    /// Runs statements, each for itself.
    ///
    /// # Errors
    /// Fails with the statement that Postgres refuses.
    pub async fn run(&self, statements: &[String]) -> anyhow::Result<()> {
        for statement in statements {
            self.client.batch_execute(statement).await.with_context(|| format!("run `{statement}`"))?;
        }
        Ok(())
    }

    /// Commits a transaction without rows, after which both sides have seen the same commit last; returns its id.
    ///
    /// A server before 15 sends such transactions, and the side that streams first sees those of the other's start.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn commit_no_rows(&self) -> anyhow::Result<u64> {
        let begin = "BEGIN; COMMENT ON SCHEMA differential IS 'both sides stream'";
        self.client.batch_execute(begin).await.context("begin a transaction without rows")?;
        let id: String = self.client.query_one("SELECT pg_current_xact_id()::text", &[]).await?.get(0);
        self.client.batch_execute("COMMIT").await.context("commit no rows")?;
        Ok(id.parse()?)
    }

    /// Changes the marker table in every way, so that one change gets past any filter; returns what to look for.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn mark(&mut self) -> anyhow::Result<String> {
        self.marks += 1;
        let mark = format!("differential-mark-{}-", self.marks);
        for statement in [
            format!("INSERT INTO differential.marker VALUES ('{mark}', false)"),
            format!("UPDATE differential.marker SET ended = true WHERE mark = '{mark}'"),
            format!("DELETE FROM differential.marker WHERE mark = '{mark}'"),
        ] {
            self.client.batch_execute(&statement).await.context("mark the end")?;
        }
        Ok(mark)
    }

    /// Tells whether a side reads its slot, its snapshot being behind it.
    ///
    /// # Errors
    /// Fails when Postgres does.
    pub async fn streams(&self, side: &Side) -> anyhow::Result<bool> {
        let query = "SELECT 1 FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid \
            WHERE s.slot_name = $1 AND r.state IN ('catchup', 'streaming')";
        Ok(self.client.query_opt(query, &[&side.slot]).await?.is_some())
    }

    /// Tells whether nobody reads a side's slot.
    ///
    /// # Errors
    /// Fails when Postgres does.
    pub async fn rests(&self, side: &Side) -> anyhow::Result<bool> {
        let query = "SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND active";
        Ok(self.client.query_opt(query, &[&side.slot]).await?.is_none())
    }

    /// Lists the columns of the case's tables as they are now.
    ///
    /// # Errors
    /// Fails when Postgres does.
    pub async fn columns(&self) -> anyhow::Result<Vec<Column>> {
        let rows = self.client.query(COLUMNS, &[]).await.context("list the columns")?;
        let column = |row: &tokio_postgres::Row| Column {
            table: row.get(0),
            name: row.get(1),
            kind: row.get(2),
            key: row.get(3),
        };
        Ok(rows.iter().map(column).collect())
    }

    /// Describes what a side made here: its slot and its publication.
    ///
    /// # Errors
    /// Fails when Postgres does.
    pub async fn made(&self, side: &Side) -> anyhow::Result<BTreeMap<String, Value>> {
        let mut made = BTreeMap::new();
        for (what, query) in [("slot", SLOT), ("publication", PUBLICATION), ("published tables", PUBLISHED)] {
            let name =
                side.properties.get("publication.name").filter(|_| what != "slot").unwrap_or(&side.slot);
            let text: Option<String> = self.client.query_one(query, &[name]).await?.get(0);
            let text = text.unwrap_or_else(|| "null".to_owned());
            made.insert(what.to_owned(), serde_json::from_str(&text)?);
        }
        Ok(made)
    }

    /// Drops the slots, which nobody reads any more, and the database.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn drop(self, sides: [&Side; 2]) -> anyhow::Result<()> {
        let drop_slot =
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ANY($1)";
        let slots = sides.map(|side| side.slot.as_str());
        self.client.query(drop_slot, &[&slots.as_slice()]).await.context("drop the slots")?;
        drop(self.client);
        let maintenance = connect(&self.server, "postgres").await?;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        maintenance.batch_execute(&statement).await.context("drop the database")
    }
}

async fn connect(server: &Config, database: &str) -> anyhow::Result<Client> {
    let mut config = server.clone();
    config.dbname(database).application_name("differential");
    let (client, connection) =
        config.connect(NoTls).await.with_context(|| format!("connect to `{database}`"))?;
    // Ends with the client; what it has to say is said by the next statement.
    tokio::spawn(connection);
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_of_the_column_in_its_path() {
        let column = |name: &str| Column {
            table: "public.t".to_owned(),
            name: name.to_owned(),
            kind: "text".to_owned(),
            key: name == "id",
        };

        assert!(column("a").is_at("P.public.t value /after/a/0"));
        assert!(column("a").is_at("P.public.t-value schema /fields/before/type/1/fields/a"));
        assert!(!column("a").is_at("P.public.t value /after/b"));
        assert!(!column("a").is_at("P.public.tt value /after/a"));
        assert!(!column("id").is_at("P.public.t value /transaction/id"));
        assert!(column("a").is_at("refused public.t /a"));
        assert!(
            !column("a").is_at("refused public.t /b") && column("a").is_refused_at("refused public.t /b")
        );
        assert!(!column("a").is_at(REFUSED) && !column("a").is_refused_at("refused public.tt /a"));
        assert!(!column("id").is_at("P.public.t-value versions"));
    }
}
