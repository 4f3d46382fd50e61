//! One version of a table, compiled: schemas for the record, decoders for the columns.
//!
//! The relation message says which columns there are and what types they have, as of the change. The
//! catalog adds what it does not say (required, default, key), as of now.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bytestring::ByteString;
use sluice_core::change::ChangeSchema;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef, debezium};
use sluice_core::value::Value;

use crate::catalog::{ColumnFacts, TableFacts};
use crate::config::{Compatibility, PostgresConfig};
use crate::error::SourceError;
use crate::names;
use crate::pgoutput::{Relation, RelationColumn, ReplicaIdentity};
use crate::types::{self, Decoder, Mapping, Modes, TypeCatalog};

/// Values of `source.snapshot`, as Debezium lists them.
const SNAPSHOT_MARKERS: &str =
    "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";

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
}

/// How one column is read.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    /// Reads what the stream carries, and a snapshot unless it has its own decoder.
    pub(crate) decoder: Decoder,
    /// Reads what a snapshot carries, where Debezium's differs and is asked for.
    pub(crate) snapshot: Option<Decoder>,
    /// A snapshot must ask for the text, as the type has no binary form.
    pub(crate) text: bool,
    /// What stands for NULL: null, or as Debezium the default where that is asked for.
    pub(crate) null: Value,
    /// What stands in an old row that does not tell this column: null, or as Debezium an invented
    /// value where null cannot stand.
    pub(crate) absent: Value,
    /// Part of the replica identity.
    pub(crate) identity: bool,
}

/// What a table is compiled from, beside its relation.
#[derive(Debug)]
pub(crate) struct TableInput<'a> {
    pub(crate) config: &'a PostgresConfig,
    pub(crate) facts: &'a TableFacts,
    pub(crate) types: &'a TypeCatalog,
    /// Values of the defaults that are constants, by column.
    pub(crate) defaults: &'a HashMap<String, Value>,
}

/// The default of a column, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultForm {
    /// A literal, perhaps cast: it becomes the schema's default.
    Constant,
    /// A function call, such as `nextval`, `now()` or `CURRENT_DATE`: Debezium writes the zero of the type.
    Function,
    /// Anything else; the schema has no default.
    Other,
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
        for column in &relation.columns {
            check_sendable(column, &qualified, input)?;
            if !captures_column(config, &qualified, &column.name) {
                columns.push(None);
                continue;
            }
            let Some((field, plan)) = compile_column(column, &qualified, input)? else {
                columns.push(None);
                continue;
            };
            rows_of.insert(&*column.name, fields.len());
            fields.push(field);
            columns.push(Some(plan));
        }
        let key = key_columns(&relation, &qualified, input)?;
        let mut key_places = Vec::with_capacity(key.len());
        let mut key_rows = Vec::with_capacity(key.len());
        let mut key_fields = Vec::with_capacity(key.len());
        for name in &key {
            let place = relation.columns.iter().position(|column| *column.name == **name);
            let (Some(place), Some(row)) = (place, rows_of.get(name.as_str())) else {
                return Err(SourceError::KeyColumnMissing { table: qualified, column: name.clone() });
            };
            // Debezium makes the key of a delete from zeros then.
            if config.compatibility == Compatibility::Correct {
                check_identity(&relation, place, &qualified)?;
            }
            key_places.push(place);
            key_rows.push(*row);
            key_fields.push(fields[*row].clone());
        }
        let key = (!key.is_empty()).then(|| Schema::record(format!("{prefix}.Key"), key_fields).shared());
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
            relation,
        })
    }
}

/// Compiles a column; `None` for one that Debezium leaves out without a word, where that is asked for.
fn compile_column(
    column: &RelationColumn,
    qualified: &str,
    input: &TableInput<'_>,
) -> Result<Option<(Field, ColumnPlan)>, SourceError> {
    // A column that was altered since has other facts; the relation knows better.
    let facts = input.facts.column(&column.name).filter(|facts| facts.type_oid == column.type_id);
    let Some(Mapping { mut schema, decoder, snapshot, text }) = mapping(column, input) else {
        let type_name = type_name(column, input);
        if leaves_out(column, input) {
            tracing::warn!(
                table = qualified,
                column = &*column.name,
                type_name,
                "column is left out, as by Debezium"
            );
            return Ok(None);
        }
        let (table, column) = (qualified.to_owned(), column.name.to_string());
        return Err(SourceError::UnknownType { table, column, type_name });
    };
    let required = facts.is_some_and(|facts| facts.not_null);
    schema.optional = !required;
    schema.default = facts.and_then(|facts| default_value(facts, &schema, input.defaults));
    let absent = match (required, &schema.default) {
        (false, _) => Value::Null,
        (true, Some(default)) => default.clone(),
        (true, None) => types::zero(&schema).unwrap_or_default(),
    };
    let null = match input.config.compatibility {
        Compatibility::Correct => Value::Null,
        Compatibility::Debezium => schema.default.clone().unwrap_or_default(),
    };
    let name = names::field(&column.name, input.config.field_names.0);
    let plan = ColumnPlan {
        name: column.name.to_string(),
        decoder,
        snapshot,
        text,
        null,
        absent,
        identity: column.key,
    };
    Ok(Some((Field::new(name, schema), plan)))
}

