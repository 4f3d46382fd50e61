//! References in values: `${env:NAME}` and `${file:/path/x.properties:key}`, as Connect's config providers.
//!
//! Resolved values exist only in the configuration that a task is opened with; whatever is shown keeps
//! the reference.

use std::path::{Path, PathBuf};

use regex::Regex;
use sluice_core::config::{Fault, Properties};

use super::read_properties;

const ENV_PATTERN: &str = "config.providers.env.param.allowlist.pattern";
const FILE_PATHS: &str = "config.providers.file.param.allowed.paths";

/// Resolves references, within the limits that the worker sets.
#[derive(Debug, Clone)]
pub(crate) struct Providers {
    reference: Regex,
    variables: Option<Regex>,
    paths: Option<Vec<PathBuf>>,
}

impl Providers {
    /// Reads the limits from the worker's properties.
    pub(crate) fn from_properties(properties: &Properties) -> Result<Self, Vec<Fault>> {
        let variables = match properties.value(ENV_PATTERN) {
            Some(pattern) => Some(Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
                vec![Fault::invalid(ENV_PATTERN, format!("expected a regular expression: {error}"))]
            })?),
            None => None,
        };
        let paths = |list: &str| list.split(',').map(|path| PathBuf::from(path.trim())).collect();
        Ok(Self {
            reference: Regex::new(r"\$\{(?<provider>\w+):(?:(?<path>[^}]*):)?(?<key>[^}:]*)\}")
                .expect("valid pattern"),
            variables,
            paths: properties.value(FILE_PATHS).map(paths),
        })
    }

    /// Replaces all references; those that cannot be resolved are named, all at once.
    pub(crate) fn resolve(&self, properties: &Properties) -> Result<Properties, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut resolved = Properties::default();
        for (key, value) in properties.iter() {
            match self.resolve_value(value) {
                Ok(value) => resolved.set(key, value),
                Err(what) => faults.push(Fault::new("config.unresolved_reference", key, what)),
            }
        }
        if faults.is_empty() { Ok(resolved) } else { Err(faults) }
    }

    fn resolve_value(&self, value: &str) -> Result<String, String> {
        let mut resolved = String::new();
        let mut rest = 0;
        for captures in self.reference.captures_iter(value) {
            let whole = captures.get_match();
            let part = |name| captures.name(name).map_or("", |part| part.as_str());
            resolved.push_str(&value[rest..whole.start()]);
            match part("provider") {
                "env" => resolved.push_str(&self.variable(part("key"))?),
                "file" => resolved.push_str(&self.file(Path::new(part("path")), part("key"))?),
                // Without a colon they are not ours, such as `${table}` in a format.
                other => {
                    return Err(format!("there is no config provider `{other}`; there are `env` and `file`"));
                }
            }
            rest = whole.end();
        }
        resolved.push_str(&value[rest..]);
        Ok(resolved)
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        if self.variables.as_ref().is_some_and(|allowed| !allowed.is_match(name)) {
            return Err(format!("environment variable `{name}` is not allowed by `{ENV_PATTERN}`"));
        }
        std::env::var(name).map_err(|_| format!("environment variable `{name}` is not set"))
    }

    fn file(&self, path: &Path, key: &str) -> Result<String, String> {
        if let Some(allowed) = &self.paths {
            let real =
                path.canonicalize().map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            if !allowed.iter().any(|directory| real.starts_with(directory)) {
                return Err(format!("file `{}` is not allowed by `{FILE_PATHS}`", path.display()));
            }
        }
        let properties = read_properties(path).map_err(|error| error.to_string())?;
        let value = properties.value(key).map(str::to_owned);
        value.ok_or_else(|| format!("file `{}` has no key `{key}`", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers(limits: &[(&str, &str)]) -> Providers {
        let pairs = limits.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Providers::from_properties(&pairs.collect()).unwrap()
    }

    #[test]
    fn reference_inside_text_is_replaced() {
        let home = std::env::var("HOME").unwrap();

        assert_eq!(providers(&[]).resolve_value("a-${env:HOME}-b"), Ok(format!("a-{home}-b")));
    }

    #[test]
    fn placeholder_of_a_format_is_left_alone() {
        assert_eq!(providers(&[]).resolve_value("${table}_x"), Ok("${table}_x".to_owned()));
    }

    #[test]
    fn reference_to_an_unknown_provider_is_refused() {
        let error = providers(&[]).resolve_value("${vault:db:password}").unwrap_err();

        assert!(error.contains("`vault`"), "{error}");
    }

    #[test]
    fn missing_variable_is_named() {
        let faults =
            providers(&[]).resolve(&Properties::from([("password", "${env:NO_SUCH_VARIABLE}")])).unwrap_err();

        assert_eq!(faults[0].property, "password");
        assert!(faults[0].message.contains("NO_SUCH_VARIABLE"));
    }

    #[test]
    fn variable_outside_the_allow_list_is_refused() {
        assert!(providers(&[(ENV_PATTERN, "SLUICE_.*")]).resolve_value("${env:HOME}").is_err());
    }

    #[test]
    fn secret_is_read_from_a_properties_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.properties");
        std::fs::write(&path, "password=hunter2\n").unwrap();
        let reference = format!("${{file:{}:password}}", path.display());

        assert_eq!(providers(&[]).resolve_value(&reference), Ok("hunter2".to_owned()));
        assert!(providers(&[(FILE_PATHS, "/nowhere")]).resolve_value(&reference).is_err());
    }
}
