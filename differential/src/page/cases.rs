//! The page of all cases: one line for each script, its variants by what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{NOTICE, Results, cell};
use crate::case::Case;
use crate::known::Known;
use crate::report::Outcome;

/// Renders the page.
pub(super) fn render(results: &Results<'_>) -> String {
    let mut page = format!(
        "# Cases\n\n{NOTICE}Each runs an SQL script while Debezium and Sluice capture it; a name behind a point is \
         another file of settings for the same script. They are in `tests/differential`.\n\n\
         | script | shows | results |\n|---|---|---|\n"
    );
    let ran = results.outcomes.iter().map(|outcome| (&outcome.case, result(outcome, results.known)));
    let left_out = results.left_out.iter().map(|(case, why)| (case, format!("not run: {why}")));
    let mut scripts: BTreeMap<&str, Vec<(&Case, String)>> = BTreeMap::new();
    for (case, result) in ran.chain(left_out) {
        scripts.entry(case.name.split('.').next().unwrap_or_default()).or_default().push((case, result));
    }
    for (script, results) in scripts {
        let title = cell(&results[0].0.title);
        let mut by_result: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (case, result) in results {
            by_result.entry(result).or_default().push(variant(case));
        }
        let lines = by_result.into_iter().map(|(result, variants)| match variants[..] {
            [""] => result,
            _ => format!("{}: {result}", listed(&variants)),
        });
        let _ = writeln!(page, "| {script} | {title} | {} |", cell(&lines.collect::<Vec<_>>().join("<br>")));
    }
    page
}

fn listed(variants: &[&str]) -> String {
    let names = variants.iter().map(|name| if name.is_empty() { "plain" } else { name });
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What stands behind the script's name.
fn variant(case: &Case) -> &str {
    case.name.split_once('.').map_or("", |(_, variant)| variant)
}

fn result(outcome: &Outcome, known: &[Known]) -> String {
    let reasons: BTreeSet<&str> = outcome.own(known).map(|known| known.why.as_str()).collect();
    match outcome.verdict(known) {
        "DIFFERENT" => "**differs**".to_owned(),
        verdict if reasons.is_empty() => verdict.to_owned(),
        verdict => format!("{verdict}: {}", reasons.into_iter().collect::<Vec<_>>().join("; ")),
    }
}
