//! What a reader may rely on at randomuser.me, API 1.4, asserted on the stand-in.
//!
//! RANDOMUSER_URL=https://randomuser.me runs the same tests against the service itself: about 50 requests for some
//! 6,000 people, a third of what it gives a client in five minutes.

#![allow(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod people;
#[path = "../randomuser_client/mod.rs"]
mod randomuser_client;
mod requests;

use randomuser_client::Service;
use serde_json::Value;
use sluice_users::randomuser::Settings;

async fn service() -> Service {
    match std::env::var("RANDOMUSER_URL") {
        Ok(base) => Service::at(base.trim_end_matches('/').to_owned()),
        Err(_) => Service::start(Settings::default()).await,
    }
}

fn text<'a>(person: &'a Value, pointer: &str) -> &'a str {
    person.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is no string"))
}
