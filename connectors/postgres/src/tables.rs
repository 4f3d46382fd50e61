//! The tables that are captured, read from the catalog.

mod defaults;

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Client;

use crate::catalog::{self, ColumnFacts, PublishedTable, TableFacts};
use crate::config::{Compatibility, PostgresConfig};
use crate::error::SourceError;
use crate::pgoutput::{Relation, RelationColumn, ReplicaIdentity};
use crate::table::{DescribedBy, Table, TableInput, captures_table};
use crate::types::TypeCatalog;

/// Lists the published tables that pass the filters, in the order of a snapshot, and checks that what the
/// filters name is there.
///
/// # Errors
/// When a table that an include list names is not published, or nothing is left.
pub(crate) async fn captured(
    client: &Client,
    config: &PostgresConfig,
    server_version: u32,
) -> Result<Vec<PublishedTable>, SourceError> {
    let published = catalog::published_tables(client, &config.publication, server_version).await?;
    if config.table_include.is_some()
        && let Some(table) = unpublished(client, config, &published).await?.into_iter().next()
    {
        return Err(SourceError::TableNotPublished { table, publication: config.publication.clone() });
    }
    for pattern in absent(client, config).await? {
        tracing::warn!(pattern, "entry of table.include.list matches no table");
    }
    let mut tables: Vec<_> =
        published.into_iter().filter(|table| captures_table(config, &table.schema, &table.name)).collect();
    tables.sort_by_cached_key(|table| place(config, &table.qualified()));
    Ok(tables)
}

/// The place of a table in a snapshot, as in Debezium: the place of its pattern in the include list, then its
/// name as Java compares it.
fn place(config: &PostgresConfig, qualified: &str) -> (Option<usize>, Vec<u16>) {
    let listed = config.table_include.as_ref().and_then(|list| list.position(qualified));
    (listed, qualified.encode_utf16().collect())
}

/// Lists the entries of the include list that name no table: misspelt, or not there yet.
pub(crate) async fn absent(client: &Client, config: &PostgresConfig) -> Result<Vec<String>, SourceError> {
    let Some(patterns) = &config.table_include else { return Ok(Vec::new()) };
    let tables = catalog::user_tables(client).await?;
    let names: Vec<_> = tables.iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
    Ok(patterns.unmatched(&names.iter().map(String::as_str)).into_iter().map(str::to_owned).collect())
}

/// Names the tables that pass the filters and are not published.
pub(crate) async fn unpublished(
    client: &Client,
    config: &PostgresConfig,
    published: &[PublishedTable],
) -> Result<Vec<String>, SourceError> {
    let is_published =
        |schema: &str, name: &str| published.iter().any(|table| table.schema == schema && table.name == name);
    let mut missing = Vec::new();
    for (schema, name) in catalog::user_tables(client).await? {
        if !captures_table(config, &schema, &name) || is_published(&schema, &name) {
            continue;
        }
        // A partitioned table may be published, and must then be captured, by its partitions.
        let partitions = catalog::partitions(client, &schema, &name).await?;
        let captured = |(schema, name): &(String, String)| {
            is_published(schema, name) && captures_table(config, schema, name)
        };
        if partitions.is_empty() || !partitions.iter().all(captured) {
            missing.push(format!("{schema}.{name}"));
        }
    }
    Ok(missing)
}

/// Refuses tables whose names differ only in what a topic name cannot hold.
pub(crate) fn check_topics<'a>(tables: impl Iterator<Item = &'a Arc<Table>>) -> Result<(), SourceError> {
    let mut topics: HashMap<&str, &Table> = HashMap::new();
    for table in tables {
        if let Some(first) = topics.insert(&table.topic, table)
            && first.qualified != table.qualified
            && !table.shares_topic
        {
            return Err(SourceError::TopicCollision {
                first: first.qualified.clone(),
                second: table.qualified.clone(),
                topic: table.topic.to_string(),
            });
        }
    }
    Ok(())
}

/// Compiles a published table as the stream would announce it, with the columns that a snapshot reads.
pub(crate) async fn load_published(
    client: &Client,
    config: &PostgresConfig,
    published: &PublishedTable,
) -> Result<Table, SourceError> {
    let facts = catalog::table(client, published.oid).await?;
    let types = types_of(client, facts.columns.iter().map(|column| column.type_oid)).await?;
    let is_read = |column: &&ColumnFacts| is_read(column, published, &types, config.compatibility);
    let columns = facts.columns.iter().filter(is_read);
    let relation = Relation {
        xid: None,
        relation_id: published.oid,
        namespace: published.schema.as_str().into(),
        name: published.name.as_str().into(),
        replica_identity: match published.identity {
            'f' => ReplicaIdentity::Full,
            'i' => ReplicaIdentity::Index,
            'n' => ReplicaIdentity::Nothing,
            _ => ReplicaIdentity::Default,
        },
        columns: columns
            .map(|column| RelationColumn {
                key: column.identity,
                name: column.name.as_str().into(),
                type_id: column.type_oid,
                type_modifier: column.type_modifier,
            })
            .collect(),
    };
    compile(client, config, relation, &facts, &types, DescribedBy::Catalog).await
}

