//! What a source promises.

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    config::{Config, Definition, Fault},
    connect_offsets::{OffsetMap, OffsetsError},
    error::Error,
    record::Record,
};

/// What a source hands over at once.
#[derive(Debug)]
pub struct Batch<P> {
    /// Records in the source's order; order within a key is kept by all that follows.
    pub records: Vec<Record>,
    /// Records that could not be read, with the reason; the error policy decides about them.
    pub rejected: Vec<(Record, Error)>,
    /// Position from which a restart loses nothing that comes after this batch.
    ///
    /// `None` in the middle of what can only be resumed as a whole: nothing is saved or acknowledged
    /// until a later batch carries a position. A batch without records but with a position is how an
    /// idle source moves on.
    pub position: Option<P>,
    /// Rough size in bytes, for the flush budget.
    pub bytes: usize,
}

impl<P> Batch<P> {
    /// Makes a batch of records.
    pub fn new(records: Vec<Record>, position: Option<P>, bytes: usize) -> Self {
        Self { records, rejected: Vec::new(), position, bytes }
    }
}

/// A running source task.
///
/// The engine calls the methods one at a time: it polls `next_batch`, and between polls it may
/// `acknowledge`. After an error of class *retry* the task is closed and opened again at the last saved
/// position.
pub trait Source: Send {
    /// Where the source is, as saved in a checkpoint. Never a bare LSN or offset: it must let the
    /// source notice that it stands on another log than the one it came from.
    type Position: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// Waits for the next records; `None` when the source has ended by configuration.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await; no record may be lost by that.
    fn next_batch(&mut self) -> impl Future<Output = Result<Option<Batch<Self::Position>>, Error>> + Send;

    /// Learns that all up to `position` is durable downstream and saved; positions never go back.
    ///
    /// Called only with positions that a batch carried, in their order, though not with each of them.
    fn acknowledge(&mut self, position: &Self::Position) -> impl Future<Output = Result<(), Error>> + Send;

    /// Releases what the source holds, after passing on the last acknowledgement. A second call does nothing.
    fn close(&mut self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What a task is told when it is opened.
#[derive(Debug, Clone)]
pub struct TaskContext {
    /// Name of the connector; also the label of its metrics.
    pub connector: String,
}

/// A position made of an offset of Kafka Connect's.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported<P> {
    /// Where to go on; none when the connector must start as if new.
    pub position: Option<P>,
    /// What the offset says and what will be done, a sentence each.
    pub meaning: Vec<String>,
}

/// A kind of source: how it is named, configured, checked and opened.
pub trait SourceConnector: Send + Sync + 'static {
    /// Our name, such as `sluice.PostgresSource`.
    const NAME: &'static str;
    /// Class names that users already have in their files.
    const ALIASES: &'static [&'static str] = &[];
    /// Properties that its users' files may have and that it does not obey; whoever plans a connector reports them.
    const UNOBEYED: &'static [Definition] = &[];

    /// Configuration.
    type Config: Config;
    /// The running part.
    type Source: Source + 'static;

    /// Finds what contradicts in a configuration that parsed. Pure: no I/O.
    fn validate(&self, config: &Self::Config) -> Vec<Fault>;

    /// Connects, looks, changes nothing, and tells what is missing with the statements to fix it.
    fn check(&self, config: Self::Config) -> impl Future<Output = Vec<Fault>> + Send;

    /// Opens the task at `position`, or at the start that the configuration names when there is none.
    ///
    /// # Errors
    /// Class *stop* when the position does not fit what the source finds (a gap), and when a check fails.
    fn open(
        &self,
        config: Self::Config,
        context: TaskContext,
        position: Option<<Self::Source as Source>::Position>,
    ) -> impl Future<Output = Result<Self::Source, Error>> + Send;

    /// Names the partition under which the connector of the same class stores its offset in Kafka Connect; none if
    /// there is no such connector.
    fn offset_partition(&self, _config: &Self::Config) -> Option<OffsetMap> {
        None
    }

    /// Reads an offset of Connect's connector as a position of this source. May connect; changes nothing.
    ///
    /// # Errors
    /// When the offset says nothing, or does not fit what the source finds.
    fn import_offset(
        &self,
        _config: Self::Config,
        _offset: &OffsetMap,
    ) -> impl Future<Output = Result<Imported<<Self::Source as Source>::Position>, Error>> + Send {
        async { Err(OffsetsError::NoCounterpart { class: Self::NAME }.into()) }
    }

    /// Writes a position as the offset with which Connect's connector goes on there.
    ///
    /// # Errors
    /// When that connector has no words for it.
    fn export_offset(&self, _position: &<Self::Source as Source>::Position) -> Result<OffsetMap, Error> {
        Err(OffsetsError::NoCounterpart { class: Self::NAME }.into())
    }
}
