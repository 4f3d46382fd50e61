//! Cases made by chance: tables, values, operations and settings that follow from a seed, so that a seed replays.
//!
//! Most run with `compatibility=debezium` on Sluice's side and with values that Debezium changes, and must end the same.
//! The others leave out what the two are known to treat differently, which has cases of its own.

use fastrand::Rng;

use crate::case::{Case, Phase};
use crate::expected::Expected;
use crate::majors::Majors;

mod kinds;
mod settings;
mod table;

use kinds::PRELUDE;
use settings::settings;
use table::{Freedom, Table};

/// Makes the case of a seed.
pub fn case(seed: u64) -> Case {
    let rng = &mut Rng::with_seed(seed);
    let freedom = Freedom { odd: rng.u8(..4) > 0, any_schema: rng.u8(..4) == 0 };
    let mut before: Vec<String> = PRELUDE.map(str::to_owned).into();
    let tables: Vec<Table> =
        (0..rng.usize(1..4)).map(|index| Table::new(rng, index, freedom, &mut before)).collect();
    let settings = settings(rng, freedom, &tables);
    let set = |name: &str| settings.get(name).cloned().unwrap_or_default();
    let mut script = Script {
        freedom,
        tables,
        keys: 0,
        kept: set("message.key.columns"),
        // Debezium counts each message as one of a kind of its own, and loses some of those outside of transactions.
        messages: set("provide.transaction.metadata").is_empty(),
        streamed: false,
    };
    for table in &script.tables {
        before.extend((0..rng.usize(0..4)).map(|_| table.insert(rng, &mut script.keys)));
    }
    let phases = (0..rng.usize(1..4)).map(|index| script.phase(rng, index)).collect();
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

/// A script in the making.
struct Script {
    freedom: Freedom,
    tables: Vec<Table>,
    /// Keys given to rows so far.
    keys: u32,
    /// The property that names columns which must stay.
    kept: String,
    /// Whether logical messages may come.
    messages: bool,
    /// A transaction was streamed before. Until then the time of a message outside of transactions is the connector's.
    streamed: bool,
}

impl Script {
    /// Tables change at the beginning of a phase only: a connector that lags reads today's catalog for yesterday's rows.
    fn phase(&mut self, rng: &mut Rng, index: usize) -> (Phase, Vec<String>) {
        let stopped = index > 0 && rng.u8(..4) == 0;
        let mut statements = Vec::new();
        self.streamed = index > 0;
        if index > 0 && !stopped {
            self.alter(rng, index, &mut statements);
        }
        statements.extend((0..rng.usize(3..12)).flat_map(|_| self.transaction(rng)));
        (if stopped { Phase::Stopped } else { Phase::Streaming }, statements)
    }

    /// Changes some tables, makes one, or drops one.
    fn alter(&mut self, rng: &mut Rng, index: usize, statements: &mut Vec<String>) {
        for table in &mut self.tables {
            if rng.u8(..3) == 0 {
                statements.push(table.alter(rng, &self.kept));
            }
        }
        match rng.u8(..10) {
            0 if self.tables.len() > 1 => {
                let dropped = self.tables.remove(0);
                statements.push(format!("DROP TABLE {}", dropped.name));
            }
            1 | 2 => self.tables.push(Table::new(rng, 10 + index, self.freedom, statements)),
            _ => {}
        }
    }

    /// One to six changes of any tables, sometimes rolled back in part or whole.
    fn transaction(&mut self, rng: &mut Rng) -> Vec<String> {
        let count = if rng.bool() { 1 } else { rng.usize(2..7) };
        let mut statements: Vec<_> = (0..count).map(|_| self.change(rng)).collect();
        if rng.u8(..20) == 0 {
            let names: Vec<_> = self.tables.iter().map(|table| table.name.as_str()).collect();
            statements.push(format!("TRUNCATE {}", names.join(", ")));
        }
        if statements.len() == 1 {
            return statements;
        }
        match rng.u8(..6) {
            0 => {
                statements.insert(1, "SAVEPOINT half".to_owned());
                statements.push("ROLLBACK TO half".to_owned());
            }
            1 => {
                statements.insert(1, "SAVEPOINT half".to_owned());
                statements.push("RELEASE half".to_owned());
                statements.push(self.change(rng));
            }
            _ => {}
        }
        statements.insert(0, "BEGIN".to_owned());
        statements.push(if rng.u8(..5) == 0 { "ROLLBACK" } else { "COMMIT" }.to_owned());
        statements
    }

    fn change(&mut self, rng: &mut Rng) -> String {
        if self.messages && rng.u8(..25) == 0 {
            let transactional = !self.streamed || rng.bool();
            return format!("SELECT pg_logical_emit_message({transactional}, 'prefix', 'content')");
        }
        self.tables[rng.usize(..self.tables.len())].change(rng, &mut self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::settings::SETTINGS;
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
        for word in [
            "INSERT",
            "UPDATE",
            "DELETE",
            "TRUNCATE t0, t1",
            "DROP COLUMN",
            "RENAME TO",
            "TYPE text",
            "ROLLBACK TO",
            "RELEASE",
            "DEFAULT",
            "SET id =",
            "DROP TABLE",
            "CREATE TABLE t11",
            "emit_message(true",
            "generate_series",
            "repeat(",
            "ROLLBACK",
        ] {
            assert!(statements.iter().any(|statement| statement.contains(word)), "{word}");
        }
    }
}
