//! `ExtractNewRecordState` ("unwrap"): from Debezium's envelope to the row.
//!
//! Hot path. Works on the typed change: the row is moved, not copied, and the schema it gets is derived
//! once per envelope schema. The record's origin is left alone, so that a sink still knows operation and
//! position. An envelope that an earlier transform made into a struct is recognised by its name's end,
//! as in the original, and takes the same way.
//!
//! | mode | insert, update, read | delete | tombstone |
//! |---|---|---|---|
//! | `drop` | row after | dropped | dropped |
//! | `tombstone` | row after | null, with the row's schema | dropped |
//! | `rewrite` | row after, `__deleted` = `false` | row before, `__deleted` = `true` | dropped |
//! | `rewrite-with-tombstone` | the same | the same | kept |
//! | `delete-to-tombstone` | row after | null, without schema | dropped |
//!
//! A truncate is dropped; anything that is no envelope, logical messages among it, passes unchanged. Seen in
//! recordings of the original: the row's schema becomes required, added fields become optional and
//! lose their default, added headers stand last.
//!
//! Deviations: `drop.tombstones` and `delete.handling.mode`, which newer originals no longer know, are
//! understood; a delete without a row before is still a delete and not taken for a truncate; dropping
//! fields by header leaves the nulls of other fields alone.

mod drop_fields;
mod envelope;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::{
    envelope::{Envelope, RowSide},
    plan::{Plan, Reference},
};
use super::{
    TransformError,
    cache::{ByAddress, Cache},
    replace_field::fill_defaults,
};
use crate::{
    change::{Operation, field},
    config::{Fault, Names},
    config_enum,
    error::Error,
    record::{Datum, Payload, Record},
    schema::SchemaRef,
    transform::{Transform, TransformFactory, Transformed},
    value::{Struct, Value},
};

config_enum! {
    /// `delete.tombstone.handling.mode`.
    pub enum DeleteTombstoneHandling {
        /// Neither deletes nor tombstones go on.
        Drop = "drop",
        /// A delete becomes a null with the row's schema; tombstones are dropped.
        Tombstone = "tombstone",
        /// A delete becomes the row before, marked in `__deleted`; tombstones are dropped.
        Rewrite = "rewrite",
        /// As `rewrite`, and tombstones go on.
        RewriteWithTombstone = "rewrite-with-tombstone",
        /// A delete becomes a null without schema; tombstones are dropped.
        DeleteToTombstone = "delete-to-tombstone",
    }
}

config_enum! {
    /// `delete.handling.mode`, the older property.
    pub enum DeleteHandling {
        /// Deletes are dropped.
        Drop = "drop",
        /// A delete becomes the row before, marked in `__deleted`.
        Rewrite = "rewrite",
        /// A delete becomes a null with the row's schema.
        None = "none",
    }
}

crate::config! {
    /// Properties of `ExtractNewRecordState`.
    pub struct ExtractNewRecordStateConfig {
        /// What becomes of deletes and tombstones; `tombstone` when not set: of each delete one null is left.
        "delete.tombstone.handling.mode" => mode: Option<DeleteTombstoneHandling>,
        /// Older property, with `drop.tombstones`, in place of `delete.tombstone.handling.mode`; `drop` when
        /// only the other is set.
        "delete.handling.mode" => delete_handling: Option<DeleteHandling>,
        /// Older property, with `delete.handling.mode`: whether tombstones are dropped; `true` when only the
        /// other is set.
        "drop.tombstones" => drop_tombstones: Option<bool>,
        /// Fields of the envelope to add to the row, such as `op,source.lsn,ts_ms:changed_at`. A bare name is
        /// looked for in `source`, those of the transaction block in `transaction`; what is not there is left out.
        "add.fields" => add_fields: Names,
        /// Put before the names of added fields. With a struct given, its name follows: `__source_lsn`.
        "add.fields.prefix" => add_fields_prefix: String = "__",
        /// Fields of the envelope to add as headers, written as for `add.fields`. A tombstone gets `op` only.
        "add.headers" => add_headers: Names,
        /// Put before the names of added headers.
        "add.headers.prefix" => add_headers_prefix: String = "__",
        /// Text column whose value becomes the topic; a null or empty one leaves the topic.
        "route.by.field" => route_by_field: String = "",
        /// Header that lists fields to drop from the row.
        "drop.fields.header.name" => drop_fields_header: Option<String>,
        /// Whether those fields are dropped from the key, too.
        "drop.fields.from.key" => drop_fields_from_key: bool = "false",
        /// Whether only those of them are dropped that are optional.
        "drop.fields.keep.schema.compatible" => drop_only_optional: bool = "true",
        /// Whether the rewrite modes put the default for a null in a field that has one.
        "replace.null.with.default" => replace_null: bool = "true",
    }
}

