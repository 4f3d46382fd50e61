//! What can go wrong with a Schema Registry.

use std::{error::Error, io};

use sluice_core::{Classify, ErrorClass};

/// A failure of the Schema Registry. Messages hold schemas and addresses, never credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No connection, or no answer in time.
    #[error("the Schema Registry at `{url}` does not answer")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It answers, but cannot serve now.
    #[error("the Schema Registry at `{url}` answers {status}: {message}")]
    Unavailable {
        /// Its address.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It does not let us in.
    #[error("the Schema Registry at `{url}` answers {status}: no access")]
    Unauthorized {
        /// Its address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// Something other than a Schema Registry seems to answer.
    #[error("`{url}` does not answer as a Schema Registry: {problem}")]
    Unexpected {
        /// Its address.
        url: String,
        /// What was unexpected.
        problem: String,
    },
    /// The subject's compatibility rule forbids the schema.
    #[error("the Schema Registry refuses a new schema for subject `{subject}` as incompatible: {reason}")]
    Incompatible {
        /// The subject.
        subject: String,
        /// The registry's reason.
        reason: String,
        /// The schema that was to be registered.
        schema: String,
        /// The newest schema of the subject, if it could be read.
        registered: Option<String>,
    },
    /// The registry cannot read the schema.
    #[error("the Schema Registry refuses the schema for subject `{subject}` as invalid: {reason}")]
    InvalidSchema {
        /// The subject.
        subject: String,
        /// The registry's reason.
        reason: String,
    },
    /// A schema that may not be registered by us is not there.
    #[error("the schema for subject `{subject}` is not registered and `auto.register.schemas` is false")]
    NotRegistered {
        /// The subject.
        subject: String,
    },
    /// The newest schema of a subject is another than the one to be written.
    #[error(
        "the newest schema of subject `{subject}` (id {id}) is not the schema of the records, and `use.latest.version` is true"
    )]
    NotLatest {
        /// The subject.
        subject: String,
        /// Id of the newest schema.
        id: u32,
    },
    /// The schema that is to be used is another than the one to be written.
    #[error(
        "schema {id} is not the schema of the records for subject `{subject}`, and `use.schema.id` is {id}"
    )]
    OtherSchema {
        /// The subject.
        subject: String,
        /// The id.
        id: u32,
    },
    /// The registry takes no new schemas.
    #[error("the Schema Registry takes no new schema for subject `{subject}`: {reason}")]
    ReadOnly {
        /// The subject.
        subject: String,
        /// What it says.
        reason: String,
    },
    /// A record names a schema that the registry does not have.
    #[error("the Schema Registry has no schema with id {id}")]
    UnknownId {
        /// The id.
        id: u32,
    },
    /// A schema that this client cannot read.
    #[error("schema {id} cannot be used: {problem}")]
    Unsupported {
        /// The id.
        id: u32,
        /// Why not.
        problem: String,
    },
    /// Server or client does not accept the other's certificate.
    #[error("no TLS to the Schema Registry at `{url}`: {problem}")]
    Handshake {
        /// Its address.
        url: String,
        /// What does not fit.
        problem: String,
    },
    /// Certificates or keys that cannot be used.
    #[error("cannot set up TLS to the Schema Registry: {problem}")]
    Tls {
        /// What does not fit.
        problem: String,
    },
    /// An HTTP client that cannot be made of the settings: of certificates, a key or a proxy.
    #[error("cannot set up the connection to the Schema Registry")]
    Client(#[source] reqwest::Error),
}

impl RegistryError {
    /// Settings that no client can be made of; the address of a proxy may hold a password.
    pub(super) fn of_settings(error: reqwest::Error) -> Self {
        Self::Client(error.without_url())
    }

    /// Tells a certificate that was not accepted, which no waiting mends, from a registry that is away.
    pub(super) fn of_request(url: String, error: reqwest::Error) -> Self {
        let source = error.without_url();
        match tls_problem(&source) {
            Some(problem) => Self::Handshake { url, problem },
            None => Self::Unreachable { url, source },
        }
    }
}

