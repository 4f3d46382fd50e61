//! The matrix: types down, modes across.
//!
//! A type stands in the table of the property that it has modes of, which tells these apart. In all modes of other
//! properties it must come out alike; where it does not, the cell names the cases of each result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::of_matrix;
use crate::modes;
use crate::page::{Results, cell};
use crate::report::Outcome;

/// Tables: the property whose modes they tell apart, and the types that have them, arrays and domains included.
const TABLES: [(&str, &str, &[&str]); 5] = [
    (
        "Dates and times",
        "time.precision.mode",
        &[
            "date",
            "time with time zone",
            "time without time zone",
            "timestamp with time zone",
            "timestamp without time zone",
        ],
    ),
    ("Decimals", "decimal.handling.mode", &["money", "numeric"]),
    ("Bytes", "binary.handling.mode", &["bytea"]),
    ("Intervals", "interval.handling.mode", &["interval"]),
    ("Maps", "hstore.handling.mode", &["hstore"]),
];
/// The table of types that Debezium does not know, or only a snapshot of its.
const UNKNOWN: &str = "Types unknown to Debezium";
const OTHERS: &str = "All other types";

/// A type in one case.
struct Run<'a> {
    outcome: &'a Outcome,
    reasons: BTreeSet<String>,
}

/// A type in all cases.
type Runs<'a> = Vec<Run<'a>>;

/// Writes the matrix.
pub(super) fn render(results: &Results<'_>, page: &mut String) {
    let types = types(results);
    page.push_str("The modes:\n\n");
    for property in modes::PROPERTIES {
        let ran = |mode: &&str| types.values().flatten().any(|run| is_in(results, run, property, mode));
        let modes: Vec<_> =
            modes::all(results.properties, property).filter(ran).map(|mode| format!("`{mode}`")).collect();
        let _ = writeln!(page, "- `{property}`: {}", modes.join(", "));
    }
    for (property, mode) in modes::OF_SLUICE_ALONE {
        let _ = write!(page, "\n`{property}={mode}` is Sluice's: Debezium 3.6.1 refuses it.\n");
    }
    page.push_str(
        "\nA table tells apart the modes that its types have, without and with `compatibility=debezium`. In all modes of \
         other properties the result was the same; a cell that holds more than one names the cases of each.\n",
    );

    let mut reasons = Reasons::default();
    let titles = TABLES.iter().map(|(title, property, _)| (*title, Some(*property)));
    for (title, property) in titles.chain([(UNKNOWN, Some(modes::UNKNOWN)), (OTHERS, None)]) {
        let rows = types.iter().filter(|(kind, runs)| table_of(results, kind, runs) == title);
        let rows: Vec<(&str, &Runs<'_>)> = rows.map(|(kind, runs)| (*kind, runs)).collect();
        table(results, title, property, &rows, &mut reasons, page);
    }
    reasons.list(page);
    gaps(results, &types, page);
}

/// What the cases of the matrix say of each type.
fn types<'a>(results: &Results<'a>) -> BTreeMap<&'a str, Runs<'a>> {
    let mut types: BTreeMap<&str, Runs<'_>> = BTreeMap::new();
    for outcome in results.outcomes.iter().filter(|outcome| modes::in_matrix(&outcome.case)) {
        let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for column in &outcome.columns {
            if let Some(reasons) = of_matrix(results, outcome, column) {
                seen.entry(&column.kind).or_default().extend(reasons);
            }
        }
        for (kind, reasons) in seen {
            types.entry(kind).or_default().push(Run { outcome, reasons });
        }
    }
    types
}

fn is_in(results: &Results<'_>, run: &Run<'_>, property: &str, mode: &str) -> bool {
    modes::mode(&run.outcome.properties, results.properties, property) == mode
}

/// The title of the table that a type stands in.
fn table_of(results: &Results<'_>, kind: &str, runs: &Runs<'_>) -> &'static str {
    let came_of = |included: &str| -> BTreeSet<_> {
        let runs = runs.iter().filter(|run| !modes::as_debezium(&run.outcome.properties));
        runs.filter(|run| is_in(results, run, modes::UNKNOWN, included)).map(|run| &run.reasons).collect()
    };
    let refused = runs.iter().any(|run| run.outcome.written.topics.is_empty());
    let (included, left) = (came_of("true"), came_of("false"));
    if refused || !included.is_empty() && !left.is_empty() && included.is_disjoint(&left) {
        return UNKNOWN;
    }
    let element = kind.trim_end_matches("[]").trim_start_matches('(').trim_end_matches(')');
    let base = element.trim_start_matches("domain over ");
    TABLES.iter().find(|(.., types)| types.contains(&base)).map_or(OTHERS, |(title, ..)| title)
}