fn type_name(column: &RelationColumn, input: &TableInput<'_>) -> String {
    let facts = input.facts.column(&column.name).filter(|facts| facts.type_oid == column.type_id);
    facts.map_or_else(|| format!("oid {}", column.type_id), |facts| facts.type_name.clone())
}

/// Debezium has no column for a type that it does not know, and none for some arrays ever.
fn leaves_out(column: &RelationColumn, input: &TableInput<'_>) -> bool {
    let config = input.config;
    let type_ = input.types.resolve(column.type_id, column.type_modifier);
    config.compatibility == Compatibility::Debezium
        && type_.is_some_and(|type_| !config.include_unknown || types::leaves_out(&type_, modes(config)))
}

/// Refuses a type whose binary form Postgres fails to send, captured or not: the stream would break.
fn check_sendable(
    column: &RelationColumn,
    qualified: &str,
    input: &TableInput<'_>,
) -> Result<(), SourceError> {
    let type_ = input.types.resolve(column.type_id, column.type_modifier);
    if type_.is_none_or(|type_| type_.is_sendable()) {
        return Ok(());
    }
    Err(SourceError::Unsendable {
        table: qualified.to_owned(),
        column: column.name.to_string(),
        type_name: type_name(column, input),
    })
}

/// Maps a column's type.
pub(crate) fn mapping(column: &RelationColumn, input: &TableInput<'_>) -> Option<Mapping> {
    let type_ = input.types.resolve(column.type_id, column.type_modifier)?;
    types::map(&type_, modes(input.config))
}

fn modes(config: &PostgresConfig) -> Modes {
    Modes {
        decimal: config.decimal,
        money_digits: u8::try_from(config.money_digits).unwrap_or(u8::MAX),
        time: config.time,
        binary: config.binary,
        hstore: config.hstore,
        interval: config.interval,
        unknown: config.include_unknown,
        compatibility: config.compatibility,
    }
}

fn default_value(facts: &ColumnFacts, schema: &Schema, constants: &HashMap<String, Value>) -> Option<Value> {
    let holds_default = match &schema.kind {
        // Connect cannot hold defaults of structs; Debezium writes none for lists and plain bytes either.
        Kind::Struct(_) | Kind::Array(_) => false,
        Kind::Bytes => schema.name.is_some(),
        _ => true,
    };
    if !holds_default {
        return None;
    }
    match default_form(facts.default.as_deref()?) {
        DefaultForm::Constant => constants.get(&facts.name).cloned(),
        DefaultForm::Function => types::zero(schema),
        DefaultForm::Other => None,
    }
}

/// Tells the form of a default as `pg_get_expr` prints it.
pub(crate) fn default_form(expression: &str) -> DefaultForm {
    static CONSTANT: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(
            r#"^(?:'(?:[^']|'')*'|\(?-?[0-9]+(?:\.[0-9]+)?\)?|true|false)(?:::[A-Za-z_"][^'()]*(?:\([0-9, ]*\))?[A-Za-z \[\]]*)*$"#,
        )
        .expect("the pattern is a constant")
    });
    static FUNCTION: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(
            r#"^(?:[A-Za-z_"][A-Za-z0-9_."]*\(|(?:CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)$)"#,
        )
        .expect("the pattern is a constant")
    });
    if CONSTANT.is_match(expression) {
        return DefaultForm::Constant;
    }
    match FUNCTION.is_match(expression) {
        true => DefaultForm::Function,
        false => DefaultForm::Other,
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

/// Whether a table passes the filters.
pub(crate) fn captures_table(config: &PostgresConfig, schema: &str, table: &str) -> bool {
    let name = format!("{schema}.{table}");
    config.schema_include.as_ref().is_none_or(|list| list.matches(schema))
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
        let missing =
            columns.iter().find(|name| !relation.columns.iter().any(|column| *column.name == ***name));
        return match missing {
            None => Ok(columns.to_vec()),
            Some(column) => {
                Err(SourceError::KeyColumnMissing { table: qualified.to_owned(), column: column.clone() })
            }
        };
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

/// Returns the schema of the source block, the same for all tables.
pub(crate) fn source_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let required = |name: &str, kind| Field::new(name, Schema::new(kind));
        let optional = |name: &str, kind| Field::new(name, Schema::new(kind).optional());
        let snapshot = Schema::new(Kind::String)
            .named(debezium::ENUM)
            .versioned(1)
            .with_parameter("allowed", SNAPSHOT_MARKERS)
            .with_default(Value::from_static("false"))
            .optional();
        let fields = vec![
            required("version", Kind::String),
            required("connector", Kind::String),
            required("name", Kind::String),
            required("ts_ms", Kind::Int64),
            Field::new("snapshot", snapshot),
            required("db", Kind::String),
            optional("sequence", Kind::String),
            optional("ts_us", Kind::Int64),
            optional("ts_ns", Kind::Int64),
            required("schema", Kind::String),
            required("table", Kind::String),
            optional("txId", Kind::Int64),
            optional("lsn", Kind::Int64),
            optional("xmin", Kind::Int64),
            optional("origin", Kind::String),
            optional("origin_lsn", Kind::Int64),
        ];
        Schema::record("io.debezium.connector.postgresql.Source", fields).versioned(1).shared()
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
#[path = "table_tests.rs"]
pub(crate) mod tests;
