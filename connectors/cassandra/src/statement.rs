//! Rows to bound statements.
//!
//! Hot path. A [`Plan`] is made once per topic, schemas and table version. Binding a record walks its
//! columns once and writes each cell straight into the request; a cell that is not known stays unset, which
//! leaves what the table has.

use scylla::{
    cluster::metadata::ColumnType,
    serialize::{
        SerializationError,
        row::{RowSerializationContext, SerializeRow},
        writers::{CellWriter, RowWriter, WrittenCellProof},
    },
    statement::{bound::BoundStatement, prepared::PreparedStatement},
};
use sluice_core::{Record, Value, change::Operation, record::Payload};

use crate::{
    error::CassandraError,
    mapping::TimeUnit,
    row::{Action, Place, Row},
    schema::TableName,
    types::{Encoder, ValueError},
};

/// Bytes of a request beside its cells: frame header, statement id, flags and the timestamp.
const REQUEST_OVERHEAD: usize = 256;
/// Bytes of a cell that holds a number, its length included.
const CELL_OVERHEAD: usize = 12;

/// One column of a plan.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) encoder: Encoder,
    pub(crate) key: bool,
}

/// Time to live of rows.
#[derive(Debug)]
pub(crate) enum TimeToLive {
    /// None; the table's default counts.
    Table,
    /// So many seconds.
    Seconds(i32),
    /// From a field.
    Field(Place, TimeUnit),
}

/// Everything that is known about writing records of one topic and schema to one table.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) table: TableName,
    /// Columns in the order of the INSERT's markers.
    pub(crate) columns: Vec<Column>,
    /// Places in `columns` of the primary key, in the order of the DELETE's markers.
    pub(crate) keys: Vec<usize>,
    /// None when the records carry no row.
    pub(crate) insert: Option<PreparedStatement>,
    /// None when deletes are switched off.
    pub(crate) delete: Option<PreparedStatement>,
    pub(crate) ttl: TimeToLive,
    /// Field that holds the write timestamp instead of the record's position.
    pub(crate) timestamp: Option<(Place, TimeUnit)>,
    /// Size of a request that the servers take.
    pub(crate) max_bytes: usize,
    /// DataStax's switch; without it the operation decides.
    pub(crate) null_to_unset: Option<bool>,
    /// Whether deleted rows go; where they stay, an inserted row may meet cells of an older one.
    pub(crate) deletes: bool,
}

/// What a null becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// Nothing: the cell cannot have had a value.
    Unset,
    /// A tombstone: the cell may have had one.
    Tombstone,
}

impl Plan {
    /// Binds a record, an upsert or a delete, at a write timestamp.
    ///
    /// Returns `None` when deletes are switched off.
    ///
    /// # Errors
    /// *Reject* when a value cannot be held by its column.
    pub(crate) fn bind(
        &self,
        record: &Record,
        action: Action,
        timestamp: i64,
    ) -> Result<Option<BoundStatement>, CassandraError> {
        let prepared = match action {
            Action::Upsert => self.insert.as_ref(),
            Action::Delete | Action::Truncate => self.delete.as_ref(),
        };
        let Some(prepared) = prepared else { return Ok(None) };
        let bound = BoundRow { plan: self, record, action, timestamp };
        prepared.clone().bind(&bound).map(Some).map_err(|error| self.refuse(&error))
    }

