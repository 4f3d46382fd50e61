//! What a property does to single columns, beside their mapping: cut, mask, hash, tell the source type.

use bytestring::ByteString;
use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

use super::TableInput;
use super::column::facts;
use super::source_type::{Size, propagate, type_name};
use crate::config::{Compatibility, Hashing, PostgresConfig};
use crate::mask::{ColumnMask, Mask};
use crate::pgoutput::RelationColumn;
use crate::types::{Form, ResolvedType};

/// The one rule of a column: the first that a property names, in Debezium's order.
enum Rule {
    /// `column.truncate.to.LENGTH.chars`.
    Truncate(usize),
    /// `column.mask.with.LENGTH.chars`.
    Mask(usize),
    /// `column.propagate.source.type`, `datatype.propagate.source.type`.
    Propagate,
    /// `column.mask.hash.…`.
    Hash(Hashing),
}

impl Rule {
    /// Finds the rule for `qualified`.`column`; `type_name` is asked for only if types have rules.
    fn of<'a>(
        config: &PostgresConfig,
        qualified: &str,
        column: &str,
        type_name: impl FnOnce() -> &'a str,
    ) -> Option<Self> {
        let name = format!("{qualified}.{column}");
        if let Some(length) = config.truncated_columns.of(&name) {
            return Some(Self::Truncate(length));
        }
        if let Some(length) = config.masked_columns.of(&name) {
            return Some(Self::Mask(length));
        }
        let (columns, types) = (&config.propagated_columns, &config.propagated_types);
        if columns.as_ref().is_some_and(|list| list.matches(&name))
            || types.as_ref().is_some_and(|list| list.matches(&format!("{qualified}.{}", type_name())))
        {
            return Some(Self::Propagate);
        }
        config.hashed_columns.of(&name).cloned().map(Self::Hash)
    }
}

/// Applies a column's rule to its schema in rows; returns also what is to be done to its values.
pub(super) fn apply(
    column: &RelationColumn,
    qualified: &str,
    type_: &ResolvedType,
    schema: Schema,
    input: &TableInput<'_>,
) -> (Schema, Option<ColumnMask>) {
    let config = input.config;
    let size = || Size::of(type_, input.described_by);
    let type_name = || {
        let name = input.types.0.get(&column.type_id).map_or("", |row| &row.name);
        type_name(name, facts(column, input).and_then(|facts| facts.default.as_deref()), input.described_by)
    };
    let mask = match Rule::of(config, qualified, &column.name, type_name) {
        None => return (schema, None),
        Some(Rule::Propagate) => return (propagate(schema, type_name(), size(), &column.name), None),
        Some(Rule::Truncate(length)) if length >= size().characters() => return (schema, None),
        Some(Rule::Truncate(length)) => {
            let can_be_cut = matches!((&schema.kind, &schema.name), (Kind::String, _) | (Kind::Bytes, None));
            let mask = can_be_cut.then(|| column_mask(Mask::Truncate(length), &schema, config));
            return (schema.with_parameter("truncateLength", length.to_string()), mask);
        }
        Some(Rule::Mask(length)) => Mask::Fixed("*".repeat(length).into()),
        Some(Rule::Hash(hashing)) => Mask::Hash { hashing, length: size().characters() },
    };
    let mask = is_text(type_).then(|| column_mask(mask, &schema, config));
    if mask.is_none() {
        tracing::warn!(
            table = qualified,
            column = &*column.name,
            "column is masked by a property, but only text can be; its values are sent as they are, as by Debezium"
        );
    }
    (schema.with_parameter("masked", "true"), mask)
}

fn column_mask(mask: Mask, schema: &Schema, config: &PostgresConfig) -> ColumnMask {
    let unavailable = match (config.compatibility, &schema.kind) {
        (Compatibility::Debezium, Kind::String) => {
            Value::String(ByteString::from(config.unavailable_placeholder.as_str()))
        }
        _ => Value::Unavailable,
    };
    ColumnMask::new(mask, unavailable)
}

/// Whether the driver of Debezium takes a type for text, which alone is masked.
fn is_text(type_: &ResolvedType) -> bool {
    match type_.form {
        Form::Enum(_) => true,
        Form::Base => {
            type_.built_in() && matches!(&*type_.name, "text" | "varchar" | "bpchar" | "char" | "name")
        }
        _ => false,
    }
}
