//! Decodes Avro data by its writer's schema into JSON, for people to read and for the comparison.
//!
//! Written for this purpose alone: neither side's codec judges the other, and names that Avro does not allow are
//! no fault here. Bytes become `0x…`, and floats that JSON has not become text with their bytes.

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

/// A schema, with its named types found.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    /// Definitions by full name.
    names: HashMap<String, Value>,
}

impl Schema {
    /// Reads a schema's text.
    ///
    /// # Errors
    /// Fails when the text is not JSON.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let root: Value = serde_json::from_str(text).context("parse the schema")?;
        let mut names = HashMap::new();
        collect(&root, "", &mut names);
        Ok(Self { root, names })
    }

    /// Decodes one datum, which must take all bytes.
    ///
    /// # Errors
    /// Fails when the bytes are not of this schema.
    pub fn decode(&self, bytes: &[u8]) -> anyhow::Result<Value> {
        let mut reader = Reader { bytes, names: &self.names };
        let value = reader.value(&self.root, "")?;
        ensure!(reader.bytes.is_empty(), "{} bytes are left behind the datum", reader.bytes.len());
        Ok(value)
    }
}

/// Finds the named types; a name without dots is in the namespace around it.
fn collect(schema: &Value, namespace: &str, names: &mut HashMap<String, Value>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| collect(branch, namespace, names)),
        Value::Object(definition) => {
            let inner = namespace_of(definition, namespace);
            if definition.contains_key("name") {
                names.insert(full_name(definition["name"].as_str().unwrap_or(""), &inner), schema.clone());
            }
            for key in ["type", "items", "values"] {
                definition.get(key).into_iter().for_each(|part| collect(part, &inner, names));
            }
            for field in definition.get("fields").and_then(Value::as_array).into_iter().flatten() {
                collect(&field["type"], &inner, names);
            }
        }
        _ => {}
    }
}

fn namespace_of(definition: &Map<String, Value>, around: &str) -> String {
    let name = definition.get("name").and_then(Value::as_str).unwrap_or("");
    match (definition.get("namespace").and_then(Value::as_str), name.rsplit_once('.')) {
        (_, Some((namespace, _))) | (Some(namespace), None) => namespace.to_owned(),
        (None, None) => around.to_owned(),
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a HashMap<String, Value>,
}

impl Reader<'_> {
    fn value(&mut self, schema: &Value, namespace: &str) -> anyhow::Result<Value> {
        match schema {
            Value::Array(branches) => {
                let index = usize::try_from(self.long()?).context("read the branch of a union")?;
                let branch = branches.get(index).with_context(|| format!("a union has no branch {index}"))?;
                self.value(branch, namespace)
            }
            Value::Object(definition) => {
                let inner = namespace_of(definition, namespace);
                match definition["type"].as_str() {
                    Some("record") => self.record(definition, &inner),
                    Some("array") => {
                        let mut items = Vec::new();
                        self.blocks(|reader| {
                            items.push(reader.value(&definition["items"], &inner)?);
                            Ok(())
                        })?;
                        Ok(Value::Array(items))
                    }
                    Some("map") => {
                        let mut entries = Map::new();
                        self.blocks(|reader| {
                            let key = reader.text()?;
                            let value = reader.value(&definition["values"], &inner)?;
                            entries.insert(key, value);
                            Ok(())
                        })?;
                        Ok(Value::Object(entries))
                    }
                    _ => self.value(&definition["type"], &inner),
                }
            }
            Value::String(name) => self.named(name, namespace),
            other => bail!("`{other}` is no schema"),
        }
    }

    fn named(&mut self, name: &str, namespace: &str) -> anyhow::Result<Value> {
        Ok(match name {
            "null" => Value::Null,
            "boolean" => Value::Bool(self.take(1)? != [0]),
            "int" | "long" => json!(self.long()?),
            "float" => {
                let bytes = self.take(4)?;
                number(f32::from_le_bytes(bytes.try_into()?).into(), bytes)
            }
            "double" => {
                let bytes = self.take(8)?;
                number(f64::from_le_bytes(bytes.try_into()?), bytes)
            }
            "bytes" => {
                let length = usize::try_from(self.long()?)?;
                json!(hex(self.take(length)?))
            }
            "string" => Value::String(self.text()?),
            _ => {
                let definition = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name));
                let definition = definition.with_context(|| format!("no type is named `{name}`"))?;
                self.value(definition, namespace)?
            }
        })
    }

    fn record(&mut self, definition: &Map<String, Value>, namespace: &str) -> anyhow::Result<Value> {
        let mut record = Map::new();
        for field in definition["fields"].as_array().context("find a record's fields")? {
            let name = field["name"].as_str().context("find a field's name")?;
            let value = self.value(&field["type"], namespace);
            record.insert(name.to_owned(), value.with_context(|| format!("decode field `{name}`"))?);
        }
        Ok(Value::Object(record))
    }

    /// Reads the blocks of an array or map; a negative count has the block's size behind it.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        loop {
            let mut count = self.long()?;
            if count < 0 {
                self.long()?;
                count = -count;
            }
            if count == 0 {
                return Ok(());
            }
            (0..count).try_for_each(|_| item(self))?;
        }
    }

    fn long(&mut self) -> anyhow::Result<i64> {
        let mut zigzag = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            zigzag |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed());
            }
        }
        bail!("a number has more than ten bytes")
    }

    fn text(&mut self) -> anyhow::Result<String> {
        let length = usize::try_from(self.long()?)?;
        Ok(String::from_utf8(self.take(length)?.to_owned())?)
    }

    fn take(&mut self, length: usize) -> anyhow::Result<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).context("the datum ends too early")?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// A number, or its bytes where JSON has none that is equal to nothing else: zero may have a sign, NaN has many forms.
