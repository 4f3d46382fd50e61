//! Reading configuration files in Kafka Connect's three forms: properties, a flat JSON object, and
//! `{"name": …, "config": {…}}`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use encoding_rs::UTF_8;
use java_properties::PropertiesIter;
use serde_json::{Map, Value as Json};
use sluice_core::config::{Fault, Properties};

/// A connector as its file describes it, references not yet resolved.
#[derive(Debug, Clone)]
pub(crate) struct ConnectorFile {
    pub(crate) path: PathBuf,
    pub(crate) properties: Properties,
}

/// A file that cannot be read as configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is not a properties file: {what}", path.display())]
    Properties { path: PathBuf, what: String },
    #[error("`{}` is not a connector in JSON: {what}", path.display())]
    Json { path: PathBuf, what: String },
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        let fault = Self::new("config.unreadable_file", "", error.to_string());
        match error {
            FileError::Io { .. } => fault,
            FileError::Properties { .. } => fault.hint("each line is `key=value`; `#` begins a comment"),
            FileError::Json { .. } => fault.hint(
                r#"either {"name": "…", "config": {"key": "value", …}} or the flat {"name": "…", "key": "value", …}"#,
            ),
        }
    }
}

/// Reads a connector's file; the form is told by the first character, not by the name.
pub(crate) fn read_connector(path: &Path) -> Result<ConnectorFile, FileError> {
    let text = read(path)?;
    let properties = if text.trim_start().starts_with('{') {
        parse_json(path, &text)?
    } else {
        parse_properties(path, &text)?
    };
    Ok(ConnectorFile { path: path.to_owned(), properties })
}

/// Reads a properties file.
pub(crate) fn read_properties(path: &Path) -> Result<Properties, FileError> {
    parse_properties(path, &read(path)?)
}

fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|source| FileError::Io { path: path.to_owned(), source })
}

fn parse_properties(path: &Path, text: &str) -> Result<Properties, FileError> {
    let failed = |what| FileError::Properties { path: path.to_owned(), what };
    let mut properties = Properties::default();
    let mut twice = None;
    PropertiesIter::new_with_encoding(text.as_bytes(), UTF_8)
        .read_into(|key, value| {
            if properties.value(&key).is_some() {
                twice = Some(key.clone());
            }
            properties.set(key, value);
        })
        .map_err(|error| failed(error.to_string()))?;
    twice.map_or(Ok(properties), |key| Err(failed(format!("`{key}` is set twice"))))
}

fn parse_json(path: &Path, text: &str) -> Result<Properties, FileError> {
    let failed = |what: String| FileError::Json { path: path.to_owned(), what };
    let object: Map<String, Json> = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
    let (name, config) = match object.get("config") {
        Some(Json::Object(config)) => (object.get("name"), config),
        Some(_) => return Err(failed("`config` is not an object".to_owned())),
        None => (None, &object),
    };
    let named = name.map(|name| ("name".to_owned(), name.clone()));
    let pairs = config.iter().map(|(key, value)| (key.clone(), value.clone())).chain(named);
    pairs
        .map(|(key, value)| match value {
            Json::String(text) => Ok((key, text)),
            Json::Number(_) | Json::Bool(_) => Ok((key, value.to_string())),
            _ => Err(failed(format!("`{key}` is neither text nor number nor boolean"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Properties, FileError> {
        parse_json(Path::new("c.json"), text)
    }

    #[test]
    fn create_request_and_flat_object_read_alike() {
        let request =
            json(r#"{"name": "a", "config": {"tasks.max": 1, "x": true}, "initial_state": "RUNNING"}"#);
        let flat = json(r#"{"name": "a", "tasks.max": "1", "x": "true"}"#);

        assert_eq!(request.unwrap(), flat.unwrap());
    }

    #[test]
    fn json_null_is_refused_by_name() {
        assert!(json(r#"{"name": "a", "topics": null}"#).unwrap_err().to_string().contains("`topics`"));
    }

    #[test]
    fn properties_keep_continued_lines_and_utf8() {
        let properties = parse_properties(Path::new("c"), "# c\na = x, \\\n   y\nname=Grüße\n").unwrap();

        assert_eq!(properties.value("a"), Some("x, y"));
        assert_eq!(properties.value("name"), Some("Grüße"));
    }

    #[test]
    fn key_set_twice_is_refused() {
        assert!(
            parse_properties(Path::new("c"), "a=1\na=2\n")
                .unwrap_err()
                .to_string()
                .contains("`a` is set twice")
        );
    }
}
