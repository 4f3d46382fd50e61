//! Cases as data: what runs on the database, and how the connectors are set.
//!
//! `users.sql` is a case. It begins with comment lines that say what it shows; lines of the form `--@ phase` divide it:
//!
//! | phase | the statements run |
//! |---|---|
//! | (none) | before the connectors start: what they find in their snapshot |
//! | `streaming` | while both connectors stream |
//! | `stopped` | while both are stopped; both go on afterwards |
//!
//! A line `--@ postgres 15-` says which major versions of Postgres the script is for, and `--@ extension postgis` that
//! the server must have an extension; elsewhere the case is left out.
//!
//! Each phase begins when both sides have written everything before it. A script that changes tables needs that: a
//! connector that lags reads today's catalog for yesterday's rows.
//!
//! `users.properties`, if there is one, is given to both connectors. Beside or instead of it `users.VARIANT.properties`
//! makes a case `users.VARIANT` of the same script. A property `only.debezium.NAME` or `only.sluice.NAME` is for one side.
//! `users.expected.json` and `users.VARIANT.expected.json` say what Sluice must write; see [`crate::expected`].

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use encoding_rs::UTF_8;
use java_properties::{LineContent, PropertiesIter};

use crate::expected::Expected;
use crate::majors::Majors;
use crate::sql;

/// Properties of a connector.
pub type Properties = BTreeMap<String, String>;

/// When statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// While both connectors stream.
    Streaming,
    /// While both connectors are stopped.
    Stopped,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `users` or, with a variant, `users.json`.
    pub name: String,
    /// What it shows: the script's first comment, as one line.
    pub title: String,
    /// The major versions of Postgres that the script is for.
    pub majors: Majors,
    /// The extensions that the server must have.
    pub extensions: Vec<String>,
    /// Statements that make what the snapshot finds.
    pub before: Vec<String>,
    /// What follows, in order.
    pub phases: Vec<(Phase, Vec<String>)>,
    /// What is set on both sides, as the file has it; see [`Case::properties`].
    pub settings: Properties,
    /// What Sluice must write, if the case says it.
    pub expected: Expected,
}