    /// Writes the cells of an upsert or a delete.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub(crate) fn write(
        &self,
        record: &Record,
        action: Action,
        timestamp: i64,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), CassandraError> {
        let bound = BoundRow { plan: self, record, action, timestamp };
        bound.write(writer).map_err(|error| self.refuse_cell(&error))
    }

    fn refuse(&self, error: &SerializationError) -> CassandraError {
        let oversized = CellError { column: usize::MAX, source: ValueError::Size };
        self.refuse_cell(error.downcast_ref().unwrap_or(&oversized))
    }

    fn refuse_cell(&self, error: &CellError) -> CassandraError {
        let column = self.columns.get(error.column).map_or("__ttl", |column| &column.name).to_owned();
        CassandraError::Value { table: self.table.clone(), column, source: error.source }
    }

    /// Returns the write timestamp that a mapped field holds, if one is mapped and not null.
    ///
    /// # Errors
    /// *Reject* when the field holds no whole number or overflows.
    pub(crate) fn mapped_timestamp(
        &self,
        record: &Record,
        action: Action,
    ) -> Result<Option<i64>, CassandraError> {
        let Some((place, unit)) = &self.timestamp else { return Ok(None) };
        let value = Row::of(record, action).find(place);
        if matches!(value, Value::Null | Value::Unavailable) {
            return Ok(None);
        }
        let micros = value.as_i64().map(|amount| unit.convert(amount, TimeUnit::MICROSECONDS));
        let timestamp = micros.and_then(|micros| i64::try_from(micros).ok()).filter(|&one| one != i64::MIN);
        timestamp.map(Some).ok_or_else(|| CassandraError::Value {
            table: self.table.clone(),
            column: "__timestamp".to_owned(),
            source: ValueError::Range { range: "timestamps" },
        })
    }

    /// Writes an INSERT's cells: all columns, the timestamp, and the time to live if the statement has one.
    fn write_insert(
        &self,
        record: &Record,
        timestamp: i64,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), CellError> {
        let row = Row::of(record, Action::Upsert);
        let operation = operation(record);
        let nulls = self.nulls(operation);
        let mut size = REQUEST_OVERHEAD;
        for (index, column) in self.columns.iter().enumerate() {
            let value = row.find(&column.place);
            size += wire_size(value);
            if size > self.max_bytes {
                return Err(CellError { column: index, source: ValueError::Size });
            }
            let cell = writer.make_cell_writer();
            let written = match value {
                _ if column.key => write_key(column, value, cell),
                // Under a new key there is no cell that it could be left in.
                Value::Unavailable if is_new(operation) => Err(ValueError::Unavailable),
                Value::Unavailable => Ok(cell.set_unset()),
                Value::Null if nulls == Nulls::Unset || row.was_null(&column.place) => Ok(cell.set_unset()),
                Value::Null => Ok(cell.set_null()),
                value => column.encoder.encode(value, cell),
            };
            written.map_err(|source| CellError { column: index, source })?;
        }
        write_timestamp(timestamp, writer);
        self.write_ttl(&row, writer)
    }

    /// Writes a DELETE's cells: the timestamp, then the key.
    fn write_delete(
        &self,
        record: &Record,
        timestamp: i64,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), CellError> {
        let row = Row::of(record, Action::Delete);
        write_timestamp(timestamp, writer);
        for &index in &self.keys {
            let column = &self.columns[index];
            write_key(column, row.find(&column.place), writer.make_cell_writer())
                .map_err(|source| CellError { column: index, source })?;
        }
        Ok(())
    }

    fn write_ttl(&self, row: &Row<'_>, writer: &mut RowWriter<'_>) -> Result<(), CellError> {
        let seconds = match &self.ttl {
            TimeToLive::Table => return Ok(()),
            TimeToLive::Seconds(seconds) => *seconds,
            TimeToLive::Field(place, unit) => match row.find(place) {
                Value::Null | Value::Unavailable => 0,
                value => ttl_seconds(value, *unit)
                    .map_err(|source| CellError { column: self.columns.len(), source })?,
            },
        };
        let cell = writer.make_cell_writer();
        cell.set_value(&seconds.to_be_bytes()).expect("4 bytes fit into a cell");
        Ok(())
    }

    /// A null that was read or inserted hides nothing; one that came by an update may.
    ///
    /// Without a known operation a record may be an update.
    fn nulls(&self, operation: Option<Operation>) -> Nulls {
        match (self.null_to_unset, operation) {
            (Some(true), _) | (None, Some(Operation::Read)) => Nulls::Unset,
            (None, Some(Operation::Create)) if self.deletes => Nulls::Unset,
            _ => Nulls::Tombstone,
        }
    }
}

