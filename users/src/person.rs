//! Documents as randomuser.me (API 1.4) returns them: same keys in the same order, same types, same quirks.
//!
//! Everything is a pure function of the seed, the [`Selection`] and the clock; the clock only moves the two ages.

mod email;
mod national_id;
mod password;
mod selection;

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::Sha256;
use uuid::Uuid;

use crate::words::{ADJECTIVES, ANIMALS, Nation, TIMEZONES};
pub use email::email;
use national_id::Holder;
pub use password::PasswordRule;
pub use selection::{FIELDS, Gender, Selection};

/// The moment at which ages are computed unless the caller names another: 2026-01-01T00:00:00Z.
///
/// A fixed one, so that a seed gives the same bytes on every day.
pub const DEFAULT_CLOCK: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Range of birth dates in epoch milliseconds, as the service has it.
const BORN: RangeInclusive<i64> = -800_000_000_000..=991_088_189_000;

/// Range of registration dates in epoch milliseconds, as the service has it.
const REGISTERED: RangeInclusive<i64> = 1_016_688_461_000..=1_653_344_189_000;

/// Makes one person after the other from a seed.
#[derive(Debug, Clone)]
pub struct Generator {
    rng: fastrand::Rng,
    /// Uuids and coordinates: as in the service they have a stream of their own, which no selection moves.
    unselected: fastrand::Rng,
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
        let [rng, unselected] = [seed, !seed].map(fastrand::Rng::with_seed);
        Self { rng, unselected, clock }
    }

    /// Makes the next person: anybody, with all fields.
    #[must_use]
    pub fn person(&mut self) -> Value {
        self.select(&Selection::default())
    }

    /// Makes the next person of a selection.
    ///
    /// As in the service a national id is drawn only if it is asked for, so that two selections of one seed may be other
    /// people; only `login.uuid` and the coordinates are the same in all of them.
    #[must_use]
    pub fn select(&mut self, selection: &Selection) -> Value {
        let nation = self.pick(&selection.nations);
        let gender = selection.gender.unwrap_or_else(|| self.pick(&[Gender::Male, Gender::Female]));
        let first = self.pick(if gender == Gender::Female { nation.women } else { nation.men });
        let last = self.pick(nation.surnames);
        let title = self.title(nation, gender);
        let location = self.location(nation);
        let login = self.login(&selection.password);
        let (born, dob) = self.dated(BORN);
        let (_, registered) = self.dated(REGISTERED);
        let picture = self.picture(gender);
        let (phone, cell) = (self.fill(nation.phone), self.fill(nation.cell));
        let id = if selection.has("id") {
            self.national_id(nation, &Holder { gender, last, born: born.date() })
        } else {
            Value::Null
        };
        let fields: [(&str, Value); FIELDS.len()] = [
            ("gender", json!(gender.name())),
            ("name", json!({ "title": title, "first": first, "last": last })),
            ("location", location),
            ("email", json!(email(first, last))),
            ("login", login),
            ("dob", dob),
            ("registered", registered),
            ("phone", json!(phone)),
            ("cell", json!(cell)),
            ("id", id),
            ("picture", picture),
            ("nat", json!(nation.code)),
        ];
        let selected = fields.into_iter().filter(|(field, _)| selection.has(field));
        Value::Object(selected.map(|(field, value)| (field.to_owned(), value)).collect::<Map<_, _>>())
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
        uuid::Builder::from_random_bytes(self.unselected.u128(..).to_be_bytes()).into_uuid()
    }

    fn pick<T: Copy>(&mut self, words: &[T]) -> T {
        words[self.rng.usize(..words.len())]
    }

    fn title(&mut self, nation: &Nation, gender: Gender) -> &'static str {
        match (nation.code, gender) {
            ("CH", Gender::Male) => "Monsieur",
            ("CH", Gender::Female) => self.pick(&["Madame", "Mademoiselle"]),
            (_, Gender::Male) => "Mr",
            (_, Gender::Female) => self.pick(&["Miss", "Mrs", "Ms"]),
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
        let ten_thousandths = self.unselected.i32(-limit * 10_000..=limit * 10_000);
        let sign = if ten_thousandths < 0 { "-" } else { "" };
        let magnitude = ten_thousandths.unsigned_abs();
        format!("{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
    }

    fn login(&mut self, rule: &PasswordRule) -> Value {
        let username = format!("{}{}{}", self.pick(ADJECTIVES), self.pick(ANIMALS), self.rng.u32(100..=999));
        let (salt, password) = (self.noise(8), rule.password(&mut self.rng));
        let salted = format!("{password}{salt}");
        json!({
            "uuid": self.uuid().to_string(),
            "username": username,
            "password": password,
            "salt": salt,
            "md5": hexadecimal(&Md5::digest(&salted)),
            "sha1": hexadecimal(&Sha1::digest(&salted)),
            "sha256": hexadecimal(&Sha256::digest(&salted)),
        })
    }

    /// A moment of a range, in UTC, and its part of the document: the date and how many years ago that was.
    fn dated(&mut self, range: RangeInclusive<i64>) -> (DateTime, Value) {
        let moment = Timestamp::from_millisecond(self.rng.i64(range))
            .expect("the ranges of this module lie within jiff's years");
        let [since, until] = [moment, self.clock].map(|moment| Offset::UTC.to_datetime(moment));
        (since, json!({ "date": format!("{moment:.3}"), "age": full_years(since, until) }))
    }

    fn picture(&mut self, gender: Gender) -> Value {
        let (folder, last) = if gender == Gender::Female { ("women", 96) } else { ("men", 99) };
        let number = self.rng.u32(0..=last);
        let url = |size: &str| format!("https://randomuser.me/api/portraits/{size}{folder}/{number}.jpg");
        json!({ "large": url(""), "medium": url("med/"), "thumbnail": url("thumb/") })
    }

    /// Replaces `#` by a digit, `A` by an upper-case letter and `[235]` by one of the characters between the brackets.
    fn fill(&mut self, form: &str) -> String {
        let mut filled = String::with_capacity(form.len());
        let mut symbols = form.chars();
        while let Some(symbol) = symbols.next() {
            filled.push(match symbol {
                '#' => self.rng.digit(10),
                'A' => self.rng.uppercase(),
                '[' => {
                    let choices: Vec<_> = symbols.by_ref().take_while(|choice| *choice != ']').collect();
                    self.pick(&choices)
                }
                other => other,
            });
        }
        filled
    }
}

