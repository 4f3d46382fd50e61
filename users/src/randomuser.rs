//! A stand-in for randomuser.me, API 1.4: the same answers, parameters, quirks, quotas and errors, without the Internet.
//!
//! ```text
//! GET /api/?results=…  ─▶ query ─▶ quota ─▶ fault? ─▶ person::Generator ─▶ format ─▶ answer
//! PUT /_faults         ─▶ faults that the next answers have
//! ```
//!
//! A reader changes nothing but the base address to go from here to the service. Facts are from the service's published
//! source. People are another draw than the service's for the same seed: only shapes, types and rules are the same.
//!
//! What is not the same: YAML, XML, the older API versions and the hidden `lego` nationality are not served, and there
//! are no portraits under the addresses of `picture`.
//!
//! Beyond the service:
//!
//! - `GET /_health` answers 200 as soon as people are served.
//! - `GET /_faults` lists the faults still to come as a JSON array, in the notation of [`Fault`].
//! - `PUT /_faults` with such an array (`["429:3", "slow:1:2000"]`, `Content-Type: application/json`) replaces them;
//!   `[]` ends all faults. Only requests for people take faults, and only those that neither version, format nor quota
//!   refuses.

pub mod command;
mod faults;
mod format;
mod query;
mod quota;
mod seed;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, RawQuery, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_TYPE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::person::Generator;
use faults::Faults;
pub use faults::{Fault, FaultError, Kind};
use format::Format;
use query::Query;
use quota::Quota;

/// The only version that is served.
const VERSION: &str = "1.4";
/// Where proxies put the address of the client, as the service looks for it.
const CLIENT_HEADERS: [&str; 3] = ["cf-connecting-ip", "x-real-ip", "x-forwarded-for"];

/// How the stand-in behaves.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Moment at which ages are computed; the present of each request if there is none.
    pub clock: Option<Timestamp>,
    /// Faults of the first answers.
    pub faults: Vec<Fault>,
}

#[derive(Debug)]
struct StandIn {
    clock: Option<Timestamp>,
    faults: Faults,
    quota: Quota,
    start: Instant,
}

/// Serves until `stop` is ready; answers that are under way are finished.
///
/// # Errors
///
/// Fails if the listener does.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router(settings).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

/// Builds the routes. They need the client's address: serve them with `into_make_service_with_connect_info`.
pub fn router(settings: Settings) -> Router {
    let stand_in = StandIn {
        clock: settings.clock,
        faults: Faults::new(settings.faults),
        quota: Quota::default(),
        start: Instant::now(),
    };
    Router::new()
        .route("/api", get(people))
        .route("/api/", get(people))
        .route("/api/{version}", get(people))
        .route("/api/{version}/", get(people))
        .layer(from_fn(share_with_all_origins))
        .route("/_health", get(async || "ok\n"))
        .route("/_faults", get(list_faults).put(replace_faults))
        .with_state(Arc::new(stand_in))
}

async fn people(
    State(stand_in): State<Arc<StandIn>>,
    version: Option<Path<String>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if version.is_some_and(|Path(version)| version != VERSION) {
        return (StatusCode::NOT_FOUND, "Not Found").into_response();
    }
    let query = Query::parse(query.as_deref().unwrap_or_default());
    if query.format == Format::Unserved {
        return error(
            StatusCode::NOT_IMPLEMENTED,
            "the stand-in writes json, pretty and csv; ask for one of them",
        );
    }
    if let Err(users) =
        stand_in.quota.charge(&client(&headers, peer), query.results, stand_in.start.elapsed())
    {
        return too_many(users);
    }
    let fault = stand_in.faults.next();
    match fault {
        Some(Kind::Status(StatusCode::TOO_MANY_REQUESTS)) => return too_many(quota::LIMIT),
        Some(Kind::Status(status)) => {
            return (status, status.canonical_reason().unwrap_or_default()).into_response();
        }
        Some(Kind::Slow(delay)) => sleep(delay).await,
        _ => {}
    }
    let clock = stand_in.clock.unwrap_or_else(Timestamp::now);
    // Thousands of people are work of a second in a debug build: not for a thread that serves others.
    match tokio::task::spawn_blocking(move || answer(&query, clock, fault)).await {
        Ok(response) => response,
        Err(panic) => error(StatusCode::INTERNAL_SERVER_ERROR, &panic.to_string()),
    }
}

