//! One column, compiled: its fields in row and key, its decoders, and what hides its values.

use sluice_core::schema::{Field, debezium};
use sluice_core::value::Value;

use super::defaults::default_value;
use super::{DescribedBy, TableInput, captures_column, rule};
use crate::catalog::ColumnFacts;
use crate::config::{Compatibility, PostgresConfig};
use crate::error::SourceError;
use crate::mask::ColumnMask;
use crate::names;
use crate::pgoutput::RelationColumn;
use crate::types::{self, Decoder, Mapping, Modes, ResolvedType};

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
    /// What stands in an old row that does not tell this column: null, or as Debezium an invented value where that
    /// cannot stand.
    pub(crate) absent: Value,
    /// What stands for a large value that did not change and was not sent.
    pub(crate) unchanged: Value,
    /// What becomes of NULL.
    pub(crate) null: NullForm,
    /// Part of the replica identity.
    pub(crate) identity: bool,
}

/// What becomes of NULL. A column that is NOT NULL by today's catalog may have it in rows from before, which are read late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullForm {
    /// The schema allows it.
    Null,
    /// The schema does not: from here on it is made to.
    Misfit,
    /// As in Debezium it becomes what stands for an absent value.
    Absent,
}

/// A column as its table holds it.
pub(super) struct Compiled {
    /// Field in rows.
    pub(super) field: Field,
    /// Field in a key, which tells nothing of what is done to the values of rows.
    pub(super) key_field: Field,
    pub(super) plan: ColumnPlan,
    pub(super) mask: Option<ColumnMask>,
    /// The filters leave it out of rows.
    pub(super) key_only: bool,
}

/// Compiles a column; `None` for one that is neither captured nor in the key, `key`, or that Debezium leaves out, where
/// that is asked for.
pub(super) fn compile(
    column: &RelationColumn,
    qualified: &str,
    key: &[String],
    input: &TableInput<'_>,
) -> Result<Option<Compiled>, SourceError> {
    let config = input.config;
    check_sendable(column, qualified, input)?;
    let key_only = !captures_column(config, qualified, &column.name);
    if key_only && !key.iter().any(|name| **name == *column.name) {
        return Ok(None);
    }
    let Some((type_, mut mapping)) = map(column, input) else {
        return leave_out(column, qualified, input).map(|()| None);
    };
    // Debezium asks the catalog for columns of rows only when the stream describes a table.
    let unknown = key_only && input.described_by == DescribedBy::Stream;
    let facts = facts(column, input).filter(|_| !unknown);
    let debezium = config.compatibility == Compatibility::Debezium;
    let required = facts.is_some_and(|facts| facts.not_null && (debezium || !facts.unvalidated));
    // In Debezium's schemas a geometry may always be missing.
    mapping.schema.optional = !required || mapping.schema.is_named(debezium::GEOMETRY);
    let unchanged = types::unchanged(&type_, &mapping, modes(config), &config.unavailable_placeholder);
    let Mapping { mut schema, decoder, snapshot, text } = mapping;
    schema.default =
        facts.and_then(|facts| default_value(facts, &type_, &schema, input.defaults, config.compatibility));
    let absent = match (required, &schema.default) {
        (false, _) => Value::Null,
        (true, Some(default)) => default.clone(),
        (true, None) => types::absent(&type_, &schema, modes(config)),
    };
    let null = match schema.optional {
        true => NullForm::Null,
        false if debezium => NullForm::Absent,
        false => NullForm::Misfit,
    };
    let (name, identity) = (column.name.to_string(), column.key);
    let plan = ColumnPlan { name, decoder, snapshot, text, absent, unchanged, null, identity };
    let name = names::field(&column.name, config.field_names.0);
    let key_field = Field::new(name.as_str(), schema.clone());
    let (schema, mask) = rule::apply(column, qualified, &type_, schema, input);
    Ok(Some(Compiled { field: Field::new(name, schema), key_field, plan, mask, key_only }))
}

/// What the catalog says of a column. One that was altered since has other facts; the relation knows better.
pub(super) fn facts<'a>(column: &RelationColumn, input: &TableInput<'a>) -> Option<&'a ColumnFacts> {
    input.facts.column(&column.name).filter(|facts| facts.type_oid == column.type_id)
}

fn shown_type(column: &RelationColumn, input: &TableInput<'_>) -> String {
    facts(column, input).map_or_else(|| format!("oid {}", column.type_id), |facts| facts.type_name.clone())
}

/// Leaves a column out whose type has no mapping, as Debezium does; refuses it where that is not asked for.
fn leave_out(column: &RelationColumn, qualified: &str, input: &TableInput<'_>) -> Result<(), SourceError> {
    let type_name = shown_type(column, input);
    if leaves_out(column, input) {
        tracing::warn!(
            table = qualified,
            column = &*column.name,
            type_name,
            "column is left out, as by Debezium"
        );
        return Ok(());
    }
    let (table, column) = (qualified.to_owned(), column.name.to_string());
    Err(SourceError::UnknownType { table, column, type_name, included: input.config.include_unknown })
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
        type_name: shown_type(column, input),
    })
}

/// Maps a column's type.
pub(crate) fn mapping(column: &RelationColumn, input: &TableInput<'_>) -> Option<Mapping> {
    map(column, input).map(|(_, mapping)| mapping)
}

fn map(column: &RelationColumn, input: &TableInput<'_>) -> Option<(ResolvedType, Mapping)> {
    let type_ = input.types.resolve(column.type_id, column.type_modifier)?;
    let mapping = types::map(&type_, modes(input.config))?;
    Some((type_, mapping))
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
