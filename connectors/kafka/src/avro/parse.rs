//! Avro schema text → types with their names resolved, and on to a Connect schema.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value as Json};
use sluice_core::schema::SchemaRef;

use super::{connect, error::AvroError};

/// Reads any Avro schema as the Connect schema its values have.
///
/// Connect's annotations are followed; without them, logical types `decimal`, `date`, `time-millis`
/// and `timestamp-millis` become Connect's, enums become strings and fixed bytes, and a union of
/// several types a struct of optional members named after them.
///
/// # Errors
/// [`AvroError::SchemaNotJson`] and [`AvroError::SchemaInvalid`]; recursive schemas are among the
/// latter, as Connect values cannot be recursive.
pub fn from_avro(text: &str) -> Result<SchemaRef, AvroError> {
    connect::to_connect(&parse(text)?)
}

/// Deepest nesting of types; far beyond real schemas, and safe for recursion on any thread.
const MAX_DEPTH: usize = 64;

/// A type where it is used.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// Members of the type's JSON object, Avro's own among them; empty for a bare name.
    pub(super) members: Arc<Map<String, Json>>,
    depth: usize,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Arc<Node>),
    Map(Arc<Node>),
    Union(Arc<[Node]>),
    Record(Arc<Record>),
    Enum(Arc<Enum>),
    Fixed(Arc<Fixed>),
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) fields: Vec<RecordField>,
}

#[derive(Debug)]
pub(super) struct RecordField {
    pub(super) name: Arc<str>,
    pub(super) node: Node,
    pub(super) doc: Option<String>,
    pub(super) default: Option<Json>,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) symbols: Vec<Arc<str>>,
}

#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) name: String,
    pub(super) size: usize,
}

impl Node {
    /// Returns a member of the type's JSON object that is text.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member)?.as_str()
    }

    /// Returns the full name of a record, enum or fixed.
    pub(super) fn full_name(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Record(record) => Some(&record.name),
            NodeKind::Enum(symbols) => Some(&symbols.name),
            NodeKind::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    /// Returns Avro's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "null",
            NodeKind::Boolean => "boolean",
            NodeKind::Int => "int",
            NodeKind::Long => "long",
            NodeKind::Float => "float",
            NodeKind::Double => "double",
            NodeKind::Bytes => "bytes",
            NodeKind::String => "string",
            NodeKind::Array(_) => "array",
            NodeKind::Map(_) => "map",
            NodeKind::Union(_) => "union",
            NodeKind::Record(_) => "record",
            NodeKind::Enum(_) => "enum",
            NodeKind::Fixed(_) => "fixed",
        }
    }
}

/// Reads schema text with its names resolved.
pub(super) fn parse(text: &str) -> Result<Node, AvroError> {
    let json: Json = match serde_json::from_str(text) {
        Ok(json) => json,
        // Registries may hold a bare type name without quotes.
        Err(_) if primitive(text.trim()).is_some() => Json::String(text.trim().to_owned()),
        Err(error) => return Err(AvroError::SchemaNotJson(error)),
    };
    Parser::default().node(&json, None)
}

fn primitive(name: &str) -> Option<NodeKind> {
    Some(match name {
        "null" => NodeKind::Null,
        "boolean" => NodeKind::Boolean,
        "int" => NodeKind::Int,
        "long" => NodeKind::Long,
        "float" => NodeKind::Float,
        "double" => NodeKind::Double,
        "bytes" => NodeKind::Bytes,
        "string" => NodeKind::String,
        _ => return None,
    })
}

fn invalid(problem: impl Into<String>) -> AvroError {
    AvroError::invalid("", problem)
}

/// Named types met so far; none while a record is still being read.
#[derive(Default)]
struct Parser {
    known: HashMap<String, Option<Node>>,
}

impl Parser {
    fn node(&mut self, json: &Json, space: Option<&str>) -> Result<Node, AvroError> {
        match json {
            Json::String(name) => self.named(name, space, Arc::default()),
            Json::Array(branches) => self.union(branches, space),
            Json::Object(members) => match members.get("type") {
                Some(Json::String(name)) => self.object(name, members, space),
                Some(nested) => self.node(nested, space),
                None => Err(invalid("the type has no member `type`")),
            },
            _ => Err(invalid("a type is a name, an object or a list of types")),
        }
    }

    fn named(
        &mut self,
        name: &str,
        space: Option<&str>,
        members: Arc<Map<String, Json>>,
    ) -> Result<Node, AvroError> {
        if let Some(kind) = primitive(name) {
            return Ok(Node { kind, members, depth: 1 });
        }
        let full = full_name(name, space);
        let known = self.known.get(&full).or_else(|| self.known.get(name));
        match known {
            Some(Some(node)) => Ok(node.clone()),
            Some(None) => {
                Err(invalid(format!("`{full}` contains itself; recursive schemas have no Connect form")))
            }
            None => {
                Err(invalid(format!("unknown type `{name}`: neither an Avro type nor a name defined before")))
            }
        }
    }

    fn union(&mut self, branches: &[Json], space: Option<&str>) -> Result<Node, AvroError> {
        let branches: Vec<_> =
            branches.iter().map(|branch| self.node(branch, space)).collect::<Result<_, _>>()?;
        if branches.iter().any(|branch| matches!(branch.kind, NodeKind::Union(_))) {
            return Err(invalid("a union stands directly in a union"));
        }
        let depth = depth_over(branches.iter())?;
        Ok(Node { kind: NodeKind::Union(branches.into()), members: Arc::default(), depth })
    }