fn answer(query: &Query, clock: Timestamp, fault: Option<Kind>) -> Response {
    let mut text = query.format.write(&document(query, clock, fault));
    if let (Some(callback), "json") = (&query.callback, query.format.extension()) {
        text = format!("{callback}({text});");
    }
    let mut response = match fault {
        Some(Kind::Truncated) => truncated(text),
        Some(Kind::Malformed) => {
            text.truncate(text.floor_char_boundary(text.len() / 2));
            text.into_response()
        }
        _ => text.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(query.format.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if query.download {
        let disposition = format!("attachment; filename=\"download.{}\"", query.format.extension());
        headers.insert(CONTENT_DISPOSITION, disposition.parse().expect("an extension is ASCII"));
    }
    response
}

fn document(query: &Query, clock: Timestamp, fault: Option<Kind>) -> Value {
    let mut generator = Generator::with_clock(query.seed.number(query.page), clock);
    let people = std::iter::repeat_with(|| generator.select(&query.selection));
    let mut people: Vec<_> = people.take(query.results as usize).collect();
    if let Some(fault) = fault {
        fault.spoil(&mut people);
    }
    let mut document = json!({ "results": people });
    if !query.no_info {
        document["info"] = json!({
            "seed": query.seed.echo(),
            "results": query.results,
            "page": query.page,
            "version": VERSION,
        });
    }
    document
}

/// Promises the whole text, sends half of it and breaks the connection.
fn truncated(text: String) -> Response {
    let length = text.len();
    let half = Bytes::from(text).slice(..length / 2);
    let sent = stream::once(async { Ok(half) });
    let broken = stream::once(async {
        // The server sends what it has when the body makes it wait, and nothing after an error.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("truncated on demand"))
    });
    ([(CONTENT_LENGTH, length)], Body::from_stream(sent.chain(broken))).into_response()
}

fn client(headers: &HeaderMap, peer: SocketAddr) -> String {
    let forwarded = CLIENT_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    forwarded.map_or_else(|| peer.ip().to_string(), str::to_owned)
}

fn too_many(users: u64) -> Response {
    let minutes = quota::WINDOW.as_secs() / 60;
    let text = format!(
        "{users} users were requested in this window of {minutes} minutes, more than {} are not given; wait for the next",
        quota::LIMIT
    );
    error(StatusCode::TOO_MANY_REQUESTS, &text)
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}

async fn list_faults(State(stand_in): State<Arc<StandIn>>) -> Json<Vec<String>> {
    Json(stand_in.faults.left())
}

async fn replace_faults(
    State(stand_in): State<Arc<StandIn>>,
    Json(faults): Json<Vec<String>>,
) -> Result<Json<Vec<String>>, Response> {
    let faults: Result<Vec<Fault>, FaultError> = faults.iter().map(|text| text.parse()).collect();
    stand_in.faults.replace(faults.map_err(|fault| error(StatusCode::BAD_REQUEST, &fault.to_string()))?);
    Ok(Json(stand_in.faults.left()))
}

/// Open CORS: any page may read the answers, and preflights are granted.
async fn share_with_all_origins(request: Request, next: Next) -> Result<Response, Infallible> {
    let mut response = match *request.method() {
        Method::OPTIONS => {
            (StatusCode::NO_CONTENT, [(ACCESS_CONTROL_ALLOW_METHODS, "GET,HEAD")]).into_response()
        }
        _ => next.run(request).await,
    };
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
