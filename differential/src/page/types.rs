//! The page of all types: in which modes they are the same, where they differ, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{NOTICE, Results, cell};
use crate::database::Column;
use crate::report::Outcome;

/// Properties that change how types are written, with parts of the names of those types; "" is in all of them.
const MODES: [(&str, &[&str]); 8] = [
    ("time.precision.mode", &["date", "time"]),
    ("decimal.handling.mode", &["numeric", "money"]),
    ("binary.handling.mode", &["bytea"]),
    ("hstore.handling.mode", &["hstore"]),
    ("interval.handling.mode", &["interval"]),
    ("include.unknown.datatypes", &[""]),
    ("compatibility", &[""]),
    ("value.converter", &[""]),
];

/// What came of a type: modes in which it was the same, and reasons why it was not, with their modes.
#[derive(Default)]
struct Row {
    same: BTreeSet<String>,
    different: BTreeMap<String, BTreeSet<String>>,
}

/// Renders the page.
pub(super) fn render(results: &Results<'_>) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for outcome in results.outcomes {
        for column in &outcome.columns {
            let row = rows.entry(&column.kind).or_default();
            let mode = mode(outcome, &column.kind);
            let reasons = reasons(results, outcome, column);
            if reasons.is_empty() {
                row.same.insert(mode);
            } else {
                reasons.into_iter().for_each(|reason| {
                    row.different.entry(reason).or_default().insert(mode.clone());
                });
            }
        }
    }
    let mut page = format!(
        "# Types\n\n{NOTICE}The types of all columns of all cases, and the modes that the cases set. Where a mode stands on \
         both sides, the difference is in some values only, which the reason names.\n\n\
         | type | the same in | different |\n|---|---|---|\n"
    );
    for (kind, row) in rows {
        let same = row.same.into_iter().collect::<Vec<_>>().join(", ");
        let different = row.different.into_iter().map(|(reason, modes)| {
            format!("{reason} ({})", modes.into_iter().collect::<Vec<_>>().join(", "))
        });
        let different = different.collect::<Vec<_>>().join("<br>");
        let _ = writeln!(page, "| `{}` | {} | {} |", cell(kind), cell(&same), cell(&different));
    }
    page
}

/// The modes of a case that matter to a type.
fn mode(outcome: &Outcome, kind: &str) -> String {
    let matters = |kinds: &[&str]| kinds.iter().any(|part| kind.contains(part));
    let set = MODES.iter().filter(|(_, kinds)| matters(kinds)).filter_map(|(name, _)| {
        let value = outcome.properties.get(*name)?;
        match *name {
            "value.converter" => value.contains("Json").then(|| "JSON".to_owned()),
            "compatibility" => Some(format!("`compatibility={value}`")),
            "include.unknown.datatypes" => Some(format!("`include.unknown.datatypes={value}`")),
            _ => Some(format!("`{value}`")),
        }
    });
    let set: Vec<_> = set.collect();
    if set.is_empty() { "default".to_owned() } else { set.join(" with ") }
}

/// Why a column differed, or was refused.
fn reasons(results: &Results<'_>, outcome: &Outcome, column: &Column) -> Vec<String> {
    let met = outcome.accepted.iter().filter(|(place, _)| column.is_at(place));
    let mut reasons: BTreeSet<String> = met.map(|(_, index)| results.known[*index].why.clone()).collect();
    if outcome.faults.iter().any(|fault| column.is_at(fault.lines().next().unwrap_or_default())) {
        reasons.insert("**differs**".to_owned());
    }
    reasons.into_iter().collect()
}
