//! Defaults of columns, as the schemas carry them.

use std::collections::HashMap;
use std::sync::LazyLock;

use sluice_core::schema::{Kind, Schema};
use sluice_core::value::Value;

use crate::catalog::ColumnFacts;
use crate::types::{self, ResolvedType};

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
) -> Option<Value> {
    // Connect cannot hold defaults of structs.
    if !types::has_defaults(type_) || matches!(schema.kind, Kind::Struct(_)) {
        return None;
    }
    match default_form(facts.default.as_deref()?) {
        DefaultForm::Constant => constants.get(&facts.name).cloned(),
        DefaultForm::Function => types::function_default(type_, schema),
        DefaultForm::Other => None,
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
