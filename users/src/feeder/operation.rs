//! What a feeder can do to the table. Each operation is one transaction, unless its comment says otherwise.

use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Feeder;
use super::unit::{NULLABLE, Unit};
use crate::row::{Address, UserRow};
use crate::words::NATIONS;

/// One in so many inserted rows carries a document that is stored out of line.
const ONE_LARGE_IN: u32 = 8;

/// Length of the incompressible part of a large document.
const LARGE: std::ops::RangeInclusive<usize> = 9_000..=16_000;

/// A kind of transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Inserts a person; every eighth with a document too large for the row.
    Insert,
    /// Updates the ten address columns.
    MoveHouse,
    /// Updates one column.
    ChangeEmail,
    /// Sets a column to NULL.
    ClearField,
    /// Writes a new large document.
    ReplaceDocument,
    /// Updates a row whose large document stays as it is: an unchanged TOAST value in the stream.
    KeepLargeDocument,
    /// Deletes a row.
    Delete,
    /// Updates a primary key.
    ChangeKey,
    /// Changes one row several times; inserts another, changes it, deletes it.
    ManyChanges,
    /// Deletes a row and inserts another person under the same key.
    DeleteAndReinsert,
    /// Inserts, updates and deletes hundreds of rows.
    BigTransaction,
    /// Inserts, updates and deletes, then rolls all of it back.
    Rollback,
    /// Rolls a part of the transaction back and commits what was before and after it.
    Savepoint,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 13] = [
        Self::Insert,
        Self::MoveHouse,
        Self::ChangeEmail,
        Self::ClearField,
        Self::ReplaceDocument,
        Self::KeepLargeDocument,
        Self::Delete,
        Self::ChangeKey,
        Self::ManyChanges,
        Self::DeleteAndReinsert,
        Self::BigTransaction,
        Self::Rollback,
        Self::Savepoint,
    ];
}

/// Operations with their weights. The default leaves [`Operation::BigTransaction`] out.
#[derive(Debug, Clone)]
pub struct Mix {
    weights: Vec<(Operation, u32)>,
    total: u32,
}

impl Mix {
    /// Creates a mix; an operation of weight 2 is drawn twice as often as one of weight 1.
    ///
    /// # Panics
    ///
    /// If the weights add up to nothing.
    #[must_use]
    pub fn new(weights: impl IntoIterator<Item = (Operation, u32)>) -> Self {
        let weights: Vec<_> = weights.into_iter().collect();
        let total = weights.iter().map(|(_, weight)| weight).sum();
        assert!(total > 0, "a mix needs at least one operation with a weight");
        Self { weights, total }
    }

    pub(super) fn draw(&self, rng: &mut fastrand::Rng) -> Operation {
        let mut ticket = rng.u32(..self.total);
        for (operation, weight) in &self.weights {
            match ticket.checked_sub(*weight) {
                Some(rest) => ticket = rest,
                None => return *operation,
            }
        }
        unreachable!("a ticket is smaller than the sum of the weights")
    }
}

impl Default for Mix {
    /// About as many rows come as go.
    fn default() -> Self {
        Self::new([
            (Operation::Insert, 12),
            (Operation::MoveHouse, 25),
            (Operation::ChangeEmail, 20),
            (Operation::ClearField, 10),
            (Operation::ReplaceDocument, 3),
            (Operation::KeepLargeDocument, 8),
            (Operation::Delete, 12),
            (Operation::ChangeKey, 3),
            (Operation::ManyChanges, 3),
            (Operation::DeleteAndReinsert, 3),
            (Operation::Rollback, 3),
            (Operation::Savepoint, 3),
        ])
    }
}

impl Feeder {
    /// Runs one operation.
    ///
    /// # Errors
    ///
    /// A statement failed; the transaction is rolled back and the operation named.
    pub async fn step(&mut self, operation: Operation) -> anyhow::Result<()> {
        let ran = match operation {
            Operation::Insert => {
                let large = self.rng.u32(..ONE_LARGE_IN) == 0;
                self.insert(large).await.map(drop)
            }
            Operation::MoveHouse => self.move_house().await,
            Operation::ChangeEmail => self.change_email().await,
            Operation::ClearField => self.clear_field().await,
            Operation::ReplaceDocument => self.replace_document().await,
            Operation::KeepLargeDocument => self.keep_large_document().await,
            Operation::Delete => self.delete().await,
            Operation::ChangeKey => self.change_key().await,
            Operation::ManyChanges => self.many_changes().await,
            Operation::DeleteAndReinsert => self.delete_and_reinsert().await,
            Operation::BigTransaction => self.big_transaction().await,
            Operation::Rollback => self.roll_back().await,
            Operation::Savepoint => self.roll_back_to_savepoint().await,
        };
        ran.with_context(|| format!("feed operation {operation:?}"))?;
        *self.fed.operations.entry(operation).or_default() += 1;
        Ok(())
    }

    pub(super) async fn insert(&mut self, large: bool) -> anyhow::Result<Uuid> {
        let row = self.row(large)?;
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.insert(&row, large).await?;
        unit.commit(&mut self.keys, &mut self.fed).await?;
        Ok(row.id)
    }

