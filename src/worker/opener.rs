//! Opens the two ends of a connector: its own and Kafka.

use serde_json::Value as Json;
use sluice_core::{
    error::Error,
    pipeline::Opener,
    registry::{BoxFuture, DynSink, DynSource},
    source::TaskContext,
};

use super::plan::{Direction, Plan};

/// Both ends of one connector.
pub(super) struct Ends {
    pub(super) plan: Plan,
    pub(super) context: TaskContext,
}

impl Opener for Ends {
    fn source(&self, position: Option<Json>) -> BoxFuture<'_, Result<Box<dyn DynSource>, Error>> {
        let source = match &self.plan.direction {
            Direction::Source { connector, .. } => connector,
            Direction::Sink { kafka, .. } => kafka,
        };
        source.open(&self.plan.properties, self.context.clone(), position)
    }

    fn sink(&self) -> BoxFuture<'_, Result<Box<dyn DynSink>, Error>> {
        let sink = match &self.plan.direction {
            Direction::Source { kafka, .. } => kafka,
            Direction::Sink { connector, .. } => connector,
        };
        sink.open(&self.plan.properties, self.context.clone())
    }
}