/// Unwraps Debezium's envelope.
#[derive(Debug, Clone, Copy)]
pub struct ExtractNewRecordState;

/// An [`ExtractNewRecordState`] at work.
pub struct Unwrap {
    deletes: Deletes,
    keep_tombstones: bool,
    replace_null: bool,
    route_by_field: Option<String>,
    fields: Vec<Reference>,
    headers: Vec<Reference>,
    drop_fields: Option<drop_fields::DropFields>,
    plans: Cache<(ByAddress, ByAddress), Arc<Plan>>,
}

/// What a delete becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deletes {
    Drop,
    NullRow,
    Tombstone,
    Rewrite,
}

impl TransformFactory for ExtractNewRecordState {
    const NAME: &'static str = "io.debezium.transforms.ExtractNewRecordState";
    type Config = ExtractNewRecordStateConfig;
    type Transform = Unwrap;

    fn build(&self, config: ExtractNewRecordStateConfig) -> Result<Unwrap, Vec<Fault>> {
        let mut faults = Vec::new();
        let (deletes, keep_tombstones) = handling(&config, &mut faults);
        let mut references = |property: &str, prefix: &str, names: &Names| {
            Reference::parse_all(prefix, names).unwrap_or_else(|reason| {
                faults.push(Fault::invalid(property, reason));
                Vec::new()
            })
        };
        let fields = references("add.fields", &config.add_fields_prefix, &config.add_fields);
        let headers = references("add.headers", &config.add_headers_prefix, &config.add_headers);
        let drop_fields = config.drop_fields_header.map(|header| drop_fields::DropFields {
            header,
            from_key: config.drop_fields_from_key,
            only_optional: config.drop_only_optional,
        });
        let unwrap = Unwrap {
            deletes,
            keep_tombstones,
            replace_null: config.replace_null && deletes == Deletes::Rewrite,
            route_by_field: Some(config.route_by_field).filter(|field| !field.is_empty()),
            fields,
            headers,
            drop_fields,
            plans: Cache::default(),
        };
        if faults.is_empty() { Ok(unwrap) } else { Err(faults) }
    }
}

/// Joins the newer property with the two older ones.
fn handling(config: &ExtractNewRecordStateConfig, faults: &mut Vec<Fault>) -> (Deletes, bool) {
    use DeleteTombstoneHandling as Mode;

    if config.delete_handling.is_some() || config.drop_tombstones.is_some() {
        if config.mode.is_some() {
            let old =
                if config.delete_handling.is_some() { "delete.handling.mode" } else { "drop.tombstones" };
            let message = "contradicts `delete.tombstone.handling.mode`, which replaces it; remove one";
            faults.push(Fault::invalid(old, message));
        }
        let deletes = match config.delete_handling.unwrap_or(DeleteHandling::Drop) {
            DeleteHandling::Drop => Deletes::Drop,
            DeleteHandling::Rewrite => Deletes::Rewrite,
            DeleteHandling::None => Deletes::NullRow,
        };
        return (deletes, !config.drop_tombstones.unwrap_or(true));
    }
    match config.mode.unwrap_or(Mode::Tombstone) {
        Mode::Drop => (Deletes::Drop, false),
        Mode::Tombstone => (Deletes::NullRow, false),
        Mode::Rewrite => (Deletes::Rewrite, false),
        Mode::RewriteWithTombstone => (Deletes::Rewrite, true),
        Mode::DeleteToTombstone => (Deletes::Tombstone, false),
    }
}

