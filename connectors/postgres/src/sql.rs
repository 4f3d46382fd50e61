//! Plain SQL: connections beside the replication one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode as Negotiation;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, NoTls, Socket};
use tokio_rustls::TlsConnector;

use crate::config::{PostgresConfig, SslMode};
use crate::error::SourceError;
use crate::replication::ConnectOptions;
use crate::tls::{self, TlsMode, TlsOptions};

/// Long enough for a busy server, short enough to tell the user that there is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What each session sets: our statements may take long, and dates and intervals in hints should be plain.
/// A policy that hides rows from us must be an error: the stream would carry them, a snapshot would not.
const SESSION: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
                       SET idle_in_transaction_session_timeout = 0; SET TimeZone = 'UTC'; \
                       SET row_security = off";
/// Our own statements name what is not in it with its schema.
const SEARCH_PATH: &str = "SET search_path = pg_catalog";

const CONNECTING: &str = "connecting to Postgres";

/// Opens an SQL session for statements of ours; a task of its own serves it until the client is dropped.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(crate) async fn connect(config: &PostgresConfig) -> Result<Client, SourceError> {
    set(connect_as_user(config).await?, &format!("{SESSION}; {SEARCH_PATH}")).await
}

/// Opens a session that reads a snapshot, perhaps by statements of the user's own: those find tables and functions as
/// a session of theirs does.
///
/// # Errors
/// As for [`connect`].
pub(crate) async fn connect_for_snapshot(config: &PostgresConfig) -> Result<Client, SourceError> {
    match config.has_snapshot_statements() {
        true => set(connect_as_user(config).await?, SESSION).await,
        false => connect(config).await,
    }
}

async fn set(client: Client, settings: &str) -> Result<Client, SourceError> {
    let failed = SourceError::sql(CONNECTING);
    client.batch_execute(settings).await.map_err(failed)?;
    Ok(client)
}

/// Opens a session with the role's own settings and what `database.initial.statements` make of them.
///
/// # Errors
/// As for [`connect`].
pub(crate) async fn connect_as_user(config: &PostgresConfig) -> Result<Client, SourceError> {
    let failed = SourceError::sql(CONNECTING);
    let mut options = tokio_postgres::Config::new();
    options
        .host(&config.hostname)
        .port(config.port)
        .user(&config.user)
        .dbname(&config.database)
        .application_name("sluice")
        .connect_timeout(CONNECT_TIMEOUT)
        .keepalives_idle(Duration::from_secs(10));
    if let Some(password) = &config.password {
        options.password(password.expose());
    }
    options.ssl_mode(match config.sslmode {
        SslMode::Disable => Negotiation::Disable,
        SslMode::Allow | SslMode::Prefer => Negotiation::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Negotiation::Require,
    });
    let client = match tls::client_config(&tls_options(config))? {
        None => serve(options.connect(NoTls).await.map_err(failed)?),
        Some(rustls) => serve(options.connect(Tls(rustls)).await.map_err(failed)?),
    };
    for statement in &config.initial_statements.0 {
        let failed = SourceError::sql("running `database.initial.statements`");
        client.batch_execute(statement).await.map_err(failed)?;
    }
    Ok(client)
}

fn serve<S, T>((client, connection): (Client, tokio_postgres::Connection<S, T>)) -> Client
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(code = ?error.code(), "an SQL connection ended");
        }
    });
    client
}

/// Describes the replication connection.
pub(crate) fn replication_options(config: &PostgresConfig) -> ConnectOptions {
    let mut options = ConnectOptions::new(&config.hostname, &config.user, &config.database);
    options.port = config.port;
    options.password = config.password.as_ref().map(|password| SecretString::from(password.expose()));
    options.tls = tls_options(config);
    options
}

fn tls_options(config: &PostgresConfig) -> TlsOptions {
    let file = |path: &Option<String>| path.as_ref().map(Into::into);
    TlsOptions {
        mode: match config.sslmode {
            SslMode::Disable => TlsMode::Disable,
            SslMode::Allow | SslMode::Prefer => TlsMode::Prefer,
            SslMode::Require => TlsMode::Require,
            SslMode::VerifyCa => TlsMode::VerifyCa,
            SslMode::VerifyFull => TlsMode::VerifyFull,
        },
        root_cert: file(&config.sslrootcert),
        client_cert: file(&config.sslcert),
        client_key: file(&config.sslkey),
    }
}

/// Lets `tokio-postgres` use our TLS configuration.
#[derive(Clone)]
struct Tls(Arc<rustls::ClientConfig>);

struct TlsHost {
    config: Arc<rustls::ClientConfig>,
    host: String,
}

/// A TLS connection that knows its channel binding.
struct Encrypted(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = TlsHost;
    type Error = tls::TlsError;

    fn make_tls_connect(&mut self, host: &str) -> Result<TlsHost, Self::Error> {
        Ok(TlsHost { config: Arc::clone(&self.0), host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for TlsHost {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let name = tls::server_name(&self.host).map_err(io::Error::other)?;
            TlsConnector::from(self.config).connect(name, socket).await.map(Encrypted)
        })
    }
}

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.0.get_ref().1.peer_certificates().and_then(<[_]>::first);
        certificate
            .and_then(tls::channel_binding)
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(ctx, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(ctx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(ctx)
    }
}
