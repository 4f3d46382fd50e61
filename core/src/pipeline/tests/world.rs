//! One pipeline with everything around it in memory.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value as Json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    checkpoint::CheckpointStore,
    error::Error,
    pipeline::{
        Chain, DeadLetter, DeadLetters, ErrorPolicy, FlushPolicy, Opener, Pipeline, StatusReader,
        StatusWriter, Tolerance,
    },
    record::Record,
    registry::{BoxFuture, DynSink, DynSource},
    testkit::memory::{Entry, Journal, MemoryCheckpoints, MemoryLog, MemoryTable, key_text, text_record},
};

/// Source, sink, store and journal of a pipeline, and how it is set up.
pub(super) struct World {
    pub(super) journal: Journal,
    pub(super) log: MemoryLog,
    pub(super) table: MemoryTable,
    pub(super) checkpoints: MemoryCheckpoints,
    pub(super) letters: Letters,
    pub(super) batch_size: usize,
    pub(super) flush: FlushPolicy,
    pub(super) chain: Chain,
    pub(super) tolerance: Tolerance,
    pub(super) max_retries: Option<u32>,
    pub(super) stop: CancellationToken,
}

/// Dead letters in memory: keys, in order.
#[derive(Clone, Default)]
pub(super) struct Letters {
    journal: Journal,
    failures: Arc<Mutex<Vec<Error>>>,
}

impl Letters {
    pub(super) fn fail(&self, error: Error) {
        self.failures.lock().unwrap().push(error);
    }
}

impl DeadLetters for Letters {
    fn write<'a>(&'a mut self, letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let keys: Vec<_> = letters.iter().map(|letter| key_text(&letter.record)).collect();
            let failure = self.failures.lock().unwrap().pop();
            let failed = if failure.is_some() { "failed " } else { "" };
            self.journal.note(format!("{failed}dead letters {}", keys.join(",")));
            failure.map_or(Ok(()), Err)
        })
    }
}

struct MemoryOpener {
    log: MemoryLog,
    table: MemoryTable,
    batch_size: usize,
}

impl Opener for MemoryOpener {
    fn source(&self, position: Option<Json>) -> BoxFuture<'_, Result<Box<dyn DynSource>, Error>> {
        let position = position.map(|position| serde_json::from_value(position).unwrap());
        let source = self.log.open(position, self.batch_size);
        Box::pin(async { Ok(Box::new(source) as Box<dyn DynSource>) })
    }

    fn sink(&self) -> BoxFuture<'_, Result<Box<dyn DynSink>, Error>> {
        let sink = self.table.open();
        Box::pin(async { Ok(Box::new(sink) as Box<dyn DynSink>) })
    }
}

impl World {
    /// A world whose source gives batches of two records, with windows of any size and 200 ms of age.
    pub(super) fn new() -> Self {
        let journal = Journal::default();
        Self {
            log: MemoryLog::new(&journal),
            table: MemoryTable::new(&journal),
            checkpoints: MemoryCheckpoints::new(&journal),
            letters: Letters { journal: journal.clone(), ..Letters::default() },
            journal,
            batch_size: 2,
            flush: FlushPolicy { max_records: 100, ..FlushPolicy::default() },
            chain: Chain::default(),
            tolerance: Tolerance::None,
            max_retries: None,
            stop: CancellationToken::new(),
        }
    }

    /// Appends a record to the source for each key; the value says how many came before it.
    pub(super) fn feed(&self, keys: &[&str]) {
        keys.iter().for_each(|key| self.log.append(Entry::Record(record(key))));
    }

    pub(super) fn pipeline(&self) -> (Pipeline, StatusReader) {
        let (status, reader) = StatusWriter::new("test");
        let opener =
            MemoryOpener { log: self.log.clone(), table: self.table.clone(), batch_size: self.batch_size };
        let letters = (self.tolerance == Tolerance::All)
            .then(|| Box::new(self.letters.clone()) as Box<dyn DeadLetters>);
        let pipeline = Pipeline {
            connector: "test".to_owned(),
            opener: Box::new(opener),
            chain: self.chain.clone(),
            errors: ErrorPolicy::new(self.tolerance, letters),
            checkpoints: Some(Arc::new(self.checkpoints.clone())),
            max_retries: self.max_retries,
            flush: self.flush,
            status,
            stop: self.stop.clone(),
        };
        (pipeline, reader)
    }

    /// Runs until the source ends or the pipeline fails.
    pub(super) async fn run(&self) -> Result<(), Error> {
        self.pipeline().0.run().await
    }

    pub(super) fn start(&self) -> JoinHandle<Result<(), Error>> {
        tokio::spawn(self.pipeline().0.run())
    }

    /// Lets time pass until the journal holds an entry.
    pub(super) async fn until(&self, entry: &str) {
        while !self.journal.entries().iter().any(|one| one == entry) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The journal, without what a test does not look at.
    pub(super) fn journal_of(&self, begins: &[&str]) -> Vec<String> {
        let looked_at = |entry: &String| begins.iter().any(|begin| entry.starts_with(begin));
        self.journal.entries().into_iter().filter(looked_at).collect()
    }

    pub(super) fn saved(&self) -> Option<u64> {
        self.checkpoints.load("test").unwrap()?["next"].as_u64()
    }
}

pub(super) fn record(key: &str) -> Record {
    text_record("t", key, Some(&format!("value of {key}")))
}
