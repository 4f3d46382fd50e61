//! What the catalog says about tables, types and publications.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Row};

use crate::error::SourceError;
use crate::types::{TypeCatalog, TypeRow};

/// The first version whose catalog shows column lists and row filters.
const COLUMN_LISTS: u32 = 150_000;
/// The first version that can publish generated columns.
const GENERATED: u32 = 180_000;

/// A table of the publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PublishedTable {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) oid: u32,
    /// `pg_class.relkind`: r table, p partitioned table.
    pub(crate) partitioned: bool,
    /// `pg_class.relreplident`.
    pub(crate) identity: char,
    /// Published columns in their order. Generated ones are not among them before Postgres 18; from then on stored ones may be.
    pub(crate) columns: Vec<String>,
    /// Row filter as SQL.
    pub(crate) row_filter: Option<String>,
}

impl PublishedTable {
    /// `schema.table`.
    pub(crate) fn qualified(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// A column as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) type_modifier: i32,
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
    /// Default as SQL.
    pub(crate) default: Option<String>,
    /// Part of the replica identity.
    pub(crate) identity: bool,
    /// `not_null` by a constraint that is not validated (Postgres 18): rows from before it may have NULL.
    pub(crate) unvalidated: bool,
}

/// A table as the catalog has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableFacts {
    pub(crate) columns: Vec<ColumnFacts>,
    /// Columns of the primary key, or of the first unique index without nulls.
    pub(crate) key: Vec<String>,
}

impl TableFacts {
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What a publication publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicationFacts {
    pub(crate) all_tables: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) truncate: bool,
}

/// Reads one value of a row; a wrong type is a defect of the query above it and becomes an error.
fn cell<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, SourceError> {
    row.try_get(index).map_err(SourceError::sql("reading the catalog"))
}

fn letter(row: &Row, index: usize) -> Result<char, SourceError> {
    cell::<i8>(row, index).map(|byte| char::from(byte.unsigned_abs()))
}

/// Returns `server_version_num`.
pub(crate) async fn server_version(client: &Client) -> Result<u32, SourceError> {
    let number = setting(client, "server_version_num").await?;
    number.parse().map_err(|_| SourceError::TooOld { found: number })
}

/// Returns a setting of the server.
pub(crate) async fn setting(client: &Client, name: &str) -> Result<String, SourceError> {
    let row = client
        .query_one("SELECT pg_catalog.current_setting($1)", &[&name])
        .await
        .map_err(SourceError::sql("reading a setting"))?;
    cell(&row, 0)
}

/// Finds a publication.
pub(crate) async fn publication(
    client: &Client,
    name: &str,
) -> Result<Option<PublicationFacts>, SourceError> {
    const QUERY: &str = "SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate \
                         FROM pg_catalog.pg_publication WHERE pubname = $1";
    let row = client.query_opt(QUERY, &[&name]).await.map_err(SourceError::sql("reading the publication"))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(PublicationFacts {
        all_tables: cell(&row, 0)?,
        insert: cell(&row, 1)?,
        update: cell(&row, 2)?,
        delete: cell(&row, 3)?,
        truncate: cell(&row, 4)?,
    }))
}

