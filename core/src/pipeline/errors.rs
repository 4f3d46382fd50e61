//! What happens to records that are refused: fail, skip, or dead letter queue.

use std::sync::Arc;

use crate::{
    config_enum,
    error::{Classify, Error, ErrorClass, RecordPart},
    record::{Datum, Origin, Payload, Record},
    registry::BoxFuture,
};

config_enum! {
    /// Connect's `errors.tolerance`.
    pub enum Tolerance {
        /// A refused record fails the task; nothing after it is acknowledged.
        None = "none",
        /// A refused record is skipped, and sent to the dead letter queue if there is one.
        All = "all",
    }
}

/// Where in the pipeline a record was refused; Connect's stage names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionStage {
    /// The source could not read it: its value, unless the error says otherwise.
    Read,
    /// The source could not read its key.
    ReadKey,
    /// The source could not read one of its headers.
    ReadHeader,
    /// A transform refused it.
    Transformation,
    /// The sink refused it.
    Write,
}

impl RejectionStage {
    /// Returns Connect's name of the stage, as its dead letter headers carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "VALUE_CONVERTER",
            Self::ReadKey => "KEY_CONVERTER",
            Self::ReadHeader => "HEADER_CONVERTER",
            Self::Transformation => "TRANSFORMATION",
            Self::Write => "TASK_PUT",
        }
    }

    /// Says more exactly what could not be read, where the error knows it.
    fn refined(self, error: &Error) -> Self {
        match (self, error.part()) {
            (Self::Read, Some(RecordPart::Key)) => Self::ReadKey,
            (Self::Read, Some(RecordPart::Header)) => Self::ReadHeader,
            _ => self,
        }
    }
}

/// A record that was refused, on its way to the dead letter queue.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The record, with its bytes as read in `origin.raw`.
    pub record: Record,
    /// Why it was refused.
    pub error: Arc<Error>,
    /// Where.
    pub stage: RejectionStage,
}

/// Where refused records go.
pub trait DeadLetters: Send + Sync {
    /// Writes the records and returns when they are durable. May be called again with the same after an error.
    fn write<'a>(&'a mut self, letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), Error>>;
}

/// A refused record that nothing tolerates.
#[derive(Debug, thiserror::Error)]
#[error("record {place} was refused at {}: {cause}", stage.name())]
pub struct RejectedError {
    place: String,
    stage: RejectionStage,
    cause: String,
    hint: Option<String>,
}

impl Classify for RejectedError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        "pipeline.record_refused"
    }

    fn hint(&self) -> Option<String> {
        let policy =
            "or set `errors.tolerance=all`, with `errors.deadletterqueue.topic.name` to keep such records";
        Some(self.hint.as_ref().map_or_else(|| policy.to_owned(), |hint| format!("{hint}; {policy}")))
    }
}

/// Decides about refused records, and holds those for the dead letter queue until the next flush.
pub struct ErrorPolicy {
    tolerance: Tolerance,
    dead_letters: Option<Box<dyn DeadLetters>>,
    pending: Vec<DeadLetter>,
    refused: u64,
}

impl ErrorPolicy {
    /// Makes a policy; without dead letters, tolerated records are logged and skipped.
    pub fn new(tolerance: Tolerance, dead_letters: Option<Box<dyn DeadLetters>>) -> Self {
        Self { tolerance, dead_letters, pending: Vec::new(), refused: 0 }
    }

    /// Copies of a record what an error must tell of it later: the whole only where a dead letter needs it.
    ///
    /// Allocates nothing without dead letters; with them, what was read as bytes counts references.
    pub fn trace(&self, record: &Record) -> Record {
        let origin = &record.origin;
        if self.dead_letters.is_none() {
            let origin = Origin {
                event: origin.event,
                operation: origin.operation,
                log: origin.log.clone(),
                raw: None,
            };
            return Record {
                origin,
                ..Record::new(Arc::clone(&record.topic), Datum::NULL, Payload::TOMBSTONE)
            };
        }
        if origin.raw.is_none() {
            return record.clone();
        }
        Record {
            partition: record.partition,
            timestamp: record.timestamp,
            origin: origin.clone(),
            ..Record::new(Arc::clone(&record.topic), Datum::NULL, Payload::TOMBSTONE)
        }
    }

    /// Takes a refused record.
    ///
    /// # Errors
    /// [`RejectedError`] when nothing tolerates it; and `error` itself when it is not of class *reject*.
    pub fn refuse(&mut self, record: Record, error: Error, stage: RejectionStage) -> Result<(), Error> {
        if error.class() != ErrorClass::Reject {
            return Err(error);
        }
        let (place, stage) = (place(&record), stage.refined(&error));
        if self.tolerance == Tolerance::None {
            let (cause, hint) = (format!("{error} [{}]", error.code()), error.hint());
            return Err(RejectedError { place, stage, cause, hint }.into());
        }
        tracing::warn!(record = %place, stage = stage.name(), code = error.code(), error = %error, "record refused");
        self.refused += 1;
        if self.dead_letters.is_some() {
            self.pending.push(DeadLetter { record, error: Arc::new(error), stage });
        }
        Ok(())
    }

    /// Makes the refused records durable in the dead letter queue. Can be repeated after an error.
    ///
    /// # Errors
    /// The queue's error.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if let Some(dead_letters) = &mut self.dead_letters
            && !self.pending.is_empty()
        {
            dead_letters.write(&self.pending).await?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Returns how many records were refused since the last call.
    pub fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }
}

fn place(record: &Record) -> String {
    match &record.origin.log {
        Some(log) => format!("{}-{}@{}", log.topic, log.partition, log.offset),
        None => match &record.origin.event {
            Some(event) => format!("{} at {event}", record.topic),
            None => record.topic.to_string(),
        },
    }
}
