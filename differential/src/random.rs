//! Cases made by chance: tables, values, operations and settings that follow from a seed, so that a seed replays.
//!
//! What the two are known to treat differently is left out, and has cases of its own: NULL in columns with a default,
//! infinite and ancient dates, NaN as a decimal.

use fastrand::Rng;

use crate::case::{Case, Phase, Properties};
use crate::expected::Expected;
use crate::majors::Majors;

/// A type, and how to write one of its values as SQL.
type Kind = (&'static str, fn(&mut Rng) -> String);

const KINDS: [Kind; 30] = [
    ("boolean", |rng| rng.bool().to_string()),
    ("smallint", |rng| rng.i16(..).to_string()),
    ("int", |rng| rng.i32(..).to_string()),
    ("bigint", |rng| format!("'{}'", rng.i64(..))),
    ("oid", |rng| rng.u32(..).to_string()),
    ("real", |rng| one_of(rng, &["0", "-1.5", "3.4e38", "1e-45", "'NaN'", "'Infinity'", "16777217"])),
    ("double precision", |rng| {
        one_of(rng, &["0", "0.1", "1.7976931348623157e308", "5e-324", "'-Infinity'", "'NaN'"])
    }),
    ("numeric(12, 3)", |rng| decimal(rng, 9, 3)),
    ("numeric(38, 0)", |rng| decimal(rng, 38, 0)),
    ("numeric", |rng| {
        let (whole, scale) = (rng.usize(1..60), rng.usize(0..40));
        decimal(rng, whole, scale)
    }),
    ("text", |rng| text(rng, 60)),
    ("varchar(12)", |rng| text(rng, 12)),
    ("char(7)", |rng| text(rng, 7)),
    ("bytea", |rng| {
        let length = rng.usize(..20);
        format!("'\\x{}'", digits(rng, length * 2, 16))
    }),
    ("date", |rng| format!("'{}'", date(rng))),
    ("time", |rng| format!("'{}'", time(rng, 6))),
    ("time(2)", |rng| format!("'{}'", time(rng, 2))),
    ("timestamp", |rng| {
        let date = date(rng);
        format!("'{date} {}'", time(rng, 6))
    }),
    ("timestamp(3)", |rng| {
        let date = date(rng);
        format!("'{date} {}'", time(rng, 3))
    }),
    ("timestamptz", |rng| {
        let date = date(rng);
        format!("'{date} {}+{:02}'", time(rng, 6), rng.u8(..14))
    }),
    ("uuid", |rng| format!("'{}'", digits(rng, 32, 16))),
    ("jsonb", |rng| format!("jsonb_build_object('k', {}, 'n', {})", text(rng, 9), rng.i32(..))),
    ("json", |rng| format!("'[{}, {{\"a\":  null}}]'", rng.i32(..))),
    ("inet", |rng| format!("'{}.{}.{}.{}/{}'", rng.u8(..), rng.u8(..), rng.u8(..), rng.u8(..), rng.u8(..33))),
    ("varbit", |rng| {
        let length = rng.usize(..70);
        format!("B'{}'", digits(rng, length, 2))
    }),
    ("interval", |rng| format!("'{} months {} days {}'", rng.i16(..), rng.i16(..), time(rng, 6))),
    ("mood", |rng| one_of(rng, &["'sad'", "'ok'", "'happy'"])),
    ("int[]", |rng| format!("'{{{},NULL,{}}}'", rng.i32(..), rng.i32(..))),
    ("text[]", |rng| format!("ARRAY[{}, NULL, {}]", text(rng, 9), text(rng, 9))),
    ("timestamptz[]", |rng| {
        let date = date(rng);
        format!("'{{\"{date} {}+00\"}}'", time(rng, 6))
    }),
];

/// Settings of which each case takes some.
const SETTINGS: [(&str, &[&str]); 7] = [
    ("decimal.handling.mode", &["precise", "string", "double"]),
    ("time.precision.mode", &["adaptive", "adaptive_time_microseconds", "connect"]),
    ("binary.handling.mode", &["bytes", "base64", "hex"]),
    ("interval.handling.mode", &["numeric", "string"]),
    ("tombstones.on.delete", &["true", "false"]),
    ("skipped.operations", &["t", "none"]),
    ("schema.name.adjustment.mode", &["none", "avro"]),
];

/// One table: its name and columns behind the key.
struct Table {
    name: String,
    columns: Vec<(String, usize, bool)>,
}

/// Makes the case of a seed.
pub fn case(seed: u64) -> Case {
    let rng = &mut Rng::with_seed(seed);
    let mut before = vec!["CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')".to_owned()];
    let tables: Vec<Table> = (0..rng.usize(1..4)).map(|index| Table::new(rng, index, &mut before)).collect();
    let mut keys = 0;
    for table in &tables {
        before.extend((0..rng.usize(0..4)).map(|_| table.insert(rng, &mut keys)));
    }
    let phases = (0..rng.usize(1..4)).map(|index| {
        let stopped = index > 0 && rng.u8(..4) == 0;
        let phase = if stopped { Phase::Stopped } else { Phase::Streaming };
        let statements = (0..rng.usize(3..12)).flat_map(|_| transaction(rng, &tables, &mut keys)).collect();
        (phase, statements)
    });
    let phases = phases.collect();
    let mut settings = Properties::new();
    for (name, values) in SETTINGS {
        if rng.u8(..3) == 0 {
            settings.insert(name.to_owned(), one_of(rng, values));
        }
    }
    Case {
        name: format!("random_{seed}"),
        title: format!("Made by chance from seed {seed}."),
        majors: Majors::default(),
        before,
        phases,
        settings,
        expected: Expected::new(),
    }
}

impl Table {
    fn new(rng: &mut Rng, index: usize, script: &mut Vec<String>) -> Self {
        let name = format!("t{index}");
        let count = rng.usize(1..12);
        let columns: Vec<_> =
            (0..count).map(|column| (format!("c{column}"), rng.usize(..KINDS.len()), rng.bool())).collect();
        let key = one_of(rng, &["int PRIMARY KEY", "text PRIMARY KEY", "bigint PRIMARY KEY", "int NOT NULL"]);
        let mut statement = format!("CREATE TABLE {name} (id {key}");
        for (column, kind, nullable) in &columns {
            let (type_name, value) = KINDS[*kind];
            statement.push_str(&format!(", {column} {type_name}"));
            if !nullable {
                statement.push_str(" NOT NULL");
                if rng.u8(..4) == 0 && !type_name.contains('[') {
                    statement.push_str(&format!(" DEFAULT {}", value(rng)));
                }
            }
        }
        script.push(statement + ")");
        if !key.contains("PRIMARY") || rng.u8(..3) == 0 {
            script.push(format!("ALTER TABLE {name} REPLICA IDENTITY FULL"));
        }
        Self { name, columns }
    }

    fn insert(&self, rng: &mut Rng, keys: &mut u32) -> String {
        *keys += 1;
        let values: Vec<_> =
            self.columns.iter().map(|(_, kind, nullable)| value(rng, *kind, *nullable)).collect();
        format!("INSERT INTO {} VALUES ('{keys}', {})", self.name, values.join(", "))
    }

    fn change(&self, rng: &mut Rng, keys: &mut u32) -> String {
        let some = |rng: &mut Rng, count: u8| {
            format!("id IN (SELECT id FROM {} ORDER BY id OFFSET {} LIMIT {count})", self.name, rng.u8(..4))
        };
        match rng.u8(..10) {
            0..4 => self.insert(rng, keys),
            4..7 => {
                let (column, kind, nullable) = &self.columns[rng.usize(..self.columns.len())];
                let value = value(rng, *kind, *nullable);
                format!("UPDATE {} SET {column} = {value} WHERE {}", self.name, some(rng, 2))
            }
            7 => {
                *keys += 1;
                format!("UPDATE {} SET id = '{keys}' WHERE {}", self.name, some(rng, 1))
            }
            8 => format!("DELETE FROM {} WHERE {}", self.name, some(rng, 2)),
            _ if rng.u8(..4) == 0 => format!("TRUNCATE {}", self.name),
            _ => self.insert(rng, keys),
        }
    }
}

/// One to six changes, sometimes rolled back.
fn transaction(rng: &mut Rng, tables: &[Table], keys: &mut u32) -> Vec<String> {
    let count = if rng.bool() { 1 } else { rng.usize(2..7) };
    let changes = (0..count).map(|_| tables[rng.usize(..tables.len())].change(rng, keys));
    let mut statements: Vec<_> = changes.collect();
    if count > 1 {
        statements.insert(0, "BEGIN".to_owned());
        statements.push(if rng.u8(..5) == 0 { "ROLLBACK" } else { "COMMIT" }.to_owned());
    }
    statements
}

fn value(rng: &mut Rng, kind: usize, nullable: bool) -> String {
    if nullable && rng.u8(..4) == 0 { "NULL".to_owned() } else { KINDS[kind].1(rng) }
}

fn one_of(rng: &mut Rng, values: &[&str]) -> String {
    values[rng.usize(..values.len())].to_owned()
}

fn digits(rng: &mut Rng, count: usize, radix: u32) -> String {
    (0..count).map(|_| rng.digit(radix)).collect()
}

fn decimal(rng: &mut Rng, whole: usize, scale: usize) -> String {
    let sign = if rng.bool() { "-" } else { "" };
    let length = rng.usize(1..=whole);
    let point = if scale > 0 { format!(".{}", digits(rng, scale, 10)) } else { String::new() };
    format!("{sign}{}{point}", digits(rng, length, 10))
}

/// A quoted text of at most so many letters.
fn text(rng: &mut Rng, limit: usize) -> String {
    const LETTERS: [char; 12] = ['a', 'Z', '0', ' ', '"', ',', '\\', '{', 'é', '漢', '😀', '\t'];
    let letters = (0..rng.usize(..=limit)).map(|_| LETTERS[rng.usize(..LETTERS.len())]);
    format!("'{}'", letters.collect::<String>())
}

fn date(rng: &mut Rng) -> String {
    format!("{:04}-{:02}-{:02}", rng.u16(1600..9999), rng.u8(1..13), rng.u8(1..29))
}

fn time(rng: &mut Rng, precision: usize) -> String {
    format!("{:02}:{:02}:{:02}.{}", rng.u8(..24), rng.u8(..60), rng.u8(..60), digits(rng, precision, 10))
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
}
