//! The differential: real Debezium and Sluice read the same Postgres, and what they write to Kafka is compared.
//!
//! ```text
//! tests/differential/*.sql, *.properties ─▶ case ─▶ run ─┬─ debezium (Kafka Connect) ─▶ topics ─┐
//!                                                        └─ sluice (its binary) ──────▶ topics ─┤
//!                         known.json ─▶ known ─▶ report, page ◀── compare ◀── normal ◀── observe ┘
//! ```
//!
//! Each case has a database of its own, and each side a slot, a publication and a topic prefix of its own. A marker
//! row at the end, which both sides capture, says when everything before it has been written.

pub mod avro;
pub mod case;
pub mod compare;
pub mod database;
pub mod debezium;
pub mod expected;
pub mod known;
pub mod majors;
pub mod modes;
pub mod normal;
pub mod observe;
pub mod page;
pub mod properties;
pub mod random;
pub mod report;
pub mod run;
pub mod side;
pub mod sluice;
pub mod sql;
pub mod topics;
