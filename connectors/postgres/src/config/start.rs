//! What the start is told: snapshots, replica identities, options of the stream, statements of sessions.

use sluice_core::config::{ConfigValue, Fault, Kind};
use sluice_core::java_regex::Pattern;
use sluice_core::record::Record;
use sluice_core::{Error, config_enum};

use super::PostgresConfig;
use crate::replication::quote_identifier;

config_enum! {
    /// `snapshot.mode`.
    pub enum SnapshotMode {
        /// On the first start.
        Initial = "initial",
        /// At each start.
        Always = "always",
        /// On the first start, then the source ends.
        InitialOnly = "initial_only",
        /// Never.
        NoData = "no_data",
        /// Never; the older name.
        Never = "never",
        /// On the first start, and when the slot is gone.
        WhenNeeded = "when_needed",
        /// As `snapshot.mode.configuration.based.*` say.
        ConfigurationBased = "configuration_based",
    }
}

/// When the rows that are there are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotRows {
    Never,
    /// On the first start.
    Once,
    /// At each start.
    Always,
}

/// What `snapshot.mode` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnapshotPolicy {
    pub(crate) rows: SnapshotRows,
    /// Changes follow.
    pub(crate) stream: bool,
    /// Read them again when the slot, and with it what changed since, is gone.
    pub(crate) again_after_loss: bool,
}

impl PostgresConfig {
    /// Returns what `snapshot.mode` asks for.
    pub(crate) fn snapshot_policy(&self) -> SnapshotPolicy {
        let policy = |rows| SnapshotPolicy { rows, stream: true, again_after_loss: false };
        match self.snapshot_mode {
            SnapshotMode::Initial => policy(SnapshotRows::Once),
            SnapshotMode::Always => policy(SnapshotRows::Always),
            SnapshotMode::InitialOnly => SnapshotPolicy { stream: false, ..policy(SnapshotRows::Once) },
            SnapshotMode::NoData | SnapshotMode::Never => policy(SnapshotRows::Never),
            SnapshotMode::WhenNeeded => {
                SnapshotPolicy { again_after_loss: true, ..policy(SnapshotRows::Once) }
            }
            SnapshotMode::ConfigurationBased => SnapshotPolicy {
                rows: if self.based_data { SnapshotRows::Always } else { SnapshotRows::Never },
                stream: self.based_stream,
                again_after_loss: self.based_data_error,
            },
        }
    }

    /// Whether a snapshot reads this table, `schema.table`.
    pub(crate) fn snapshots(&self, table: &str) -> bool {
        self.snapshot_include.as_ref().is_none_or(|list| list.matches(table))
    }

    /// Returns the user's own SELECT for the rows of a table, `schema.table`.
    pub(crate) fn snapshot_statement(&self, table: &str) -> Option<&str> {
        let listed = self.snapshot_overrides.0.iter().any(|name| name == table);
        let statement = self.snapshot_statements.0.get(table).filter(|_| listed)?;
        Some(statement.trim().trim_end_matches(';'))
    }

    /// Whether there is a SELECT of the user's own for any table.
    pub(crate) fn has_snapshot_statements(&self) -> bool {
        !self.snapshot_overrides.0.is_empty()
    }
}

/// Finds contradictions in what the start is told.
pub(super) fn validate(config: &PostgresConfig) -> Vec<Fault> {
    const OVERRIDES: &str = "snapshot.select.statement.overrides";
    let mut faults = Vec::new();
    for table in
        config.snapshot_overrides.0.iter().filter(|table| !config.snapshot_statements.0.contains_key(*table))
    {
        let message = format!("names `{table}`, for which there is no statement");
        faults
            .push(Fault::invalid(OVERRIDES, message).hint(format!("set `{OVERRIDES}.{table}` to a SELECT")));
    }
    for table in
        config.snapshot_statements.0.keys().filter(|table| !config.snapshot_overrides.0.contains(table))
    {
        let message = format!("has no effect, as `{OVERRIDES}` does not name `{table}`");
        faults.push(Fault::invalid(format!("{OVERRIDES}.{table}"), message).warning());
    }
    let policy = config.snapshot_policy();
    if policy.rows == SnapshotRows::Never && !policy.stream {
        let message = "asks for neither rows nor changes";
        let hint = "set `snapshot.mode.configuration.based.snapshot.data` or `….start.stream` to true";
        faults.push(Fault::invalid("snapshot.mode", message).hint(hint));
    }
    faults
}

/// `replica.identity.autoset.values`: for tables that match, what their replica identity is to be.
#[derive(Debug, Clone, Default)]
pub struct ReplicaIdentities(Vec<(Pattern, String)>);

impl ReplicaIdentities {
    /// Lists what `schema.table` is to have, as it stands in ALTER TABLE: more than one if several entries match.
    pub(crate) fn of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(pattern, _)| pattern.matches(table))
            .map(|(_, identity)| identity.as_str())
    }

    /// Whether there is no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ConfigValue for ReplicaIdentities {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            "entries `schema.table:DEFAULT`, `:FULL`, `:NOTHING` or `:INDEX name`, separated by commas"
                .to_owned()
        };
        let entry = |entry: &str| {
            let (table, identity) = entry.rsplit_once(':').ok_or_else(expected)?;
            let pattern = Pattern::ignoring_case(table.trim())
                .map_err(|reason| format!("{}: `{}` is {reason}", expected(), table.trim()))?;
            let words: Vec<_> = identity.split_whitespace().collect();
            let identity = match words.as_slice() {
                [index, name] if index.eq_ignore_ascii_case("index") => {
                    format!("USING INDEX {}", quote_identifier(name))
                }
                [word]
                    if ["default", "full", "nothing"]
                        .iter()
                        .any(|known| word.eq_ignore_ascii_case(known)) =>
                {
                    word.to_ascii_uppercase()
                }
                _ => return Err(expected()),
            };
            Ok((pattern, identity))
        };
        text.split(',').filter(|part| !part.trim().is_empty()).map(entry).collect::<Result<_, _>>().map(Self)
    }
}

