//! What every sink must keep, for the Kafka sink.

use std::collections::BTreeMap;

use sluice_core::{
    Error, Record,
    config::Properties,
    record::Payload,
    testkit::{
        SinkHarness,
        config::{check_sink, check_source},
        sink::State,
    },
};
use sluice_kafka::{KafkaSink, KafkaSinkTask, KafkaSource};

use crate::{
    servers::{create_topic, fresh, open_sink, open_source, text},
    table::{text_of, text_record},
};

struct Topic {
    name: String,
    properties: Properties,
}

impl Topic {
    async fn fresh() -> Self {
        let name = fresh("conformance");
        create_topic(&name, 1, &[]).await;
        Self { properties: text(&[("topics", &name)]), name }
    }
}

impl SinkHarness for Topic {
    type Sink = KafkaSinkTask;

    async fn open(&self) -> Result<KafkaSinkTask, Error> {
        open_sink(&self.properties).await
    }

    fn records(&self) -> Vec<Record> {
        let record = |key, value| text_record(&self.name, key, value);
        vec![record("a", Some("1")), record("b", Some("1")), record("a", Some("2")), record("b", None)]
    }

    fn expected(&self) -> State {
        BTreeMap::from([("a".to_owned(), "2".to_owned())])
    }

    async fn state(&self) -> State {
        let mut state = State::new();
        // The end is marked by a record of its own, as a topic has no end.
        let end = fresh("end");
        crate::servers::produce(&self.name, Some(end.as_bytes()), Some(b"end"));
        let mut source = open_source(&end, &self.properties).await.expect("the source opens");
        loop {
            for record in crate::servers::read(&mut source, 1).await.records {
                let key = text_of(&record.key);
                match &record.value {
                    _ if key == end => return state,
                    _ if key.starts_with("end.") => {}
                    Payload::Plain(value) if !record.value.is_tombstone() => {
                        state.insert(key.to_owned(), text_of(value).to_owned());
                    }
                    _ => {
                        state.remove(key);
                    }
                }
            }
        }
    }

    fn refused(&self) -> Option<Record> {
        Some(text_record(&self.name, "large", Some(&"x".repeat(2_000_000))))
    }
}

sluice_core::sink_conformance!(Topic::fresh().await);

#[test]
fn configurations_keep_what_the_kit_asks() {
    let valid = Properties::from([
        ("bootstrap.servers", "localhost:9092"),
        ("key.converter", "StringConverter"),
        ("value.converter", "StringConverter"),
        ("topics", "users"),
    ]);

    check_sink(KafkaSink, &valid).unwrap();
    check_source(KafkaSource, &valid).unwrap();
}
