//! The live view: rows arriving and totals growing, redrawn in place on a terminal, a line now and then elsewhere.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, IsTerminal, Write as _};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;

use super::{DAGS, Dags, Pipeline};

/// Seconds between two looks at a terminal: each look counts tables.
const TERMINAL_SECONDS: &str = "2";
/// Seconds between two lines elsewhere.
const LINE_SECONDS: &str = "10";
/// To the top left corner.
const HOME: &str = "\x1b[H";
/// Clears from the cursor to the end of the line.
const CLEAR_LINE: &str = "\x1b[K";
/// Clears from the cursor to the end of the screen.
const CLEAR_BELOW: &str = "\x1b[J";
/// Clears the screen.
const CLEAR: &str = "\x1b[2J";

/// Shows the pipeline until this process is ended, as ctrl-c does.
///
/// # Errors
/// Fails when the program that looks ends.
pub(super) fn watch(pipeline: &Pipeline<'_>, mut dags: Dags) -> anyhow::Result<()> {
    let terminal = io::stdout().is_terminal();
    let every = if terminal { TERMINAL_SECONDS } else { LINE_SECONDS };
    let mut command = pipeline.workload().command(&["status", "--every", every]);
    let mut looks =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("run sluice-users")?;
    let lines = BufReader::new(looks.stdout.take().context("read from sluice-users")?).lines();
    let start = Instant::now();
    if terminal {
        print(CLEAR)?;
    }
    for line in lines {
        let status: Value = serde_json::from_str(&line?).context("read the status")?;
        let runs = runs(&mut dags);
        let seconds = start.elapsed().as_secs();
        if terminal {
            let text = screen(seconds, &status, &runs, &pipeline.addresses());
            print(&format!("{HOME}{}{CLEAR_BELOW}", text.replace('\n', &format!("{CLEAR_LINE}\n"))))?;
        } else {
            print(&self::line(seconds, &status, &runs))?;
        }
    }
    bail!("sluice-users status: {}", looks.wait()?)
}

/// The state of each DAG's latest run, and when it was due.
fn runs(dags: &mut Dags) -> Vec<(&'static str, String)> {
    let mut state = |dag| match dags.latest(dag) {
        Ok(Some(run)) => format!("{:<8} due {}", run.state, run.due.get(11..19).unwrap_or(&run.due)),
        Ok(None) => "not yet".to_owned(),
        Err(_) => "—".to_owned(),
    };
    DAGS.into_iter().map(|dag| (dag, state(dag))).collect()
}

fn line(seconds: u64, status: &Value, runs: &[(&str, String)]) -> String {
    let shown = |name: &str| shown(&status[name]);
    let runs: Vec<_> =
        runs.iter().map(|(dag, run)| format!("{dag} {}", run.split(' ').next().unwrap_or(run))).collect();
    format!(
        "{seconds:>4} s  postgres {} rows; kafka {} records; cassandra {} rows; spark {} people, {} changes; {}\n",
        shown("postgres_rows"),
        shown("topic_records"),
        shown("cassandra_rows"),
        shown("population"),
        shown("changes_counted"),
        runs.join(", ")
    )
}

fn screen(seconds: u64, status: &Value, runs: &[(&str, String)], addresses: &[(&str, String)]) -> String {
    let shown = |name: &str| shown(&status[name]);
    let mut text = format!(
        "sluice demo · randomuser → Airflow → Postgres → Kafka → Spark, Cassandra · {:02}:{:02}\n\n",
        seconds / 60,
        seconds % 60
    );
    let rows = [
        ("Postgres", "postgres_rows", "rows     in public.users"),
        ("Kafka", "topic_records", "records  in users.public.users"),
        ("Cassandra", "cassandra_rows", "rows     in users.users, by Sluice"),
        ("", "population", "people   in spark_streams.population, by Spark"),
        ("", "changes_counted", "changes  in spark_streams.changes_by_country, by Spark"),
        ("erasures", "erasures_done", "done, with receipts"),
        ("", "erasures_open", "open"),
    ];
    for (place, name, what) in rows {
        let _ = writeln!(text, "  {place:<12}{:>10} {what}", shown(name));
    }
    let _ =
        writeln!(text, "  {:<12}{:>10} at the latest reconciliation\n", "mirror", shown("reconciliation"));
    for (place, (dag, run)) in std::iter::once("DAGs").chain(std::iter::repeat("")).zip(runs) {
        let _ = writeln!(text, "  {place:<12}{dag:<17}{run}");
    }
    text.push('\n');
    for (place, (name, address)) in std::iter::once("look at").chain(std::iter::repeat("")).zip(addresses) {
        let _ = writeln!(text, "  {place:<12}{name:<11}{address}");
    }
    text.push_str("  stop        ctrl-c\n");
    text
}

/// A number or a word; a dash where nothing answered.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> Value {
        json!({"postgres_rows": 200, "topic_records": 240, "cassandra_rows": 199, "population": null})
    }

    #[test]
    fn a_line_tells_all_counts_and_states() {
        let runs = [("users_ingest", "success  due 13:36:23".to_owned())];

        let line = line(7, &status(), &runs);

        assert_eq!(
            line,
            "   7 s  postgres 200 rows; kafka 240 records; cassandra 199 rows; spark — people, — changes; \
             users_ingest success\n"
        );
    }

    #[test]
    fn the_screen_names_what_to_open() {
        let addresses = [("Airflow", "http://127.0.0.1:8080".to_owned())];

        let screen = screen(61, &status(), &[], &addresses);

        assert!(screen.contains("01:01"));
        assert!(screen.contains("  look at     Airflow    http://127.0.0.1:8080\n"), "{screen}");
    }
}
