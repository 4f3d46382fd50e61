//! Modes and bindings against certificates made by OpenSSL, valid for a hundred years.

use std::io::Write;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::UnixTime;
use tempfile::NamedTempFile;

use super::*;

/// An authority, signed with SHA-256.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUMZ+6qGD4/TDx1KYFxKupj5zHS9cwCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVc2x1aWNlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTEwNTMx
NVoYDzIxMjYxMDI4MTA1MzE1WjAgMR4wHAYDVQQDDBVzbHVpY2UgdGVzdCBhdXRo
b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT8UK3eY3irgJBlLHzSWfaM
bymZu7s41RbHY4BU842vC1vsWN1lht9QPPdYatOojXmr+q/tPpi9oGBTV14XR5xy
o1MwUTAdBgNVHQ4EFgQUmJmGmfP/RzHHDPW0TSUmf1rMS3swHwYDVR0jBBgwFoAU
mJmGmfP/RzHHDPW0TSUmf1rMS3swDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiAh5kt+EwI8gxw7hRqSoilKK4S0sxmlJGAlaWaPa0Ph7wIhALb0p3HX
lCq2jFvFvXpgDNm/st2yHxK0Z1MMIdvWQxKE
-----END CERTIFICATE-----
";
/// Signed by it with SHA-384, for `db.example` and 127.0.0.1.
const SERVER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUPsMIjEgiKHtO3TOfDpEtRFgYwdgwCgYIKoZIzj0EAwMw
IDEeMBwGA1UEAwwVc2x1aWNlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTEwNTMx
NVoYDzIxMjYxMDI4MTA1MzE1WjANMQswCQYDVQQDDAJkYjBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABI7MBvyml0T2LH/BRACO2cwox/KwGSCZ2XDyRDSVk/aWKiqJ
aCdnOGjbLRBh5ogrLPk40ZIGCyCj0rW5C3pX7CujXzBdMBsGA1UdEQQUMBKCCmRi
LmV4YW1wbGWHBH8AAAEwHQYDVR0OBBYEFHzO3+y/XGRU61pDFHavoXlfVLUsMB8G
A1UdIwQYMBaAFJiZhpnz/0cxxwz1tE0lJn9azEt7MAoGCCqGSM49BAMDA0gAMEUC
IQDjI8hboXfIDB8F17rsy0xwg1l65P6ESwzD8iGDCnZDfQIgLZhiTcDeeaimjjG8
0SI/T1kteuuV8fWYa9lLEd+mBOM=
-----END CERTIFICATE-----
";
/// Signed by itself with SHA-512, for `self.example`.
const SELF_SIGNED: &str = "\
-----BEGIN CERTIFICATE-----
MIIBjjCCATSgAwIBAgIUUx9r9gbe2prhxHgzmJGxsuol+xQwCgYIKoZIzj0EAwQw
DzENMAsGA1UEAwwEc2VsZjAgFw0yNjExMjExMDUzMTVaGA8yMTI2MTAyODEwNTMx
NVowDzENMAsGA1UEAwwEc2VsZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJdr
2gx6RhY/KFExSiQA7mmy5OByPMHqIcftuy+WUcxzMCeLVhbdtUg+bugIo+rIoR+N
RpUb54l44q5We3ERTtCjbDBqMB0GA1UdDgQWBBRtnaGM1o8J/ZpizFPR+Mp9py36
LTAfBgNVHSMEGDAWgBRtnaGM1o8J/ZpizFPR+Mp9py36LTAPBgNVHRMBAf8EBTAD
AQH/MBcGA1UdEQQQMA6CDHNlbGYuZXhhbXBsZTAKBggqhkjOPQQDBANIADBFAiAX
ufZ51CmDliwF2uc1akP4fD56gthWmw7nVX9t8XxohQIhANQpztcTs74H4zakYWCm
RF+OjDlKbd8F6iGURsFlBNlK
-----END CERTIFICATE-----
";
/// Signed with Ed25519, which names no hash function.
const ED25519: &str = "\
-----BEGIN CERTIFICATE-----
MIIBMDCB46ADAgECAhQUsV9pkPZ/nMzOgPsMCFxzJPgqpzAFBgMrZXAwDTELMAkG
A1UEAwwCZWQwIBcNMjYxMTIxMTA1MzE1WhgPMjEyNjEwMjgxMDUzMTVaMA0xCzAJ
BgNVBAMMAmVkMCowBQYDK2VwAyEAvOtAvwC74ByD0SpswgOjAg09CtM1LcgkYrJd
rds8s0SjUzBRMB0GA1UdDgQWBBT3cuNIwj3XrTQItdcK8U3NAEKLrTAfBgNVHSME
GDAWgBT3cuNIwj3XrTQItdcK8U3NAEKLrTAPBgNVHRMBAf8EBTADAQH/MAUGAytl
cANBANaKV/Q9U6t7S1s2XD/qbuFZSxX3I1D1bChNVtUuEhOM+U3XJLKx7XJ3/P+7
5YwxEbaE+PDV0+gmgFbaQrkFOAM=
-----END CERTIFICATE-----
";

