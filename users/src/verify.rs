//! Proves that the whole pipeline agrees: the mirror, the statistics, the erasures, the slot.
//!
//! ```text
//! users (Postgres) ──▶ users.users (Cassandra)        cell by cell
//!         │       └──▶ spark_streams.population       the same groups by SQL
//!         └── erased: in neither, nor in spark_streams.user_sessions, and a tombstone ends the key in Kafka
//! ```

mod erased;
mod population;
mod slot;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use scylla::client::session::Session;
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::compare::{Tables, compare};
pub use slot::Slot;

/// Pause between two looks while waiting: short against the five seconds between two batches of Spark's job.
const PAUSE: Duration = Duration::from_secs(1);

/// Where to look.
#[derive(Debug)]
pub struct Places<'a> {
    /// The users database.
    pub postgres: &'a Client,
    /// The cluster that holds the mirror and the statistics.
    pub cassandra: &'a Session,
    /// Kafka brokers, `host:port,…`.
    pub kafka: &'a str,
    /// The topic of the users' changes.
    pub topic: &'a str,
    /// The users table and its mirror.
    pub tables: Tables,
    /// The keyspace of Spark's statistics.
    pub statistics: &'a str,
}

/// What must hold beyond the mirror and the population.
#[derive(Debug, Default)]
pub struct Expected {
    /// People who were erased, by their keys.
    pub erased: Vec<Uuid>,
    /// A slot that must follow while only another database writes.
    pub slot: Option<Slot>,
}

/// Outcomes by what was checked: a sentence that says what holds, or one that says what differs.
#[derive(Debug, Default)]
pub struct Verdict(BTreeMap<&'static str, Result<String, String>>);

impl Verdict {
    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.0.values().all(Result::is_ok)
    }

    /// Enters an outcome; an error of the look itself counts as one that does not hold.
    fn enter(&mut self, check: &'static str, outcome: anyhow::Result<Result<String, String>>) {
        self.0.insert(check, outcome.unwrap_or_else(|error| Err(format!("{error:#}"))));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, outcome) in &self.0 {
            let (mark, text) = match outcome {
                Ok(text) => ("ok    ", text),
                Err(text) => ("DIFFERS", text),
            };
            writeln!(formatter, "{check:<11} {mark:<8} {text}")?;
        }
        Ok(())
    }
}

/// Looks again and again until everything holds or `limit` is over; the last look's verdict says which.
///
/// Everything must hold at one time: a mirror that was equal a while ago proves nothing about rows that came since.
pub async fn verify(places: &Places<'_>, mut expected: Expected, limit: Duration) -> Verdict {
    let deadline = Instant::now() + limit;
    loop {
        let verdict = look(places, &mut expected).await;
        if verdict.holds() || Instant::now() >= deadline {
            return verdict;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(places: &Places<'_>, expected: &mut Expected) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.enter("mirror", mirror(places).await);
    verdict.enter("population", population::check(places).await);
    if !expected.erased.is_empty() {
        verdict.enter("erasure", erased::check(places, &expected.erased).await);
    }
    if let Some(slot) = &mut expected.slot {
        verdict.enter("slot", slot.check(places.postgres).await);
    }
    verdict
}

async fn mirror(places: &Places<'_>) -> anyhow::Result<Result<String, String>> {
    let comparison = compare(places.postgres, places.cassandra, &places.tables).await?;
    let text = comparison.to_string();
    Ok(if comparison.is_equal() && comparison.postgres_rows > 0 { Ok(text) } else { Err(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_difference_is_enough_and_is_told() {
        let mut verdict = Verdict::default();
        verdict.enter("mirror", Ok(Ok("equal: 3 rows".to_owned())));
        assert!(verdict.holds());

        verdict.enter("population", Ok(Err("NO 18-29: 2 by SQL, 1 in Cassandra".to_owned())));

        assert!(!verdict.holds());
        assert_eq!(
            verdict.to_string(),
            "mirror      ok       equal: 3 rows\npopulation  DIFFERS  NO 18-29: 2 by SQL, 1 in Cassandra\n"
        );
    }

    #[test]
    fn a_look_that_fails_does_not_hold() {
        let mut verdict = Verdict::default();

        verdict.enter("slot", Err(anyhow::anyhow!("no slot `sluice_users`")));

        assert!(!verdict.holds());
    }
}
