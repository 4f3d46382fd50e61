//! The cases and the list of known differences fit together, whatever the version of Postgres.

use std::fs;
use std::path::Path;

use sluice_differential::{case, known, modes};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/differential");

#[test]
fn every_known_difference_is_of_a_case() {
    let folder = Path::new(FOLDER);
    let cases = case::read_all(folder).unwrap();

    for major in 14..=18 {
        for known in known::read(&folder.join("known.json"), major).unwrap() {
            let of_a_case = cases.iter().any(|case| known.is_for(&case.name) && case.majors.contains(major));
            assert!(of_a_case, "no case on Postgres {major} fits `{}`", known.case);
        }
    }
}

/// What the pages say is generated from a run; that they name everything can be said without one.
#[test]
fn the_pages_name_every_case_and_property() {
    let again = "run `cargo xtask differential --page`";
    let page = |name: &str| {
        fs::read_to_string(Path::new(FOLDER).join("../../docs/compatibility").join(name)).unwrap()
    };
    let cases = page("cases.md");
    for case in case::read_all(Path::new(FOLDER)).unwrap() {
        let (script, variant) = case.name.split_once('.').unwrap_or((&case.name, ""));
        let line = cases.lines().find(|line| line.starts_with(&format!("| {script} |")));
        let line = line.unwrap_or_else(|| panic!("cases.md lacks `{script}`; {again}"));
        let named = variant.is_empty() || line.contains(&format!("`{variant}`"));
        assert!(named, "cases.md lacks `{}`; {again}", case.name);
    }

    let properties = page("properties.md");
    let list = Path::new(FOLDER).join("../properties/debezium-postgres-3.6.1.json");
    let list: serde_json::Value = serde_json::from_str(&fs::read_to_string(list).unwrap()).unwrap();
    for property in list["properties"].as_array().unwrap() {
        let name = property["name"].as_str().unwrap();
        assert!(properties.contains(&format!("| `{name}` |")), "properties.md lacks `{name}`; {again}");
    }
}

/// Whether the matrix has every mode that Sluice knows is told at the end of a run.
#[test]
fn the_page_of_types_names_every_mode_of_the_matrix() {
    let types = fs::read_to_string(Path::new(FOLDER).join("../../docs/compatibility/types.md")).unwrap();
    let cases = case::read_all(Path::new(FOLDER)).unwrap();

    for case in cases.iter().filter(|case| modes::in_matrix(case)) {
        let modes = case.settings.iter().filter(|(name, _)| modes::PROPERTIES.contains(&name.as_str()));
        for (name, mode) in modes.filter(|(name, _)| !name.ends_with("converter")) {
            let line = types.lines().find(|line| line.starts_with(&format!("- `{name}`:")));
            let named = line.is_some_and(|line| line.contains(&format!("`{mode}`")));
            assert!(named, "types.md lacks `{name}={mode}`; run `cargo xtask differential --page`");
        }
    }
}
