//! The command line of the stand-in.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Fault, Settings, serve};

/// Where the stand-in listens, and how it behaves.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "RANDOMUSER_LISTEN", default_value = "127.0.0.1:8008")]
    listen: SocketAddr,
    /// Moment at which ages are computed, RFC 3339 [default: the present].
    #[arg(long, env = "RANDOMUSER_CLOCK")]
    clock: Option<Timestamp>,
    /// Faults of the first answers, one after the other: KIND:COUNT with KIND one of 429, 500, 503, truncated,
    /// malformed; slow:COUNT:MILLISECONDS, missing-field:COUNT:PEOPLE, wrong-type:COUNT:PEOPLE. May be repeated.
    #[arg(long = "fault", value_name = "KIND:COUNT")]
    faults: Vec<Fault>,
}

/// Serves until SIGTERM or ctrl-c, and says on standard output where.
///
/// # Errors
///
/// Fails if the address cannot be listened on.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", options.listen))?;
    writeln!(std::io::stdout(), "randomuser stand-in: http://{}/api/", listener.local_addr()?)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    serve(listener, Settings { clock: options.clock, faults: options.faults }, stop).await?;
    Ok(())
}
