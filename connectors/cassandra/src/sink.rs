//! The running sink: records in, rows in Cassandra out.
//!
//! Hot path. `write` binds each record and hands the statements to the [`Executor`] in chunks; `flush` waits
//! for them. Order does not matter, neither between keys nor within one, because each write carries its place
//! in the source's commit order as its timestamp. Whatever is not one row's own fault fails the whole window,
//! and the driver writes it again: that is the only retry beyond the driver library's other-node attempt.

use std::{sync::Arc, time::Instant};

use scylla::client::session::Session;
use sluice_core::{
    Classify, Error, ErrorClass, Record,
    checkpoint::Checkpoint,
    sink::{Flushed, Rejection, Sink},
};

use crate::{
    cache::PlanCache,
    config::{CassandraConfig, TruncatePolicy},
    error::CassandraError,
    executor::{CHUNK_ROWS, Executor, Job},
    limiter::Limiter,
    planner::Planner,
    row::{Action, action},
    session,
    statement::Plan,
    timestamp::Clock,
    truncate,
};

/// A running Cassandra sink task.
pub struct CassandraTask {
    config: Arc<CassandraConfig>,
    clock: Clock,
    planner: Planner,
    cache: PlanCache,
    executor: Executor,
    chunk: Vec<Job>,
    /// Records accepted since the last flush.
    accepted: usize,
    rejected: Vec<Rejection>,
}

impl CassandraTask {
    /// Connects.
    ///
    /// # Errors
    /// *Stop* for refused logins, certificates and data centres, *retry* for nodes that are away.
    pub(crate) async fn open(config: CassandraConfig, connector: &str) -> Result<Self, CassandraError> {
        let config = Arc::new(config);
        let session = Arc::new(session::connect(&config).await?);
        let clock = Clock {
            source: config.timestamp_source,
            offsets: config.timestamp_offset.clone(),
            revision: config.revision.0,
        };
        Ok(Self {
            clock,
            planner: Planner::new(Arc::clone(&session), Arc::clone(&config)),
            cache: PlanCache::default(),
            executor: Executor::start(Arc::clone(&session), limiter(&config, &session), connector),
            chunk: Vec::with_capacity(CHUNK_ROWS),
            accepted: 0,
            rejected: Vec::new(),
            config,
        })
    }

    async fn accept(&mut self, batch: &[Record]) -> Result<(), CassandraError> {
        if let Some(table) = self.planner.tables_changed() {
            if self.accepted > 0 {
                // What the old plans wrote or refused since the last flush does not count.
                return Err(CassandraError::Changed { table });
            }
            self.forget_plans();
        }
        for record in batch {
            let index = self.accepted;
            self.accepted += 1;
            if let Err(error) = self.stage(index, record).await {
                if error.class() != ErrorClass::Reject {
                    return Err(error);
                }
                self.rejected.push(Rejection { index, error: error.into() });
            }
            if self.chunk.len() >= CHUNK_ROWS {
                self.send().await?;
            }
        }
        self.send().await
    }

    /// Binds one record for each table of its topic.
    async fn stage(&mut self, index: usize, record: &Record) -> Result<(), CassandraError> {
        let action = action(record)?;
        if action == Action::Truncate {
            return self.truncate(index, record).await;
        }
        let plans = match self.cache.find(record) {
            Some(plans) => Arc::clone(plans),
            None => self.plan(record).await?,
        };
        for plan in plans.iter() {
            let timestamp = match plan.mapped_timestamp(record, action)? {
                Some(timestamp) => timestamp,
                None => self.clock.timestamp(record)?,
            };
            if let Some(statement) = plan.bind(record, action, timestamp)? {
                self.chunk.push(Job { index, plan: Arc::clone(plan), statement });
            }
        }
        Ok(())
    }

