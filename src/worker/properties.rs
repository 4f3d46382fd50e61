//! Properties that every connector has, under Kafka Connect's names.

use sluice_core::{
    config::{
        Config as _, Definition,
        Kind::{Boolean, Class, Int, Long, String as Text},
        Names, Prefixed, no_effect, refused,
    },
    pipeline::Tolerance,
};

sluice_core::config! {
    /// Properties that every connector has.
    pub(crate) struct CommonConfig {
        /// Name of the connector: of its consumer group, its saved position and its metrics.
        "name" => name: String,
        /// Class of the connector, by its full or its simple name; `sluice describe` lists them.
        "connector.class" => class: String,
        /// Highest number of tasks. A source runs one; so does a sink, whose one task is not limited to one core.
        "tasks.max" => tasks_max: u32 = "1",
        /// What happens to a record that is refused: `none` fails the connector, `all` skips it, and keeps
        /// it in the dead letter queue if there is one.
        "errors.tolerance" => tolerance: Tolerance = "none",
        /// How often to try again after a temporary failure, such as a lost connection, before it fails the
        /// connector: -1 is for ever, 0 never. Waits grow from 0.1 s to 30 s.
        "errors.max.retries" => max_retries: i64 = "-1",
        /// Transforms, in order; each alias has `transforms.<alias>.type` and its own properties.
        "transforms" => transforms: Names,
        /// Predicates; each alias has `predicates.<alias>.type` and its own properties.
        "predicates" => predicates: Names,
    }
}

sluice_core::config! {
    /// Properties that every source connector has.
    pub(crate) struct SourceConfig {
        /// The connector's own topic of source offsets in Kafka Connect. A connector without a position of its own goes on at what
        /// is stored there, or else where the worker keeps its offsets. It is read only.
        "offsets.storage.topic" => offsets_topic: Option<String>,
        /// Settings of the client that reads that topic.
        "consumer.override." => consumer: Prefixed,
    }
}

const NO_PLUGINS: &str = "what a connector uses is built into Sluice, in one version";
const RETRIED: &str =
    "temporary failures are retried as often as `errors.max.retries` says, with waits from 0.1 s to 30 s";

/// Connect's properties of any connector that are not obeyed.
#[rustfmt::skip]
const UNOBEYED: &[Definition] = &[
    no_effect("tasks.max.enforce", Boolean, "true", "a connector has one task"),
    no_effect("connector.plugin.version", Text, "", NO_PLUGINS),
    no_effect("key.converter.plugin.version", Text, "", NO_PLUGINS),
    no_effect("value.converter.plugin.version", Text, "", NO_PLUGINS),
    no_effect("header.converter.plugin.version", Text, "", NO_PLUGINS),
    no_effect("config.action.reload", Text, "restart", "references to other files are read when the connector starts").restating(&["none"]),
    no_effect("errors.retry.timeout", Long, "0", RETRIED).restating(&["-1"]),
    no_effect("errors.retry.delay.max.ms", Long, "60000", RETRIED),
    no_effect("errors.log.enable", Boolean, "false", "refused records are always logged, without their values").restating(&["true"]),
    no_effect("errors.log.include.messages", Boolean, "false", "values never reach the logs"),
];

const SIMPLE_HEADERS: &str = "headers are read as by SimpleHeaderConverter";

/// Connect's properties of sink connectors that are not obeyed.
#[rustfmt::skip]
const UNOBEYED_BY_SINKS: &[Definition] = &[
    no_effect("header.converter", Class, "", SIMPLE_HEADERS).restating(&["org.apache.kafka.connect.storage.SimpleHeaderConverter"]),
    no_effect("header.converter.", Text, "", SIMPLE_HEADERS),
];

/// Connect's properties of source connectors that are not obeyed.
#[rustfmt::skip]
const UNOBEYED_BY_SOURCES: &[Definition] = &[
    refused("exactly.once.support", Text, "requested", "remove it; records are delivered at least once"),
    no_effect("transaction.boundary", Text, "poll", "records are not produced in transactions"),
    no_effect("transaction.boundary.interval.ms", Int, "", "records are not produced in transactions"),
];

/// Lists the properties that every connector has.
pub(crate) fn common() -> Vec<Definition> {
    [CommonConfig::definitions(), UNOBEYED.to_vec()].concat()
}

/// Lists the properties that every sink connector has.
pub(crate) fn common_of_sinks() -> Vec<Definition> {
    [common(), UNOBEYED_BY_SINKS.to_vec()].concat()
}

/// Lists the properties that every source connector has.
pub(crate) fn common_of_sources() -> Vec<Definition> {
    [common(), SourceConfig::definitions(), UNOBEYED_BY_SOURCES.to_vec()].concat()
}
