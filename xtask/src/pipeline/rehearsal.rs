//! A bounded run of the pipeline: every DAG once by the scheduler, ingestion twice over the same interval.

use anyhow::{Context, ensure};

use super::{DAGS, Dags, Pipeline};
use crate::report::{say, step};

/// How many people are erased.
const ERASED: &str = "3";
/// How long Cassandra, Spark and the slot may take to follow.
const DEADLINE_SECONDS: &str = "300";

/// What happened, as far as the proof needs to know it.
#[derive(Debug)]
pub struct Rehearsal {
    /// The keys of the erased people, separated by commas: the requests do not hold them any longer.
    erased: String,
}

impl Rehearsal {
    /// Lets the scheduler run the DAGs of a pipeline that was started for it, one after the other, and pauses them all at
    /// the end.
    ///
    /// # Errors
    /// Fails when a run fails (the error shows the end of the task's log), when the second ingestion writes anything,
    /// or when the reconciliation finds a difference.
    pub fn run(pipeline: &Pipeline<'_>) -> anyhow::Result<Self> {
        let mut dags = pipeline.dags()?;
        let [ingest, mutate, erase, reconcile] = DAGS;
        // An earlier pipeline may have left some half-way.
        DAGS.iter().try_for_each(|dag| dags.await_end(dag))?;
        step("the same people twice", || ingest_twice(pipeline, &mut dags, ingest))?;
        step("life events", || run_once(&mut dags, mutate))?;
        let keys = pipeline.workload().output(&["request-erasure", "--people", ERASED])?;
        step("erasures", || run_once(&mut dags, erase))?;
        step("reconciliation", || {
            run_once(&mut dags, reconcile)?;
            let verdict = &pipeline.status()?["reconciliation"];
            ensure!(verdict == "equal", "the reconciliation says {verdict}");
            Ok(())
        })?;
        DAGS.iter().try_for_each(|dag| dags.pause(dag, true))?;
        Ok(Self { erased: keys.split_whitespace().collect::<Vec<_>>().join(",") })
    }

    /// Proves, at the terminal, that everything agrees with Postgres; returns 0 if so.
    ///
    /// # Errors
    /// Fails when the program that proves it cannot be run.
    pub fn verify(&self, pipeline: &Pipeline<'_>) -> anyhow::Result<u8> {
        let words = ["verify", "--deadline", DEADLINE_SECONDS, "--neighbour", "airflow", "--erased"];
        pipeline.workload().run(&[&words[..], &[&self.erased]].concat())
    }
}

/// Repeats the run that began with the pipeline: the people are the same, so no row may get a new version.
fn ingest_twice(pipeline: &Pipeline<'_>, dags: &mut Dags, ingest: &str) -> anyhow::Result<()> {
    let run = dags.latest(ingest)?.context("find the run that brought the first people")?;
    let before = pipeline.status()?;
    dags.run_again(ingest, &run)?;
    let after = pipeline.status()?;
    for what in ["postgres_rows", "fingerprint"] {
        ensure!(
            before[what] == after[what],
            "the second run over the same interval changed {what} from {} to {}",
            before[what],
            after[what]
        );
    }
    say(format_args!("{} people; the second run wrote none of them again", after["postgres_rows"]));
    Ok(())
}

fn run_once(dags: &mut Dags, dag: &str) -> anyhow::Result<()> {
    let run = dags.start_run(dag)?;
    dags.await_end(dag)?;
    say(format_args!("{dag}: run `{}` ended well", run.id));
    Ok(())
}
