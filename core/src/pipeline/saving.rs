//! Positions on their way into the store, beside the windows that follow.
//!
//! A save syncs a disk, which can take longer than a window is open. So the driver goes on meanwhile:
//!
//! ```text
//! flushed ─▶ waiting (only the newest) ─▶ attempt, one at a time ─▶ saved ─▶ acknowledged
//! ```

use std::{future, sync::Arc};

use serde_json::Value as Json;
use tokio::{task::JoinHandle, time::Instant};

use super::task::EngineError;
use crate::{
    checkpoint::{Checkpoint, CheckpointStore},
    error::Error,
};

/// A position that everything before it is durable for.
pub(super) struct Durable {
    pub(super) checkpoint: Checkpoint,
    /// The sink has stored the checkpoint itself.
    pub(super) stored: bool,
    /// When the flush began that made it so.
    pub(super) since: Instant,
}

/// What is being saved, what waits for that, and what was saved last.
#[derive(Default)]
pub(super) struct Saving {
    attempt: Option<Attempt>,
    waiting: Option<Durable>,
    /// Position that was saved last, by the store or by the sink.
    pub(super) saved: Option<Json>,
}

struct Attempt {
    durable: Durable,
    /// Ends when the store has answered; gone once it has.
    task: Option<JoinHandle<Result<(), Error>>>,
    answer: Result<(), Error>,
}

impl Saving {
    /// Saves a position as soon as the one before it is; it takes the place of one that still waits.
    pub(super) fn save(&mut self, durable: Durable, store: Option<&Arc<dyn CheckpointStore>>) {
        self.waiting = Some(durable);
        if self.attempt.is_none() {
            self.start_waiting(store);
        }
    }

    /// Tells whether the store is at work, or has answered and the answer was not taken.
    pub(super) fn is_under_way(&self) -> bool {
        self.attempt.is_some()
    }

    /// Waits until the store has answered; for ever while nothing was asked of it. Cancel-safe.
    pub(super) async fn answered(&mut self) {
        let Some(attempt) = &mut self.attempt else { return future::pending().await };
        let Some(task) = &mut attempt.task else { return };
        attempt.answer = task.await.map_err(EngineError::CheckpointTask).map_err(Error::from).flatten();
        attempt.task = None;
    }

    /// Takes the answer that [`Self::answered`] waited for: the position that is saved now. The one that waits is next.
    ///
    /// # Errors
    /// The store's. The position then waits for [`Self::start_waiting`], unless a newer one does: nobody needs both.
    pub(super) fn take_saved(
        &mut self,
        store: Option<&Arc<dyn CheckpointStore>>,
    ) -> Result<Option<Durable>, Error> {
        let Some(Attempt { durable, answer, .. }) = self.attempt.take_if(|attempt| attempt.task.is_none())
        else {
            return Ok(None);
        };
        if let Err(error) = answer {
            self.waiting.get_or_insert(durable);
            return Err(error);
        }
        if durable.stored || store.is_some() {
            self.saved = Some(durable.checkpoint.position.clone());
        }
        self.start_waiting(store);
        Ok(Some(durable))
    }

    /// Asks the store to save the position that waits, if there is one.
    pub(super) fn start_waiting(&mut self, store: Option<&Arc<dyn CheckpointStore>>) {
        let Some(durable) = self.waiting.take() else { return };
        let store = store.filter(|_| !durable.stored).cloned();
        let task = store.map(|store| {
            let checkpoint = durable.checkpoint.clone();
            tokio::task::spawn_blocking(move || store.save(&checkpoint))
        });
        self.attempt = Some(Attempt { durable, task, answer: Ok(()) });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::memory::{Journal, MemoryCheckpoints, TestError};

    fn durable(place: u64) -> Durable {
        let checkpoint = Checkpoint::new("test", json!(place));
        Durable { checkpoint, stored: false, since: Instant::now() }
    }

    fn store(checkpoints: &MemoryCheckpoints) -> Arc<dyn CheckpointStore> {
        Arc::new(checkpoints.clone())
    }

    #[tokio::test]
    async fn a_position_that_waits_gives_way_to_a_newer_one() {
        let journal = Journal::default();
        let checkpoints = MemoryCheckpoints::new(&journal);
        let store = store(&checkpoints);
        checkpoints.stall();
        let mut saving = Saving::default();
        (1..=3).for_each(|place| saving.save(durable(place), Some(&store)));
        checkpoints.resume();

        while saving.is_under_way() {
            saving.answered().await;
            saving.take_saved(Some(&store)).unwrap();
        }

        assert_eq!(journal.entries(), ["save 1", "save 3"]);
        assert_eq!(saving.saved, Some(json!(3)));
    }

    #[tokio::test]
    async fn a_position_that_could_not_be_saved_is_not_saved() {
        let checkpoints = MemoryCheckpoints::new(&Journal::default());
        let store = store(&checkpoints);
        checkpoints.fail_save(TestError::stop());
        let mut saving = Saving::default();
        saving.save(durable(1), Some(&store));
        saving.answered().await;

        assert!(saving.take_saved(Some(&store)).is_err());

        assert!(saving.take_saved(Some(&store)).unwrap().is_none());
        assert_eq!(saving.saved, None);
    }
}
