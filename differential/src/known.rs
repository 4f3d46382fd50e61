//! The differences that are known, as data: `known.json` beside the cases.
//!
//! An entry is for the cases whose names fit `case` and has either a `place` (differences at such places) or a `refusal`
//! (part of what Sluice says when it does not run the case). In all three `*` stands for any text. An entry that fits
//! nothing any more is a fault: the list must not outlive its reasons.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use regex::Regex;
use serde::Deserialize;

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

/// Reads the list.
///
/// # Errors
/// Fails when the file cannot be read, or an entry has not exactly one of `place` and `refusal`.
pub fn read(path: &Path) -> anyhow::Result<Vec<Known>> {
    let text = fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?;
    let list: Vec<Known> =
        serde_json::from_str(&text).with_context(|| format!("parse `{}`", path.display()))?;
    for known in &list {
        let one = known.place.is_some() != known.refusal.is_some();
        ensure!(one, "give `place` or `refusal` to the entry for `{}` in `{}`", known.case, path.display());
    }
    Ok(list)
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern = pattern.split('*').map(regex::escape).collect::<Vec<_>>().join("(?s:.*)");
    Regex::new(&format!("^{pattern}$")).is_ok_and(|regex| regex.is_match(text))
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
        assert!(!fits("a.b", "axb"));
    }

    #[test]
    fn an_entry_without_place_and_refusal_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"[{"case": "users", "verdict": "on purpose", "why": "x"}]"#).unwrap();

        assert!(read(file.path()).unwrap_err().to_string().starts_with("give `place` or `refusal`"));
    }
}
