//! Many rows at once, by `COPY`.

use std::io::Cursor;

use futures_util::SinkExt;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::Feeder;
use super::unit::Unit;
use crate::postgres::without_values;
use crate::row::{COLUMNS, RowError, UserRow};

/// Bytes of one frame of `COPY` data: large enough that its header does not matter.
const FRAME_BYTES: usize = 256 * 1024;

impl Feeder {
    /// Inserts `rows` people as fast as the server takes them, `rows_per_transaction` at a time.
    ///
    /// # Errors
    ///
    /// The server refused; what earlier transactions inserted stays.
    ///
    /// # Panics
    ///
    /// If `rows_per_transaction` is zero.
    pub async fn insert_many(&mut self, rows: usize, rows_per_transaction: usize) -> anyhow::Result<()> {
        assert!(rows_per_transaction > 0, "a transaction holds at least one row");
        let mut left = rows;
        while left > 0 {
            let now = left.min(rows_per_transaction);
            self.insert_in_one_transaction(now).await?;
            left -= now;
        }
        Ok(())
    }

    async fn insert_in_one_transaction(&mut self, rows: usize) -> anyhow::Result<()> {
        // By field: the unit borrows the connection for as long as people are made.
        let Self { client, statements, generator, keys, fed, .. } = self;
        let mut unit = Unit::begin(client, statements).await?;
        let people = std::iter::repeat_with(|| UserRow::try_from(generator.person()))
            .filter(|row| !row.as_ref().is_ok_and(|row| keys.contains(row.id)))
            .take(rows);
        let copied = copy(unit.transaction(), people).await?;
        unit.inserted(copied);
        unit.commit(keys, fed).await
    }
}

/// Copies rows into the table and returns their keys. The server works on a frame while the next one is made.
pub(super) async fn copy(
    transaction: &Transaction<'_>,
    rows: impl Iterator<Item = Result<UserRow, RowError>>,
) -> anyhow::Result<Vec<Uuid>> {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let statement = format!("COPY public.users ({names}) FROM STDIN");
    let mut sink = Box::pin(transaction.copy_in(&statement).await.map_err(without_values)?);
    let mut keys = Vec::new();
    let mut frame = empty_frame();
    for row in rows {
        let row = row?;
        write_line(&mut frame, &row);
        keys.push(row.id);
        if frame.len() >= FRAME_BYTES {
            let full = std::mem::replace(&mut frame, empty_frame());
            sink.send(Cursor::new(full.into_bytes())).await.map_err(without_values)?;
        }
    }
    sink.send(Cursor::new(frame.into_bytes())).await.map_err(without_values)?;
    sink.as_mut().finish().await.map_err(without_values)?;
    Ok(keys)
}

/// Room for a full frame and the row that makes it full.
fn empty_frame() -> String {
    String::with_capacity(FRAME_BYTES + FRAME_BYTES / 8)
}

/// Appends a row in `COPY`'s text format: tabs between columns, `\N` for NULL.
fn write_line(line: &mut String, row: &UserRow) {
    for (index, text) in row.to_texts().iter().enumerate() {
        if index > 0 {
            line.push('\t');
        }
        match text {
            Some(text) => write_escaped(line, text),
            None => line.push_str("\\N"),
        }
    }
    line.push('\n');
}

fn write_escaped(line: &mut String, text: &str) {
    for symbol in text.chars() {
        match symbol {
            '\\' => line.push_str("\\\\"),
            '\t' => line.push_str("\\t"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            other => line.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Generator;

    #[test]
    fn a_line_has_every_column_and_escapes_its_separators() {
        let mut row = UserRow::try_from(Generator::new(4).person()).unwrap();
        row.address.street_name = "a\tb\\c\nd".to_owned();
        row.national_id_value = None;

        let mut line = String::new();
        write_line(&mut line, &row);

        assert_eq!(line.matches('\t').count(), COLUMNS.len() - 1);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.contains("\ta\\tb\\\\c\\nd\t") && line.contains("\t\\N\t"));
    }
}
