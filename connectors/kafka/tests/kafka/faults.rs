//! Brokers that fail: librdkafka's own mock cluster, since the shared ones must stay up.

use std::time::Duration;

use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use sluice_core::{ErrorClass, config::Properties, record::Payload, sink::Sink as _};

use crate::{
    servers::{fresh, open_sink, open_source, read, text},
    table::{text_of, text_record},
};

struct Cluster {
    brokers: MockCluster<'static, DefaultProducerContext>,
    topic: String,
    properties: Properties,
}

impl Cluster {
    fn new(others: &[(&str, &str)]) -> Self {
        let brokers = MockCluster::new(1).expect("the mock cluster starts");
        let topic = fresh("faults");
        brokers.create_topic(&topic, 1, 1).expect("the topic is created");
        let mut properties = text(others);
        properties.set("bootstrap.servers", brokers.bootstrap_servers());
        properties.set("topics", topic.clone());
        Self { brokers, topic, properties }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_errors_of_a_broker_neither_reorder_nor_repeat() {
    let cluster = Cluster::new(&[("producer.override.batch.num.messages", "10")]);
    let records: Vec<_> =
        (0..500).map(|number| text_record(&cluster.topic, "k", Some(&number.to_string()))).collect();
    let mut sink = open_sink(&cluster.properties).await.unwrap();
    let passing = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ];
    cluster.brokers.request_errors(RDKafkaApiKey::Produce, &passing);

    sink.write(&records).await.unwrap();
    assert!(sink.flush(None).await.unwrap().rejected.is_empty());
    let mut source = open_source(&cluster.topic, &cluster.properties).await.unwrap();
    let got = read(&mut source, 500).await;

    for (number, record) in got.records.iter().enumerate() {
        let Payload::Plain(value) = &record.value else { panic!("not plain") };
        assert_eq!(text_of(value), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn window_is_written_again_after_a_broker_was_away_for_too_long() {
    let cluster = Cluster::new(&[("producer.override.delivery.timeout.ms", "1500")]);
    let records: Vec<_> =
        (0..10).map(|number| text_record(&cluster.topic, &number.to_string(), Some("v"))).collect();
    let mut sink = open_sink(&cluster.properties).await.unwrap();
    cluster.brokers.broker_down(1).unwrap();

    sink.write(&records).await.unwrap();
    let error = sink.flush(None).await.unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (ErrorClass::Retry, "kafka.produce_failed"),
        "{}",
        error.report()
    );

    cluster.brokers.broker_up(1).unwrap();
    sink.write(&records).await.unwrap();
    assert!(sink.flush(None).await.unwrap().rejected.is_empty());
    let mut source = open_source(&cluster.topic, &cluster.properties).await.unwrap();
    assert_eq!(read(&mut source, 10).await.records.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_right_to_write_stops() {
    let cluster = Cluster::new(&[]);
    let mut sink = open_sink(&cluster.properties).await.unwrap();
    let denied = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 8];
    cluster.brokers.request_errors(RDKafkaApiKey::Produce, &denied);

    sink.write(&[text_record(&cluster.topic, "k", Some("v"))]).await.unwrap();
    let error = sink.flush(None).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.produce_failed"));
    assert!(error.hint().is_some_and(|hint| hint.contains("WRITE")));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_flush_can_be_repeated() {
    let cluster = Cluster::new(&[]);
    let mut sink = open_sink(&cluster.properties).await.unwrap();
    cluster.brokers.broker_round_trip_time(1, Duration::from_millis(300)).unwrap();

    sink.write(&[text_record(&cluster.topic, "k", Some("v"))]).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(1), sink.flush(None)).await;
    assert!(early.is_err());

    assert!(sink.flush(None).await.unwrap().rejected.is_empty());
}
