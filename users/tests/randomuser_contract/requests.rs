//! What parameters ask for, and in which forms it comes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{service, text};

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
