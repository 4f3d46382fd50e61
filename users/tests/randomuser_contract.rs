//! What a reader may rely on at randomuser.me, API 1.4, asserted on the stand-in.
//!
//! RANDOMUSER_URL=https://randomuser.me runs the same tests against the service itself: about 50 requests for some
//! 6,000 people, a third of what it gives a client in five minutes.

#![allow(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod randomuser_client;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use md5::{Digest, Md5};
use randomuser_client::Service;
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;
use sluice_users::randomuser::Settings;
use sluice_users::row::UserRow;
use tokio::sync::OnceCell;

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

async fn service() -> Service {
    match std::env::var("RANDOMUSER_URL") {
        Ok(base) => Service::at(base.trim_end_matches('/').to_owned()),
        Err(_) => Service::start(Settings::default()).await,
    }
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

fn text<'a>(person: &'a Value, pointer: &str) -> &'a str {
    person.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is no string"))
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

#[tokio::test]
async fn the_envelope_tells_seed_results_page_and_version() {
    let document = service().await.document("results=3&page=2&seed=abc").await;

    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["results", "info"]);
    assert_eq!(document["results"].as_array().unwrap().len(), 3);
    assert_eq!(document["info"].to_string(), r#"{"seed":"abc","results":3,"page":2,"version":"1.4"}"#);
}

#[tokio::test]
async fn without_a_seed_one_of_sixteen_hexadecimal_digits_is_told_and_repeats_the_people() {
    let service = service().await;

    let document = service.document("results=2").await;

    let seed = document["info"]["seed"].as_str().unwrap();
    assert!(seed.len() == 16 && seed.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')), "{seed}");
    assert_eq!(service.document(&format!("results=2&seed={seed}")).await, document);
}

#[tokio::test]
async fn a_seed_repeats_its_people_and_a_page_has_others() {
    let service = service().await;

    let first = service.people("results=20&seed=again").await;

    assert_eq!(service.people("results=20&seed=again").await, first);
    assert_eq!(service.people("results=5&seed=again").await, first[..5]);
    assert_eq!(service.people("results=20&seed=again&page=1").await, first);
    assert_ne!(service.people("results=20&seed=again&page=2").await, first);
}

#[tokio::test]
async fn uuids_of_a_seed_are_the_same_in_every_selection() {
    let service = service().await;
    let uuids = async |query: &str| -> Vec<Value> {
        let people = service.people(&format!("results=20&seed=chosen{query}")).await;
        people.iter().map(|person| person["login"]["uuid"].clone()).collect()
    };

    let all = uuids("").await;

    assert_eq!(uuids("&inc=login").await, all);
    assert_eq!(uuids("&nat=us,gb").await, all);
}

#[tokio::test]
async fn results_out_of_range_are_one() {
    for results in ["0", "-1", "5001", "1.5", "many", ""] {
        let document = service().await.document(&format!("results={results}")).await;
        assert_eq!(
            (&document["info"]["results"], document["results"].as_array().unwrap().len()),
            (&1.into(), 1)
        );
    }
}

#[tokio::test]
async fn pages_out_of_range_are_one() {
    for page in ["0", "-1", "10001", "last"] {
        assert_eq!(service().await.document(&format!("page={page}")).await["info"]["page"], 1, "{page}");
    }
}

#[tokio::test]
async fn the_last_of_repeated_parameters_wins() {
    assert_eq!(service().await.people("results=2&results=4").await.len(), 4);
}

#[tokio::test]
async fn nationalities_are_filtered_in_either_case() {
    let people = service().await.people("results=60&nat=gb,No").await;

    let found: BTreeSet<_> = people.iter().map(|person| text(person, "/nat")).collect();
    assert_eq!(found, BTreeSet::from(["GB", "NO"]));
}

#[tokio::test]
async fn one_unknown_nationality_voids_the_filter() {
    let people = service().await.people("results=60&seed=all&nat=gb,xx").await;

    assert!(people.iter().any(|person| person["nat"] != "GB"));
}

#[tokio::test]
async fn a_filter_adds_nothing_to_the_seed() {
    let info = &service().await.document("nat=gb").await["info"];

    assert_eq!(info["seed"].as_str().unwrap().len(), 16);
}

#[tokio::test]
async fn eighteen_characters_of_seed_end_in_a_nationality() {
    let service = service().await;

    let document = service.document("results=10&seed=0123456789abcdef04&nat=gb").await;

    assert!(document["results"].as_array().unwrap().iter().all(|person| person["nat"] == "DE"));
    assert!(document["info"]["seed"].as_str().unwrap().starts_with("0123456789abcdef04"));
}

#[tokio::test]
async fn gender_is_ignored_with_a_seed() {
    let service = service().await;

    let women = service.people("results=40&gender=female").await;
    let seeded = service.people("results=40&gender=female&seed=both").await;

    assert!(women.iter().all(|person| person["gender"] == "female"));
    assert!(seeded.iter().any(|person| person["gender"] == "male"));
}

#[tokio::test]
async fn fields_are_included_and_excluded_whole() {
    let service = service().await;
    let keys = async |query: &str| {
        let person = service.people(query).await.remove(0);
        person.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };

    assert_eq!(keys("inc=nat,name,email").await, "name email nat");
    assert_eq!(keys("inc=name,nat&exc=nat").await, "name");
    assert_eq!(
        keys("exc=login,id,picture").await,
        "gender name location email dob registered phone cell nat"
    );
    assert_eq!(keys("inc=name.first").await, "");
}

#[tokio::test]
async fn passwords_follow_the_rule() {
    for person in service().await.people("results=20&password=upper,number,5-7&inc=login").await {
        let password = text(&person, "/login/password");
        assert!((5..=7).contains(&password.len()));
        assert!(password.chars().all(|symbol| symbol.is_ascii_uppercase() || symbol.is_ascii_digit()));
    }
}

#[tokio::test]
async fn info_is_left_out_on_demand() {
    let document = service().await.document("noinfo").await;

    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["results"]);
}

