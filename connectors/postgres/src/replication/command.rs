//! The text of replication commands.
//!
//! Grammar: Postgres manual, "Streaming Replication Protocol". It has its own scanner: identifiers
//! in double quotes, literals in single ones, backslashes plain.

use super::options::{SlotSnapshot, StreamOptions, Streaming};

/// Quotes an identifier.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The option list in parentheses came with this version; the older form knows no failover.
const OPTION_LIST: u32 = 15;

/// Writes `CREATE_REPLICATION_SLOT` for a server of that major version.
pub(super) fn create_logical_slot(
    name: &str,
    snapshot: SlotSnapshot,
    failover: bool,
    server_major: u32,
) -> String {
    let name = quote_identifier(name);
    if server_major < OPTION_LIST {
        let snapshot = match snapshot {
            SlotSnapshot::Export => "EXPORT_SNAPSHOT",
            SlotSnapshot::NoExport => "NOEXPORT_SNAPSHOT",
            SlotSnapshot::Use => "USE_SNAPSHOT",
        };
        return format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput {snapshot}");
    }
    let snapshot = match snapshot {
        SlotSnapshot::Export => "export",
        SlotSnapshot::NoExport => "nothing",
        SlotSnapshot::Use => "use",
    };
    let failover = if failover { ", FAILOVER" } else { "" };
    format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput (SNAPSHOT '{snapshot}'{failover})")
}

/// Writes `START_REPLICATION`.
pub(super) fn start_replication(options: &StreamOptions) -> String {
    let publications: Vec<_> = options.publications.iter().map(|name| quote_identifier(name)).collect();
    let mut plugin =
        vec![("proto_version", options.protocol.to_string()), ("publication_names", publications.join(","))];
    let mut set = |on: bool, name, value: &str| {
        if on {
            plugin.push((name, value.to_owned()));
        }
    };
    set(options.binary, "binary", "true");
    set(options.messages, "messages", "true");
    set(options.streaming == Streaming::On, "streaming", "on");
    set(options.streaming == Streaming::Parallel, "streaming", "parallel");
    set(options.two_phase, "two_phase", "on");
    set(options.origin.is_some(), "origin", options.origin.as_deref().unwrap_or_default());
    let plugin: Vec<_> =
        plugin.iter().map(|(name, value)| format!("{name} {}", quote_literal(value))).collect();
    format!(
        "START_REPLICATION SLOT {} LOGICAL {} ({})",
        quote_identifier(&options.slot),
        options.start_lsn,
        plugin.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsn::Lsn;

    #[test]
    fn start_quotes_publication_names_twice() {
        let publications = vec!["plain".to_owned(), "It's \"odd\"".to_owned()];
        let options = StreamOptions::new("slot", Lsn::new(0x1_0000_0010), publications);

        assert_eq!(
            start_replication(&options),
            "START_REPLICATION SLOT \"slot\" LOGICAL 1/10 (proto_version '1', \
             publication_names '\"plain\",\"It''s \"\"odd\"\"\"')"
        );
    }

    #[test]
    fn start_names_only_options_that_are_on() {
        let mut options = StreamOptions::new("s", Lsn::INVALID, vec!["p".to_owned()]);
        options.protocol = 3;
        options.binary = true;
        options.messages = true;
        options.streaming = Streaming::On;
        options.two_phase = true;
        options.origin = Some("none".to_owned());

        assert_eq!(
            start_replication(&options),
            "START_REPLICATION SLOT \"s\" LOGICAL 0/0 (proto_version '3', \
             publication_names '\"p\"', binary 'true', messages 'true', streaming 'on', \
             two_phase 'on', origin 'none')"
        );
    }

    #[test]
    fn slots_are_made_in_the_grammar_of_the_server() {
        let old = create_logical_slot("s", SlotSnapshot::Export, false, 14);
        let new = create_logical_slot("s", SlotSnapshot::NoExport, true, 17);

        assert_eq!(old, "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput EXPORT_SNAPSHOT");
        assert_eq!(new, "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput (SNAPSHOT 'nothing', FAILOVER)");
    }
}
