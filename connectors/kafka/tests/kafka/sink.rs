//! Writing.

use sluice_core::{
    ErrorClass, Value,
    record::{Datum, EventPosition, Payload},
    sink::Sink as _,
    source::Source as _,
};

use crate::{
    servers::{avro, create_topic, describe_topic, fresh, open_sink, open_source, read, text},
    table::{Table, text_of, text_record},
};

#[tokio::test(flavor = "multi_thread")]
async fn changes_written_in_avro_are_read_back_equal() {
    let topic = fresh("users");
    let table = Table::new(&topic);
    let mut written = vec![
        table.change(1, Some("Åsa O'Neill"), 100),
        table.change(1, Some("b"), 200),
        table.change(1, None, 300),
        table.tombstone(1, 300),
    ];
    for record in &mut written {
        record.timestamp = Some(1_700_000_000_777);
        record.headers.push("__debezium.context.connectorName", Datum::schemaless("postgresql".into()));
    }

    let properties = avro(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&written).await.unwrap();
    assert!(sink.flush(None).await.unwrap().rejected.is_empty());
    sink.close().await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 4).await;
    source.close().await.unwrap();

    for (read, written) in got.records.iter().zip(&written) {
        assert_eq!(read.key.value.as_struct().map(|key| key.values()), Some(&[Value::Int64(1)][..]));
        assert_eq!(read.origin.event, written.origin.event);
        assert_eq!(read.timestamp, written.timestamp);
        assert_eq!(read.headers.iter().count(), 1);
        assert_eq!(
            read.headers.last("__debezium.context.connectorName").unwrap().value.value,
            "postgresql".into()
        );
        match (&read.value, &written.value) {
            (Payload::Change(read_change), Payload::Change(change)) => {
                assert_eq!(read.origin.operation, Some(change.operation));
                assert_eq!(read_change.operation, change.operation);
                assert_eq!(read_change.before, change.before);
                assert_eq!(read_change.after, change.after);
                assert_eq!(read_change.source, change.source);
                assert_eq!(read_change.timestamp_ns, change.timestamp_ns);
                assert_eq!(read_change.schema.envelope, change.schema.envelope);
            }
            (read, written) => assert!(read.is_tombstone() && written.is_tombstone()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_with_schemas_is_read_back_equal() {
    let topic = fresh("users");
    let table = Table::new(&topic);
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let properties = text(&[("topics", &topic), ("key.converter", json), ("value.converter", json)]);

    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&[table.change(1, Some("a"), 100), table.tombstone(1, 100)]).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 2).await;

    let Payload::Change(change) = &got.records[0].value else { panic!("not a change") };
    assert_eq!(change.after.as_ref().map(|row| &row[1]), Some(&"a".into()));
    assert!(got.records[1].value.is_tombstone());
}

/// Murmur2 of `org.apache.kafka.common.utils.Utils`.
fn java_murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(data.len()).expect("a short key");
    let words = data.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let word = u32::from_le_bytes(word.try_into().expect("four bytes")).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ (word >> 24)).wrapping_mul(M);
    }
    for (place, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * place);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

