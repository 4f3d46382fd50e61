//! What the tasks tell the person at the terminal: progress on standard error, results on standard output.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Prints a line of progress. A closed terminal is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a line of result, for people and scripts alike.
pub(crate) fn answer(line: impl Display) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Runs a step under a headline and says how long it took.
pub(crate) fn step<T>(title: &str, run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(format_args!("\n== {title}"));
    let started = Instant::now();
    let outcome = run();
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    say(format_args!("== {title}: {verdict} in {}", seconds(started.elapsed())));
    outcome
}

/// Renders a duration as people read it: `3.2 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
