//! The Cassandra side of a comparison: columns and rows.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::statement::Statement;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};

use super::Tables;
use super::canonical;
use super::packed::{PackedRow, key_name};
use super::postgres_rows::Column;
use crate::quote;

/// Parts into which the token ring is cut.
const RANGES: i64 = 16;

/// Parts that are read at once.
const AT_ONCE: usize = 4;

/// Rows of one page; some rows of the workload weigh 16 kB.
const PAGE: i32 = 500;

/// Where a column stands in the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnPlace {
    /// Position within the partition key, if it belongs to it.
    partition_key: Option<i32>,
}

/// The table's columns by name; none if there is no such table.
pub(super) async fn columns(
    session: &Session,
    tables: &Tables,
) -> anyhow::Result<BTreeMap<String, ColumnPlace>> {
    let statement = "SELECT column_name, kind, position FROM system_schema.columns \
                     WHERE keyspace_name = ? AND table_name = ?";
    let answer = session.query_unpaged(statement, (&tables.keyspace, &tables.cassandra_table)).await?;
    let mut columns = BTreeMap::new();
    for row in answer.into_rows_result()?.rows::<(String, String, i32)>()? {
        let (name, kind, position) = row?;
        let partition_key = (kind == "partition_key").then_some(position);
        columns.insert(name, ColumnPlace { partition_key });
    }
    Ok(columns)
}

/// Reads the whole table: rows by the name of their key.
pub(super) async fn read(
    session: &Session,
    tables: &Tables,
    places: &BTreeMap<String, ColumnPlace>,
    columns: &[Column],
    key: &[usize],
) -> anyhow::Result<HashMap<String, PackedRow>> {
    let mut statement = Statement::new(select(tables, places, columns));
    statement.set_page_size(PAGE);
    let prepared = session.prepare(statement).await?;
    let parts =
        stream::iter(ranges()).map(|range| read_range(session, prepared.clone(), range, columns, key));
    let mut rows = HashMap::new();
    let mut parts = Box::pin(parts.buffer_unordered(AT_ONCE));
    while let Some(part) = parts.try_next().await? {
        rows.extend(part);
    }
    Ok(rows)
}

fn select(tables: &Tables, places: &BTreeMap<String, ColumnPlace>, columns: &[Column]) -> String {
    let cells: Vec<_> = columns.iter().map(|column| quote(&column.name)).collect();
    let mut partition: Vec<_> =
        places.iter().filter_map(|(name, place)| Some((place.partition_key?, name))).collect();
    partition.sort_unstable();
    let partition: Vec<_> = partition.into_iter().map(|(_, name)| quote(name)).collect();
    let (cells, token) = (cells.join(", "), format!("token({})", partition.join(", ")));
    let table = format!("{}.{}", quote(&tables.keyspace), quote(&tables.cassandra_table));
    format!("SELECT {cells} FROM {table} WHERE {token} > ? AND {token} <= ?")
}

/// The ring in equal parts, each without its start. The very first token is never given to a row.
fn ranges() -> impl Iterator<Item = (i64, i64)> {
    let step = (1_i128 << 64) / i128::from(RANGES);
    let edge = move |part: i64| {
        let token = i128::from(i64::MIN) + i128::from(part) * step;
        i64::try_from(token).unwrap_or(i64::MAX)
    };
    (0..RANGES).map(move |part| (edge(part), edge(part + 1)))
}

async fn read_range(
    session: &Session,
    select: PreparedStatement,
    range: (i64, i64),
    columns: &[Column],
    key: &[usize],
) -> anyhow::Result<Vec<(String, PackedRow)>> {
    let mut stream = session.execute_iter(select, range).await?.rows_stream::<Row>()?;
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        let cells = canonical_cells(&row.columns, columns);
        rows.push((key_name(&cells, key), PackedRow::from_cells(&cells)));
    }
    Ok(rows)
}

fn canonical_cells(values: &[Option<CqlValue>], columns: &[Column]) -> Vec<Option<String>> {
    let cell = |(column, value): (&Column, &Option<CqlValue>)| {
        value.as_ref().map(|value| canonical::from_cassandra(column.kind, value))
    };
    columns.iter().zip(values).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_ring_without_a_gap() {
        let ranges: Vec<_> = ranges().collect();

        assert_eq!(ranges.first().unwrap().0, i64::MIN);
        assert_eq!(ranges.last().unwrap().1, i64::MAX);
        assert!(ranges.windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[0].0 < pair[0].1));
    }
}
