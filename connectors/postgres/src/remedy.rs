//! What to do about an error: the statements to run.

use crate::error::SourceError;
use crate::replication::quote_identifier;

/// How to start over after a gap; it always costs a new snapshot.
const START_OVER: &str = "changes are missing, so only a new snapshot brings the target up to date: delete the \
                          connector's position, drop the slot if it exists (SELECT pg_drop_replication_slot('…')), \
                          and start again";

/// What a new snapshot needs besides where the log has gone back to lower positions.
const LOWER: &str = "Write timestamps follow the log's positions, which are lower now: before, empty the target \
                     tables, or raise `write.timestamp.offset` of the Cassandra sink";

/// Returns the remedy of an error.
pub(crate) fn hint(error: &SourceError, state: Option<&str>) -> Option<String> {
    of_tables(error).or_else(|| of_slots(error)).or_else(|| in_general(error, state).map(str::to_owned))
}

/// What to do about a publication, a table or a column, by its name.
fn of_tables(error: &SourceError) -> Option<String> {
    use SourceError as E;
    Some(match error {
        E::PublicationMissing { name, .. } => format!(
            "run CREATE PUBLICATION {} FOR TABLE …; or set `publication.autocreate.mode`. If the slot is older \
             than the publication it cannot read past that point: drop it and take a new snapshot",
            quote_identifier(name)
        ),
        E::PublicationChanged { name, .. } => format!(
            "put it back with ALTER PUBLICATION {}; what happened in between is missing. {START_OVER}",
            quote_identifier(name)
        ),
        E::TableNotPublished { table, publication } => format!(
            "run ALTER PUBLICATION {} ADD TABLE {}; or take the table out of `table.include.list`. A partitioned \
             table is published under the names of its partitions, unless publish_via_partition_root is set",
            quote_identifier(publication),
            quoted_table(table)
        ),
        E::NoTables { publication } => format!(
            "compare `table.include.list` with SELECT schemaname, tablename FROM pg_publication_tables WHERE \
             pubname = '{publication}'"
        ),
        E::UnknownType { table, column, included: true, .. } => format!(
            "its binary form is not known here, so it cannot be passed on as text: leave the column out with \
             `column.exclude.list={}`",
            regex::escape(&format!("{table}.{column}"))
        ),
        E::UnknownType { table, column, .. } => format!(
            "set `include.unknown.datatypes=true`, which passes the text of Postgres's own types on as bytes, or \
             leave the column out with `column.exclude.list={}`",
            regex::escape(&format!("{table}.{column}"))
        ),
        E::Unsendable { table, column, .. } => format!(
            "leave `{column}` out of what is published: ALTER PUBLICATION … SET TABLE {} (the other columns);",
            quoted_table(table)
        ),
        E::IdentityMissesKey { table, .. } => format!(
            "run ALTER TABLE {0} REPLICA IDENTITY DEFAULT; (or FULL); or name the columns of the identity's index \
             in `message.key.columns`",
            quoted_table(table)
        ),
        _ => return None,
    })
}

/// What to do about a slot, or a position that does not fit it or its server.
fn of_slots(error: &SourceError) -> Option<String> {
    use SourceError as E;
    Some(match error {
        E::SlotMissing { .. } | E::SlotLost { .. } => START_OVER.to_owned(),
        E::SlotAhead { .. } => format!(
            "if all that the slot was moved past is known to have been delivered, set \
             `offset.mismatch.strategy=trust_slot`. Otherwise {START_OVER}"
        ),
        E::SlotUnfit { slot, .. } => format!(
            "choose another `slot.name`, or drop this one: SELECT pg_drop_replication_slot('{slot}');"
        ),
        E::SlotInUse { slot, .. } => format!(
            "stop the other connector. If it is dead, the server lets go of the slot after its `wal_sender_timeout`, or at \
             once: SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{slot}';"
        ),
        E::SlotCreationBlocked { pids, .. } => {
            format!("end these transactions, or run SELECT pg_terminate_backend(pid) for {pids}")
        }
        E::OtherCluster { .. } => {
            format!("point the connector back at its server. If this is meant: {START_OVER}. {LOWER}")
        }
        E::Diverged { .. } => format!(
            "a standby was promoted that had not received all: what was delivered beyond the switch does not \
             exist any more. {START_OVER}. {LOWER}"
        ),
        E::PositionAhead { .. } => format!(
            "the server was set back to an older state, so what was delivered beyond it does not exist any more. \
             {START_OVER}. {LOWER}"
        ),
        E::OtherSlot { .. } => format!("put `slot.name` back. If this is meant: {START_OVER}"),
        _ => return None,
    })
}

