//! What an update changed: its key, or anything that is captured.
//!
//! Hot path, where an update carries its old row. Values are compared as Debezium compares what it writes: where bytes
//! differ, the values that are written decide. `1.0` and `1.00` are the same where the type has no scale, and so are
//! times that differ by microseconds which `time.precision.mode` leaves out.

use bytes::{Bytes, BytesMut};
use sluice_core::value::Value;

use crate::mask::ColumnMask;
use crate::pgoutput::{Column, OldTuple, Update};
use crate::records::read_column;
use crate::table::{ColumnPlan, Table};

/// Whether an update moves the row to another key: then it is two events. `whole` is the message.
pub(crate) fn key_changed(table: &Table, update: &Update, whole: &Bytes, chunk: &mut BytesMut) -> bool {
    let Some(old) = &update.old else { return false };
    let rows = old.tuple().columns().zip(update.new.columns()).zip(&table.columns).enumerate();
    let mut key = rows.filter(|(place, _)| table.key_places.contains(place));
    key.any(|(_, ((old, new), plan))| {
        plan.as_ref().is_some_and(|plan| !keeps_value(plan, None, whole, [&old, &new], chunk))
    })
}

/// Whether the captured columns have the values that they had. Only replica identity FULL tells.
pub(crate) fn is_unchanged(table: &Table, update: &Update, whole: &Bytes, chunk: &mut BytesMut) -> bool {
    let Some(OldTuple::Full(old)) = &update.old else { return false };
    let (old, new) = (old.columns(), update.new.columns());
    // Tuples of another width are refused when they are read.
    if old.len() != table.columns.len() || new.len() != table.columns.len() {
        return false;
    }
    let captured = old.zip(new).zip(&table.columns).filter_map(|(pair, plan)| Some((pair, plan.as_ref()?)));
    let in_row = |place: usize| !table.key_only.iter().any(|column| column.place == place);
    let row = captured.enumerate().filter(|(place, _)| in_row(*place)).map(|(_, column)| column);
    row.enumerate().all(|(place, ((old, new), plan))| {
        let mask = table.masks.iter().find(|(masked, _)| *masked == place).map(|(_, mask)| mask);
        keeps_value(plan, mask, whole, [&old, &new], chunk)
    })
}

/// Whether a column has the value that it had, as far as a mask shows it. One that was not sent did not change.
fn keeps_value(
    plan: &ColumnPlan,
    mask: Option<&ColumnMask>,
    whole: &Bytes,
    [old, new]: [&Column<&[u8]>; 2],
    chunk: &mut BytesMut,
) -> bool {
    match (old, new) {
        (_, Column::Unchanged) => return true,
        _ if old == new => return true,
        (Column::Null, _) | (_, Column::Null) if mask.is_none() => return false,
        _ => {}
    }
    let values = [old, new].map(|column| {
        let mut value = read_column(plan, whole, column, chunk).ok()?;
        if let Some(mask) = mask {
            mask.apply(&mut value);
        }
        Some(value)
    });
    // A value that cannot be read rejects the record that shows it.
    matches!(values, [Some(old), Some(new)] if equals(&old, &new))
}

/// Compares as Java does: a zero has a sign, and NaN is NaN.
fn equals(left: &Value, right: &Value) -> bool {
    let all = |left: &[Value], right: &[Value]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equals(left, right))
    };
    match (left, right) {
        (Value::Float32(left), Value::Float32(right)) => left.total_cmp(right).is_eq(),
        (Value::Float64(left), Value::Float64(right)) => left.total_cmp(right).is_eq(),
        (Value::Array(left), Value::Array(right)) => all(left, right),
        (Value::Struct(left), Value::Struct(right)) => all(left.values(), right.values()),
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_signs_and_nan_is_itself() {
        let list = |number| Value::Array(vec![Value::Null, Value::Float64(number)]);

        assert!(equals(&Value::Float32(f32::NAN), &Value::Float32(f32::NAN)));
        assert!(equals(&list(f64::NAN), &list(f64::NAN)));
        assert!(equals(&list(0.5), &list(0.5)));
        assert!(!equals(&list(0.0), &list(-0.0)));
        assert!(!equals(&Value::Null, &Value::Float64(0.0)));
    }
}
