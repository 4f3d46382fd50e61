//! The Postgres side of a comparison: columns, key and rows.

use anyhow::{Context, bail};
use tokio_postgres::{Client, Row, RowStream};

use super::Tables;
use super::canonical::{self, Kind};
use crate::quote;

const COLUMNS: &str = "SELECT column_name::text, udt_name::text FROM information_schema.columns \
     WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position";

const KEY: &str = "SELECT a.attname::text FROM pg_index i \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
     WHERE i.indrelid = $1::text::regclass AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)";

/// A column and how its values are compared.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A described table.
#[derive(Debug)]
pub(super) struct PostgresTable {
    /// Quoted, with its schema.
    name: String,
    /// In the table's order.
    pub(super) columns: Vec<Column>,
    /// Names of the primary key's columns, in key order.
    key: Vec<String>,
}

impl PostgresTable {
    pub(super) async fn read(client: &Client, tables: &Tables) -> anyhow::Result<Self> {
        let name = format!("{}.{}", quote(&tables.postgres_schema), quote(&tables.postgres_table));
        let mut columns = Vec::new();
        for row in client.query(COLUMNS, &[&tables.postgres_schema, &tables.postgres_table]).await? {
            let (name, udt): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let kind =
                Kind::from_postgres(&udt).with_context(|| format!("column `{name}` of type `{udt}`"))?;
            columns.push(Column { name, kind });
        }
        if columns.is_empty() {
            bail!("table {name} does not exist, or this role may not read it");
        }
        let rows = client.query(KEY, &[&name]).await?;
        let key = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        if key.is_empty() {
            bail!("table {name} has no primary key");
        }
        Ok(Self { name, columns, key })
    }

    /// Where the key's columns stand in `columns`; `None` if one is not there.
    pub(super) fn key_positions(&self, columns: &[Column]) -> Option<Vec<usize>> {
        self.key.iter().map(|name| columns.iter().position(|column| column.name == *name)).collect()
    }

    /// Streams the given columns as texts, ordered by the key.
    pub(super) async fn rows(&self, client: &Client, columns: &[Column]) -> anyhow::Result<RowStream> {
        let cells: Vec<_> =
            columns.iter().map(|column| column.kind.postgres_text(&quote(&column.name))).collect();
        let key: Vec<_> = self.key.iter().map(|name| quote(name)).collect();
        let statement = format!("SELECT {} FROM {} ORDER BY {}", cells.join(", "), self.name, key.join(", "));
        let parameters: [&str; 0] = [];
        Ok(client.query_raw(&statement, parameters).await?)
    }
}

/// The canonical cells of a streamed row.
pub(super) fn canonical_cells(row: &Row, columns: &[Column]) -> anyhow::Result<Vec<Option<String>>> {
    let cells = columns.iter().enumerate().map(|(position, column)| {
        let text: Option<&str> = row.try_get(position)?;
        Ok(text.map(|text| canonical::from_postgres(column.kind, text)))
    });
    cells.collect()
}
