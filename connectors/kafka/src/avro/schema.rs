//! Connect schema → Avro schema text, byte for byte as Debezium's Avro converter registers it.
//!
//! Facts of the layout: an optional type is a union with null, null first unless there is a default;
//! annotations stand on the type as `connect.*` members after Avro's own; a record is written in full
//! where it is first met, depth first, and by name afterwards; a member order is that of Avro's
//! printer (`type`, `name`, `namespace`, `doc`, `fields` or `items`, then annotations).

use std::{borrow::Cow, collections::HashMap};

use sluice_core::schema::{Field, Kind, Schema, connect};

use super::{
    defaults,
    error::AvroError,
    format::{AvroFormat, is_avro_name},
    names,
    text::{push_key, push_member, push_string},
};

/// Prints the Avro schema of a Connect schema.
///
/// A struct that has the name of an earlier one and the same fields is written as a reference to it,
/// even when its own documentation or parameters differ.
///
/// # Errors
/// [`AvroError::NotRepresentable`] for a name that Avro does not allow, two different structs of one
/// name, or a Decimal without a scale.
pub fn to_avro(schema: &Schema, format: &AvroFormat) -> Result<String, AvroError> {
    let mut printer = Printer { out: String::with_capacity(4096), format, known: HashMap::new(), unnamed: 0 };
    printer.schema(schema, None)?;
    Ok(printer.out)
}

/// Whether null is the first branch of the union that an optional schema becomes.
pub(super) fn null_first(schema: &Schema) -> bool {
    schema.default.is_none() || matches!(schema.kind, Kind::Struct(_))
}

/// Whether the schema stands for an Avro union of several types.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.is_named(names::UNION) && matches!(schema.kind, Kind::Struct(_))
}

/// Returns the full name of the record that a struct becomes, if it has a name of its own; none for other types.
pub(crate) fn record_name<'a>(schema: &'a Schema, format: &AvroFormat) -> Option<Cow<'a, str>> {
    let is_record = matches!(schema.kind, Kind::Struct(_)) && !is_union(schema);
    schema.name.as_deref().filter(|_| is_record).map(|name| format.full_name(name))
}

/// Returns the length of the Avro fixed that a bytes schema came from.
pub(crate) fn fixed_size(schema: &Schema) -> Option<usize> {
    let size = schema.parameter(names::FIXED_SIZE)?.parse().ok()?;
    let fixed = schema.kind == Kind::Bytes && schema.name.is_some() && !schema.is_named(connect::DECIMAL);
    fixed.then_some(size)
}

/// What a name was given to.
#[derive(PartialEq)]
enum Named<'a> {
    Record(&'a [Field]),
    Entry(&'a Schema, &'a Schema),
    Fixed(usize),
}

/// A name as Avro splits it: at the last dot.
#[derive(Clone, Copy)]
struct Name<'a> {
    space: Option<&'a str>,
    name: &'a str,
}

impl<'a> Name<'a> {
    fn of(full: &'a str) -> Self {
        match full.rsplit_once('.') {
            Some((space, name)) => Self { space: Some(space), name },
            None => Self { space: None, name: full },
        }
    }

    fn full(self) -> String {
        self.space.map_or_else(|| self.name.to_owned(), |space| format!("{space}.{}", self.name))
    }
}

struct Printer<'a> {
    out: String,
    format: &'a AvroFormat,
    known: HashMap<String, Named<'a>>,
    unnamed: usize,
}

impl<'a> Printer<'a> {
    fn schema(&mut self, schema: &'a Schema, space: Option<&str>) -> Result<(), AvroError> {
        if is_union(schema) {
            return self.union(schema, space);
        }
        if !schema.optional {
            return self.bare(schema, space);
        }
        if null_first(schema) {
            self.out.push_str("[\"null\",");
            self.bare(schema, space)?;
            self.out.push(']');
        } else {
            self.out.push('[');
            self.bare(schema, space)?;
            self.out.push_str(",\"null\"]");
        }
        Ok(())
    }

    fn union(&mut self, schema: &'a Schema, space: Option<&str>) -> Result<(), AvroError> {
        self.out.push_str(if schema.optional { "[\"null\"" } else { "[" });
        for field in schema.fields() {
            if !self.out.ends_with('[') {
                self.out.push(',');
            }
            self.bare(&field.schema, space).map_err(|error| error.within(&field.name))?;
        }
        self.out.push(']');
        Ok(())
    }