/// What to do whatever the names are. Lists all errors, so that a new one is not left without a remedy unnoticed.
fn in_general(error: &SourceError, state: Option<&str>) -> Option<&'static str> {
    use SourceError as E;
    Some(match error {
        E::Sql { .. } | E::Replication(_) => return state_hint(state),
        E::Tls(_) => "check `database.sslmode` and the files named by `database.ssl…`",
        E::Spool { .. } => {
            "give `spool.directory` a directory that is writable and has room, or raise `transaction.memory.bytes`"
        }
        E::TooOld { .. } => "upgrade the server",
        E::WalLevel { .. } => "run ALTER SYSTEM SET wal_level = 'logical'; and restart the server",
        E::TooManyTables { .. } => {
            "name fewer tables in `table.include.list`, or raise `guardrail.collections.max`"
        }
        E::AmbiguousIdentity { .. } => "write its regular expressions so that each table matches one",
        E::KeyColumnMissing { .. } => {
            "add the column to the publication's column list, or name other key columns in `message.key.columns`"
        }
        E::TopicCollision { .. } => "leave one of them out with `table.exclude.list`",
        E::ForeignOffset { .. } => {
            "give the offset of the connector with this `topic.prefix`, as `GET /connectors/NAME/offsets` answers it"
        }
        E::WithinSnapshot => {
            "let the snapshot end first; or drop the slot and start Debezium without an offset: it takes a snapshot of \
             its own"
        }
        E::WithinIncrementalSnapshot { .. } => {
            "start Debezium again and let it end, or end it with a `stop-snapshot` signal; then stop Debezium and come \
             over"
        }
        E::Value { reason, .. } => reason.hint(),
        E::Task | E::Stream { .. } => return None,
        // These name what they are about, see above.
        E::PublicationMissing { .. }
        | E::PublicationChanged { .. }
        | E::TableNotPublished { .. }
        | E::NoTables { .. }
        | E::UnknownType { .. }
        | E::Unsendable { .. }
        | E::IdentityMissesKey { .. }
        | E::SlotMissing { .. }
        | E::SlotLost { .. }
        | E::SlotAhead { .. }
        | E::SlotUnfit { .. }
        | E::SlotInUse { .. }
        | E::SlotCreationBlocked { .. }
        | E::OtherCluster { .. }
        | E::Diverged { .. }
        | E::PositionAhead { .. }
        | E::OtherSlot { .. } => return None,
    })
}

fn state_hint(state: Option<&str>) -> Option<&'static str> {
    Some(match state? {
        "28000" | "28P01" => "check `database.user`, `database.password` and pg_hba.conf",
        "3D000" => "check `database.dbname`",
        "42501" => {
            "run ALTER ROLE … REPLICATION; GRANT USAGE ON SCHEMA … TO …; GRANT SELECT ON … TO …; \
                    `sluice check` lists what is missing. Row-level security must not hide rows: ALTER ROLE … BYPASSRLS"
        }
        "42704" => {
            "if it names the publication: one that was created after the slot, or dropped and created \
                    again, cannot be read by the slot: drop the slot and take a new snapshot"
        }
        "53300" => "raise max_connections or max_wal_senders",
        "53400" => "raise max_replication_slots, or drop slots that nobody uses",
        "55000" | "58P01" => START_OVER,
        _ => return None,
    })
}

/// Quotes `schema.table` for SQL; a name with a dot inside is not taken apart rightly, which the
/// reader of a hint will see.
fn quoted_table(table: &str) -> String {
    match table.split_once('.') {
        Some((schema, name)) => format!("{}.{}", quote_identifier(schema), quote_identifier(name)),
        None => quote_identifier(table),
    }
}
