//! Cassandra sink: idempotent, order-free upserts and deletes.
//!
//! Every write carries a timestamp that is a pure function of the change's place in the source's log
//! (module `timestamp`), and Cassandra keeps the highest per cell. So records may be written in any order, at once and
//! repeatedly, and end in the same table.
//!
//! | step | where |
//! |---|---|
//! | record → plan of its topic and schemas | `cache`, `planner`, `columns`, `schema`, `mapping`, `guard` |
//! | record → bound cells | `row`, `statement`, `types`, `shape`, `temporal`, `timestamp` |
//! | cells → server, some at once | `executor`, `limiter`, `session` |
//! | answers → rejections, or one error for the window | `verdict`, `error`, `sink` |

mod cache;
mod columns;
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
mod row;
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
mod verdict;

pub use config::CassandraConfig;
pub use connector::CassandraSink;
pub use error::{CassandraError, DriverError};
pub use schema::TableName;
pub use sink::CassandraTask;
pub use types::ValueError;
