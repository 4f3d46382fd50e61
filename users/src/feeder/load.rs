//! Many rows at once, by `COPY`.

use std::io::Cursor;

use futures_util::SinkExt;
use tokio_postgres::Transaction;

use super::Feeder;
use super::unit::Unit;
use crate::postgres::without_values;
use crate::row::{COLUMNS, UserRow};

/// Bytes of one frame of `COPY` data: large enough that its header does not matter.
const FRAME_BYTES: usize = 256 * 1024;

/// Rows that are generated before they are sent: bounds memory, whatever the size of the transaction.
const ROWS_AT_ONCE: usize = 2_000;

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
        // The unit borrows the connection for as long as people are made, so it gets statements and client by field.
        let Self { client, statements, generator, keys, fed, .. } = self;
        let mut unit = Unit::begin(client, statements).await?;
        let mut left = rows;
        while left > 0 {
            let people = std::iter::repeat_with(|| UserRow::try_from(generator.person()))
                .filter(|row| !row.as_ref().is_ok_and(|row| keys.contains(row.id)))
                .take(left.min(ROWS_AT_ONCE))
                .collect::<Result<Vec<_>, _>>()?;
            copy(unit.transaction(), &people).await?;
            unit.inserted(people.iter().map(|row| row.id));
            left -= people.len();
        }
        unit.commit(keys, fed).await
    }

    /// So many people under unused keys, none of them large.
    pub(super) fn rows_to_load(&mut self, rows: usize) -> anyhow::Result<Vec<UserRow>> {
        (0..rows).map(|_| self.row(false)).collect()
    }
}

/// Copies rows into the table.
pub(super) async fn copy(transaction: &Transaction<'_>, rows: &[UserRow]) -> anyhow::Result<()> {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let statement = format!("COPY public.users ({names}) FROM STDIN");
    let mut sink = Box::pin(transaction.copy_in(&statement).await.map_err(without_values)?);
    let mut frame = String::with_capacity(FRAME_BYTES + FRAME_BYTES / 8);
    for row in rows {
        write_line(&mut frame, row);
        if frame.len() >= FRAME_BYTES {
            let full = std::mem::replace(&mut frame, String::with_capacity(FRAME_BYTES + FRAME_BYTES / 8));
            sink.send(Cursor::new(full.into_bytes())).await.map_err(without_values)?;
        }
    }
    sink.send(Cursor::new(frame.into_bytes())).await.map_err(without_values)?;
    sink.as_mut().finish().await.map_err(without_values)?;
    Ok(())
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
