//! A look at the brokers that changes nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rdkafka::{
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
};
use sluice_core::{
    Error,
    config::{Fault, Properties},
};

use super::{ClientKind, ClientSettings, Logged};
use crate::error::KafkaError;

/// How long a question to the brokers may take: a cold TLS connection over a slow link fits well.
pub(crate) const BROKER_TIMEOUT: Duration = Duration::from_secs(15);

/// A client that asks. It is a consumer without a group: unlike a producer's, its questions create no topic.
pub(crate) struct Probe {
    consumer: Arc<BaseConsumer<Logged>>,
    servers: String,
}

impl Probe {
    /// Makes the client; it connects with the first question.
    ///
    /// # Errors
    /// When librdkafka does not accept the settings.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, KafkaError> {
        let mut config = settings.config().clone();
        config.remove("group.id");
        let consumer = BaseConsumer::from_config_and_context(&config, Logged)
            .map_err(|error| settings.refused(error))?;
        Ok(Self { consumer: Arc::new(consumer), servers: settings.servers().to_owned() })
    }

    /// Lists all topics that the user may see.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`] when no broker answers in time.
    pub(crate) async fn topics(&self) -> Result<Vec<String>, KafkaError> {
        let (consumer, servers) = (Arc::clone(&self.consumer), self.servers.clone());
        let ask = move || {
            let metadata = consumer
                .fetch_metadata(None, BROKER_TIMEOUT)
                .map_err(|source| KafkaError::Unreachable { servers, source })?;
            Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or(Err(KafkaError::Stopping))
    }

    /// Returns the cluster's id, if it has one.
    ///
    /// # Errors
    /// As for [`Probe::topics`].
    pub(crate) async fn cluster_id(&self) -> Result<Option<String>, KafkaError> {
        self.topics().await?;
        let consumer = Arc::clone(&self.consumer);
        tokio::task::spawn_blocking(move || consumer.client().fetch_cluster_id(BROKER_TIMEOUT))
            .await
            .map_err(|_| KafkaError::Stopping)
    }
}

/// Returns the id of the cluster that `bootstrap.servers` of the properties names, with the security settings of its clients.
///
/// # Errors
/// Class *retry* when no broker answers within 15 seconds, *stop* when the settings cannot be used.
pub async fn cluster_id(properties: &Properties) -> Result<Option<String>, Error> {
    let servers = properties.value("bootstrap.servers").unwrap_or_default();
    let [producer, consumer, own] = [ClientKind::Producer, ClientKind::Consumer, ClientKind::Admin]
        .map(|kind| overrides(properties, kind));
    let settings = ClientSettings::admin(servers, &[&producer, &consumer], &own).map_err(invalid)?;
    Ok(Probe::new(&settings)?.cluster_id().await?)
}

/// Returns what the properties override of a client's settings.
pub(crate) fn overrides(properties: &Properties, kind: ClientKind) -> BTreeMap<String, String> {
    let overrides = properties.below(kind.prefix());
    overrides.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Turns faults into the error that the engine shows for a configuration.
pub(crate) fn invalid(faults: Vec<Fault>) -> Error {
    sluice_core::registry::OpenError::Config(faults).into()
}
