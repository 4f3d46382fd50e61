//! A connector of Kafka Connect, ruled over the REST API.

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use crate::{Outcome, world::until};

/// One connector.
pub(crate) struct Connect {
    client: Client,
    url: String,
}

impl Connect {
    pub(crate) fn new(worker: &str, connector: &str) -> Self {
        Self { client: Client::new(), url: format!("{worker}/connectors/{connector}") }
    }

    /// Creates the connector and waits until its task runs.
    pub(crate) async fn create(&self, config: &Json) -> Outcome {
        self.request(Method::PUT, "/config", Some(config.to_string())).await?;
        self.wait_until_running().await
    }

    /// Stops the task: its records are sent and its offset is stored.
    pub(crate) async fn stop(&self) -> Outcome {
        self.request(Method::PUT, "/stop", None).await?;
        until("Debezium has stopped", async || {
            let status = self.status().await?;
            Ok(status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([]))
        })
        .await
    }

    pub(crate) async fn resume(&self) -> Outcome {
        self.request(Method::PUT, "/resume", None).await?;
        self.wait_until_running().await
    }

    pub(crate) async fn delete(&self) -> Outcome {
        self.request(Method::DELETE, "", None).await
    }

    /// What the worker answers about the stored offsets.
    pub(crate) async fn offsets(&self) -> anyhow::Result<String> {
        Ok(self.client.get(format!("{}/offsets", self.url)).send().await?.text().await?)
    }

    /// The stored offset.
    pub(crate) async fn offset(&self) -> anyhow::Result<Json> {
        let answer: Json = serde_json::from_str(&self.offsets().await?)?;
        let offset = answer.pointer("/offsets/0/offset").cloned();
        offset.with_context(|| format!("no offset in {answer}"))
    }

    /// Replaces the stored offset.
    pub(crate) async fn alter(&self, body: &str) -> Outcome {
        self.request(Method::PATCH, "/offsets", Some(body.to_owned())).await
    }

    /// Waits until the task runs.
    pub(crate) async fn wait_until_running(&self) -> Outcome {
        until("Debezium runs", async || {
            let status = self.status().await?;
            if status["tasks"][0]["state"] == "FAILED" {
                bail!("Debezium failed: {}", status["tasks"][0]["trace"]);
            }
            Ok(status["tasks"][0]["state"] == "RUNNING")
        })
        .await
    }

    async fn status(&self) -> anyhow::Result<Json> {
        Ok(self.client.get(format!("{}/status", self.url)).send().await?.json().await?)
    }

    /// Sends a request until the worker takes it: it answers 409 while its group meets.
    async fn request(&self, method: Method, path: &str, body: Option<String>) -> Outcome {
        until("the worker takes a request", async || {
            let mut request = self.client.request(method.clone(), format!("{}{path}", self.url));
            if let Some(body) = &body {
                request = request.header("Content-Type", "application/json").body(body.clone());
            }
            let answer = request.send().await?;
            match answer.status().as_u16() {
                200..300 => Ok(true),
                409 => Ok(false),
                code => bail!("{code}: {}", answer.text().await?),
            }
        })
        .await
    }
}
