//! Certificates and keys for TLS to the registry, under the names of Confluent's and librdkafka's clients.

use std::{collections::BTreeMap, fs, path::Path};

use reqwest::{Certificate, ClientBuilder, Identity};
use sluice_core::config::{Fault, Secret};

use super::RegistryError;

const CONVERT: &str = "a Java key store becomes PEM with `openssl pkcs12 -in FILE -nodes`, after `keytool -importkeystore` \
     `-srckeystore FILE.jks -destkeystore FILE.p12` if it is JKS";

/// Where PEM text comes from.
#[derive(Debug, Clone)]
enum Pem {
    File(String),
    /// The property's own text, which can hold a key.
    Text(Secret),
}

/// Whom we trust and who we are.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {
    authorities: Option<Pem>,
    chain: Option<Pem>,
    key: Option<Pem>,
}

impl Tls {
    /// Reads the settings of a converter.
    ///
    /// # Errors
    /// Every fault.
    pub(super) fn new(settings: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut one = |files: &[&str], text: &str| {
            pem(settings, files, text).unwrap_or_else(|fault| {
                faults.push(fault);
                None
            })
        };
        let tls = Self {
            authorities: one(
                &["schema.registry.ssl.ca.location", "schema.registry.ssl.truststore.location"],
                "schema.registry.ssl.truststore.certificates",
            ),
            chain: one(
                &["schema.registry.ssl.certificate.location", "schema.registry.ssl.keystore.location"],
                "schema.registry.ssl.keystore.certificate.chain",
            ),
            key: one(&["schema.registry.ssl.key.location"], "schema.registry.ssl.keystore.key"),
        };
        for store in ["truststore", "keystore"] {
            let property = format!("schema.registry.ssl.{store}.type");
            if settings.get(&property).is_some_and(|kind| !kind.eq_ignore_ascii_case("PEM")) {
                faults.push(Fault::invalid(&property, "only `PEM` is supported").hint(CONVERT));
            }
        }
        if faults.is_empty() { Ok(tls) } else { Err(faults) }
    }

    /// Adds the certificates. `encrypted`: whether any address is `https`.
    pub(super) fn apply(
        &self,
        mut builder: ClientBuilder,
        encrypted: bool,
    ) -> Result<ClientBuilder, RegistryError> {
        if let Some(pem) = &self.authorities {
            let certificates =
                Certificate::from_pem_bundle(&pem.read()?).map_err(RegistryError::of_settings)?;
            if certificates.is_empty() {
                let problem = "the trusted certificates hold no `BEGIN CERTIFICATE`".to_owned();
                return Err(RegistryError::Tls { problem });
            }
            builder = builder.tls_certs_only(certificates);
        } else if !encrypted {
            // A small container has no certificates of its own, and needs none without TLS.
            builder = builder.tls_certs_only([]);
        }
        if let Some(chain) = &self.chain {
            let mut pem = chain.read()?;
            if let Some(key) = &self.key {
                pem.push(b'\n');
                pem.extend(key.read()?);
            }
            builder = builder.identity(Identity::from_pem(&pem).map_err(RegistryError::of_settings)?);
        }
        Ok(builder)
    }
}

impl Pem {
    fn read(&self) -> Result<Vec<u8>, RegistryError> {
        match self {
            Self::Text(text) => Ok(text.expose().as_bytes().to_vec()),
            Self::File(path) => fs::read(path)
                .map_err(|error| RegistryError::Tls { problem: format!("cannot read `{path}`: {error}") }),
        }
    }
}

fn pem(settings: &BTreeMap<String, String>, files: &[&str], text: &str) -> Result<Option<Pem>, Fault> {
    if let Some(text) = settings.get(text) {
        return Ok(Some(Pem::Text(text.as_str().into())));
    }
    let found = files.iter().find_map(|property| Some((*property, settings.get(*property)?)));
    let Some((property, path)) = found else { return Ok(None) };
    let is_java = Path::new(path).extension().is_some_and(|end| end == "jks" || end == "p12" || end == "pfx");
    if is_java {
        return Err(Fault::invalid(property, "expected a PEM file").hint(CONVERT));
    }
    Ok(Some(Pem::File(path.clone())))
}
