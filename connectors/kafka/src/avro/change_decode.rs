//! Envelope datums → typed changes.
//!
//! Hot path. The fields of the envelope are read in the writer's order, straight into the [`Change`].

use std::sync::Arc;

use bytestring::ByteString;
use sluice_core::{
    change::{Change, ChangeSchema, Operation, TransactionBlock, field},
    value::Value,
};

use super::{
    cursor::{Cursor, DecodeStep},
    decode::{Op, Row, Slot},
    error::{AvroError, DecodeProblem, Failure},
};

/// How an envelope is read.
#[derive(Debug)]
pub(super) struct ChangePlan {
    schema: Arc<ChangeSchema>,
    fields: Box<[(Arc<str>, Part, Slot)]>,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Before,
    After,
    Source,
    Transaction,
    Operation,
    Millis,
    Micros,
    Nanos,
    Other,
}

/// What has been read of a change.
#[derive(Default)]
struct Draft {
    operation: Option<Operation>,
    before: Option<Vec<Value>>,
    after: Option<Vec<Value>>,
    source: Vec<Value>,
    transaction: Option<TransactionBlock>,
    millis: Option<i64>,
    micros: Option<i64>,
    nanos: Option<i64>,
}

impl ChangePlan {
    pub(super) fn compile(schema: Arc<ChangeSchema>, envelope: &Row) -> Result<Self, AvroError> {
        let part = |(name, slot): &(Arc<str>, Slot)| {
            let part = match (&**name, &slot.op) {
                (field::BEFORE, Op::Record(_)) => Part::Before,
                (field::AFTER, Op::Record(_)) => Part::After,
                (field::SOURCE, Op::Record(_)) => Part::Source,
                (field::TRANSACTION, Op::Record(_)) => Part::Transaction,
                (field::OP, Op::String) => Part::Operation,
                (field::OP, _) => {
                    return Err(AvroError::invalid(field::OP, "the operation code is no string"));
                }
                (field::TS_MS, Op::Int64) => Part::Millis,
                (field::TS_US, Op::Int64) => Part::Micros,
                (field::TS_NS, Op::Int64) => Part::Nanos,
                _ => Part::Other,
            };
            Ok((Arc::clone(name), part, slot.clone()))
        };
        let fields = envelope.fields.iter().map(part).collect::<Result<_, AvroError>>()?;
        Ok(Self { schema, fields })
    }

    pub(super) fn schema(&self) -> &Arc<ChangeSchema> {
        &self.schema
    }

    pub(super) fn decode(&self, cursor: &mut Cursor<'_>) -> DecodeStep<Change> {
        let mut draft = Draft::default();
        for (name, part, slot) in &self.fields {
            draft.read(*part, slot, cursor).map_err(|failure| failure.within(name))?;
        }
        let Some(operation) = draft.operation else {
            return cursor.fail(DecodeProblem::Operation);
        };
        let timestamp_ns = draft.timestamp_ns();
        Ok(Change {
            schema: Arc::clone(&self.schema),
            operation,
            before: draft.before,
            after: draft.after,
            source: draft.source,
            transaction: draft.transaction,
            timestamp_ns,
        })
    }
}

impl Draft {
    #[inline]
    fn read(&mut self, part: Part, slot: &Slot, cursor: &mut Cursor<'_>) -> DecodeStep<()> {
        if !slot.present(cursor)? {
            return Ok(());
        }
        match (part, &slot.op) {
            (Part::Before, Op::Record(row)) => self.before = Some(row.decode(cursor)?),
            (Part::After, Op::Record(row)) => self.after = Some(row.decode(cursor)?),
            (Part::Source, Op::Record(row)) => self.source = row.decode(cursor)?,
            (Part::Transaction, Op::Record(row)) => self.transaction = Some(block(row, cursor)?),
            (Part::Operation, _) => {
                let code = std::str::from_utf8(cursor.raw()?).ok().and_then(Operation::from_code);
                self.operation = Some(code.ok_or_else(|| Failure::new(DecodeProblem::Operation))?);
            }
            (Part::Millis, _) => self.millis = Some(cursor.long()?),
            (Part::Micros, _) => self.micros = Some(cursor.long()?),
            (Part::Nanos, _) => self.nanos = Some(cursor.long()?),
            (_, op) => drop(op.decode(cursor)?),
        }
        Ok(())
    }

    fn timestamp_ns(&self) -> Option<i64> {
        let coarse = |clock: Option<i64>, nanos: i64| clock.map(|clock| clock.saturating_mul(nanos));
        self.nanos.or_else(|| coarse(self.micros, 1_000)).or_else(|| coarse(self.millis, 1_000_000))
    }
}

fn block(row: &Row, cursor: &mut Cursor<'_>) -> DecodeStep<TransactionBlock> {
    let mut block = TransactionBlock { id: ByteString::new(), total_order: 0, data_collection_order: 0 };
    for (name, slot) in &row.fields {
        let value = slot.decode(cursor).map_err(|failure| failure.within(name))?;
        match (&**name, value) {
            ("id", Value::String(id)) => block.id = id,
            ("total_order", Value::Int64(order)) => block.total_order = order,
            ("data_collection_order", Value::Int64(order)) => block.data_collection_order = order,
            _ => {}
        }
    }
    Ok(block)
}
