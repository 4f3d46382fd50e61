//! Logical decoding messages: what `pg_logical_emit_message` wrote, as records of a topic of their own.
//!
//! A transactional message is one of its transaction's events. Any other belongs to no transaction: Postgres sends it as
//! soon as it reads it in the log, committed or not, and so it counts as a transaction of its own here. Shapes: Debezium's
//! `LogicalDecodingMessageMonitor`.

use std::sync::Arc;

use bytes::BytesMut;
use bytestring::ByteString;
use sluice_core::change::{self, Operation, TransactionBlock, field};
use sluice_core::config::PatternList;
use sluice_core::record::{Datum, Payload, Record};
use sluice_core::schema::{Field, Kind, Schema, SchemaRef};
use sluice_core::value::{Struct, Value};

use crate::config::{BinaryMode, PostgresConfig};
use crate::names;
use crate::pgoutput::LogicalMessage;
use crate::source_block::source_schema;
use crate::types::put_binary;

/// What messages are counted as in the records of their transaction: Debezium's name of their data collection, where
/// it writes the name of a Java object instead.
pub(crate) const COLLECTION: &str = "LOGICAL_DECODING_MESSAGE";

/// Which messages are captured, by their prefixes.
#[derive(Debug)]
pub(crate) struct MessageFilter {
    include: Option<PatternList>,
    exclude: Option<PatternList>,
}

impl MessageFilter {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        Self { include: config.message_include.clone(), exclude: config.message_exclude.clone() }
    }

    pub(crate) fn captures(&self, prefix: &str) -> bool {
        self.include.as_ref().is_none_or(|list| list.matches(prefix))
            && !self.exclude.as_ref().is_some_and(|list| list.matches(prefix))
    }
}

/// Makes the records of messages.
#[derive(Debug)]
pub(crate) struct MessageMaker {
    topic: Arc<str>,
    key: SchemaRef,
    value: SchemaRef,
    source: SchemaRef,
    transaction: SchemaRef,
    message: SchemaRef,
    mode: BinaryMode,
}

impl MessageMaker {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        let message = message_schema(config.binary);
        Self {
            topic: names::message_topic(config).into(),
            key: key_schema(),
            value: value_schema(&message),
            source: source_schema(),
            transaction: change::transaction_schema().shared(),
            message,
            mode: config.binary,
        }
    }

    /// Makes a record; `source` is its source block, `now` the connector's clock in ns since 1970. Text is written to
    /// `chunk`.
    pub(crate) fn record(
        &self,
        message: LogicalMessage,
        source: Vec<Value>,
        transaction: Option<TransactionBlock>,
        now: i64,
        chunk: &mut BytesMut,
    ) -> Record {
        let prefix = Value::from(&*message.prefix);
        let content = match self.mode {
            BinaryMode::Bytes => Value::Bytes(message.content),
            mode => {
                put_binary(mode, &message.content, chunk);
                ByteString::try_from(chunk.split().freeze()).map_or(Value::Null, Value::String)
            }
        };
        let block = Struct::new(Arc::clone(&self.message), vec![prefix.clone(), content]);
        let value = vec![
            Value::from_static(Operation::Message.code()),
            Value::Int64(now.div_euclid(1_000_000)),
            Struct::new(Arc::clone(&self.source), source).into(),
            transaction.map_or(Value::Null, |block| block.into_value(&self.transaction)),
            block.into(),
        ];
        let key = Struct::new(Arc::clone(&self.key), vec![prefix]);
        let value = Struct::new(Arc::clone(&self.value), value);
        Record::new(
            Arc::clone(&self.topic),
            Datum::new(Arc::clone(&self.key), key.into()),
            Payload::Plain(Datum::new(Arc::clone(&self.value), value.into())),
        )
    }
}

fn record_schema(name: &str, fields: Vec<Field>) -> SchemaRef {
    Schema::record(format!("io.debezium.connector.postgresql.{name}"), fields).versioned(1).shared()
}

