//! From a message's bytes to a record.
//!
//! Hot path.

use std::{collections::HashMap, fmt, str, sync::Arc};

use bytes::Bytes;
use bytestring::ByteString;
use sluice_core::{
    Classify, Error, ErrorClass, Record, SchemaRef, Value,
    change::{Change, Operation},
    error::RecordPart,
    record::{
        Datum, EventPosition, Header, Headers, LogOffset, Origin, ParseEventPositionError, Payload, RawRecord,
    },
    schema::{Kind, Schema},
};

use super::raw::{FrozenBatch, RawMessage};
use crate::converter::{ConvertError, Converter};

/// A record that was refused, with the reason.
type Refused = Box<(Record, Error)>;
type RawHeaders = [(Arc<str>, Option<Bytes>)];

/// A key or value that cannot be read.
#[derive(Debug)]
struct ReadError {
    part: RecordPart,
    cause: ConvertError,
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.part == RecordPart::Key { "key" } else { "value" };
        write!(formatter, "the {part} cannot be read: {}", self.cause)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

impl Classify for ReadError {
    fn class(&self) -> ErrorClass {
        self.cause.class()
    }

    fn code(&self) -> &'static str {
        self.cause.code()
    }

    fn hint(&self) -> Option<String> {
        self.cause.hint()
    }

    fn part(&self) -> Option<RecordPart> {
        Some(self.part)
    }
}

/// A `sluice.position` header that does not read.
#[derive(Debug, thiserror::Error)]
#[error("header `sluice.position` cannot be read")]
struct PositionError(#[source] Option<ParseEventPositionError>);

impl Classify for PositionError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Reject
    }

    fn code(&self) -> &'static str {
        "kafka.position_header_invalid"
    }

    fn hint(&self) -> Option<String> {
        Some(
            "only sluice writes this header: look at what else writes to the topic or copies to it"
                .to_owned(),
        )
    }

    fn part(&self) -> Option<RecordPart> {
        Some(RecordPart::Header)
    }
}

/// Makes records; remembers what neighbours share.
pub(super) struct RecordDecoder {
    text: SchemaRef,
    bytes: SchemaRef,
    headers: Option<SharedHeaders>,
    deletes: HashMap<(Arc<str>, i32), LastDelete>,
}

/// Headers of the last message, with the form they were shared in.
struct SharedHeaders {
    raw: Vec<(Arc<str>, Option<Bytes>)>,
    shared: Arc<[Header]>,
}

/// The delete that a partition without positions in its headers ended with.
struct LastDelete {
    offset: i64,
    key: Bytes,
    event: EventPosition,
}

impl Default for RecordDecoder {
    fn default() -> Self {
        Self {
            text: Schema::new(Kind::String).optional().shared(),
            bytes: Schema::new(Kind::Bytes).optional().shared(),
            headers: None,
            deletes: HashMap::new(),
        }
    }
}

impl RecordDecoder {
    /// Returns where reading must begin again, so that a tombstone still to come finds its delete: at the
    /// delete, where a partition ended with one.
    pub(super) fn resume_at(&self, topic: &Arc<str>, partition: i32) -> Option<i64> {
        let last = self.deletes.get(&(Arc::clone(topic), partition))?;
        Some(last.offset)
    }

    /// Decodes a message; a refused one comes back with its bytes and its place, and without its content.
    pub(super) fn decode(
        &mut self,
        batch: &FrozenBatch,
        message: &RawMessage,
        key: &Converter,
        value: &Converter,
    ) -> Result<Record, Refused> {
        let raw = batch.raw(message);
        let delete = self.take_delete(message);
        let mut record = Record::new(Arc::clone(&message.topic), Datum::NULL, Payload::TOMBSTONE);
        record.timestamp = message.timestamp;
        let converted = convert(&raw, key, value).map_err(Error::from);
        let positioned = position(&raw.headers).map_err(Error::from);
        record.headers = self.headers(&raw.headers);
        match (converted, positioned) {
            (Ok((key, value)), Ok(event)) => {
                record.origin = self.origin(message, raw, event, &value, delete);
                (record.key, record.value) = (key, value);
                Ok(record)
            }
            (Err(error), _) | (_, Err(error)) => {
                record.origin = Origin { log: Some(place(message)), raw: Some(raw), ..Origin::default() };
                Err(Box::new((record, error)))
            }
        }
    }

