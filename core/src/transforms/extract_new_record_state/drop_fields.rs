//! Dropping the fields that a header lists.

use std::sync::Arc;

use super::super::{TransformError, replace_field::with_fields};
use crate::{
    record::{Datum, Payload, Record},
    schema::Field,
    value::{Struct, Value},
};

/// Drops the fields that a header lists, from the row and perhaps from the key.
pub(super) struct DropFields {
    pub(super) header: String,
    pub(super) from_key: bool,
    pub(super) only_optional: bool,
}

impl DropFields {
    pub(super) fn apply(&self, record: &mut Record) -> Result<(), TransformError> {
        let first = record.headers.iter().find(|header| *header.key == *self.header);
        let Some(names) = first.map(|header| self.names(&header.value.value)).transpose()? else {
            return Ok(());
        };
        if self.from_key {
            self.drop_from(&mut record.key, &names);
        }
        if let Payload::Plain(row) = &mut record.value {
            self.drop_from(row, &names);
        }
        Ok(())
    }

    /// A list of texts, or text that holds a JSON list, as a header without schema arrives from Kafka.
    fn names(&self, value: &Value) -> Result<Vec<String>, TransformError> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let names = match value {
            Value::Null => Some(Vec::new()),
            Value::Array(values) => values.iter().map(text).collect(),
            Value::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        };
        let found = value.type_name();
        names.ok_or_else(|| TransformError::DropFields { header: self.header.clone(), found })
    }

    fn drop_from(&self, datum: &mut Datum, names: &[String]) {
        let drops = |field: &Field| {
            names.iter().any(|name| *name == *field.name) && (field.schema.optional || !self.only_optional)
        };
        let Some(schema) = datum.schema.clone() else { return };
        if !schema.fields().iter().any(drops) || !matches!(datum.value, Value::Struct(_)) {
            return;
        }
        let kept =
            with_fields(&schema, schema.fields().iter().filter(|field| !drops(field)).cloned().collect());
        if let Value::Struct(value) = std::mem::take(&mut datum.value) {
            let (_, values) = value.into_parts();
            let values = values.into_iter().zip(schema.fields()).filter(|(_, field)| !drops(field));
            let values = values.map(|(value, _)| value).collect();
            datum.value = Struct::new(Arc::clone(&kept), values).into();
            datum.schema = Some(kept);
        }
    }
}
