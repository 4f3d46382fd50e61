//! Settings of the registry's client, under the names of Confluent's and Apicurio's converters.

use std::{collections::BTreeMap, sync::Once, time::Duration};

use reqwest::{
    Client, Proxy, RequestBuilder, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use sluice_core::config::{ConfigValue as _, Fault, Millis, Secret};

use super::{RegistryError, tls::Tls};
use crate::client::user_and_password;

/// How long a connection may take to be made, unless `http.connect.timeout.ms` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take, unless `http.read.timeout.ms` says otherwise: registering a schema can wait for the
/// registry's own Kafka topic.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Settings that become headers of every request.
const HEADER_PREFIX: &str = "request.header.";
/// Path of Apicurio's own API and that of its Confluent API beside it.
const APICURIO_PATHS: [(&str, &str); 2] =
    [("/apis/registry/v2", "/apis/ccompat/v7"), ("/apis/registry/v3", "/apis/ccompat/v7")];

type Settings = BTreeMap<String, String>;

/// How to reach the registry.
#[derive(Debug, Clone)]
pub(crate) struct RegistrySettings {
    addresses: Vec<Address>,
    tls: Tls,
    connect_timeout: Duration,
    read_timeout: Duration,
    proxy: Option<String>,
    headers: HeaderMap,
}

/// One address of the registry.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Without credentials: it is shown in messages.
    pub(crate) url: Url,
    credentials: Credentials,
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
    pub(crate) fn new(settings: &Settings) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let urls = addresses(settings).map_err(|fault| faults.push(fault));
        let credentials = credentials(settings).map_err(|fault| faults.push(fault));
        let tls = Tls::new(settings).map_err(|mut found| faults.append(&mut found));
        let mut time = |key: &str, default| {
            millis(settings, key, default).map_err(|fault| faults.push(fault)).unwrap_or(default)
        };
        let connect_timeout = time("http.connect.timeout.ms", CONNECT_TIMEOUT);
        let read_timeout = time("http.read.timeout.ms", READ_TIMEOUT);
        let proxy = proxy(settings).map_err(|fault| faults.push(fault));
        let headers = headers(settings).map_err(|fault| faults.push(fault));
        match (urls, credentials, tls, proxy, headers) {
            (Ok(urls), Ok(credentials), Ok(tls), Ok(proxy), Ok(headers)) if faults.is_empty() => {
                let addresses = urls.into_iter().map(|url| Address::new(url, credentials.as_ref())).collect();
                Ok(Self { addresses, tls, connect_timeout, read_timeout, proxy, headers })
            }
            _ => Err(faults),
        }
    }

    /// Returns the addresses, at least one.
    pub(crate) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Makes the HTTP client. It follows no redirects: a registry has none, and credentials must not travel.
    pub(super) fn client(&self) -> Result<Client, RegistryError> {
        static PROVIDER: Once = Once::new();
        // An application that chose a provider before keeps it; the error says just that.
        PROVIDER.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.read_timeout)
            .default_headers(self.headers.clone())
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(RegistryError::of_settings)?);
        }
        let encrypted = self.addresses.iter().any(|address| address.url.scheme() == "https");
        self.tls.apply(builder, encrypted)?.build().map_err(RegistryError::of_settings)
    }
}

