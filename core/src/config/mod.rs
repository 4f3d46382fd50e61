//! Configuration from Kafka Connect's flat properties.
//!
//! A connector declares its properties once, with [`config!`](crate::config!): the doc comment is the
//! manual, the default is text as a user would write it, and the type says what is allowed. From that
//! one line come parsing with all faults at once, `sluice describe`, and the JSON schema.

mod declare;
mod definition;
mod fault;
mod known;
mod properties;
#[cfg(test)]
mod tests;
mod value;

pub use definition::{Config, Definition, Kind, Support, json_schema, no_effect, refused, suggest};
pub use fault::{Fault, Severity};
pub use known::Known;
pub use properties::Properties;
pub use value::{ByteSize, ConfigValue, Millis, Names, PatternList, Prefixed, Secret};
