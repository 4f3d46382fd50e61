//! A table made by chance, and the statements that change it.

use fastrand::Rng;

use super::kinds::{KINDS, one_of, value};

/// A column behind the key.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: usize,
    nullable: bool,
    defaulted: bool,
}

/// A table as it is at a moment of the script.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<Column>,
    /// Columns ever made, so that no name comes twice.
    made: usize,
    /// Whether values may come that Debezium changes.
    odd: bool,
}

impl Table {
    /// Makes a table and writes how it is made.
    pub(super) fn new(rng: &mut Rng, index: usize, odd: bool, script: &mut Vec<String>) -> Self {
        let mut table = Self { name: format!("t{index}"), columns: Vec::new(), made: 0, odd };
        let key = one_of(
            rng,
            &[
                "int PRIMARY KEY",
                "text PRIMARY KEY",
                "bigint PRIMARY KEY",
                "numeric(9) PRIMARY KEY",
                "int NOT NULL",
                "int UNIQUE NOT NULL",
            ],
        );
        let columns: Vec<_> = (0..rng.usize(1..12)).map(|_| table.add(rng)).collect();
        script.push(format!("CREATE TABLE {} (id {key}, {})", table.name, columns.join(", ")));
        if !key.contains("PRIMARY") || rng.u8(..3) == 0 {
            script.push(format!("ALTER TABLE {} REPLICA IDENTITY FULL", table.name));
        }
        table
    }

    /// Columns that can be part of a key.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = &str> {
        let plain = |column: &&Column| {
            let kind = KINDS[column.kind].0;
            !column.nullable && !kind.contains('[') && !matches!(kind, "hstore" | "point")
        };
        self.columns.iter().filter(plain).map(|column| column.name.as_str())
    }

    /// Adds a column and returns its definition.
    fn add(&mut self, rng: &mut Rng) -> String {
        let kind = rng.usize(..KINDS.len());
        // Debezium writes null for arrays of enums that it met too late, and stops where that may not be.
        let nullable = rng.bool() || KINDS[kind].0 == "mood[]";
        let mut column = Column { name: format!("c{}", self.made), kind, nullable, defaulted: false };
        self.made += 1;
        let mut definition = format!("{} {}", column.name, KINDS[kind].0);
        if !column.nullable {
            definition.push_str(" NOT NULL");
        }
        // NULL in a column with a default is one of the values that Debezium changes.
        column.defaulted = (self.odd || !column.nullable) && rng.u8(..4) == 0 && !KINDS[kind].0.contains('[');
        if column.defaulted {
            definition.push_str(&format!(" DEFAULT {}", value(rng, kind, false)));
        }
        self.columns.push(column);
        definition
    }

    /// A change of the table itself.
    pub(super) fn alter(&mut self, rng: &mut Rng) -> String {
        let name = self.name.clone();
        match rng.u8(..4) {
            0 if self.columns.len() > 1 => {
                let at = rng.usize(..self.columns.len());
                format!("ALTER TABLE {name} DROP COLUMN {}", self.columns.remove(at).name)
            }
            // The registry takes a new field that may be null.
            1 if self.columns.iter().any(|column| column.nullable) => {
                let mut nullable: Vec<_> = self.columns.iter_mut().filter(|column| column.nullable).collect();
                let chosen = rng.usize(..nullable.len());
                let new = format!("c{}", self.made);
                self.made += 1;
                let old = std::mem::replace(&mut nullable[chosen].name, new.clone());
                format!("ALTER TABLE {name} RENAME COLUMN {old} TO {new}")
            }
            _ => {
                let mut definition = self.add(rng);
                if let Some(column) = self.columns.last_mut().filter(|column| !column.nullable) {
                    // There may be rows already, and the registry takes a new field that may be null.
                    definition.truncate(definition.find(" NOT NULL").unwrap_or(definition.len()));
                    (column.nullable, column.defaulted) = (true, false);
                }
                format!("ALTER TABLE {name} ADD COLUMN {definition}")
            }
        }
    }

    /// An insert of a new row.
    pub(super) fn insert(&self, rng: &mut Rng, keys: &mut u32) -> String {
        *keys += 1;
        let columns = self.columns.iter().map(|column| column.name.clone());
        let names: Vec<_> = std::iter::once("id".to_owned()).chain(columns).collect();
        let values: Vec<_> = self.columns.iter().map(|column| self.value(rng, column)).collect();
        format!("INSERT INTO {} ({}) VALUES ('{keys}', {})", self.name, names.join(", "), values.join(", "))
    }

    /// A change of some rows.
    pub(super) fn change(&self, rng: &mut Rng, keys: &mut u32) -> String {
        let name = &self.name;
        let some = |rng: &mut Rng, count: u8| {
            format!("id IN (SELECT id FROM {name} ORDER BY id OFFSET {} LIMIT {count})", rng.u8(..4))
        };
        match rng.u8(..12) {
            0..4 => self.insert(rng, keys),
            4..7 => format!("UPDATE {name} SET {} WHERE {}", self.assignments(rng, 3), some(rng, 2)),
            7 => format!("UPDATE {name} SET id = id WHERE {}", some(rng, 2)),
            8..10 => {
                *keys += 1;
                let others =
                    if rng.bool() { format!(", {}", self.assignments(rng, 1)) } else { String::new() };
                format!("UPDATE {name} SET id = '{keys}'{others} WHERE {}", some(rng, 1))
            }
            10 if rng.u8(..4) == 0 => format!("TRUNCATE {name}"),
            _ => format!("DELETE FROM {name} WHERE {}", some(rng, 2)),
        }
    }

    fn assignments(&self, rng: &mut Rng, most: usize) -> String {
        let mut columns: Vec<_> = self.columns.iter().collect();
        rng.shuffle(&mut columns);
        let chosen = columns.into_iter().take(rng.usize(1..=most));
        let set = chosen.map(|column| format!("{} = {}", column.name, self.value(rng, column)));
        set.collect::<Vec<_>>().join(", ")
    }

    fn value(&self, rng: &mut Rng, column: &Column) -> String {
        if column.nullable && rng.u8(..4) == 0 {
            return "NULL".to_owned();
        }
        if column.defaulted && rng.u8(..4) == 0 {
            return "DEFAULT".to_owned();
        }
        // Debezium writes null for some of them, and stops where that may not be.
        value(rng, column.kind, self.odd && column.nullable)
    }
}
