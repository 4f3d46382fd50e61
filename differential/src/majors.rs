//! Ranges of Postgres's major versions, as cases and known differences name them: `18`, `15-`, `-16`, `15-17`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// Some of the major versions; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Majors(RangeInclusive<u32>);

impl Majors {
    /// Whether a version is among them.
    pub fn contains(&self, major: u32) -> bool {
        self.0.contains(&major)
    }
}

impl Default for Majors {
    fn default() -> Self {
        Self(0..=u32::MAX)
    }
}

impl FromStr for Majors {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let number = |text: &str, open: u32| if text.is_empty() { Ok(open) } else { text.parse() };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = number(first, 0).and_then(|first| Ok(first..=number(last, u32::MAX)?));
        let range = range.with_context(|| format!("read the versions `{text}`; write them like `15-17`"))?;
        ensure!(!range.is_empty() && text != "-" && !text.is_empty(), "no version is in `{text}`");
        Ok(Self(range))
    }
}

impl TryFrom<String> for Majors {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_may_be_open() {
        let among = |text: &str| {
            let majors: Majors = text.parse().unwrap();
            (14..=18).filter(|major| majors.contains(*major)).collect::<Vec<_>>()
        };

        assert_eq!(among("18"), [18]);
        assert_eq!(among("16-"), [16, 17, 18]);
        assert_eq!(among("-15"), [14, 15]);
        assert_eq!(among("15-16"), [15, 16]);
    }

    #[test]
    fn a_range_of_nothing_is_refused() {
        for text in ["", "-", "17-15", "new"] {
            assert!(text.parse::<Majors>().is_err(), "{text}");
        }
    }
}