fn prefix_field() -> Field {
    Field::new("prefix", Schema::new(Kind::String).optional())
}

fn key_schema() -> SchemaRef {
    record_schema("MessageKey", vec![prefix_field()])
}

fn message_schema(mode: BinaryMode) -> SchemaRef {
    let kind = if mode == BinaryMode::Bytes { Kind::Bytes } else { Kind::String };
    record_schema("Message", vec![prefix_field(), Field::new("content", Schema::new(kind).optional())])
}

fn value_schema(message: &SchemaRef) -> SchemaRef {
    let fields = vec![
        Field::new(field::OP, Schema::new(Kind::String)),
        Field::new(field::TS_MS, Schema::new(Kind::Int64).optional()),
        Field::new(field::SOURCE, source_schema()),
        Field::new(field::TRANSACTION, change::transaction_schema()),
        Field::new("message", Arc::clone(message)),
    ];
    record_schema("MessageValue", fields)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::Value as Json;

    use super::*;
    use crate::config::from_pairs;
    use crate::lsn::Lsn;
    use crate::table::tests::connect_json;

    fn filter(pairs: &[(&str, &str)]) -> MessageFilter {
        MessageFilter::new(&from_pairs(pairs).unwrap())
    }

    fn message(content: &'static [u8]) -> LogicalMessage {
        LogicalMessage {
            xid: None,
            transactional: false,
            lsn: Lsn::new(8),
            prefix: "pfx".into(),
            content: Bytes::from_static(content),
        }
    }

    fn content(pairs: &[(&str, &str)], bytes: &'static [u8]) -> Value {
        let maker = MessageMaker::new(&from_pairs(pairs).unwrap());
        let source = vec![Value::Null; 16];
        let record = maker.record(message(bytes), source, None, 1_999_999, &mut BytesMut::new());
        let Payload::Plain(Datum { value: Value::Struct(value), .. }) = record.value else { panic!() };
        assert_eq!(value.value(field::TS_MS), Some(&Value::Int64(1)));
        let Some(Value::Struct(block)) = value.value("message") else { panic!() };
        block.value("content").cloned().unwrap()
    }

    #[test]
    fn schemas_are_those_of_the_recording() {
        let recorded: Json = serde_json::from_str(include_str!("testdata/side_topics.json")).unwrap();
        let recorded = &recorded["message"];
        let config = from_pairs(&[("topic.prefix", "logical_messages")]).unwrap();
        let maker = MessageMaker::new(&config);

        assert_eq!(&*maker.topic, recorded["topic"]);
        assert_eq!(connect_json(&maker.key, None), recorded["key_schema"]);
        assert_eq!(connect_json(&maker.value, None), recorded["value_schema"]);
    }

    #[test]
    fn content_follows_the_binary_mode() {
        assert_eq!(content(&[], b"\xde\xad"), Value::Bytes(Bytes::from_static(b"\xde\xad")));
        assert_eq!(content(&[("binary.handling.mode", "hex")], b"\xde\xad"), "dead".into());
        assert_eq!(content(&[("binary.handling.mode", "base64")], b"\xde\xad"), "3q0=".into());
        assert_eq!(content(&[("binary.handling.mode", "hex")], b""), "".into());
        let schema = connect_json(&message_schema(BinaryMode::Hex), None);
        assert_eq!(schema["fields"][1]["type"], "string");
    }

    #[test]
    fn prefixes_are_matched_whole() {
        let include = filter(&[("message.prefix.include.list", "pfx,a.*")]);
        assert_eq!(
            ["pfx", "pfx2", "PFX", "abc", ""].map(|prefix| include.captures(prefix)),
            [true, false, true, true, false]
        );

        let exclude = filter(&[("message.prefix.exclude.list", "pfx")]);
        assert_eq!(["pfx", "pfx2"].map(|prefix| exclude.captures(prefix)), [false, true]);
        assert!(filter(&[]).captures(""));
    }
}
