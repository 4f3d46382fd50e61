//! Sends bound statements, as many at once as the limiter allows.
//!
//! Hot path. One task owns all requests in flight; it ends when its [`Executor`] is closed or dropped. The
//! queue in front of it holds [`QUEUE_CHUNKS`] chunks: beyond that, writing waits, which is the
//! back-pressure. After a failure that is not one row's own, everything in flight is forgotten, and
//! whatever comes is thrown away until the next drain tells of it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use scylla::{client::session::Session, errors::ExecutionError, statement::bound::BoundStatement};
use sluice_core::{Classify, ErrorClass, metrics, sink::Rejection};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{error::CassandraError, limiter::Limiter, statement::Plan};

/// Rows that travel to the task at once: enough to make the hand-over cheap.
pub(crate) const CHUNK_ROWS: usize = 64;
/// Chunks that wait in front of the task.
const QUEUE_CHUNKS: usize = 8;

/// A bound statement, and the record it came from.
#[derive(Debug)]
pub(crate) struct Job {
    /// Place of the record since the last flush.
    pub(crate) index: usize,
    pub(crate) plan: Arc<Plan>,
    pub(crate) statement: BoundStatement,
}

/// What became of everything since the last drain.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    pub(crate) rejected: Vec<Rejection>,
    /// The first failure that is not one row's own; the rest is forgotten.
    pub(crate) failure: Option<CassandraError>,
}

enum Command {
    Run(Vec<Job>),
    Drain(oneshot::Sender<Drained>),
}

/// Handle of the task that sends requests.
#[derive(Debug)]
pub(crate) struct Executor {
    commands: Option<mpsc::Sender<Command>>,
    failed: Arc<AtomicBool>,
    task: Option<JoinHandle<()>>,
}

impl Executor {
    /// Starts the task.
    pub(crate) fn start(session: Arc<Session>, limiter: Limiter, connector: &str) -> Self {
        let (commands, receiver) = mpsc::channel(QUEUE_CHUNKS);
        let failed = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            session,
            limiter,
            queue: VecDeque::new(),
            drained: Drained::default(),
            failed: Arc::clone(&failed),
            in_flight_gauge: ::metrics::gauge!(metrics::SINK_IN_FLIGHT, "connector" => connector.to_owned()),
            limit_gauge: ::metrics::gauge!(metrics::SINK_LIMIT, "connector" => connector.to_owned()),
        };
        Self { commands: Some(commands), failed, task: Some(tokio::spawn(worker.run(receiver))) }
    }

    /// Queues statements; waits while the queue is full.
    ///
    /// # Errors
    /// When the task is gone.
    pub(crate) async fn run(&self, jobs: Vec<Job>) -> Result<(), CassandraError> {
        self.send(Command::Run(jobs)).await
    }

    /// Waits for everything queued and in flight, and tells what became of it.
    ///
    /// # Errors
    /// When the task is gone.
    pub(crate) async fn drain(&self) -> Result<Drained, CassandraError> {
        let (reply, drained) = oneshot::channel();
        self.send(Command::Drain(reply)).await?;
        drained.await.map_err(|_| CassandraError::Closed)
    }

    /// Whether something failed that only a drain tells of; what is queued until then is thrown away.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Ends the task without waiting for what is in flight.
    pub(crate) async fn close(&mut self) {
        self.commands = None;
        if let Some(task) = self.task.take() {
            task.abort();
            // An aborted task answers with that; there is nothing else to learn.
            let _ = task.await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), CassandraError> {
        let commands = self.commands.as_ref().ok_or(CassandraError::Closed)?;
        commands.send(command).await.map_err(|_| CassandraError::Closed)
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A request's end.
struct Answer {
    index: usize,
    plan: Arc<Plan>,
    latency: Duration,
    error: Option<ExecutionError>,
}

async fn execute(session: Arc<Session>, job: Job) -> Answer {
    let sent = Instant::now();
    let error = session.execute_bound_unpaged(&job.statement).await.err();
    Answer { index: job.index, plan: job.plan, latency: sent.elapsed(), error }
}

struct Worker {
    session: Arc<Session>,
    limiter: Limiter,
    queue: VecDeque<Job>,
    drained: Drained,
    failed: Arc<AtomicBool>,
    in_flight_gauge: ::metrics::Gauge,
    limit_gauge: ::metrics::Gauge,
}

impl Worker {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut in_flight = FuturesUnordered::new();
        let mut drain: Option<oneshot::Sender<Drained>> = None;
        loop {
            while in_flight.len() < self.limiter.limit()
                && let Some(job) = self.queue.pop_front()
            {
                in_flight.push(execute(Arc::clone(&self.session), job));
            }
            if drain.is_some() && in_flight.is_empty() && self.queue.is_empty() {
                self.reply(drain.take());
            }
            tokio::select! {
                Some(answer) = in_flight.next(), if !in_flight.is_empty() => {
                    if !self.settle(answer, in_flight.len() + 1) {
                        in_flight.clear();
                    }
                }
                command = commands.recv(), if self.queue.is_empty() && drain.is_none() => match command {
                    Some(Command::Run(_)) if self.failed.load(Ordering::Relaxed) => {}
                    Some(Command::Run(jobs)) => {
                        self.queue.extend(jobs);
                        self.in_flight_gauge.set(in_flight.len() as f64);
                        self.limit_gauge.set(self.limiter.limit() as f64);
                    }
                    Some(Command::Drain(reply)) => drain = Some(reply),
                    None => return,
                },
            }
        }
    }

    /// Takes an answer; returns false when everything else must be forgotten.
    fn settle(&mut self, answer: Answer, in_flight: usize) -> bool {
        let Some(error) = answer.error else {
            self.limiter.observe(answer.latency, in_flight, Instant::now());
            return true;
        };
        let error = CassandraError::request("write to", &answer.plan.table, error);
        if error.class() == ErrorClass::Reject {
            self.drained.rejected.push(Rejection { index: answer.index, error: error.into() });
            return true;
        }
        if error.class() == ErrorClass::Retry {
            self.limiter.overloaded(Instant::now());
        }
        self.drained = Drained { rejected: Vec::new(), failure: Some(error) };
        self.failed.store(true, Ordering::Relaxed);
        self.queue.clear();
        false
    }

    fn reply(&mut self, reply: Option<oneshot::Sender<Drained>>) {
        self.in_flight_gauge.set(0.0);
        self.failed.store(false, Ordering::Relaxed);
        if let Some(reply) = reply {
            // Whoever asked may have been cancelled; then nobody wants to know.
            let _ = reply.send(std::mem::take(&mut self.drained));
        }
    }
}