impl Address {
    /// Takes credentials out of the address; `given` ones win.
    fn new(mut url: Url, given: Option<&Credentials>) -> Self {
        let credentials = match given {
            Some(credentials) => credentials.clone(),
            None if url.username().is_empty() => Credentials::None,
            None => Credentials::Basic {
                user: url.username().to_owned(),
                password: url.password().unwrap_or_default().into(),
            },
        };
        // Fails only for addresses without a host, which are refused before.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self { url, credentials }
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

/// Reads `schema.registry.url`, or Apicurio's address turned into that of its Confluent API.
fn addresses(settings: &Settings) -> Result<Vec<Url>, Fault> {
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

/// Reads credentials for all addresses; none: each address has its own, if any, which is Confluent's default.
fn credentials(settings: &Settings) -> Result<Option<Credentials>, Fault> {
    if let Some(token) = settings.get("bearer.auth.token") {
        return Ok(Some(Credentials::Bearer(token.as_str().into())));
    }
    let source = settings.get("basic.auth.credentials.source").map(String::as_str);
    let (user, password) = match source {
        None | Some("" | "URL") => return Ok(None),
        Some("USER_INFO") => user_info(settings)?,
        Some("SASL_INHERIT") => sasl(settings)?,
        Some(_) => {
            let expected = "expected URL, USER_INFO or SASL_INHERIT";
            return Err(Fault::invalid("basic.auth.credentials.source", expected));
        }
    };
    Ok(Some(Credentials::Basic { user, password }))
}

fn user_info(settings: &Settings) -> Result<(String, Secret), Fault> {
    let properties = ["schema.registry.basic.auth.user.info", "basic.auth.user.info"];
    let given = properties.into_iter().find_map(|property| settings.get(property));
    let pair = given.and_then(|pair| pair.split_once(':'));
    let (user, password) = pair.ok_or_else(|| {
        let expected = "expected `user:password`, as `basic.auth.credentials.source` is USER_INFO";
        Fault::invalid("basic.auth.user.info", expected)
    })?;
    Ok((user.to_owned(), password.into()))
}

fn sasl(settings: &Settings) -> Result<(String, Secret), Fault> {
    let line = settings.get("sasl.jaas.config").ok_or_else(|| {
        let message = "must be set, as `basic.auth.credentials.source` is SASL_INHERIT";
        Fault::new("config.missing_property", "sasl.jaas.config", message).hint(
            "the converter's own setting: clients' `sasl.jaas.config` does not reach it, in Connect neither",
        )
    })?;
    let (user, password) = user_and_password(line)
        .map_err(|expected| Fault::invalid("sasl.jaas.config", format!("expected {expected}")))?;
    Ok((user, password.as_str().into()))
}

fn millis(settings: &Settings, key: &str, default: Duration) -> Result<Duration, Fault> {
    let Some(text) = settings.get(key) else { return Ok(default) };
    let Millis(time) =
        Millis::parse(text).map_err(|expected| Fault::invalid(key, format!("expected {expected}")))?;
    Ok(time)
}

/// Reads `proxy.host` and `proxy.port`, which name a proxy together.
fn proxy(settings: &Settings) -> Result<Option<String>, Fault> {
    let host = settings.get("proxy.host").filter(|host| !host.is_empty());
    let port = settings.get("proxy.port").filter(|port| *port != "-1");
    let (host, port) = match (host, port) {
        (None, None) => return Ok(None),
        (Some(host), Some(port)) => (host, port),
        (Some(_), None) => return Err(Fault::invalid("proxy.port", "must be set beside `proxy.host`")),
        (None, Some(_)) => return Err(Fault::invalid("proxy.host", "must be set beside `proxy.port`")),
    };
    let port: u16 = port.parse().map_err(|_| Fault::invalid("proxy.port", "expected a port"))?;
    let address = format!("http://{host}:{port}");
    let is_host = address.parse::<Url>().is_ok_and(|url| url.path() == "/");
    is_host.then_some(Some(address)).ok_or_else(|| Fault::invalid("proxy.host", "expected a host"))
}

fn headers(settings: &Settings) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (key, text) in settings {
        let Some(name) = key.strip_prefix(HEADER_PREFIX) else { continue };
        let name = HeaderName::try_from(name).map_err(|_| Fault::invalid(key, "not a header's name"))?;
        let mut value =
            HeaderValue::try_from(text).map_err(|_| Fault::invalid(key, "not a header's value"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
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

        let shown: Vec<_> = settings.addresses().iter().map(|address| address.url.to_string()).collect();
        assert_eq!(shown, ["http://a:8081/", "http://b:8081/r"]);
        assert!(!format!("{settings:?}").contains("secret"));
        assert!(matches!(settings.addresses[0].credentials, Credentials::Basic { .. }));
        assert!(
            matches!(settings.addresses[1].credentials, Credentials::None),
            "credentials stay with their host"
        );
    }

    #[test]
    fn address_of_apicurios_own_api_becomes_that_of_its_confluent_api() {
        let settings = settings(&[("apicurio.registry.url", "http://r:8080/apis/registry/v2")]).unwrap();

        assert_eq!(settings.addresses()[0].url.as_str(), "http://r:8080/apis/ccompat/v7");
    }

    #[test]
    fn what_is_no_certificate_is_told_with_the_reason() {
        let settings = settings(&[
            ("schema.registry.url", "https://r:8081"),
            ("schema.registry.ssl.keystore.certificate.chain", "no PEM"),
        ]);

        let error = settings.unwrap().client().unwrap_err();

        let fault = Fault::from_error("schema.registry.url", &error);
        assert!(fault.message.contains("private key"), "{fault}");
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

    #[test]
    fn credentials_of_a_login_module_are_taken_and_never_shown() {
        let jaas = r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="hunter2";"#;
        let inherit = ("basic.auth.credentials.source", "SASL_INHERIT");
        let settings =
            settings(&[("schema.registry.url", "http://r"), inherit, ("sasl.jaas.config", jaas)]).unwrap();

        let Credentials::Basic { user, password } = &settings.addresses[0].credentials else { panic!() };
        assert_eq!((user.as_str(), password.expose()), ("ann", "hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn headers_are_sent_and_never_shown() {
        let settings =
            settings(&[("schema.registry.url", "http://r"), ("request.header.X-Token", "hunter2")]).unwrap();

        assert_eq!(settings.headers["x-token"], "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn proxy_needs_host_and_port() {
        let url = ("schema.registry.url", "http://r");
        let both = settings(&[url, ("proxy.host", "p"), ("proxy.port", "3128")]).unwrap();
        let faults = settings(&[url, ("proxy.host", "p")]).unwrap_err();

        assert_eq!(both.proxy.as_deref(), Some("http://p:3128"));
        assert_eq!(faults[0].property, "proxy.port");
    }
}
