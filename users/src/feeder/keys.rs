//! Which rows are alive, so that every change hits one.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use uuid::Uuid;

use super::is_ours;

/// Stored size from which Postgres moves a `raw` document out of line (its TOAST threshold).
const OUT_OF_LINE_BYTES: i32 = 2_000;

/// The live keys, and among them those whose `raw` is stored out of line. Ordered, so that a seed repeats itself.
#[derive(Debug, Default)]
pub(super) struct Keys {
    all: BTreeSet<Uuid>,
    large: BTreeSet<Uuid>,
    last: Option<Uuid>,
}

impl Keys {
    /// Reads the keys of the table.
    pub(super) async fn read(client: &Client) -> anyhow::Result<Self> {
        let sql = "SELECT id::text, pg_column_size(raw) > $1 FROM public.users";
        let mut keys = Self::default();
        for row in client.query(sql, &[&OUT_OF_LINE_BYTES]).await? {
            keys.insert(Uuid::parse_str(row.try_get(0)?)?, row.try_get(1)?);
        }
        Ok(keys)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn contains(&self, key: Uuid) -> bool {
        self.all.contains(&key)
    }

    pub(super) fn is_large(&self, key: Uuid) -> bool {
        self.large.contains(&key)
    }

    pub(super) fn insert(&mut self, key: Uuid, large: bool) {
        if !is_ours(key) {
            return;
        }
        self.all.insert(key);
        if large {
            self.large.insert(key);
        } else {
            self.large.remove(&key);
        }
        self.last = Some(key);
    }

    pub(super) fn remove(&mut self, key: Uuid) {
        self.all.remove(&key);
        self.large.remove(&key);
    }

    /// The key written last, if it is still alive.
    pub(super) fn last_written(&self) -> Option<Uuid> {
        self.last.filter(|key| self.all.contains(key))
    }

    pub(super) fn pick(&self, rng: &mut fastrand::Rng) -> Option<Uuid> {
        pick(&self.all, rng)
    }

    pub(super) fn pick_large(&self, rng: &mut fastrand::Rng) -> Option<Uuid> {
        pick(&self.large, rng)
    }
}

/// The first key at or after a random one, in circular order.
fn pick(keys: &BTreeSet<Uuid>, rng: &mut fastrand::Rng) -> Option<Uuid> {
    let start = Uuid::from_u128(rng.u128(..));
    keys.range(start..).next().or_else(|| keys.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_keys_are_never_picked() {
        let mut keys = Keys::default();
        let (kept, removed) = (Uuid::from_u128(1), Uuid::from_u128(2));
        keys.insert(kept, false);
        keys.insert(removed, true);
        keys.remove(removed);
        let mut rng = fastrand::Rng::with_seed(1);

        assert!((0..20).all(|_| keys.pick(&mut rng) == Some(kept)));
        assert_eq!(keys.pick_large(&mut rng), None);
    }

    #[test]
    fn the_row_of_the_probe_is_left_alone() {
        let mut keys = Keys::default();

        keys.insert(crate::probe::PROBE_ID, false);

        assert_eq!(keys.len(), 0);
    }

    #[test]
    fn a_key_written_small_again_is_no_longer_large() {
        let mut keys = Keys::default();

        keys.insert(Uuid::from_u128(5), true);
        keys.insert(Uuid::from_u128(5), false);

        assert!(!keys.is_large(Uuid::from_u128(5)));
    }
}