fn operation(record: &Record) -> Option<Operation> {
    match &record.value {
        Payload::Change(change) => Some(change.operation),
        Payload::Plain(_) => record.origin.operation,
    }
}

/// Whether a row was not there before; the source sends an update of the key as such a row, too.
fn is_new(operation: Option<Operation>) -> bool {
    matches!(operation, Some(Operation::Create | Operation::Read))
}

/// Returns about how many bytes a value takes in a request; never too few for text and bytes.
fn wire_size(value: &Value) -> usize {
    CELL_OVERHEAD
        + match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(values) => values.iter().map(wire_size).sum(),
            Value::Map(pairs) => pairs.iter().map(|(key, value)| wire_size(key) + wire_size(value)).sum(),
            Value::Struct(fields) => fields.values().iter().map(wire_size).sum(),
            _ => 0,
        }
}

fn ttl_seconds(value: &Value, unit: TimeUnit) -> Result<i32, ValueError> {
    let amount = value.as_i64().ok_or(ValueError::Type { got: value.type_name() })?;
    let seconds = unit.convert(amount, TimeUnit::SECONDS).max(0);
    i32::try_from(seconds).map_err(|_| ValueError::Range { range: "times to live" })
}

fn write_key<'a>(
    column: &Column,
    value: &Value,
    cell: CellWriter<'a>,
) -> Result<WrittenCellProof<'a>, ValueError> {
    match value {
        Value::Null => Err(ValueError::NullKey),
        Value::Unavailable => Err(ValueError::UnavailableKey),
        value => column.encoder.encode(value, cell),
    }
}

/// A timestamp is always eight bytes: with an unset one the server would take its own clock.
fn write_timestamp(timestamp: i64, writer: &mut RowWriter<'_>) {
    let bytes: [u8; 8] = timestamp.to_be_bytes();
    writer.make_cell_writer().set_value(&bytes).expect("8 bytes fit into a cell");
}

/// A value that could not be written, with the place of its column in the plan.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cell {column} cannot be written")]
struct CellError {
    column: usize,
    #[source]
    source: ValueError,
}

/// A record with what is needed to write its cells.
struct BoundRow<'a> {
    plan: &'a Plan,
    record: &'a Record,
    action: Action,
    timestamp: i64,
}

impl BoundRow<'_> {
    fn write(&self, writer: &mut RowWriter<'_>) -> Result<(), CellError> {
        match self.action {
            Action::Upsert => self.plan.write_insert(self.record, self.timestamp, writer),
            Action::Delete | Action::Truncate => self.plan.write_delete(self.record, self.timestamp, writer),
        }
    }
}

impl SerializeRow for BoundRow<'_> {
    fn serialize(
        &self,
        context: &RowSerializationContext<'_>,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), SerializationError> {
        self.write(writer).map_err(SerializationError::new)?;
        debug_assert_eq!(writer.value_count(), context.columns().len(), "a cell for each marker");
        Ok(())
    }

    fn is_empty(&self) -> bool {
        false
    }
}

/// Whether the server's markers are those that the plan writes: names in order, and equal types.
///
/// Guards against a table that changed between reading its metadata and preparing.
pub(crate) fn markers_match(prepared: &PreparedStatement, expected: &[(&str, &ColumnType<'_>)]) -> bool {
    let markers = prepared.get_variable_col_specs();
    expected.len() <= markers.len()
        && expected.iter().all(|(name, column)| {
            markers
                .iter()
                .any(|marker| marker.name() == *name && crate::shape::same_type(marker.typ(), column))
        })
}

#[cfg(test)]
mod tests;
