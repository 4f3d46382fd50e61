//! Names of topics, schemas and fields.

use crate::config::Adjustment;

/// Makes a topic name of `prefix.schema.table`: what Kafka does not allow becomes `_`.
pub(crate) fn topic(prefix: &str, schema: &str, table: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    replace(&format!("{prefix}.{schema}.{table}"), allowed)
}

/// Makes the prefix of a topic's record names. Each part keeps to Avro's rules if asked.
pub(crate) fn schema_prefix(topic: &str, adjustment: Adjustment) -> String {
    match adjustment {
        Adjustment::None => topic.to_owned(),
        Adjustment::Avro => topic.split('.').map(avro).collect::<Vec<_>>().join("."),
    }
}

/// Makes a field name of a column name.
pub(crate) fn field(column: &str, adjustment: Adjustment) -> String {
    match adjustment {
        Adjustment::None => column.to_owned(),
        Adjustment::Avro => avro(column),
    }
}

/// Replaces what Avro does not allow; a digit in front gets a `_` before it, as in Debezium.
fn avro(part: &str) -> String {
    let replaced = replace(part, |c| c.is_ascii_alphanumeric() || c == '_');
    match replaced.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{replaced}"),
        false => replaced,
    }
}

fn replace(name: &str, allowed: impl Fn(char) -> bool) -> String {
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_recordings() {
        let topic = topic("names", "My.Schema", "Tab le-1");

        assert_eq!(topic, "names.My.Schema.Tab_le-1");
        assert_eq!(super::topic("names", "public", "Café漢"), "names.public.Caf__");
        assert_eq!(schema_prefix(&topic, Adjustment::None), topic);
        assert_eq!(schema_prefix(&topic, Adjustment::Avro), "names.My.Schema.Tab_le_1");
        let fields = ["1st", "a-b", "sp ace", "naïve"].map(|column| field(column, Adjustment::Avro));
        assert_eq!(fields, ["_1st", "a_b", "sp_ace", "na_ve"]);
    }
}
