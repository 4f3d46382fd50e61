//! Tables: names, statements that make them, and whether they fit.

use std::fmt;

use scylla::cluster::metadata::{ColumnKind, ColumnType, NativeType, Table};
use sluice_core::SchemaRef;

use crate::{
    mapping::{MappedColumn, Source},
    shape::{Shape, cql_name},
    statement::Column,
};

/// Quotes an identifier for CQL. Every name in every statement passes here.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table with its keyspace; prints itself quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// Keyspace.
    pub keyspace: String,
    /// Table.
    pub table: String,
}

impl TableName {
    /// Names a table, both names as Cassandra keeps them.
    pub fn new(keyspace: impl Into<String>, table: impl Into<String>) -> Self {
        Self { keyspace: keyspace.into(), table: table.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", quoted(&self.keyspace), quoted(&self.table))
    }
}

/// A column that records ask for: its source, and the schema of what is there.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// None when the record at hand has no such field, as a tombstone has no row.
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) key: bool,
}

/// Makes the statement that creates a keyspace.
pub(crate) fn create_keyspace(keyspace: &str, replication: &str) -> String {
    format!("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {replication}", quoted(keyspace))
}

/// Makes the statement that creates a table for the wanted columns; all key columns together are the partition key.
///
/// # Errors
/// Every column that has no CQL type.
pub(crate) fn create_table(table: &TableName, wanted: &[Wanted]) -> Result<String, Vec<String>> {
    let mut columns = definitions(wanted.iter())?;
    let keys: Vec<_> = wanted.iter().filter(|column| column.key).map(|column| quoted(&column.name)).collect();
    if keys.is_empty() {
        return Err(vec!["there is no key: the records carry none".to_owned()]);
    }
    columns.push(format!("PRIMARY KEY (({}))", keys.join(", ")));
    Ok(format!("CREATE TABLE IF NOT EXISTS {table} ({})", columns.join(", ")))
}

/// Makes the one statement that adds the wanted columns that a table lacks; none when it lacks none.
///
/// # Errors
/// Every column that has no CQL type.
pub(crate) fn add_columns(
    table: &TableName,
    existing: &Table,
    wanted: &[Wanted],
) -> Result<Option<String>, Vec<String>> {
    let missing = wanted.iter().filter(|column| !column.key && !existing.columns.contains_key(&column.name));
    let columns = definitions(missing)?;
    Ok((!columns.is_empty()).then(|| format!("ALTER TABLE {table} ADD ({})", columns.join(", "))))
}

