//! The sink while the server is away: nothing is lost, and the driver's next attempt writes all of it.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::{sync::Arc, time::Duration};

use sluice_core::{ErrorClass, change::Operation, sink::Sink};
use support::{Keyspace, Source, address, open, user, write_all};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A way to the server that can be cut. The driver finds nodes by the port of its contact point, so all of its
/// connections come here.
struct Bridge {
    port: u16,
    open: watch::Sender<bool>,
}

impl Bridge {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, state.clone()));
            }
        });
        Self { port, open }
    }
}

async fn carry(mut client: TcpStream, mut open: watch::Receiver<bool>) {
    if !*open.borrow_and_update() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(address()).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = open.changed() => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_and_comes_back_gets_every_row() {
    let keyspace = Keyspace::fresh("outage").await;
    keyspace.run("CREATE TABLE KS.users (id int PRIMARY KEY, name text, note text)").await;
    let bridge = Bridge::start().await;
    let port = bridge.port.to_string();
    let mut sink =
        open(&keyspace.properties(&[("port", &port), ("queryExecutionTimeout", "2")])).await.unwrap();
    let source = Arc::new(Source::users());
    let rows = |ids: std::ops::Range<i32>| -> Vec<_> {
        ids.map(|id| source.change(Operation::Create, &user(id, "a", "b"), 1000)).collect()
    };
    write_all(&mut sink, &rows(0..100)).await;

    bridge.open.send(false).unwrap();
    let window = rows(100..5000);
    let error = match sink.write(&window).await {
        Ok(()) => sink.flush(None).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "cassandra.request_failed"));

    bridge.open.send(true).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let written = match sink.write(&window).await {
            Ok(()) => sink.flush(None).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(flushed) => break assert!(flushed.rejected.is_empty()),
            Err(error) => assert_eq!(error.class(), ErrorClass::Retry, "{}", error.report()),
        }
        assert!(tokio::time::Instant::now() < deadline, "the sink does not come back");
        tokio::task::yield_now().await;
    }

    assert_eq!(keyspace.rows("SELECT count(*) FROM KS.users").await, ["5000"]);
}
