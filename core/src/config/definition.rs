//! Definitions of properties.

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};

use super::{Fault, Properties};

/// Connect's type of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `BOOLEAN`.
    Boolean,
    /// `INT`.
    Int,
    /// `LONG`.
    Long,
    /// `DOUBLE`.
    Double,
    /// `STRING`.
    String,
    /// `LIST`, separated by commas.
    List,
    /// `CLASS`.
    Class,
    /// `PASSWORD`: never shown.
    Password,
}

impl Kind {
    /// Returns Connect's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::String => "STRING",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// One property as the manual shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Key, or prefix of keys when `prefix` is set.
    pub name: &'static str,
    /// Whether the name is the beginning of many keys.
    pub prefix: bool,
    /// Type.
    pub kind: Kind,
    /// Whether a value must be given.
    pub required: bool,
    /// Default as a user would write it.
    pub default: Option<&'static str>,
    /// What the property means; its doc comment. Of one that is not obeyed: why, and what to use instead.
    pub documentation: Cow<'static, str>,
    /// The only values allowed; empty when there is no such list.
    pub allowed: &'static [&'static str],
    /// What is done about it.
    pub support: Support,
    /// Values, beside the default, that ask for nothing but what is done anyway; for one that is not obeyed.
    pub restating: &'static [&'static str],
}

/// What a connector does about a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// What it says is done.
    Obeyed,
    /// It is accepted and changes nothing.
    NoEffect,
    /// Setting it is an error, so that nothing it asks for is left out silently.
    Refused,
}

impl Support {
    /// Returns the name that descriptions use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Obeyed => "obeyed",
            Self::NoEffect => "no effect",
            Self::Refused => "refused",
        }
    }
}

/// Describes a property of another implementation that has no effect here, and why. A name that ends in `.`
/// stands for all below it; an empty default is none.
pub const fn no_effect(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    why: &'static str,
) -> Definition {
    Definition {
        name,
        prefix: matches!(name.as_bytes().last(), Some(b'.')),
        kind,
        required: false,
        default: if default.is_empty() { None } else { Some(default) },
        documentation: Cow::Borrowed(why),
        allowed: &[],
        support: Support::NoEffect,
        restating: &[],
    }
}

/// Describes a property of another implementation that is refused, and what to do instead.
pub const fn refused(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    instead: &'static str,
) -> Definition {
    let mut definition = no_effect(name, kind, default, instead);
    definition.support = Support::Refused;
    definition
}

/// A configuration declared with [`config!`](crate::config!).
pub trait Config: Sized + Send + 'static {
    /// Returns all properties in the order of declaration.
    fn definitions() -> Vec<Definition>;

    /// Reads all properties; keys it does not know are left to others.
    ///
    /// # Errors
    /// Every fault there is, not only the first.
    fn from_properties(properties: &Properties) -> Result<Self, Vec<Fault>>;

    /// Whether a key belongs to this configuration.
    fn claims(key: &str) -> bool {
        Self::definitions().iter().any(|definition| definition.claims(key))
    }
}

/// No properties at all.
impl Config for () {
    fn definitions() -> Vec<Definition> {
        Vec::new()
    }

    fn from_properties(_properties: &Properties) -> Result<Self, Vec<Fault>> {
        Ok(())
    }
}

impl Definition {
    /// Adds values that ask for nothing but what is done anyway.
    #[must_use]
    pub const fn restating(mut self, values: &'static [&'static str]) -> Self {
        self.restating = values;
        self
    }

    /// Whether a key is this property or, for a prefix, one below it.
    pub fn claims(&self, key: &str) -> bool {
        if self.prefix { key.len() > self.name.len() && key.starts_with(self.name) } else { key == self.name }
    }
}

/// Returns the known name that is nearest to a misspelt one, if any is near.
pub fn suggest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.85;
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

/// Describes definitions as a JSON schema of a flat object whose values are text.
pub fn json_schema(title: &str, definitions: &[Definition]) -> Json {
    let mut properties = Map::new();
    let mut patterns = Map::new();
    for definition in definitions {
        let (target, key) = match definition.prefix {
            true => (&mut patterns, format!("^{}.+", definition.name.replace('.', "\\."))),
            false => (&mut properties, definition.name.to_owned()),
        };
        target.insert(key, definition.json_schema());
    }
    let required: Vec<_> =
        definitions.iter().filter(|definition| definition.required).map(|one| one.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        "required": required,
    })
}

impl Definition {
    fn json_schema(&self) -> Json {
        let kind = match self.kind {
            Kind::Boolean => json!(["boolean", "string"]),
            Kind::Int | Kind::Long => json!(["integer", "string"]),
            Kind::Double => json!(["number", "string"]),
            _ => json!("string"),
        };
        let mut schema = json!({
            "type": kind,
            "description": self.documentation,
            "support": self.support.name(),
        });
        if self.support != Support::Obeyed {
            schema["remark"] = json!(self.documentation);
        }
        if let Some(default) = self.default {
            schema["default"] = json!(default);
        }
        if !self.allowed.is_empty() {
            schema["enum"] = json!(self.allowed);
        }
        if self.kind == Kind::Password {
            schema["writeOnly"] = json!(true);
        }
        schema
    }
}
