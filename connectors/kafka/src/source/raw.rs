//! A batch of messages as bytes in one arena.
//!
//! Hot path. Each message is copied once, from librdkafka's buffer; all that is decoded shares the arena.

use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use sluice_core::record::RawRecord;

use super::Names;

/// One message; ranges are places in the arena.
#[derive(Debug)]
pub(super) struct RawMessage {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

impl RawMessage {
    /// Whether two messages are of one partition.
    fn is_beside(&self, other: &Self) -> bool {
        self.partition == other.partition && Arc::ptr_eq(&self.topic, &other.topic)
    }
}

#[derive(Debug)]
struct RawHeader {
    name: Arc<str>,
    value: Option<Range<usize>>,
}

/// Messages being collected.
#[derive(Debug, Default)]
pub(super) struct RawBatch {
    arena: BytesMut,
    messages: Vec<RawMessage>,
    headers: Vec<RawHeader>,
    topics: Names,
    header_names: Names,
}

/// Messages collected, ready to share.
#[derive(Debug)]
pub(super) struct FrozenBatch {
    pub(super) arena: Bytes,
    pub(super) messages: Vec<RawMessage>,
    headers: Vec<RawHeader>,
}

impl RawBatch {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns the bytes collected.
    pub(super) fn weight(&self) -> usize {
        self.arena.len()
    }

    /// Copies a message.
    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let first = self.headers.len();
        if let Some(headers) = message.headers() {
            for header in headers.iter() {
                let value = header.value.map(|value| append(&mut self.arena, value));
                self.headers.push(RawHeader { name: self.header_names.share(header.key), value });
            }
        }
        let topic = match self.messages.last() {
            Some(last) if &*last.topic == message.topic() => Arc::clone(&last.topic),
            _ => self.topics.share(message.topic()),
        };
        self.messages.push(RawMessage {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(|key| append(&mut self.arena, key)),
            value: message.payload().map(|value| append(&mut self.arena, value)),
            headers: first..self.headers.len(),
        });
    }

    /// Returns each message's topic, partition and offset.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, i32, i64)> {
        self.messages.iter().map(|message| (&*message.topic, message.partition, message.offset))
    }

    /// Returns key and value of a message by its place in the batch.
    pub(super) fn bytes(&self, index: usize) -> (Option<&[u8]>, Option<&[u8]>) {
        let message = &self.messages[index];
        let slice = |range: &Option<Range<usize>>| range.clone().map(|range| &self.arena[range]);
        (slice(&message.key), slice(&message.value))
    }

    /// Takes all messages out and keeps the names.
    pub(super) fn take(&mut self) -> FrozenBatch {
        let (messages, headers) = (self.messages.len(), self.headers.len());
        FrozenBatch {
            arena: self.arena.split().freeze(),
            messages: std::mem::replace(&mut self.messages, Vec::with_capacity(messages)),
            headers: std::mem::replace(&mut self.headers, Vec::with_capacity(headers)),
        }
    }
}

fn append(arena: &mut BytesMut, bytes: &[u8]) -> Range<usize> {
    let start = arena.len();
    arena.extend_from_slice(bytes);
    start..arena.len()
}

impl FrozenBatch {
    /// Shares the bytes of a message.
    pub(super) fn raw(&self, message: &RawMessage) -> RawRecord {
        let slice = |range: &Option<Range<usize>>| range.clone().map(|range| self.arena.slice(range));
        let headers = &self.headers[message.headers.clone()];
        RawRecord {
            key: slice(&message.key),
            value: slice(&message.value),
            headers: headers.iter().map(|header| (Arc::clone(&header.name), slice(&header.value))).collect(),
        }
    }

    /// Returns the last offset of each run of messages of one partition.
    pub(super) fn ends(&self) -> impl Iterator<Item = (&Arc<str>, i32, i64)> {
        self.messages.iter().enumerate().filter_map(|(index, message)| {
            let next = self.messages.get(index + 1);
            (!next.is_some_and(|next| next.is_beside(message))).then_some((
                &message.topic,
                message.partition,
                message.offset,
            ))
        })
    }
}
