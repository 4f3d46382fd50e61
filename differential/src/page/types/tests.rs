use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::case::Case;
use crate::database::REFUSED;
use crate::expected::Expected;
use crate::known::{Known, Verdict};
use crate::majors::Majors;
use crate::observe::Observed;
use crate::properties::{Properties, Property, Support};

/// A case with a table `t` of one column in which records differ at places, or one that is refused.
fn outcome(name: &str, kind: &str, settings: &[(&str, &str)], differs_at: Option<&str>) -> Outcome {
    let column = |name: &str, kind: &str| Column {
        table: "public.t".to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        key: name == "id",
    };
    let settings: BTreeMap<_, _> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let case = Case {
        name: name.to_owned(),
        title: "Types.".to_owned(),
        majors: Majors::default(),
        extensions: Vec::new(),
        before: Vec::new(),
        phases: Vec::new(),
        settings: settings.clone(),
        expected: Expected::new(),
    };
    let mut written = Observed::default();
    if !differs_at.is_some_and(|place| place.starts_with(REFUSED)) {
        written.topics.insert("P.public.t".to_owned(), BTreeMap::new());
    }
    Outcome {
        case,
        took: Duration::ZERO,
        records: 0,
        written,
        properties: settings,
        columns: vec![column("id", "uuid"), column("v", kind)],
        accepted: differs_at.map(|place| (place.to_owned(), 0)).into_iter().collect::<BTreeSet<_>>(),
        met: differs_at.map(|_| 0).into_iter().collect(),
        faults: Vec::new(),
    }
}

fn page(outcomes: &[Outcome]) -> String {
    let property = |default: &str, values: &[&str]| Property {
        support: Support::Obeyed,
        remark: String::new(),
        default: Some(default.to_owned()),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let mut properties = Properties::default();
    let decimals = property("precise", &["precise", "double"]);
    properties.described.insert("decimal.handling.mode".to_owned(), decimals);
    let unknown = property("false", &["true", "false"]);
    properties.described.insert("include.unknown.datatypes".to_owned(), unknown);
    let known = [Known {
        case: "x".to_owned(),
        place: None,
        refusal: None,
        postgres: Majors::default(),
        verdict: Verdict::OnPurpose,
        why: "it is better".to_owned(),
    }];
    let (left_out, postgres) = (&[], "17.10");
    render(&Results { outcomes, left_out, known: &known, properties: &properties, postgres })
}

const DOUBLE: (&str, &str) = ("decimal.handling.mode", "double");
const INCLUDED: (&str, &str) = ("include.unknown.datatypes", "true");
const DEBEZIUM: (&str, &str) = ("compatibility", "debezium");
const VALUE: Option<&str> = Some("P.public.t value /after/v");

#[test]
fn a_type_is_told_apart_by_its_own_modes() {
    let page = page(&[
        outcome("matrix.in_default", "numeric", &[], None),
        outcome("matrix.in_double", "numeric", &[DOUBLE], VALUE),
        outcome("matrix.debezium_double", "numeric", &[DOUBLE, DEBEZIUM], None),
    ]);

    assert!(page.contains("| `numeric` | same | **≠ 1** | same |"), "{page}");
    assert!(page.contains("1. it is better"), "{page}");
}

#[test]
fn what_other_modes_change_is_not_hidden() {
    let page = page(&[
        outcome("matrix.in_default", "text", &[], None),
        outcome("matrix.in_double", "text", &[DOUBLE], VALUE),
    ]);

    let cells = "same in matrix.in_default<br>**≠ 1** in matrix.in_double";
    assert!(page.contains(&format!("| `text` | {cells} | not run |")), "{page}");
}

#[test]
fn a_refused_type_is_told_apart_by_whether_it_is_included() {
    let page = page(&[
        outcome("matrix.unknown", "line", &[], Some("refused public.t /v")),
        outcome("matrix.in_included", "line", &[INCLUDED], None),
        outcome("matrix.debezium", "line", &[DEBEZIUM], None),
    ]);

    assert!(page.contains("| `line` | same | **≠ 1** | not run | same |"), "{page}");
    assert!(page.contains("`decimal.handling.mode`, `include.unknown.datatypes`"), "{page}");
}

#[test]
fn a_table_that_was_left_out_says_nothing_of_its_types() {
    let mut left_out = outcome("matrix.in_default", "line", &[], None);
    left_out.written.topics.clear();

    assert!(!page(&[left_out]).contains("`line`"));
}

#[test]
fn differences_of_other_cases_have_a_line_each() {
    let page = page(&[outcome("types_odd", "date", &[], VALUE)]);

    assert!(page.contains("| `date` | it is better | types_odd |"), "{page}");
}