impl Case {
    /// The properties for one side, `debezium` or `sluice`.
    pub fn properties(&self, side: &str) -> Properties {
        let shared = self.settings.iter().filter(|(name, _)| !name.starts_with("only."));
        let own = self
            .settings
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("only.")?.strip_prefix(side)?, value)));
        let own = own.map(|(name, value)| (name.trim_start_matches('.').to_owned(), value.clone()));
        shared.map(|(name, value)| (name.clone(), value.clone())).chain(own).collect()
    }

    /// The name as it may stand in names of databases, slots and topics.
    pub fn identifier(&self) -> String {
        self.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_").to_lowercase()
    }

    /// What a server lacks that the case needs.
    pub fn missing(&self, major: u32, extensions: &HashSet<String>) -> Option<String> {
        if !self.majors.contains(major) {
            return Some("it is for other versions of Postgres".to_owned());
        }
        let missing = self.extensions.iter().find(|name| !extensions.contains(*name))?;
        Some(format!("the server has no extension `{missing}`"))
    }

    /// Whether it came from a seed and not from files.
    pub fn made_by_chance(&self) -> bool {
        self.name.starts_with("random_")
    }

    /// The settings and the script, as files would have them.
    pub fn text(&self) -> String {
        let mut text: String =
            self.settings.iter().map(|(name, value)| format!("# {name}={value}\n")).collect();
        let phase = |phase: &Phase| match phase {
            Phase::Streaming => "--@ streaming\n",
            Phase::Stopped => "--@ stopped\n",
        };
        let phases = self.phases.iter().map(|(name, statements)| (phase(name), statements));
        for (phase, statements) in std::iter::once(("", &self.before)).chain(phases) {
            text.push_str(phase);
            statements.iter().for_each(|statement| text.push_str(&format!("{statement};\n")));
        }
        text
    }

    fn read(script: &str, name: String, settings: Properties) -> anyhow::Result<Self> {
        let comment = script.lines().take_while(|line| line.starts_with("-- ")).map(|line| line[3..].trim());
        let title = comment.collect::<Vec<_>>().join(" ");
        ensure!(!title.is_empty(), "begin the script with a comment that says what it shows");
        let mut majors = Majors::default();
        let mut extensions = Vec::new();
        let mut before = String::new();
        let mut phases: Vec<(Phase, String)> = Vec::new();
        for line in script.lines() {
            match line.strip_prefix("--@ ").map(str::trim) {
                Some("streaming") => phases.push((Phase::Streaming, String::new())),
                Some("stopped") => phases.push((Phase::Stopped, String::new())),
                Some(other) => match other.split_once(' ') {
                    Some(("postgres", range)) => majors = range.parse()?,
                    Some(("extension", name)) => extensions.push(name.to_owned()),
                    _ => bail!("unknown phase `{other}`; known: streaming, stopped"),
                },
                None => {
                    let text = phases.last_mut().map_or(&mut before, |(_, text)| text);
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        let phases = phases.into_iter().map(|(phase, text)| (phase, sql::statements(&text))).collect();
        let before = sql::statements(&before);
        Ok(Self { name, title, majors, extensions, before, phases, settings, expected: Expected::new() })
    }
}

/// Reads all cases of a folder, in the order of their names.
///
/// # Errors
/// Fails when a file cannot be read, a phase is unknown, or a file belongs to no case.
pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read the folder `{}`", folder.display()))? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    let mut cases = Vec::new();
    for script in names.iter().filter_map(|name| name.strip_suffix(".sql")) {
        cases.extend(read_variants(folder, &names, script)?);
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    check_orphans(&names, &cases)?;
    Ok(cases)
}

/// Reads the cases of one script: one for each file of properties, or one without settings.
fn read_variants(folder: &Path, names: &BTreeSet<String>, script: &str) -> anyhow::Result<Vec<Case>> {
    let text = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("read `{name}`"));
    let mut variants = Vec::new();
    for file in names {
        let variant = file.strip_suffix(".properties").filter(|variant| script_of(variant) == script);
        if let Some(variant) = variant {
            variants.push((variant, settings(&text(file)?)?));
        }
    }
    if variants.is_empty() {
        variants.push((script, Properties::new()));
    }
    let sql = text(&format!("{script}.sql"))?;
    let cases = variants.into_iter().map(|(name, settings)| {
        let case = Case::read(&sql, name.to_owned(), settings);
        let mut case = case.with_context(|| format!("read `{script}.sql`"))?;
        let expected = format!("{name}.expected.json");
        if names.contains(&expected) {
            case.expected =
                serde_json::from_str(&text(&expected)?).with_context(|| format!("parse `{expected}`"))?;
        }
        Ok(case)
    });
    cases.collect()
}

/// A case is called after its script, with the variant behind a dot.
fn script_of(case: &str) -> &str {
    case.split('.').next().unwrap_or(case)
}

/// Refuses files that belong to no case: nobody would notice that they are not read.
fn check_orphans(names: &BTreeSet<String>, cases: &[Case]) -> anyhow::Result<()> {
    for file in names {
        if let Some(case) = file.strip_suffix(".expected.json")
            && cases.iter().all(|other| other.name != case)
        {
            bail!("`{file}` is of no case: it begins with the whole name of one");
        }
        if let Some(variant) = file.strip_suffix(".properties")
            && !names.contains(&format!("{}.sql", script_of(variant)))
        {
            bail!("`{file}` has no script: a variant's name begins with its script's");
        }
    }
    Ok(())
}

fn settings(text: &str) -> anyhow::Result<Properties> {
    let read = PropertiesIter::new_with_encoding(text.as_bytes(), UTF_8);
    let mut settings = Properties::new();
    for line in read {
        if let LineContent::KVPair(name, value) = line.context("read properties")?.consume_content() {
            settings.insert(name, value);
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "-- Deletes,\n-- twice.\nCREATE TABLE t (id int);\n--@ streaming\nDELETE FROM t;\n\
        --@ stopped\nSELECT 1;SELECT 2;\n";

    #[test]
    fn a_script_is_divided_by_its_phases() {
        let case = Case::read(SCRIPT, "t".to_owned(), Properties::new()).unwrap();

        assert_eq!(case.title, "Deletes, twice.");
        assert_eq!(case.before, ["CREATE TABLE t (id int)"]);
        assert_eq!(case.phases[0], (Phase::Streaming, vec!["DELETE FROM t".to_owned()]));
        assert_eq!(case.phases[1], (Phase::Stopped, vec!["SELECT 1".to_owned(), "SELECT 2".to_owned()]));
    }

    #[test]
    fn an_unknown_phase_is_refused() {
        let error = Case::read("-- t\n--@ streming\n", "t".to_owned(), Properties::new()).unwrap_err();

        assert_eq!(error.to_string(), "unknown phase `streming`; known: streaming, stopped");
    }

    #[test]
    fn a_case_tells_what_the_server_lacks() {
        let script = "-- Vectors.\n--@ postgres 15-\n--@ extension vector\nSELECT 1;\n";
        let case = Case::read(script, "t".to_owned(), Properties::new()).unwrap();
        let vector = HashSet::from(["vector".to_owned()]);

        assert_eq!(case.missing(15, &vector), None);
        assert_eq!(case.missing(14, &vector).unwrap(), "it is for other versions of Postgres");
        assert_eq!(case.missing(15, &HashSet::new()).unwrap(), "the server has no extension `vector`");
    }

    #[test]
    fn variants_share_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("t.sql", SCRIPT);
        write("t.json.properties", "only.sluice.a=1\nb=2\n");
        write("t.avro.properties", "");

        let cases = read_all(folder.path()).unwrap();

        assert_eq!(cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["t.avro", "t.json"]);
        assert_eq!(cases[1].properties("debezium").len(), 1);
        assert_eq!(cases[1].properties("sluice")["a"], "1");
    }

    #[test]
    fn properties_without_a_script_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("t.json.properties"), "").unwrap();

        assert!(read_all(folder.path()).unwrap_err().to_string().starts_with("`t.json.properties`"));
    }

    #[test]
    fn expected_records_of_no_case_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("t.sql", SCRIPT);
        write("t.json.properties", "");
        write("t.expected.json", "{}");

        let error = read_all(folder.path()).unwrap_err().to_string();

        assert!(error.starts_with("`t.expected.json` is of no case"), "{error}");
    }
}
