//! One version of a table, compiled: schemas for the record, decoders for the columns.
//!
//! The relation message says which columns there are and what types they have, as of the change. The
//! catalog adds what it does not say (required, default, key), as of now.

mod column;
mod defaults;
mod source_type;

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use sluice_core::change::ChangeSchema;
use sluice_core::schema::{Field, Kind, Schema};
use sluice_core::value::Value;

use crate::catalog::TableFacts;
use crate::config::{Compatibility, PostgresConfig, TopicParts};
use crate::error::SourceError;
use crate::mask::ColumnMask;
use crate::names;
use crate::pgoutput::{Relation, ReplicaIdentity};
use crate::source_block::source_schema;
use crate::types::TypeCatalog;

pub(crate) use column::{ColumnPlan, mapping};
pub(crate) use defaults::{DefaultForm, default_form};

/// A version of a table.
#[derive(Debug)]
pub(crate) struct Table {
    /// What Postgres said of it.
    pub(crate) relation: Relation,
    /// `schema.table`.
    pub(crate) qualified: String,
    pub(crate) topic: Arc<str>,
    pub(crate) schema_name: ByteString,
    pub(crate) table_name: ByteString,
    pub(crate) schema: Arc<ChangeSchema>,
    /// One for each column of the relation; none for a column that is left out.
    pub(crate) columns: Vec<Option<ColumnPlan>>,
    /// Places of the key columns in the relation.
    pub(crate) key_places: Vec<usize>,
    /// What ends each key: a name of the table, where tables share a topic.
    pub(crate) key_end: Option<Value>,
    /// Other tables may have the same topic.
    pub(crate) shares_topic: bool,
    /// What hides or cuts values in rows, with the place in the row.
    pub(crate) masks: Vec<(usize, ColumnMask)>,
}

/// What a table is compiled from, beside its relation.
#[derive(Debug)]
pub(crate) struct TableInput<'a> {
    pub(crate) config: &'a PostgresConfig,
    pub(crate) facts: &'a TableFacts,
    pub(crate) types: &'a TypeCatalog,
    /// Values of the defaults that are constants, by column.
    pub(crate) defaults: &'a HashMap<String, Value>,
    /// Who describes the table.
    pub(crate) described_by: DescribedBy,
}

/// Who describes a table. Debezium's schemas tell source types in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DescribedBy {
    /// The catalog, for a snapshot.
    Catalog,
    /// The stream.
    Stream,
}

impl Table {
    /// Compiles a version of a table.
    ///
    /// # Errors
    /// When a captured column has a type without mapping, or the key cannot be had.
    pub(crate) fn compile(relation: Relation, input: &TableInput<'_>) -> Result<Self, SourceError> {
        let config = input.config;
        let qualified = format!("{}.{}", relation.namespace, relation.name);
        let topic = names::topic(config, &relation.namespace, &relation.name);
        let prefix = names::schema_prefix(&topic, config.schema_names);
        let mut fields = Vec::with_capacity(relation.columns.len());
        let mut columns = Vec::with_capacity(relation.columns.len());
        let mut rows_of = HashMap::new();
        let mut masks = Vec::new();
        for column in &relation.columns {
            column::check_sendable(column, &qualified, input)?;
            if !captures_column(config, &qualified, &column.name) {
                columns.push(None);
                continue;
            }
            let Some(compiled) = column::compile(column, &qualified, input)? else {
                columns.push(None);
                continue;
            };
            rows_of.insert(&*column.name, (fields.len(), compiled.key_field));
            masks.extend(compiled.mask.map(|mask| (fields.len(), mask)));
            fields.push(compiled.field);
            columns.push(Some(compiled.plan));
        }
        let key = key_columns(&relation, &qualified, input)?;
        let mut key_places = Vec::with_capacity(key.len());
        let mut key_rows = Vec::with_capacity(key.len());
        let mut key_fields = Vec::with_capacity(key.len());
        for name in &key {
            let place = relation.columns.iter().position(|column| *column.name == **name);
            let (Some(place), Some((row, field))) = (place, rows_of.get(name.as_str())) else {
                return Err(SourceError::KeyColumnMissing { table: qualified, column: name.clone() });
            };
            // Debezium makes the key of a delete from zeros then.
            if config.compatibility == Compatibility::Correct {
                check_identity(&relation, place, &qualified)?;
            }
            key_places.push(place);
            key_rows.push(*row);
            key_fields.push(field.clone());
        }
        let table_key = names::table_key(config, &relation.namespace, &relation.name);
        let key_end = table_key.map(|(field, name)| {
            key_fields.push(Field::new(field, Schema::new(Kind::String)));
            Value::from(name)
        });
        let key =
            (!key_fields.is_empty()).then(|| Schema::record(format!("{prefix}.Key"), key_fields).shared());
        let row = Schema::record(format!("{prefix}.Value"), fields).optional().shared();
        let schema = ChangeSchema::new(&prefix, row, key, key_rows, source_schema());
        Ok(Self {
            schema_name: (&*relation.namespace).into(),
            table_name: (&*relation.name).into(),
            topic: topic.into(),
            qualified,
            schema: Arc::new(schema),
            columns,
            key_places,
            key_end,
            shares_topic: config.topic_naming.routing.is_some()
                || config.topic_naming.parts == TopicParts::Table,
            masks,
            relation,
        })
    }
}

