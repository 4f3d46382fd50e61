//! The modes that change how types are written, and the cases that run all types in all of them: the matrix.

use crate::case::{Case, Properties as Settings};
use crate::properties::Properties;

/// The properties that have such modes. A converter is one of them by what it writes.
pub const PROPERTIES: [&str; 7] = [
    "time.precision.mode",
    "decimal.handling.mode",
    "binary.handling.mode",
    "interval.handling.mode",
    "hstore.handling.mode",
    UNKNOWN,
    CONVERTER,
];

/// Whether types that Debezium does not know are captured.
pub const UNKNOWN: &str = "include.unknown.datatypes";
const CONVERTER: &str = "value.converter";
const COMPATIBILITY: &str = "compatibility";

/// What converters write.
const FORMATS: [&str; 3] = ["Avro", "JSON with schemas", "JSON without schemas"];
/// The modes that Sluice has and Debezium 3.6.1 refuses.
pub const OF_SLUICE_ALONE: [(&str, &str); 1] = [("time.precision.mode", "structured")];

/// Whether a case is of the matrix: it has types for their own sake, in ordinary values.
pub fn in_matrix(case: &Case) -> bool {
    // What needs an extension that the pinned servers lack has a script of its own.
    case.name.starts_with("matrix") || !case.extensions.is_empty()
}

/// The mode of a property that settings lead to.
pub fn mode<'a>(settings: &'a Settings, described: &'a Properties, property: &str) -> &'a str {
    let set = settings.get(property).map(String::as_str);
    if property != CONVERTER {
        let default = described.described.get(property).and_then(|described| described.default.as_deref());
        return set.or(default).unwrap_or_default();
    }
    let schemas = settings.get("value.converter.schemas.enable").is_none_or(|value| value == "true");
    match (set.is_some_and(|class| class.ends_with("JsonConverter")), schemas) {
        (false, _) => FORMATS[0],
        (true, true) => FORMATS[1],
        (true, false) => FORMATS[2],
    }
}

/// Whether settings ask for Debezium's values where it loses or changes some.
pub fn as_debezium(settings: &Settings) -> bool {
    settings.get(COMPATIBILITY).is_some_and(|value| value == "debezium")
}

/// All modes of a property that Debezium has, too.
pub fn all<'a>(described: &'a Properties, property: &'a str) -> impl Iterator<Item = &'a str> {
    let values = described.described.get(property).map(|described| described.values.as_slice());
    let formats = FORMATS.iter().copied().filter(move |_| property == CONVERTER);
    let values = values.unwrap_or_default().iter().map(String::as_str);
    values.chain(formats).filter(move |mode| !OF_SLUICE_ALONE.contains(&(property, mode)))
}

/// Modes in which no case of the matrix runs, with and without `compatibility=debezium`.
pub fn not_run<'a>(cases: impl Iterator<Item = &'a Case>, described: &Properties) -> Vec<String> {
    let settings = cases.filter(|case| in_matrix(case)).map(|case| case.properties("sluice"));
    let settings: Vec<Settings> = settings.collect();
    let mut missing = Vec::new();
    for (compatibility, debezium) in [("correct", false), ("debezium", true)] {
        for property in PROPERTIES {
            let runs = |wanted: &&str| {
                let ran = |settings: &&Settings| {
                    as_debezium(settings) == debezium && mode(settings, described, property) == *wanted
                };
                settings.iter().any(|settings| ran(&settings))
            };
            let lacking = all(described, property).filter(|mode| !runs(mode));
            missing.extend(
                lacking.map(|mode| format!("`{property}={mode}` with `{COMPATIBILITY}={compatibility}`")),
            );
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::case;
    use crate::properties::{Property, Support};

    /// The modes as `sluice describe` tells them.
    fn described(hstore: &[&str]) -> Properties {
        let property = |default: &str, values: &[&str]| Property {
            support: Support::Obeyed,
            remark: String::new(),
            default: Some(default.to_owned()),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let mut described = Properties::default();
        let times = ["adaptive", "structured"];
        described.described.insert("time.precision.mode".to_owned(), property("adaptive", &times));
        described.described.insert("hstore.handling.mode".to_owned(), property("json", hstore));
        described
    }

    #[test]
    fn a_mode_that_no_case_runs_in_is_told() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/differential");
        let cases = case::read_all(Path::new(folder)).unwrap();

        assert_eq!(not_run(cases.iter(), &described(&["json", "map"])), [""; 0]);
        let missing = not_run(cases.iter(), &described(&["json", "tree"]));

        let expected = ["correct", "debezium"]
            .map(|compatibility| format!("`hstore.handling.mode=tree` with `compatibility={compatibility}`"));
        assert_eq!(missing, expected);
    }

    #[test]
    fn a_converter_is_a_mode_by_what_it_writes() {
        let class = "org.apache.kafka.connect.json.JsonConverter";
        let settings = |schemas: &str| {
            let set = [(CONVERTER, class), ("value.converter.schemas.enable", schemas)];
            Settings::from(set.map(|(name, value)| (name.to_owned(), value.to_owned())))
        };
        let described = described(&[]);

        assert_eq!(mode(&settings("true"), &described, CONVERTER), "JSON with schemas");
        assert_eq!(mode(&settings("false"), &described, CONVERTER), "JSON without schemas");
        assert_eq!(mode(&Settings::new(), &described, CONVERTER), "Avro");
        assert_eq!(mode(&Settings::new(), &described, "hstore.handling.mode"), "json");
    }
}
