//! Regular expressions as Java writes them: look-around, back-references and possessive quantifiers included.
//!
//! Translated is what means something else in Rust: `\Q…\E`, and `\d`, `\w` and `\s`, which are ASCII in Java. Not translated are
//! rarer things: `\h` (a hexadecimal digit here), classes such as `\p{Alpha}` (of Unicode here) and comments of `(?x)`.

use fancy_regex::{Captures, Regex};

/// A regular expression that must match a whole text, as Java's `Matcher.matches`.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// What is wrong, as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::with_flags(text, "")
    }

    /// Reads one for which the case of ASCII letters does not count, as Java's `CASE_INSENSITIVE`.
    ///
    /// # Errors
    /// What is wrong, as a phrase.
    pub fn ignoring_case(text: &str) -> Result<Self, String> {
        Self::with_flags(text, "i")
    }

    fn with_flags(text: &str, flags: &str) -> Result<Self, String> {
        let translated = translate(text);
        // Alone first: a stray parenthesis must not close the group that is put around the pattern.
        compile(&translated)?;
        let regex = compile(&format!("\\A(?{flags}:{translated})\\z"))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Whether the whole text matches; not if that cannot be found out.
    pub fn matches(&self, text: &str) -> bool {
        self.matches_or(text, false)
    }

    /// Whether the whole text matches, or that cannot be found out: for what is to be hidden.
    pub fn may_match(&self, text: &str) -> bool {
        self.matches_or(text, true)
    }

    /// Matching is given up after a million steps back; in Java it goes on for as long as it takes.
    fn matches_or(&self, text: &str, given_up: bool) -> bool {
        self.regex.is_match(text).unwrap_or_else(|error| {
            self.report(&error, given_up);
            given_up
        })
    }

    fn report(&self, error: &fancy_regex::Error, matches: bool) {
        tracing::error!(pattern = self.text, matches, %error, "regular expression is too ambiguous");
    }

    /// Returns the expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Renames what a regular expression matches as a whole, as `RegexRouter` and Debezium's naming strategies do.
#[derive(Debug, Clone)]
pub struct Rewrite {
    whole: Pattern,
    first: Regex,
    replacement: Replacement,
}

/// Which part of a [`Rewrite`] is wrong, and how, as a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RewriteError {
    /// The regular expression.
    Pattern(String),
    /// The replacement.
    Replacement(String),
}

impl Rewrite {
    /// Reads a pattern and a replacement, in which `$1` and `${name}` stand for groups.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn parse(pattern: &str, replacement: &str) -> Result<Self, RewriteError> {
        let regexes = Pattern::parse(pattern).and_then(|whole| Ok((whole, compile(&translate(pattern))?)));
        let (whole, first) = regexes.map_err(RewriteError::Pattern)?;
        let replacement = Replacement::parse(replacement, &first).map_err(RewriteError::Replacement)?;
        Ok(Self { whole, first, replacement })
    }

    /// Renames a text; `None` for one that does not match. What is replaced is what is found first, which may be less
    /// than the whole.
    pub fn apply(&self, text: &str) -> Option<String> {
        if !self.whole.matches(text) {
            return None;
        }
        let captures = self.first.captures(text).unwrap_or_else(|error| {
            self.whole.report(&error, false);
            None
        })?;
        Some(self.replacement.expand(text, &captures))
    }
}

fn compile(translated: &str) -> Result<Regex, String> {
    Regex::new(translated).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        format!("not a regular expression that can be used: {}", reason.trim_start_matches("error: "))
    })
}

/// Writes a pattern so that it means here what it means in Java.
fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = 0_usize;
    while let Some(character) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix("\\Q") {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            translated.push_str(&regex::escape(literal));
            rest = after;
            continue;
        }
        let escaped = rest.strip_prefix('\\').and_then(|after| after.chars().next());
        let length = character.len_utf8() + escaped.map_or(0, char::len_utf8);
        let (piece, after) = rest.split_at(length);
        match (character, escaped) {
            ('[', _) => in_class += 1,
            (']', _) => in_class = in_class.saturating_sub(1),
            _ => {}
        }
        match escaped {
            Some('d') => translated.push_str("[0-9]"),
            Some('D') => translated.push_str("[^0-9]"),
            Some('w') => translated.push_str("[a-zA-Z0-9_]"),
            Some('W') => translated.push_str("[^a-zA-Z0-9_]"),
            Some('s') => translated.push_str("[ \\t\\n\\x0B\\f\\r]"),
            Some('S') => translated.push_str("[^ \\t\\n\\x0B\\f\\r]"),
            // Java ignores the case of ASCII letters only.
            None if !character.is_ascii() && character.is_alphabetic() && in_class == 0 => {
                translated.push_str(&format!("(?-i:{character})"));
            }
            _ => translated.push_str(piece),
        }
        rest = after;
    }
    translated
}

