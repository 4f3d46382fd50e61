//! Replica identities, set at the start as `replica.identity.autoset.values` says.

use tokio_postgres::Client;

use crate::config::PostgresConfig;
use crate::error::SourceError;
use crate::replication::quote_identifier;
use crate::table::captures_table;

/// Gives each captured table the identity that is configured for it, unless it has it.
///
/// # Errors
/// When two entries are for one table, or the role does not own a table.
pub(crate) async fn ensure(client: &Client, config: &PostgresConfig) -> Result<(), SourceError> {
    /// Tables and what ALTER TABLE would say to give them what they have.
    const QUERY: &str = "SELECT n.nspname::text, c.relname::text, CASE c.relreplident WHEN 'f' THEN 'FULL' \
                         WHEN 'n' THEN 'NOTHING' WHEN 'd' THEN 'DEFAULT' \
                         ELSE 'USING INDEX \"' || replace(i.relname, '\"', '\"\"') || '\"' END \
                         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                         LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND x.indisreplident \
                         LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
                         WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
                         AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1, 2";
    if config.replica_identities.is_empty() {
        return Ok(());
    }
    let failed = SourceError::sql("reading replica identities");
    for row in client.query(QUERY, &[]).await.map_err(failed)? {
        let text = |index| row.try_get::<_, Option<String>>(index).map_err(failed);
        let (schema, table) = (text(0)?.unwrap_or_default(), text(1)?.unwrap_or_default());
        if captures_table(config, &schema, &table) {
            set(client, config, &schema, &table, text(2)?).await?;
        }
    }
    Ok(())
}

async fn set(
    client: &Client,
    config: &PostgresConfig,
    schema: &str,
    table: &str,
    present: Option<String>,
) -> Result<(), SourceError> {
    let qualified = format!("{schema}.{table}");
    let wanted: Vec<_> = config.replica_identities.of(&qualified).collect();
    let identity = match wanted.as_slice() {
        [] => return Ok(()),
        [identity] if present.as_deref() == Some(identity) => return Ok(()),
        [identity] => identity,
        _ => return Err(SourceError::AmbiguousIdentity { table: qualified }),
    };
    let (schema, table) = (quote_identifier(schema), quote_identifier(table));
    let statement = format!("ALTER TABLE {schema}.{table} REPLICA IDENTITY {identity}");
    tracing::info!(statement, "setting the replica identity of a table");
    let failed = SourceError::sql("setting a replica identity as `replica.identity.autoset.values` says");
    client.batch_execute(&statement).await.map_err(failed)
}