    fn object(
        &mut self,
        name: &str,
        members: &Map<String, Json>,
        space: Option<&str>,
    ) -> Result<Node, AvroError> {
        let shared = || Arc::new(members.iter().filter(|(key, _)| !is_body(key)).map(owned).collect());
        match name {
            "array" => self.item(members, "items", space, shared(), NodeKind::Array),
            "map" => self.item(members, "values", space, shared(), NodeKind::Map),
            "record" | "error" => self.record(members, space, shared()),
            "enum" => self.symbols(members, space, shared()),
            "fixed" => self.fixed(members, space, shared()),
            other => self.named(other, space, shared()),
        }
    }

    fn item(
        &mut self,
        members: &Map<String, Json>,
        member: &str,
        space: Option<&str>,
        shared: Arc<Map<String, Json>>,
        kind: fn(Arc<Node>) -> NodeKind,
    ) -> Result<Node, AvroError> {
        let item =
            members.get(member).ok_or_else(|| invalid(format!("the type has no member `{member}`")))?;
        let item = self.node(item, space).map_err(|error| error.within(member))?;
        let depth = depth_over(std::iter::once(&item))?;
        Ok(Node { kind: kind(Arc::new(item)), members: shared, depth })
    }

    fn record(
        &mut self,
        members: &Map<String, Json>,
        space: Option<&str>,
        shared: Arc<Map<String, Json>>,
    ) -> Result<Node, AvroError> {
        let name = self.define(members, space)?;
        let Some(Json::Array(fields)) = members.get("fields") else {
            return Err(invalid(format!("record `{name}` has no list `fields`")));
        };
        let own = name.rsplit_once('.').map(|(space, _)| space);
        let fields: Vec<_> = fields.iter().map(|field| self.field(field, own)).collect::<Result<_, _>>()?;
        let depth = depth_over(fields.iter().map(|field| &field.node))?;
        let kind = NodeKind::Record(Arc::new(Record { name: name.clone(), fields }));
        Ok(self.remember(name, Node { kind, members: shared, depth }))
    }

    fn field(&mut self, json: &Json, space: Option<&str>) -> Result<RecordField, AvroError> {
        let text = |member: &str| json.get(member).and_then(Json::as_str);
        let name = text("name").ok_or_else(|| invalid("a field has no name"))?;
        let within = |error: AvroError| error.within(name);
        let node = json.get("type").ok_or_else(|| within(invalid("the field has no member `type`")))?;
        Ok(RecordField {
            name: name.into(),
            node: self.node(node, space).map_err(within)?,
            doc: text("doc").map(str::to_owned),
            default: json.get("default").cloned(),
        })
    }

    fn symbols(
        &mut self,
        members: &Map<String, Json>,
        space: Option<&str>,
        shared: Arc<Map<String, Json>>,
    ) -> Result<Node, AvroError> {
        let name = self.define(members, space)?;
        let symbols = members.get("symbols").and_then(Json::as_array);
        let symbols =
            symbols.and_then(|symbols| symbols.iter().map(|symbol| symbol.as_str().map(Arc::from)).collect());
        let symbols =
            symbols.ok_or_else(|| invalid(format!("enum `{name}` has no list `symbols` of text")))?;
        let kind = NodeKind::Enum(Arc::new(Enum { name: name.clone(), symbols }));
        Ok(self.remember(name, Node { kind, members: shared, depth: 1 }))
    }

    fn fixed(
        &mut self,
        members: &Map<String, Json>,
        space: Option<&str>,
        shared: Arc<Map<String, Json>>,
    ) -> Result<Node, AvroError> {
        let name = self.define(members, space)?;
        let size = members.get("size").and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| invalid(format!("fixed `{name}` has no number `size`")))?;
        let kind = NodeKind::Fixed(Arc::new(Fixed { name: name.clone(), size }));
        Ok(self.remember(name, Node { kind, members: shared, depth: 1 }))
    }

    fn define(&mut self, members: &Map<String, Json>, space: Option<&str>) -> Result<String, AvroError> {
        let text = |member: &str| members.get(member).and_then(Json::as_str);
        let name = text("name").ok_or_else(|| invalid("a named type has no name"))?;
        let space = text("namespace").or(space).filter(|space| !space.is_empty());
        let full = full_name(name, space);
        if self.known.insert(full.clone(), None).is_some() {
            return Err(invalid(format!("`{full}` is defined twice")));
        }
        Ok(full)
    }

    fn remember(&mut self, name: String, node: Node) -> Node {
        self.known.insert(name, Some(node.clone()));
        node
    }
}

fn is_body(member: &str) -> bool {
    matches!(member, "fields" | "items" | "values")
}

fn owned((key, value): (&String, &Json)) -> (String, Json) {
    (key.clone(), value.clone())
}

fn full_name(name: &str, space: Option<&str>) -> String {
    match space {
        Some(space) if !name.contains('.') => format!("{space}.{name}"),
        _ => name.to_owned(),
    }
}

fn depth_over<'a>(nodes: impl Iterator<Item = &'a Node>) -> Result<usize, AvroError> {
    let depth = 1 + nodes.map(|node| node.depth).max().unwrap_or_default();
    if depth > MAX_DEPTH {
        return Err(invalid(format!("types are nested more than {MAX_DEPTH} deep")));
    }
    Ok(depth)
}
