//! Passwords by the service's rule: character sets and a length, `upper,lower,8-16`.

use std::ops::RangeInclusive;

use crate::words::PASSWORDS;

/// Lengths that can be asked for.
const LENGTHS: RangeInclusive<usize> = 1..=64;
/// Shortest password if the rule names no valid length.
const DEFAULT_SHORTEST: usize = 8;

/// How passwords are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PasswordRule {
    /// One of a list of much used ones.
    #[default]
    Common,
    /// Characters of a set, and how many of them.
    Drawn {
        /// The characters, at least one.
        characters: Vec<char>,
        /// How many are drawn.
        length: RangeInclusive<usize>,
    },
}

impl PasswordRule {
    /// Parses `special,upper,lower,number,MIN-MAX`. Nothing is refused: what is not understood falls back, to common
    /// passwords without a known set, to 8–64 characters without a valid length.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut characters: Vec<char> = Vec::new();
        for set in text.split(',').filter_map(character_set) {
            if !characters.contains(&set[0]) {
                characters.extend(set);
            }
        }
        if characters.is_empty() {
            return Self::Common;
        }
        let length = text.rsplit(',').next().unwrap_or_default();
        Self::Drawn { characters, length: lengths(length) }
    }

    pub(super) fn password(&self, rng: &mut fastrand::Rng) -> String {
        match self {
            Self::Common => PASSWORDS[rng.usize(..PASSWORDS.len())].to_owned(),
            Self::Drawn { characters, length } => {
                let length = rng.usize(length.clone());
                std::iter::repeat_with(|| characters[rng.usize(..characters.len())]).take(length).collect()
            }
        }
    }
}

/// Non-empty sets of ASCII that share no character.
fn character_set(name: &str) -> Option<Vec<char>> {
    let belongs: fn(&char) -> bool = match name {
        "special" => |symbol| !symbol.is_ascii_alphanumeric(),
        "upper" => char::is_ascii_uppercase,
        "lower" => char::is_ascii_lowercase,
        "number" => char::is_ascii_digit,
        _ => return None,
    };
    Some((' '..='~').filter(belongs).collect())
}

fn lengths(text: &str) -> RangeInclusive<usize> {
    let bounds: Result<Vec<usize>, _> = text.split('-').map(|bound| bound.trim().parse()).collect();
    let bounds = bounds.unwrap_or_default();
    let shortest = bounds.iter().min().copied().filter(|bound| LENGTHS.contains(bound));
    let shortest = shortest.unwrap_or(DEFAULT_SHORTEST);
    let longest = bounds.iter().max().copied().filter(|bound| (shortest..=*LENGTHS.end()).contains(bound));
    shortest..=longest.unwrap_or(*LENGTHS.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length_of(rule: &str) -> RangeInclusive<usize> {
        match PasswordRule::parse(rule) {
            PasswordRule::Drawn { length, .. } => length,
            PasswordRule::Common => panic!("{rule} names a set"),
        }
    }

    #[test]
    fn passwords_hold_only_what_the_rule_names() {
        let rule = PasswordRule::parse("upper,number,5-7");
        let mut rng = fastrand::Rng::with_seed(1);

        for _ in 0..100 {
            let password = rule.password(&mut rng);
            assert!((5..=7).contains(&password.len()));
            assert!(password.chars().all(|symbol| symbol.is_ascii_uppercase() || symbol.is_ascii_digit()));
        }
    }

    #[test]
    fn unknown_sets_fall_back_to_common_passwords() {
        for rule in ["", "8", "UPPER,8", "letters,1-4"] {
            assert_eq!(PasswordRule::parse(rule), PasswordRule::Common, "{rule}");
        }
    }

    #[test]
    fn lengths_out_of_range_fall_back() {
        assert_eq!(length_of("lower,12"), 12..=12);
        assert_eq!(length_of("lower,9-3"), 3..=9);
        assert_eq!(length_of("lower"), 8..=64);
        assert_eq!(length_of("lower,0-5"), 8..=64);
        assert_eq!(length_of("lower,20-100"), 20..=64);
        assert_eq!(length_of("lower,-5"), 8..=64);
    }

    #[test]
    fn a_set_named_twice_counts_once() {
        assert_eq!(PasswordRule::parse("number,number,4"), PasswordRule::parse("number,4"));
    }
}
