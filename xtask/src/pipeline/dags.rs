//! The DAGs, through Airflow's REST API: un-paused, watched, run again.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::process::tail;
use crate::servers::airflow::USER;
use crate::wait;

/// The DAGs of `airflow/dags/`, in the order in which they make sense for the first time.
pub(crate) const DAGS: [&str; 4] = ["users_ingest", "users_mutate", "users_erase", "users_reconcile"];

/// How long the scheduler may take to find a DAG or to begin a run of it.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long a run may take: its tasks are short, but each is a process of its own on a machine that may be busy.
const RUN_LIMIT: Duration = Duration::from_secs(300);
/// How much of a failed task's log an error shows.
const TAIL_LINES: usize = 40;

/// A client of the REST API.
#[derive(Debug)]
pub(crate) struct Dags {
    port: u16,
    /// Where the tasks' logs are.
    logs: PathBuf,
    token: String,
}

/// A run of a DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its id, unique in the DAG.
    pub(crate) id: String,
    /// `queued`, `running`, `success` or `failed`.
    pub(crate) state: String,
    /// When it was due.
    pub(crate) due: String,
}

impl Run {
    fn from_json(run: &Value) -> Option<Self> {
        let text = |name: &str| run[name].as_str().map(str::to_owned);
        Some(Self { id: text("dag_run_id")?, state: text("state")?, due: text("run_after")? })
    }

    fn ended(&self) -> bool {
        matches!(self.state.as_str(), "success" | "failed")
    }
}

impl Dags {
    /// Logs in to the API on a loopback port.
    pub(crate) fn connect(port: u16, logs: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { port, logs, token: log_in(port)? })
    }

    /// Pauses a DAG, or lets the scheduler run it; waits until it has been found. Runs that have begun go on.
    pub(crate) fn pause(&mut self, dag: &str, paused: bool) -> anyhow::Result<()> {
        self.found(dag)?;
        self.call("PATCH", &format!("/dags/{dag}"), &json!({ "is_paused": paused }).to_string()).map(drop)
    }

    /// The latest run; `None` when there was none yet.
    pub(crate) fn latest(&mut self, dag: &str) -> anyhow::Result<Option<Run>> {
        Ok(self.runs(dag, 1)?.pop())
    }

    /// Lets the scheduler run a DAG: for the first time it does so by itself, when the DAG is no longer paused; later it
    /// is asked to. Returns the run as soon as there is one.
    pub(crate) fn start_run(&mut self, dag: &str) -> anyhow::Result<Run> {
        self.pause(dag, true)?;
        let earlier = self.latest(dag)?;
        self.pause(dag, false)?;
        if earlier.is_some() {
            self.call("POST", &format!("/dags/{dag}/dagRuns"), &json!({ "logical_date": null }).to_string())?;
        }
        let begun = wait::until(START_LIMIT, || {
            let latest = self.latest(dag).transpose()?;
            let earlier = earlier.as_ref().map(|run| &run.id);
            latest.as_ref().map_or(true, |run| Some(&run.id) != earlier).then_some(latest)
        });
        begun.with_context(|| format!("the scheduler began no run of {dag} in time"))?
    }

    /// Runs a run's tasks again, for the same interval, and waits for their end.
    pub(crate) fn run_again(&mut self, dag: &str, run: &Run) -> anyhow::Result<()> {
        let body = json!({ "dry_run": false, "only_failed": false }).to_string();
        self.call("POST", &format!("/dags/{dag}/dagRuns/{}/clear", escaped(&run.id)), &body)?;
        self.await_end(dag)
    }

    /// Waits until every run of the DAG has ended, the latest with success.
    pub(crate) fn await_end(&mut self, dag: &str) -> anyhow::Result<()> {
        let mut runs = Vec::new();
        let ended = wait::until(RUN_LIMIT, || {
            runs = match self.runs(dag, 100) {
                Ok(runs) => runs,
                Err(error) => return Some(Err(error)),
            };
            runs.iter().all(Run::ended).then_some(Ok(()))
        });
        ended.with_context(|| format!("{dag} did not end in time; its runs: {runs:?}"))??;
        match runs.last().filter(|run| run.state == "failed") {
            Some(failed) => bail!("{}", self.failure(dag, failed)),
            None => Ok(()),
        }
    }

    /// Says which task of a run failed, and why.
    fn failure(&mut self, dag: &str, run: &Run) -> String {
        let path = format!("/dags/{dag}/dagRuns/{}/taskInstances", escaped(&run.id));
        let tasks = self.call("GET", &path, "").unwrap_or_default();
        let tasks = tasks["task_instances"].as_array().cloned().unwrap_or_default();
        let failed = tasks.iter().find(|task| task["state"] == "failed");
        let Some(task) = failed.and_then(|task| task["task_id"].as_str()) else {
            return format!("run `{}` of {dag} failed, but none of its tasks did", run.id);
        };
        let folder = format!("dag_id={dag}/run_id={}/task_id={task}", run.id);
        let log = newest_attempt(self.logs.join(folder));
        format!(
            "task `{task}` of {dag} failed in run `{}`; the end of `{}`:\n{}",
            run.id,
            log.display(),
            tail(&log, TAIL_LINES)
        )
    }

    fn found(&mut self, dag: &str) -> anyhow::Result<()> {
        let path = format!("/dags/{dag}");
        let found = wait::until(START_LIMIT, || self.call("GET", &path, "").ok());
        if found.is_some() {
            return Ok(());
        }
        let errors = self.call("GET", "/importErrors", "").unwrap_or_default();
        bail!("Airflow did not find {dag}; its import errors: {}", errors["import_errors"])
    }

    /// The newest runs, the latest last.
    fn runs(&mut self, dag: &str, limit: usize) -> anyhow::Result<Vec<Run>> {
        let answer =
            self.call("GET", &format!("/dags/{dag}/dagRuns?order_by=-run_after&limit={limit}"), "")?;
        let runs = answer["dag_runs"].as_array().with_context(|| format!("read the runs of {dag}"))?;
        Ok(runs.iter().rev().filter_map(Run::from_json).collect())
    }

    /// Sends a request and reads the answer's JSON; logs in again when the token is too old.
    fn call(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v2{path}");
        let send = |token: &str| http::call(self.port, method, &path, body, Some(token));
        let context = || format!("{method} {path} of Airflow's API");
        let mut response = send(&self.token).with_context(context)?;
        if response.status == 401 {
            let token = log_in(self.port)?;
            response = send(&token).with_context(context)?;
            self.token = token;
        }
        parse(&response).with_context(context)
    }
}

