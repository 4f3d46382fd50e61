//! The differences that are known, as data: `known.json` beside the cases.
//!
//! An entry is for the cases whose names fit `case` and has either a `place` (differences at such places) or a `refusal`
//! (part of what Sluice says when it does not run the case). In all three `*` stands for any text. An entry that fits
//! nothing any more is a fault: the list must not outlive its reasons. `postgres` limits it to some major versions.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::majors::Majors;

/// Why a difference is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Verdict {
    /// Sluice does something else because it is better.
    #[serde(rename = "on purpose")]
    OnPurpose,
    /// Sluice lacks this.
    #[serde(rename = "not yet")]
    NotYet,
}

/// One entry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Pattern of case names.
    pub case: String,
    /// Pattern of places.
    pub place: Option<String>,
    /// Pattern within Sluice's words.
    pub refusal: Option<String>,
    /// The major versions of Postgres that it is for.
    #[serde(default)]
    pub postgres: Majors,
    /// Why it is accepted.
    pub verdict: Verdict,
    /// The reason, in a sentence for users.
    pub why: String,
}

impl Known {
    /// Whether it is for a case.
    pub fn is_for(&self, case: &str) -> bool {
        fits(&self.case, case)
    }

    /// Whether it is for all cases: it then says nothing of one of them.
    pub fn is_for_all(&self) -> bool {
        self.case == "*"
    }

    /// Whether it accepts a difference of a case.
    pub fn accepts(&self, case: &str, place: &str) -> bool {
        self.is_for(case) && self.place.as_ref().is_some_and(|pattern| fits(pattern, place))
    }

    /// Whether it accepts that Sluice refuses a case.
    pub fn accepts_refusal(&self, case: &str, words: &str) -> bool {
        let fits_words = |pattern: &String| fits(&format!("*{pattern}*"), words);
        self.is_for(case) && self.refusal.as_ref().is_some_and(fits_words)
    }
}

/// Reads the entries that are for a major version of Postgres.
///
/// # Errors
/// Fails when the file cannot be read, or an entry has not exactly one of `place` and `refusal`.
pub fn read(path: &Path, major: u32) -> anyhow::Result<Vec<Known>> {
    let text = fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?;
    let mut list: Vec<Known> =
        serde_json::from_str(&text).with_context(|| format!("parse `{}`", path.display()))?;
    for known in &list {
        let one = known.place.is_some() != known.refusal.is_some();
        ensure!(one, "give `place` or `refusal` to the entry for `{}` in `{}`", known.case, path.display());
    }
    list.retain(|known| known.postgres.contains(major));
    Ok(list)
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("users*", "users.json"));
        assert!(fits("* value /after/*", "P.public.t value /after/a/b"));
        assert!(!fits("* value /after", "P.public.t value /after/a"));
        assert!(fits("*a.b*", "one\na.b\ntwo"));
        assert!(!fits("a*a", "a"));
        assert!(fits("a*b*c*d", "a1bb2c3d"));
        assert!(!fits("a*b*c*d", "a1c2b3d"));
    }

    #[test]
    fn an_entry_may_be_for_some_versions_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let entry =
            r#"[{"case": "t", "place": "x", "postgres": "-15", "verdict": "on purpose", "why": "x"}]"#;
        fs::write(file.path(), entry).unwrap();

        assert_eq!(read(file.path(), 15).unwrap().len(), 1);
        assert_eq!(read(file.path(), 16).unwrap().len(), 0);
    }

    #[test]
    fn an_entry_without_place_and_refusal_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"[{"case": "users", "verdict": "on purpose", "why": "x"}]"#).unwrap();

        assert!(read(file.path(), 17).unwrap_err().to_string().starts_with("give `place` or `refusal`"));
    }
}
