//! Flush, save, acknowledge; windows and positions.

use super::world::{World, record};
use crate::testkit::memory::{Entry, TestError};

#[tokio::test(start_paused = true)]
async fn flush_then_save_then_acknowledge() {
    let world = World::new();
    world.feed(&["a", "b", "c"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(
        world.journal.entries(),
        ["open 0", "write a,b", "write c", "flush", "save 3", "acknowledge 3", "close source", "close sink"]
    );
}

#[tokio::test(start_paused = true)]
async fn window_is_flushed_when_it_is_old() {
    let world = World::new();
    world.feed(&["a"]);
    let started = tokio::time::Instant::now();
    let running = world.start();

    world.until("acknowledge 1").await;

    let age = started.elapsed();
    assert!(age >= world.flush.interval && age < 2 * world.flush.interval, "{age:?}");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn window_is_flushed_when_it_is_full_by_records_or_bytes() {
    for (max_records, max_bytes) in [(2, usize::MAX), (usize::MAX, 2)] {
        let mut world = World::new();
        (world.flush.max_records, world.flush.max_bytes) = (max_records, max_bytes);
        world.feed(&["a", "b", "c", "d", "e"]);
        world.log.append(Entry::End);

        world.run().await.unwrap();

        assert_eq!(
            world.journal_of(&["write", "flush"]),
            ["write a,b", "flush", "write c,d", "flush", "write e", "flush"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn window_is_written_again_after_a_failed_write() {
    // The second write of the window fails twice; each time all of it is written again.
    let world = World::new();
    world.feed(&["a", "b"]);
    let running = world.start();
    world.until("write a,b").await;
    world.table.fail_write(TestError::retry());
    world.table.fail_write(TestError::retry());
    world.feed(&["c", "d"]);
    world.log.append(Entry::End);

    running.await.unwrap().unwrap();

    assert_eq!(
        world.journal_of(&["write", "failed", "flush", "save"]),
        ["write a,b", "failed write c,d", "failed write a,b,c,d", "write a,b,c,d", "flush", "save 4"]
    );
    assert_eq!(world.table.rows().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn window_is_written_again_after_a_failed_flush() {
    let world = World::new();
    world.feed(&["a", "b", "c"]);
    world.log.append(Entry::End);
    world.table.fail_flush(TestError::retry());
    world.table.fail_flush(TestError::retry());

    world.run().await.unwrap();

    assert_eq!(
        world.journal_of(&["write", "failed", "flush", "save", "acknowledge"]),
        [
            "write a,b",
            "write c",
            "failed flush",
            "write a,b,c",
            "failed flush",
            "write a,b,c",
            "flush",
            "save 3",
            "acknowledge 3"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn failed_save_is_repeated_before_anything_is_acknowledged() {
    let world = World::new();
    world.feed(&["a"]);
    world.log.append(Entry::End);
    world.checkpoints.fail_save(TestError::retry());

    world.run().await.unwrap();

    assert_eq!(
        world.journal_of(&["flush", "failed", "save", "acknowledge"]),
        ["flush", "failed save 1", "save 1", "acknowledge 1"]
    );
}

#[tokio::test(start_paused = true)]
async fn failed_source_is_opened_again_at_the_saved_position() {
    let world = World::new();
    world.feed(&["a", "b"]);
    world.log.append(Entry::failure(TestError::retry()));
    world.feed(&["c"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    // Saved but not acknowledged: the source that would hear it has failed.
    assert_eq!(
        world.journal_of(&["open", "save", "acknowledge", "close"]),
        [
            "open 0",
            "save 2",
            "close source",
            "open 2",
            "save 4",
            "acknowledge 4",
            "close source",
            "close sink"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn position_that_the_sink_stored_is_where_the_source_resumes() {
    let world = World::new();
    world.table.store_checkpoints();
    world.feed(&["a", "b"]);
    world.log.append(Entry::failure(TestError::retry()));
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(world.journal_of(&["open", "save"]), ["open 0", "open 2"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_saved_in_the_middle_of_a_transaction() {
    let mut world = World::new();
    world.flush.max_records = 2;
    world.feed(&["a", "b"]);
    for key in ["c", "d", "e"] {
        world.log.append(Entry::Inner(record(key)));
    }
    world.feed(&["f"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    // c and d are flushed, so that the window stays small, and nothing says that they were.
    assert_eq!(
        world.journal_of(&["write", "flush"]),
        ["write a,b", "flush", "write c,d", "flush", "write e,f", "flush"]
    );
    assert_eq!(world.journal_of(&["acknowledge"]), ["acknowledge 2", "acknowledge 6"]);
}

// The clock is not paused in these: it stands still while a thread saves.

/// Lets the pipeline go on until it waits for a thread.
async fn let_others_run() {
    /// More than it ever takes.
    const TURNS: usize = 100;

    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn windows_go_on_while_a_position_is_saved() {
    let mut world = World::new();
    world.flush.max_records = 1;
    world.checkpoints.stall();
    let running = world.start();
    for key in ["a", "b", "c"] {
        world.feed(&[key]);
        world.until(&format!("write {key}")).await;
    }
    assert!(world.journal_of(&["save", "acknowledge"]).is_empty());

    world.checkpoints.resume();
    world.until("acknowledge 3").await;

    let journal = world.journal_of(&["save", "acknowledge"]);
    let place = |entry: &str| journal.iter().position(|one| one == entry);
    for position in [1, 3] {
        let (save, acknowledge) = (format!("save {position}"), format!("acknowledge {position}"));
        assert!(place(&save).is_some() && place(&save) < place(&acknowledge), "{journal:?}");
    }
    running.abort();
}

#[tokio::test]
async fn stop_waits_for_the_position_that_is_being_saved() {
    let mut world = World::new();
    world.flush.max_records = 1;
    world.checkpoints.stall();
    let running = world.start();
    world.feed(&["a"]);
    world.until("flush").await;
    world.stop.cancel();
    world.checkpoints.resume();

    running.await.unwrap().unwrap();

    assert_eq!(world.journal_of(&["save", "acknowledge"]), ["save 1", "acknowledge 1"]);
}

#[tokio::test]
async fn failed_pipeline_ends_after_the_save_that_is_under_way() {
    let mut world = World::new();
    world.flush.max_records = 1;
    world.batch_size = 1;
    world.checkpoints.stall();
    let running = world.start();
    world.feed(&["a"]);
    world.until("flush").await;
    world.table.fail_write(TestError::stop());
    world.feed(&["b"]);
    world.until("failed write b").await;
    let_others_run().await;
    let ended_early = running.is_finished();
    world.checkpoints.resume();

    running.await.unwrap().unwrap_err();

    assert!(!ended_early);
    assert_eq!(world.saved(), Some(1));
}

#[tokio::test]
async fn source_is_opened_again_behind_all_that_was_being_saved() {
    let mut world = World::new();
    world.flush.max_records = 1;
    world.batch_size = 1;
    world.checkpoints.stall();
    world.log.fail_acknowledge(TestError::retry());
    let running = world.start();
    world.feed(&["a", "b"]);
    world.until("write b").await;
    world.log.append(Entry::End);
    let_others_run().await;
    world.checkpoints.resume();

    running.await.unwrap().unwrap();

    assert_eq!(world.journal_of(&["open"]), ["open 0", "open 2"]);
}

#[tokio::test(start_paused = true)]
async fn failed_save_gives_way_to_a_newer_position() {
    let mut world = World::new();
    world.flush.max_records = 2;
    world.checkpoints.fail_save(TestError::retry());
    world.feed(&["a", "b", "c", "d"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(world.saved(), Some(4));
    assert!(world.journal_of(&["acknowledge"]).ends_with(&["acknowledge 4".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn failure_inside_a_transaction_repeats_it_from_its_start() {
    let mut world = World::new();
    world.flush.max_records = 2;
    world.feed(&["a", "b"]);
    world.log.append(Entry::Inner(record("c")));
    world.log.append(Entry::failure(TestError::retry()));
    world.feed(&["d"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(
        world.journal_of(&["open", "write"]),
        ["open 0", "write a,b", "write c", "open 2", "write c", "write d"]
    );
    assert_eq!(world.journal_of(&["open", "save"]), ["open 0", "save 2", "open 2", "save 5"]);
}

#[tokio::test(start_paused = true)]
async fn saved_positions_never_go_back_through_failures_everywhere() {
    let mut world = World::new();
    world.flush.max_records = 3;
    for round in 0..6 {
        world.feed(&["a", "b", "c"]);
        world.log.append(Entry::failure(TestError::retry()));
        match round % 3 {
            0 => world.table.fail_flush(TestError::retry()),
            1 => world.table.fail_write(TestError::retry()),
            _ => world.checkpoints.fail_save(TestError::retry()),
        }
    }
    world.log.append(Entry::End);

    world.run().await.unwrap();

    let saved: Vec<u64> = world
        .journal_of(&["save"])
        .iter()
        .map(|entry| entry.trim_start_matches("save ").parse().unwrap())
        .collect();
    assert!(saved.is_sorted(), "{saved:?}");
    assert_eq!(world.saved(), Some(24));
}

#[tokio::test(start_paused = true)]
async fn idle_source_moves_on_without_records() {
    // A read error that is tolerated leaves a batch with a position and no records.
    let mut world = World::new();
    world.tolerance = crate::pipeline::Tolerance::All;
    world.log.append(Entry::Unreadable(record("a")));
    let running = world.start();

    world.until("acknowledge 1").await;

    assert!(world.journal_of(&["write"]).is_empty(), "there is nothing to write");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn restart_resumes_where_the_last_run_saved() {
    let world = World::new();
    world.feed(&["a"]);
    let running = world.start();
    world.until("acknowledge 1").await;
    running.abort();
    let _ = running.await;
    world.feed(&["b"]);
    world.log.append(Entry::End);

    world.run().await.unwrap();

    assert_eq!(world.journal_of(&["open"]), ["open 0", "open 1"]);
    assert_eq!(world.table.rows().len(), 2);
}
