//! What a comparison found.

use std::collections::BTreeMap;
use std::fmt;

use super::canonical;
use super::cassandra_rows::ColumnPlace;
use super::packed::PackedRow;
use super::postgres_rows::{Column, PostgresTable};

/// Differences that are described; beyond these they are only counted.
pub const MOST_DIFFERENCES: usize = 20;

/// Longest part of a value that a difference shows, in characters.
const SHOWN: usize = 120;

/// The outcome of one comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows in Postgres.
    pub postgres_rows: u64,
    /// Rows in Cassandra.
    pub cassandra_rows: u64,
    /// Cells that were held against each other.
    pub cells: u64,
    /// Columns that only one side has.
    pub columns_differing: u64,
    /// Rows that only Postgres has.
    pub missing: u64,
    /// Rows that only Cassandra has.
    pub extra: u64,
    /// Cells of common rows that differ.
    pub cells_differing: u64,
    /// The first [`MOST_DIFFERENCES`] of them.
    pub differences: Vec<Difference>,
}

/// One difference. Values are canonical texts; `None` is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Cassandra has no such table.
    TableMissing,
    /// Cassandra lacks the column.
    ColumnMissing(String),
    /// Postgres lacks the column.
    ColumnExtra(String),
    /// Cassandra lacks the row with this key.
    RowMissing(String),
    /// Postgres lacks the row with this key.
    RowExtra(String),
    /// Both have the row, with different values in one column.
    Cell {
        /// Key of the row.
        key: String,
        /// Name of the column.
        column: String,
        /// What Postgres holds.
        postgres: Option<String>,
        /// What Cassandra holds.
        cassandra: Option<String>,
    },
}

impl Comparison {
    /// Whether the tables are the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.columns_differing + self.missing + self.extra + self.cells_differing == 0
    }

    pub(super) fn columns(&mut self, table: &PostgresTable, cassandra: &BTreeMap<String, ColumnPlace>) {
        let missing = table.columns.iter().filter(|column| !cassandra.contains_key(&column.name));
        let extra = cassandra.keys().filter(|name| table.columns.iter().all(|column| column.name != **name));
        let found: Vec<_> = missing
            .map(|column| Difference::ColumnMissing(column.name.clone()))
            .chain(extra.map(|name| Difference::ColumnExtra(name.clone())))
            .collect();
        self.columns_differing += found.len() as u64;
        if cassandra.is_empty() {
            self.describe(Difference::TableMissing);
            return;
        }
        found.into_iter().for_each(|difference| self.describe(difference));
    }

    pub(super) fn missing(&mut self, key: String) {
        self.missing += 1;
        self.describe(Difference::RowMissing(key));
    }

    pub(super) fn extra(&mut self, key: String) {
        self.extra += 1;
        self.describe(Difference::RowExtra(key));
    }

    pub(super) fn row(
        &mut self,
        key: &str,
        columns: &[Column],
        postgres: &[Option<String>],
        cassandra: &PackedRow,
    ) {
        self.cells += columns.len() as u64;
        for ((column, left), right) in columns.iter().zip(postgres).zip(cassandra.cells()) {
            if canonical::equal(column.kind, left.as_deref(), right) {
                continue;
            }
            self.cells_differing += 1;
            self.describe(Difference::Cell {
                key: key.to_owned(),
                column: column.name.clone(),
                postgres: left.clone(),
                cassandra: right.map(str::to_owned),
            });
        }
    }

    fn describe(&mut self, difference: Difference) {
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push(difference);
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { postgres_rows, cassandra_rows, cells, .. } = self;
        if self.is_equal() {
            return write!(formatter, "equal: {postgres_rows} rows on each side, {cells} cells compared");
        }
        let Self { missing, extra, cells_differing, columns_differing, .. } = self;
        write!(
            formatter,
            "different: {postgres_rows} rows in Postgres, {cassandra_rows} in Cassandra; {missing} missing, {extra} extra, \
             {cells_differing} cells and {columns_differing} columns differ"
        )?;
        for difference in &self.differences {
            write!(formatter, "\n  {difference}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TableMissing => write!(formatter, "the table is not in Cassandra"),
            Self::ColumnMissing(name) => write!(formatter, "column `{name}` is not in Cassandra"),
            Self::ColumnExtra(name) => write!(formatter, "column `{name}` is not in Postgres"),
            Self::RowMissing(key) => write!(formatter, "row {key} is not in Cassandra"),
            Self::RowExtra(key) => write!(formatter, "row {key} is not in Postgres"),
            Self::Cell { key, column, postgres, cassandra } => {
                let (left, right) = shown(postgres.as_deref(), cassandra.as_deref());
                write!(formatter, "row {key}, column `{column}`: Postgres {left}, Cassandra {right}")
            }
        }
    }
}

/// Both values from a little before the place where they part, cut to what fits a line.
fn shown(postgres: Option<&str>, cassandra: Option<&str>) -> (String, String) {
    let common = match (postgres, cassandra) {
        (Some(left), Some(right)) => {
            left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count()
        }
        _ => 0,
    };
    let skip = if common > SHOWN / 2 { common - SHOWN / 4 } else { 0 };
    let cut = |value: Option<&str>| {
        let Some(value) = value else { return "NULL".to_owned() };
        let start = if skip > 0 { "…" } else { "" };
        let end = if value.chars().count() > skip + SHOWN { "…" } else { "" };
        format!("`{start}{}{end}`", value.chars().skip(skip).take(SHOWN).collect::<String>())
    };
    (cut(postgres), cut(cassandra))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shown_where_they_part() {
        let (left, right) = (format!("{}1", "x".repeat(500)), format!("{}2", "x".repeat(500)));

        let (left, right) = shown(Some(&left), Some(&right));

        assert!(left.ends_with("x1`") && right.ends_with("x2`"), "{left} {right}");
        assert!(left.chars().count() < SHOWN);
    }

    #[test]
    fn differences_beyond_the_limit_are_only_counted() {
        let mut comparison = Comparison::default();

        (0..100).for_each(|key: u32| comparison.missing(key.to_string()));

        assert_eq!((comparison.missing, comparison.differences.len()), (100, MOST_DIFFERENCES));
        assert!(!comparison.is_equal());
    }
}
