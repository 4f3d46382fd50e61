//! E-mail addresses in ASCII out of names in any script.

/// `first.last@example.com` in ASCII, without blanks: two people of one name share it, as in the real service.
#[must_use]
pub fn email(first: &str, last: &str) -> String {
    let ascii = |name: &str| name.chars().map(transliterate).collect::<String>();
    format!("{}.{}@example.com", ascii(first), ascii(last))
}

/// Letters of the word lists and their ASCII spelling; what is in neither column is dropped.
#[rustfmt::skip]
const LATIN: &[(&str, &str)] = &[
    ("äåáãâàāآا", "a"), ("çčć", "c"), ("đд", "d"), ("éèêëе", "e"), ("ğг", "g"), ("íìîïıії", "i"), ("ł", "l"),
    ("ñнن", "n"), ("öøóôõо", "o"), ("šşсس", "s"), ("üúùûу", "u"), ("ýيی", "y"), ("žз", "z"), ("ß", "ss"),
    ("æ", "ae"), ("рر", "r"), ("тتط", "t"), ("лل", "l"), ("кگ", "k"), ("мم", "m"), ("яь", "ya"), ("в", "v"),
    ("цш", "ts"), ("ش", "sh"), ("حه", "h"), ("د", "d"), ("وف", "v"), ("ب", "b"), ("ц", "ts"),
];

fn transliterate(letter: char) -> String {
    let lower: String = letter.to_lowercase().filter(|part| !part.is_whitespace()).collect();
    if lower.is_ascii() {
        return lower;
    }
    let spelling = LATIN.iter().find(|(letters, _)| lower.chars().any(|part| letters.contains(part)));
    spelling.map_or_else(String::new, |(_, ascii)| (*ascii).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::NATIONS;

    #[test]
    fn every_email_is_ascii_with_both_names() {
        for nation in NATIONS {
            for first in nation.women.iter().chain(nation.men) {
                for last in nation.surnames {
                    let email = email(first, last);

                    assert!(email.is_ascii() && !email.contains(' '), "{email}");
                    assert!(!email.starts_with('.') && !email.contains(".@"), "{email}");
                }
            }
        }
    }

    #[test]
    fn punctuation_of_names_stays() {
        assert_eq!(email("Alfie", "O'Neill"), "alfie.o'neill@example.com");
        assert_eq!(email("Daan", "van 't Zand"), "daan.van'tzand@example.com");
    }
}
