//! Defaults of columns, as the schemas carry them.

use std::collections::HashMap;
use std::sync::LazyLock;

use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

use crate::catalog::ColumnFacts;
use crate::config::Compatibility;
use crate::types::{self, Form, ResolvedType};

/// The default of a column, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultForm {
    /// A literal, perhaps cast: it becomes the schema's default.
    Constant,
    /// A function call, such as `nextval`, `now()` or `CURRENT_DATE`: Debezium writes the zero of the type.
    Function,
    /// Anything else; the schema has no default.
    Other,
}

/// The default that a schema carries: one of a type whose defaults Debezium reads.
pub(super) fn default_value(
    facts: &ColumnFacts,
    type_: &ResolvedType,
    schema: &Schema,
    constants: &HashMap<String, Value>,
    compatibility: Compatibility,
) -> Option<Value> {
    // Connect cannot hold defaults of structs.
    if !types::has_defaults(type_) || matches!(schema.kind, Kind::Struct(_)) {
        return None;
    }
    let expression = facts.default.as_deref()?;
    match default_form(expression) {
        DefaultForm::Constant if compatibility == Compatibility::Debezium => {
            debezium_constant(expression, type_, constants.get(&facts.name)?)
        }
        DefaultForm::Constant => constants.get(&facts.name).cloned(),
        DefaultForm::Function => types::function_default(type_, schema),
        DefaultForm::Other => None,
    }
}

/// A constant as Debezium reads it: text between the first two quotes, with no line break between them; a label with its
/// quotes doubled; a time of day that ends before 24:00:00. Source: `extractDefault` and `extractEnumDefault` of
/// `PostgresDefaultValueConverter`, `toLocalTime` of its driver.
fn debezium_constant(expression: &str, type_: &ResolvedType, constant: &Value) -> Option<Value> {
    static QUOTED: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(r"'([^\n\r\u{85}\u{2028}\u{2029}]*?)'").expect("the pattern is a constant")
    });
    match (&type_.form, &*type_.name) {
        (Form::Enum(_), _) => {
            let (label, _cast) = expression.strip_prefix('\'')?.rsplit_once('\'')?;
            Some(Value::from(label.to_owned()))
        }
        (_, "text" | "varchar" | "bpchar" | "json" | "jsonb" | "xml") => {
            Some(Value::from(QUOTED.captures(expression)?[1].to_owned()))
        }
        (_, "time") if expression.starts_with("'24:") => Some(types::before_midnight(constant)),
        _ => Some(constant.clone()),
    }
}

/// Tells the form of a default as `pg_get_expr` prints it.
pub(crate) fn default_form(expression: &str) -> DefaultForm {
    static CONSTANT: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(
            r#"^(?:'(?:[^']|'')*'|\(?-?[0-9]+(?:\.[0-9]+)?\)?|true|false)(?:::[A-Za-z_"][^'()]*(?:\([0-9, ]*\))?[A-Za-z \[\]]*)*$"#,
        )
        .expect("the pattern is a constant")
    });
    static FUNCTION: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(
            r#"^(?:[A-Za-z_"][A-Za-z0-9_."]*\(|(?:CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)$)"#,
        )
        .expect("the pattern is a constant")
    });
    if CONSTANT.is_match(expression) {
        return DefaultForm::Constant;
    }
    match FUNCTION.is_match(expression) {
        true => DefaultForm::Function,
        false => DefaultForm::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{TypeCatalog, TypeRow};

    fn read(type_name: &str, kind: char, expression: &str, constant: impl Into<Value>) -> Option<Value> {
        let row = TypeRow { name: type_name.to_owned(), kind, base_modifier: -1, ..TypeRow::default() };
        let type_ = TypeCatalog([(1, row)].into()).resolve(1, -1).unwrap();
        debezium_constant(expression, &type_, &constant.into())
    }

    #[test]
    fn defaults_are_cut_as_recorded() {
        let text = |expression| read("text", 'b', expression, "whole");

        assert_eq!(text("'it''s'::text"), Some("it".into()));
        assert_eq!(text("''''::bpchar"), Some("".into()));
        assert_eq!(text("'two\nlines'::text"), None);
        assert_eq!(read("jsonb", 'b', "'{\"it''s\": 1}'::jsonb", "whole"), Some("{\"it".into()));
        assert_eq!(read("mood", 'e', "'it''s'::mood", "it's"), Some("it''s".into()));
        assert_eq!(read("uuid", 'b', "'00'::uuid", "whole"), Some("whole".into()));
    }

    #[test]
    fn the_default_24_00_is_the_last_moment_of_the_day() {
        let time = |expression, constant: Value| read("time", 'b', expression, constant);
        let (midnight, end) = ("'00:00:00'::time", "'24:00:00'::time without time zone");

        assert_eq!(time(end, Value::Int32(86_400_000)), Some(Value::Int32(86_399_999)));
        assert_eq!(time(end, Value::Int64(86_400_000_000)), Some(Value::Int64(86_399_999_999)));
        assert_eq!(time(end, "00:00:00Z".into()), Some("23:59:59.999999999Z".into()));
        assert_eq!(time(midnight, "00:00:00Z".into()), Some("00:00:00Z".into()));
    }
}