/// Writes a table with a column for each mode of its property, or one for every mode.
fn table(
    results: &Results<'_>,
    title: &str,
    property: Option<&str>,
    rows: &[(&str, &Runs<'_>)],
    reasons: &mut Reasons,
    page: &mut String,
) {
    let modes = |property| modes::all(results.properties, property).map(Some).collect();
    let modes: Vec<Option<&str>> = property.map_or_else(|| vec![None], modes);
    let of = property.map(|property| format!(": `{property}`")).unwrap_or_default();
    let _ = write!(page, "\n### {title}{of}\n\n");
    // Debezium's values are in one column, but where the types are captured or not.
    let apart = property == Some(modes::UNKNOWN);
    let columns: Vec<(Option<&str>, bool)> = match apart {
        true => {
            [false, true].iter().flat_map(|debezium| modes.iter().map(|mode| (*mode, *debezium))).collect()
        }
        false => modes.iter().map(|mode| (*mode, false)).chain([(None, true)]).collect(),
    };
    let names = columns.iter().map(|column| match column {
        (Some(mode), false) => format!("`{mode}`"),
        (None, false) => "every mode".to_owned(),
        (Some(mode), true) => format!("`{mode}`, `compatibility=debezium`"),
        (None, true) => "`compatibility=debezium`".to_owned(),
    });
    let _ = writeln!(page, "| type | {} |", names.collect::<Vec<_>>().join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(columns.len()));
    for (kind, runs) in rows {
        let cells = columns.iter().map(|(mode, debezium)| {
            let in_mode = |run: &&Run<'_>| {
                let wanted = property.zip(*mode);
                wanted.is_none_or(|(property, mode)| is_in(results, run, property, mode))
            };
            let runs = runs.iter().filter(|run| modes::as_debezium(&run.outcome.properties) == *debezium);
            reasons.cell(runs.filter(in_mode))
        });
        let _ = writeln!(page, "| `{}` | {} |", cell(kind), cells.collect::<Vec<_>>().join(" | "));
    }
}

/// Reasons by number, in the order of the page.
#[derive(Default)]
struct Reasons(Vec<String>);

impl Reasons {
    /// What came of a type in some cases: one word if it was the same in all of them.
    fn cell<'a>(&mut self, runs: impl Iterator<Item = &'a Run<'a>>) -> String {
        let mut results: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
        for run in runs {
            results.entry(&run.reasons).or_default().push(&run.outcome.case.name);
        }
        let alike = results.len() == 1;
        let texts = results.into_iter().map(|(reasons, cases)| match alike {
            true => self.text(reasons),
            false => format!("{} in {}", self.text(reasons), cases.join(", ")),
        });
        let texts: Vec<_> = texts.collect();
        if texts.is_empty() { "not run".to_owned() } else { texts.join("<br>") }
    }

    fn text(&mut self, reasons: &BTreeSet<String>) -> String {
        if reasons.is_empty() {
            return "same".to_owned();
        }
        let numbers = reasons.iter().map(|reason| {
            let known = self.0.iter().position(|known| known == reason).unwrap_or_else(|| {
                self.0.push(reason.clone());
                self.0.len() - 1
            });
            (known + 1).to_string()
        });
        format!("**≠ {}**", numbers.collect::<Vec<_>>().join(", "))
    }

    fn list(&self, page: &mut String) {
        page.push_str("\n### The reasons\n\n");
        for (index, reason) in self.0.iter().enumerate() {
            let _ = writeln!(page, "{}. {}", index + 1, cell(reason));
        }
    }
}

/// Says which types did not run in all modes of which properties.
fn gaps(results: &Results<'_>, types: &BTreeMap<&str, Runs<'_>>, page: &mut String) {
    let mut gaps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (kind, runs) in types {
        let ran = |property: &str, mode: &str, debezium: bool| {
            let mut runs = runs.iter().filter(|run| modes::as_debezium(&run.outcome.properties) == debezium);
            runs.any(|run| is_in(results, run, property, mode))
        };
        let whole = |property: &str| {
            modes::all(results.properties, property)
                .all(|mode| ran(property, mode, false) && ran(property, mode, true))
        };
        let partly = modes::PROPERTIES.iter().filter(|property| !whole(property));
        let partly: Vec<_> = partly.map(|property| format!("`{property}`")).collect();
        if !partly.is_empty() {
            gaps.entry(partly.join(", ")).or_default().push(format!("`{}`", cell(kind)));
        }
    }
    if gaps.is_empty() {
        return;
    }
    page.push_str(
        "\n### Modes that a type did not run in\n\nSluice refuses a type at the start whatever the other modes are, so \
         these did not run in all modes of some properties:\n\n",
    );
    for (properties, kinds) in gaps {
        let _ = writeln!(page, "- {properties}: {}", kinds.join(", "));
    }
}