/// Whether a snapshot reads a column. Where Debezium's values are asked for it reads generated ones, and those that the
/// publication does not list, too, which the stream has not; but none whose binary form Postgres fails to send: that it is
/// not published is the remedy.
fn is_read(
    column: &ColumnFacts,
    published: &PublishedTable,
    types: &TypeCatalog,
    compatibility: Compatibility,
) -> bool {
    let sendable = || {
        let type_ = types.resolve(column.type_oid, column.type_modifier);
        type_.is_none_or(|type_| type_.is_sendable())
    };
    published.columns.contains(&column.name) || compatibility == Compatibility::Debezium && sendable()
}

/// Compiles a relation that the stream announced.
pub(crate) async fn load_relation(
    client: &Client,
    config: &PostgresConfig,
    relation: Relation,
) -> Result<Table, SourceError> {
    let facts = catalog::table(client, relation.relation_id).await?;
    let types = types_of(client, relation.columns.iter().map(|column| column.type_id)).await?;
    compile(client, config, relation, &facts, &types, DescribedBy::Stream).await
}

async fn types_of(client: &Client, oids: impl Iterator<Item = u32>) -> Result<TypeCatalog, SourceError> {
    catalog::types(client, &oids.collect::<Vec<_>>()).await
}

async fn compile(
    client: &Client,
    config: &PostgresConfig,
    relation: Relation,
    facts: &TableFacts,
    types: &TypeCatalog,
    described_by: DescribedBy,
) -> Result<Table, SourceError> {
    let defaults = defaults::constants(client, config, &relation, facts, types).await?;
    Table::compile(relation, &TableInput { config, facts, types, defaults: &defaults, described_by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;
    use crate::types::TypeRow;

    fn ordered<'a>(config: &PostgresConfig, mut names: Vec<&'a str>) -> Vec<&'a str> {
        names.sort_by_cached_key(|name| place(config, name));
        names
    }

    #[test]
    fn snapshot_follows_the_patterns_and_then_the_names() {
        let config = from_pairs(&[("table.include.list", "b.y,a.*,.*\\.x")]).unwrap();

        assert_eq!(
            ordered(&config, vec!["a.x", "a.c", "b.x", "a.B", "b.y"]),
            ["b.y", "a.B", "a.c", "a.x", "b.x"]
        );
    }

    #[test]
    fn snapshot_without_patterns_follows_the_names_as_java_compares_them() {
        let config = from_pairs(&[]).unwrap();

        assert_eq!(
            ordered(&config, vec!["a.\u{ff5e}", "a.\u{1f600}", "a.z"]),
            ["a.z", "a.\u{1f600}", "a.\u{ff5e}"]
        );
    }

    #[test]
    fn snapshot_of_debeziums_reads_what_is_not_published_if_it_can_be_sent() {
        const ARRAY: u32 = 1034;
        const ELEMENT: u32 = 1033;
        const TEXT: u32 = 25;
        let base =
            |name: &str, sends| TypeRow { name: name.to_owned(), kind: 'b', sends, ..TypeRow::default() };
        let array = TypeRow { element: ELEMENT, ..base("_aclitem", true) };
        let types = TypeCatalog(HashMap::from([
            (ARRAY, array),
            (ELEMENT, base("aclitem", false)),
            (TEXT, base("text", true)),
        ]));
        let published = PublishedTable {
            schema: "public".to_owned(),
            name: "t".to_owned(),
            oid: 1,
            partitioned: false,
            identity: 'd',
            columns: vec!["listed".to_owned()],
            row_filter: None,
        };
        let reads = |name: &str, type_oid, compatibility| {
            let column = ColumnFacts {
                name: name.to_owned(),
                type_oid,
                type_modifier: -1,
                type_name: String::new(),
                not_null: false,
                default: None,
                identity: false,
                unvalidated: false,
            };
            is_read(&column, &published, &types, compatibility)
        };

        assert!(reads("listed", ARRAY, Compatibility::Debezium), "it is refused when the table is compiled");
        assert!(reads("other", TEXT, Compatibility::Debezium));
        assert!(!reads("other", TEXT, Compatibility::Correct));
        assert!(!reads("other", ARRAY, Compatibility::Debezium));
    }
}
