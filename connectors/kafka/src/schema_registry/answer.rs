//! Answers of the registry, and what they mean.

use reqwest::Url;
use serde_json::Value as Json;

use super::RegistryError;

/// Longest part of an answer's text that a message shows.
const SHOWN_LENGTH: usize = 500;
/// Confluent's error code of a registry, a context or a subject in a mode that takes no schemas.
const OPERATION_NOT_PERMITTED: i64 = 42205;

/// One answer that is neither a failure of the network nor of the server.
pub(super) struct Answer {
    url: String,
    pub(super) status: u16,
    body: Json,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// When its status says that asking again later may help, or that we may not ask.
    pub(super) fn new(url: &Url, status: u16, body: &[u8]) -> Result<Self, RegistryError> {
        let text = || shorten(&String::from_utf8_lossy(body));
        let body: Json = serde_json::from_slice(body).unwrap_or_else(|_| Json::String(text()));
        let answer = Self { url: url.to_string(), status, body };
        match status {
            401 | 403 => Err(RegistryError::Unauthorized { url: answer.url, status }),
            408 | 425 | 429 | 500.. => {
                Err(RegistryError::Unavailable { message: answer.message(), url: answer.url, status })
            }
            _ => Ok(answer),
        }
    }

    /// Returns what the registry says, in one line.
    pub(super) fn message(&self) -> String {
        match self.body.get("message").and_then(Json::as_str) {
            Some(message) => shorten(message),
            None => shorten(&self.body.to_string()),
        }
    }

    /// Returns Confluent's error code; a proxy's answer has none.
    pub(super) fn error_code(&self) -> Option<i64> {
        self.body.get("error_code").and_then(Json::as_i64)
    }

    /// Returns the field `id`.
    pub(super) fn id(&self) -> Result<u32, RegistryError> {
        let id = self.body.get("id").and_then(Json::as_u64).and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| self.problem("no `id` in its answer"))
    }

    /// Returns the field `schema`.
    pub(super) fn schema(&self) -> Result<String, RegistryError> {
        let schema = self.body.get("schema").and_then(Json::as_str);
        schema.map(str::to_owned).ok_or_else(|| self.problem("no `schema` in its answer"))
    }

    /// Returns the schema with an id, if it is one that stands alone and is Avro.
    pub(super) fn avro_schema(&self, id: u32) -> Result<String, RegistryError> {
        let unsupported = |problem: String| Err(RegistryError::Unsupported { id, problem });
        match self.body.get("schemaType").and_then(Json::as_str) {
            None | Some("AVRO") => {}
            Some(kind) => return unsupported(format!("it is of type {kind}, the converter reads AVRO")),
        }
        if self.body.get("references").and_then(Json::as_array).is_some_and(|list| !list.is_empty()) {
            return unsupported("it refers to other schemas, which is not supported".to_owned());
        }
        self.schema()
    }

    /// Tells why a schema was not taken, from an answer 422.
    pub(super) fn refused(&self, subject: &str) -> RegistryError {
        let (subject, reason) = (subject.to_owned(), self.message());
        match self.error_code() {
            Some(OPERATION_NOT_PERMITTED) => RegistryError::ReadOnly { subject, reason },
            _ => RegistryError::InvalidSchema { subject, reason },
        }
    }

    /// Names an answer that no registry should give.
    pub(super) fn unexpected(&self) -> RegistryError {
        self.problem(&format!("status {}: {}", self.status, self.message()))
    }

    fn problem(&self, problem: &str) -> RegistryError {
        RegistryError::Unexpected { url: self.url.clone(), problem: problem.to_owned() }
    }
}

fn shorten(text: &str) -> String {
    let line: String =
        text.chars().take(SHOWN_LENGTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > SHOWN_LENGTH { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use sluice_core::{Classify, ErrorClass};

    use super::*;

    fn answer(status: u16, body: &str) -> Result<Answer, RegistryError> {
        Answer::new(&"http://registry:8081/".parse().unwrap(), status, body.as_bytes())
    }

    #[test]
    fn overload_and_failure_are_retried_and_refused_access_stops() {
        for status in [429, 500, 503] {
            assert_eq!(answer(status, "busy").err().map(|error| error.class()), Some(ErrorClass::Retry));
        }
        for status in [401, 403] {
            assert_eq!(answer(status, "").err().map(|error| error.class()), Some(ErrorClass::Stop));
        }
    }

    #[test]
    fn schema_of_another_language_is_rejected() {
        let answer = answer(200, r#"{"schemaType":"PROTOBUF","schema":"syntax"}"#).unwrap();

        assert_eq!(answer.avro_schema(7).unwrap_err().class(), ErrorClass::Reject);
    }

    #[test]
    fn read_only_registry_is_told_from_an_invalid_schema() {
        let read_only = r#"{"error_code":42205,"message":"Subject t-value is in read-only mode"}"#;
        let read_only = answer(422, read_only).unwrap().refused("t-value");
        let invalid = answer(422, r#"{"error_code":42201,"message":"Invalid schema"}"#).unwrap().refused("t");

        assert!(matches!(read_only, RegistryError::ReadOnly { .. }));
        assert!(read_only.hint().is_some_and(|hint| hint.contains("READWRITE")));
        assert!(matches!(invalid, RegistryError::InvalidSchema { .. }));
    }

    #[test]
    fn answer_of_a_proxy_names_the_address() {
        let answer = answer(404, "<html>").unwrap();

        assert_eq!(answer.error_code(), None);
        assert!(answer.unexpected().to_string().contains("http://registry:8081/"));
    }
}