/// A replacement as Java's `Matcher.replaceFirst` reads it: `$1`, `${name}`, and `\` before a literal character.
#[derive(Debug, Clone)]
struct Replacement(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for the groups of `regex`.
    ///
    /// # Errors
    /// What is wrong, as a phrase.
    fn parse(text: &str, regex: &Regex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '\\' => {
                    let escaped = rest.chars().next().ok_or("a lone `\\` at the end")?;
                    literal.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
                '$' => {
                    let (group, after) = group(rest, regex)?;
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(Part::Group(group));
                    rest = after;
                }
                _ => literal.push(character),
            }
        }
        parts.push(Part::Literal(literal));
        Ok(Self(parts))
    }

    /// Replaces the match that `captures` found in `text`.
    fn expand(&self, text: &str, captures: &Captures<'_, str>) -> String {
        let (start, end) = captures.get(0).map_or((0, text.len()), |whole| (whole.start(), whole.end()));
        let mut expanded = text[..start].to_owned();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => expanded.push_str(literal),
                Part::Group(group) => {
                    expanded.push_str(captures.get(*group).map_or("", |found| found.as_str()));
                }
            }
        }
        expanded.push_str(&text[end..]);
        expanded
    }
}

/// Reads what follows `$`: as many digits as still name a group, or `{name}`.
fn group<'a>(rest: &'a str, regex: &Regex) -> Result<(usize, &'a str), String> {
    if let Some(named) = rest.strip_prefix('{') {
        let (name, after) = named.split_once('}').ok_or("`${` without `}`")?;
        let group = regex.capture_names().position(|known| known == Some(name));
        return group.map(|group| (group, after)).ok_or_else(|| format!("no group is named `{name}`"));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let names =
        |length: &usize| rest[..*length].parse().is_ok_and(|group: usize| group < regex.captures_len());
    match (1..=digits).take_while(names).last() {
        Some(length) => Ok((rest[..length].parse().unwrap_or_default(), &rest[length..])),
        None if digits == 0 => {
            Err("`$` must be followed by a group; write `\\$` for the character".to_owned())
        }
        None => Err(format!("no group `${}`; `regex` has {}", &rest[..digits], regex.captures_len() - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, replacement: &str, text: &str) -> String {
        let regex = compile(pattern).unwrap();
        let replacement = Replacement::parse(replacement, &regex).unwrap();
        replacement.expand(text, &regex.captures(text).unwrap().unwrap())
    }

    #[test]
    fn replacements_read_as_in_java() {
        assert_eq!(replaced("([^.]+)\\.([^.]+)\\.([^.]+)", "rr.$3", "p.public.t"), "rr.t");
        assert_eq!(replaced("(a)(b)", "$1x", "ab"), "ax");
        assert_eq!(replaced("(a)", "$12", "a"), "a2", "digits are taken while they name a group");
        assert_eq!(replaced("(?<table>t)", "${table}_\\$1", "t"), "t_$1");
        assert_eq!(replaced("(x)?a", "[$1]", "a"), "[]");
        assert_eq!(replaced("a", "b", "xay"), "xby", "text around the match stays");
    }

    #[test]
    fn wrong_replacements_are_refused() {
        let regex = compile("(a)").unwrap();

        for (text, reason) in [("$", "followed by a group"), ("$2", "no group `$2`"), ("${b}", "named `b`")] {
            assert!(Replacement::parse(text, &regex).unwrap_err().contains(reason), "{text}");
        }
    }

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn what_needs_backtracking_is_understood() {
        assert!(matches("public\\.(?!tmp_).*", "public.orders"));
        assert!(!matches("public\\.(?!tmp_).*", "public.tmp_orders"));
        assert!(matches(".*(?<!_old)", "public.t") && !matches(".*(?<!_old)", "public.t_old"));
        assert!(matches("(a)\\1", "aa"));
        assert!(!matches("a*+a", "aaa"), "a possessive quantifier gives nothing back");
    }

    #[test]
    fn what_is_too_ambiguous_may_match_but_does_not() {
        let ambiguous = Pattern::parse("(\\w+\\.?)+(?<!x)_z").unwrap();
        let name = format!("public.{}", "a".repeat(60));

        assert!(!ambiguous.matches(&name) && ambiguous.may_match(&name));
        let clear = Pattern::parse("a(?!b).*").unwrap();
        assert!(clear.may_match("ac") && !clear.may_match("ab"));
    }

    #[test]
    fn class_of_plus_and_quoted_text_are_understood() {
        assert!(matches("[*+]+", "+*"));
        assert!(matches("\\Qa.b\\E.*", "a.bc"));
        assert!(!matches("\\Qa.b\\E.*", "axb"));
        assert!(matches("a\\++", "a++"));
    }

    #[test]
    fn classes_and_ignored_case_are_of_ascii() {
        assert!(matches("\\w+\\d[\\s\\d-]", "t_1-") && !matches("\\w", "ö") && matches("\\W", "ö"));
        let ignoring = |pattern: &str, text: &str| Pattern::ignoring_case(pattern).unwrap().matches(text);
        assert!(ignoring("PUBLIC.größe", "public.GRößE") && !ignoring("größe", "GRÖSSE"));
        assert!(!ignoring("ä", "Ä"));
    }

    #[test]
    fn whole_match_ignores_what_only_begins_alike() {
        assert!(!matches("a|ab", "abc"));
        assert!(matches("a|ab", "ab"));
        assert!(Pattern::parse("a)(b").is_err());
    }
}