    fn origin(
        &mut self,
        message: &RawMessage,
        raw: RawRecord,
        event: Option<EventPosition>,
        value: &Payload,
        delete: Option<LastDelete>,
    ) -> Origin {
        let operation = match value {
            Payload::Change(change) => Some(change.operation),
            Payload::Plain(_) => None,
        };
        let event = event.or_else(|| self.derived_event(message, &raw, value, delete));
        Origin { event, operation, log: Some(place(message)), raw: Some(raw) }
    }

    /// Finds the position of a record of Debezium's, which has no header for it: the LSN of the event; for
    /// the tombstone that Debezium writes right after a delete, that of the delete.
    fn derived_event(
        &mut self,
        message: &RawMessage,
        raw: &RawRecord,
        value: &Payload,
        delete: Option<LastDelete>,
    ) -> Option<EventPosition> {
        match value {
            Payload::Change(change) => {
                let event = event_of(change)?;
                if change.operation == Operation::Delete {
                    let last = LastDelete { offset: message.offset, key: raw.key.clone()?, event };
                    self.deletes.insert((Arc::clone(&message.topic), message.partition), last);
                }
                Some(event)
            }
            Payload::Plain(Datum { value: Value::Null, .. }) => {
                delete.filter(|last| Some(&last.key) == raw.key.as_ref()).map(|last| last.event)
            }
            Payload::Plain(_) => None,
        }
    }

    /// Takes out the delete that stands right before a message.
    fn take_delete(&mut self, message: &RawMessage) -> Option<LastDelete> {
        if self.deletes.is_empty() {
            return None;
        }
        self.deletes.remove(&(Arc::clone(&message.topic), message.partition))
    }

    /// Makes the headers of a record, those of its neighbour when they are the same.
    fn headers(&mut self, raw: &RawHeaders) -> Headers {
        let own = || raw.iter().filter(|(name, _)| &**name != EventPosition::HEADER);
        if own().next().is_none() {
            return Headers::default();
        }
        if let Some(last) = &self.headers
            && own().eq(&last.raw)
        {
            return Headers::shared(Arc::clone(&last.shared));
        }
        let shared: Arc<[Header]> = own()
            .map(|(name, value)| Header { key: Arc::clone(name), value: self.header(value.as_ref()) })
            .collect();
        self.headers = Some(SharedHeaders { raw: own().cloned().collect(), shared: Arc::clone(&shared) });
        Headers::shared(shared)
    }

    /// Reads a header as text, or as bytes when it is none.
    fn header(&self, value: Option<&Bytes>) -> Datum {
        let Some(bytes) = value else { return Datum::new(Arc::clone(&self.text), Value::Null) };
        match ByteString::try_from(bytes.clone()) {
            Ok(text) => Datum::new(Arc::clone(&self.text), Value::String(text)),
            Err(_) => Datum::new(Arc::clone(&self.bytes), Value::Bytes(bytes.clone())),
        }
    }
}

fn convert(raw: &RawRecord, key: &Converter, value: &Converter) -> Result<(Datum, Payload), ReadError> {
    let unreadable = |part| move |cause| ReadError { part, cause };
    let key = key.decode(raw.key.as_ref()).map_err(unreadable(RecordPart::Key))?;
    let value = value.decode_payload(raw.value.as_ref()).map_err(unreadable(RecordPart::Value))?;
    Ok((key, value))
}

fn place(message: &RawMessage) -> LogOffset {
    LogOffset { topic: Arc::clone(&message.topic), partition: message.partition, offset: message.offset }
}

/// Reads the position header, if there is one.
fn position(headers: &RawHeaders) -> Result<Option<EventPosition>, PositionError> {
    let Some((_, value)) = headers.iter().rfind(|(name, _)| &**name == EventPosition::HEADER) else {
        return Ok(None);
    };
    let text = value.as_deref().and_then(|bytes| str::from_utf8(bytes).ok()).ok_or(PositionError(None))?;
    text.parse().map(Some).map_err(|error| PositionError(Some(error)))
}

/// Takes the event's LSN for its place: all that Debezium writes of it.
fn event_of(change: &Change) -> Option<EventPosition> {
    let lsn = change.source_value("lsn")?.as_i64()?;
    Some(EventPosition { epoch: 0, commit: u64::try_from(lsn).ok()?, index: 0, count: 1 })
}
