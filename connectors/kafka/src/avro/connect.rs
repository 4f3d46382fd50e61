//! Resolved Avro types → Connect schemas.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value as Json;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef, connect};

use super::{
    defaults,
    error::AvroError,
    names,
    parse::{Enum, Node, NodeKind, Record},
};

/// Converts the outermost type.
pub(super) fn to_connect(node: &Node) -> Result<SchemaRef, AvroError> {
    Converter::default().schema(node, false, None)
}

/// Returns the key and value nodes of a record that stands for a map's entry.
pub(super) fn map_entry(items: &Node) -> Option<(&Node, &Node)> {
    let NodeKind::Record(record) = &items.kind else { return None };
    let entry = record.name.strip_prefix(names::NAMESPACE).is_some_and(|rest| rest == ".MapEntry")
        || items.text(names::INTERNAL_TYPE) == Some(names::MAP_ENTRY);
    match record.fields.as_slice() {
        [key, value] if entry && &*key.name == "key" && &*value.name == "value" => {
            Some((&key.node, &value.node))
        }
        _ => None,
    }
}

/// Returns the type beside null in a union of the two, and whether null is first.
pub(super) fn optional_member(branches: &[Node]) -> Option<(&Node, bool)> {
    match branches {
        [Node { kind: NodeKind::Null, .. }, member] => Some((member, true)),
        [member, Node { kind: NodeKind::Null, .. }] => Some((member, false)),
        _ => None,
    }
    .filter(|(member, _)| !matches!(member.kind, NodeKind::Null))
}

/// Records converted so far, by place and whether optional: a type used twice is shared.
#[derive(Default)]
struct Converter {
    records: HashMap<(*const Record, bool), SchemaRef>,
}

impl Converter {
    fn schema(
        &mut self,
        node: &Node,
        optional: bool,
        default: Option<&Json>,
    ) -> Result<SchemaRef, AvroError> {
        if let NodeKind::Union(branches) = &node.kind {
            match (optional_member(branches), &**branches) {
                (Some((member, _)), _) => return self.schema(member, true, None),
                (None, [only]) => return self.schema(only, optional, None),
                _ => {}
            }
        }
        let NodeKind::Record(record) = &node.kind else {
            return self.build(node, optional, default).map(Schema::shared);
        };
        if default.is_some() {
            return self.build(node, optional, default).map(Schema::shared);
        }
        let place = (Arc::as_ptr(record), optional);
        if let Some(known) = self.records.get(&place) {
            return Ok(Arc::clone(known));
        }
        let schema = self.build(node, optional, None)?.shared();
        self.records.insert(place, Arc::clone(&schema));
        Ok(schema)
    }

    fn build(&mut self, node: &Node, optional: bool, default: Option<&Json>) -> Result<Schema, AvroError> {
        let mut schema = self.bare(node)?;
        schema.optional |= optional;
        annotate(&mut schema, node)?;
        let own = node.members.get(names::DEFAULT);
        if default.is_some() && own.is_none() {
            set_parameter(&mut schema, names::FIELD_DEFAULT, "true");
        }
        if let Some(default) = default.or(own) {
            schema.default = defaults::read(&schema, default);
        }
        Ok(schema)
    }

    fn bare(&mut self, node: &Node) -> Result<Schema, AvroError> {
        Ok(match &node.kind {
            NodeKind::Null => return Err(AvroError::invalid("", "null stands outside of a union")),
            NodeKind::Boolean => Schema::new(Kind::Boolean),
            NodeKind::Int => int(node)?,
            NodeKind::Long if is_logical(node, "timestamp-millis") => {
                Schema::new(Kind::Int64).named(connect::TIMESTAMP).versioned(1)
            }
            NodeKind::Long => Schema::new(Kind::Int64),
            NodeKind::Float => Schema::new(Kind::Float32),
            NodeKind::Double => Schema::new(Kind::Float64),
            NodeKind::String => Schema::new(Kind::String),
            NodeKind::Bytes => bytes(node),
            NodeKind::Fixed(fixed) => bytes(node).with_parameter(names::FIXED_SIZE, fixed.size.to_string()),
            NodeKind::Enum(symbols) => symbols_schema(node, symbols),
            NodeKind::Array(items) => match map_entry(items) {
                Some((key, value)) => {
                    let (key, value) = (self.schema(key, false, None)?, self.schema(value, false, None)?);
                    Schema::new(Kind::Map { key, value })
                }
                None => Schema::new(Kind::Array(self.schema(items, false, None)?)),
            },
            NodeKind::Map(values) => {
                let key = Schema::new(Kind::String).shared();
                Schema::new(Kind::Map { key, value: self.schema(values, false, None)? })
            }
            NodeKind::Union(branches) => self.union(branches)?,
            NodeKind::Record(record) => self.record(node, record)?,
        })
    }

    fn union(&mut self, branches: &[Node]) -> Result<Schema, AvroError> {
        let mut fields = Vec::with_capacity(branches.len());
        let mut taken = HashSet::new();
        for branch in branches.iter().filter(|branch| !matches!(branch.kind, NodeKind::Null)) {
            let name = member_name(branch);
            if !taken.insert(name) {
                return Err(AvroError::invalid(
                    "",
                    format!("several types of a union have the member name `{name}`"),
                ));
            }
            let schema = self.schema(branch, true, None).map_err(|error| error.within(name))?;
            fields.push(Field::new(name, schema));
        }
        let mut schema = Schema::record(names::UNION, fields);
        schema.optional = branches.iter().any(|branch| matches!(branch.kind, NodeKind::Null));
        Ok(schema)
    }

