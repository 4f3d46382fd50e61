//! Changes of every kind, and the records that they must become.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

/// Writes transactions and knows what must come of them.
pub(crate) struct Script {
    client: Client,
    /// Another session, for transactions that run at the same time.
    beside: Client,
    expected: Vec<String>,
    next: i64,
}

impl Script {
    /// Makes the table and a few rows for the snapshot.
    pub(crate) async fn new(client: Client, beside: Client) -> anyhow::Result<Self> {
        client.batch_execute("CREATE TABLE ledger (id bigint PRIMARY KEY, n bigint, pad text)").await?;
        client
            .batch_execute("INSERT INTO ledger SELECT g, 0, repeat('x', 100) FROM generate_series(1, 20) g")
            .await?;
        let expected = (1..=20).map(|id| format!("r {id} 0")).collect();
        Ok(Self { client, beside, expected, next: 1_000 })
    }

    /// The records, in order: operation, key and `n`.
    pub(crate) fn expected(&self) -> &[String] {
        &self.expected
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// Runs one transaction with about so many changes: single inserts, a COPY, updates, changes of key, deletes.
    pub(crate) async fn transaction(&mut self, size: i64) -> anyhow::Result<()> {
        self.client.batch_execute("BEGIN").await?;
        let first = self.next + 1;
        for _ in 0..size / 8 + 1 {
            let id = self.id();
            let insert = format!("INSERT INTO ledger VALUES ({id}, 1, repeat('p', 50))");
            self.client.batch_execute(&insert).await?;
            self.expected.push(format!("c {id} 1"));
        }
        self.copy(size / 2 + 2).await?;
        for id in first..first + size / 16 + 1 {
            self.client.batch_execute(&format!("UPDATE ledger SET n = 2 WHERE id = {id}")).await?;
            self.expected.push(format!("u {id} 2"));
        }
        for old in first..first + size / 32 + 1 {
            let id = self.id();
            self.client
                .batch_execute(&format!("UPDATE ledger SET id = {id}, n = 3 WHERE id = {old}"))
                .await?;
            self.expected.extend([format!("d {old}"), format!("- {old}"), format!("c {id} 3")]);
            self.client.batch_execute(&format!("DELETE FROM ledger WHERE id = {id}")).await?;
            self.expected.extend([format!("d {id}"), format!("- {id}")]);
        }
        let id = self.id();
        self.client.batch_execute(&format!("INSERT INTO ledger VALUES ({id}, 4, ''); COMMIT")).await?;
        self.expected.push(format!("c {id} 4"));
        Ok(())
    }

    async fn copy(&mut self, rows: i64) -> anyhow::Result<()> {
        let sink = self.client.copy_in::<_, Bytes>("COPY ledger FROM STDIN").await?;
        let mut sink = std::pin::pin!(sink);
        for _ in 0..rows {
            self.next += 1;
            sink.send(Bytes::from(format!("{}\t5\tcopied\n", self.next))).await?;
            self.expected.push(format!("c {} 5", self.next));
        }
        sink.finish().await?;
        Ok(())
    }

    /// Runs a transaction that begins before another and ends after it: its changes have the lower LSNs.
    async fn overlapping(&mut self) -> anyhow::Result<()> {
        let early = self.id();
        self.beside.batch_execute(&format!("BEGIN; INSERT INTO ledger VALUES ({early}, 6, '')")).await?;
        self.transaction(8).await?;
        let late = self.id();
        self.beside.batch_execute(&format!("INSERT INTO ledger VALUES ({late}, 7, ''); COMMIT")).await?;
        self.expected.extend([format!("c {early} 6"), format!("c {late} 7")]);
        Ok(())
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        for size in [0, 40, 400] {
            self.transaction(size).await?;
            self.overlapping().await?;
        }
        Ok(())
    }
}

/// How often a round of some 600 changes is written at the most: Debezium is to keep up with it on two cores.
const PACE: Duration = Duration::from_millis(500);

/// A script that runs until it is told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<anyhow::Result<Script>>,
}

impl Load {
    pub(crate) fn start(mut script: Script) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            while !stopped.load(Ordering::Relaxed) {
                pace.tick().await;
                script.round().await?;
            }
            Ok(script)
        });
        Self { stop, task }
    }

    /// Ends the load and returns what it wrote.
    pub(crate) async fn stop(self) -> anyhow::Result<Script> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
