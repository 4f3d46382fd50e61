//! Connections to Postgres, and its errors without the row values that they may quote.

use anyhow::{Context, anyhow};
use tokio_postgres::{Client, Config, Error, NoTls};

/// Connects with a libpq-style string (`host=127.0.0.1 port=5432 user=postgres password=postgres dbname=users`).
///
/// The connection lives in a task of its own that ends when the client is dropped. There is no TLS: the workload is
/// for servers on the loopback interface.
///
/// # Errors
///
/// The string cannot be parsed, or the server refuses; the password is in neither message.
pub async fn connect(settings: &str) -> anyhow::Result<Client> {
    connect_to(&settings.parse().context("parse the Postgres connection string")?).await
}

/// Connects as [`connect`] does, with settings that are parsed already.
///
/// # Errors
///
/// The server cannot be reached or refuses.
pub async fn connect_to(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) =
        config.connect(NoTls).await.with_context(|| format!("connect to Postgres at {}", address(config)))?;
    // The client's calls report the end of the connection, so its result has nothing to add.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// `postgres@127.0.0.1:5432/users`: where a configuration leads, without its password.
#[must_use]
pub fn address(config: &Config) -> String {
    use tokio_postgres::config::Host;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or("postgres");
    format!("{user}@{host}:{port}/{}", config.get_dbname().unwrap_or(user))
}

/// Turns a server's error into one that quotes no row: messages of the classes 22 and 23 do.
pub(crate) fn without_values(error: Error) -> anyhow::Error {
    let Some(server) = error.as_db_error() else { return error.into() };
    let code = server.code().code();
    let place = [server.table(), server.column(), server.constraint()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    if code.starts_with("22") || code.starts_with("23") {
        anyhow!("Postgres refused a change with SQLSTATE {code} ({place})")
    } else {
        anyhow!("Postgres answered SQLSTATE {code}: {}", server.message())
    }
}
