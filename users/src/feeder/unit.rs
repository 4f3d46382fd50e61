//! One transaction of the feeder: its statements, and what must be counted if it commits.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement, Transaction};
use uuid::Uuid;

use super::keys::Keys;
use super::{Changes, Fed};
use crate::postgres::without_values;
use crate::row::{Address, COLUMNS, UserRow};

/// Columns that an update may set to NULL.
pub(super) const NULLABLE: [&str; 4] = ["phone", "cell", "national_id_value", "picture_url"];

/// What every update sets besides its own columns.
const TOUCH: &str = "version = version + 1, updated_at = clock_timestamp()";

/// The prepared statements of a connection. Values are bound as text and cast by the server.
pub(super) struct Statements {
    insert: Statement,
    move_house: Statement,
    change_email: Statement,
    clear: Vec<Statement>,
    replace_document: Statement,
    change_key: Statement,
    delete: Statement,
    change_phones: Statement,
    delete_many: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> anyhow::Result<Self> {
        let prepare = async |sql: String| client.prepare(&sql).await.map_err(without_values);
        let update = |assignment: &str| {
            format!("UPDATE public.users SET {assignment}, {TOUCH} WHERE id = $1::text::uuid")
        };
        let mut clear = Vec::with_capacity(NULLABLE.len());
        for column in NULLABLE {
            clear.push(prepare(update(&format!("{column} = NULL"))).await?);
        }
        Ok(Self {
            insert: prepare(insert_sql()).await?,
            move_house: prepare(update(&address_assignments())).await?,
            change_email: prepare(update("email = $2")).await?,
            clear,
            replace_document: prepare(update("raw = $2::text::jsonb")).await?,
            // The document holds the key too. Writing it anew also keeps the change complete: Postgres does not log a
            // large value that an update leaves alone, and a row under a new key has no older one to keep.
            change_key: prepare(update("id = $2::text::uuid, raw = jsonb_set(raw, '{login,uuid}', to_jsonb($2::text))"))
                .await?,
            delete: prepare("DELETE FROM public.users WHERE id = $1::text::uuid".to_owned()).await?,
            change_phones: prepare(format!(
                "UPDATE public.users SET phone = 'moved ' || coalesce(phone, ''), {TOUCH} WHERE id = ANY ($1::text[]::uuid[])"
            ))
            .await?,
            delete_many: prepare("DELETE FROM public.users WHERE id = ANY ($1::text[]::uuid[])".to_owned()).await?,
        })
    }
}

fn insert_sql() -> String {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let casts = (1..).zip(COLUMNS).map(|(number, (_, kind))| format!("${number}::text::{kind}"));
    format!("INSERT INTO public.users ({names}) VALUES ({})", casts.collect::<Vec<_>>().join(", "))
}

/// `street_number = $2::text::integer, …`: the ten columns of an [`Address`].
fn address_assignments() -> String {
    let columns = COLUMNS.iter().skip_while(|(name, _)| *name != "street_number").take(10);
    let assignments =
        (2..).zip(columns).map(|(number, (name, kind))| format!("{name} = ${number}::text::{kind}"));
    assignments.collect::<Vec<_>>().join(", ")
}

/// An open transaction. Dropping it rolls back and counts nothing.
pub(super) struct Unit<'a> {
    transaction: Transaction<'a>,
    statements: &'a Statements,
    changes: Changes,
    undone: Changes,
    /// Keys in the order they were written (`Some(large)`) or removed (`None`).
    journal: Vec<(Uuid, Option<bool>)>,
}

/// A savepoint: what to go back to.
pub(super) struct Savepoint {
    changes: Changes,
    journal: usize,
}

impl<'a> Unit<'a> {
    pub(super) async fn begin(client: &'a mut Client, statements: &'a Statements) -> anyhow::Result<Self> {
        let transaction = client.transaction().await.map_err(without_values)?;
        Ok(Self {
            transaction,
            statements,
            changes: Changes::default(),
            undone: Changes::default(),
            journal: Vec::new(),
        })
    }