    async fn move_house(&mut self) -> anyhow::Result<()> {
        let (key, address) = (self.victim().await?, self.address()?);
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.move_house(key, &address).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn change_email(&mut self) -> anyhow::Result<()> {
        let key = self.victim().await?;
        self.write_email(key).await
    }

    async fn keep_large_document(&mut self) -> anyhow::Result<()> {
        let key = self.large_victim().await?;
        self.write_email(key).await
    }

    async fn write_email(&mut self, key: Uuid) -> anyhow::Result<()> {
        let email = self.email();
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.change_email(key, &email).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn clear_field(&mut self) -> anyhow::Result<()> {
        let (key, column) = (self.victim().await?, self.rng.usize(..NULLABLE.len()));
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.clear(key, column).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn replace_document(&mut self) -> anyhow::Result<()> {
        let key = self.victim().await?;
        let document = self.row_of(key, true)?.raw.to_string();
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.replace_document(key, &document).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn delete(&mut self) -> anyhow::Result<()> {
        let key = self.victim().await?;
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.delete(key).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn change_key(&mut self) -> anyhow::Result<()> {
        let (from, to) = (self.victim().await?, self.unused_key());
        let large = self.keys.is_large(from);
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.change_key(from, to, large).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn many_changes(&mut self) -> anyhow::Result<()> {
        let (key, passing) = (self.victim().await?, self.row(false)?);
        let (email, address) = (self.email(), self.address()?);
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.change_email(key, &email).await?;
        unit.move_house(key, &address).await?;
        unit.clear(key, 0).await?;
        unit.insert(&passing, false).await?;
        unit.change_email(passing.id, &email).await?;
        unit.delete(passing.id).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn delete_and_reinsert(&mut self) -> anyhow::Result<()> {
        let key = self.victim().await?;
        let row = self.row_of(key, false)?;
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.delete(key).await?;
        unit.insert(&row, false).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn big_transaction(&mut self) -> anyhow::Result<()> {
        let rows = (0..self.big_transaction_rows).map(|_| self.row(false)).collect::<Result<Vec<_>, _>>()?;
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        let keys = super::load::copy(unit.transaction(), rows.into_iter().map(Ok)).await?;
        unit.inserted(keys.iter().copied());
        unit.change_phones(&keys).await?;
        unit.delete_many(&keys[..keys.len() / 3]).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    async fn roll_back(&mut self) -> anyhow::Result<()> {
        let (key, row, email) = (self.victim().await?, self.row(true)?, self.email());
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.insert(&row, true).await?;
        unit.change_email(key, &email).await?;
        unit.delete(key).await?;
        unit.rollback(&mut self.fed).await
    }

    async fn roll_back_to_savepoint(&mut self) -> anyhow::Result<()> {
        let (key, row, ghost, email) =
            (self.victim().await?, self.row(false)?, self.row(false)?, self.email());
        let mut unit = Unit::begin(&mut self.client, &self.statements).await?;
        unit.change_email(key, &email).await?;
        let savepoint = unit.savepoint().await?;
        unit.insert(&ghost, false).await?;
        unit.delete(key).await?;
        unit.rollback_to(savepoint).await?;
        unit.insert(&row, false).await?;
        unit.commit(&mut self.keys, &mut self.fed).await
    }

    /// A person under an unused key.
    pub(super) fn row(&mut self, large: bool) -> anyhow::Result<UserRow> {
        let key = self.unused_key();
        self.row_of(key, large)
    }

    /// A person under the given key; a large one has an attachment that no compression makes smaller.
    fn row_of(&mut self, key: Uuid, large: bool) -> anyhow::Result<UserRow> {
        let mut document = self.generator.person();
        document["login"]["uuid"] = json!(key.to_string());
        if large {
            let length = self.rng.usize(LARGE);
            document["attachment"] = Value::String(self.generator.noise(length));
        }
        Ok(UserRow::try_from(document)?)
    }

    fn unused_key(&mut self) -> Uuid {
        loop {
            let key = self.generator.uuid();
            if !self.keys.contains(key) {
                return key;
            }
        }
    }

    fn address(&mut self) -> anyhow::Result<Address> {
        let nation = &NATIONS[self.rng.usize(..NATIONS.len())];
        Ok(Address::from_document(&json!({ "location": self.generator.location(nation) }))?)
    }

    fn email(&mut self) -> String {
        format!("{}@example.org", self.generator.noise(12).to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_draws_by_weight() {
        let mix = Mix::new([(Operation::Insert, 3), (Operation::Delete, 1), (Operation::Rollback, 0)]);
        let mut rng = fastrand::Rng::with_seed(5);

        let drawn: Vec<_> = (0..4_000).map(|_| mix.draw(&mut rng)).collect();

        let inserts = drawn.iter().filter(|operation| **operation == Operation::Insert).count();
        assert!((2_800..3_200).contains(&inserts), "{inserts}");
        assert!(!drawn.contains(&Operation::Rollback));
    }

    #[test]
    fn the_default_mix_holds_everything_but_big_transactions() {
        let mix = Mix::default();
        let mut rng = fastrand::Rng::with_seed(5);

        let mut drawn: Vec<_> = (0..5_000).map(|_| mix.draw(&mut rng)).collect();
        drawn.sort();
        drawn.dedup();

        assert_eq!(drawn.len(), Operation::ALL.len() - 1);
        assert!(!drawn.contains(&Operation::BigTransaction));
    }
}
