//! Cassandra sink: idempotent, order-free upserts and deletes.
//!
//! Every write carries a timestamp that is a pure function of the change's place in the source's log
//! ([`timestamp`]), and Cassandra keeps the highest per cell. So records may be written in any order, at once and
//! repeatedly, and end in the same table.
//!
//! | step | where |
//! |---|---|
//! | record → plan of its topic and schemas | `cache`, `planner`, `schema`, `mapping`, `guard` |
//! | record → bound cells | `statement`, `types`, `shape`, `temporal`, `timestamp` |
//! | cells → server, some at once | `executor`, `limiter`, `session` |
//! | answers → rejections, or one error for the window | `error`, `sink` |

mod cache;
mod config;
mod connector;
mod error;
mod executor;
mod guard;
mod limiter;
mod mapping;
mod planner;
#[doc(hidden)]
pub mod probe;
mod schema;
mod session;
mod shape;
mod sink;
mod statement;
mod temporal;
mod timestamp;
mod tls;
mod truncate;
mod types;

pub use config::CassandraConfig;
pub use connector::CassandraSink;
pub use error::CassandraError;
pub use schema::TableName;
pub use sink::CassandraTask;
pub use types::ValueError;
