//! Seeds as the service reads them.

use md5::{Digest, Md5};

use crate::words::{NATIONS, Nation};

/// Length of a seed that ends in a nationality: sixteen characters and two hexadecimal digits.
const LENGTH_WITH_NATION: usize = 18;
/// Hexadecimal digits that stand for a nationality.
const NATION_DIGITS: usize = 2;

/// What makes a request repeatable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seed {
    text: String,
    /// Index into [`NATIONS`] that the last two of eighteen characters gave.
    nation: Option<usize>,
}

impl Seed {
    /// Sixteen random hexadecimal digits, for who gives no seed.
    pub(super) fn random() -> Self {
        Self { text: format!("{:016x}", fastrand::u64(..)), nation: None }
    }

    /// Reads a seed of a request. An unknown nationality, on which the service fails, is none.
    pub(super) fn parse(text: &str) -> Self {
        let nation = text
            .is_ascii()
            .then(|| text.split_at_checked(LENGTH_WITH_NATION - NATION_DIGITS))
            .flatten()
            .filter(|(_, digits)| digits.len() == NATION_DIGITS)
            .and_then(|(_, digits)| usize::from_str_radix(digits, 16).ok())
            .filter(|index| *index < NATIONS.len());
        Self { text: text.to_owned(), nation }
    }

    /// The only nationality, if the seed names one.
    pub(super) fn nation(&self) -> Option<&'static Nation> {
        self.nation.map(|index| &NATIONS[index])
    }

    /// The seed as `info` shows it: as given, and the nationality once more if it has one.
    pub(super) fn echo(&self) -> String {
        match self.nation {
            Some(index) => format!("{}{index:02x}", self.text),
            None => self.text.clone(),
        }
    }

    /// The number that a page of the seed starts from.
    ///
    /// As in the service the page is appended to the seed, so that page 2 of `a` is page 1 of `a2`.
    pub(super) fn number(&self, page: u32) -> u64 {
        let unique = if self.text.len() == LENGTH_WITH_NATION && self.text.is_ascii() {
            &self.text[..LENGTH_WITH_NATION - NATION_DIGITS]
        } else {
            &self.text
        };
        let page = if page == 1 { String::new() } else { page.to_string() };
        let digest = Md5::digest(format!("{unique}{page}"));
        let (number, _) = digest.split_first_chunk().expect("an MD5 digest has sixteen bytes");
        u64::from_be_bytes(*number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighteen_characters_end_in_a_nationality() {
        let seed = Seed::parse("0123456789abcdef04");

        assert_eq!(seed.nation().unwrap().code, "DE");
        assert_eq!(seed.echo(), "0123456789abcdef0404");
        assert_eq!(seed.number(1), Seed::parse("0123456789abcdef").number(1));
    }

    #[test]
    fn other_seeds_are_taken_whole() {
        for text in
            ["x", "0123456789abcdef", "0123456789abcdef0", "0123456789abcdef044", "0123456789abcdefff"]
        {
            let seed = Seed::parse(text);
            assert_eq!((seed.nation().is_none(), seed.echo()), (true, text.to_owned()));
        }
    }

    #[test]
    fn pages_start_from_other_numbers() {
        let seed = Seed::parse("a");

        assert_ne!(seed.number(1), seed.number(2));
        assert_eq!(seed.number(2), Seed::parse("a2").number(1));
    }

    #[test]
    fn random_seeds_are_sixteen_hexadecimal_digits() {
        let echo = Seed::random().echo();

        assert!(echo.len() == 16 && echo.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')));
    }
}
