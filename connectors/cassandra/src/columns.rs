//! From a mapping and a record's schemas to a plan's columns.

use std::sync::Arc;

use scylla::cluster::metadata::Table;
use sluice_core::{Record, SchemaRef, record::Payload};

use crate::{
    config::SchemaPolicy,
    error::CassandraError,
    mapping::{self, Mapping, Source},
    planner::Target,
    row::Place,
    schema::{self, TableName, Wanted},
    statement::Column,
    types::Encoder,
};

/// The schemas that a record carries.
pub(crate) struct Schemas<'a> {
    pub(crate) key: Option<&'a SchemaRef>,
    pub(crate) row: Option<&'a SchemaRef>,
}

impl<'a> Schemas<'a> {
    /// Reads a record's schemas.
    ///
    /// # Errors
    /// *Reject* for key or value without one.
    pub(crate) fn of(record: &'a Record) -> Result<Self, CassandraError> {
        let row = match &record.value {
            Payload::Change(change) => Some(&change.schema.row),
            Payload::Plain(datum) if datum.value.is_null() => None,
            Payload::Plain(datum) => Some(datum.schema.as_ref().ok_or_else(|| schemaless(record))?),
        };
        if record.key.schema.is_none() && !record.key.value.is_null() {
            return Err(schemaless(record));
        }
        Ok(Self { key: record.key.schema.as_ref(), row })
    }

    fn find(&self, source: &Source) -> Option<(Place, SchemaRef)> {
        match source {
            Source::Key(path) => resolve(self.key?, path).map(|(path, schema)| (Place::Key(path), schema)),
            Source::Value(path) => {
                let row = self.row?;
                // In the envelope, as DataStax sees it, the row after the change is a field.
                let inside = path.strip_prefix(&["after".to_owned()][..]).filter(|rest| !rest.is_empty());
                resolve(row, path)
                    .or_else(|| resolve(row, inside?))
                    .map(|(path, schema)| (Place::Row(path), schema))
            }
            Source::Header(_) => None,
        }
    }
}

fn resolve(root: &SchemaRef, path: &[String]) -> Option<(Box<[usize]>, SchemaRef)> {
    let mut schema = Arc::clone(root);
    let mut places = Vec::with_capacity(path.len());
    for name in path {
        let index = schema.field_index(name)?;
        places.push(index);
        schema = Arc::clone(&schema.fields()[index].schema);
    }
    Some((places.into(), schema))
}

fn schemaless(record: &Record) -> CassandraError {
    CassandraError::Record {
        topic: record.topic.to_string(),
        what: "has no schema",
        code: "cassandra.no_schema",
        hint: "use a converter with schemas: Avro, or JSON with `schemas.enable=true`",
    }
}

/// Lists the columns of a mapping with the schemas that the record has for them.
pub(crate) fn wanted(
    record: &Record,
    target: &Target,
    mapping: &Mapping,
    schemas: &Schemas<'_>,
) -> Result<Vec<Wanted>, CassandraError> {
    let mut faults = Vec::new();
    let mut wanted = Vec::with_capacity(mapping.columns.len());
    for mapping::MappedColumn { column, source } in &mapping.columns {
        let schema = match source {
            Source::Header(name) => Some(header_schema(record, name)?),
            source => schemas.find(source).map(|(_, schema)| schema),
        };
        let absent = match source {
            Source::Key(_) => schemas.key,
            _ => schemas.row,
        };
        if let (None, Some(absent)) = (&schema, absent) {
            let fields: Vec<_> = absent.fields().iter().map(|field| &*field.name).collect();
            faults.push(format!(
                "the source of column `{column}` is not in the records; they have {}",
                fields.join(", ")
            ));
        }
        let key = matches!(source, Source::Key(_));
        wanted.push(Wanted { name: column.clone(), source: source.clone(), schema, key });
    }
    if faults.is_empty() {
        return Ok(wanted);
    }
    let hint = format!("look at `topic.{}.….mapping`", record.topic);
    Err(CassandraError::Misfit { table: target.table.clone(), faults, hint })
}

fn header_schema(record: &Record, name: &str) -> Result<SchemaRef, CassandraError> {
    let schema = record.headers.last(name).and_then(|header| header.value.schema.clone());
    schema.ok_or_else(|| CassandraError::Record {
        topic: record.topic.to_string(),
        what: "lacks a header that is mapped, or the header has no schema",
        code: "cassandra.header_missing",
        hint: "a header that may be missing cannot be mapped; make a field of it with a transform",
    })
}

/// Finds the place of a mapped source in records of these schemas.
pub(crate) fn mapped_place(source: Option<&Source>, schemas: &Schemas<'_>) -> Option<Place> {
    match source? {
        Source::Header(name) => Some(Place::Header(name.as_str().into())),
        source => schemas.find(source).map(|(place, _)| place),
    }
}

/// Finds the encoder of each column that the record has.
pub(crate) fn compile(
    target: &Target,
    table: &Table,
    wanted: &[Wanted],
    schemas: &Schemas<'_>,
    policy: SchemaPolicy,
) -> Result<Vec<Column>, CassandraError> {
    let mapped = target.settings.is_some() || policy == SchemaPolicy::None;
    let mut faults = schema::misfits(table, wanted, mapped);
    let mut columns = Vec::with_capacity(wanted.len());
    for column in wanted {
        let (Some(schema), Some(found)) = (&column.schema, table.columns.get(&column.name)) else { continue };
        let place = match &column.source {
            Source::Header(name) => Some(Place::Header(name.as_str().into())),
            source => schemas.find(source).map(|(place, _)| place),
        };
        let Some(place) = place else { continue };
        let key = is_primary(table, &column.name);
        match Encoder::compile(schema, &found.typ, key) {
            Ok(encoder) => columns.push(Column { name: column.name.clone(), place, encoder, key }),
            Err(reason) => faults.push(format!("column `{}` {reason}", column.name)),
        }
    }
    if faults.is_empty() { Ok(columns) } else { Err(misfit(&target.table, faults, table, wanted)) }
}

/// Makes the error of a table that does not fit.
pub(crate) fn misfit(
    name: &TableName,
    faults: Vec<String>,
    table: &Table,
    wanted: &[Wanted],
) -> CassandraError {
    CassandraError::Misfit { table: name.clone(), faults, hint: schema::remedy(name, table, wanted) }
}

fn is_primary(table: &Table, name: &str) -> bool {
    table.partition_key.iter().chain(&table.clustering_key).any(|key| key == name)
}

/// Finds the primary key among the columns, in its own order.
pub(crate) fn key_places(
    record: &Record,
    table: &Table,
    columns: &[Column],
) -> Result<Vec<usize>, CassandraError> {
    let names = table.partition_key.iter().chain(&table.clustering_key);
    let places = names.map(|name| columns.iter().position(|column| column.name == **name));
    places.collect::<Option<Vec<_>>>().ok_or_else(|| CassandraError::Record {
        topic: record.topic.to_string(),
        what: "does not carry all columns of the table's primary key",
        code: "cassandra.key_incomplete",
        hint: "deletes carry the key only: map the primary key from `key`, not from `value`",
    })
}
