//! The text of an answer: JSON, indented JSON or CSV.

use serde_json::Value;

/// How people are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The document on one line.
    Json,
    /// The document indented by two blanks.
    Pretty,
    /// The people alone, a line each.
    Csv,
    /// YAML or XML, which the service writes and the stand-in does not.
    Unserved,
}

impl Format {
    /// Reads the parameter, in either case; the unknown is JSON.
    pub(super) fn parse(text: &str) -> Self {
        match text.to_lowercase().as_str() {
            "pretty" | "prettyjson" => Self::Pretty,
            "csv" => Self::Csv,
            "yaml" | "xml" => Self::Unserved,
            _ => Self::Json,
        }
    }

    /// Type of the content.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            _ => "application/json; charset=utf-8",
        }
    }

    /// What the name of a saved file ends in.
    pub(super) fn extension(self) -> &'static str {
        if self == Self::Csv { "csv" } else { "json" }
    }

    /// Writes a document with `results` and perhaps `info`.
    pub(super) fn write(self, document: &Value) -> String {
        match self {
            Self::Pretty => format!("{document:#}"),
            Self::Csv => csv(document["results"].as_array().map_or(&[], Vec::as_slice)),
            _ => document.to_string(),
        }
    }
}

/// A line of paths (`name.first`), and a line of values for each of the people. All people of one answer have the same
/// fields, so the first one names them.
fn csv(people: &[Value]) -> String {
    let mut paths = Vec::new();
    if let Some(person) = people.first() {
        leaves(person, String::new(), &mut paths);
    }
    let header = paths.iter().map(|path| path[1..].replace('/', ".")).collect::<Vec<_>>().join(",");
    let lines = people
        .iter()
        .map(|person| paths.iter().map(|path| cell(person.pointer(path))).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Collects the JSON pointers of all scalars, in order.
fn leaves(value: &Value, pointer: String, paths: &mut Vec<String>) {
    match value.as_object() {
        Some(fields) => {
            for (key, value) in fields {
                leaves(value, format!("{pointer}/{key}"), paths);
            }
        }
        None => paths.push(pointer),
    }
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.contains(['"', ',', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn csv_flattens_paths_and_quotes_what_needs_it() {
        let people = json!({ "results": [
            { "name": { "last": "a,b" }, "id": { "value": null } },
            { "name": { "last": "say \"x\"" }, "id": { "value": 7 } },
        ] });

        assert_eq!(Format::Csv.write(&people), "name.last,id.value\n\"a,b\",null\n\"say \"\"x\"\"\",7");
    }

    #[test]
    fn unknown_formats_are_json() {
        assert_eq!(Format::parse("toml"), Format::Json);
        assert_eq!(Format::parse("PrettyJSON"), Format::Pretty);
    }
}