#[tokio::test]
async fn pretty_json_is_the_same_document_indented() {
    let service = service().await;

    let pretty = service.get("/api/?seed=look&format=pretty").await.text().await.unwrap();

    assert!(pretty.starts_with("{\n  \"results\": [\n    {\n      \"gender\""));
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), service.document("seed=look").await);
}

#[tokio::test]
async fn csv_has_a_line_of_paths_and_a_line_for_each_of_the_people() {
    let answer = service().await.get("/api/?results=3&nat=us&format=csv").await;

    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let csv = answer.text().await.unwrap();
    assert!(csv.starts_with("gender,name.title,name.first,name.last,location.street.number,"), "{csv}");
    assert_eq!(csv.trim_end().lines().count(), 4);
}

#[tokio::test]
async fn a_callback_wraps_the_document() {
    let script = service().await.get("/api/?callback=show").await.text().await.unwrap();

    let json = script.strip_prefix("show(").and_then(|rest| rest.strip_suffix(");")).unwrap();
    assert!(serde_json::from_str::<Value>(json).unwrap()["results"].is_array());
}

#[tokio::test]
async fn a_download_is_an_attachment() {
    let answer = service().await.get("/api/?dl").await;

    let disposition = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment") && disposition.contains("download.json"), "{disposition}");
}

#[tokio::test]
async fn the_version_may_stand_in_the_path() {
    let service = service().await;
    let expected = service.document("seed=version").await;

    for path in ["/api", "/api/1.4", "/api/1.4/"] {
        let answer: Value = service.get(&format!("{path}?seed=version")).await.json().await.unwrap();
        assert_eq!(answer, expected, "{path}");
    }
    assert_eq!(service.get("/api/9.9/").await.status(), 404);
}

#[tokio::test]
async fn answers_are_json_for_all_origins_and_not_cached() {
    let answer = service().await.request(reqwest::Method::GET, "/api/").header("origin", "http://localhost");

    let answer = answer.send().await.unwrap();

    let headers = answer.headers();
    assert!(headers["content-type"].to_str().unwrap().starts_with("application/json"));
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["cache-control"], "no-cache");
}
