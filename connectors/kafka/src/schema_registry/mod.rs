//! A client of the Schema Registry's REST API, as Confluent defines it and Apicurio and others serve it.
//!
//! Asked once for each schema, never per record: the converters keep what they learn.

mod answer;
mod error;
mod settings;
mod tls;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::{Client, Method};
use sluice_core::Classify as _;

use answer::Answer;
pub use error::RegistryError;
use settings::Address;
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

/// Whether the registry may bring a schema into its normal form first; `normalize.schemas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Normalize(pub(crate) bool);

/// What a request asks for, below the registry's address.
struct Request<'a> {
    method: Method,
    path: &'a [&'a str],
    normalize: bool,
    schema: Option<&'a str>,
}

/// The newest version under a subject.
#[derive(Debug)]
pub(crate) struct Latest {
    /// The registry's id.
    pub(crate) id: u32,
    /// Text of the schema.
    pub(crate) schema: String,
}

impl<'a> Request<'a> {
    fn get(path: &'a [&'a str]) -> Self {
        Self { method: Method::GET, path, normalize: false, schema: None }
    }

    fn post(path: &'a [&'a str], schema: &'a str, Normalize(normalize): Normalize) -> Self {
        Self { method: Method::POST, path, normalize, schema: Some(schema) }
    }
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
    pub(crate) async fn register(
        &self,
        subject: &str,
        schema: &str,
        normalize: Normalize,
    ) -> Result<u32, RegistryError> {
        if let Some(id) = self.known(subject, schema) {
            return Ok(id);
        }
        let answer = self.ask(Request::post(&["subjects", subject, "versions"], schema, normalize)).await?;
        match answer.status {
            200 => self.learn(subject, schema, answer.id()?),
            409 => Err(self.incompatible(subject, schema, answer.message()).await),
            422 => Err(answer.refused(subject)),
            _ => Err(answer.unexpected()),
        }
    }

    /// Returns the id that a schema already has under a subject.
    ///
    /// # Errors
    /// [`RegistryError::NotRegistered`] when it has none.
    pub(crate) async fn lookup(
        &self,
        subject: &str,
        schema: &str,
        normalize: Normalize,
    ) -> Result<u32, RegistryError> {
        if let Some(id) = self.known(subject, schema) {
            return Ok(id);
        }
        let answer = self.ask(Request::post(&["subjects", subject], schema, normalize)).await?;
        match answer.status {
            200 => self.learn(subject, schema, answer.id()?),
            404 if answer.error_code().is_some() => {
                Err(RegistryError::NotRegistered { subject: subject.to_owned() })
            }
            422 => Err(answer.refused(subject)),
            _ => Err(answer.unexpected()),
        }
    }

    /// Returns the newest version under a subject.
    ///
    /// # Errors
    /// [`RegistryError::NotRegistered`] when there is none.
    pub(crate) async fn latest(&self, subject: &str) -> Result<Latest, RegistryError> {
        let answer = self.ask(Request::get(&["subjects", subject, "versions", "latest"])).await?;
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
        let answer = self.ask(Request::get(&["schemas", "ids", &id.to_string()])).await?;
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
        let answer = self.ask(Request::get(&["schemas", "types"])).await?;
        if answer.status == 200 { Ok(()) } else { Err(answer.unexpected()) }
    }

    /// Sends a request to the address that answered last, then to the others.
    async fn ask(&self, request: Request<'_>) -> Result<Answer, RegistryError> {
        let addresses = self.settings.addresses();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut last = None;
        for step in 0..addresses.len() {
            let index = (first + step) % addresses.len();
            let result = self.ask_at(&addresses[index], &request).await;
            if !matches!(&result, Err(error) if error.class() == sluice_core::ErrorClass::Retry) {
                self.preferred.store(index, Ordering::Relaxed);
                return result;
            }
            last = Some(result);
        }
        last.expect("the settings hold at least one address")
    }

    async fn ask_at(&self, address: &Address, request: &Request<'_>) -> Result<Answer, RegistryError> {
        let mut url = address.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(request.path);
        }
        if request.normalize {
            url.set_query(Some("normalize=true"));
        }
        let mut builder = self.client.request(request.method.clone(), url).header("Accept", MEDIA_TYPE);
        if let Some(schema) = request.schema {
            let body = serde_json::json!({ "schema": schema }).to_string();
            builder = builder.header("Content-Type", MEDIA_TYPE).body(body);
        }
        let failed = |error| RegistryError::of_request(address.url.to_string(), error);
        let response = address.authorize(builder).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?;
        Answer::new(&address.url, status, &body)
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
