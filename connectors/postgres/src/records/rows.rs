//! Tuples into rows of values.
//!
//! Hot path.

use bytes::{Bytes, BytesMut};
use sluice_core::value::Value;

use super::RecordMaker;
use crate::error::SourceError;
use crate::pgoutput::{Column, OldTuple, TupleData};
use crate::table::{ColumnPlan, Table};
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
            None => Ok(Value::Null),
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
        let mut row = Vec::with_capacity(table.schema.row.fields().len());
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
        let mut row = Vec::with_capacity(table.schema.row.fields().len());
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
        read_column(plan, whole, column, &mut self.chunk).map_err(|reason| value_error(table, plan, reason))
    }
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
        Column::Unchanged => Ok(Value::Unavailable),
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
