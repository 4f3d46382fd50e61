//! A client of the Schema Registry's REST API, as Confluent defines it and Apicurio and others serve it.
//!
//! Asked once for each schema, never per record: the converters keep what they learn.

mod answer;
mod error;
mod settings;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::{Client, Method, Url};
use sluice_core::Classify as _;

use answer::Answer;
pub use error::RegistryError;
pub(crate) use settings::RegistrySettings;

/// Media type of the API's requests and answers.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// A client of one registry, which may answer at several addresses.
pub(crate) struct SchemaRegistry {
    client: Client,
    settings: RegistrySettings,
    /// Index of the address that answered last.
    preferred: AtomicUsize,
    /// Ids by subject and schema text.
    ids: Mutex<HashMap<(String, String), u32>>,
}

/// The newest version under a subject.
#[derive(Debug)]
pub(crate) struct Latest {
    /// The registry's id.
    pub(crate) id: u32,
    /// Text of the schema.
    pub(crate) schema: String,
}

impl SchemaRegistry {
    /// Makes the client; it connects with the first request.
    ///
    /// # Errors
    /// [`RegistryError::Tls`] when the certificates cannot be used.
    pub(crate) fn new(settings: RegistrySettings) -> Result<Self, RegistryError> {
        let client = settings.client()?;
        Ok(Self { client, settings, preferred: AtomicUsize::new(0), ids: Mutex::default() })
    }

    /// Returns the id of a schema under a subject, registering it if it is new.
    ///
    /// # Errors
    /// Class *stop* when the registry refuses the schema, with the schema it is compared with.
    pub(crate) async fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        if let Some(id) = self.known(subject, schema) {
            return Ok(id);
        }
        let answer = self.ask(Method::POST, &["subjects", subject, "versions"], Some(schema)).await?;
        match answer.status {
            200 => self.learn(subject, schema, answer.id()?),
            409 => Err(self.incompatible(subject, schema, answer.message()).await),
            422 => {
                Err(RegistryError::InvalidSchema { subject: subject.to_owned(), reason: answer.message() })
            }
            _ => Err(answer.unexpected()),
        }
    }

    /// Returns the id that a schema already has under a subject.
    ///
    /// # Errors
    /// [`RegistryError::NotRegistered`] when it has none.
    pub(crate) async fn lookup(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        if let Some(id) = self.known(subject, schema) {
            return Ok(id);
        }
        let answer = self.ask(Method::POST, &["subjects", subject], Some(schema)).await?;
        match answer.status {
            200 => self.learn(subject, schema, answer.id()?),
            404 if answer.error_code().is_some() => {
                Err(RegistryError::NotRegistered { subject: subject.to_owned() })
            }
            422 => {
                Err(RegistryError::InvalidSchema { subject: subject.to_owned(), reason: answer.message() })
            }
            _ => Err(answer.unexpected()),
        }
    }

    /// Returns the newest version under a subject.
    ///
    /// # Errors
    /// [`RegistryError::NotRegistered`] when there is none.
    pub(crate) async fn latest(&self, subject: &str) -> Result<Latest, RegistryError> {
        let answer = self.ask(Method::GET, &["subjects", subject, "versions", "latest"], None).await?;
        match answer.status {
            200 => Ok(Latest { id: answer.id()?, schema: answer.schema()? }),
            404 if answer.error_code().is_some() => {
                Err(RegistryError::NotRegistered { subject: subject.to_owned() })
            }
            _ => Err(answer.unexpected()),
        }
    }

    /// Returns the text of the Avro schema with an id.
    ///
    /// # Errors
    /// Class *reject* when the registry does not know the id or the schema is no Avro; *retry* when it
    /// does not answer.
    pub(crate) async fn schema(&self, id: u32) -> Result<String, RegistryError> {
        let answer = self.ask(Method::GET, &["schemas", "ids", &id.to_string()], None).await?;
        match answer.status {
            200 => answer.avro_schema(id),
            404 if answer.error_code().is_some() => Err(RegistryError::UnknownId { id }),
            _ => Err(answer.unexpected()),
        }
    }

    /// Asks something harmless, to see whether the registry is there and lets us in.
    ///
    /// # Errors
    /// As any request.
    pub(crate) async fn ping(&self) -> Result<(), RegistryError> {
        let answer = self.ask(Method::GET, &["schemas", "types"], None).await?;
        if answer.status == 200 { Ok(()) } else { Err(answer.unexpected()) }
    }

    /// Sends a request to the address that answered last, then to the others.
    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        schema: Option<&str>,
    ) -> Result<Answer, RegistryError> {
        let addresses = self.settings.addresses();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut last = None;
        for step in 0..addresses.len() {
            let index = (first + step) % addresses.len();
            let result = self.ask_at(&addresses[index], method.clone(), path, schema).await;
            if !matches!(&result, Err(error) if error.class() == sluice_core::ErrorClass::Retry) {
                self.preferred.store(index, Ordering::Relaxed);
                return result;
            }
            last = Some(result);
        }
        last.expect("the settings hold at least one address")
    }

    async fn ask_at(
        &self,
        address: &Url,
        method: Method,
        path: &[&str],
        schema: Option<&str>,
    ) -> Result<Answer, RegistryError> {
        let mut url = address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.client.request(method, url).header("Accept", MEDIA_TYPE);
        if let Some(schema) = schema {
            let body = serde_json::json!({ "schema": schema }).to_string();
            request = request.header("Content-Type", MEDIA_TYPE).body(body);
        }
        let unreachable = |error: reqwest::Error| RegistryError::Unreachable {
            url: address.to_string(),
            source: error.without_url(),
        };
        let response = self.settings.authorize(request).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(unreachable)?;
        Answer::new(address, status, &body)
    }

    /// Joins a refusal with the schema that the registry holds, so that the two can be compared.
    async fn incompatible(&self, subject: &str, schema: &str, reason: String) -> RegistryError {
        let registered = self.latest(subject).await.ok().map(|latest| latest.schema);
        RegistryError::Incompatible {
            subject: subject.to_owned(),
            reason,
            schema: schema.to_owned(),
            registered,
        }
    }

    fn known(&self, subject: &str, schema: &str) -> Option<u32> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.get(&(subject.to_owned(), schema.to_owned())).copied()
    }

    fn learn(&self, subject: &str, schema: &str, id: u32) -> Result<u32, RegistryError> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert((subject.to_owned(), schema.to_owned()), id);
        Ok(id)
    }
}