/// 2026-12-01, within the validity of all of them.
const NOW: Duration = Duration::from_secs(1_796_083_200);

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn verify(mode: TlsMode, root: Option<&str>, server: &str, host: &str) -> bool {
    verify_at(NOW, mode, root, server, host)
}

fn verify_at(now: Duration, mode: TlsMode, root: Option<&str>, server: &str, host: &str) -> bool {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(root.unwrap_or_default().as_bytes()).unwrap();
    let options =
        TlsOptions { mode, root_cert: root.map(|_| file.path().to_owned()), ..TlsOptions::default() };
    let verifier = Verifier::new(&options, &aws_lc_rs::default_provider()).unwrap();
    let host = server_name(host).unwrap();
    let now = UnixTime::since_unix_epoch(now);
    verifier.verify_server_cert(&certificate(server), &[], &host, &[], now).is_ok()
}

#[test]
fn verify_full_wants_authority_and_name() {
    let mode = TlsMode::VerifyFull;

    assert!(verify(mode, Some(AUTHORITY), SERVER, "db.example"));
    assert!(verify(mode, Some(AUTHORITY), SERVER, "127.0.0.1"));
    assert!(!verify(mode, Some(AUTHORITY), SERVER, "other.example"));
    assert!(!verify(mode, Some(SELF_SIGNED), SERVER, "db.example"));
}

#[test]
fn verify_ca_wants_the_authority_only() {
    let mode = TlsMode::VerifyCa;

    assert!(verify(mode, Some(AUTHORITY), SERVER, "other.example"));
    assert!(!verify(mode, Some(AUTHORITY), SELF_SIGNED, "self.example"));
}

#[test]
fn require_verifies_only_against_a_given_root() {
    let mode = TlsMode::Require;

    assert!(verify(mode, None, SELF_SIGNED, "other.example"));
    assert!(verify(mode, Some(AUTHORITY), SERVER, "other.example"));
    assert!(!verify(mode, Some(AUTHORITY), SELF_SIGNED, "other.example"));
}

#[test]
fn prefer_verifies_nothing() {
    assert!(verify(TlsMode::Prefer, Some(AUTHORITY), SELF_SIGNED, "other.example"));
}

#[test]
fn a_self_signed_server_is_trusted_when_given_as_root() {
    let root = Some(SELF_SIGNED);

    assert!(verify(TlsMode::VerifyFull, root, SELF_SIGNED, "self.example"));
    assert!(!verify(TlsMode::VerifyFull, root, SELF_SIGNED, "other.example"));
    assert!(verify(TlsMode::VerifyCa, root, SELF_SIGNED, "other.example"));
}

#[test]
fn an_expired_self_signed_server_is_refused() {
    let root = Some(SELF_SIGNED);
    let later = NOW * 3;

    assert!(!verify_at(later, TlsMode::VerifyCa, root, SELF_SIGNED, "self.example"));
    assert!(!verify_at(Duration::ZERO, TlsMode::VerifyCa, root, SELF_SIGNED, "self.example"));
}

#[test]
fn channel_binding_hashes_as_the_signature_does() {
    let hex = |pem| {
        let binding = channel_binding(&certificate(pem)).unwrap();
        binding.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };

    assert_eq!(hex(AUTHORITY), "8898d25adde5da1451ba6af6dceee74bf17e023a249beebdef2eed872b2aafce");
    assert!(hex(SERVER).starts_with("dea4ac32c037a1449f4b8f2f2fb8fc7f"));
    assert!(hex(SELF_SIGNED).starts_with("09cedc0239ad6cbbc044c1d818326ee3"));
    assert_eq!([hex(SERVER).len(), hex(SELF_SIGNED).len()], [96, 128]);
}

#[test]
fn ed25519_has_no_channel_binding() {
    assert_eq!(channel_binding(&certificate(ED25519)), None);
}

#[test]
fn a_root_file_without_certificates_is_refused() {
    let file = NamedTempFile::new().unwrap();
    let options = TlsOptions {
        mode: TlsMode::VerifyFull,
        root_cert: Some(file.path().to_owned()),
        ..TlsOptions::default()
    };

    let error = client_config(&options).unwrap_err();

    assert!(matches!(error, TlsError::NoRoots { .. }), "{error}");
}

#[test]
fn a_client_certificate_needs_its_key() {
    let options = TlsOptions {
        mode: TlsMode::Require,
        client_cert: Some("client.crt".into()),
        ..TlsOptions::default()
    };

    let error = client_config(&options).unwrap_err();

    assert!(matches!(error, TlsError::HalfClientCertificate), "{error}");
}

#[test]
fn modes_have_the_names_of_libpq() {
    assert_eq!("verify-full".parse(), Ok(TlsMode::VerifyFull));
    let error = "allow".parse::<TlsMode>().unwrap_err();

    assert!(error.to_string().contains("`allow`; known: disable, prefer"), "{error}");
}
