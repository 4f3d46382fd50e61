//! `compatibility=debezium`: what stands for a large value that did not change and was not sent.
//!
//! It has a placeholder for each type, but Debezium has none for many of them and writes null, as if the value were.

use sluice_core::schema::Schema;
use sluice_core::value::Value;

use super::facts::{Form, ResolvedType};
use super::{Decoder, Mapping, Modes};
use crate::config::{BinaryMode, Compatibility, DecimalMode, HstoreMode, TimeMode};

/// Returns the value of such a column, whose schema says whether null may stand there: Debezium stops where it may not.
pub(crate) fn unchanged(type_: &ResolvedType, mapping: &Mapping, modes: Modes, placeholder: &str) -> Value {
    let Schema { optional, .. } = mapping.schema;
    if modes.compatibility == Compatibility::Correct || !optional {
        return Value::Unavailable;
    }
    let hstore = matches!(type_.form, Form::Base) && type_.name == "hstore";
    if hstore && modes.hstore == HstoreMode::Json {
        let text = serde_json::Value::from(placeholder);
        return Value::from(format!("{{{text}:{text}}}"));
    }
    match has_placeholder(type_, &mapping.decoder, modes) {
        true => Value::Unavailable,
        false => Value::Null,
    }
}

/// Whether Debezium has a placeholder for a type. Source: recordings of all types.
fn has_placeholder(type_: &ResolvedType, decoder: &Decoder, modes: Modes) -> bool {
    let in_base64 = matches!(modes.binary, BinaryMode::Base64 | BinaryMode::Base64UrlSafe);
    match &type_.form {
        Form::Array(element) => {
            !type_.domain
                && !element.domain
                && element.built_in()
                && match element.name.as_str() {
                    "int4" | "int8" | "text" | "varchar" | "bpchar" | "uuid" | "json" | "jsonb" => true,
                    "bytea" => modes.binary == BinaryMode::Bytes,
                    "date" => !matches!(modes.time, TimeMode::Connect | TimeMode::IsoString),
                    _ => false,
                }
        }
        _ if matches!(decoder, Decoder::Opaque(_) | Decoder::Binary(_)) => !in_base64,
        Form::Base if type_.built_in() => match type_.name.as_str() {
            "numeric" => modes.decimal == DecimalMode::String,
            "bit" | "varbit" => false,
            _ => true,
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::map;
    use crate::types::mapping::tests::{MODES as CORRECT, array, type_};

    const MODES: Modes = Modes { compatibility: Compatibility::Debezium, ..CORRECT };

    fn stands(type_: &ResolvedType, modes: Modes, optional: bool) -> Value {
        let mut mapping = map(type_, modes).unwrap();
        mapping.schema.optional = optional;
        unchanged(type_, &mapping, modes, "gone")
    }

    #[test]
    fn null_stands_where_debezium_has_no_placeholder_and_may_have_null() {
        let base = |name| type_(name, -1);
        let list = |name| array(base(name));
        let base64 = Modes { binary: BinaryMode::Base64, ..MODES };
        let connect = Modes { time: TimeMode::Connect, ..MODES };

        for (type_, modes) in [
            (base("numeric"), MODES),
            (base("bytea"), base64),
            (list("int2"), MODES),
            (list("date"), connect),
            (list("bytea"), base64),
        ] {
            assert_eq!(stands(&type_, modes, true), Value::Null, "{type_:?}");
            assert_eq!(stands(&type_, modes, false), Value::Unavailable, "{type_:?}");
        }
        for (type_, modes) in
            [(base("text"), MODES), (list("int4"), MODES), (list("date"), MODES), (list("int2"), CORRECT)]
        {
            assert_eq!(stands(&type_, modes, true), Value::Unavailable, "{type_:?}");
        }
    }

    #[test]
    fn an_hstore_as_text_is_a_map_with_the_placeholder() {
        let hstore = type_("hstore", -1);

        assert_eq!(stands(&hstore, MODES, true), Value::from_static(r#"{"gone":"gone"}"#));
        let map = Modes { hstore: HstoreMode::Map, ..MODES };
        assert_eq!(stands(&hstore, map, true), Value::Unavailable);
    }
}
