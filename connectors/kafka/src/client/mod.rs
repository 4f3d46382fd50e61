//! Settings and log of the librdkafka clients, and a look at the brokers.

mod jaas;
mod logging;
mod names;
mod probe;
mod settings;

pub(crate) use jaas::user_and_password;
pub(crate) use logging::{Logged, forward_error, forward_log};
pub use probe::cluster_id;
pub(crate) use probe::{BROKER_TIMEOUT, Probe, invalid, overrides};
pub(crate) use settings::{ClientKind, ClientSettings};
