//! What a sink promises.

use std::future::Future;

use crate::{
    checkpoint::Checkpoint,
    config::{Config, Fault},
    error::Error,
    record::Record,
    source::TaskContext,
};

/// A record that the sink refused for good.
#[derive(Debug)]
pub struct Rejection {
    /// Place of the record among all that were written since the last successful flush, from 0.
    pub index: usize,
    /// Why; of class *reject*.
    pub error: Error,
}

/// What a flush achieved.
#[derive(Debug, Default)]
pub struct Flushed {
    /// Records that are not durable and never will be; every other one is durable.
    pub rejected: Vec<Rejection>,
    /// Whether the sink stored the checkpoint in the same atomic step. Never together with rejections: what
    /// becomes of refused records is not decided yet, and the checkpoint must not pass them before.
    pub checkpoint_stored: bool,
}

/// A running sink task.
///
/// The engine calls the methods one at a time and in the order write, write, …, flush.
pub trait Sink: Send {
    /// Accepts records in order; on return they may still be in flight.
    ///
    /// Waits when too much is in flight: that is the back-pressure. Must tolerate a record that was
    /// written before, and must keep the order within a key. A record that cannot be written is not an
    /// error here: it is reported by the next flush.
    ///
    /// # Errors
    /// Class *retry*: nothing is known about what was written since the last flush; the engine writes
    /// all of it again. Class *stop*: the task ends.
    fn write(&mut self, batch: &[Record]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Waits until all that was accepted is durable.
    ///
    /// `checkpoint` is what the engine will save next; a sink that can store it atomically with the
    /// records does so and says it.
    ///
    /// # Errors
    /// As for [`Sink::write`]. After an error the sink has forgotten what was in flight.
    fn flush(
        &mut self,
        checkpoint: Option<&Checkpoint>,
    ) -> impl Future<Output = Result<Flushed, Error>> + Send;

    /// Releases what the sink holds, without waiting for what is in flight. A second call does nothing.
    fn close(&mut self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A kind of sink: how it is named, configured, checked and opened.
pub trait SinkConnector: Send + Sync + 'static {
    /// Our name, such as `sluice.CassandraSink`.
    const NAME: &'static str;
    /// Class names that users already have in their files.
    const ALIASES: &'static [&'static str] = &[];

    /// Configuration.
    type Config: Config;
    /// The running part.
    type Sink: Sink + 'static;

    /// Finds what contradicts in a configuration that parsed. Pure: no I/O.
    fn validate(&self, config: &Self::Config) -> Vec<Fault>;

    /// Connects, looks, changes nothing, and tells what is missing with the statements to fix it.
    fn check(&self, config: Self::Config) -> impl Future<Output = Vec<Fault>> + Send;

    /// Opens the task.
    fn open(
        &self,
        config: Self::Config,
        context: TaskContext,
    ) -> impl Future<Output = Result<Self::Sink, Error>> + Send;
}
