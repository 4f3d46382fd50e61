//! Types that a property can have.

use std::{collections::BTreeMap, fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::{Fault, Kind, Properties};
use crate::java_regex::Pattern;

/// A type that a property can have: how its text is read and what is allowed.
pub trait ConfigValue: Sized {
    /// Connect's type.
    const KIND: Kind;
    /// Whether a property of this type may be left out without a default.
    const OPTIONAL: bool = false;
    /// Whether a property of this type is a prefix of many keys.
    const PREFIX: bool = false;
    /// The only values allowed; empty when there is no such list.
    const ALLOWED: &'static [&'static str] = &[];

    /// Reads the trimmed text.
    ///
    /// # Errors
    /// What is expected, as a phrase: `an integer from 0 to 65535`.
    fn parse(text: &str) -> Result<Self, String>;

    /// Finds the property and reads it.
    ///
    /// # Errors
    /// The fault, naming the property and what is allowed.
    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let Some(text) = properties.value(name).or(default) else {
            return Err(Fault::new("config.missing_property", name, "must be set; it has no default"));
        };
        Self::parse(text.trim()).map_err(|expected| {
            let got = if Self::KIND == Kind::Password { String::new() } else { format!(", got `{text}`") };
            Fault::invalid(name, format!("expected {expected}{got}"))
        })
    }
}

impl<T: ConfigValue> ConfigValue for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
    const ALLOWED: &'static [&'static str] = T::ALLOWED;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        match properties.value(name).or(default).map(str::trim) {
            None | Some("") => Ok(None),
            Some(_) => T::find(properties, name, default).map(Some),
        }
    }
}

impl ConfigValue for String {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl ConfigValue for bool {
    const KIND: Kind = Kind::Boolean;
    const ALLOWED: &'static [&'static str] = &["true", "false"];

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("true or false".to_owned()),
        }
    }
}

macro_rules! integer {
    ($($type:ty => $kind:ident),*) => {$(
        impl ConfigValue for $type {
            const KIND: Kind = Kind::$kind;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("an integer from {} to {}", <$type>::MIN, <$type>::MAX))
            }
        }
    )*};
}

integer!(u16 => Int, i32 => Int, u32 => Int, i64 => Long, u64 => Long, usize => Long);

/// A span of time given in whole milliseconds; keys end in `.ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Duration);

impl ConfigValue for Millis {
    const KIND: Kind = Kind::Long;

    fn parse(text: &str) -> Result<Self, String> {
        let millis = text.parse().map_err(|_| "milliseconds as a whole number, 0 or more".to_owned())?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

impl ConfigValue for ByteSize {
    const KIND: Kind = Kind::Long;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| "bytes as a whole number, 0 or more".to_owned())
    }
}

/// Names separated by commas; white space around them does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl ConfigValue for Names {
    const KIND: Kind = Kind::List;
    const OPTIONAL: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self(names.map(str::to_owned).collect()))
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        Self::parse(properties.value(name).or(default).unwrap_or_default())
            .map_err(|expected| Fault::invalid(name, format!("expected {expected}")))
    }
}

impl ConfigValue for Pattern {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| format!("a regular expression ({error})"))
    }
}

/// Java's regular expressions separated by commas, each matching a whole name, as Debezium's include and exclude lists.
/// A comma within one is written `\,`.
#[derive(Debug, Clone)]
pub struct PatternList(Vec<Pattern>);

impl PatternList {
    /// Whether a pattern matches the whole name, whatever the case (Debezium compiles its lists so).
    pub fn matches(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Whether a pattern matches the whole name, or is too ambiguous to tell: for what is to be hidden.
    pub fn may_match(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.may_match(name))
    }

    /// Returns the place of the first pattern that matches the whole name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|pattern| pattern.matches(name))
    }

    /// Returns the patterns, as they were written, that match none of the names.
    pub fn unmatched<'a>(&self, names: &(impl Iterator<Item = &'a str> + Clone)) -> Vec<&str> {
        let is_unmatched = |pattern: &&Pattern| !names.clone().any(|name| pattern.matches(name));
        self.0.iter().filter(is_unmatched).map(Pattern::as_str).collect()
    }

    /// Returns the number of patterns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ConfigValue for PatternList {
    const KIND: Kind = Kind::List;

    fn parse(text: &str) -> Result<Self, String> {
        let compile = |pattern: String| {
            Pattern::ignoring_case(&pattern).map_err(|error| format!("regular expressions ({error})"))
        };
        patterns(text).into_iter().map(compile).collect::<Result<_, _>>().map(Self)
    }
}

/// Divides a list of patterns at the commas, but for those behind a `\`.
fn patterns(text: &str) -> Vec<String> {
    let mut patterns = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let pattern = patterns.last_mut().expect("there is always one");
        match character {
            ',' => patterns.push(String::new()),
            '\\' => match characters.next() {
                Some(',') => pattern.push(','),
                escaped => pattern.extend(std::iter::once('\\').chain(escaped)),
            },
            _ => pattern.push(character),
        }
    }
    let trimmed = patterns.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty());
    trimmed.map(str::to_owned).collect()
}

/// All properties below a prefix, with the prefix cut off. Printing them shows keys only, since values may
/// be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Prefixed(pub BTreeMap<String, String>);

impl fmt::Debug for Prefixed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl ConfigValue for Prefixed {
    const KIND: Kind = Kind::String;
    const OPTIONAL: bool = true;
    const PREFIX: bool = true;

    fn parse(_text: &str) -> Result<Self, String> {
        Err("keys below this prefix".to_owned())
    }

    fn find(
        properties: &Properties,
        name: &'static str,
        _default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let pairs = properties.below(name);
        Ok(Self(pairs.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()))
    }
}

/// A password or token. Cannot be printed or serialised.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Returns the secret for the one place that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

impl ConfigValue for Secret {
    const KIND: Kind = Kind::Password;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }

    /// Takes white space around a password for part of it, as Debezium does.
    fn find(
        properties: &Properties,
        name: &'static str,
        default: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let missing = || Fault::new("config.missing_property", name, "must be set; it has no default");
        properties.value(name).or(default).map(Self::from).ok_or_else(missing)
    }
}
