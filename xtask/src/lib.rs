//! Development tasks: the doctor, the real servers of tests and demo, and the commands around them.
//!
//! Tests use [`stack::Stack`] and [`pipeline::Pipeline`]; everything else is behind `cargo xtask`.
//!
//! ```text
//! doctor (programs) → downloads (pinned servers, cached) → servers/* (one Server each) → Stack → Pipeline
//! ```
//!
//! No native dependency may come in here: the doctor must build where the C headers are still missing.

pub mod commands;
pub mod dependencies;
pub mod doctor;
pub mod downloads;
pub mod pipeline;
pub mod ports;
pub mod process;
pub mod servers;
pub mod stack;
pub mod workload;

mod account;
mod http;
mod pid_file;
mod python;
mod report;
mod spawner;
mod versions;
mod wait;
