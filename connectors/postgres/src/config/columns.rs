//! Properties that change single columns. Numbers, algorithms and salts stand in their names.

use sluice_core::config::{ConfigValue, Fault, Kind, PatternList, Properties};

use crate::mask::Algorithm;

/// Characters as properties such as `column.truncate.to.20.chars` give them, with the columns they are for.
#[derive(Debug, Clone, Default)]
pub struct ColumnChars(Vec<(usize, PatternList)>);

impl ColumnChars {
    /// The number of characters for `schema.table.column`.
    pub fn of(&self, column: &str) -> Option<usize> {
        self.0.iter().find(|(_, columns)| columns.may_match(column)).map(|(chars, _)| *chars)
    }
}

impl ConfigValue for ColumnChars {
    const KIND: Kind = Kind::List;
    const OPTIONAL: bool = true;
    const PREFIX: bool = true;

    fn parse(_text: &str) -> Result<Self, String> {
        Err("keys below this prefix".to_owned())
    }

    fn find(properties: &Properties, prefix: &'static str, _: Option<&'static str>) -> Result<Self, Fault> {
        let entry = |key: &str, columns: &str| {
            let name = format!("{prefix}{key}");
            let chars =
                key.strip_suffix(".chars").and_then(|number| number.parse().ok()).ok_or_else(|| {
                    Fault::new("config.unknown_property", &*name, format!("expected `{prefix}NUMBER.chars`"))
                        .hint("NUMBER is how many characters there are to be")
                })?;
            Ok((chars, columns_of(name, columns)?))
        };
        let below = properties.below(prefix);
        below.iter().map(|(key, columns)| entry(key, columns)).collect::<Result<_, _>>().map(Self)
    }
}

/// A hash in place of a text. Printing it shows no salt.
#[derive(Clone, PartialEq, Eq)]
pub struct Hashing {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// What is hashed before the text.
    pub salt: String,
    /// The text is hashed as it is, and not as Java serialises it.
    pub plain: bool,
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Hashing").field(&self.algorithm).finish()
    }
}

/// Hashes as properties such as `column.mask.hash.v2.SHA-256.with.salt.SALT` give them, with the columns they are for.
#[derive(Debug, Clone, Default)]
pub struct ColumnHashes(Vec<(Hashing, PatternList)>);

impl ColumnHashes {
    /// The hash for `schema.table.column`.
    pub fn of(&self, column: &str) -> Option<&Hashing> {
        self.0.iter().find(|(_, columns)| columns.may_match(column)).map(|(hashing, _)| hashing)
    }
}

impl ConfigValue for ColumnHashes {
    const KIND: Kind = Kind::List;
    const OPTIONAL: bool = true;
    const PREFIX: bool = true;

    fn parse(_text: &str) -> Result<Self, String> {
        Err("keys below this prefix".to_owned())
    }

    fn find(properties: &Properties, prefix: &'static str, _: Option<&'static str>) -> Result<Self, Fault> {
        let entry = |key: &str, columns: &str| {
            let name = without_salt(&format!("{prefix}{key}"));
            let (plain, rest) = key.strip_prefix("v2.").map_or((false, key), |rest| (true, rest));
            let parts = rest.split_once(".with.salt.").filter(|(_, salt)| !salt.is_empty());
            let Some((algorithm, salt)) = parts else {
                let expected = format!("expected `{prefix}[v2.]ALGORITHM.with.salt.SALT`");
                return Err(Fault::new("config.unknown_property", name, expected)
                    .hint(format!("ALGORITHM is one of {}", Algorithm::NAMES.join(", "))));
            };
            let Some(algorithm) = Algorithm::named(algorithm) else {
                let known = Algorithm::NAMES.join(", ");
                return Err(Fault::invalid(name, format!("unknown algorithm `{algorithm}`; known: {known}")));
            };
            Ok((Hashing { algorithm, salt: salt.to_owned(), plain }, columns_of(name, columns)?))
        };
        let below = properties.below(prefix);
        let mut entries =
            below.iter().map(|(key, columns)| entry(key, columns)).collect::<Result<Vec<_>, _>>()?;
        // Where both name a column, Debezium takes the first version.
        entries.sort_by_key(|(hashing, _)| hashing.plain);
        Ok(Self(entries))
    }
}

/// Returns a property's name without the salt in it, for messages.
fn without_salt(name: &str) -> String {
    name.split_once(".with.salt.").map_or_else(|| name.to_owned(), |(head, _)| format!("{head}.with.salt.…"))
}

fn columns_of(property: String, columns: &str) -> Result<PatternList, Fault> {
    PatternList::parse(columns).map_err(|expected| Fault::invalid(property, format!("expected {expected}")))
}

#[cfg(test)]
mod tests {
    use crate::config::from_pairs;
    use crate::mask::Algorithm;
    use crate::table::captures_column;

    #[test]
    fn numbers_algorithms_and_salts_are_read_from_the_names() {
        let config = from_pairs(&[
            ("column.truncate.to.3.chars", "public.t.cut"),
            ("column.mask.with.0.chars", "public.t.none,public.u.*"),
            ("column.mask.hash.SHA-256.with.salt.a.with.dots", "public.t.one"),
            ("column.mask.hash.v2.md5.with.salt.x", "public.t.two"),
        ])
        .unwrap();

        assert_eq!(config.truncated_columns.of("public.t.cut"), Some(3));
        assert_eq!(config.masked_columns.of("public.u.any"), Some(0));
        assert_eq!(config.masked_columns.of("public.t.cut"), None);
        let first = config.hashed_columns.of("public.t.one").unwrap();
        assert_eq!((first.algorithm, &*first.salt, first.plain), (Algorithm::Sha256, "a.with.dots", false));
        let second = config.hashed_columns.of("public.t.two").unwrap();
        assert_eq!((second.algorithm, second.plain), (Algorithm::Md5, true));
        assert!(!format!("{config:?} {first:?}").contains("a.with.dots"));
    }

    #[test]
    fn columns_of_a_pattern_that_is_too_ambiguous_are_hidden() {
        let ambiguous = "public.t.(\\w+_?)+(?<!x)!";
        let config = from_pairs(&[
            ("column.exclude.list", ambiguous),
            ("column.mask.with.0.chars", ambiguous),
            ("column.mask.hash.v2.md5.with.salt.x", ambiguous),
        ])
        .unwrap();
        let column = "a".repeat(60);
        let name = format!("public.t.{column}");

        assert!(!captures_column(&config, "public.t", &column));
        assert_eq!(config.masked_columns.of(&name), Some(0));
        assert!(config.hashed_columns.of(&name).is_some());
        assert!(captures_column(&config, "public.t", "-"), "a clear answer counts");
    }

    #[test]
    fn names_that_say_nothing_are_refused_once_with_what_is_expected() {
        let faults = from_pairs(&[
            ("column.mask.with.some.chars", "public.t.a"),
            ("column.mask.hash.SHA-999.with.salt.secret", "public.t.b"),
        ])
        .unwrap_err();

        let told: Vec<_> = faults.iter().map(|fault| (&*fault.property, &*fault.message)).collect();
        assert_eq!(told[0], ("column.mask.with.some.chars", "expected `column.mask.with.NUMBER.chars`"));
        assert_eq!(told[1].0, "column.mask.hash.SHA-999.with.salt.…");
        assert!(told[1].1.contains("SHA-512"));
        assert_eq!(told.len(), 2);
    }
}