/// `slot.stream.params`: what else the output plugin is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamParams {
    /// Changes of which replication origins are sent (PostgreSQL 16): `none` for those without one, or `any`.
    pub origin: Option<String>,
}

impl ConfigValue for StreamParams {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        let mut params = Self::default();
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("origin", value)) => params.origin = Some(value.trim().to_owned()),
                _ => {
                    return Err(
                        "`origin=none` or `origin=any`; Sluice sets all other options of pgoutput".to_owned()
                    );
                }
            }
        }
        Ok(params)
    }
}

/// `database.initial.statements`: statements separated by `;`, of which `;;` stands for one within a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statements(pub Vec<String>);

impl ConfigValue for Statements {
    const KIND: Kind = Kind::String;

    fn parse(text: &str) -> Result<Self, String> {
        // No statement holds the character that stands for `;;` meanwhile.
        let statements = text.replace(";;", "\0");
        let statements =
            statements.split(';').map(|statement| statement.replace('\0', ";").trim().to_owned());
        Ok(Self(statements.filter(|statement| !statement.is_empty()).collect()))
    }
}

config_enum! {
    /// `event.processing.failure.handling.mode`.
    pub enum EventFailures {
        /// They are refused; `errors.tolerance` says what then.
        Fail = "fail",
        /// They are skipped, with a line in the log.
        Warn = "warn",
        /// They are skipped.
        Skip = "skip",
        /// They are skipped; the older name.
        Ignore = "ignore",
    }
}

impl EventFailures {
    /// Leaves only those of the refused records that somebody else is to decide about.
    pub(crate) fn settle(self, rejected: &mut Vec<(Record, Error)>) {
        if self == Self::Fail {
            return;
        }
        for (record, error) in rejected.drain(..).filter(|_| self == Self::Warn) {
            tracing::warn!(topic = &*record.topic, event = ?record.origin.event, code = error.code(), error = %error, "event skipped");
        }
    }
}

config_enum! {
    /// `guardrail.collections.limit.action`.
    pub enum GuardrailAction {
        /// A line in the log.
        Warn = "warn",
        /// The connector stops.
        Fail = "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_pairs;

    #[test]
    fn identities_are_those_of_alter_table() {
        let identities =
            ReplicaIdentities::parse("public.a:full, public\\.b.*:INDEX b_key,public.c:Nothing").unwrap();

        assert_eq!(identities.of("public.a").collect::<Vec<_>>(), ["FULL"]);
        assert_eq!(identities.of("public.b2").collect::<Vec<_>>(), ["USING INDEX \"b_key\""]);
        assert_eq!(identities.of("public.d").count(), 0);
        for wrong in ["public.a", "public.a:SOME", "public.a:INDEX", "(:FULL"] {
            assert!(ReplicaIdentities::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_options_of_the_stream_that_are_not_ours_are_taken() {
        assert_eq!(StreamParams::parse("origin=none;").unwrap().origin.as_deref(), Some("none"));
        for ours in ["proto_version=2", "publication_names=p", "binary=false", "origin"] {
            assert!(StreamParams::parse(ours).unwrap_err().contains("origin=none"), "{ours}");
        }
    }

    #[test]
    fn doubled_semicolon_does_not_end_a_statement() {
        let statements = Statements::parse("SET a = 1; SET b = ';;' ;").unwrap();

        assert_eq!(statements.0, ["SET a = 1", "SET b = ';'"]);
    }

    #[test]
    fn statement_counts_for_tables_that_the_list_names() {
        let config = from_pairs(&[
            ("snapshot.select.statement.overrides", "public.t"),
            ("snapshot.select.statement.overrides.public.t", "SELECT * FROM public.t;"),
            ("snapshot.select.statement.overrides.public.u", "SELECT * FROM public.u"),
        ])
        .unwrap();

        assert_eq!(config.snapshot_statement("public.t"), Some("SELECT * FROM public.t"));
        assert_eq!(config.snapshot_statement("public.u"), None);
        let faults: Vec<_> = validate(&config).into_iter().map(|fault| fault.property).collect();
        assert_eq!(faults, ["snapshot.select.statement.overrides.public.u"]);
    }

    #[test]
    fn configured_mode_is_made_of_its_flags() {
        let flag = |name: &'static str| (name, "true");
        let mode = ("snapshot.mode", "configuration_based");
        let data = flag("snapshot.mode.configuration.based.snapshot.data");
        let stream = flag("snapshot.mode.configuration.based.start.stream");
        let policy = |pairs: &[(&str, &str)]| from_pairs(pairs).unwrap().snapshot_policy();

        let both = SnapshotPolicy { rows: SnapshotRows::Always, stream: true, again_after_loss: false };
        assert_eq!(policy(&[mode, data, stream]), both);
        assert_eq!(policy(&[mode, data]), SnapshotPolicy { stream: false, ..both });
        assert_eq!(policy(&[mode, stream]), SnapshotPolicy { rows: SnapshotRows::Never, ..both });
        assert_eq!(validate(&from_pairs(&[mode]).unwrap())[0].property, "snapshot.mode");
    }
}
