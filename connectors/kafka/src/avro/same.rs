//! Whether two Avro schemas have the same datums with the same meaning.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value as Json;

use super::{
    error::AvroError,
    names,
    parse::{Node, NodeKind, Record, parse},
};

/// Members that give a type another meaning when they differ.
const MEANINGS: [&str; 2] = ["logicalType", "scale"];
/// Annotations that give a type another meaning when both schemas have them and they differ.
const ANNOTATIONS: [&str; 2] = [names::NAME, names::TYPE];

/// Whether what is written with one schema can be read with the other as it was meant: same types, names and order
/// of fields. Documentation, defaults and annotations that only one of them has do not count.
///
/// # Errors
/// When one of the texts is no Avro schema.
pub(crate) fn is_same(left: &str, right: &str) -> Result<bool, AvroError> {
    Ok(Comparison::default().nodes(&parse(left)?, &parse(right)?))
}

/// Pairs of records that were compared already; a schema may refer to one many times.
#[derive(Default)]
struct Comparison {
    seen: HashSet<(*const Record, *const Record)>,
}

impl Comparison {
    fn nodes(&mut self, left: &Node, right: &Node) -> bool {
        has_same_meaning(left, right)
            && match (&left.kind, &right.kind) {
                (NodeKind::Array(left), NodeKind::Array(right))
                | (NodeKind::Map(left), NodeKind::Map(right)) => self.nodes(left, right),
                (NodeKind::Union(left), NodeKind::Union(right)) => {
                    left.len() == right.len()
                        && left.iter().zip(&**right).all(|(left, right)| self.nodes(left, right))
                }
                (NodeKind::Record(left), NodeKind::Record(right)) => self.records(left, right),
                (NodeKind::Enum(left), NodeKind::Enum(right)) => {
                    left.name == right.name && left.symbols == right.symbols
                }
                (NodeKind::Fixed(left), NodeKind::Fixed(right)) => {
                    left.name == right.name && left.size == right.size
                }
                _ => left.type_name() == right.type_name(),
            }
    }

    fn records(&mut self, left: &Arc<Record>, right: &Arc<Record>) -> bool {
        if !self.seen.insert((Arc::as_ptr(left), Arc::as_ptr(right))) {
            return true;
        }
        let mut fields = left.fields.iter().zip(&right.fields);
        left.name == right.name
            && left.fields.len() == right.fields.len()
            && fields.all(|(left, right)| left.name == right.name && self.nodes(&left.node, &right.node))
    }
}

fn has_same_meaning(left: &Node, right: &Node) -> bool {
    let member = |node: &Node, name: &str| -> Option<Json> { node.members.get(name).cloned() };
    let annotated = |name: &&str| match (member(left, name), member(right, name)) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    };
    MEANINGS.iter().all(|name| member(left, name) == member(right, name)) && ANNOTATIONS.iter().all(annotated)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"shop","fields":[
        {"name":"id","type":"long"},
        {"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","scale":2,"precision":9}],"default":null}]}"#;

    fn with(from: &str, to: &str) -> bool {
        let other = ORDER.replace(from, to);
        assert_ne!(other, ORDER);
        is_same(ORDER, &other).unwrap()
    }

    #[test]
    fn documentation_annotations_and_white_space_do_not_count() {
        assert!(with(r#""name":"id","#, r#""name":"id","doc":"number of the order","#));
        assert!(with(r#""type":"long""#, r#""type":{"type":"long","connect.default":0}"#));
        assert!(with("\n        ", ""));
    }

    #[test]
    fn other_types_names_order_and_meanings_count() {
        assert!(!with(r#""type":"long""#, r#""type":"int""#));
        assert!(!with(r#""name":"id""#, r#""name":"number""#));
        assert!(!with(r#""namespace":"shop""#, r#""namespace":"store""#));
        assert!(!with(r#""scale":2"#, r#""scale":4"#));
        assert!(!with(r#"["null",{"#, r#"[{"#));
    }

    #[test]
    fn annotations_that_contradict_count() {
        let named = |name: &str| format!(r#"{{"type":"long","connect.name":"{name}"}}"#);

        assert!(
            !is_same(&named("io.debezium.time.Timestamp"), &named("io.debezium.time.MicroTimestamp"))
                .unwrap()
        );
        assert!(is_same(&named("io.debezium.time.Timestamp"), r#""long""#).unwrap());
    }
}