impl Transform for Unwrap {
    fn apply(&self, mut record: Record) -> Result<Transformed, Error> {
        let value = match std::mem::replace(&mut record.value, Payload::TOMBSTONE) {
            Payload::Plain(Datum { schema, value: Value::Null }) => {
                record.value = Payload::Plain(Datum { schema, value: Value::Null });
                return Ok(self.tombstone(record));
            }
            value => value,
        };
        let envelope = match Envelope::recognise(value) {
            Ok(envelope) => envelope,
            Err(other) => {
                record.value = other;
                return Ok(Transformed::Keep(record));
            }
        };
        match envelope.operation() {
            Some(Operation::Truncate) => Ok(Transformed::Drop),
            Some(Operation::Delete) => self.delete(record, envelope),
            _ if envelope.has_row(RowSide::After) => {
                self.row(record, envelope, RowSide::After, "false").map(Transformed::Keep)
            }
            _ if envelope.has_row(RowSide::Before) => self.delete(record, envelope),
            _ => Ok(Transformed::Drop),
        }
    }
}

impl Unwrap {
    fn tombstone(&self, mut record: Record) -> Transformed {
        if !self.keep_tombstones {
            return Transformed::Drop;
        }
        for header in self.headers.iter().filter(|header| &*header.field == field::OP) {
            let schema = plan::optional_text();
            let value = Value::from_static(Operation::Delete.code());
            record.headers.push(Arc::clone(&header.name), Datum::new(schema, value));
        }
        Transformed::Keep(record)
    }

    fn delete(&self, mut record: Record, envelope: Envelope) -> Result<Transformed, Error> {
        if self.deletes == Deletes::Drop {
            return Ok(Transformed::Drop);
        }
        if self.deletes == Deletes::Rewrite && envelope.has_row(RowSide::Before) {
            return self.row(record, envelope, RowSide::Before, "true").map(Transformed::Keep);
        }
        let plan = self.plan(&envelope, RowSide::Before)?;
        plan.push_headers(&envelope, &mut record.headers);
        self.route(&mut record, &envelope, RowSide::Before)?;
        record.value = match self.deletes {
            Deletes::Tombstone => Payload::TOMBSTONE,
            _ => Payload::Plain(Datum {
                schema: envelope.row_schema(RowSide::After).cloned(),
                value: Value::Null,
            }),
        };
        if let Some(drop_fields) = &self.drop_fields {
            drop_fields.apply(&mut record)?;
        }
        Ok(Transformed::Keep(record))
    }

    fn row(
        &self,
        mut record: Record,
        mut envelope: Envelope,
        side: RowSide,
        deleted: &'static str,
    ) -> Result<Record, Error> {
        let plan = self.plan(&envelope, side)?;
        plan.push_headers(&envelope, &mut record.headers);
        self.route(&mut record, &envelope, side)?;
        let added = plan.field_values(&envelope);
        let Some((row_schema, mut values)) = envelope.take_row(side) else { return Ok(record) };
        if self.replace_null {
            fill_defaults(&row_schema, &mut values);
        }
        values.reserve_exact(plan.schema.fields().len().saturating_sub(values.len()));
        if self.deletes == Deletes::Rewrite {
            values.push(Value::from_static(deleted));
        }
        values.extend(added);
        record.value = Payload::Plain(Datum::new(
            Arc::clone(&plan.schema),
            Struct::new(Arc::clone(&plan.schema), values).into(),
        ));
        if let Some(drop_fields) = &self.drop_fields {
            drop_fields.apply(&mut record)?;
        }
        Ok(record)
    }

    fn plan(&self, envelope: &Envelope, side: RowSide) -> Result<Arc<Plan>, TransformError> {
        let schema = envelope.schema();
        let row: &SchemaRef = envelope.row_schema(side).unwrap_or(schema);
        let key = (ByAddress(Arc::clone(schema)), ByAddress(Arc::clone(row)));
        self.plans.get_or_derive(key, || {
            let rewrite = self.deletes == Deletes::Rewrite;
            Plan::new(schema, row, rewrite, &self.fields, &self.headers).map(Arc::new)
        })
    }

    fn route(&self, record: &mut Record, envelope: &Envelope, side: RowSide) -> Result<(), TransformError> {
        let Some(field) = &self.route_by_field else { return Ok(()) };
        let refused = |reason| TransformError::Route { field: field.clone(), reason };
        match envelope.column(side, field) {
            Some(Value::String(topic)) if topic.trim().is_empty() => Ok(()),
            Some(Value::String(topic)) => {
                record.topic = Arc::from(&**topic);
                Ok(())
            }
            Some(Value::Null) => Ok(()),
            Some(Value::Unavailable) => Err(refused("its value did not change and was not sent")),
            Some(_) => Err(refused("it is not text")),
            None => Err(refused("the row has no such field")),
        }
    }
}
