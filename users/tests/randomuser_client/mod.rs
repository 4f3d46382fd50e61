//! A stand-in in this process, and what it answers.

use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use sluice_users::randomuser::{Settings, serve};
use tokio::net::TcpListener;

/// The service under test: a stand-in, or whatever answers at the base address.
pub(crate) struct Service {
    base: String,
    client: reqwest::Client,
}

impl Service {
    /// Starts a stand-in that lives as long as the test's runtime.
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, settings, std::future::pending()));
        Self::at(base)
    }

    /// Takes the service at an address without path, `https://randomuser.me`.
    pub(crate) fn at(base: String) -> Self {
        // Another test of this process may have installed it.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        Self { base, client: reqwest::Client::new() }
    }

    /// Begins a request; `path` starts with a slash.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The document of a query.
    pub(crate) async fn document(&self, query: &str) -> Value {
        self.get(&format!("/api/?{query}")).await.error_for_status().unwrap().json().await.unwrap()
    }

    /// The people of a query.
    pub(crate) async fn people(&self, query: &str) -> Vec<Value> {
        self.document(query).await["results"].as_array().unwrap().clone()
    }
}
