//! What people are like.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use md5::{Digest, Md5};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;
use sluice_users::row::UserRow;
use tokio::sync::OnceCell;

use crate::{service, text};

/// The paths of all scalars of a person in their order, with the types that occur.
const SCALARS: [(&str, &[Type]); 34] = [
    ("/gender", &[Type::String]),
    ("/name/title", &[Type::String]),
    ("/name/first", &[Type::String]),
    ("/name/last", &[Type::String]),
    ("/location/street/number", &[Type::Number]),
    ("/location/street/name", &[Type::String]),
    ("/location/city", &[Type::String]),
    ("/location/state", &[Type::String]),
    ("/location/country", &[Type::String]),
    ("/location/postcode", &[Type::Number, Type::String]),
    ("/location/coordinates/latitude", &[Type::String]),
    ("/location/coordinates/longitude", &[Type::String]),
    ("/location/timezone/offset", &[Type::String]),
    ("/location/timezone/description", &[Type::String]),
    ("/email", &[Type::String]),
    ("/login/uuid", &[Type::String]),
    ("/login/username", &[Type::String]),
    ("/login/password", &[Type::String]),
    ("/login/salt", &[Type::String]),
    ("/login/md5", &[Type::String]),
    ("/login/sha1", &[Type::String]),
    ("/login/sha256", &[Type::String]),
    ("/dob/date", &[Type::String]),
    ("/dob/age", &[Type::Number]),
    ("/registered/date", &[Type::String]),
    ("/registered/age", &[Type::Number]),
    ("/phone", &[Type::String]),
    ("/cell", &[Type::String]),
    ("/id/name", &[Type::String]),
    ("/id/value", &[Type::Null, Type::String]),
    ("/picture/large", &[Type::String]),
    ("/picture/medium", &[Type::String]),
    ("/picture/thumbnail", &[Type::String]),
    ("/nat", &[Type::String]),
];

/// Nationalities with country and name of the national id.
const NATIONS: [(&str, &str, &str); 21] = [
    ("AU", "Australia", "TFN"),
    ("BR", "Brazil", "CPF"),
    ("CA", "Canada", "SIN"),
    ("CH", "Switzerland", "AVS"),
    ("DE", "Germany", "SVNR"),
    ("DK", "Denmark", "CPR"),
    ("ES", "Spain", "DNI"),
    ("FI", "Finland", "HETU"),
    ("FR", "France", "INSEE"),
    ("GB", "United Kingdom", "NINO"),
    ("IE", "Ireland", "PPS"),
    ("IN", "India", "UIDAI"),
    ("IR", "Iran", ""),
    ("MX", "Mexico", "NSS"),
    ("NL", "Netherlands", "BSN"),
    ("NO", "Norway", "FN"),
    ("NZ", "New Zealand", ""),
    ("RS", "Serbia", "SID"),
    ("TR", "Turkey", ""),
    ("UA", "Ukraine", ""),
    ("US", "United States", "SSN"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Number,
    String,
}

/// Enough people to meet every quirk of every nationality, asked for once.
async fn sample() -> &'static [Value] {
    static SAMPLE: OnceCell<Vec<Value>> = OnceCell::const_new();
    SAMPLE.get_or_init(async || service().await.people("results=5000&seed=sluice").await).await
}