fn number(value: f64, bytes: &[u8]) -> Value {
    let exact = serde_json::Number::from_f64(value).filter(|_| value != 0.0 || value.is_sign_positive());
    exact.map_or_else(|| json!(format!("{value} ({})", hex(bytes))), Value::Number)
}

/// Renders bytes as `0x…`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_types_are_found_in_the_namespace_around_them() {
        let schema = Schema::parse(
            r#"{"type":"record","name":"Envelope","namespace":"p.t","fields":[
                {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
                    {"name":"id","type":{"type":"int","connect.type":"int16"}}]}]},
                {"name":"after","type":["null","Value"]},
                {"name":"list","type":{"type":"array","items":["null","bytes"]}}]}"#,
        )
        .unwrap();

        // null; a Value with id -3; one block with null and 0x0aff; the end of blocks.
        let value = schema.decode(&[0, 2, 5, 4, 0, 2, 4, 0x0a, 0xff, 0]).unwrap();

        assert_eq!(value, json!({"before": null, "after": {"id": -3}, "list": [null, "0x0aff"]}));
    }

    #[test]
    fn floats_that_compare_equal_but_are_not_differ() {
        let schema = Schema::parse(r#""double""#).unwrap();
        let decoded = |value: f64| schema.decode(&value.to_le_bytes()).unwrap();

        assert_eq!(decoded(0.1), json!(0.1));
        assert_ne!(decoded(0.0), decoded(-0.0));
        assert_ne!(decoded(f64::NAN), decoded(f64::from_bits(f64::NAN.to_bits() + 1)));
        assert_eq!(decoded(f64::INFINITY), json!("inf (0x000000000000f07f)"));
    }

    #[test]
    fn bytes_that_are_left_are_a_fault() {
        let schema = Schema::parse(r#""string""#).unwrap();

        assert!(schema.decode(&[2, b'a', 0]).is_err());
        assert!(schema.decode(&[4, b'a']).is_err());
    }
}