fn tls_problem(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(problem) = error.downcast_ref::<rustls::Error>() {
            return Some(problem.to_string());
        }
        // An I/O error hides what it holds from the chain of sources.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

impl Classify for RegistryError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Unreachable { .. } | Self::Unavailable { .. } | Self::Unexpected { .. } => {
                ErrorClass::Retry
            }
            Self::UnknownId { .. } | Self::Unsupported { .. } => ErrorClass::Reject,
            Self::Unauthorized { .. }
            | Self::Incompatible { .. }
            | Self::InvalidSchema { .. }
            | Self::NotRegistered { .. }
            | Self::NotLatest { .. }
            | Self::OtherSchema { .. }
            | Self::ReadOnly { .. }
            | Self::Handshake { .. }
            | Self::Tls { .. }
            | Self::Client(_) => ErrorClass::Stop,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "kafka.registry_unreachable",
            Self::Unavailable { .. } => "kafka.registry_unavailable",
            Self::Unauthorized { .. } => "kafka.registry_unauthorized",
            Self::Unexpected { .. } => "kafka.registry_unexpected_answer",
            Self::Incompatible { .. } => "kafka.schema_incompatible",
            Self::InvalidSchema { .. } => "kafka.schema_invalid",
            Self::NotRegistered { .. } => "kafka.schema_not_registered",
            Self::NotLatest { .. } => "kafka.schema_not_latest",
            Self::OtherSchema { .. } => "kafka.schema_other",
            Self::ReadOnly { .. } => "kafka.registry_read_only",
            Self::Handshake { .. } => "kafka.registry_handshake",
            Self::UnknownId { .. } => "kafka.schema_id_unknown",
            Self::Unsupported { .. } => "kafka.schema_unsupported",
            Self::Tls { .. } | Self::Client(_) => "kafka.registry_tls",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => {
                "check `schema.registry.url` of the converters, and that the registry runs"
            }
            Self::Unavailable { .. } => "look at the registry's log; the connector tries again",
            Self::Unauthorized { .. } => {
                "set `basic.auth.credentials.source=USER_INFO` and `basic.auth.user.info=user:password` of the converters, \
                 or `bearer.auth.token`; with 403, let this user read and write the subject"
            }
            Self::Unexpected { .. } => {
                "check the path of `schema.registry.url`: Confluent's API is at the root, Apicurio's at `/apis/ccompat/v7`"
            }
            Self::Incompatible { subject, schema, registered, .. } => {
                return Some(incompatible_hint(subject, schema, registered.as_deref()));
            }
            Self::InvalidSchema { .. } => {
                "names in Avro are letters, digits and `_`: set `schema.name.adjustment.mode=avro`"
            }
            Self::NotRegistered { .. } => "register it, or set `auto.register.schemas=true` of the converter",
            Self::NotLatest { .. } => {
                "register the new schema, or set `auto.register.schemas=true` of the converter"
            }
            Self::OtherSchema { .. } => {
                "name the id of the schema that the records have now, or set `auto.register.schemas=true` of the converter"
            }
            Self::ReadOnly { .. } => {
                "set the registry's mode to READWRITE, or register the schema where it may be and set `auto.register.schemas=false`"
            }
            Self::Handshake { .. } => {
                "name the authority that signed the server's certificate in `schema.registry.ssl.truststore.location` (PEM), \
                 and our own certificate in `schema.registry.ssl.keystore.location` if the server asks for one"
            }
            Self::UnknownId { .. } => {
                "the record was written with another registry, or that registry was restored without this schema"
            }
            Self::Unsupported { .. } => "this topic needs another converter",
            Self::Tls { .. } => "give PEM files in `schema.registry.ssl.*`",
            Self::Client(_) => "check the PEM files of `schema.registry.ssl.*`, and `proxy.host`",
        };
        Some(hint.to_owned())
    }
}

fn incompatible_hint(subject: &str, schema: &str, registered: Option<&str>) -> String {
    format!(
        "make the change of the table compatible (a new column needs NULL or a default), or relax the rule: \
         PUT /config/{subject} {{\"compatibility\": \"NONE\"}}, and restart the connector\n  \
         registered: {}\n  refused: {schema}",
        registered.unwrap_or("(could not be read)")
    )
}
