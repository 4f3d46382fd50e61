//! Built-in transforms and predicates, under their well-known class names.
//!
//! | class | file |
//! |---|---|
//! | `io.debezium.transforms.ExtractNewRecordState` | [`extract_new_record_state`] |
//! | `org.apache.kafka.connect.transforms.Filter` | [`filter`] |
//! | `org.apache.kafka.connect.transforms.MaskField$Key`, `$Value` | [`mask_field`] |
//! | `org.apache.kafka.connect.transforms.RegexRouter` | [`regex_router`] |
//! | `org.apache.kafka.connect.transforms.ReplaceField$Key`, `$Value` | [`replace_field`] |
//! | `org.apache.kafka.connect.transforms.predicates.*` | [`predicates`] |
//!
//! All of them answer to the options and behave as the originals do. Where one deviates, its file says so.
//! A transform that works on fields sees a change as the envelope struct, as Connect would show it; one
//! that works on topic, key or headers never builds that struct.

mod cache;
mod error;
pub mod extract_new_record_state;
pub mod filter;
pub mod mask_field;
pub mod predicates;
pub mod regex_router;
pub mod replace_field;
mod side;

pub use error::TransformError;

use crate::registry::Registry;

/// Says what to do without a well-known transform that is not built in.
pub(crate) fn alternative(class: &str) -> Option<&'static str> {
    Some(match class {
        "io.debezium.transforms.ByLogicalTableRouter" => {
            "set `topic.naming.strategy=io.debezium.schema.SchemaRegexTopicNamingStrategy` with `topic.regex`, \
             `topic.replacement` and `topic.key.*`: topics become the same, and keys have the added field everywhere"
        }
        "io.debezium.transforms.outbox.EventRouter" => {
            "leave it out: the rows of the outbox table come as they are, after `ExtractNewRecordState` without their \
             envelope, and `route.by.field` of that sends each to the topic that a column names"
        }
        "io.debezium.transforms.Filter" | "io.debezium.transforms.ContentBasedRouter" => {
            "scripts cannot be run: leave tables out with `table.exclude.list`, operations with `skipped.operations`, or \
             records with `org.apache.kafka.connect.transforms.Filter` and a predicate"
        }
        "org.apache.kafka.connect.transforms.TimestampRouter" => {
            "use `org.apache.kafka.connect.transforms.RegexRouter`, whose topics have no time in their names"
        }
        _ => return None,
    })
}

/// Adds all built-in transforms and predicates to a registry.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry
        .transform(extract_new_record_state::ExtractNewRecordState)
        .transform(filter::Filter)
        .transform(mask_field::MaskKeyField)
        .transform(mask_field::MaskValueField)
        .transform(regex_router::RegexRouter)
        .transform(replace_field::ReplaceKeyField)
        .transform(replace_field::ReplaceValueField)
        .predicate(predicates::HasHeaderKey)
        .predicate(predicates::RecordIsTombstone)
        .predicate(predicates::TopicNameMatches)
}
