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
