//! Resolved Avro types and their Connect schema → the plan that [`super::decode`] runs.

use std::{collections::HashMap, sync::Arc};

use bytestring::ByteString;
use sluice_core::{
    change::field,
    schema::{Field, Kind, Schema, SchemaRef},
};

use super::{
    connect::{map_entry, optional_member},
    decode::{Null, Op, Row, Slot, Union},
    error::AvroError,
    parse::{Node, NodeKind, RecordField},
    unavailable::UnavailableValue,
};

/// What is special about the place of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Watch {
    Nowhere,
    /// A record whose fields are those of a row: the placeholder is looked for in them.
    Fields,
    /// A row's field: the placeholder is looked for.
    Here,
    /// The source block: its texts repeat.
    Source,
    /// A field of the source block.
    Repeated,
}

/// Compiles one writer schema.
pub(super) struct Compiler<'a> {
    unavailable: &'a UnavailableValue,
    /// Rows compiled so far, by schema and watch, so that a type used twice is shared.
    rows: HashMap<(*const Schema, Watch), Arc<Row>>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(unavailable: &'a UnavailableValue) -> Self {
        Self { unavailable, rows: HashMap::new() }
    }

    /// Compiles the outermost record of a change.
    pub(super) fn envelope(&mut self, node: &Node, schema: &SchemaRef) -> Result<Slot, AvroError> {
        let watch = |name: &str| match name {
            field::BEFORE | field::AFTER => Watch::Fields,
            field::SOURCE => Watch::Source,
            _ => Watch::Nowhere,
        };
        let row = self.row(node, schema, watch)?;
        Ok(Slot { op: Op::Record(Arc::new(row)), null: Null::Required, watch: None })
    }

    pub(super) fn slot(&mut self, node: &Node, schema: &SchemaRef, watch: Watch) -> Result<Slot, AvroError> {
        let (node, null) = match &node.kind {
            NodeKind::Union(branches) => match (optional_member(branches), &**branches) {
                (Some((member, true)), _) => (member, Null::First),
                (Some((member, false)), _) => (member, Null::Last),
                (None, [only]) => (only, Null::OneBranch),
                (None, _) => (node, Null::Required),
            },
            _ => (node, Null::Required),
        };
        let form = if watch == Watch::Here { self.unavailable.form(schema) } else { None };
        Ok(Slot { op: self.op(node, schema, watch)?, null, watch: form })
    }

    fn op(&mut self, node: &Node, schema: &SchemaRef, watch: Watch) -> Result<Op, AvroError> {
        Ok(match (&node.kind, &schema.kind) {
            (NodeKind::Boolean, _) => Op::Boolean,
            (NodeKind::Int, Kind::Int8) => Op::Int8,
            (NodeKind::Int, Kind::Int16) => Op::Int16,
            (NodeKind::Int, _) => Op::Int32,
            (NodeKind::Long, _) => Op::Int64,
            (NodeKind::Float, _) => Op::Float32,
            (NodeKind::Double, _) => Op::Float64,
            (NodeKind::Bytes, _) => Op::Bytes,
            // The optional texts of the block, such as `sequence`, are those that differ.
            (NodeKind::String, _)
                if watch == Watch::Repeated && (!schema.optional || schema.default.is_some()) =>
            {
                Op::Word(Arc::default())
            }
            (NodeKind::String, _) => Op::String,
            (NodeKind::Fixed(fixed), _) => Op::Fixed(fixed.size),
            (NodeKind::Enum(symbols), _) => {
                Op::Enum(symbols.symbols.iter().map(|symbol| ByteString::from(&**symbol)).collect())
            }
            (NodeKind::Array(items), Kind::Array(of)) => {
                Op::Array(Arc::new(self.slot(items, of, Watch::Nowhere)?))
            }
            (NodeKind::Array(items), Kind::Map { key, value }) => self.entries(items, key, value)?,
            (NodeKind::Map(values), Kind::Map { value, .. }) => {
                Op::Map(Arc::new(self.slot(values, value, Watch::Nowhere)?))
            }
            (NodeKind::Record(_), Kind::Struct(_)) => Op::Record(self.shared_row(node, schema, watch)?),
            (NodeKind::Union(branches), Kind::Struct(_)) => {
                Op::Union(Arc::new(self.union(branches, schema)?))
            }
            _ => return Err(AvroError::invalid("", format!("type {} has no value here", node.type_name()))),
        })
    }

    fn entries(&mut self, items: &Node, key: &SchemaRef, value: &SchemaRef) -> Result<Op, AvroError> {
        let Some((key_node, value_node)) = map_entry(items) else {
            return Err(AvroError::invalid(
                "",
                "the list of a map's entries has other fields than key and value",
            ));
        };
        let key = self.slot(key_node, key, Watch::Nowhere)?;
        Ok(Op::Entries(Arc::new((key, self.slot(value_node, value, Watch::Nowhere)?))))
    }

    fn union(&mut self, branches: &[Node], schema: &SchemaRef) -> Result<Union, AvroError> {
        let mut members = schema.fields().iter().enumerate();
        let mut slots = Vec::with_capacity(branches.len());
        for branch in branches {
            slots.push(match (&branch.kind, &mut members) {
                (NodeKind::Null, _) => None,
                (_, members) => match members.next() {
                    Some((place, field)) => Some((place, self.slot(branch, &field.schema, Watch::Nowhere)?)),
                    None => None,
                },
            });
        }
        Ok(Union { schema: Arc::clone(schema), branches: slots.into() })
    }

    fn shared_row(&mut self, node: &Node, schema: &SchemaRef, watch: Watch) -> Result<Arc<Row>, AvroError> {
        let inner = match watch {
            Watch::Fields => Watch::Here,
            Watch::Source => Watch::Repeated,
            _ => Watch::Nowhere,
        };
        let place = (Arc::as_ptr(schema), inner);
        if let Some(row) = self.rows.get(&place) {
            return Ok(Arc::clone(row));
        }
        let row = Arc::new(self.row(node, schema, |_| inner)?);
        self.rows.insert(place, Arc::clone(&row));
        Ok(row)
    }

    fn row(
        &mut self,
        node: &Node,
        schema: &SchemaRef,
        watch: impl Fn(&str) -> Watch,
    ) -> Result<Row, AvroError> {
        let NodeKind::Record(record) = &node.kind else {
            return Err(AvroError::invalid("", "the type is not a record"));
        };
        let slot = |(of, field): (&RecordField, &Field)| {
            let slot = self.slot(&of.node, &field.schema, watch(&of.name));
            Ok((Arc::clone(&field.name), slot.map_err(|error| error.within(&of.name))?))
        };
        let fields = record.fields.iter().zip(schema.fields()).map(slot).collect::<Result<_, AvroError>>()?;
        Ok(Row { schema: Arc::clone(schema), fields })
    }
}