/// Those of the sample who have a nationality.
async fn sample_of(nat: &'static str) -> impl Iterator<Item = &'static Value> {
    sample().await.iter().filter(move |person| person["nat"] == nat)
}

/// Paths and types of the scalars of a document, in order.
fn scalars(value: &Value, pointer: &str, found: &mut Vec<(String, Type)>) {
    let scalar = match value {
        Value::Object(fields) => {
            return fields.iter().for_each(|(key, value)| scalars(value, &format!("{pointer}/{key}"), found));
        }
        Value::Null => Type::Null,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::Bool(_) | Value::Array(_) => panic!("{pointer} is of a type that does not occur"),
    };
    found.push((pointer.to_owned(), scalar));
}

/// Whether `text` has the form: `#` a digit, `A` an upper-case letter, all else itself.
fn has_form(text: &str, form: &str) -> bool {
    text.chars().count() == form.len()
        && text.chars().zip(form.chars()).all(|(symbol, expected)| match expected {
            '#' => symbol.is_ascii_digit(),
            'A' => symbol.is_ascii_uppercase(),
            other => symbol == other,
        })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn fields_have_their_order_and_types() {
    for person in sample().await {
        let mut found = Vec::new();
        scalars(person, "", &mut found);

        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, SCALARS.map(|(path, _)| path));
        for ((path, found), (_, allowed)) in found.iter().zip(SCALARS) {
            assert!(allowed.contains(found), "{path} is {found:?}");
        }
    }
}

#[tokio::test]
async fn every_person_is_a_row_of_the_users_table() {
    for person in sample().await {
        UserRow::try_from(person.clone()).unwrap();
    }
}

#[tokio::test]
async fn all_nationalities_occur_with_their_country_and_id() {
    let found: BTreeSet<_> = sample()
        .await
        .iter()
        .map(|person| (text(person, "/nat"), text(person, "/location/country"), text(person, "/id/name")))
        .collect();

    assert_eq!(found, NATIONS.into());
}

#[tokio::test]
async fn ids_are_null_where_a_country_has_none() {
    for person in sample().await {
        assert_eq!(person["id"]["value"].is_null(), text(person, "/id/name").is_empty());
    }
}

#[tokio::test]
async fn titles_follow_gender_and_switzerland() {
    let mut titles: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for person in sample().await {
        let swiss = person["nat"] == "CH";
        titles.entry((swiss, text(person, "/gender"))).or_default().insert(text(person, "/name/title"));
    }

    let expected = BTreeMap::from([
        ((false, "female"), BTreeSet::from(["Miss", "Mrs", "Ms"])),
        ((false, "male"), BTreeSet::from(["Mr"])),
        ((true, "female"), BTreeSet::from(["Madame", "Mademoiselle"])),
        ((true, "male"), BTreeSet::from(["Monsieur"])),
    ]);
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn names_come_in_their_own_script() {
    let mut persian = sample_of("IR").await;
    assert!(
        persian
            .all(|person| text(person, "/name/first").chars().any(|c| ('\u{600}'..'\u{700}').contains(&c)))
    );

    for nat in ["RS", "TR", "DE", "MX"] {
        let mut people = sample_of(nat).await;
        assert!(people.any(|person| !text(person, "/name/last").is_ascii()), "{nat} without diacritics");
    }
    assert!(sample_of("NL").await.any(|person| text(person, "/name/last").starts_with('\'')));
}

#[tokio::test]
async fn postcodes_are_numbers_in_the_range_of_their_country() {
    for person in sample().await {
        let range = match text(person, "/nat") {
            // The service's own example has a string for the United States.
            "CA" | "GB" | "NO" | "US" => continue,
            "AU" => 200..=9_999,
            "CH" => 1_000..=9_999,
            _ => 10_000..=99_999,
        };
        let postcode = person["location"]["postcode"].as_u64().unwrap();
        assert!(range.contains(&postcode), "{} {postcode}", person["nat"]);
    }
}

#[tokio::test]
async fn postcodes_with_letters_or_leading_zeros_are_strings() {
    let british = ["A# #AA", "A## #AA", "AA# #AA", "AA## #AA", "A#A #AA", "AA#A #AA"];
    for (nat, forms) in [("CA", &["A#A #A#"][..]), ("GB", &british), ("NO", &["####"])] {
        for person in sample_of(nat).await {
            let postcode = text(person, "/location/postcode");
            assert!(forms.iter().any(|form| has_form(postcode, form)), "{nat} {postcode}");
        }
    }
    assert!(sample_of("NO").await.any(|person| text(person, "/location/postcode").starts_with('0')));
}

#[tokio::test]
async fn coordinates_are_strings_with_four_decimals() {
    for person in sample().await {
        for (path, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
            let degrees = text(person, &format!("/location/coordinates/{path}"));
            assert_eq!(degrees.split_once('.').unwrap().1.len(), 4, "{degrees}");
            assert!(degrees.parse::<f64>().unwrap().abs() <= limit, "{degrees}");
        }
    }
}

#[tokio::test]
async fn timezones_are_thirty_fixed_pairs() {
    let people = sample().await.iter();
    let timezones: BTreeMap<_, _> = people
        .map(|person| {
            (text(person, "/location/timezone/offset"), text(person, "/location/timezone/description"))
        })
        .collect();

    assert_eq!(timezones.len(), 30);
    assert_eq!(timezones["0:00"], "Western Europe Time, London, Lisbon, Casablanca");
    assert_eq!(timezones["+5:45"], "Kathmandu");
    assert_eq!(timezones["-3:30"], "Newfoundland");
    assert!(timezones.contains_key("-12:00") && timezones.contains_key("+11:00"));
    assert!(!timezones.contains_key("+12:00"));
}

#[tokio::test]
async fn street_numbers_have_at_most_four_digits() {
    let mut people = sample().await.iter();

    assert!(
        people.all(|person| (1..=9_999).contains(&person["location"]["street"]["number"].as_u64().unwrap()))
    );
}

#[tokio::test]
async fn emails_are_lower_case_ascii_at_example_com_and_not_unique() {
    let emails: Vec<_> = sample().await.iter().map(|person| text(person, "/email")).collect();

    for email in &emails {
        let (name, domain) = email.split_once('@').unwrap();
        assert_eq!(domain, "example.com");
        assert!(name.contains('.') && name.is_ascii() && !name.contains(' '), "{email}");
        assert_eq!(name.to_lowercase(), name);
    }
    assert!(emails.iter().collect::<BTreeSet<_>>().len() < emails.len());
}

#[tokio::test]
async fn uuids_are_of_version_4_and_unique() {
    let uuids: BTreeSet<_> = sample()
        .await
        .iter()
        .map(|person| text(person, "/login/uuid").parse::<uuid::Uuid>().unwrap())
        .collect();

    assert_eq!(uuids.len(), sample().await.len());
    assert!(uuids.iter().all(|uuid| uuid.get_version_num() == 4));
}

#[tokio::test]
async fn usernames_end_in_three_digits() {
    for person in sample().await {
        let username = text(person, "/login/username");
        let words = username.trim_end_matches(|symbol: char| symbol.is_ascii_digit());
        assert!((100..=999).contains(&username[words.len()..].parse::<u32>().unwrap()) && !words.is_empty());
    }
}

#[tokio::test]
async fn hashes_are_of_password_and_salt() {
    for person in sample().await.iter().take(500) {
        let (password, salt) = (text(person, "/login/password"), text(person, "/login/salt"));
        let salted = format!("{password}{salt}");

        assert!(salt.len() == 8 && salt.chars().all(|symbol| symbol.is_ascii_alphanumeric()));
        assert_eq!(text(person, "/login/md5"), hexadecimal(&Md5::digest(&salted)));
        assert_eq!(text(person, "/login/sha1"), hexadecimal(&Sha1::digest(&salted)));
        assert_eq!(text(person, "/login/sha256"), hexadecimal(&Sha256::digest(&salted)));
    }
}

#[tokio::test]
async fn dates_are_iso_with_milliseconds_within_fixed_ranges() {
    let ranges = [
        ("/dob/date", "1944-08-25T17:46:40.000Z", "2001-05-28T22:16:29.000Z"),
        ("/registered/date", "2002-03-21T05:27:41.000Z", "2022-05-23T22:16:29.000Z"),
    ];
    for person in sample().await {
        for (path, first, last) in ranges {
            let date = text(person, path);
            assert!(has_form(date, "####-##-##T##:##:##.###Z"), "{date}");
            assert!((first..=last).contains(&date), "{path} {date}");
        }
    }
}

#[tokio::test]
async fn ages_are_full_years_until_today() {
    // Two days are left out: birthdays may be today here and yesterday or tomorrow there.
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    for person in sample().await {
        for part in ["dob", "registered"] {
            let moment: Timestamp = person[part]["date"].as_str().unwrap().parse().unwrap();
            let age = person[part]["age"].as_i64().unwrap();
            let birthday = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime() + age.years();
            assert!(birthday - 2.days() <= today && today < birthday + 1.year() + 2.days(), "{part} {age}");
        }
    }
}

#[tokio::test]
async fn portraits_exist_for_100_men_and_97_women() {
    let base = "https://randomuser.me/api/portraits/";
    for person in sample().await {
        let (folder, last) = if person["gender"] == "male" { ("men", 99) } else { ("women", 96) };
        let large = text(person, "/picture/large");
        let number =
            large.strip_prefix(&format!("{base}{folder}/")).and_then(|rest| rest.strip_suffix(".jpg"));
        let number: u32 = number.unwrap().parse().unwrap();

        assert!(number <= last);
        assert_eq!(text(person, "/picture/medium"), format!("{base}med/{folder}/{number}.jpg"));
        assert_eq!(text(person, "/picture/thumbnail"), format!("{base}thumb/{folder}/{number}.jpg"));
    }
}
