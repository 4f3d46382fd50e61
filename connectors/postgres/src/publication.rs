//! The publication: created as configured, and watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::Client;

use crate::catalog::{self, PublicationFacts, PublishedTable};
use crate::config::{AutoCreate, PostgresConfig, SkippedOperations};
use crate::error::SourceError;
use crate::replication::quote_identifier;
use crate::table::captures_table;

/// Makes sure that the publication is there, as `publication.autocreate.mode` says.
///
/// # Errors
/// When it is missing and must not be created, or the role may not create it.
pub(crate) async fn ensure(
    client: &Client,
    config: &PostgresConfig,
) -> Result<PublicationFacts, SourceError> {
    let found = catalog::publication(client, &config.publication).await?;
    let name = quote_identifier(&config.publication);
    match (found, config.publication_autocreate) {
        (None, AutoCreate::Disabled) => {
            return Err(SourceError::PublicationMissing {
                name: config.publication.clone(),
                database: config.database.clone(),
            });
        }
        (None, mode) => {
            let target = match mode {
                AutoCreate::AllTables => " FOR ALL TABLES".to_owned(),
                AutoCreate::Filtered => {
                    format!(" FOR TABLE {}", wanted_tables(client, config).await?.join(", "))
                }
                AutoCreate::Disabled | AutoCreate::NoTables => String::new(),
            };
            let root = config.publish_via_partition_root;
            // The server then sends no transaction that has skipped operations only, so that none of them becomes the
            // last commit in `source.sequence`.
            let publish = config.skipped.publish().map(|kinds| format!(", publish = '{kinds}'"));
            let options = format!("publish_via_partition_root = {root}{}", publish.unwrap_or_default());
            run(client, &format!("CREATE PUBLICATION {name}{target} WITH ({options})")).await?;
        }
        (Some(facts), AutoCreate::Filtered) if !facts.all_tables => adjust(client, config, &name).await?,
        (Some(_), _) => {}
    }
    let facts = catalog::publication(client, &config.publication).await?;
    let facts = facts.ok_or_else(|| SourceError::PublicationMissing {
        name: config.publication.clone(),
        database: config.database.clone(),
    })?;
    let missing = missing_operations(facts, config.skipped);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        tracing::warn!(name, missing, "the publication leaves out operations that are not skipped");
    }
    Ok(facts)
}

/// Lists the operations that are to be captured and not published.
pub(crate) fn missing_operations(facts: PublicationFacts, skipped: SkippedOperations) -> Vec<&'static str> {
    let kinds = [
        ("insert", facts.insert || skipped.create),
        ("update", facts.update || skipped.update),
        ("delete", facts.delete || skipped.delete),
        ("truncate", facts.truncate || skipped.truncate),
    ];
    kinds.iter().filter(|(_, fine)| !fine).map(|(kind, _)| *kind).collect()
}

/// Keeps a `filtered` publication to the captured tables.
async fn adjust(client: &Client, config: &PostgresConfig, name: &str) -> Result<(), SourceError> {
    const MEMBERS: &str = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_publication_rel r \
                           JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
                           JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
                           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1";
    let failed = SourceError::sql("reading the publication");
    let mut members = Vec::new();
    for row in client.query(MEMBERS, &[&config.publication]).await.map_err(failed)? {
        let (schema, table): (String, String) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        members.push(quoted(&schema, &table));
    }
    let mut wanted = wanted_tables(client, config).await?;
    members.sort();
    wanted.sort();
    if members == wanted {
        return Ok(());
    }
    run(client, &format!("ALTER PUBLICATION {name} SET TABLE {}", wanted.join(", "))).await
}

async fn wanted_tables(client: &Client, config: &PostgresConfig) -> Result<Vec<String>, SourceError> {
    let tables = catalog::user_tables(client).await?;
    let wanted: Vec<_> = tables
        .iter()
        .filter(|(schema, table)| captures_table(config, schema, table))
        .map(|(schema, table)| quoted(schema, table))
        .collect();
    if wanted.is_empty() {
        return Err(SourceError::NoTables { publication: config.publication.clone() });
    }
    Ok(wanted)
}

fn quoted(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(table))
}

async fn run(client: &Client, statement: &str) -> Result<(), SourceError> {
    tracing::info!(statement, "changing the publication");
    client.batch_execute(statement).await.map_err(SourceError::sql("creating or altering the publication"))
}

/// What the publication said when the stream began, to notice when it says less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    facts: PublicationFacts,
    /// By table: published columns and row filter.
    tables: BTreeMap<String, (u32, Vec<String>, Option<String>)>,
}

/// What was published, as far as a position remembers it across a stop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Published {
    /// Letters of the operations: i, u, d, t.
    pub operations: String,
    /// The captured tables as `schema.table`; shared, since every batch carries a position.
    #[serde(serialize_with = "write_names", deserialize_with = "read_names")]
    pub tables: Arc<[String]>,
}

fn write_names<S: Serializer>(names: &Arc<[String]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter())
}

fn read_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[String]>, D::Error> {
    Vec::deserialize(deserializer).map(Arc::from)
}

