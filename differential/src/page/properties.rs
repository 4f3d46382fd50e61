//! The page of all properties: what Sluice does about each, and the cases that show it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{NOTICE, Results, cell, some};
use crate::properties::Support;
use crate::report::Outcome;

/// Renders the page.
pub(super) fn render(results: &Results<'_>) -> String {
    let properties = results.properties;
    let mut page = format!(
        "# Properties\n\n{NOTICE}A property is **the same** where a case that sets it ends the same on both sides; \
         it is **obeyed** where no case of the differential sets it, and other tests stand behind it. A refused one \
         stops the connector before it does anything.\n\n\
         ## As a worker lists them\n\nThe worker's own list for Debezium's connector 3.6.1, \
         `GET /connector-plugins/PostgresConnector/config`.\n\n{TABLE}"
    );
    for name in &properties.of_the_worker {
        line(results, name, &mut page);
    }
    let _ = write!(
        page,
        "\n## Beside the list\n\nProperties that the worker does not list, and Sluice's own.\n\n{TABLE}"
    );
    let listed: BTreeSet<&str> =
        properties.of_the_worker.iter().filter_map(|name| properties.under(name)).collect();
    for name in properties.described.keys().filter(|name| !listed.contains(name.as_str())) {
        line(results, name, &mut page);
    }
    page
}

const TABLE: &str = "| property | Sluice | shown by |\n|---|---|---|\n";

fn line(results: &Results<'_>, name: &str, page: &mut String) {
    let described = results.properties.under(name);
    let cases: Vec<&Outcome> = results
        .outcomes
        .iter()
        .filter(|outcome| described.is_some_and(|described| sets(results, outcome, described)))
        .collect();
    let answer = match described.map(|described| &results.properties.described[described]) {
        None => "**no answer**".to_owned(),
        Some(property) => match property.support {
            Support::Obeyed => obeyed(results, &cases),
            Support::NoEffect => format!("no effect: {}", property.remark),
            Support::Refused => format!("not supported: {}", property.remark),
        },
    };
    let shown = if cases.len() == results.outcomes.len() {
        "every case".to_owned()
    } else {
        some(&cases.iter().map(|outcome| outcome.case.name.as_str()).collect::<Vec<_>>())
    };
    let name = if name.ends_with('.') { format!("{name}*") } else { name.to_owned() };
    let _ = writeln!(page, "| `{}` | {} | {shown} |", cell(&name), cell(&answer));
}

/// Whether a case gives Debezium, or Sluice alone, a property that falls under a described name.
fn sets(results: &Results<'_>, outcome: &Outcome, described: &str) -> bool {
    let mut names = outcome.properties.keys();
    names.any(|name| results.properties.under(name) == Some(described))
}

/// The same, if one of the cases ends so but for what is known of others with it.
fn obeyed(results: &Results<'_>, cases: &[&Outcome]) -> String {
    let own = |outcome: &Outcome| -> BTreeSet<String> {
        outcome
            .own(results.known)
            .filter(|known| !known.case.contains('*'))
            .map(|known| known.why.clone())
            .collect()
    };
    let good: Vec<_> = cases.iter().filter(|outcome| outcome.faults.is_empty()).collect();
    match (cases.is_empty(), good.is_empty()) {
        (true, _) => "obeyed".to_owned(),
        (_, true) => "**differs**".to_owned(),
        _ if good.iter().any(|outcome| own(outcome).is_empty()) => "the same".to_owned(),
        _ => {
            let reasons: BTreeSet<String> = good.iter().flat_map(|outcome| own(outcome)).collect();
            format!("the same but for: {}", reasons.into_iter().collect::<Vec<_>>().join("; "))
        }
    }
}
