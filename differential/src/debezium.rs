//! Debezium's connector, run by a worker of Kafka Connect and ruled over its REST API.

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::side::{Side, until};

/// The connector of a case.
#[derive(Debug)]
pub struct Debezium {
    client: Client,
    /// The connector's address.
    url: String,
}

impl Debezium {
    /// Creates the connector, which starts.
    ///
    /// # Errors
    /// Fails when the worker refuses it.
    pub async fn start(worker: &str, side: &Side) -> anyhow::Result<Self> {
        let this = Self { client: Client::new(), url: format!("{worker}/connectors/{}", side.prefix) };
        this.request(Method::PUT, "/config", &json!(side.properties))
            .await
            .context("create the connector")?;
        Ok(this)
    }

    /// Tells whether the task runs.
    ///
    /// # Errors
    /// Fails when it has failed, with its trace.
    pub async fn healthy(&self) -> anyhow::Result<bool> {
        let status = self.client.get(format!("{}/status", self.url)).send().await?;
        if status.status() == 404 {
            // Not there yet.
            return Ok(false);
        }
        let status: Value = status.json().await?;
        for part in status["tasks"].as_array().into_iter().flatten().chain([&status["connector"]]) {
            ensure!(
                part["state"] != "FAILED",
                "debezium failed: {}",
                causes(part["trace"].as_str().unwrap_or("no trace"))
            );
        }
        Ok(status["tasks"][0]["state"] == "RUNNING")
    }

    /// Stops the task and waits until it is gone, its records sent and its position stored.
    ///
    /// # Errors
    /// Fails when the worker refuses.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.request(Method::PUT, "/stop", &Value::Null).await.context("stop the connector")?;
        until("debezium's task is gone", async || {
            let status: Value = self.client.get(format!("{}/status", self.url)).send().await?.json().await?;
            let stopped = status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([]);
            Ok(stopped.then_some(()))
        })
        .await
    }

    /// Starts the task again where it stopped.
    ///
    /// # Errors
    /// Fails when the worker refuses.
    pub async fn resume(&self) -> anyhow::Result<()> {
        self.request(Method::PUT, "/resume", &Value::Null).await.context("resume the connector")
    }

    /// Deletes the connector with what the worker stored of it.
    ///
    /// # Errors
    /// Fails when the worker refuses.
    pub async fn delete(&self) -> anyhow::Result<()> {
        self.request(Method::DELETE, "", &Value::Null).await.context("delete the connector")
    }

    /// Sends a request until the worker takes it: it answers 409 while its group meets.
    async fn request(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
        until("the worker takes a request", async || {
            let request = self.client.request(method.clone(), format!("{}{path}", self.url));
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = request.send().await?;
            match answer.status().as_u16() {
                200..300 => Ok(Some(())),
                409 => Ok(None),
                code => bail!("{code}: {}", answer.text().await?),
            }
        })
        .await
    }
}

/// A trace without the places in the code.
fn causes(trace: &str) -> String {
    let causes = trace.lines().filter(|line| !line.starts_with('\t'));
    causes.collect::<Vec<_>>().join("\n")
}
