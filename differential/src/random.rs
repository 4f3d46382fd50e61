//! Cases made by chance: tables, values, operations and settings that follow from a seed, so that a seed replays.
//!
//! Most run with `compatibility=debezium` on Sluice's side and with values that Debezium changes, and must end the same.
//! The others leave out what the two are known to treat differently, which has cases of its own.

use fastrand::Rng;

use crate::case::{Case, Phase, Properties};
use crate::expected::Expected;
use crate::majors::Majors;

mod kinds;
mod table;

use kinds::{PRELUDE, one_of};
use table::Table;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// Settings of which each case takes some.
const SETTINGS: [(&str, &[&str]); 12] = [
    ("decimal.handling.mode", &["precise", "string", "double"]),
    (
        "time.precision.mode",
        &["adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"],
    ),
    ("binary.handling.mode", &["bytes", "base64", "base64-url-safe", "hex"]),
    ("interval.handling.mode", &["numeric", "string"]),
    ("hstore.handling.mode", &["json", "map"]),
    ("tombstones.on.delete", &["true", "false"]),
    ("skipped.operations", &["t", "none", "c", "u", "d", "u,t"]),
    ("schema.name.adjustment.mode", &["none", "avro"]),
    ("snapshot.mode", &["initial", "no_data"]),
    ("extended.headers.enabled", &["true", "false"]),
    ("include.schema.comments", &["true", "false"]),
    ("value.converter", &[JSON]),
];

/// Makes the case of a seed.
pub fn case(seed: u64) -> Case {
    let rng = &mut Rng::with_seed(seed);
    let odd = rng.u8(..4) > 0;
    let mut before: Vec<String> = PRELUDE.map(str::to_owned).into();
    let mut tables: Vec<Table> =
        (0..rng.usize(1..4)).map(|index| Table::new(rng, index, odd, &mut before)).collect();
    let settings = settings(rng, odd, &tables);
    let keys = &mut 0;
    for table in &tables {
        before.extend((0..rng.usize(0..4)).map(|_| table.insert(rng, keys)));
    }
    let phases = (0..rng.usize(1..4)).map(|index| phase(rng, index, &mut tables, keys)).collect();
    Case {
        name: format!("random_{seed}"),
        title: format!("Made by chance from seed {seed}."),
        majors: Majors::default(),
        extensions: Vec::new(),
        before,
        phases,
        settings,
        expected: Expected::new(),
    }
}

fn settings(rng: &mut Rng, odd: bool, tables: &[Table]) -> Properties {
    let mut settings = Properties::new();
    for (name, values) in SETTINGS {
        if rng.u8(..3) == 0 {
            settings.insert(name.to_owned(), one_of(rng, values));
        }
    }
    if settings.contains_key("value.converter") {
        // What Sluice does in any case: a NULL stays NULL.
        settings.insert("value.converter.replace.null.with.default".to_owned(), "false".to_owned());
    }
    if !odd {
        return settings;
    }
    settings.insert("only.sluice.compatibility".to_owned(), "debezium".to_owned());
    if rng.u8(..4) == 0 {
        // Without compatibility a transaction has one id.
        settings.insert("provide.transaction.metadata".to_owned(), "true".to_owned());
    }
    if rng.u8(..4) == 0 {
        // Without compatibility a key must be in the replica identity and stay in the table.
        let keys = tables.iter().filter_map(|table| {
            let columns: Vec<_> = table.key_columns().take(2).collect();
            (!columns.is_empty()).then(|| format!("public.{}:{}", table.name, columns.join(",")))
        });
        let keys: Vec<_> = keys.collect();
        if !keys.is_empty() {
            settings.insert("message.key.columns".to_owned(), keys.join(";"));
        }
    }
    settings
}

/// Tables change at the beginning of a phase only: a connector that lags reads today's catalog for yesterday's rows.
fn phase(rng: &mut Rng, index: usize, tables: &mut [Table], keys: &mut u32) -> (Phase, Vec<String>) {
    let stopped = index > 0 && rng.u8(..4) == 0;
    let mut statements = Vec::new();
    if index > 0 && !stopped && rng.bool() {
        let chosen = rng.usize(..tables.len());
        statements.push(tables[chosen].alter(rng));
    }
    statements.extend((0..rng.usize(3..12)).flat_map(|_| transaction(rng, tables, keys)));
    (if stopped { Phase::Stopped } else { Phase::Streaming }, statements)
}

/// One to six changes of any tables, sometimes rolled back in part or whole.
fn transaction(rng: &mut Rng, tables: &[Table], keys: &mut u32) -> Vec<String> {
    let count = if rng.bool() { 1 } else { rng.usize(2..7) };
    let mut statements: Vec<_> =
        (0..count).map(|_| tables[rng.usize(..tables.len())].change(rng, keys)).collect();
    if rng.u8(..20) == 0 {
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        statements.push(format!("TRUNCATE {}", names.join(", ")));
    }
    if statements.len() == 1 {
        return statements;
    }
    if rng.u8(..4) == 0 {
        statements.insert(1, "SAVEPOINT half".to_owned());
        statements.push("ROLLBACK TO half".to_owned());
    }
    statements.insert(0, "BEGIN".to_owned());
    statements.push(if rng.u8(..5) == 0 { "ROLLBACK" } else { "COMMIT" }.to_owned());
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        assert_eq!(case(7), case(7));
        assert_ne!(case(7).before, case(8).before);
    }

    #[test]
    fn every_phase_does_something() {
        let cases = (0..50).map(case);

        assert!(cases.flat_map(|case| case.phases).all(|(_, statements)| statements.len() >= 3));
    }

    #[test]
    fn every_setting_and_operation_comes() {
        let cases: Vec<_> = (0..200).map(case).collect();
        let settings = |name: &str| cases.iter().any(|case| case.settings.contains_key(name));
        let statements: Vec<_> =
            cases.iter().flat_map(|case| case.phases.iter().flat_map(|(_, statements)| statements)).collect();

        assert!(SETTINGS.iter().all(|(name, _)| settings(name)));
        assert!(settings("message.key.columns") && settings("provide.transaction.metadata"));
        for word in
            ["INSERT", "UPDATE", "DELETE", "TRUNCATE t0, t1", "ALTER", "ROLLBACK TO", "DEFAULT", "SET id ="]
        {
            assert!(statements.iter().any(|statement| statement.contains(word)), "{word}");
        }
    }
}
