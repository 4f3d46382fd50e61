//! Reading.

use sluice_core::{
    ErrorClass, error::RecordPart, record::EventPosition, sink::Sink as _, source::Source as _,
};

use crate::{
    servers::{
        avro, committed, create_topic, delete_records, fresh, open_sink, open_source, produce, read, text,
    },
    table::{Table, text_of},
};

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_rejected_with_its_bytes_and_its_place_and_the_rest_flows() {
    let topic = fresh("poison");
    create_topic(&topic, 1, &[]).await;
    let table = Table::new(&topic);
    let properties = avro(&[("topics", &topic)]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&[table.change(1, Some("a"), 1)]).await.unwrap();
    sink.flush(None).await.unwrap();
    produce(&topic, Some(b"no magic"), Some(b"neither"));
    produce(&topic, None, Some(&[0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]));
    sink.write(&[table.change(2, Some("b"), 2)]).await.unwrap();
    sink.flush(None).await.unwrap();

    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 4).await;

    assert_eq!(got.records.len(), 2);
    let codes: Vec<_> = got.rejected.iter().map(|(_, error)| (error.class(), error.code())).collect();
    let reject = ErrorClass::Reject;
    assert_eq!(codes, [(reject, "kafka.not_registry_format"), (reject, "kafka.schema_id_unknown")]);
    let parts: Vec<_> = got.rejected.iter().map(|(_, error)| error.part().unwrap()).collect();
    assert_eq!(parts, [RecordPart::Key, RecordPart::Value]);
    assert!(got.rejected[0].1.to_string().starts_with("the key cannot be read: "));
    let (record, _) = &got.rejected[0];
    assert_eq!(record.origin.log.as_ref().unwrap().offset, 1);
    assert_eq!(record.origin.raw.as_ref().unwrap().key.as_deref(), Some(&b"no magic"[..]));
    assert_eq!(record.origin.raw.as_ref().unwrap().value.as_deref(), Some(&b"neither"[..]));
    assert_eq!(got.position.unwrap().next(&topic, 0), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_committed_by_acknowledging_only_and_reading_goes_on_there() {
    let topic = fresh("resume");
    create_topic(&topic, 1, &[]).await;
    for key in ["a", "b"] {
        produce(&topic, Some(key.as_bytes()), Some(b"v"));
    }
    let properties = text(&[("topics", &topic)]);
    let group = format!("connect-{topic}");

    let mut source = open_source(&topic, &properties).await.unwrap();
    let got = read(&mut source, 2).await;
    source.close().await.unwrap();
    assert_eq!(committed(&group, &topic), None);

    let mut source = open_source(&topic, &properties).await.unwrap();
    let again = read(&mut source, 2).await;
    source.acknowledge(&again.position.clone().unwrap()).await.unwrap();
    assert_eq!(committed(&group, &topic), Some(2));
    source.close().await.unwrap();
    source.close().await.unwrap();

    produce(&topic, Some(b"c"), Some(b"v"));
    let mut source = open_source(&topic, &properties).await.unwrap();
    let rest = read(&mut source, 1).await;

    assert_eq!(got.records.len(), 2);
    assert_eq!(rest.records.iter().map(|record| text_of(&record.key)).collect::<Vec<_>>(), ["c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_ends_at_the_number_of_records_that_is_set() {
    let topic = fresh("batches");
    create_topic(&topic, 1, &[]).await;
    for key in ["a", "b", "c"] {
        produce(&topic, Some(key.as_bytes()), Some(b"v"));
    }

    let mut source =
        open_source(&topic, &text(&[("topics", &topic), ("consumer.override.max.poll.records", "2")]))
            .await
            .unwrap();
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 3 {
        sizes.push(source.next_batch().await.unwrap().unwrap().records.len());
    }

    assert!(sizes.iter().all(|size| *size <= 2), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_a_pattern_are_read() {
    let prefix = fresh("pattern");
    for name in ["a", "b", "c"] {
        create_topic(&format!("{prefix}.{name}"), 1, &[]).await;
        produce(&format!("{prefix}.{name}"), Some(name.as_bytes()), Some(b"v"));
    }
    let pattern = format!("{}\\.[ab]", prefix.replace('.', "\\."));

    let mut source = open_source(&prefix, &text(&[("topics.regex", &pattern)])).await.unwrap();
    let got = read(&mut source, 2).await;

    let mut keys: Vec<_> = got.records.iter().map(|record| text_of(&record.key)).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_comes_later_is_read() {
    let topic = fresh("later");
    let mut source = open_source(&topic, &text(&[("topics", &topic)])).await.unwrap();

    create_topic(&topic, 1, &[]).await;
    produce(&topic, Some(b"k"), Some(b"v"));

    assert_eq!(read(&mut source, 1).await.records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_debezium_take_their_position_from_the_lsn_and_tombstones_from_their_delete() {
    let topic = fresh("debezium");
    let table = Table::new(&topic);
    let records = [
        table.change(1, Some("a"), 100),
        table.change(1, None, 200),
        table.tombstone(1, 200),
        table.tombstone(2, 200),
    ];
    let properties = avro(&[("topics", &topic), ("sluice.position.header", "false")]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&records).await.unwrap();
    sink.flush(None).await.unwrap();

    let mut source = open_source(&topic, &properties).await.unwrap();
    let mut got = read(&mut source, 4).await;

    got.records.sort_by_key(|record| record.origin.log.as_ref().unwrap().offset);
    let at = |commit| Some(EventPosition { epoch: 0, commit, index: 0, count: 1 });
    let key_of_one = got.records[0].origin.raw.as_ref().unwrap().key.clone();
    let events = got.records.iter().filter(|record| record.origin.raw.as_ref().unwrap().key == key_of_one);
    assert_eq!(events.map(|record| record.origin.event).collect::<Vec<_>>(), [at(100), at(200), at(200)]);
    let other = got.records.iter().find(|record| record.origin.raw.as_ref().unwrap().key != key_of_one);
    assert_eq!(other.unwrap().origin.event, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_a_delete_of_debezium_and_its_tombstone_keeps_the_position() {
    let topic = fresh("restart");
    create_topic(&topic, 1, &[]).await;
    let table = Table::new(&topic);
    let properties = avro(&[("topics", &topic), ("sluice.position.header", "false")]);
    let mut sink = open_sink(&properties).await.unwrap();
    sink.write(&[table.change(1, Some("a"), 100), table.change(1, None, 200)]).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let before = read(&mut source, 2).await;
    source.acknowledge(&before.position.unwrap()).await.unwrap();
    source.close().await.unwrap();

    sink.write(&[table.tombstone(1, 200), table.change(1, Some("b"), 300)]).await.unwrap();
    sink.flush(None).await.unwrap();
    let mut source = open_source(&topic, &properties).await.unwrap();
    let after = read(&mut source, 3).await;

    let commits: Vec<_> = after.records.iter().map(|record| record.origin.event.unwrap().commit).collect();
    assert_eq!(commits, [200, 200, 300], "the delete comes again, so that its tombstone has a position");
    assert_eq!(after.position.unwrap().next(&topic, 0), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_deleted_before_they_were_read_stop_unless_the_user_accepts_it() {
    let topic = fresh("gap");
    create_topic(&topic, 1, &[]).await;
    for key in ["a", "b", "c", "d"] {
        produce(&topic, Some(key.as_bytes()), Some(b"v"));
    }
    let limited = text(&[("topics", &topic), ("consumer.override.max.poll.records", "1")]);
    let mut source = open_source(&topic, &limited).await.unwrap();
    let first = read(&mut source, 1).await;
    source.acknowledge(&first.position.unwrap()).await.unwrap();
    source.close().await.unwrap();
    delete_records(&topic, 3).await;

    let mut source = open_source(&topic, &limited).await.unwrap();
    let error = source.next_batch().await.err().unwrap();
    source.close().await.unwrap();
    let accepted = text(&[("topics", &topic), ("consumer.override.auto.offset.reset", "earliest")]);
    let mut source = open_source(&topic, &accepted).await.unwrap();
    let rest = read(&mut source, 1).await;

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.offset_gap"));
    assert!(error.to_string().contains("holds offsets 3 to 4"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains(&format!("--topic {topic}:0"))));
    assert_eq!(text_of(&rest.records[0].key), "d");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_retention_overtakes_stops() {
    let topic = fresh("overtaken");
    create_topic(&topic, 1, &[]).await;
    // Larger than what the consumer may read ahead, so that it is always behind.
    let value = vec![b'v'; 64 << 10];
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        produce(&topic, Some(key.as_bytes()), Some(&value));
    }
    let slow = text(&[
        ("topics", &topic),
        ("consumer.override.max.poll.records", "1"),
        ("consumer.override.max.partition.fetch.bytes", "1024"),
        ("consumer.override.queued.max.messages.kbytes", "1"),
    ]);
    let mut source = open_source(&topic, &slow).await.unwrap();
    read(&mut source, 1).await;
    delete_records(&topic, 7).await;

    let error = loop {
        match source.next_batch().await {
            Ok(batch) => {
                let last = text_of(&batch.unwrap().records[0].key).to_owned();
                assert_ne!(last, "h", "went on behind the records that are gone");
            }
            Err(error) => break error,
        }
    };

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "kafka.offset_gap"));
    assert!(error.to_string().contains("holds offsets 7 to 8"), "{error}");
}
