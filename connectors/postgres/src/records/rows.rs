//! Tuples into rows of values.
//!
//! Hot path.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sluice_core::change::ChangeSchema;
use sluice_core::record::Datum;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef};
use sluice_core::value::{Struct, Value};

use super::RecordMaker;
use crate::error::SourceError;
use crate::pgoutput::{Column, OldTuple, TupleData};
use crate::table::{ColumnPlan, NullForm, Table};
use crate::types::ValueError;

impl RecordMaker {
    /// Reads one column of a snapshot's row.
    pub(crate) fn column(
        &mut self,
        table: &Table,
        plan: &ColumnPlan,
        whole: &Bytes,
        value: Option<&[u8]>,
    ) -> Result<Value, SourceError> {
        match value {
            None => Ok(self.null(plan)),
            Some(value) => plan
                .snapshot
                .as_ref()
                .unwrap_or(&plan.decoder)
                .decode(whole, value, &mut self.chunk)
                .map_err(|reason| value_error(table, plan, reason)),
        }
    }

    /// Reads a new row. What was not sent is taken from the old one where that tells it: the whole row,
    /// or the columns of the replica identity.
    pub(super) fn full_row(
        &mut self,
        table: &Table,
        whole: &Bytes,
        tuple: &TupleData,
        old: Option<&OldTuple>,
    ) -> Result<Vec<Value>, SourceError> {
        check_width(table, tuple)?;
        let mut row = Vec::with_capacity(table.row_width());
        for (place, (column, plan)) in tuple.columns().zip(&table.columns).enumerate() {
            let Some(plan) = plan else { continue };
            let known = old.filter(|old| plan.identity || matches!(old, OldTuple::Full(_)));
            let column = match (&column, known) {
                (Column::Unchanged, Some(old)) => {
                    old.tuple().columns().nth(place).unwrap_or(Column::Unchanged)
                }
                _ => column,
            };
            row.push(self.value(table, plan, whole, &column)?);
        }
        Ok(row)
    }

    pub(super) fn old_row(
        &mut self,
        table: &Table,
        whole: &Bytes,
        old: &OldTuple,
    ) -> Result<Vec<Value>, SourceError> {
        let OldTuple::Key(tuple) = old else { return self.full_row(table, whole, old.tuple(), None) };
        check_width(table, tuple)?;
        let mut row = Vec::with_capacity(table.row_width());
        for (column, plan) in tuple.columns().zip(&table.columns) {
            match plan {
                None => {}
                Some(plan) if plan.identity => row.push(self.value(table, plan, whole, &column)?),
                Some(plan) => row.push(plan.absent.clone()),
            }
        }
        Ok(row)
    }

    #[inline]
    fn value(
        &mut self,
        table: &Table,
        plan: &ColumnPlan,
        whole: &Bytes,
        column: &Column<&[u8]>,
    ) -> Result<Value, SourceError> {
        if matches!(column, Column::Null) {
            return Ok(self.null(plan));
        }
        read_column(plan, whole, column, &mut self.chunk).map_err(|reason| value_error(table, plan, reason))
    }

    fn null(&mut self, plan: &ColumnPlan) -> Value {
        match plan.null {
            NullForm::Null => Value::Null,
            NullForm::Absent => plan.absent.clone(),
            NullForm::Misfit => {
                self.misfit = true;
                Value::Null
            }
        }
    }

    /// Makes the key of a row.
    pub(super) fn key_of(&mut self, table: &Table, row: &[Value]) -> Datum {
        let Some(schema) = &table.schema.key else { return Datum::NULL };
        let columns = table.key_rows.iter().map(|place| row.get(*place).cloned().unwrap_or_default());
        let values: Vec<_> = columns.chain(table.key_end.clone()).collect();
        let schema = match self.misfit {
            true => self.key_schema(table.relation.relation_id, schema, &values),
            false => Arc::clone(schema),
        };
        Datum::new(Arc::clone(&schema), Struct::new(schema, values).into())
    }

    /// The schema of a key: that of the table, unless this key has NULL where it does not allow it. All other keys stay
    /// the bytes that they were.
    fn key_schema(&mut self, id: u32, schema: &SchemaRef, values: &[Value]) -> SchemaRef {
        if !has_misfit(schema, values) {
            return Arc::clone(schema);
        }
        let known = self.loosened_keys.entry(id).or_insert_with(|| Arc::clone(schema));
        if has_misfit(known, values) {
            let fields = known.fields().iter().zip(values).map(|(field, value)| match value {
                Value::Null => Field { schema: (*field.schema).clone().optional().shared(), ..field.clone() },
                _ => field.clone(),
            });
            *known = Schema { kind: Kind::Struct(fields.collect()), ..(**known).clone() }.shared();
        }
        Arc::clone(known)
    }

    /// The schema of a change: that of the table, until a row has NULL where it does not allow it. What came once stays
    /// allowed, since a registry may refuse to go back.
    pub(super) fn schema_of(&mut self, table: &Table, rows: [Option<&[Value]>; 2]) -> Arc<ChangeSchema> {
        if self.loosened.is_empty() && !self.misfit {
            return Arc::clone(&table.schema);
        }
        let id = table.relation.relation_id;
        let schema = self.loosened.get(&id).unwrap_or(&table.schema);
        match self.misfit.then(|| loosen(schema, rows)).flatten() {
            None => Arc::clone(schema),
            Some(loosened) => {
                let loosened = Arc::new(loosened);
                self.loosened.insert(id, Arc::clone(&loosened));
                loosened
            }
        }
    }
}

