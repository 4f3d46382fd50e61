//! Defaults that are constants: the server computes them, and they are read as any other value.

use std::collections::HashMap;

use bytes::BytesMut;
use futures_util::{StreamExt as _, pin_mut};
use sluice_core::value::Value;
use tokio_postgres::Client;

use crate::catalog::TableFacts;
use crate::config::PostgresConfig;
use crate::error::SourceError;
use crate::pgoutput::Relation;
use crate::snapshot::copy::CopyRows;
use crate::table::{
    DefaultForm, DescribedBy, TableInput, captures_column, default_form, key_column_names, mapping,
};
use crate::types::{Decoder, TypeCatalog};

/// Oid of `char(n)`.
const BPCHAR: u32 = 1042;

/// A default that is a constant.
struct Constant {
    column: String,
    /// SQL that yields its value.
    term: String,
    decoder: Decoder,
}

/// Returns the values of a relation's defaults, by column. One that cannot be read is none; rows with such a value are
/// told by themselves.
pub(super) async fn constants(
    client: &Client,
    config: &PostgresConfig,
    relation: &Relation,
    facts: &TableFacts,
    types: &TypeCatalog,
) -> Result<HashMap<String, Value>, SourceError> {
    let constants = find(config, relation, facts, types);
    let mut values = HashMap::with_capacity(constants.len());
    if constants.is_empty() {
        return Ok(values);
    }
    let failed = SourceError::sql("computing the defaults of a table");
    let terms: Vec<_> = constants.iter().map(|constant| constant.term.as_str()).collect();
    let query = format!("COPY (SELECT {}) TO STDOUT (FORMAT binary)", terms.join(", "));
    let stream = client.copy_out(&query).await.map_err(failed)?;
    pin_mut!(stream);
    let mut rows = CopyRows::default();
    let mut chunk = BytesMut::new();
    while let Some(message) = stream.next().await {
        let message = message.map_err(failed)?;
        rows.each(&message, |tuple| {
            for (Constant { column, decoder, .. }, value) in constants.iter().zip(tuple) {
                if let Some(Ok(value)) = value?.map(|value| decoder.decode(&message, value, &mut chunk)) {
                    values.insert(column.clone(), value);
                }
            }
            Ok(())
        })?;
    }
    Ok(values)
}

/// Lists the constants among the defaults of captured columns.
fn find(
    config: &PostgresConfig,
    relation: &Relation,
    facts: &TableFacts,
    types: &TypeCatalog,
) -> Vec<Constant> {
    let qualified = format!("{}.{}", relation.namespace, relation.name);
    let none = HashMap::new();
    let input = TableInput { config, facts, types, defaults: &none, described_by: DescribedBy::Catalog };
    // A key that cannot be had is told when the table is compiled.
    let key = key_column_names(relation, &qualified, &input).unwrap_or_default();
    let constants = relation.columns.iter().filter_map(|column| {
        let fact = facts.column(&column.name).filter(|fact| fact.type_oid == column.type_id)?;
        let default = fact.default.as_deref()?;
        let mapping = mapping(column, &input)?;
        if default_form(default) != DefaultForm::Constant
            || !captures_column(config, &qualified, &column.name)
                && !key.iter().any(|name| **name == *column.name)
        {
            return None;
        }
        let text = if mapping.text { "::text" } else { "" };
        // As written: Debezium does not fill up a short `char`.
        let type_name = if fact.type_oid == BPCHAR { "bpchar" } else { &*fact.type_name };
        Some(Constant {
            column: fact.name.clone(),
            term: format!("CAST({default} AS {type_name}){text}"),
            decoder: mapping.snapshot.unwrap_or(mapping.decoder),
        })
    });
    constants.collect()
}
