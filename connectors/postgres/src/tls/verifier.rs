//! What is verified of a server's certificate, by mode.

use std::fmt;
use std::path::Path;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::{TlsError, TlsMode, TlsOptions, read_certificates};

/// Which parts of a certificate are verified.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verify {
    Nothing,
    Chain,
    ChainAndName,
}

/// Verifies a server's certificate as far as the mode asks.
pub(super) struct Verifier {
    verify: Verify,
    roots: RootCertStore,
    /// The given root certificates in full. A self-signed server certificate given as its own
    /// root is trusted as such, which libpq allows and webpki's chain building does not.
    given: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(options: &TlsOptions, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let verify = match options.mode {
            TlsMode::VerifyFull => Verify::ChainAndName,
            TlsMode::VerifyCa => Verify::Chain,
            TlsMode::Require if options.root_cert.is_some() => Verify::Chain,
            TlsMode::Require | TlsMode::Prefer | TlsMode::Disable => Verify::Nothing,
        };
        let given = match &options.root_cert {
            Some(path) if verify != Verify::Nothing => read_certificates(path)?,
            _ => Vec::new(),
        };
        Ok(Self {
            verify,
            roots: roots(verify, options.root_cert.as_deref(), &given)?,
            given,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn verify_chain(
        &self,
        certificate: &ParsedCertificate<'_>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if self.given.iter().any(|root| root == end_entity) {
            return verify_dates(end_entity, now);
        }
        verify_server_cert_signed_by_trust_anchor(
            certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verify != Verify::Nothing {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            self.verify_chain(&certificate, end_entity, intermediates, now)?;
            if self.verify == Verify::ChainAndName {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn roots(
    verify: Verify,
    path: Option<&Path>,
    given: &[CertificateDer<'static>],
) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    if verify == Verify::Nothing {
        return Ok(roots);
    }
    let place = match path {
        Some(path) => {
            roots.add_parsable_certificates(given.iter().cloned());
            format!("`{}`", path.display())
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "the system's store".to_owned()
        }
    };
    if roots.is_empty() {
        return Err(TlsError::NoRoots { place });
    }
    Ok(roots)
}

fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let bad = || rustls::Error::from(CertificateError::BadEncoding);
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| bad())?;
    let now = i64::try_from(now.as_secs()).map_err(|_| bad())?;
    let now = ASN1Time::from_timestamp(now).map_err(|_| bad())?;
    if now < parsed.validity().not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > parsed.validity().not_after {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