    /// Prints a schema as if it were required.
    fn bare(&mut self, schema: &'a Schema, space: Option<&str>) -> Result<(), AvroError> {
        match &schema.kind {
            Kind::Boolean => self.primitive(schema, "boolean"),
            Kind::Int8 | Kind::Int16 | Kind::Int32 => self.primitive(schema, "int"),
            Kind::Int64 => self.primitive(schema, "long"),
            Kind::Float32 => self.primitive(schema, "float"),
            Kind::Float64 => self.primitive(schema, "double"),
            Kind::String => self.primitive(schema, "string"),
            Kind::Bytes => match fixed_size(schema) {
                Some(size) => self.fixed(schema, size, space),
                None => self.primitive(schema, "bytes"),
            },
            Kind::Array(items) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.schema(items, space)?;
                self.annotations(schema)
            }
            Kind::Map { key, value } if self.format.is_avro_map(key) => {
                self.out.push_str("{\"type\":\"map\",\"values\":");
                self.schema(value, space)?;
                self.annotations(schema)
            }
            Kind::Map { key, value } => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.entry(schema, key, value, space)?;
                self.annotations(schema)
            }
            Kind::Struct(fields) => self.record(schema, fields, space),
        }
    }

    fn primitive(&mut self, schema: &Schema, name: &str) -> Result<(), AvroError> {
        let start = self.out.len();
        self.out.push_str("{\"type\":");
        push_string(&mut self.out, name);
        let bare = self.out.len();
        self.annotations(schema)?;
        if self.out.len() == bare + 1 {
            self.out.truncate(start);
            push_string(&mut self.out, name);
        }
        Ok(())
    }

    fn fixed(&mut self, schema: &'a Schema, size: usize, space: Option<&str>) -> Result<(), AvroError> {
        let name = self.format.full_name(schema.name.as_deref().unwrap_or_default());
        let name = Name::of(&name);
        if self.refer(name, Named::Fixed(size), space)? {
            return Ok(());
        }
        self.out.push_str("{\"type\":\"fixed\"");
        self.name(name, space)?;
        push_key(&mut self.out, "size");
        self.out.push_str(&size.to_string());
        self.annotations(schema)
    }

    fn entry(
        &mut self,
        map: &'a Schema,
        key: &'a Schema,
        value: &'a Schema,
        space: Option<&str>,
    ) -> Result<(), AvroError> {
        let unnamed = Name { space: Some(names::NAMESPACE), name: names::MAP_ENTRY };
        let given = map.name.as_deref().map(|name| self.format.full_name(name));
        let name = given.as_deref().map_or(unnamed, Name::of);
        if self.refer(name, Named::Entry(key, value), space)? {
            return Ok(());
        }
        self.out.push_str("{\"type\":\"record\"");
        self.name(name, space)?;
        push_key(&mut self.out, "fields");
        self.out.push('[');
        self.field("key", None, key, name.space)?;
        self.field("value", None, value, name.space)?;
        self.out.push(']');
        if map.name.is_some() {
            push_member(&mut self.out, names::INTERNAL_TYPE, names::MAP_ENTRY);
        }
        self.out.push('}');
        Ok(())
    }

    fn record(
        &mut self,
        schema: &'a Schema,
        fields: &'a [Field],
        space: Option<&str>,
    ) -> Result<(), AvroError> {
        let given = match &schema.name {
            Some(name) => self.format.full_name(name),
            None => Cow::Owned(self.default_name()),
        };
        let name = Name::of(&given);
        if self.refer(name, Named::Record(fields), space)? {
            return Ok(());
        }
        self.out.push_str("{\"type\":\"record\"");
        self.name(name, space)?;
        let doc = if self.format.schema_docs { names::CONNECT_RECORD_DOC } else { names::RECORD_DOC };
        if let Some(doc) = schema.parameter(doc) {
            push_member(&mut self.out, "doc", doc);
        }
        push_key(&mut self.out, "fields");
        self.out.push('[');
        for field in fields {
            let doc = match self.format.schema_docs {
                true => field.schema.doc.as_deref(),
                false => schema.parameter(&format!("{}{}", names::FIELD_DOC, field.name)),
            };
            self.field(&field.name, doc, &field.schema, name.space)
                .map_err(|error| error.within(&field.name))?;
        }
        self.out.push(']');
        self.annotations(schema)
    }

    fn default_name(&mut self) -> String {
        self.unnamed += 1;
        let number = if self.unnamed > 1 { self.unnamed.to_string() } else { String::new() };
        format!("{}.{}{number}", names::NAMESPACE, names::DEFAULT_RECORD)
    }

    fn field(
        &mut self,
        name: &str,
        doc: Option<&str>,
        schema: &'a Schema,
        space: Option<&str>,
    ) -> Result<(), AvroError> {
        let name = self.format.name(name);
        check_name(&name)?;
        if !self.out.ends_with('[') {
            self.out.push(',');
        }
        self.out.push_str("{\"name\":");
        push_string(&mut self.out, &name);
        push_key(&mut self.out, "type");
        self.schema(schema, space)?;
        if let Some(doc) = doc {
            push_member(&mut self.out, "doc", doc);
        }
        if schema.optional && null_first(schema) {
            push_key(&mut self.out, "default");
            self.out.push_str("null");
        } else if let Some(default) = &schema.default
            && !is_union(schema)
        {
            push_key(&mut self.out, "default");
            defaults::push(&mut self.out, schema, default, self.format)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// Writes a reference when the name is known; remembers it otherwise.
    fn refer(&mut self, name: Name<'_>, named: Named<'a>, space: Option<&str>) -> Result<bool, AvroError> {
        let full = name.full();
        match self.known.get(&full) {
            None => {
                self.known.insert(full, named);
                Ok(false)
            }
            Some(known) if *known == named => {
                let local = name.space.is_none() || name.space == space;
                push_string(&mut self.out, if local { name.name } else { &full });
                Ok(true)
            }
            Some(_) => {
                Err(AvroError::not_representable("", format!("two different types have the name `{full}`")))
            }
        }
    }

    fn name(&mut self, name: Name<'_>, space: Option<&str>) -> Result<(), AvroError> {
        check_name(name.name)?;
        push_member(&mut self.out, "name", name.name);
        match name.space {
            Some(own) if Some(own) != space => push_member(&mut self.out, "namespace", own),
            None if space.is_some() => push_member(&mut self.out, "namespace", ""),
            _ => {}
        }
        Ok(())
    }

    /// Writes the `connect.*` members and those of Avro's logical types, and closes the object.
    fn annotations(&mut self, schema: &Schema) -> Result<(), AvroError> {
        let decimal = if schema.is_named(connect::DECIMAL) { Some(decimal(schema)?) } else { None };
        if let Some((scale, precision)) = decimal {
            push_number(&mut self.out, "scale", scale);
            push_number(&mut self.out, "precision", precision);
        }
        if self.format.connect_metadata {
            self.metadata(schema)?;
        }
        let out = &mut self.out;
        if let Some(logical) = logical_type(schema) {
            push_member(out, "logicalType", logical);
        }
        for (key, value) in schema.parameters.iter().filter(|(key, _)| key.starts_with(names::AVRO_PROPERTY))
        {
            push_member(out, key, value);
        }
        out.push('}');
        Ok(())
    }

    /// Writes the `connect.*` members.
    fn metadata(&mut self, schema: &Schema) -> Result<(), AvroError> {
        let keeps_flag = self.format.schema_docs;
        let out = &mut self.out;
        if let Some(doc) = &schema.doc {
            push_member(out, names::DOC, doc);
        }
        if let Some(version) = schema.version {
            push_number(out, names::VERSION, version);
        }
        push_parameters(out, schema, keeps_flag);
        if let Some(default) = &schema.default
            && (keeps_flag || schema.parameter(names::FIELD_DEFAULT).is_none())
        {
            push_key(out, names::DEFAULT);
            defaults::push(out, schema, default, self.format)?;
        }
        if let Some(name) = &schema.name {
            push_member(out, names::NAME, name);
        }
        if let Kind::Int8 | Kind::Int16 = schema.kind {
            push_member(out, names::TYPE, schema.kind.name());
        }
        Ok(())
    }
}

fn push_number(out: &mut String, key: &str, number: impl std::fmt::Display) {
    push_key(out, key);
    out.push_str(&number.to_string());
}

/// Writes the parameters; the flag that a default came from Avro's field only where asked for.
fn push_parameters(out: &mut String, schema: &Schema, keeps_flag: bool) {
    let is_shown = |key: &str| keeps_flag || key != names::FIELD_DEFAULT;
    let mut parameters = schema.parameters.iter().filter(|(key, _)| is_shown(key)).peekable();
    if parameters.peek().is_none() {
        return;
    }
    push_key(out, names::PARAMETERS);
    out.push('{');
    for (key, value) in parameters {
        push_member(out, key, value);
    }
    out.push('}');
}

fn logical_type(schema: &Schema) -> Option<&'static str> {
    match schema.name.as_deref()? {
        connect::DECIMAL => Some("decimal"),
        connect::DATE => Some("date"),
        connect::TIME => Some("time-millis"),
        connect::TIMESTAMP => Some("timestamp-millis"),
        _ => None,
    }
}

fn decimal(schema: &Schema) -> Result<(i32, u32), AvroError> {
    let faulty = |name| {
        AvroError::not_representable("", format!("the Decimal has no parameter `{name}` with a number"))
    };
    let scale = schema.parameter("scale").and_then(|scale| scale.parse().ok());
    let precision = match schema.parameter(names::DECIMAL_PRECISION) {
        None => names::DEFAULT_PRECISION,
        Some(precision) => precision.parse().map_err(|_| faulty(names::DECIMAL_PRECISION))?,
    };
    Ok((scale.ok_or_else(|| faulty("scale"))?, precision))
}

fn check_name(name: &str) -> Result<(), AvroError> {
    if is_avro_name(name) {
        return Ok(());
    }
    let problem = format!(
        "`{name}` is not an Avro name: letters, digits and `_` are allowed; \
         `schema.name.adjustment.mode=avro` and `field.name.adjustment.mode=avro` replace the rest"
    );
    Err(AvroError::not_representable("", problem))
}
