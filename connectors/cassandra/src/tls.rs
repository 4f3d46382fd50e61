//! TLS from properties: PEM files in, a rustls configuration out.

use std::{fs, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::{config::CassandraConfig, error::CassandraError};

/// Makes the configuration of encrypted connections.
///
/// # Errors
/// *Stop*, naming the property whose file cannot be used.
pub(crate) fn client_config(config: &CassandraConfig) -> Result<Arc<ClientConfig>, CassandraError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = verifier(config, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("ssl.provider", "rustls", &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let client = match (&config.certificate_chain, &config.private_key) {
        (Some(chain), Some(key)) => {
            let certificates = certificates("ssl.openssl.keyCertChain", chain)?;
            let private_key = private_key(key)?;
            builder
                .with_client_auth_cert(certificates, private_key)
                .map_err(|error| unusable("ssl.openssl.privateKey", key, &error))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(client))
}

fn verifier(
    config: &CassandraConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, CassandraError> {
    let (path, roots) = match &config.truststore {
        Some(path) => (path.as_str(), trusted(path)?),
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            ("the operating system's", roots)
        }
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| unusable("ssl.truststore.path", path, &error))?;
    Ok(match config.hostname_validation {
        true => verifier,
        false => Arc::new(AnyName(verifier)),
    })
}

fn trusted(path: &str) -> Result<RootCertStore, CassandraError> {
    let property = "ssl.truststore.path";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(property, path)? {
        roots.add(certificate).map_err(|error| unusable(property, path, &error))?;
    }
    Ok(roots)
}

fn certificates(property: &'static str, path: &str) -> Result<Vec<CertificateDer<'static>>, CassandraError> {
    let text = fs::read(path).map_err(|error| unusable(property, path, &error))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(property, path, &error))?;
    if certificates.is_empty() {
        let reason = "it holds no PEM certificate; convert a Java key store with `keytool -exportcert -rfc`";
        return Err(unusable(property, path, &reason));
    }
    Ok(certificates)
}

fn private_key(path: &str) -> Result<PrivateKeyDer<'static>, CassandraError> {
    let property = "ssl.openssl.privateKey";
    let text = fs::read(path).map_err(|error| unusable(property, path, &error))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| unusable(property, path, &error))
}

fn unusable(property: &'static str, path: &str, reason: &dyn std::fmt::Display) -> CassandraError {
    CassandraError::Tls { property, path: path.to_owned(), reason: reason.to_string() }
}

/// Checks certificates as usual but not whom they name: `ssl.hostnameValidation=false`.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        // The name is what the verifier looks at last, after chain and dates.
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
