//! The parameters of a request. As in the service nothing is refused: what is out of range falls back without a word.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::format::Format;
use super::seed::Seed;
use crate::person::{FIELDS, Gender, PasswordRule, Selection};
use crate::words::{NATIONS, Nation};

/// People of one answer.
const RESULTS: RangeInclusive<u32> = 1..=5_000;
/// Pages of a seed.
const PAGES: RangeInclusive<u32> = 1..=10_000;

/// A request, understood.
#[derive(Debug)]
pub(super) struct Query {
    /// How many people.
    pub(super) results: u32,
    /// Which of the seed's pages.
    pub(super) page: u32,
    /// The seed that was given, or a random one.
    pub(super) seed: Seed,
    /// Which people.
    pub(super) selection: Selection,
    /// How they are written.
    pub(super) format: Format,
    /// Whether `info` is left out.
    pub(super) no_info: bool,
    /// Whether the answer is a file to be saved.
    pub(super) download: bool,
    /// The JavaScript function that a JSON answer is handed to.
    pub(super) callback: Option<String>,
}

impl Query {
    /// Parses what stands behind the question mark. The last of repeated parameters wins.
    pub(super) fn parse(text: &str) -> Self {
        let parameters: HashMap<_, _> = form_urlencoded::parse(text.as_bytes()).collect();
        let given = |name: &str| parameters.contains_key(name);
        // An empty parameter counts as absent, but for those whose presence is all that counts.
        let value =
            |name: &str| parameters.get(name).map(AsRef::as_ref).filter(|value: &&str| !value.is_empty());

        let seed = value("seed").map_or_else(Seed::random, Seed::parse);
        let gender = if value("seed").is_some() { None } else { value("gender").and_then(gender) };
        let nations = match seed.nation() {
            Some(nation) => vec![nation],
            None => nations(value("nat").or(value("nationality"))),
        };
        Self {
            results: within(RESULTS, value("results")),
            page: within(PAGES, value("page")),
            selection: Selection {
                nations,
                gender,
                fields: fields(value("inc"), value("exc")),
                password: value("password").map_or_else(PasswordRule::default, PasswordRule::parse),
            },
            seed,
            format: Format::parse(value("format").or(value("fmt")).unwrap_or_default()),
            no_info: given("noinfo"),
            download: given("dl") || given("download"),
            callback: parameters.get("callback").map(|name| name.clone().into_owned()),
        }
    }
}

/// A whole number of the range, in any notation of JavaScript's for decimal numbers; else the range's first.
fn within(range: RangeInclusive<u32>, text: Option<&str>) -> u32 {
    let number = text.and_then(|text| text.trim().parse::<f64>().ok());
    let whole = number.filter(|number| number.fract() == 0.0).map(|number| number as u32);
    whole.filter(|number| range.contains(number)).unwrap_or(*range.start())
}

fn gender(text: &str) -> Option<Gender> {
    [Gender::Male, Gender::Female].into_iter().find(|gender| gender.name() == text)
}

/// The nationalities of a comma list in either case; all of them if the list is empty or holds an unknown one.
fn nations(list: Option<&str>) -> Vec<&'static Nation> {
    let codes = list.unwrap_or_default().split(',').filter(|code| !code.is_empty());
    let known = codes.map(|code| NATIONS.iter().find(|nation| nation.code.eq_ignore_ascii_case(code)));
    match known.collect::<Option<Vec<_>>>() {
        Some(nations) if !nations.is_empty() => nations,
        _ => NATIONS.iter().collect(),
    }
}

/// The fields of the comma list `inc`, all of them without one, less those of `exc`. Unknown names count for nothing.
fn fields(inc: Option<&str>, exc: Option<&str>) -> Vec<&'static str> {
    let names = |list: &str, field: &str| list.split(',').any(|name| name.trim().eq_ignore_ascii_case(field));
    let asked_for = |field: &&str| inc.is_none_or(|list| names(list, field));
    let left_out = |field: &&str| exc.is_some_and(|list| names(list, field));
    FIELDS.into_iter().filter(asked_for).filter(|field| !left_out(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(query: &str) -> Vec<&'static str> {
        Query::parse(query).selection.nations.iter().map(|nation| nation.code).collect()
    }

    #[test]
    fn numbers_out_of_range_fall_back_to_one() {
        for text in ["", "0", "-1", "5001", "1.5", "x", "NaN", "Infinity"] {
            assert_eq!(Query::parse(&format!("results={text}")).results, 1, "{text}");
        }
        for text in ["0", "-3", "10001", "x"] {
            assert_eq!(Query::parse(&format!("page={text}")).page, 1, "{text}");
        }
        let query = Query::parse("results=5e3&page=10000");
        assert_eq!((query.results, query.page), (5_000, 10_000));
    }

    #[test]
    fn the_last_of_repeated_parameters_wins() {
        assert_eq!(Query::parse("results=2&results=7").results, 7);
        assert_eq!(Query::parse("results=2&results=x").results, 1);
    }

    #[test]
    fn one_unknown_nationality_voids_the_filter() {
        assert_eq!(codes("nat=gb,De"), ["GB", "DE"]);
        assert_eq!(codes("nat=gb,xx").len(), 21);
        assert_eq!(codes("nat=gb,%20de").len(), 21);
        assert_eq!(codes("nat=,").len(), 21);
    }

    #[test]
    fn the_nationality_of_a_seed_beats_the_filter() {
        assert_eq!(codes("nat=gb&seed=0123456789abcdef04"), ["DE"]);
    }

    #[test]
    fn gender_counts_only_without_a_seed() {
        assert_eq!(Query::parse("gender=female").selection.gender, Some(Gender::Female));
        assert_eq!(Query::parse("gender=female&seed=").selection.gender, Some(Gender::Female));
        assert_eq!(Query::parse("gender=female&seed=a").selection.gender, None);
        assert_eq!(Query::parse("gender=Female").selection.gender, None);
    }

    #[test]
    fn fields_are_included_less_those_excluded() {
        let fields = |query| Query::parse(query).selection.fields;

        assert_eq!(fields("inc=nat,%20Name,height"), ["name", "nat"]);
        assert_eq!(fields("inc=name,nat&exc=nat"), ["name"]);
        assert_eq!(fields("exc=login").len(), 11);
        assert_eq!(fields("inc=&exc=").len(), 12);
        assert_eq!(fields("inc=name.first").len(), 0);
    }

    #[test]
    fn switches_count_by_their_presence() {
        let query = Query::parse("noinfo&dl=&callback=show");

        assert!(query.no_info && query.download);
        assert_eq!(query.callback.as_deref(), Some("show"));
    }
}
