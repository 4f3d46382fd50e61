//! Debezium's properties that have no effect here, or are not there yet.

use sluice_core::config::{ConfigValue, Fault, Kind, Properties};

/// A property that is accepted so that files need not be changed, and does nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored;

impl ConfigValue for Ignored {
    const KIND: Kind = Kind::String;
    const OPTIONAL: bool = true;

    fn parse(_text: &str) -> Result<Self, String> {
        Ok(Self)
    }

    fn find(_: &Properties, _: &'static str, _: Option<&'static str>) -> Result<Self, Fault> {
        Ok(Self)
    }
}

/// A property that Debezium has and Sluice does not: setting it is a fault, so that nothing it asks
/// for is silently left out. A name that ends in `.` stands for all below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsupported;

impl ConfigValue for Unsupported {
    const KIND: Kind = Kind::String;
    const OPTIONAL: bool = true;

    fn parse(_text: &str) -> Result<Self, String> {
        Ok(Self)
    }

    fn find(properties: &Properties, name: &'static str, _: Option<&'static str>) -> Result<Self, Fault> {
        let set = |key: &str| key == name || (name.ends_with('.') && key.starts_with(name));
        match properties.iter().find(|(key, value)| set(key) && !harmless(value)) {
            None => Ok(Self),
            Some((key, _)) => Err(Fault::new(
                "config.unsupported_property",
                key,
                "is a property of Debezium that Sluice does not have yet",
            )
            .hint(advice(name))),
        }
    }
}

/// Values that switch a property off.
fn harmless(value: &str) -> bool {
    matches!(value.trim(), "" | "false")
}

fn advice(name: &str) -> &'static str {
    match name {
        "signal.data.collection" => {
            "remove it; to read tables again, stop the connector, delete its position and start it with \
             `snapshot.mode=always`"
        }
        "heartbeat.action.query" => "remove it; an idle slot moves without it",
        "replica.identity.autoset.values" => "remove it and run ALTER TABLE … REPLICA IDENTITY … once",
        "snapshot.include.collection.list" => "remove it, and run a second connector for the other tables",
        "column.mask." | "column.truncate." => "remove it, and use the MaskField transform",
        "post.processors" => {
            "remove it; unchanged large values are known as such, and sinks leave them as they are"
        }
        _ => "remove it",
    }
}