fn has_misfit(schema: &Schema, values: &[Value]) -> bool {
    schema.fields().iter().zip(values).any(|(field, value)| !field.schema.optional && value.is_null())
}

/// Allows NULL in the fields that have it; none if the schema does already.
fn loosen(schema: &ChangeSchema, rows: [Option<&[Value]>; 2]) -> Option<ChangeSchema> {
    let is_null = |place| rows.iter().flatten().any(|row| row.get(place).is_some_and(Value::is_null));
    let mut fields = schema.row.fields().to_vec();
    let mut misfits = 0;
    for (place, field) in fields.iter_mut().enumerate() {
        if !field.schema.optional && is_null(place) {
            field.schema = (*field.schema).clone().optional().shared();
            misfits += 1;
        }
    }
    (misfits > 0).then(|| schema.with_fields(fields))
}

/// Reads one column of a streamed row.
#[inline]
pub(crate) fn read_column(
    plan: &ColumnPlan,
    whole: &Bytes,
    column: &Column<&[u8]>,
    chunk: &mut BytesMut,
) -> Result<Value, ValueError> {
    match column {
        Column::Null => Ok(Value::Null),
        Column::Unchanged => Ok(plan.unchanged.clone()),
        Column::Binary(value) => plan.decoder.decode(whole, value, chunk),
        Column::Text(value) => plan.decoder.decode_text(whole, value),
    }
}

fn check_width(table: &Table, tuple: &TupleData) -> Result<(), SourceError> {
    if usize::from(tuple.column_count()) == table.columns.len() {
        return Ok(());
    }
    let (found, known) = (tuple.column_count(), table.columns.len());
    Err(SourceError::Stream {
        what: format!("a row of table `{}` has {found} columns, its description {known}", table.qualified),
    })
}

fn value_error(table: &Table, plan: &ColumnPlan, reason: ValueError) -> SourceError {
    SourceError::Value { table: table.qualified.clone(), column: plan.name.clone(), reason }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::config::from_pairs;
    use crate::pgoutput::ReplicaIdentity;
    use crate::table::tests::compile;

    /// Place of `username`, which is NOT NULL by the catalog.
    const USERNAME: usize = 1;

    fn read_null(compatibility: &str) -> (RecordMaker, Table, Value) {
        let config = from_pairs(&[("compatibility", compatibility)]).unwrap();
        let table = compile(&config, ReplicaIdentity::Default).unwrap();
        let mut maker = RecordMaker::new(&config, 1, Uuid::nil());
        let plan = table.columns[USERNAME].as_ref().unwrap();
        let value = maker.column(&table, plan, &Bytes::new(), None).unwrap();
        (maker, table, value)
    }

    #[test]
    fn null_from_before_its_column_was_not_null_is_allowed_from_there_on() {
        let (mut maker, table, value) = read_null("correct");
        let mut row = vec![Value::Int64(1); table.schema.row.fields().len()];
        let whole = row.clone();
        row[USERNAME] = value;

        let schema = maker.schema_of(&table, [None, Some(&row)]);
        maker.misfit = false;
        let next = maker.schema_of(&table, [None, Some(&whole)]);

        let required = |schema: &ChangeSchema| -> Vec<String> {
            let fields = schema.row.fields().iter().filter(|field| !field.schema.optional);
            fields.map(|field| field.name.to_string()).collect()
        };
        assert_eq!(required(&table.schema), ["id", "username", "active", "created_at"]);
        assert_eq!(required(&schema), ["id", "active", "created_at"]);
        assert_eq!(schema.envelope.field("after").unwrap().schema, schema.row);
        assert!(Arc::ptr_eq(&schema, &next), "a registry may refuse to go back");
    }

    #[test]
    fn key_with_such_a_null_allows_it_and_other_keys_stay_as_they_were() {
        let config = from_pairs(&[("message.key.columns", "public.users:username")]).unwrap();
        let table = compile(&config, ReplicaIdentity::Full).unwrap();
        let mut maker = RecordMaker::new(&config, 1, Uuid::nil());
        let plan = table.columns[USERNAME].as_ref().unwrap();
        let whole = vec![Value::from_static("a"); table.schema.row.fields().len()];
        let mut row = whole.clone();
        row[USERNAME] = maker.column(&table, plan, &Bytes::new(), None).unwrap();

        let [first, second] = [(); 2].map(|()| maker.key_of(&table, &row).schema.unwrap());
        let other = maker.key_of(&table, &whole).schema.unwrap();

        assert!(first.fields()[0].schema.optional && Arc::ptr_eq(&first, &second));
        assert!(
            Arc::ptr_eq(&other, table.schema.key.as_ref().unwrap()) && !other.fields()[0].schema.optional
        );
    }

    #[test]
    fn debezium_has_a_zero_for_null_where_none_is_allowed() {
        let (maker, _, value) = read_null("debezium");

        assert_eq!(value, Value::from_static(""));
        assert!(!maker.misfit, "a zero fits the schema");
    }
}
