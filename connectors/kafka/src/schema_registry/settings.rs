//! Settings of the registry's client, under the names of Confluent's and Apicurio's converters.

use std::{collections::BTreeMap, fs, path::Path, sync::Once, time::Duration};

use reqwest::{Certificate, Client, Identity, RequestBuilder, Url, redirect::Policy};
use sluice_core::config::{Fault, Secret};

use super::RegistryError;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take: registering a schema can wait for the registry's own Kafka topic.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Path of Apicurio's own API and that of its Confluent API beside it.
const APICURIO_PATHS: [(&str, &str); 2] =
    [("/apis/registry/v2", "/apis/ccompat/v7"), ("/apis/registry/v3", "/apis/ccompat/v7")];

/// How to reach the registry.
#[derive(Debug, Clone)]
pub(crate) struct RegistrySettings {
    addresses: Vec<Url>,
    credentials: Credentials,
    authorities: Option<String>,
    identity: Option<(String, Option<String>)>,
}

#[derive(Debug, Clone)]
enum Credentials {
    None,
    Basic { user: String, password: Secret },
    Bearer(Secret),
}

impl RegistrySettings {
    /// Reads the settings of a converter, keys without `key.converter.` or `value.converter.`.
    ///
    /// # Errors
    /// Every fault, with property names as in `settings`.
    pub(crate) fn new(settings: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut addresses = addresses(settings).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        let credentials = credentials(settings, &addresses).unwrap_or_else(|fault| {
            faults.push(fault);
            Credentials::None
        });
        for address in &mut addresses {
            // Taken into the credentials; an address is shown in messages.
            let _ = address.set_username("");
            let _ = address.set_password(None);
        }
        let authorities = authorities(settings).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let identity = identity(settings).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        if faults.is_empty() {
            Ok(Self { addresses, credentials, authorities, identity })
        } else {
            Err(faults)
        }
    }

    /// Returns the addresses, at least one, without credentials.
    pub(crate) fn addresses(&self) -> &[Url] {
        &self.addresses
    }

    /// Makes the HTTP client. It follows no redirects: a registry has none, and credentials must not travel.
    pub(super) fn client(&self) -> Result<Client, RegistryError> {
        static PROVIDER: Once = Once::new();
        // An application that chose a provider before keeps it; the error says just that.
        PROVIDER.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
        let failed = |error: reqwest::Error| RegistryError::Tls { problem: error.to_string() };
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.authorities {
            let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(failed)?;
            builder = builder.tls_certs_only(certificates);
        } else if self.addresses.iter().all(|address| address.scheme() == "http") {
            // A small container has no certificates of its own, and needs none without TLS.
            builder = builder.tls_certs_only([]);
        }
        if let Some((chain, key)) = &self.identity {
            let mut pem = read(chain)?;
            if let Some(key) = key {
                pem.extend(read(key)?);
            }
            builder = builder.identity(Identity::from_pem(&pem).map_err(failed)?);
        }
        builder.build().map_err(failed)
    }

    /// Adds the credentials.
    pub(super) fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::None => request,
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password.expose())),
            Credentials::Bearer(token) => request.bearer_auth(token.expose()),
        }
    }
}

fn read(path: &str) -> Result<Vec<u8>, RegistryError> {
    fs::read(path).map_err(|error| RegistryError::Tls { problem: format!("cannot read `{path}`: {error}") })
}

/// Reads `schema.registry.url`, or Apicurio's address turned into that of its Confluent API.
fn addresses(settings: &BTreeMap<String, String>) -> Result<Vec<Url>, Fault> {
    let (property, text) = ["schema.registry.url", "apicurio.registry.url"]
        .into_iter()
        .find_map(|property| Some((property, settings.get(property)?)))
        .ok_or_else(|| {
            Fault::new("config.missing_property", "schema.registry.url", "must be set for the Avro converter")
                .hint("such as `http://localhost:8081`, for Apicurio `http://localhost:8080/apis/ccompat/v7`")
        })?;
    let parse = |text: &str| {
        let mut url: Url = text.parse().ok()?;
        let path = url.path().trim_end_matches('/').to_owned();
        if let Some((_, confluent)) = APICURIO_PATHS.iter().find(|(own, _)| path == *own) {
            url.set_path(confluent);
        }
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    };
    let urls: Option<Vec<_>> =
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(parse).collect();
    urls.filter(|urls| !urls.is_empty()).ok_or_else(|| {
        Fault::invalid(property, "expected addresses separated by commas, such as `http://localhost:8081`")
    })
}

