//! The topic in which Kafka Connect keeps offsets.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use sluice_core::connect_offsets::{SourceOffset, from_pairs};
use sluice_kafka::{read_connect_offsets, write_connect_offset};

use crate::servers::{brokers, create_topic, fresh, text};

const PATIENCE: Duration = Duration::from_secs(60);

fn offset(lsn: u64) -> SourceOffset {
    let map = |name: &str, value: serde_json::Value| [(name.to_owned(), value)].into_iter().collect();
    SourceOffset {
        connector: "inventory".to_owned(),
        partition: map("server", "p".into()),
        offset: Some(map("lsn", lsn.into())),
    }
}

async fn stored(topic: &str) -> Option<Vec<SourceOffset>> {
    let pairs = read_connect_offsets(&text(&[]), topic).await.expect("the topic is read");
    pairs.map(|pairs| from_pairs(&pairs).expect("they are offsets"))
}

#[tokio::test]
async fn offset_that_is_written_takes_the_place_of_the_one_before() {
    let topic = fresh("offsets");
    assert_eq!(stored(&topic).await, None, "there is no such topic");
    create_topic(&topic, 3, &[("cleanup.policy", "compact")]).await;
    assert_eq!(stored(&topic).await, Some(Vec::new()));

    for lsn in [1, 2] {
        write_connect_offset(&text(&[]), &topic, &offset(lsn)).await.unwrap();
    }

    assert_eq!(stored(&topic).await, Some(vec![offset(2)]));
}

/// As a worker with `exactly.once.source.support=enabled` writes them: with the records, in one transaction.
#[tokio::test]
async fn offsets_of_a_transaction_that_was_aborted_are_not_read() {
    let topic = fresh("offsets");
    create_topic(&topic, 1, &[("cleanup.policy", "compact")]).await;
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("transactional.id", &topic)
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();

    for (lsn, committed) in [(1, true), (2, false)] {
        let (key, value) = offset(lsn).to_pair();
        producer.begin_transaction().unwrap();
        producer
            .send(BaseRecord::to(&topic).key(&key).payload(&value.unwrap()))
            .map_err(|(error, _)| error)
            .unwrap();
        producer.flush(PATIENCE).unwrap();
        match committed {
            true => producer.commit_transaction(PATIENCE).unwrap(),
            false => producer.abort_transaction(PATIENCE).unwrap(),
        }
    }

    assert_eq!(stored(&topic).await, Some(vec![offset(1)]));
}
