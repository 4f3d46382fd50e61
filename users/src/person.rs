//! Documents as randomuser.me (API 1.4) returns them: same keys in the same order, same types, same quirks.
//!
//! Everything is a pure function of the seed and the clock; the clock only moves the two ages.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::words::{ADJECTIVES, ANIMALS, NATIONS, Nation, TIMEZONES};

/// The moment at which ages are computed unless the caller names another: 2026-01-01T00:00:00Z.
///
/// A fixed one, so that a seed gives the same bytes on every day.
pub const DEFAULT_CLOCK: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Range of birth dates in epoch milliseconds, as the service has it.
const BORN: std::ops::RangeInclusive<i64> = -800_000_000_000..=991_088_189_000;

/// Range of registration dates in epoch milliseconds, as the service has it.
const REGISTERED: std::ops::RangeInclusive<i64> = 1_016_688_461_000..=1_653_344_189_000;

/// Milliseconds of a mean year.
const YEAR_MS: i64 = 31_557_600_000;

/// Makes one person after the other from a seed.
#[derive(Debug, Clone)]
pub struct Generator {
    rng: fastrand::Rng,
    clock: Timestamp,
}

impl Generator {
    /// Creates a generator; equal seeds make equal people in equal order.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_clock(seed, DEFAULT_CLOCK)
    }

    /// Creates a generator that computes ages at `clock`.
    #[must_use]
    pub fn with_clock(seed: u64, clock: Timestamp) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), clock }
    }

    /// Makes the next person.
    #[must_use]
    pub fn person(&mut self) -> Value {
        let nation = &NATIONS[self.rng.usize(..NATIONS.len())];
        self.person_of(nation)
    }

    /// Makes the next person with the given nationality.
    #[must_use]
    pub fn person_of(&mut self, nation: &Nation) -> Value {
        let woman = self.rng.bool();
        let first = self.pick(if woman { nation.women } else { nation.men });
        let last = self.pick(nation.surnames);

        json!({
            "gender": if woman { "female" } else { "male" },
            "name": { "title": self.title(nation, woman), "first": first, "last": last },
            "location": self.location(nation),
            "email": email(first, last),
            "login": self.login(),
            "dob": self.dated(BORN),
            "registered": self.dated(REGISTERED),
            "phone": self.fill(nation.phone),
            "cell": self.fill(nation.phone),
            "id": self.national_id(nation),
            "picture": self.picture(woman),
            "nat": nation.code,
        })
    }

    /// Makes the `location` of a person, alone: what changes when somebody moves house.
    #[must_use]
    pub fn location(&mut self, nation: &Nation) -> Value {
        let (city, state) = self.pick(nation.cities);
        let (offset, description) = self.pick(TIMEZONES);
        json!({
            "street": { "number": self.rng.u32(1..=9999), "name": self.pick(nation.streets) },
            "city": city,
            "state": state,
            "country": nation.country,
            "postcode": self.postcode(nation.code),
            "coordinates": { "latitude": self.coordinate(90), "longitude": self.coordinate(180) },
            "timezone": { "offset": offset, "description": description },
        })
    }

    /// Makes a random string of letters and digits, which no compression of Postgres makes smaller.
    #[must_use]
    pub fn noise(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.rng.alphanumeric()).take(length).collect()
    }

    /// A version 4 uuid.
    #[must_use]
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid()
    }

    fn pick<T: Copy>(&mut self, words: &[T]) -> T {
        words[self.rng.usize(..words.len())]
    }

    fn title(&mut self, nation: &Nation, woman: bool) -> &'static str {
        match (nation.code, woman) {
            ("CH", false) => "Monsieur",
            ("CH", true) => self.pick(&["Madame", "Mademoiselle"]),
            (_, false) => "Mr",
            (_, true) => self.pick(&["Miss", "Mrs", "Ms"]),
        }
    }

    /// A number for most countries, a string where letters or leading zeros occur.
    fn postcode(&mut self, nat: &str) -> Value {
        const BRITISH: &[&str] = &["A# #AA", "A## #AA", "AA# #AA", "AA## #AA", "A#A #AA", "AA#A #AA"];
        match nat {
            "CA" => json!(self.fill("A#A #A#")),
            "GB" => {
                let form = self.pick(BRITISH);
                json!(self.fill(form))
            }
            "NO" => json!(format!("{:04}", self.rng.u32(1..=9999))),
            "AU" => json!(self.rng.u32(200..=9999)),
            "CH" => json!(self.rng.u32(1000..=9999)),
            _ => json!(self.rng.u32(10_000..=99_999)),
        }
    }

    /// Degrees as the service writes them: a string with four decimals.
    fn coordinate(&mut self, limit: i32) -> String {
        let ten_thousandths = self.rng.i32(-limit * 10_000..=limit * 10_000);
        let sign = if ten_thousandths < 0 { "-" } else { "" };
        let magnitude = ten_thousandths.unsigned_abs();
        format!("{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
    }

    /// Hash fields have the right width only: they are dropped before the row is written.
    fn login(&mut self) -> Value {
        let username = format!("{}{}{}", self.pick(ADJECTIVES), self.pick(ANIMALS), self.rng.u32(100..=999));
        json!({
            "uuid": self.uuid().to_string(),
            "username": username,
            "password": self.noise(8),
            "salt": self.noise(8),
            "md5": self.hexadecimal(32),
            "sha1": self.hexadecimal(40),
            "sha256": self.hexadecimal(64),
        })
    }

    fn hexadecimal(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.rng.digit(16)).take(length).collect()
    }

    fn dated(&mut self, range: std::ops::RangeInclusive<i64>) -> Value {
        let millis = self.rng.i64(range);
        let date = Timestamp::from_millisecond(millis).expect("both ranges lie within jiff's years");
        let age = (self.clock.as_millisecond() - millis) / YEAR_MS;
        json!({ "date": format!("{date:.3}"), "age": age })
    }

    fn national_id(&mut self, nation: &Nation) -> Value {
        match nation.id_name {
            "" => json!({ "name": "", "value": null }),
            name => json!({ "name": name, "value": self.fill("#######-A") }),
        }
    }

    fn picture(&mut self, woman: bool) -> Value {
        let (folder, last) = if woman { ("women", 96) } else { ("men", 99) };
        let number = self.rng.u32(0..=last);
        let url = |size: &str| format!("https://randomuser.me/api/portraits/{size}{folder}/{number}.jpg");
        json!({ "large": url(""), "medium": url("med/"), "thumbnail": url("thumb/") })
    }

    /// Replaces `#` by a digit and `A` by an upper-case letter.
    fn fill(&mut self, form: &str) -> String {
        form.chars()
            .map(|symbol| match symbol {
                '#' => self.rng.digit(10),
                'A' => self.rng.uppercase(),
                other => other,
            })
            .collect()
    }
}

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
    let lower: String = letter.to_lowercase().filter(|part| part.is_alphanumeric()).collect();
    if lower.is_ascii() {
        return lower;
    }
    let spelling = LATIN.iter().find(|(letters, _)| lower.chars().any(|part| letters.contains(part)));
    spelling.map_or_else(String::new, |(_, ascii)| (*ascii).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nation(code: &str) -> &'static Nation {
        NATIONS.iter().find(|nation| nation.code == code).expect("a nationality of API 1.4")
    }

    fn people_of(code: &str) -> impl Iterator<Item = Value> {
        let mut generator = Generator::new(7);
        std::iter::repeat_with(move || generator.person_of(nation(code))).take(50)
    }

    #[test]
    fn equal_seeds_make_equal_people() {
        let (mut left, mut right) = (Generator::new(42), Generator::new(42));

        for _ in 0..100 {
            assert_eq!(left.person().to_string(), right.person().to_string());
        }
    }

    #[test]
    fn keys_stand_in_the_order_of_the_service() {
        let person = Generator::new(1).person();

        let keys: Vec<_> = person.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.join(" "),
            "gender name location email login dob registered phone cell id picture nat"
        );
        let login: Vec<_> = person["login"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(login.join(" "), "uuid username password salt md5 sha1 sha256");
    }

    #[test]
    fn norwegian_postcodes_keep_leading_zeros_as_strings() {
        assert!(
            people_of("NO")
                .all(|person| person["location"]["postcode"].as_str().is_some_and(|code| code.len() == 4))
        );
    }

    #[test]
    fn most_postcodes_are_numbers() {
        assert!(people_of("DE").all(|person| person["location"]["postcode"].is_u64()));
        assert!(
            people_of("CH")
                .all(|person| (1000..=9999).contains(&person["location"]["postcode"].as_u64().unwrap()))
        );
    }

    #[test]
    fn countries_without_an_id_have_an_empty_name_and_a_null_value() {
        for code in ["IR", "NZ", "TR", "UA"] {
            assert!(people_of(code).all(|person| person["id"] == json!({ "name": "", "value": null })));
        }
    }

    #[test]
    fn iranian_names_are_in_persian_script() {
        assert!(people_of("IR").all(|person| !person["name"]["first"].as_str().unwrap().is_ascii()));
    }

    #[test]
    fn dutch_surnames_hold_apostrophes() {
        assert!(people_of("NL").any(|person| person["name"]["last"].as_str().unwrap().starts_with('\'')));
    }

    #[test]
    fn coordinates_are_strings_with_four_decimals() {
        for person in people_of("US") {
            let latitude = person["location"]["coordinates"]["latitude"].as_str().unwrap();

            assert_eq!(latitude.split_once('.').unwrap().1.len(), 4);
            assert!(latitude.parse::<f64>().unwrap().abs() <= 90.0);
        }
    }

    #[test]
    fn every_email_is_ascii_with_both_names() {
        for nation in NATIONS {
            for person in people_of(nation.code) {
                let email = person["email"].as_str().unwrap();

                assert!(email.is_ascii() && !email.contains(' '), "{email}");
                assert!(!email.starts_with('.') && !email.contains(".@"), "{email}");
            }
        }
    }

    #[test]
    fn swiss_titles_are_french() {
        assert!(people_of("CH").all(|person| person["name"]["title"].as_str().unwrap().starts_with('M')));
        assert!(people_of("CH").all(|person| person["name"]["title"] != "Mr"));
    }

    #[test]
    fn only_ages_follow_the_clock() {
        let later = Timestamp::constant(1_900_000_000, 0);
        let (mut now, mut then) = (Generator::new(3).person(), Generator::with_clock(3, later).person());

        assert_ne!(now, then);
        for part in ["dob", "registered"] {
            now[part]["age"] = Value::Null;
            then[part]["age"] = Value::Null;
        }
        assert_eq!(now, then);
    }

    #[test]
    fn dates_are_iso_with_milliseconds_and_zulu() {
        let person = Generator::new(9).person();

        let date = person["dob"]["date"].as_str().unwrap();
        assert_eq!((date.len(), &date[19..20], &date[23..]), (24, ".", "Z"));
    }
}