#[test]
fn reference_hash_is_that_of_kafkas_own_tests() {
    let vectors: [(&str, i32); 6] = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ];

    for (key, hash) in vectors {
        assert_eq!(java_murmur2(key.as_bytes()), hash, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_to_the_partitions_that_java_chooses() {
    let topic = fresh("partitions");
    create_topic(&topic, 7, &[]).await;
    let keys: Vec<_> = (0..200).map(|number| format!("key-{number}")).collect();
    let records: Vec<_> = keys.iter().map(|key| text_record(&topic, key, Some("v"))).collect();

    let properties = text(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&records).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 200).await;

    for record in &got.records {
        let key = text_of(&record.key);
        let expected = (java_murmur2(key.as_bytes()) & 0x7fff_ffff) % 7;
        assert_eq!(record.origin.log.as_ref().unwrap().partition, expected, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_that_a_record_names_is_used() {
    let topic = fresh("chosen");
    create_topic(&topic, 3, &[]).await;
    let mut records: Vec<_> =
        (0..9).map(|number| text_record(&topic, &format!("k{number}"), Some("v"))).collect();
    records.iter_mut().for_each(|record| record.partition = Some(2));
    let mut nowhere = text_record(&topic, "k", Some("v"));
    nowhere.partition = Some(3);
    records.push(nowhere);

    let properties = text(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    let flushed = loop {
        sink.write(&records).await.unwrap();
        match sink.flush(None).await {
            Ok(flushed) => break flushed,
            Err(error) => assert_eq!(error.class(), ErrorClass::Retry, "{}", error.report()),
        }
    };
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 9).await;

    assert!(got.records.iter().all(|record| record.origin.log.as_ref().unwrap().partition == 2));
    let rejected: Vec<_> =
        flushed.rejected.iter().map(|rejection| (rejection.index, rejection.error.code())).collect();
    assert_eq!(rejected, [(9, "kafka.record_invalid")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_is_created_with_the_settings_of_its_group() {
    let (logs, other) = (fresh("it.logs"), fresh("it.other"));
    let properties = text(&[
        ("topic.creation.groups", "logs"),
        ("topic.creation.logs.include", "it\\.logs\\..*"),
        ("topic.creation.logs.partitions", "3"),
        ("topic.creation.logs.replication.factor", "1"),
        ("topic.creation.logs.cleanup.policy", "compact"),
        ("topic.creation.default.partitions", "2"),
        ("topic.creation.default.retention.ms", "12345678"),
    ]);

    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&[text_record(&logs, "k", Some("v")), text_record(&other, "k", Some("v"))]).await.unwrap();
    sink.flush(None).await.unwrap();

    let (partitions, settings) = describe_topic(&logs).await;
    assert_eq!((partitions, settings["cleanup.policy"].as_str()), (3, "compact"));
    let (partitions, settings) = describe_topic(&other).await;
    assert_eq!((partitions, settings["retention.ms"].as_str()), (2, "12345678"));
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_that_topics_do_not_have_stops() {
    let topic = fresh("it.bad");
    let mut sink = open_sink(&text(&[("topic.creation.default.cleanup.polcy", "compact")])).await.unwrap();

    let error = sink.write(&[text_record(&topic, "k", Some("v"))]).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.topic_not_created"));
    assert!(error.to_string().contains(&topic));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_topic_that_may_not_be_created_stops() {
    let topic = fresh("it.missing");
    let mut sink = open_sink(&text(&[("topic.creation.enable", "false")])).await.unwrap();

    let error = sink.write(&[text_record(&topic, "k", Some("v"))]).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.topic_missing"));
    assert!(error.to_string().contains(&topic));
}

#[tokio::test(flavor = "multi_thread")]
async fn record_too_large_for_the_producer_is_rejected_and_the_rest_is_written() {
    let topic = fresh("large");
    let large = "x".repeat(2_000_000);
    let records = [
        text_record(&topic, "a", Some("v")),
        text_record(&topic, "b", Some(&large)),
        text_record(&topic, "c", Some("v")),
    ];

    let properties = text(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&records).await.unwrap();
    let flushed = sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 2).await;

    assert_eq!(flushed.rejected.len(), 1);
    let rejection = &flushed.rejected[0];
    assert_eq!((rejection.index, rejection.error.code()), (1, "kafka.record_too_large"));
    assert_eq!(got.records.iter().map(|record| text_of(&record.key)).collect::<Vec<_>>(), ["a", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn record_too_large_for_the_topic_takes_no_neighbour_with_it() {
    let topic = fresh("small");
    create_topic(&topic, 1, &[("max.message.bytes", "5000")]).await;
    let mut random: u64 = 1;
    // Text that lz4 cannot make small.
    let mut noise = || -> String {
        (0..8_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'!' + u8::try_from(random >> 58).expect("six bits"))
            })
            .collect()
    };
    let records: Vec<_> = (0..20)
        .map(|number| {
            text_record(
                &topic,
                &number.to_string(),
                Some(&if number == 7 { noise() } else { "v".to_owned() }),
            )
        })
        .collect();

    let properties = text(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    let mut failures = 0;
    let flushed = loop {
        sink.write(&records).await.unwrap();
        match sink.flush(None).await {
            Ok(flushed) => break flushed,
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Retry, "{}", error.report());
                failures += 1;
                assert!(failures < 5);
            }
        }
    };
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 19).await;

    let rejected: Vec<_> =
        flushed.rejected.iter().map(|rejection| (rejection.index, rejection.error.code())).collect();
    assert_eq!(rejected, [(7, "kafka.record_too_large")]);
    let keys: std::collections::BTreeSet<_> = got.records.iter().map(|record| text_of(&record.key)).collect();
    assert_eq!(keys.len(), 19);
    assert!(!keys.contains("7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_queue_holds_is_written_in_order() {
    let topic = fresh("queue");
    create_topic(&topic, 1, &[]).await;
    let records: Vec<_> =
        (0..5_000).map(|number| text_record(&topic, "k", Some(&number.to_string()))).collect();
    let properties = text(&[("topics", &topic), ("producer.override.queue.buffering.max.messages", "100")]);

    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&records).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 5_000).await;

    for (number, record) in got.records.iter().enumerate() {
        let Payload::Plain(value) = &record.value else { panic!("not plain") };
        assert_eq!(text_of(value), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn position_header_can_be_left_out() {
    let topic = fresh("bare");
    let mut record = text_record(&topic, "k", Some("v"));
    record.origin.event = Some(EventPosition { epoch: 0, commit: 1, index: 0, count: 1 });
    let properties = text(&[("topics", &topic), ("sluice.position.header", "false")]);

    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&[record]).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 1).await;

    assert_eq!(got.records[0].origin.event, None);
    assert!(got.records[0].origin.raw.as_ref().unwrap().headers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_that_is_away_at_opening_is_retried() {
    let error = open_sink(&text(&[("bootstrap.servers", "127.0.0.1:1")])).await.err().unwrap();

    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, "kafka.unreachable"));
    assert!(error.to_string().contains("127.0.0.1:1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn record_larger_than_the_whole_queue_is_refused_and_not_waited_for() {
    let topic = fresh("queue");
    create_topic(&topic, 1, &[]).await;
    let properties = text(&[
        ("producer.override.max.request.size", "8000000"),
        ("producer.override.buffer.memory", "1048576"),
    ]);
    let mut sink = open_sink(&properties).await.unwrap();
    let large = "x".repeat(2 << 20);

    let records = [text_record(&topic, "a", Some(&large)), text_record(&topic, "b", Some("small"))];
    tokio::time::timeout(std::time::Duration::from_secs(30), sink.write(&records)).await.unwrap().unwrap();
    let rejected = sink.flush(None).await.unwrap().rejected;

    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].index, rejected[0].error.code()), (0, "kafka.record_too_large"));
}
