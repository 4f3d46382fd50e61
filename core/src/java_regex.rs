//! Regular expressions as Java writes them, on Rust's engine.
//!
//! The engine never backtracks, so look-around, back-references and possessive quantifiers do not exist;
//! they are refused with a reason. `\Q…\E` is translated. `\d`, `\w` and `\s` also match beyond ASCII,
//! which topic names do not hold.

use regex::{Captures, Regex};

/// Renames what a regular expression matches as a whole, as `RegexRouter` and Debezium's naming strategies do.
#[derive(Debug, Clone)]
pub struct Rewrite {
    whole: Regex,
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
    /// When one of them is wrong, or asks for what the engine has not.
    pub fn parse(pattern: &str, replacement: &str) -> Result<Self, RewriteError> {
        let regexes = compile_whole(pattern).and_then(|whole| Ok((whole, compile(pattern)?)));
        let (whole, first) = regexes.map_err(RewriteError::Pattern)?;
        let replacement = Replacement::parse(replacement, &first).map_err(RewriteError::Replacement)?;
        Ok(Self { whole, first, replacement })
    }

    /// Renames a text; `None` for one that does not match. What is replaced is what is found first, which may be less
    /// than the whole.
    pub fn apply(&self, text: &str) -> Option<String> {
        if !self.whole.is_match(text) {
            return None;
        }
        let captures = self.first.captures(text)?;
        Some(self.replacement.expand(text, &captures))
    }
}

/// Compiles a pattern that may match anywhere.
///
/// # Errors
/// What is wrong, as a phrase.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)?).map_err(|error| explain(&error))
}

/// Compiles a pattern that must match the whole text, as Java's `Matcher.matches`.
///
/// # Errors
/// What is wrong, as a phrase.
pub(crate) fn compile_whole(pattern: &str) -> Result<Regex, String> {
    // Alone first: a stray parenthesis must not close the group that is put around the pattern.
    compile(pattern)?;
    Regex::new(&format!("\\A(?:{})\\z", translate(pattern)?)).map_err(|error| explain(&error))
}

fn explain(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    format!("not a regular expression that can be used: {}", reason.trim_start_matches("error: "))
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = 0_usize;
    let mut quantified = false;
    while let Some(character) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix("\\Q") {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            translated.push_str(&regex::escape(literal));
            (rest, quantified) = (after, false);
            continue;
        }
        let length = match character {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => character.len_utf8(),
        };
        match character {
            '[' => in_class += 1,
            ']' => in_class = in_class.saturating_sub(1),
            '+' if quantified && in_class == 0 => {
                return Err(
                    "not a regular expression that can be used: possessive quantifiers (`*+`, `++`, \
                    `?+`) are not supported"
                        .to_owned(),
                );
            }
            _ => {}
        }
        quantified = in_class == 0 && !quantified && matches!(character, '*' | '+' | '?' | '}');
        translated.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Ok(translated)
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
    fn expand(&self, text: &str, captures: &Captures<'_>) -> String {
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
        replacement.expand(text, &regex.captures(text).unwrap())
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

    #[test]
    fn what_needs_backtracking_is_refused_by_name() {
        for (pattern, reason) in [
            ("(?=a)b", "look-around"),
            ("(?<!a)b", "look-around"),
            ("(a)\\1", "backreferences"),
            ("a++", "possessive"),
        ] {
            assert!(compile_whole(pattern).unwrap_err().contains(reason), "{pattern}");
        }
    }

    #[test]
    fn class_of_plus_and_quoted_text_are_understood() {
        assert!(compile_whole("[*+]+").unwrap().is_match("+*"));
        assert!(compile_whole("\\Qa.b\\E.*").unwrap().is_match("a.bc"));
        assert!(!compile_whole("\\Qa.b\\E.*").unwrap().is_match("axb"));
        assert!(compile_whole("a\\++").unwrap().is_match("a++"));
    }

    #[test]
    fn whole_match_ignores_what_only_begins_alike() {
        assert!(!compile_whole("a|ab").unwrap().is_match("abc"));
        assert!(compile_whole("a|ab").unwrap().is_match("ab"));
        assert!(compile_whole("a)(b").is_err());
    }
}