/// Lists the tables of a publication, by schema and name.
pub(crate) async fn published_tables(
    client: &Client,
    publication: &str,
    server_version: u32,
) -> Result<Vec<PublishedTable>, SourceError> {
    // Before Postgres 18 no generated column is published; 15 lists them all the same.
    let (published, row_filter) = match server_version {
        ..COLUMN_LISTS => ("a.attgenerated = ''", "NULL"),
        COLUMN_LISTS..GENERATED => ("a.attgenerated = '' AND a.attname = ANY (p.attnames)", "p.rowfilter"),
        GENERATED.. => ("a.attname = ANY (p.attnames)", "p.rowfilter"),
    };
    let query = format!(
        "SELECT p.schemaname::text, p.tablename::text, c.oid, c.relkind = 'p', c.relreplident, \
         ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid \
         AND a.attnum > 0 AND NOT a.attisdropped AND {published} ORDER BY a.attnum), {row_filter}::text \
         FROM pg_catalog.pg_publication_tables p \
         JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname \
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename \
         WHERE p.pubname = $1 ORDER BY 1, 2"
    );
    let rows = client
        .query(&query, &[&publication])
        .await
        .map_err(SourceError::sql("listing the published tables"))?;
    rows.iter()
        .map(|row| {
            Ok(PublishedTable {
                schema: cell(row, 0)?,
                name: cell(row, 1)?,
                oid: cell(row, 2)?,
                partitioned: cell(row, 3)?,
                identity: letter(row, 4)?,
                columns: cell(row, 5)?,
                row_filter: cell(row, 6)?,
            })
        })
        .collect()
}

/// Lists all ordinary tables of the database that could be published, as `schema.table`.
pub(crate) async fn user_tables(client: &Client) -> Result<Vec<(String, String)>, SourceError> {
    const QUERY: &str = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                         WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.relispartition = false \
                         AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' \
                         ORDER BY 1, 2";
    let rows = client.query(QUERY, &[]).await.map_err(SourceError::sql("listing the tables"))?;
    rows.iter().map(|row| Ok((cell(row, 0)?, cell(row, 1)?))).collect()
}

/// Lists the partitions that hold the rows of a table, as `schema.table`; none if it has no partitions.
pub(crate) async fn partitions(
    client: &Client,
    schema: &str,
    table: &str,
) -> Result<Vec<(String, String)>, SourceError> {
    const QUERY: &str = "SELECT n.nspname::text, c.relname::text \
                         FROM pg_catalog.pg_partition_tree(format('%I.%I', $1::text, $2::text)::regclass) p \
                         JOIN pg_catalog.pg_class c ON c.oid = p.relid \
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.isleaf AND p.level > 0";
    let rows =
        client.query(QUERY, &[&schema, &table]).await.map_err(SourceError::sql("listing the partitions"))?;
    rows.iter().map(|row| Ok((cell(row, 0)?, cell(row, 1)?))).collect()
}

/// Tells which relations still exist.
pub(crate) async fn existing(
    client: &Client,
    oids: impl Iterator<Item = u32>,
) -> Result<std::collections::HashSet<u32>, SourceError> {
    let oids: Vec<u32> = oids.collect();
    let rows = client
        .query("SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY ($1)", &[&oids])
        .await
        .map_err(SourceError::sql("listing the tables"))?;
    rows.iter().map(|row| cell(row, 0)).collect()
}

