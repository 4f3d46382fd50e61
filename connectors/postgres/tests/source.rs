//! The source against a real Postgres.
//!
//! The server is named by `SLUICE_TEST_POSTGRES`; its role must be a superuser.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "source/alterations.rs"]
mod alterations;
#[path = "source/changes.rs"]
mod changes;
#[path = "source/compatibility.rs"]
mod compatibility;
#[path = "source/conformance.rs"]
mod conformance_kit;
#[path = "source/connect_json.rs"]
mod connect_json;
#[path = "source/defaults.rs"]
mod defaults;
#[path = "source/edges.rs"]
mod edges;
#[path = "source/gaps.rs"]
mod gaps;
#[path = "source/harness.rs"]
mod harness;
#[path = "source/messages.rs"]
mod messages;
#[path = "source/restarts.rs"]
mod restarts;
#[path = "source/side_topics.rs"]
mod side_topics;
#[path = "source/snapshot.rs"]
mod snapshot;
#[path = "source/start.rs"]
mod start;
#[path = "source/takeover.rs"]
mod takeover;
#[path = "source/text.rs"]
mod text;
#[path = "source/transactions.rs"]
mod transactions;
#[path = "source/types.rs"]
mod types;
