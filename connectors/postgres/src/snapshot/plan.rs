//! What a snapshot reads: the statements, one for each range of a table.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio_postgres::Client;

use super::{Job, TableState, failed};
use crate::catalog::{self, PublishedTable};
use crate::config::{Compatibility, PostgresConfig};
use crate::error::SourceError;
use crate::replication::quote_identifier;
use crate::table::{ColumnPlan, Table};

/// Pages of a range, 32 MiB: long enough to make its start cheap, short enough to share tables out.
const RANGE_PAGES: i64 = 4096;

/// Cuts the tables into ranges. A table without rows gets none.
pub(super) async fn plan_tables(
    client: &Client,
    config: &PostgresConfig,
    tables: &[(PublishedTable, Arc<Table>)],
) -> Result<(Vec<TableState>, VecDeque<Job>), SourceError> {
    let mut states = Vec::with_capacity(tables.len());
    let mut jobs = VecDeque::new();
    for (index, (published, table)) in tables.iter().enumerate() {
        let rows = Rows::new(client, config, published, table).await?;
        let ranges =
            if rows.any(client).await? { rows.ranges(client, published.oid).await? } else { Vec::new() };
        states.push(TableState {
            name: table.qualified.clone(),
            chunks: ranges.len(),
            ranges: ranges.len(),
            started: false,
            held: None,
        });
        let job = |(chunk, range)| Job { table: index, chunk, query: rows.copy(range) };
        jobs.extend(ranges.into_iter().enumerate().map(job));
    }
    Ok((states, jobs))
}

/// Pages of a table: the first, and the one after the last unless it is the table's last.
type Range = (i64, Option<i64>);

/// The rows of a table, as SQL.
struct Rows {
    columns: String,
    from: String,
    filter: Option<String>,
    /// They have pages, so that they can be read in ranges.
    paged: bool,
}

impl Rows {
    async fn new(
        client: &Client,
        config: &PostgresConfig,
        published: &PublishedTable,
        table: &Table,
    ) -> Result<Self, SourceError> {
        if let Some(statement) = config.snapshot_statement(&table.qualified) {
            return Self::of_statement(client, statement, published, table).await;
        }
        let column = |plan: &ColumnPlan| {
            let cast = if plan.text { "::text" } else { "" };
            format!("{}{cast}", quote_identifier(&plan.name))
        };
        let columns: Vec<_> = table.columns.iter().flatten().map(column).collect();
        let debezium = config.compatibility == Compatibility::Debezium;
        // A partitioned table has no rows but those of its parts. Tables that inherit publish their own rows
        // only; Debezium's snapshot has them in the parent's topic too.
        let only = if published.partitioned || debezium { "" } else { "ONLY " };
        // Nor does it look at what the publication says of rows.
        let filter = published.row_filter.as_ref().filter(|_| !debezium);
        let (schema, name) = (quote_identifier(&published.schema), quote_identifier(&published.name));
        Ok(Self {
            columns: columns.join(", "),
            from: format!("{only}{schema}.{name}"),
            filter: filter.map(|filter| format!("({filter})")),
            paged: !published.partitioned,
        })
    }

    /// Takes the columns by name from a statement of the user's; those that it leaves out are NULL, and of
    /// all others the type is that of the table.
    async fn of_statement(
        client: &Client,
        statement: &str,
        published: &PublishedTable,
        table: &Table,
    ) -> Result<Self, SourceError> {
        let refused = SourceError::sql("preparing a statement of `snapshot.select.statement.overrides`");
        let prepared = client.prepare(statement).await.map_err(refused)?;
        let returned: HashSet<_> = prepared.columns().iter().map(tokio_postgres::Column::name).collect();
        let facts = catalog::table(client, published.oid).await?;
        let column = |plan: &ColumnPlan| {
            let name = quote_identifier(&plan.name);
            let value = if returned.contains(plan.name.as_str()) { &*name } else { "NULL" };
            let type_name = facts.column(&plan.name).map_or("text", |column| &column.type_name);
            let text = if plan.text { "::text" } else { "" };
            format!("CAST({value} AS {type_name}){text} AS {name}")
        };
        let columns: Vec<_> = table.columns.iter().flatten().map(column).collect();
        Ok(Self {
            columns: columns.join(", "),
            from: format!("({statement}\n) t"),
            filter: None,
            paged: false,
        })
    }

    fn condition(&self, range: Range) -> String {
        let (start, end) = range;
        let mut conditions: Vec<_> = self.filter.iter().cloned().collect();
        if self.paged {
            conditions.push(format!("ctid >= '({start},0)'::tid"));
            conditions.extend(end.map(|end| format!("ctid < '({end},0)'::tid")));
        }
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
    }

    fn copy(&self, range: Range) -> String {
        let (columns, from, condition) = (&self.columns, &self.from, self.condition(range));
        format!("COPY (SELECT {columns} FROM {from}{condition}) TO STDOUT (FORMAT binary)")
    }

    async fn any(&self, client: &Client) -> Result<bool, SourceError> {
        let condition = self.filter.as_ref().map(|filter| format!(" WHERE {filter}")).unwrap_or_default();
        let query = format!("SELECT EXISTS (SELECT FROM {}{condition})", self.from);
        client.query_one(&query, &[]).await.and_then(|row| row.try_get(0)).map_err(failed)
    }

    async fn ranges(&self, client: &Client, oid: u32) -> Result<Vec<Range>, SourceError> {
        const PAGES: &str = "SELECT pg_catalog.pg_relation_size($1::oid::regclass) \
                             / current_setting('block_size')::bigint + 1";
        if !self.paged {
            return Ok(vec![(0, None)]);
        }
        let row = client.query_one(PAGES, &[&oid]).await.map_err(failed)?;
        let pages: i64 = row.try_get(0).map_err(failed)?;
        // The last range has no end: the table may have grown since, though not for this snapshot.
        let end = |start: i64| (start + RANGE_PAGES < pages).then_some(start + RANGE_PAGES);
        let starts = (0..).map(|range| range * RANGE_PAGES).take_while(|start| *start < pages);
        Ok(starts.map(|start| (start, end(start))).collect())
    }
}
