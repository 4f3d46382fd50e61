//! Opens the two ends of a connector: its own and Kafka.

use serde_json::Value as Json;
use sluice_core::{
    error::Error,
    pipeline::Opener,
    registry::{BoxFuture, DynSink, DynSource},
    source::TaskContext,
};

use super::plan::{Direction, Plan};
use crate::takeover::{self, Store};

/// Both ends of one connector.
pub(super) struct Ends {
    pub(super) plan: Plan,
    /// Where a worker of Kafka Connect may have kept the connector's offset, the most likely place first.
    pub(super) connect: Vec<Store>,
}

impl Ends {
    fn context(&self) -> TaskContext {
        TaskContext { connector: self.plan.name.clone() }
    }

    /// Finds where Kafka Connect stopped, for a connector that has no position of its own.
    async fn take_over(&self) -> Result<Option<Json>, Error> {
        let Direction::Source { connector, .. } = &self.plan.direction else { return Ok(None) };
        if self.connect.is_empty() || connector.offset_partition(&self.plan.properties)?.is_none() {
            return Ok(None);
        }
        let connector = &self.plan.name;
        let Some(found) = takeover::look(&self.plan, &self.connect).await? else {
            let stores = takeover::names(&self.connect);
            tracing::info!(
                connector,
                stores,
                "Kafka Connect has no offset of the connector: it starts as new"
            );
            return Ok(None);
        };
        let store = found.store;
        let offset = serde_json::json!(found.offset);
        tracing::warn!(connector, %store, %offset, "taking over from Kafka Connect");
        for sentence in found.imported.meaning {
            tracing::warn!(connector, "{sentence}");
        }
        Ok(found.imported.position)
    }
}

impl Opener for Ends {
    fn source(&self, position: Option<Json>) -> BoxFuture<'_, Result<Box<dyn DynSource>, Error>> {
        let source = match &self.plan.direction {
            Direction::Source { connector, .. } => connector,
            Direction::Sink { kafka, .. } => kafka,
        };
        Box::pin(async move {
            let position = match position {
                Some(position) => Some(position),
                None => self.take_over().await?,
            };
            source.open(&self.plan.properties, self.context(), position).await
        })
    }

    fn sink(&self) -> BoxFuture<'_, Result<Box<dyn DynSink>, Error>> {
        let sink = match &self.plan.direction {
            Direction::Source { kafka, .. } => kafka,
            Direction::Sink { connector, .. } => connector,
        };
        sink.open(&self.plan.properties, self.context())
    }
}
