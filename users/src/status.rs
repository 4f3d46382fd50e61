//! `sluice-users status`: one look at the whole pipeline, as a line of JSON that programs read.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use futures_util::TryStreamExt;
use scylla::client::session::Session;
use serde_json::{Value, json};
use sluice_users::topic::Topic;
use sluice_users::{TOPIC, cassandra, postgres};
use tokio_postgres::Client;

use crate::Servers;

/// The window of Spark's statistics that counts every change once.
const WINDOW_SECONDS: i32 = 60;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    servers: Servers,
    /// Look again after so many seconds, until killed.
    #[arg(long, value_name = "SECONDS", value_parser = crate::parse_seconds)]
    every: Option<Duration>,
}

/// Prints the status, once or for ever. What does not answer is null.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let postgres = postgres::connect(&options.servers.postgres).await?;
    let cassandra = cassandra::connect(&options.servers.cassandra).await?;
    let topic = Topic::new(&options.servers.kafka, TOPIC)?;
    loop {
        let status = status(&postgres, &cassandra, &topic).await;
        // Whoever reads may leave.
        writeln!(std::io::stdout(), "{status}")?;
        let Some(every) = options.every else { return Ok(()) };
        tokio::time::sleep(every).await;
    }
}

async fn status(client: &Client, session: &Session, topic: &Topic) -> Value {
    let people = "SELECT people FROM spark_streams.population";
    let changes = "SELECT inserts + updates + deletes FROM spark_streams.changes_by_country \
                   WHERE window_seconds = ? ALLOW FILTERING";
    let (in_postgres, records, rows, people, changes) = tokio::join!(
        in_postgres(client),
        topic.records(),
        cassandra::count_rows(session, "users", "users"),
        sum(session, people, ()),
        sum(session, changes, (WINDOW_SECONDS,)),
    );
    let records = records.ok();
    let mut status = json!({
        "topic_records": records.map(|records| records.count),
        "topic_partitions": records.map(|records| records.partitions),
        "cassandra_rows": rows.ok(),
        "population": people.ok(),
        "changes_counted": changes.ok(),
    });
    if let (Some(status), Ok(Value::Object(more))) = (status.as_object_mut(), in_postgres) {
        status.extend(more);
    }
    status
}

/// Rows, their fingerprint, erasures and reconciliations. The fingerprint changes with every version of every row, an
/// identical one included: each is a change event.
async fn in_postgres(client: &Client) -> anyhow::Result<Value> {
    const STATEMENT: &str = "
        SELECT json_build_object(
            'postgres_rows', (SELECT count(*) FROM public.users),
            'fingerprint', (SELECT md5(string_agg(id::text || xmin::text, ',' ORDER BY id)) FROM public.users),
            'erasures_open', (SELECT count(*) FROM public.erasure_requests WHERE completed_at IS NULL),
            'erasures_done', (SELECT count(*) FROM public.erasure_receipts WHERE completed_at IS NOT NULL),
            'reconciliation', (SELECT verdict FROM public.reconciliations ORDER BY finished_at DESC LIMIT 1)
        )::text";
    Ok(serde_json::from_str(client.query_one(STATEMENT, &[]).await?.try_get(0)?)?)
}

/// Adds up a column of whole numbers.
async fn sum(
    session: &Session,
    statement: &str,
    values: impl scylla::serialize::row::SerializeRow,
) -> anyhow::Result<i64> {
    let rows = session.query_iter(statement, values).await?.rows_stream::<(i64,)>()?;
    Ok(rows.try_fold(0, async |total, (number,)| Ok(total + number)).await?)
}