/// Waits until other sessions see what a transaction did that the server has sent: it sends a commit as soon as that is in the
/// log, which is a moment before the transaction lets go of its own lock and becomes visible.
///
/// A commit that waits for a synchronous standby may wait for us, so the wait comes to an end.
pub(crate) async fn await_visible(client: &Client, xid: u32) -> Result<(), SourceError> {
    const LOCKED: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks \
        WHERE locktype = 'transactionid' AND granted AND transactionid = $1::text::xid)";
    const PAUSE: Duration = Duration::from_millis(10);
    const PATIENCE: Duration = Duration::from_secs(5);

    let (xid, started) = (xid.to_string(), Instant::now());
    loop {
        let row =
            client.query_one(LOCKED, &[&xid]).await.map_err(SourceError::sql("waiting for a commit"))?;
        if !cell::<bool>(&row, 0)? {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            tracing::warn!(xid, "a commit stays invisible; the catalog is read as it was before");
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads the columns and the key of a table. A table that is gone has no columns.
pub(crate) async fn table(client: &Client, oid: u32) -> Result<TableFacts, SourceError> {
    const COLUMNS: &str = "SELECT a.attname::text, a.atttypid, a.atttypmod, \
        pg_catalog.format_type(a.atttypid, a.atttypmod), \
        a.attnotnull OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid AND t.typnotnull), \
        pg_catalog.pg_get_expr(d.adbin, d.adrelid), \
        CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false ELSE EXISTS (\
            SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey) \
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) END, \
        EXISTS (SELECT FROM pg_catalog.pg_constraint n WHERE n.conrelid = a.attrelid \
            AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated) \
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '' \
        WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    const KEY: &str = "SELECT ARRAY(SELECT a.attname::text \
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
            WHERE k.place <= i.indnkeyatts ORDER BY k.place) \
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid \
        WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate \
        AND i.indpred IS NULL AND i.indexprs IS NULL \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid \
            AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) AND NOT a.attnotnull) \
        ORDER BY i.indisprimary DESC, n.relname LIMIT 1";
    let rows =
        client.query(COLUMNS, &[&oid]).await.map_err(SourceError::sql("reading the columns of a table"))?;
    let column = |row: &Row| {
        Ok(ColumnFacts {
            name: cell(row, 0)?,
            type_oid: cell(row, 1)?,
            type_modifier: cell(row, 2)?,
            type_name: cell(row, 3)?,
            not_null: cell(row, 4)?,
            default: cell(row, 5)?,
            identity: cell(row, 6)?,
            unvalidated: cell(row, 7)?,
        })
    };
    let columns = rows.iter().map(column).collect::<Result<_, SourceError>>()?;
    let key = client.query_opt(KEY, &[&oid]).await.map_err(SourceError::sql("reading the key of a table"))?;
    let key = key.map_or(Ok(Vec::new()), |row| cell(&row, 0))?;
    Ok(TableFacts { columns, key })
}

/// Reads types with all that they are made of.
pub(crate) async fn types(client: &Client, oids: &[u32]) -> Result<TypeCatalog, SourceError> {
    // `typelem` is set for more than arrays (point, name); an array of its own has no array type.
    const QUERY: &str = "WITH RECURSIVE needed (oid) AS (\
            SELECT unnest($1::oid[]) UNION \
            SELECT part.oid FROM needed JOIN pg_catalog.pg_type t ON t.oid = needed.oid \
            CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS base (oid) \
            CROSS JOIN LATERAL (SELECT base.oid UNION ALL \
                SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid UNION ALL \
                SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid UNION ALL \
                SELECT a.atttypid FROM pg_catalog.pg_attribute a \
                    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped\
            ) AS part (oid) WHERE part.oid <> 0) \
        SELECT t.oid, t.typname::text, t.typtype, \
            CASE WHEN t.typtype = 'r' THEN (SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid) \
                WHEN t.typtype = 'm' THEN (SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid) \
                WHEN t.typcategory = 'A' AND t.typarray = 0 THEN t.typelem ELSE 0::oid END, \
            t.typbasetype, t.typtypmod, \
            ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid \
                ORDER BY e.enumsortorder), \
            ARRAY(SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE t.typtype = 'c' \
                AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum), \
            t.typdelim, t.typsend <> 0, \
            CASE WHEN t.oid = 'money'::regtype THEN scale(0::money::numeric) ELSE 0 END \
        FROM needed JOIN pg_catalog.pg_type t ON t.oid = needed.oid";
    let rows = client.query(QUERY, &[&oids]).await.map_err(SourceError::sql("reading types"))?;
    let mut types = HashMap::with_capacity(rows.len());
    for row in &rows {
        let type_ = TypeRow {
            name: cell(row, 1)?,
            kind: letter(row, 2)?,
            element: cell(row, 3)?,
            base: cell(row, 4)?,
            base_modifier: cell(row, 5)?,
            labels: cell(row, 6)?,
            attributes: cell(row, 7)?,
            delimiter: letter(row, 8)?,
            sends: cell(row, 9)?,
            money_decimals: cell::<i32>(row, 10)?.try_into().unwrap_or(u8::MAX),
        };
        types.insert(cell(row, 0)?, type_);
    }
    Ok(TypeCatalog(types))
}
