//! TLS as libpq understands it: from a mode and some files to a rustls configuration.
//!
//! One configuration serves the replication client and the SQL client alike. Source of the
//! modes' meaning: Postgres manual, "SSL Support" in the libpq chapter.

mod verifier;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use sha2::{Digest, Sha256, Sha384, Sha512};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use self::verifier::Verifier;

/// How much TLS a connection asks for; the names are those of libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS if the server has it, else plain text; nothing is verified.
    #[default]
    Prefer,
    /// TLS; the certificate is verified only if a root certificate is given, as libpq does.
    Require,
    /// TLS with a certificate that a known authority signed; the host name is not compared.
    VerifyCa,
    /// TLS with a certificate that a known authority signed for this host.
    VerifyFull,
}

impl TlsMode {
    const NAMES: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];
}

/// The text names no TLS mode.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown TLS mode `{0}`; known: disable, prefer, require, verify-ca, verify-full")]
pub struct UnknownTlsMode(String);

impl FromStr for TlsMode {
    type Err = UnknownTlsMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, mode)| *mode)
            .ok_or_else(|| UnknownTlsMode(text.to_owned()))
    }
}

/// What a connection asks of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// How much TLS.
    pub mode: TlsMode,
    /// PEM file of the authorities to trust (libpq's `sslrootcert`). Without one, the
    /// verifying modes trust the system's authorities.
    pub root_cert: Option<PathBuf>,
    /// PEM file of the client's certificate chain (`sslcert`); needs `client_key`.
    pub client_cert: Option<PathBuf>,
    /// PEM file of the client's private key, without a pass phrase (`sslkey`).
    pub client_key: Option<PathBuf>,
}

/// TLS could not be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate or key file cannot be read.
    #[error("cannot read `{}`", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// There is no authority to trust.
    #[error("found no root certificate to trust in {place}")]
    NoRoots {
        /// Where they were looked for.
        place: String,
    },
    /// Only one of certificate and key is given.
    #[error("a client certificate needs both a certificate file and a key file")]
    HalfClientCertificate,
    /// The host is neither a DNS name nor an IP address.
    #[error("`{host}` is not a host name that TLS can verify")]
    ServerName {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: InvalidDnsNameError,
    },
    /// The server has TLS switched off, the mode insists on it.
    #[error("the server does not offer TLS")]
    NotOffered,
    /// rustls refused a file, or the handshake.
    #[error("the TLS library refused")]
    Library(#[from] rustls::Error),
}

/// Builds the client configuration for a mode; `None` for [`TlsMode::Disable`].
///
/// Reads the files anew, so certificates can be exchanged without a restart.
///
/// # Errors
///
/// When a file cannot be read, or there is nothing to trust in a verifying mode.
pub fn client_config(options: &TlsOptions) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    if options.mode == TlsMode::Disable {
        return Ok(None);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier::new(options, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&options.client_cert, &options.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(key)) => builder.with_client_auth_cert(read_certificates(cert)?, read_key(key)?)?,
        _ => return Err(TlsError::HalfClientCertificate),
    };
    Ok(Some(Arc::new(config)))
}

/// Parses a host for TLS: a DNS name or an IP address.
///
/// # Errors
///
/// When it is neither.
pub fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned())
        .map_err(|source| TlsError::ServerName { host: host.to_owned(), source })
}

/// Computes the `tls-server-end-point` channel binding of a server certificate (RFC 5929): its
/// hash by the function of its signature, SHA-256 in place of MD5 and SHA-1.
///
/// `None` if the signature has no single hash function (Ed25519) or an unknown one: then there
/// can be no channel binding.
#[must_use]
pub fn channel_binding(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(match signature_hash(&parsed)? {
        SignatureHash::Sha256 => Sha256::digest(certificate).to_vec(),
        SignatureHash::Sha384 => Sha384::digest(certificate).to_vec(),
        SignatureHash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Clone, Copy)]
enum SignatureHash {
    Sha256,
    Sha384,
    Sha512,
}

/// Signature algorithms by object identifier (RFC 3279, 4055, 5758).
const SIGNATURE_HASHES: [(&str, SignatureHash); 8] = [
    ("1.2.840.113549.1.1.4", SignatureHash::Sha256), // RSA with MD5
    ("1.2.840.113549.1.1.5", SignatureHash::Sha256), // RSA with SHA-1
    ("1.2.840.113549.1.1.11", SignatureHash::Sha256),
    ("1.2.840.113549.1.1.12", SignatureHash::Sha384),
    ("1.2.840.113549.1.1.13", SignatureHash::Sha512),
    ("1.2.840.10045.4.3.2", SignatureHash::Sha256),
    ("1.2.840.10045.4.3.3", SignatureHash::Sha384),
    ("1.2.840.10045.4.3.4", SignatureHash::Sha512),
];

fn signature_hash(certificate: &X509Certificate<'_>) -> Option<SignatureHash> {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    SIGNATURE_HASHES.iter().find(|(known, _)| *known == oid).map(|(_, hash)| *hash)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|source| read_error(path, source))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: pem::Error) -> TlsError {
    TlsError::ReadFile { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
