//! The dead letter queue.

use std::{collections::BTreeMap, sync::Arc};

use sluice_core::{
    Error,
    pipeline::{DeadLetter, DeadLetters as _, ErrorPolicy, RejectionStage, Tolerance},
    record::Payload,
};
use sluice_kafka::{ConvertError, KafkaDeadLetters};

use crate::{
    servers::{create_topic, describe_topic, fresh, open_source, produce, read, text},
    table::{text_of, text_record},
};

fn headers(record: &sluice_core::Record) -> BTreeMap<&str, &str> {
    record.headers.iter().map(|header| (&*header.key, text_of(&header.value))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_record_keeps_its_bytes_and_tells_its_reason() {
    let (topic, queue) = (fresh("orders"), fresh("orders-dlq"));
    create_topic(&topic, 1, &[]).await;
    produce(&topic, Some(b"k\0"), Some(b"raw \xff bytes"));
    let bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
    let properties = text(&[
        ("topics", &topic),
        ("value.converter", bytes),
        ("errors.deadletterqueue.topic.name", &queue),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    let mut source = open_source(&topic, &properties).await.unwrap();
    let record = read(&mut source, 1).await.records.remove(0);
    let letter = DeadLetter {
        record: record.clone(),
        error: Arc::new(Error::from(ConvertError::NotRegistryFormat)),
        stage: RejectionStage::Read,
    };

    let mut letters = KafkaDeadLetters::open(&properties, "orders-sink").unwrap().unwrap();
    letters.write(&[letter]).await.unwrap();
    let from_queue = text(&[("topics", &queue), ("value.converter", bytes)]);
    let mut source = open_source(&queue, &from_queue).await.unwrap();
    let dead = read(&mut source, 1).await.records.remove(0);

    assert_eq!(dead.origin.raw.as_ref().unwrap().key, record.origin.raw.as_ref().unwrap().key);
    assert_eq!(dead.origin.raw.as_ref().unwrap().value, record.origin.raw.as_ref().unwrap().value);
    assert_eq!(dead.timestamp, record.timestamp);
    let headers = headers(&dead);
    let context = |name: &str| headers[format!("__connect.errors.{name}").as_str()];
    assert_eq!(headers.len(), 10);
    assert_eq!((context("topic"), context("partition"), context("offset")), (topic.as_str(), "0", "0"));
    assert_eq!((context("connector.name"), context("task.id")), ("orders-sink", "0"));
    assert_eq!(context("stage"), "VALUE_CONVERTER");
    assert_eq!(context("exception.class.name"), "sluice.kafka.not_registry_format");
    assert!(context("exception.stacktrace").contains("hint:"));
    assert_eq!(describe_topic(&queue).await.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_key_and_bad_value_are_told_apart_and_both_are_kept() {
    let (topic, queue) = (fresh("sides"), fresh("sides-dlq"));
    create_topic(&topic, 1, &[]).await;
    produce(&topic, Some(b"bad \xff key"), Some(b"value"));
    produce(&topic, Some(b"key"), Some(b"bad \xff value"));
    let properties = text(&[
        ("topics", &topic),
        ("errors.deadletterqueue.topic.name", &queue),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    let mut source = open_source(&topic, &properties).await.unwrap();
    let letters = KafkaDeadLetters::open(&properties, "sides").unwrap().unwrap();
    let mut policy = ErrorPolicy::new(Tolerance::All, Some(Box::new(letters)));

    for (record, error) in read(&mut source, 2).await.rejected {
        policy.refuse(record, error, RejectionStage::Read).unwrap();
    }
    policy.flush().await.unwrap();

    let bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
    let from_queue = text(&[("topics", &queue), ("key.converter", bytes), ("value.converter", bytes)]);
    let mut source = open_source(&queue, &from_queue).await.unwrap();
    let dead = read(&mut source, 2).await.records;
    for (record, stage, part, key, value) in [
        (&dead[0], "KEY_CONVERTER", "the key ", &b"bad \xff key"[..], &b"value"[..]),
        (&dead[1], "VALUE_CONVERTER", "the value ", b"key", b"bad \xff value"),
    ] {
        let raw = record.origin.raw.as_ref().unwrap();
        assert_eq!((raw.key.as_deref(), raw.value.as_deref()), (Some(key), Some(value)));
        assert_eq!(headers(record)["__connect.errors.stage"], stage);
        assert!(headers(record)["__connect.errors.exception.message"].starts_with(part));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_was_never_bytes_is_written_as_json_without_context_unless_asked() {
    let queue = fresh("plain-dlq");
    let properties = text(&[
        ("errors.deadletterqueue.topic.name", &queue),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
    ]);
    let letter = DeadLetter {
        record: text_record("users", "key", Some("value")),
        error: Arc::new(Error::from(ConvertError::NotUtf8)),
        stage: RejectionStage::Transformation,
    };

    let mut letters = KafkaDeadLetters::open(&properties, "plain").unwrap().unwrap();
    letters.write(&[letter]).await.unwrap();
    let mut source = open_source(&queue, &text(&[("topics", &queue)])).await.unwrap();
    let dead = read(&mut source, 1).await.records.remove(0);

    let Payload::Plain(value) = &dead.value else { panic!("not plain") };
    assert_eq!(text_of(value), r#"{"schema":{"type":"string","optional":true},"payload":"value"}"#);
    assert!(dead.headers.is_empty());
}

#[test]
fn without_a_topic_there_is_no_queue() {
    assert!(KafkaDeadLetters::open(&text(&[]), "none").unwrap().is_none());
}

#[test]
fn faults_of_the_queue_are_told_without_connecting() {
    let faults = KafkaDeadLetters::validate(&text(&[
        ("errors.deadletterqueue.topic.name", "q"),
        ("errors.deadletterqueue.topic.replication.factor", "0"),
        ("producer.override.linger.ms", "soon"),
    ]));

    let properties: Vec<_> = faults.iter().map(|fault| fault.property.as_str()).collect();
    assert_eq!(
        properties,
        ["producer.override.linger.ms", "errors.deadletterqueue.topic.replication.factor"]
    );
}