    pub(super) fn transaction(&self) -> &Transaction<'a> {
        &self.transaction
    }

    /// Counts rows that were inserted past [`Unit::insert`].
    pub(super) fn inserted(&mut self, keys: impl IntoIterator<Item = Uuid>) {
        for key in keys {
            self.changes.inserts += 1;
            self.journal.push((key, Some(false)));
        }
    }

    pub(super) async fn insert(&mut self, row: &UserRow, large: bool) -> anyhow::Result<()> {
        let texts = row.to_texts();
        let parameters = texts.each_ref().map(|text| text as &(dyn ToSql + Sync));
        self.changes.inserts += self.execute(&self.statements.insert, &parameters).await?;
        self.journal.push((row.id, Some(large)));
        Ok(())
    }

    pub(super) async fn move_house(&mut self, key: Uuid, address: &Address) -> anyhow::Result<()> {
        let (id, texts) = (key.to_string(), address.to_texts());
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&id];
        parameters.extend(texts.iter().map(|text| text as &(dyn ToSql + Sync)));
        self.changes.updates += self.execute(&self.statements.move_house, &parameters).await?;
        Ok(())
    }

    pub(super) async fn change_email(&mut self, key: Uuid, email: &str) -> anyhow::Result<()> {
        self.changes.updates +=
            self.execute(&self.statements.change_email, &[&key.to_string(), &email]).await?;
        Ok(())
    }

    /// Sets the column `NULLABLE[column]` to NULL.
    pub(super) async fn clear(&mut self, key: Uuid, column: usize) -> anyhow::Result<()> {
        self.changes.updates += self.execute(&self.statements.clear[column], &[&key.to_string()]).await?;
        Ok(())
    }

    pub(super) async fn replace_document(&mut self, key: Uuid, document: &str) -> anyhow::Result<()> {
        let changed = self.execute(&self.statements.replace_document, &[&key.to_string(), &document]).await?;
        self.changes.updates += changed;
        self.journal.push((key, Some(true)));
        Ok(())
    }

    pub(super) async fn change_key(&mut self, from: Uuid, to: Uuid, large: bool) -> anyhow::Result<()> {
        let changed =
            self.execute(&self.statements.change_key, &[&from.to_string(), &to.to_string()]).await?;
        self.changes.key_changes += changed;
        self.journal.extend([(from, None), (to, Some(large))]);
        Ok(())
    }

    pub(super) async fn delete(&mut self, key: Uuid) -> anyhow::Result<()> {
        self.changes.deletes += self.execute(&self.statements.delete, &[&key.to_string()]).await?;
        self.journal.push((key, None));
        Ok(())
    }

    pub(super) async fn change_phones(&mut self, keys: &[Uuid]) -> anyhow::Result<()> {
        self.changes.updates += self.execute(&self.statements.change_phones, &[&texts(keys)]).await?;
        Ok(())
    }

    pub(super) async fn delete_many(&mut self, keys: &[Uuid]) -> anyhow::Result<()> {
        self.changes.deletes += self.execute(&self.statements.delete_many, &[&texts(keys)]).await?;
        self.journal.extend(keys.iter().map(|key| (*key, None)));
        Ok(())
    }

    pub(super) async fn savepoint(&mut self) -> anyhow::Result<Savepoint> {
        self.transaction.batch_execute("SAVEPOINT feeder").await.map_err(without_values)?;
        Ok(Savepoint { changes: self.changes, journal: self.journal.len() })
    }

    pub(super) async fn rollback_to(&mut self, savepoint: Savepoint) -> anyhow::Result<()> {
        self.transaction.batch_execute("ROLLBACK TO SAVEPOINT feeder").await.map_err(without_values)?;
        self.undone.add(self.changes.since(savepoint.changes));
        self.changes = savepoint.changes;
        self.journal.truncate(savepoint.journal);
        Ok(())
    }

    pub(super) async fn commit(self, keys: &mut Keys, fed: &mut Fed) -> anyhow::Result<()> {
        self.transaction.commit().await.map_err(without_values)?;
        for (key, written) in self.journal {
            match written {
                Some(large) => keys.insert(key, large),
                None => keys.remove(key),
            }
        }
        fed.committed.add(self.changes);
        fed.rolled_back.add(self.undone);
        fed.transactions += 1;
        Ok(())
    }

    pub(super) async fn rollback(self, fed: &mut Fed) -> anyhow::Result<()> {
        self.transaction.rollback().await.map_err(without_values)?;
        fed.rolled_back.add(self.changes);
        fed.rolled_back.add(self.undone);
        Ok(())
    }

    async fn execute(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> anyhow::Result<u64> {
        self.transaction.execute(statement, parameters).await.map_err(without_values)
    }
}

fn texts(keys: &[Uuid]) -> Vec<String> {
    keys.iter().map(Uuid::to_string).collect()
}

impl Changes {
    /// What was counted after `earlier`.
    fn since(self, earlier: Self) -> Self {
        Self {
            inserts: self.inserts - earlier.inserts,
            updates: self.updates - earlier.updates,
            deletes: self.deletes - earlier.deletes,
            key_changes: self.key_changes - earlier.key_changes,
        }
    }
}