fn credentials(settings: &BTreeMap<String, String>, addresses: &[Url]) -> Result<Credentials, Fault> {
    if let Some(token) = settings.get("bearer.auth.token") {
        return Ok(Credentials::Bearer(token.as_str().into()));
    }
    let user_info = ["basic.auth.user.info", "schema.registry.basic.auth.user.info"]
        .into_iter()
        .find_map(|property| settings.get(property));
    match settings.get("basic.auth.credentials.source").map(String::as_str) {
        Some("USER_INFO") => {
            let pair = user_info.and_then(|pair| pair.split_once(':'));
            let (user, password) = pair.ok_or_else(|| {
                Fault::invalid(
                    "basic.auth.user.info",
                    "expected `user:password`, as `basic.auth.credentials.source` is USER_INFO",
                )
            })?;
            Ok(Credentials::Basic { user: user.to_owned(), password: password.into() })
        }
        // Confluent's default.
        None | Some("" | "URL") => Ok(url_credentials(addresses)),
        Some(_) => Err(Fault::invalid("basic.auth.credentials.source", "expected URL or USER_INFO")),
    }
}

fn url_credentials(addresses: &[Url]) -> Credentials {
    let with_user = addresses.iter().find(|url| !url.username().is_empty());
    with_user.map_or(Credentials::None, |url| Credentials::Basic {
        user: url.username().to_owned(),
        password: url.password().unwrap_or_default().into(),
    })
}

fn authorities(settings: &BTreeMap<String, String>) -> Result<Option<String>, Fault> {
    let properties = ["schema.registry.ssl.ca.location", "schema.registry.ssl.truststore.location"];
    pem(settings, &properties, "schema.registry.ssl.truststore.type")
}

fn identity(settings: &BTreeMap<String, String>) -> Result<Option<(String, Option<String>)>, Fault> {
    let properties = ["schema.registry.ssl.certificate.location", "schema.registry.ssl.keystore.location"];
    let chain = pem(settings, &properties, "schema.registry.ssl.keystore.type")?;
    let key = settings.get("schema.registry.ssl.key.location").cloned();
    Ok(chain.map(|chain| (chain, key)))
}

fn pem(
    settings: &BTreeMap<String, String>,
    properties: &[&str; 2],
    kind: &str,
) -> Result<Option<String>, Fault> {
    let Some((property, path)) =
        properties.iter().find_map(|property| Some((*property, settings.get(*property)?)))
    else {
        return Ok(None);
    };
    let named_pem = settings.get(kind).is_none_or(|kind| kind.eq_ignore_ascii_case("PEM"));
    let java = Path::new(path).extension().is_some_and(|end| end == "jks" || end == "p12" || end == "pfx");
    if named_pem && !java {
        return Ok(Some(path.clone()));
    }
    Err(Fault::invalid(property, "expected a PEM file")
        .hint("convert a Java key store with `keytool -list -rfc -keystore FILE`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<RegistrySettings, Vec<Fault>> {
        RegistrySettings::new(
            &pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn several_addresses_are_read_and_credentials_leave_them() {
        let settings =
            settings(&[("schema.registry.url", "http://u:secret@a:8081, http://b:8081/r")]).unwrap();

        let shown: Vec<_> = settings.addresses().iter().map(Url::to_string).collect();
        assert_eq!(shown, ["http://a:8081/", "http://b:8081/r"]);
        assert!(!format!("{settings:?}").contains("secret"));
        assert!(matches!(settings.credentials, Credentials::Basic { .. }));
    }

    #[test]
    fn address_of_apicurios_own_api_becomes_that_of_its_confluent_api() {
        let settings = settings(&[("apicurio.registry.url", "http://r:8080/apis/registry/v2")]).unwrap();

        assert_eq!(settings.addresses()[0].as_str(), "http://r:8080/apis/ccompat/v7");
    }

    #[test]
    fn all_faults_are_told_and_no_secret() {
        let faults = settings(&[
            ("schema.registry.url", "registry:8081"),
            ("basic.auth.credentials.source", "USER_INFO"),
            ("basic.auth.user.info", "hunter2"),
            ("schema.registry.ssl.truststore.location", "trust.jks"),
        ])
        .unwrap_err();

        assert_eq!(faults.len(), 3);
        assert!(faults.iter().all(|fault| !fault.to_string().contains("hunter2")));
    }
}