/// Whether a column passes the filters.
pub(crate) fn captures_column(config: &PostgresConfig, qualified: &str, column: &str) -> bool {
    if config.column_include.is_none() && config.column_exclude.is_none() {
        return true;
    }
    let name = format!("{qualified}.{column}");
    config.column_include.as_ref().is_none_or(|list| list.matches(&name))
        && !config.column_exclude.as_ref().is_some_and(|list| list.matches(&name))
}

/// Whether a table passes the filters. PostGIS's own table never does, as in Debezium.
pub(crate) fn captures_table(config: &PostgresConfig, schema: &str, table: &str) -> bool {
    const REFERENCE_SYSTEMS: &str = "spatial_ref_sys";

    let name = format!("{schema}.{table}");
    table != REFERENCE_SYSTEMS
        && config.schema_include.as_ref().is_none_or(|list| list.matches(schema))
        && !config.schema_exclude.as_ref().is_some_and(|list| list.matches(schema))
        && config.table_include.as_ref().is_none_or(|list| list.matches(&name))
        && !config.table_exclude.as_ref().is_some_and(|list| list.matches(&name))
}

/// Names the key's columns: as configured, else the primary key as of the change.
fn key_columns(
    relation: &Relation,
    qualified: &str,
    input: &TableInput<'_>,
) -> Result<Vec<String>, SourceError> {
    if let Some(columns) = input.config.message_keys.columns(qualified) {
        let (present, missing): (Vec<_>, Vec<_>) = columns
            .iter()
            .cloned()
            .partition(|name| relation.columns.iter().any(|column| *column.name == **name));
        match missing.into_iter().next() {
            None => return Ok(present),
            Some(column) if input.config.compatibility == Compatibility::Correct => {
                return Err(SourceError::KeyColumnMissing { table: qualified.to_owned(), column });
            }
            // Debezium makes the key of the others, and of the primary key without any.
            Some(_) if !present.is_empty() => return Ok(present),
            Some(_) => {}
        }
    }
    let identity: Vec<_> = relation.columns.iter().filter(|column| column.key).collect();
    let as_of_the_change = relation.replica_identity == ReplicaIdentity::Default && !identity.is_empty();
    let same = identity.len() == input.facts.key.len()
        && identity.iter().all(|column| input.facts.key.iter().any(|name| **name == *column.name));
    if as_of_the_change && !same {
        // The primary key was replaced since; the catalog tells the new one, the stream the old one.
        return Ok(identity.iter().map(|column| column.name.to_string()).collect());
    }
    Ok(input.facts.key.clone())
}

/// Refuses a key that deletes would not carry.
fn check_identity(relation: &Relation, place: usize, qualified: &str) -> Result<(), SourceError> {
    let partial = matches!(relation.replica_identity, ReplicaIdentity::Default | ReplicaIdentity::Index)
        && relation.columns.iter().any(|column| column.key);
    let column = &relation.columns[place];
    if partial && !column.key {
        return Err(SourceError::IdentityMissesKey {
            table: qualified.to_owned(),
            column: column.name.to_string(),
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "table_tests.rs"]
pub(crate) mod tests;
