//! Spark's running population against the same groups by SQL.

use std::collections::BTreeMap;

use anyhow::Context;
use futures_util::TryStreamExt;

use super::Places;
use crate::quote;

/// People by country and age band, as the job reckons them: completed years on its `--age-at`, in its bands
/// (`spark/users_stats/person.py`).
const BY_SQL: &str = "
    WITH ages AS (
        SELECT country,
               extract(year FROM age(DATE '2026-01-01', (dob AT TIME ZONE 'UTC')::date))::integer AS years
        FROM public.users
    )
    SELECT country,
           CASE WHEN years < 18 THEN '0-17'
                WHEN years < 30 THEN '18-29'
                WHEN years >= 70 THEN '70+'
                ELSE format('%s-%s', years / 10 * 10, years / 10 * 10 + 9)
           END,
           count(*)
    FROM ages GROUP BY 1, 2";

/// Differing groups that are named; beyond these they are only counted.
const MOST_NAMED: usize = 5;

/// Country and age band.
type Group = (String, String);

pub(super) async fn check(places: &Places<'_>) -> anyhow::Result<Result<String, String>> {
    let by_sql = by_sql(places).await.context("count the population by SQL")?;
    let by_spark = by_spark(places).await.context("read Spark's population")?;
    Ok(differences(&by_sql, &by_spark))
}

async fn by_sql(places: &Places<'_>) -> anyhow::Result<BTreeMap<Group, i64>> {
    let rows = places.postgres.query(BY_SQL, &[]).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// Groups that everybody has left stay in the table with nobody in them.
async fn by_spark(places: &Places<'_>) -> anyhow::Result<BTreeMap<Group, i64>> {
    let statement = format!("SELECT country, age_band, people FROM {}.population", quote(places.statistics));
    let rows = places.cassandra.query_iter(statement, ()).await?.rows_stream::<(String, String, i64)>()?;
    let groups = rows.try_fold(BTreeMap::new(), async |mut groups, (country, band, people)| {
        if people != 0 {
            groups.insert((country, band), people);
        }
        Ok(groups)
    });
    Ok(groups.await?)
}

fn differences(by_sql: &BTreeMap<Group, i64>, by_spark: &BTreeMap<Group, i64>) -> Result<String, String> {
    let groups = by_sql.keys().chain(by_spark.keys().filter(|group| !by_sql.contains_key(*group)));
    let people = |side: &BTreeMap<Group, i64>, group| side.get(group).copied().unwrap_or(0);
    let differing: Vec<_> = groups.filter(|group| people(by_sql, group) != people(by_spark, group)).collect();
    if differing.is_empty() && !by_sql.is_empty() {
        let total: i64 = by_sql.values().sum();
        return Ok(format!("equal: {total} people in {} groups of country and age", by_sql.len()));
    }
    let named = differing.iter().take(MOST_NAMED).map(|group| {
        let (sql, spark) = (people(by_sql, group), people(by_spark, group));
        format!("{} {}: {sql} by SQL, {spark} by Spark", group.0, group.1)
    });
    let named = named.collect::<Vec<_>>().join("; ");
    Err(format!("{} of {} groups differ: {named}", differing.len(), by_sql.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(people: &[(&str, &str, i64)]) -> BTreeMap<Group, i64> {
        people
            .iter()
            .map(|(country, band, people)| ((country.to_string(), band.to_string()), *people))
            .collect()
    }

    #[test]
    fn equal_groups_hold() {
        let side = groups(&[("Norway", "18-29", 2), ("Iran", "70+", 1)]);

        assert_eq!(
            differences(&side, &side),
            Ok("equal: 3 people in 2 groups of country and age".to_owned())
        );
    }

    #[test]
    fn groups_of_either_side_are_named() {
        let by_sql = groups(&[("Norway", "18-29", 2), ("Iran", "70+", 1)]);
        let by_spark = groups(&[("Iran", "70+", 1), ("Spain", "30-39", 4)]);

        let difference = differences(&by_sql, &by_spark).unwrap_err();

        assert!(difference.starts_with("2 of 2 groups differ"), "{difference}");
        assert!(difference.contains("Norway 18-29: 2 by SQL, 0 by Spark"), "{difference}");
        assert!(difference.contains("Spain 30-39: 0 by SQL, 4 by Spark"), "{difference}");
    }

    #[test]
    fn two_empty_sides_prove_nothing() {
        assert!(differences(&BTreeMap::new(), &BTreeMap::new()).is_err());
    }
}
