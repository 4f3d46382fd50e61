//! What Sluice says of the properties that a worker of Kafka Connect names for Debezium's connector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::process::Command;

/// The class as connector files name it.
const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// What is done about a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// What it says is done.
    Obeyed,
    /// It is accepted and changes nothing.
    #[serde(rename = "no effect")]
    NoEffect,
    /// Setting it is an error.
    Refused,
}

/// A property as Sluice describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Property {
    /// What is done about it.
    pub support: Support,
    /// Of one that is not obeyed: why, and what to use instead.
    #[serde(default)]
    pub remark: String,
    /// What holds where it is not set.
    pub default: Option<String>,
    /// The values that it may have, if they are few.
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
}

/// The properties that Sluice describes, and which of them the worker named.
#[derive(Debug, Default)]
pub struct Properties {
    /// By name; a name that ends in `.` stands for all below it.
    pub described: BTreeMap<String, Property>,
    /// The names that the worker gave, some of them patterns: `column.truncate.to.(d+).chars`.
    pub of_the_worker: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    properties: BTreeMap<String, Property>,
    pattern_properties: BTreeMap<String, Property>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Properties {
    /// Asks both programs.
    ///
    /// # Errors
    /// Fails when one does not answer.
    pub async fn read(worker: &str, sluice: &Path) -> anyhow::Result<Self> {
        let simple = CLASS.rsplit('.').next().unwrap_or(CLASS);
        let answer = reqwest::get(format!("{worker}/connector-plugins/{simple}/config")).await?;
        let named: Vec<Named> = answer.error_for_status()?.json().await.context("read the worker's list")?;
        let mut describe = Command::new(sluice);
        let output = describe.args(["describe", CLASS, "--format", "json"]).output().await?;
        ensure!(output.status.success(), "sluice describe: {}", String::from_utf8_lossy(&output.stderr));
        let description = serde_json::from_slice(&output.stdout).context("read what sluice describes")?;
        Ok(Self::new(named.into_iter().map(|named| named.name).collect(), description))
    }

    fn new(of_the_worker: BTreeSet<String>, description: Description) -> Self {
        let prefix =
            |pattern: String| pattern.trim_start_matches('^').trim_end_matches(".+").replace(r"\.", ".");
        let mut described = description.properties;
        let patterns = description.pattern_properties.into_iter();
        described.extend(patterns.map(|(pattern, property)| (prefix(pattern), property)));
        Self { described, of_the_worker }
    }

    /// The described name that a name, which may be a pattern of the worker's, falls under.
    pub fn under(&self, name: &str) -> Option<&str> {
        let literal = name.split('(').next().unwrap_or(name);
        let names = self.described.keys().map(String::as_str);
        let prefix = |described: &str| described.ends_with('.') && literal.starts_with(described);
        names
            .filter(|described| *described == name || prefix(described))
            .max_by_key(|described| described.len())
    }

    /// The worker's names to which Sluice has no answer.
    pub fn unanswered(&self) -> Vec<&str> {
        let names = self.of_the_worker.iter().map(String::as_str);
        names.filter(|name| self.under(name).is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(of_the_worker: &[&str]) -> Properties {
        let description = serde_json::json!({
            "properties": {
                "slot.name": {"support": "obeyed"},
                "slot.failover": {"support": "no effect", "remark": "no standby is asked"},
            },
            "patternProperties": {r"^column\.truncate\.to\..+": {"support": "refused", "remark": "x"}},
        });
        let names = of_the_worker.iter().map(|name| (*name).to_owned()).collect();
        Properties::new(names, serde_json::from_value(description).unwrap())
    }

    #[test]
    fn patterns_fall_under_prefixes() {
        let properties = properties(&["slot.name", "column.truncate.to.(d+).chars"]);

        assert_eq!(properties.under("column.truncate.to.(d+).chars"), Some("column.truncate.to."));
        assert_eq!(properties.under("column.truncate.to.5.chars"), Some("column.truncate.to."));
        assert!(properties.unanswered().is_empty());
    }

    #[test]
    fn a_property_without_an_answer_is_found() {
        assert_eq!(properties(&["slot.name", "slot.nam"]).unanswered(), ["slot.nam"]);
    }
}