impl Published {
    /// Says what `now` lacks, if anything. `wanted` tells whether a table exists and is to be captured.
    pub(crate) fn narrowed(&self, now: &Self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        if let Some(letter) = self.operations.chars().find(|letter| !now.operations.contains(*letter)) {
            let operation = OPERATIONS
                .iter()
                .find(|(known, _)| *known == letter)
                .map_or("an operation", |(_, name)| name);
            return Some(format!("it does not publish {operation} any more"));
        }
        let gone = self.tables.iter().find(|table| !now.tables.contains(table) && wanted(table))?;
        Some(format!("table `{gone}` is not in it any more"))
    }
}

const OPERATIONS: [(char, &str); 4] = [('i', "insert"), ('u', "update"), ('d', "delete"), ('t', "truncate")];

impl Fingerprint {
    /// Returns what a position remembers of it.
    pub(crate) fn published(&self) -> Published {
        let facts = self.facts;
        let flags = OPERATIONS.iter().zip([facts.insert, facts.update, facts.delete, facts.truncate]);
        Published {
            operations: flags.filter(|(_, published)| *published).map(|((letter, _), _)| *letter).collect(),
            tables: self.tables.keys().cloned().collect(),
        }
    }

    pub(crate) fn new(facts: PublicationFacts, tables: &[PublishedTable]) -> Self {
        let entry = |table: &PublishedTable| {
            (table.qualified(), (table.oid, table.columns.clone(), table.row_filter.clone()))
        };
        Self { facts, tables: tables.iter().map(entry).collect() }
    }

    /// Lists the columns that `now` lacks: dropped, or taken off a column list. A table made anew has its own.
    pub(crate) fn fewer_columns<'a>(
        &'a self,
        now: &'a Self,
    ) -> impl Iterator<Item = (&'a str, u32, &'a str)> {
        self.tables.iter().flat_map(|(name, (oid, columns, _))| {
            let left = now.tables.get(name).filter(|(now, ..)| now == oid).map(|(_, columns, _)| columns);
            let gone = columns.iter().filter(move |column| left.is_some_and(|left| !left.contains(column)));
            gone.map(move |column| (name.as_str(), *oid, column.as_str()))
        })
    }

    /// Says what `now` lacks, if anything. `exists` tells whether a table of that oid is still there.
    pub(crate) fn narrowed(&self, now: &Self, exists: impl Fn(u32) -> bool) -> Option<String> {
        let kinds = [
            ("insert", self.facts.insert, now.facts.insert),
            ("update", self.facts.update, now.facts.update),
            ("delete", self.facts.delete, now.facts.delete),
            ("truncate", self.facts.truncate, now.facts.truncate),
        ];
        if let Some((kind, ..)) = kinds.iter().find(|(_, before, now)| *before && !*now) {
            return Some(format!("it does not publish {kind} any more"));
        }
        for (name, (oid, _, filter)) in &self.tables {
            match now.tables.get(name) {
                None if exists(*oid) => return Some(format!("table `{name}` is not in it any more")),
                None => {}
                Some((_, _, now)) if now != filter => {
                    return Some(format!("the row filter of table `{name}` changed"));
                }
                Some(_) => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(insert: bool, tables: &[&str]) -> Fingerprint {
        let facts =
            PublicationFacts { all_tables: false, insert, update: true, delete: true, truncate: true };
        let tables = tables.iter().map(|name| ((*name).to_owned(), (7, vec!["id".to_owned()], None)));
        Fingerprint { facts, tables: tables.collect() }
    }

    #[test]
    fn narrowed_publication_is_noticed_and_widened_is_fine() {
        let before = fingerprint(true, &["public.t", "public.u"]);

        assert_eq!(before.narrowed(&before, |_| true), None);
        assert_eq!(
            before.narrowed(&fingerprint(true, &["public.t", "public.u", "public.v"]), |_| true),
            None
        );
        assert!(
            before
                .narrowed(&fingerprint(false, &["public.t", "public.u"]), |_| true)
                .unwrap()
                .contains("insert")
        );
        assert!(before.narrowed(&fingerprint(true, &["public.t"]), |_| true).unwrap().contains("public.u"));
    }

    #[test]
    fn column_that_is_not_published_any_more_is_listed() {
        let before = fingerprint(true, &["public.t"]);
        let mut now = before.clone();
        now.tables.get_mut("public.t").unwrap().1.clear();

        assert_eq!(before.fewer_columns(&now).collect::<Vec<_>>(), [("public.t", 7, "id")]);
        assert_eq!(now.fewer_columns(&before).count(), 0);
        now.tables.get_mut("public.t").unwrap().0 = 8;
        assert_eq!(before.fewer_columns(&now).count(), 0);
    }

    #[test]
    fn position_remembers_what_was_published() {
        let before = fingerprint(true, &["public.t", "public.u"]).published();
        let json = serde_json::to_value(&before).unwrap();
        let before: Published = serde_json::from_value(json).unwrap();

        let narrowed = |now: &Fingerprint, wanted| before.narrowed(&now.published(), |_| wanted);

        assert_eq!(narrowed(&fingerprint(true, &["public.t", "public.u"]), true), None);
        assert!(narrowed(&fingerprint(false, &["public.t", "public.u"]), true).unwrap().contains("insert"));
        assert!(narrowed(&fingerprint(true, &["public.t"]), true).unwrap().contains("public.u"));
        assert_eq!(narrowed(&fingerprint(true, &["public.t"]), false), None);
    }

    #[test]
    fn dropped_table_is_no_narrowing() {
        let before = fingerprint(true, &["public.t", "public.u"]);

        assert_eq!(before.narrowed(&fingerprint(true, &["public.t"]), |_| false), None);
    }
}
