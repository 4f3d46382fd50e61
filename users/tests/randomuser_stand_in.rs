//! What the stand-in has and the service has not: faults on demand, a clock that can be set, a quota that can be met.

#![allow(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod randomuser_client;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use randomuser_client::Service;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sluice_users::randomuser::{Fault, Settings, serve};
use sluice_users::row::UserRow;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

fn faults(faults: &[&str]) -> Settings {
    let faults: Vec<Fault> = faults.iter().map(|text| text.parse().unwrap()).collect();
    Settings { faults, ..Settings::default() }
}

async fn put_faults(service: &Service, faults: Value) -> Response {
    service.request(Method::PUT, "/_faults").json(&faults).send().await.unwrap()
}

/// Whether each of the people is a row of the users table.
async fn accepted(service: &Service, query: &str) -> Vec<bool> {
    service.people(query).await.into_iter().map(|person| UserRow::try_from(person).is_ok()).collect()
}

#[tokio::test]
async fn error_statuses_come_in_order_and_end() {
    let service = Service::start(faults(&["429:2", "500:1", "503:1"])).await;

    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(service.get("/api/").await.status().as_u16());
    }

    assert_eq!(statuses, [429, 429, 500, 503, 200]);
}

#[tokio::test]
async fn a_429_on_demand_has_the_body_of_a_real_one() {
    let service = Service::start(faults(&["429:1"])).await;

    let answer = service.get("/api/").await;

    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(answer.json::<Value>().await.unwrap()["error"].is_string());
}

#[tokio::test]
async fn slow_answers_come_whole_and_not_before_their_time() {
    let service = Service::start(faults(&["slow:1:300"])).await;
    let start = Instant::now();

    let people = service.people("results=2").await;

    assert_eq!(people.len(), 2);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn truncated_answers_begin_well_and_break_off() {
    let service = Service::start(faults(&["truncated:1"])).await;

    let mut answer = service.get("/api/?results=10").await;

    assert_eq!(answer.status(), 200);
    let (promised, mut received) = (answer.content_length().unwrap(), 0);
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(bytes)) => received += bytes.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken);
    assert_eq!(received, promised / 2);
    assert_eq!(service.people("results=10").await.len(), 10);
}

#[tokio::test]
async fn malformed_answers_arrive_whole_and_do_not_parse() {
    let service = Service::start(faults(&["malformed:1"])).await;

    let answer = service.get("/api/?results=3").await;

    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(text.starts_with(r#"{"results":[{"#));
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn contract_breaks_spoil_the_first_documents_only() {
    for fault in ["missing-field:1:2", "wrong-type:1:2"] {
        let service = Service::start(faults(&[fault])).await;

        assert_eq!(accepted(&service, "results=4").await, [false, false, true, true], "{fault}");
        assert_eq!(accepted(&service, "results=4").await, [true; 4], "{fault}");
    }
}

#[tokio::test]
async fn a_spoiled_answer_has_the_same_people_otherwise() {
    let service = Service::start(faults(&["missing-field:1:1"])).await;

    let spoiled = service.people("results=3&seed=same").await;
    let whole = service.people("results=3&seed=same").await;

    assert!(spoiled[0].pointer("/login/uuid").is_none());
    assert_eq!(spoiled[1..], whole[1..]);
}

#[tokio::test]
async fn faults_are_set_listed_and_ended_while_it_runs() {
    let service = Service::start(Settings::default()).await;

    assert_eq!(put_faults(&service, json!(["503:2", "slow:1:50"])).await.status(), 200);
    assert_eq!(service.get("/api/").await.status(), 503);
    let left: Value = service.get("/_faults").await.json().await.unwrap();
    assert_eq!(left, json!(["503:1", "slow:1:50"]));

    put_faults(&service, json!([])).await;
    assert_eq!(service.get("/api/").await.status(), 200);
}

#[tokio::test]
async fn unknown_faults_are_refused_and_change_nothing() {
    let service = Service::start(faults(&["500:1"])).await;

    let answer = put_faults(&service, json!(["503:1", "404:1"])).await;

    assert_eq!(answer.status(), 400);
    let error: Value = answer.json().await.unwrap();
    assert!(error["error"].as_str().unwrap().contains("`404:1`"));
    assert_eq!(service.get("/api/").await.status(), 500);
}

#[tokio::test]
async fn the_quota_is_checked_before_it_is_counted_and_for_each_client() {
    let service = Service::start(Settings::default()).await;
    let ask = async |client: &str, results: u32| {
        let request = service.request(Method::GET, &format!("/api/?inc=nat&results={results}"));
        request.header("x-forwarded-for", client).send().await.unwrap()
    };

    for _ in 0..3 {
        assert_eq!(ask("192.0.2.1", 5_000).await.status(), 200);
    }
    assert_eq!(ask("192.0.2.1", 4_999).await.status(), 200);
    assert_eq!(ask("192.0.2.1", 5_000).await.status(), 200, "19,999 users leave room for one more request");
    let refused = ask("192.0.2.1", 1).await;

    assert_eq!(refused.status(), 429);
    assert!(refused.json::<Value>().await.unwrap()["error"].as_str().unwrap().contains("24999"));
    assert_eq!(ask("192.0.2.2", 1).await.status(), 200);
}

#[tokio::test]
async fn a_set_clock_moves_the_ages_and_nothing_else() {
    let at = async |clock: &str| {
        let settings = Settings { clock: Some(clock.parse().unwrap()), ..Settings::default() };
        Service::start(settings).await.people("results=50&seed=clock").await
    };

    let (mut now, mut later) = (at("2026-01-01T00:00:00Z").await, at("2036-01-01T00:00:00Z").await);

    for (now, later) in now.iter_mut().zip(&mut later) {
        for part in ["dob", "registered"] {
            let [before, after] =
                [&mut *now, &mut *later].map(|person| person[part]["age"].take().as_i64().unwrap());
            assert_eq!(after - before, 10);
        }
    }
    assert_eq!(now, later);
}

#[tokio::test]
async fn unserved_formats_are_refused_with_those_served() {
    let service = Service::start(Settings::default()).await;

    for format in ["yaml", "XML"] {
        let answer = service.get(&format!("/api/?format={format}")).await;
        assert_eq!(answer.status(), 501);
        let error: Value = answer.json().await.unwrap();
        assert!(error["error"].as_str().unwrap().contains("json, pretty and csv"));
    }
}

#[tokio::test]
async fn preflights_are_granted() {
    let service = Service::start(Settings::default()).await;

    let answer = service.request(Method::OPTIONS, "/api/").send().await.unwrap();

    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn health_is_answered_and_is_no_fault() {
    let service = Service::start(faults(&["500:1"])).await;

    assert_eq!(service.get("/_health").await.status(), 200);
    assert_eq!(service.get("/api/").await.status(), 500);
}

#[tokio::test]
async fn an_answer_under_way_is_finished_when_it_stops() {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let service = Service::at(format!("http://{}", listener.local_addr().unwrap()));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, faults(&["slow:1:200"]), async { drop(stopped.await) }));

    let stop_under_way = async {
        // The fault is taken by the request that it slows.
        while service.get("/_faults").await.json::<Vec<String>>().await.unwrap() != [""; 0] {}
        drop(stop);
    };
    let (people, ()) = tokio::join!(service.people("results=2"), stop_under_way);

    assert_eq!(people.len(), 2);
    server.await.unwrap().unwrap();
}