    async fn plan(&mut self, record: &Record) -> Result<Arc<[Arc<Plan>]>, CassandraError> {
        let timestamp = self.clock.timestamp(record)?;
        let mut plans = Vec::new();
        let mut complete = true;
        for target in self.planner.targets(&record.topic)? {
            match self.planner.plan(record, &target, timestamp).await? {
                Some(plan) => plans.push(Arc::new(plan)),
                None => complete = false,
            }
        }
        let plans: Arc<[Arc<Plan>]> = plans.into();
        if complete {
            self.cache.insert(record, Arc::clone(&plans));
        }
        Ok(plans)
    }

    async fn truncate(&mut self, index: usize, record: &Record) -> Result<(), CassandraError> {
        let timestamp = self.clock.timestamp(record)?;
        for target in self.planner.targets(&record.topic)? {
            match self.config.truncate_policy {
                TruncatePolicy::Ignore => {
                    tracing::warn!(table = %target.table, "source table truncated; its rows stay here");
                }
                TruncatePolicy::Fail => return Err(CassandraError::Truncated { table: target.table }),
                TruncatePolicy::KeyedDeletes => {
                    // What was written before must be in the table to be found there.
                    self.settle().await?;
                    let Some(table) = self.planner.find(&target.table) else { continue };
                    let session = &self.planner.session;
                    truncate::delete_all(session, &self.executor, &target.table, &table, timestamp, index)
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), CassandraError> {
        if self.executor.failed() {
            return self.settle().await;
        }
        if !self.chunk.is_empty() {
            let jobs = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_ROWS));
            self.executor.run(jobs).await?;
        }
        Ok(())
    }

    /// Waits for everything in flight.
    async fn settle(&mut self) -> Result<(), CassandraError> {
        if !self.chunk.is_empty() {
            let jobs = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_ROWS));
            self.executor.run(jobs).await?;
        }
        let mut drained = self.executor.drain().await?;
        self.rejected.append(&mut drained.rejected);
        drained.failure.map_or(Ok(()), Err)
    }

    async fn finish(&mut self) -> Result<Flushed, CassandraError> {
        self.settle().await?;
        // Rows may have been written or refused by types that the table no longer has: once more, then.
        if let Some(table) = self.planner.look().await? {
            return Err(CassandraError::Changed { table });
        }
        self.accepted = 0;
        let mut rejected = std::mem::take(&mut self.rejected);
        rejected.sort_by_key(|rejection| rejection.index);
        rejected.dedup_by_key(|rejection| rejection.index);
        Ok(Flushed { rejected, checkpoint_stored: false })
    }

    /// Forgets what was accepted, and the plans if the schema may be another one by the next attempt.
    async fn fail(&mut self, error: CassandraError) -> Error {
        if error.is_schema_change() || error.class() == ErrorClass::Stop {
            self.forget_plans();
        }
        self.chunk.clear();
        self.accepted = 0;
        self.rejected.clear();
        // What is in flight is written again anyway; waiting keeps it from being counted later.
        let _ = self.executor.drain().await;
        error.into()
    }

    fn forget_plans(&mut self) {
        self.cache.clear();
        self.planner.forget();
    }
}

fn limiter(config: &CassandraConfig, session: &Session) -> Limiter {
    let state = session.get_cluster_state();
    let local = state
        .get_nodes_info()
        .iter()
        .filter(|node| config.local_dc.is_none() || node.datacenter.as_deref() == config.local_dc.as_deref());
    Limiter::new(local.count(), config.max_concurrent_requests as usize, Instant::now())
}

impl Sink for CassandraTask {
    async fn write(&mut self, batch: &[Record]) -> Result<(), Error> {
        match self.accept(batch).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fail(error).await),
        }
    }

    async fn flush(&mut self, _checkpoint: Option<&Checkpoint>) -> Result<Flushed, Error> {
        match self.finish().await {
            Ok(flushed) => Ok(flushed),
            Err(error) => Err(self.fail(error).await),
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        self.executor.close().await;
        Ok(())
    }
}
