//! What is added to rows of one schema, and what schema they get.
//!
//! Hot path.

use std::sync::{Arc, LazyLock};

use super::{
    super::{TransformError, replace_field::with_fields},
    envelope::{Envelope, Place},
};
use crate::{
    change::field,
    config::Names,
    record::{Datum, Headers},
    schema::{Field, Kind, Schema, SchemaRef},
    value::Value,
};

/// Field that marks deletes in the rewrite modes.
const DELETED: &str = "__deleted";

/// A field of the envelope that `add.fields` or `add.headers` asks for.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// Struct around the field; none for a field of the envelope itself.
    part: Option<Box<str>>,
    /// Name of the field.
    pub(super) field: Box<str>,
    /// Name that it gets.
    pub(super) name: Arc<str>,
}

impl Reference {
    /// Reads `field`, `struct.field` and `…:new_name`.
    ///
    /// # Errors
    /// What is expected, as a phrase.
    pub(super) fn parse_all(prefix: &str, names: &Names) -> Result<Vec<Self>, String> {
        names.0.iter().map(|name| Self::parse(prefix, name)).collect()
    }

    fn parse(prefix: &str, text: &str) -> Result<Self, String> {
        let wrong = || format!("expected field, struct.field or field:new_name, got `{text}`");
        let (path, new_name) = match text.split_once(':') {
            Some((path, new_name)) => (path, Some(new_name)),
            None => (text, None),
        };
        let (part, field) = match path.split_once('.') {
            Some((part, field)) => (Some(part), field),
            None => (None, path),
        };
        let odd = |name: &str| name.is_empty() || name.contains([':', '.']);
        if odd(field)
            || part.is_some_and(odd)
            || new_name.is_some_and(|name| name.is_empty() || name.contains(':'))
        {
            return Err(wrong());
        }
        let name = match (new_name, part) {
            (Some(new_name), _) => format!("{prefix}{new_name}"),
            (None, Some(part)) => format!("{prefix}{part}_{field}"),
            (None, None) => format!("{prefix}{field}"),
        };
        let part = part.or(default_part(field)).map(Into::into);
        Ok(Self { part, field: field.into(), name: name.into() })
    }

    /// Finds the field in an envelope's schema: in its struct, else in the envelope itself.
    fn place(&self, envelope: &Schema) -> Option<(Place, SchemaRef)> {
        let inner = self.part.as_deref().and_then(|part| {
            let outer = envelope.field_index(part)?;
            let schema = &envelope.fields()[outer].schema;
            let inner = schema.field_index(&self.field)?;
            Some((Place::Inner(outer, inner), optional(&schema.fields()[inner].schema)))
        });
        inner.or_else(|| {
            let outer = envelope.field_index(&self.field)?;
            Some((Place::Outer(outer), optional(&envelope.fields()[outer].schema)))
        })
    }
}

/// Struct in which a bare name is looked for.
fn default_part(name: &str) -> Option<&'static str> {
    match name {
        "id" | "total_order" | "data_collection_order" => Some(field::TRANSACTION),
        field::OP | field::TS_MS | field::TS_US | field::TS_NS => None,
        _ => Some(field::SOURCE),
    }
}

/// A copy that allows null and has no default.
fn optional(schema: &Schema) -> SchemaRef {
    Schema { optional: true, default: None, ..schema.clone() }.shared()
}

/// Schema of optional text.
pub(super) fn optional_text() -> SchemaRef {
    static OPTIONAL_TEXT: LazyLock<SchemaRef> =
        LazyLock::new(|| Schema::new(Kind::String).optional().shared());
    Arc::clone(&OPTIONAL_TEXT)
}

/// What to do with the envelopes of one schema.
pub(super) struct Plan {
    /// Schema of the row that comes out.
    pub(super) schema: SchemaRef,
    fields: Vec<Place>,
    headers: Vec<(Arc<str>, Place, SchemaRef)>,
}

impl Plan {
    pub(super) fn new(
        envelope: &Schema,
        row: &Schema,
        rewrite: bool,
        fields: &[Reference],
        headers: &[Reference],
    ) -> Result<Self, TransformError> {
        let mut row_fields = row.fields().to_vec();
        let mut add = |field: Field| {
            if row_fields.iter().any(|other| other.name == field.name) {
                return Err(TransformError::DuplicateField { field: field.name.to_string(), side: "value" });
            }
            row_fields.push(field);
            Ok(())
        };
        if rewrite {
            add(Field::new(DELETED, optional_text()))?;
        }
        let mut places = Vec::with_capacity(fields.len());
        for reference in fields {
            if let Some((place, schema)) = reference.place(envelope) {
                add(Field::new(Arc::clone(&reference.name), schema))?;
                places.push(place);
            }
        }
        let headers = headers
            .iter()
            .filter_map(|reference| {
                let (place, schema) = reference.place(envelope)?;
                Some((Arc::clone(&reference.name), place, schema))
            })
            .collect();
        Ok(Self { schema: with_fields(row, row_fields), fields: places, headers })
    }

    /// Returns the values of the added fields, in the schema's order.
    pub(super) fn field_values(&self, envelope: &Envelope) -> Vec<Value> {
        self.fields.iter().map(|place| envelope.value(*place)).collect()
    }

    /// Appends the added headers.
    pub(super) fn push_headers(&self, envelope: &Envelope, headers: &mut Headers) {
        for (name, place, schema) in &self.headers {
            headers.push(Arc::clone(name), Datum::new(Arc::clone(schema), envelope.value(*place)));
        }
    }
}
