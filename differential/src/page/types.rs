//! The page of all types: the matrix of types and modes, and the values that differ elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{NOTICE, Results, cell, some};
use crate::database::Column;
use crate::modes;
use crate::report::Outcome;

mod matrix;

const HEAD: &str = "Both connectors read every type in every mode, with ordinary values and with none; further down are \
    values that differ for being odd. **same**: schemas are equal byte for byte, and values are equal. **≠** has a number \
    from the list of reasons.\n\n";

/// What cannot be compared, as found with 3.6.1.
const NOT_COMPARED: &str = "A value of type `refcursor` stops Debezium's snapshot, which takes it for an open cursor, and a \
    domain over an enum anywhere in the database stops its start: neither is compared.\n";

/// Renders the page.
pub(super) fn render(results: &Results<'_>) -> String {
    let mut page = format!("# Types\n\n{NOTICE}{HEAD}");
    matrix::render(results, &mut page);
    not_here(results, &mut page);
    odd_values(results, &mut page);
    page
}

/// Types of extensions that the server has not.
fn not_here(results: &Results<'_>, page: &mut String) {
    let _ = write!(page, "\n## Not run here\n\n{NOT_COMPARED}");
    let lacking = results.left_out.iter().filter(|(case, _)| !case.extensions.is_empty());
    for (number, (case, why)) in lacking.enumerate() {
        if number == 0 {
            let elsewhere = "[where they were run](../../tests/differential/README.md)";
            let _ =
                write!(page, "\nTypes of extensions that the server of this run lacks ({elsewhere}):\n\n");
        }
        let _ = writeln!(page, "- `{}`: {} ({why})", case.name, case.title);
    }
}

/// The reasons of all differences, by type.
fn odd_values(results: &Results<'_>, page: &mut String) {
    let mut types: BTreeMap<&str, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for outcome in results.outcomes.iter().filter(|outcome| !modes::in_matrix(&outcome.case)) {
        for column in &outcome.columns {
            for reason in reasons(results, outcome, |place| column.is_at(place)) {
                let cases = types.entry(&column.kind).or_default().entry(reason).or_default();
                cases.insert(&outcome.case.name);
            }
        }
    }
    page.push_str(
        "\n## Values that differ\n\nWhat all other cases show, those of odd values, defaults and altered tables among them: \
         for each type the reasons why a record differed. All else that they hold is the same.\n\n\
         | type | difference | cases |\n|---|---|---|\n",
    );
    for (kind, reasons) in types {
        for (reason, cases) in reasons {
            let cases = some(&cases.into_iter().collect::<Vec<_>>());
            let _ = writeln!(page, "| `{}` | {} | {cases} |", cell(kind), cell(&reason));
        }
    }
}

/// Why records of a case differed at some places, or it was refused there.
fn reasons(results: &Results<'_>, outcome: &Outcome, at: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let met = outcome.accepted.iter().filter(|(place, _)| at(place));
    let mut reasons: BTreeSet<String> = met.map(|(_, index)| results.known[*index].why.clone()).collect();
    if outcome.faults.iter().any(|fault| at(fault.lines().next().unwrap_or_default())) {
        reasons.insert("**differs**".to_owned());
    }
    reasons
}

/// Why a column of the matrix differed; nothing if it was not compared: its table was left out, or the case failed.
fn of_matrix(results: &Results<'_>, outcome: &Outcome, column: &Column) -> Option<BTreeSet<String>> {
    let refused = reasons(results, outcome, |place| column.is_refused_at(place));
    if !refused.is_empty() {
        return Some(refused);
    }
    let written = outcome.written.topics.contains_key(&format!("P.{}", column.table));
    written.then(|| reasons(results, outcome, |place| column.is_at(place)))
}

#[cfg(test)]
mod tests;
