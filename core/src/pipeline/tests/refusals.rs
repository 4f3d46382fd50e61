//! Refused records: read, transformed, written.

use std::sync::Arc;

use super::world::{World, record};
use crate::{
    error::Error,
    pipeline::{Chain, Stage, Tolerance},
    record::Record,
    testkit::memory::{Entry, TestError, key_text, text_record},
    transform::{Transform, Transformed},
};

/// Refuses the key `bad`, drops `drop`, doubles `two`.
struct Picky;

impl Transform for Picky {
    fn apply(&self, record: Record) -> Result<Transformed, Error> {
        match key_text(&record) {
            "bad" => Err(TestError::reject()),
            "drop" => Ok(Transformed::Drop),
            "two" => Ok(Transformed::Several(vec![record.clone(), record])),
            _ => Ok(Transformed::Keep(record)),
        }
    }
}

fn picky() -> Chain {
    Chain::new(vec![Stage { transform: Arc::new(Picky), predicate: None, negate: false }])
}

fn refused(key: &str) -> Entry {
    Entry::Record(text_record("t", key, Some("refused")))
}

#[tokio::test(start_paused = true)]
async fn refused_records_are_dead_letters_before_the_position_is_saved() {
    let mut world = World::new();
    world.tolerance = Tolerance::All;
    world.chain = picky();
    world.table.refuse("refused");
    world.log.append(Entry::Unreadable(record("unreadable")));
    world.feed(&["a", "bad", "two"]);
    world.log.append(refused("w"));
    world.feed(&["b"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(
        world.journal_of(&["write", "flush", "dead", "save", "acknowledge"]),
        [
            "write a",
            "write two,two",
            "write w,b",
            "flush",
            "dead letters unreadable,bad,w",
            "save 6",
            "acknowledge 6"
        ]
    );
    assert_eq!(world.table.rows().into_keys().collect::<Vec<_>>(), ["a", "b", "two"]);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_written_again_until_they_are_durable() {
    let mut world = World::new();
    world.tolerance = Tolerance::All;
    world.letters.fail(TestError::retry());
    world.log.append(Entry::Unreadable(record("a")));
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(
        world.journal_of(&["failed", "dead", "save"]),
        ["failed dead letters a", "dead letters a", "save 1"]
    );
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_cannot_be_written_stop_before_the_position_is_saved() {
    let mut world = World::new();
    world.tolerance = Tolerance::All;
    world.letters.fail(TestError::stop());
    world.log.append(Entry::Unreadable(record("a")));
    world.log.append(Entry::End);

    world.run().await.unwrap_err();

    assert_eq!(world.saved(), None);
}

#[tokio::test(start_paused = true)]
async fn untolerated_transform_error_saves_only_what_came_before() {
    let mut world = World::new();
    world.batch_size = 1;
    world.chain = picky();
    world.feed(&["a", "bad", "b"]);
    world.log.append(Entry::End);

    let error = world.run().await.unwrap_err();

    assert_eq!(error.code(), "pipeline.record_refused");
    assert_eq!(world.saved(), Some(1));
    assert_eq!(world.journal_of(&["write", "acknowledge"]), ["write a"]);
}

#[tokio::test(start_paused = true)]
async fn untolerated_record_stops_its_whole_batch() {
    let mut world = World::new();
    world.chain = picky();
    world.feed(&["a", "bad"]);
    world.log.append(Entry::End);

    world.run().await.unwrap_err();

    assert_eq!(world.saved(), None);
    assert!(world.journal_of(&["write", "flush"]).is_empty());
}

#[tokio::test(start_paused = true)]
async fn untolerated_rejection_by_the_sink_saves_nothing_of_its_window() {
    let world = World::new();
    world.table.refuse("refused");
    world.feed(&["a"]);
    world.log.append(refused("w"));
    world.log.append(Entry::End);

    let error = world.run().await.unwrap_err();

    assert_eq!(error.code(), "pipeline.record_refused");
    assert_eq!(world.saved(), None);
    assert!(world.journal_of(&["acknowledge"]).is_empty());
}

#[tokio::test(start_paused = true)]
async fn rejection_is_found_by_its_place_in_the_window_after_a_rewrite() {
    let mut world = World::new();
    world.tolerance = Tolerance::All;
    world.table.refuse("refused");
    world.feed(&["a", "b", "c"]);
    world.log.append(refused("w"));
    world.log.append(Entry::End);
    world.table.fail_flush(TestError::retry());

    world.run().await.unwrap();

    assert_eq!(world.journal_of(&["dead", "save"]), ["dead letters w", "save 4"]);
}
