//! The Schema Registry: what it refuses, and when it is away.

use sluice_core::{
    ErrorClass,
    config::Config as _,
    sink::{Sink as _, SinkConnector as _},
    source::{Source as _, SourceConnector as _},
};
use sluice_kafka::{KafkaSink, KafkaSource};

use crate::{
    servers::{avro, fresh, open_sink, open_source},
    table::Table,
};

#[tokio::test(flavor = "multi_thread")]
async fn incompatible_schema_stops_with_both_schemas() {
    let topic = fresh("evolving");
    let mut sink = open_sink(&avro(&[])).await.unwrap();
    sink.write(&[Table::new(&topic).change(1, Some("a"), 1)]).await.unwrap();
    sink.flush(None).await.unwrap();

    // A new NOT NULL column without default: old records cannot be read by the new schema.
    let changed = Table::with_columns(&topic, &["age"]);
    let error = sink.write(&[changed.change(1, Some("a"), 2)]).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.schema_incompatible"));
    assert!(error.to_string().contains(&format!("{topic}-value")), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("registered: {") && hint.contains("\"age\""), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_that_is_not_registered_stops_when_we_may_not_register() {
    let topic = fresh("foreign");
    let properties = avro(&[("key.converter.auto.register.schemas", "false")]);
    let mut sink = open_sink(&properties).await.unwrap();

    let error = sink.write(&[Table::new(&topic).change(1, Some("a"), 1)]).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.schema_not_registered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn registered_schema_is_found_without_registering() {
    let topic = fresh("known");
    let record = Table::new(&topic).change(1, Some("a"), 1);
    let mut sink = open_sink(&avro(&[])).await.unwrap();
    sink.write(std::slice::from_ref(&record)).await.unwrap();
    sink.flush(None).await.unwrap();

    let properties = avro(&[
        ("key.converter.auto.register.schemas", "false"),
        ("value.converter.auto.register.schemas", "false"),
        ("value.converter.use.latest.version", "true"),
    ]);
    let mut other = open_sink(&properties).await.unwrap();

    other.write(&[record]).await.unwrap();
    assert!(other.flush(None).await.unwrap().rejected.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_that_is_away_is_retried_and_the_other_address_is_asked() {
    let topic = fresh("failover");
    let record = Table::new(&topic).change(1, Some("a"), 1);
    let away = "http://127.0.0.1:1";
    let both = format!("{away},{}", crate::servers::registry());

    let mut without = open_sink(&avro(&[("key.converter.schema.registry.url", away)])).await.unwrap();
    let error = without.write(std::slice::from_ref(&record)).await.unwrap_err();
    let mut with = open_sink(&avro(&[
        ("key.converter.schema.registry.url", &both),
        ("value.converter.schema.registry.url", &both),
    ]))
    .await
    .unwrap();
    with.write(&[record]).await.unwrap();

    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "kafka.registry_unreachable"));
    assert!(with.flush(None).await.unwrap().rejected.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_waits_for_the_registry_and_loses_nothing() {
    let topic = fresh("waiting");
    let mut sink = open_sink(&avro(&[])).await.unwrap();
    sink.write(&[Table::new(&topic).change(1, Some("a"), 1)]).await.unwrap();
    sink.flush(None).await.unwrap();

    let away = avro(&[("topics", &topic), ("value.converter.schema.registry.url", "http://127.0.0.1:1")]);
    let mut source = open_source(&topic, &away).await.unwrap();
    for _ in 0..2 {
        let error = source.next_batch().await.err().unwrap();
        assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "kafka.registry_unreachable"));
    }
    source.close().await.unwrap();
    let mut source = open_source(&topic, &avro(&[("topics", &topic)])).await.unwrap();

    assert_eq!(crate::servers::read(&mut source, 1).await.records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_what_is_missing_or_away() {
    let topic = fresh("absent");
    let properties =
        avro(&[("topics", &topic), ("value.converter.schema.registry.url", "http://127.0.0.1:1")]);
    let source = <KafkaSource as sluice_core::source::SourceConnector>::Config::from_properties(&properties);
    let away = avro(&[("bootstrap.servers", "127.0.0.1:1")]);
    let sink = <KafkaSink as sluice_core::sink::SinkConnector>::Config::from_properties(&away);

    let of_source = KafkaSource.check(source.unwrap()).await;
    let of_sink = KafkaSink.check(sink.unwrap()).await;

    let codes: Vec<_> = of_source.iter().map(|fault| (fault.code, fault.property.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("kafka.topic_missing", "topics"),
            ("kafka.registry_unreachable", "value.converter.schema.registry.url")
        ]
    );
    assert!(of_source[0].message.contains(&topic));
    assert_eq!(of_sink[0].code, "kafka.unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_tells_its_id() {
    assert!(sluice_kafka::cluster_id(&avro(&[])).await.unwrap().is_some_and(|id| !id.is_empty()));
}