/// Birthdays between two moments; negative if `until` is the earlier one. Who was born on 29 February has it on the 28th.
fn full_years(since: DateTime, until: DateTime) -> i16 {
    if since > until {
        return -full_years(until, since);
    }
    let years = until.year() - since.year();
    let birthday_to_come = since.saturating_add(years.years()) > until;
    years - i16::from(birthday_to_come)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes all that is written");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::NATIONS;

    fn people_of(code: &str) -> impl Iterator<Item = Value> {
        let nation = NATIONS.iter().find(|nation| nation.code == code).expect("a nationality of API 1.4");
        let selection = Selection { nations: vec![nation], ..Selection::default() };
        let mut generator = Generator::new(7);
        std::iter::repeat_with(move || generator.select(&selection)).take(50)
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

    #[test]
    fn hashes_are_those_of_password_and_salt() {
        let login = &Generator::new(5).person()["login"];

        let salted = format!("{}{}", login["password"].as_str().unwrap(), login["salt"].as_str().unwrap());
        assert_eq!(login["md5"], hexadecimal(&Md5::digest(&salted)));
        assert_eq!(login["sha1"], hexadecimal(&Sha1::digest(&salted)));
        assert_eq!(login["sha256"], hexadecimal(&Sha256::digest(&salted)));
    }

    #[test]
    fn hashes_are_written_in_lower_case_hexadecimal() {
        assert_eq!(hexadecimal(&Md5::digest("")), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn ages_count_birthdays() {
        let age = |since: &str, until: &str| full_years(since.parse().unwrap(), until.parse().unwrap());

        assert_eq!(age("1990-06-15T12:00:00", "2020-06-15T11:59:59"), 29);
        assert_eq!(age("1990-06-15T12:00:00", "2020-06-15T12:00:00"), 30);
        assert_eq!(age("2000-02-29T00:00:00", "2001-02-28T00:00:00"), 1);
        assert_eq!(age("2020-06-15T00:00:00", "2018-01-01T00:00:00"), -2);
    }

    #[test]
    fn uuids_and_coordinates_are_the_same_in_every_selection() {
        let brief = Selection {
            gender: Some(Gender::Female),
            fields: vec!["login", "location"],
            ..Selection::default()
        };
        let (mut all, mut some) = (Generator::new(8), Generator::new(8));

        for _ in 0..50 {
            let (whole, part) = (all.person(), some.select(&brief));
            assert_eq!(whole["login"]["uuid"], part["login"]["uuid"]);
            assert_eq!(whole["location"]["coordinates"], part["location"]["coordinates"]);
        }
    }

    #[test]
    fn forms_are_filled_symbol_by_symbol() {
        let filled = Generator::new(4).fill("(0[69]#) A-x");

        let symbols: Vec<_> = filled.chars().collect();
        assert!(
            matches!(symbols[..], ['(', '0', '6' | '9', '0'..='9', ')', ' ', 'A'..='Z', '-', 'x']),
            "{filled}"
        );
    }
}
