//! What came of the cases, judged by what is known, and told to a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use crate::case::{Case, Properties};
use crate::compare::Difference;
use crate::database::{Column, REFUSED};
use crate::known::{Known, Verdict};
use crate::observe::{Observed, Record};
use crate::run::Seen;

/// How much of a value is shown.
const SHOWN: usize = 400;
/// How many examples of a difference are shown.
const EXAMPLES: usize = 2;

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The case.
    pub case: Case,
    /// How long it took.
    pub took: Duration,
    /// How many records were compared.
    pub records: usize,
    /// What Debezium wrote.
    pub written: Observed,
    /// The properties of Sluice's side.
    pub properties: Properties,
    /// The columns of the case's tables.
    pub columns: Vec<Column>,
    /// Places of differences that are known, each with its index into the list.
    pub accepted: BTreeSet<(String, usize)>,
    /// Indexes into the list of what is known: those that were met.
    pub met: Vec<usize>,
    /// What must not be: differences that nobody knows, refusals, failures.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Judges what was seen of a case.
    pub fn new(
        case: Case,
        properties: Properties,
        took: Duration,
        seen: anyhow::Result<Seen>,
        known: &[Known],
    ) -> Self {
        let mut outcome = Self {
            case,
            took,
            properties,
            columns: Vec::new(),
            accepted: BTreeSet::new(),
            records: 0,
            written: Observed::default(),
            met: Vec::new(),
            faults: Vec::new(),
        };
        match seen {
            Err(error) => outcome.faults.push(format!("failed: {error:#}")),
            Ok(Seen::Refused(words, columns)) => {
                outcome.columns = columns;
                outcome.refused(&words, known);
            }
            Ok(Seen::Compared(debezium, differences, columns)) => {
                outcome.columns = columns;
                outcome.records = debezium.records();
                outcome.written = debezium;
                outcome.compared(&differences, known);
            }
        }
        outcome
    }

    fn refused(&mut self, words: &str, known: &[Known]) {
        match known.iter().position(|known| known.accepts_refusal(&self.case.name, words)) {
            Some(index) => self.accept(&refused_at(words), index),
            None => self.faults.push(format!("sluice refuses it:\n{words}")),
        }
    }

    fn compared(&mut self, differences: &[Difference], known: &[Known]) {
        let mut unknown: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
        for difference in differences {
            match known.iter().position(|known| known.accepts(&self.case.name, &difference.place)) {
                Some(index) => self.accept(&difference.place, index),
                None => unknown.entry(&difference.place).or_default().push(difference),
            }
        }
        self.faults.extend(unknown.into_iter().map(|(place, differences)| show(place, &differences)));
    }

    fn accept(&mut self, place: &str, index: usize) {
        self.accepted.insert((place.to_owned(), index));
        if !self.met.contains(&index) {
            self.met.push(index);
        }
    }

    /// What is known of this case, apart from what is known of all.
    pub fn own<'a>(&'a self, known: &'a [Known]) -> impl Iterator<Item = &'a Known> {
        self.met.iter().map(|index| &known[*index]).filter(|known| !known.is_for_all())
    }

    /// The verdict in a word or two; what is known of all cases does not count.
    pub fn verdict(&self, known: &[Known]) -> &'static str {
        let any = |verdict| self.own(known).any(|known| known.verdict == verdict);
        match (self.faults.is_empty(), any(Verdict::NotYet), any(Verdict::OnPurpose)) {
            (false, ..) => "DIFFERENT",
            (_, true, _) => "not yet",
            (_, _, true) => "different on purpose",
            _ => "same",
        }
    }

    /// Debezium's records and schemas, one a line: for who writes a case and wants to see that it shows what it says.
    pub fn written(&self) -> String {
        let mut lines = String::new();
        for (topic, partitions) in &self.written.topics {
            for (partition, records) in partitions {
                for Record { key, value, headers } in records {
                    let headers: Vec<_> =
                        headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    let (key, value) = (&key.value, &value.value);
                    let _ = writeln!(lines, "{topic}/{partition} {key} {value} {}", headers.join(" "));
                }
            }
        }
        for (subject, texts) in &self.written.subjects {
            for text in texts {
                let _ = writeln!(lines, "{subject} {text}");
            }
        }
        for (what, description) in &self.written.made {
            let _ = writeln!(lines, "{what} {description}");
        }
        lines
    }

    /// The lines for the terminal.
    pub fn lines(&self, known: &[Known]) -> String {
        let mut lines = format!(
            "{:<22} {} ({} records, {:.1} s)\n",
            self.verdict(known),
            self.case.name,
            self.records,
            self.took.as_secs_f64()
        );
        for fault in &self.faults {
            for line in fault.lines() {
                let _ = writeln!(lines, "    {line}");
            }
        }
        lines
    }
}

/// The entries that fit cases of this run and met nothing, one line each. When not all cases ran, entries for several
/// are left alone.
pub fn outlived(outcomes: &[Outcome], all: bool, known: &[Known]) -> Vec<String> {
    let met = |index: usize| outcomes.iter().any(|outcome| outcome.met.contains(&index));
    let ran = |known: &Known| {
        let one = all || !known.case.contains('*');
        one && outcomes.iter().any(|outcome| known.is_for(&outcome.case.name))
    };
    let unmet = known.iter().enumerate().filter(|(index, known)| ran(known) && !met(*index));
    unmet
        .map(|(_, known)| {
            let what = known.place.as_ref().or(known.refusal.as_ref()).map_or("", String::as_str);
            format!("no longer occurs, so remove it from known.json: `{}` of `{}`", what, known.case)
        })
        .collect()
}

/// The place of a refusal, with the column that it names.
fn refused_at(words: &str) -> String {
    let named = || {
        let (_, rest) = words.split_once("column `")?;
        let (column, rest) = rest.split_once("` of table `")?;
        let (table, _) = rest.split_once('`')?;
        (!column.contains('`')).then(|| format!("{REFUSED} {table} /{column}"))
    };
    named().unwrap_or_else(|| REFUSED.to_owned())
}

fn show(place: &str, differences: &[&Difference]) -> String {
    let mut text = format!("{place}\n");
    for difference in differences.iter().take(EXAMPLES) {
        let _ = writeln!(text, "  {}", difference.which);
        let _ = writeln!(text, "    debezium: {}", cut(&difference.debezium));
        let _ = writeln!(text, "    sluice:   {}", cut(&difference.sluice));
    }
    if differences.len() > EXAMPLES {
        let _ = writeln!(text, "  and {} more", differences.len() - EXAMPLES);
    }
    text
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    format!("{}… ({} bytes)", text.chars().take(SHOWN).collect::<String>(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_at_the_column_that_it_names() {
        let words = "connector failed: column `a` of table `public.t` has type `line`";

        assert_eq!(refused_at(words), "refused public.t /a");
        assert_eq!(refused_at("the key column `id` is not in table `public.t`"), REFUSED);
    }
}
