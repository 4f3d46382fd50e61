//! The cases and the list of known differences fit together, whatever the version of Postgres.

use std::path::Path;

use sluice_differential::{case, known};

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
