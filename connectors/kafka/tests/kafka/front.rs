//! A front before the real registry: it speaks TLS, looks at credentials, and hands the rest through.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, copy_bidirectional, sink},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

use crate::servers::registry;

/// An authority that signs certificates for this machine.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both as PEM.
pub(crate) struct Signed {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key is made");
        Self(CertifiedIssuer::self_signed(params, key).expect("the authority signs itself"))
    }

    /// Its certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate for 127.0.0.1, of servers and clients alike.
    pub(crate) fn sign(&self) -> Signed {
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("the name is valid");
        let key = KeyPair::generate().expect("a key is made");
        let certificate = params.signed_by(&key, &self.0).expect("the authority signs");
        Signed { chain: certificate.pem(), key: key.serialize_pem() }
    }

    /// Returns the server's end of TLS; with `clients`, only those whose certificate that authority signed are let in.
    pub(crate) fn acceptor(&self, clients: Option<&Self>) -> TlsAcceptor {
        let signed = self.sign();
        let builder = ServerConfig::builder();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).expect("the certificate is valid");
                let verifier =
                    WebPkiClientVerifier::builder(Arc::new(roots)).build().expect("roots are there");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(signed.chain.as_bytes()).expect("it is PEM")];
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).expect("it is PEM");
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("the key fits")))
    }
}

/// A front that runs as long as the test.
pub(crate) struct Front {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Front {
    /// Starts a front; `authorization` is the value of the header that is let through, `Basic …` or `Bearer …`.
    pub(crate) async fn start(tls: Option<TlsAcceptor>, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen) = (tls.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, authorization, &seen).await,
                        Some(tls) => match tls.accept(stream).into_fallible().await {
                            Ok(stream) => serve(stream, authorization, &seen).await,
                            // The client is to read why; a connection that is closed on what it sent is reset.
                            Err((_, mut refused)) => {
                                refused.shutdown().await?;
                                copy(&mut refused, &mut sink()).await.map(drop)
                            }
                        },
                    }
                });
            }
        });
        Self { port, heads }
    }

    /// Returns the registry's address behind the front.
    pub(crate) fn url(&self, scheme: &str) -> String {
        let path = registry()
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or("", |at| at.1)
            .to_owned();
        format!("{scheme}://127.0.0.1:{}/{path}", self.port)
    }

    pub(crate) fn port(&self) -> String {
        self.port.to_string()
    }

    /// Returns the heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no test panicked with it").clone()
    }
}

/// Serves one request.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut client: S,
    authorization: Option<&str>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().expect("no test panicked with it").push(head.clone());
    let given = head.lines().find_map(|line| {
        line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    });
    if authorization.is_some_and(|expected| given.is_none_or(|(_, given)| given != expected)) {
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        client.write_all(answer.as_bytes()).await?;
        return client.shutdown().await;
    }
    let address = registry();
    let address = address.split_once("://").map_or(&*address, |(_, rest)| rest);
    let mut server = TcpStream::connect(address.split('/').next().unwrap_or_default()).await?;
    // One request a connection, so that each is looked at; a proxy is asked for whole addresses.
    let head =
        head.replacen("http://registry.invalid", "", 1).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(head.as_bytes()).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
