//! One version of a table, compiled: schemas for the record, decoders for the columns.
//!
//! The relation message says which columns there are and what types they have, as of the change. The
//! catalog adds what it does not say (required, default, key), as of now.

mod column;
mod defaults;
mod key;
mod rule;
mod source_type;

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use sluice_core::change::ChangeSchema;
use sluice_core::schema::Schema;
use sluice_core::value::Value;

use crate::catalog::TableFacts;
use crate::config::{Compatibility, PostgresConfig, TopicParts};
use crate::error::SourceError;
use crate::mask::ColumnMask;
use crate::names;
use crate::pgoutput::Relation;
use crate::source_block::source_schema;
use crate::types::TypeCatalog;

pub(crate) use column::{ColumnPlan, NullForm, mapping};
pub(crate) use defaults::{DefaultForm, default_form};
pub(crate) use key::column_names as key_column_names;

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
    /// Places of the key columns in the row that is read.
    pub(crate) key_rows: Vec<usize>,
    /// Columns that are in the key only, the last first: they leave the row when the key is made.
    pub(crate) key_only: Vec<KeyOnly>,
    /// What ends each key: a name of the table, where tables share a topic.
    pub(crate) key_end: Option<Value>,
    /// Other tables may have the same topic.
    pub(crate) shares_topic: bool,
    /// What hides or cuts values in rows, with the place in the row.
    pub(crate) masks: Vec<(usize, ColumnMask)>,
}

/// A column that the filters leave out of rows, but not of the key.
#[derive(Debug)]
pub(crate) struct KeyOnly {
    /// Its place in the row that is read.
    pub(crate) place: usize,
    /// What Debezium has for it in a snapshot, whose statement leaves it out; where that is asked for.
    pub(crate) snapshot: Option<Value>,
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
        let key_names = key::column_names(&relation, &qualified, input)?;
        let compiled =
            relation.columns.iter().map(|column| column::compile(column, &qualified, &key_names, input));
        let compiled = compiled.collect::<Result<Vec<_>, _>>()?;
        let key = key::compile(&relation, &qualified, &prefix, key_names, &compiled, input)?;
        let mut fields = Vec::with_capacity(compiled.len());
        let (mut masks, mut key_only) = (Vec::new(), Vec::new());
        for (place, column) in compiled.iter().flatten().enumerate() {
            if column.key_only {
                let invents = config.compatibility == Compatibility::Debezium;
                key_only.insert(0, KeyOnly { place, snapshot: invents.then(|| column.plan.absent.clone()) });
                continue;
            }
            masks.extend(column.mask.clone().map(|mask| (fields.len(), mask)));
            fields.push(column.field.clone());
        }
        let columns = compiled.into_iter().map(|column| column.map(|column| column.plan)).collect();
        let row = Schema::record(format!("{prefix}.Value"), fields).optional().shared();
        let schema = ChangeSchema::new(&prefix, row, key.schema, source_schema());
        Ok(Self {
            schema_name: (&*relation.namespace).into(),
            table_name: (&*relation.name).into(),
            topic: topic.into(),
            qualified,
            schema: Arc::new(schema),
            columns,
            key_places: key.places,
            key_rows: key.rows,
            key_only,
            key_end: key.end,
            shares_topic: config.topic_naming.routing.is_some()
                || config.topic_naming.parts == TopicParts::Table,
            masks,
            relation,
        })
    }

    /// How many values a row has when it is read.
    pub(crate) fn row_width(&self) -> usize {
        self.schema.row.fields().len() + self.key_only.len()
    }
}

/// Whether a column passes the filters.
pub(crate) fn captures_column(config: &PostgresConfig, qualified: &str, column: &str) -> bool {
    if config.column_include.is_none() && config.column_exclude.is_none() {
        return true;
    }
    let name = format!("{qualified}.{column}");
    config.column_include.as_ref().is_none_or(|list| list.matches(&name))
        && !config.column_exclude.as_ref().is_some_and(|list| list.may_match(&name))
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

#[cfg(test)]
#[path = "table_tests.rs"]
pub(crate) mod tests;