    fn record(&mut self, node: &Node, record: &Record) -> Result<Schema, AvroError> {
        let mut schema = Schema::new(Kind::Struct(Vec::new()));
        if let Some(doc) = node.text("doc") {
            set_parameter(&mut schema, names::RECORD_DOC, doc);
        }
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            if let Some(doc) = &field.doc {
                set_parameter(&mut schema, &format!("{}{}", names::FIELD_DOC, field.name), doc);
            }
            let default = field.default.as_ref().filter(|default| !default.is_null());
            let of = self.schema(&field.node, false, default).map_err(|error| error.within(&field.name))?;
            fields.push(Field { name: Arc::clone(&field.name), schema: of });
        }
        schema.kind = Kind::Struct(fields);
        Ok(schema)
    }
}

/// Returns the struct member that holds a union's branch: the short name of a named type, else the type.
fn member_name(branch: &Node) -> &str {
    match branch.full_name() {
        Some(name) => name.rsplit_once('.').map_or(name, |(_, short)| short),
        None => branch.type_name(),
    }
}

fn is_logical(node: &Node, logical: &str) -> bool {
    node.text("logicalType").is_some_and(|given| given.eq_ignore_ascii_case(logical))
}

fn int(node: &Node) -> Result<Schema, AvroError> {
    if is_logical(node, "date") {
        return Ok(Schema::new(Kind::Int32).named(connect::DATE).versioned(1));
    }
    if is_logical(node, "time-millis") {
        return Ok(Schema::new(Kind::Int32).named(connect::TIME).versioned(1));
    }
    match node.text(names::TYPE) {
        None | Some("int32") => Ok(Schema::new(Kind::Int32)),
        Some("int16") => Ok(Schema::new(Kind::Int16)),
        Some("int8") => Ok(Schema::new(Kind::Int8)),
        Some(other) => {
            let problem = format!("unknown `{}` `{other}` of an int; known: int8, int16, int32", names::TYPE);
            Err(AvroError::invalid("", problem))
        }
    }
}

fn bytes(node: &Node) -> Schema {
    let schema = Schema::new(Kind::Bytes);
    if !is_logical(node, "decimal") {
        return schema;
    }
    let number = |member: &str| node.members.get(member).and_then(Json::as_i64);
    let scale = number("scale").unwrap_or_default().to_string();
    let schema = schema.named(connect::DECIMAL).versioned(1).with_parameter("scale", scale);
    match number("precision") {
        Some(precision) if precision != i64::from(names::DEFAULT_PRECISION) => {
            schema.with_parameter(names::DECIMAL_PRECISION, precision.to_string())
        }
        _ => schema,
    }
}

fn symbols_schema(node: &Node, symbols: &Enum) -> Schema {
    let mut schema = Schema::new(Kind::String);
    let short = member_name(node);
    if let Some(doc) = node.text("doc") {
        set_parameter(&mut schema, &format!("{}{short}", names::ENUM_DOC), doc);
    }
    if let Some(default) = node.text("default") {
        set_parameter(&mut schema, &format!("{}{short}", names::ENUM_DEFAULT), default);
    }
    set_parameter(&mut schema, names::ENUM, &symbols.name);
    for symbol in &symbols.symbols {
        set_parameter(&mut schema, &format!("{}.{symbol}", names::ENUM), symbol);
    }
    schema
}

/// Applies the `connect.*` members, which win over what the type itself implies.
fn annotate(schema: &mut Schema, node: &Node) -> Result<(), AvroError> {
    if let Some(doc) = node.text(names::DOC) {
        schema.doc = Some(doc.into());
    }
    if let Some(version) = node.members.get(names::VERSION) {
        let number = version.as_i64().and_then(|version| i32::try_from(version).ok());
        let problem = || AvroError::invalid("", format!("`{}` is no number", names::VERSION));
        schema.version = Some(number.ok_or_else(problem)?);
    }
    if let Some(parameters) = node.members.get(names::PARAMETERS) {
        let problem = || AvroError::invalid("", format!("`{}` is no object of texts", names::PARAMETERS));
        for (key, value) in parameters.as_object().ok_or_else(problem)? {
            set_parameter(schema, key, value.as_str().ok_or_else(problem)?);
        }
    }
    for (key, value) in node.members.iter().filter(|(key, _)| key.starts_with(names::AVRO_PROPERTY)) {
        set_parameter(schema, key, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let name = node.text(names::NAME).or_else(|| node.full_name());
    if let Some(name) = name.filter(|name| !is_default_name(name)) {
        schema.name = Some(name.into());
    }
    Ok(())
}

fn is_default_name(name: &str) -> bool {
    name.strip_prefix(names::NAMESPACE)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|rest| rest.starts_with(names::DEFAULT_RECORD))
}

fn set_parameter(schema: &mut Schema, key: &str, value: &str) {
    match schema.parameters.iter_mut().find(|(known, _)| &**known == key) {
        Some((_, known)) => *known = value.into(),
        None => schema.parameters.push((key.into(), value.into())),
    }
}