fn definitions<'a>(wanted: impl Iterator<Item = &'a Wanted>) -> Result<Vec<String>, Vec<String>> {
    let mut columns = Vec::new();
    let mut faults = Vec::new();
    for column in wanted {
        let Some(schema) = &column.schema else { continue };
        let shape = Shape::of(schema);
        match shape.default_type(column.key) {
            Some(cql) => columns.push(format!("{} {cql}", quoted(&column.name))),
            None => {
                let reason = shape.key_obstacle().unwrap_or("it has no CQL type");
                faults.push(format!("column `{}` cannot be created: {reason}", column.name));
            }
        }
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

/// Finds what does not fit between a table and the columns that go there, types apart.
///
/// `mapped` says that a user chose the columns; then it is theirs to know which fields make a row unique.
pub(crate) fn misfits(table: &Table, wanted: &[Wanted], mapped: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let primary: Vec<&String> = table.partition_key.iter().chain(&table.clustering_key).collect();
    for name in &primary {
        let from_key = wanted.iter().find(|column| column.name == **name);
        match from_key {
            None => faults.push(format!("primary key column `{name}` gets no value")),
            Some(column) if !mapped && !column.key => faults.push(format!(
                "primary key column `{name}` is not in the key of the records, so one row would become several"
            )),
            Some(_) => {}
        }
    }
    for column in wanted {
        match table.columns.get(&column.name) {
            None => faults.push(missing(column)),
            Some(found) if found.kind == ColumnKind::Static => {
                faults.push(format!("column `{}` is static: several rows would write it", column.name));
            }
            Some(found) if found.typ == ColumnType::Native(NativeType::Counter) => {
                faults.push(format!("column `{}` is a counter, which counts every replay", column.name));
            }
            Some(_) if !mapped && column.key && !primary.contains(&&column.name) => faults.push(format!(
                "key column `{}` is not in the primary key, so several rows would become one",
                column.name
            )),
            Some(_) => {}
        }
    }
    faults
}

fn missing(column: &Wanted) -> String {
    let cql = column.schema.as_ref().and_then(|schema| Shape::of(schema).default_type(column.key));
    let cql = cql.map(|cql| format!(" ({cql})")).unwrap_or_default();
    format!("column `{}`{cql} is missing", column.name)
}

/// Says what helps against misfits.
pub(crate) fn remedy(table: &TableName, existing: &Table, wanted: &[Wanted]) -> String {
    match add_columns(table, existing, wanted) {
        Ok(Some(statement)) => format!("{statement};\n  or set `schema.policy=evolve`"),
        _ => format!(
            "change the table, or choose columns with `topic.<topic>.{}.{}.mapping`; the table has: {}",
            table.keyspace,
            table.table,
            describe(existing)
        ),
    }
}

fn describe(table: &Table) -> String {
    let mut columns: Vec<_> =
        table.columns.iter().map(|(name, column)| format!("{name} {}", cql_name(&column.typ))).collect();
    columns.sort();
    columns.join(", ")
}

/// The INSERT of a plan: all columns, the timestamp, and a time to live if there is one.
pub(crate) fn insert(table: &TableName, columns: &[Column], ttl: bool) -> String {
    let names: Vec<_> = columns.iter().map(|column| quoted(&column.name)).collect();
    let markers = vec!["?"; names.len()].join(", ");
    let ttl = if ttl { " AND TTL ?" } else { "" };
    format!("INSERT INTO {table} ({}) VALUES ({markers}) USING TIMESTAMP ?{ttl}", names.join(", "))
}

/// The DELETE of a plan: the timestamp, then the primary key.
pub(crate) fn delete(table: &TableName, keys: &[&str]) -> String {
    let keys: Vec<_> = keys.iter().map(|name| format!("{} = ?", quoted(name))).collect();
    format!("DELETE FROM {table} USING TIMESTAMP ? WHERE {}", keys.join(" AND "))
}

/// The columns of records without a mapping: the key's fields, then the row's others, under their own names.
pub(crate) fn default_columns(key: Option<&SchemaRef>, row: Option<&SchemaRef>) -> Vec<MappedColumn> {
    let names = |schema: Option<&SchemaRef>| -> Vec<String> {
        schema
            .map(|schema| schema.fields().iter().map(|field| field.name.to_string()).collect())
            .unwrap_or_default()
    };
    let keys = names(key);
    let others: Vec<_> = names(row).into_iter().filter(|name| !keys.contains(name)).collect();
    let column = |name: String, source: fn(Vec<String>) -> Source| MappedColumn {
        source: source(vec![name.clone()]),
        column: name,
    };
    let keys = keys.into_iter().map(|name| column(name, Source::Key));
    keys.chain(others.into_iter().map(|name| column(name, Source::Value))).collect()
}

#[cfg(test)]
mod tests {
    use sluice_core::{
        Schema,
        schema::{Field, Kind, debezium},
    };

    use super::*;

    fn wanted(name: &str, schema: Schema, key: bool) -> Wanted {
        let source = Source::Value(vec![name.to_owned()]);
        Wanted { name: name.to_owned(), source, schema: Some(schema.shared()), key }
    }

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        assert_eq!(quoted("a\"b; --"), "\"a\"\"b; --\"");
    }

    #[test]
    fn all_key_columns_are_the_partition_key() {
        let columns = [
            wanted("a", Schema::new(Kind::Int32), true),
            wanted("b", Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP), true),
            wanted("c", Schema::new(Kind::Array(Schema::new(Kind::String).optional().shared())), false),
        ];

        let statement = create_table(&TableName::new("k", "t"), &columns).unwrap();

        assert_eq!(
            statement,
            "CREATE TABLE IF NOT EXISTS \"k\".\"t\" (\"a\" int, \"b\" bigint, \"c\" frozen<list<text>>, \
             PRIMARY KEY ((\"a\", \"b\")))"
        );
    }

    #[test]
    fn a_float_key_creates_no_table() {
        let columns = [wanted("a", Schema::new(Kind::Float64), true)];

        let faults = create_table(&TableName::new("k", "t"), &columns).unwrap_err();

        assert!(faults[0].contains("-0.0"), "{}", faults[0]);
    }

    #[test]
    fn a_row_has_its_key_once() {
        let field = |name: &str| Field::new(name, Schema::new(Kind::Int32));
        let key = Schema::record("Key", vec![field("b")]).shared();
        let row = Schema::record("Value", vec![field("a"), field("b")]).shared();

        let columns = default_columns(Some(&key), Some(&row));

        let names: Vec<_> = columns.iter().map(|column| column.column.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(columns[0].source, Source::Key(vec!["b".to_owned()]));
    }
}