fn log_in(port: u16) -> anyhow::Result<String> {
    let body = json!({ "username": USER, "password": USER }).to_string();
    let answer =
        parse(&http::call(port, "POST", "/auth/token", &body, None)?).context("log in to Airflow")?;
    answer["access_token"].as_str().map(str::to_owned).context("log in to Airflow: no token came")
}

fn parse(response: &Response) -> anyhow::Result<Value> {
    let body = response.body();
    ensure!((200..300).contains(&response.status), "answered {}: {body}", response.status);
    serde_json::from_str(body).context("read the answer")
}

/// A run's id as a part of a path: `scheduled__2026-11-21T13:36:23.034151+00:00` must keep its plus.
fn escaped(id: &str) -> String {
    id.replace('%', "%25").replace('+', "%2B").replace(':', "%3A").replace('/', "%2F")
}

/// The log of a task's last attempt; mapped tasks have a folder for each.
fn newest_attempt(folder: PathBuf) -> PathBuf {
    let mut folders = vec![folder.clone()];
    let mut logs = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(changed) = entry.metadata().and_then(|metadata| metadata.modified()) {
                logs.push((changed, path));
            }
        }
    }
    logs.into_iter().max().map_or(folder, |(_, log)| log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_id_survives_the_path() {
        assert_eq!(
            escaped("scheduled__2026-11-21T13:36:23+00:00"),
            "scheduled__2026-11-21T13%3A36%3A23%2B00%3A00"
        );
    }

    #[test]
    fn a_run_is_read_from_airflows_answer() {
        let answer = json!({
            "dag_run_id": "manual__1", "state": "running", "run_after": "2026-11-21T13:36:23Z", "conf": {}
        });

        let run = Run::from_json(&answer).unwrap();

        assert_eq!(run.state, "running");
        assert!(!run.ended());
    }

    #[test]
    fn the_last_attempt_of_a_mapped_task_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("map_index=0");
        std::fs::create_dir(&folder).unwrap();
        let [first, second] = [1, 2].map(|attempt| folder.join(format!("attempt={attempt}.log")));
        for (log, seconds) in [(&second, 20), (&first, 10)] {
            let file = std::fs::File::create(log).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }

        assert_eq!(newest_attempt(directory.path().to_owned()), second);
    }
}
