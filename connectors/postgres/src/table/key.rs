//! The key of a table: which columns it is made of, and what a delete can tell of them.

use std::sync::Arc;

use sluice_core::schema::{Field, Kind, Schema};
use sluice_core::value::Value;

use super::TableInput;
use super::column::Compiled;
use crate::config::Compatibility;
use crate::error::SourceError;
use crate::names;
use crate::pgoutput::{Relation, ReplicaIdentity};

/// A key, compiled.
pub(super) struct Key {
    /// Places of its columns in the relation.
    pub(super) places: Vec<usize>,
    /// Places of its columns in rows.
    pub(super) rows: Vec<usize>,
    /// What ends it: a name of the table, where tables share a topic.
    pub(super) end: Option<Value>,
    /// None without columns and without an end.
    pub(super) schema: Option<Arc<Schema>>,
}

/// Compiles the key, of the columns `names`, of a relation whose columns are `columns`; `prefix` is that of schema names.
///
/// # Errors
/// When a column is not there, or not in what deletes carry.
pub(super) fn compile(
    relation: &Relation,
    qualified: &str,
    prefix: &str,
    names: Vec<String>,
    columns: &[Option<Compiled>],
    input: &TableInput<'_>,
) -> Result<Key, SourceError> {
    let mut places = Vec::with_capacity(names.len());
    let mut rows = Vec::with_capacity(names.len());
    let mut fields = Vec::with_capacity(names.len() + 1);
    for name in names {
        let place = relation.columns.iter().position(|column| *column.name == *name);
        let Some((place, column)) = place.and_then(|place| Some((place, columns[place].as_ref()?))) else {
            return Err(SourceError::KeyColumnMissing { table: qualified.to_owned(), column: name });
        };
        // Debezium makes the key of a delete from zeros then.
        if input.config.compatibility == Compatibility::Correct {
            check_identity(relation, place, qualified)?;
        }
        places.push(place);
        rows.push(columns[..place].iter().flatten().count());
        fields.push(column.key_field.clone());
    }
    let end = names::table_key(input.config, &relation.namespace, &relation.name).map(|(field, name)| {
        fields.push(Field::new(field, Schema::new(Kind::String)));
        Value::from(name)
    });
    let schema = (!fields.is_empty()).then(|| Schema::record(format!("{prefix}.Key"), fields).shared());
    Ok(Key { places, rows, end, schema })
}

/// Names the key's columns: as configured, else the primary key as of the change.
///
/// # Errors
/// When one that is configured is not there.
pub(crate) fn column_names(
    relation: &Relation,
    qualified: &str,
    input: &TableInput<'_>,
) -> Result<Vec<String>, SourceError> {
    let names = relation.columns.iter().map(|column| &*column.name);
    let (present, missing) = input.config.message_keys.columns(qualified, &names);
    if let Some(column) = missing.first()
        && input.config.compatibility == Compatibility::Correct
    {
        let column = (*column).to_owned();
        return Err(SourceError::KeyColumnMissing { table: qualified.to_owned(), column });
    }
    // Debezium makes the key of those that are there, and of the primary key without any.
    if !present.is_empty() {
        return Ok(present.into_iter().map(str::to_owned).collect());
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
