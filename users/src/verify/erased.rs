//! Erased people are gone from every place that held them.

use std::collections::HashMap;

use anyhow::Context;
use uuid::Uuid;

use super::Places;
use crate::quote;
use crate::topic::{Last, Topic};

pub(super) async fn check(places: &Places<'_>, erased: &[Uuid]) -> anyhow::Result<Result<String, String>> {
    let mut left = in_postgres(places, erased).await.context("look for erased people in Postgres")?;
    left.extend(in_cassandra(places, erased).await.context("look for erased people in Cassandra")?);
    let topic = Topic::new(places.kafka, places.topic)?;
    let last = topic.last_of_keys(erased).await.context("look for erased people in Kafka")?;
    left.extend(without_tombstone(erased, &last));
    if left.is_empty() {
        return Ok(Ok(format!("{} erased people are gone, each with a tombstone at its end", erased.len())));
    }
    Ok(Err(format!("erased people are still there: {}", left.join(", "))))
}

/// The users table, and what the DAGs keep beside it that may hold a person's key.
async fn in_postgres(places: &Places<'_>, erased: &[Uuid]) -> anyhow::Result<Vec<String>> {
    let keys: Vec<String> = erased.iter().map(Uuid::to_string).collect();
    let schema = quote(&places.tables.postgres_schema);
    let holders = [
        (places.tables.postgres_table.as_str(), "id"),
        ("users_rejected", "user_id"),
        ("erasure_requests", "user_id"),
        ("reconciliations", "unnest(differing_keys)"),
    ];
    let mut left = Vec::new();
    for (table, key) in holders {
        let statement = format!(
            "SELECT key::text FROM (SELECT {key} FROM {schema}.{}) AS held (key) WHERE key = ANY($1::text[]::uuid[])",
            quote(table)
        );
        for row in places.postgres.query(&statement, &[&keys]).await? {
            left.push(format!("{} in table {table} of Postgres", row.try_get::<_, &str>(0)?));
        }
    }
    Ok(left)
}

async fn in_cassandra(places: &Places<'_>, erased: &[Uuid]) -> anyhow::Result<Vec<String>> {
    let Places { tables, statistics, .. } = places;
    let mirror = (tables.keyspace.as_str(), tables.cassandra_table.as_str(), "id");
    let sessions = (*statistics, "user_sessions", "user_id");
    let mut left = Vec::new();
    for (keyspace, table, column) in [mirror, sessions] {
        let statement =
            format!("SELECT {} FROM {}.{} WHERE {0} = ?", quote(column), quote(keyspace), quote(table));
        for key in erased {
            let rows =
                places.cassandra.query_unpaged(statement.as_str(), (key,)).await?.into_rows_result()?;
            if rows.rows_num() > 0 {
                left.push(format!("{key} in {keyspace}.{table}"));
            }
        }
    }
    Ok(left)
}

/// A key without any record proves nothing: it may be the wrong topic.
fn without_tombstone(erased: &[Uuid], last: &HashMap<Uuid, Last>) -> Vec<String> {
    let named = |key: &Uuid| match last.get(key) {
        Some(Last::Tombstone) => None,
        Some(Last::Value) => Some(format!("{key} in Kafka, whose last record is no tombstone")),
        None => Some(format!("{key} was never in Kafka")),
    };
    erased.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tombstone_at_the_end_will_do() {
        let [gone, kept, unknown] = [1, 2, 3].map(Uuid::from_u128);
        let last = HashMap::from([(gone, Last::Tombstone), (kept, Last::Value)]);

        let left = without_tombstone(&[gone, kept, unknown], &last);

        assert_eq!(left.len(), 2);
        assert!(left[0].contains(&kept.to_string()));
        assert!(left[1].contains("never in Kafka"));
    }
}
