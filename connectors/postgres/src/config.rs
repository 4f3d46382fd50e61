//! The connector's properties: Debezium's names and defaults, and a few of our own.

mod columns;
mod modes;
mod naming;
mod start;
mod unobeyed;
mod validate;

use std::path::PathBuf;

use sluice_core::config;
use sluice_core::config::{ByteSize, Millis, Names, PatternList, Prefixed, Secret};

pub use columns::*;
pub use modes::*;
pub use naming::*;
pub use start::*;
pub(crate) use unobeyed::UNOBEYED;
pub(crate) use validate::validate;

config! {
    /// Settings of the Postgres source.
    pub struct PostgresConfig {
        /// Host name or IP address of the Postgres server.
        "database.hostname" => hostname: String,
        /// Port of the Postgres server.
        "database.port" => port: u16 = "5432",
        /// Role to connect as. It needs LOGIN, REPLICATION and SELECT on the captured tables.
        "database.user" => user: String,
        /// Password of the role; leave it out for trust or certificate authentication.
        "database.password" => password: Option<Secret>,
        /// Database whose changes are captured.
        "database.dbname" => database: String,
        /// TLS: disable, prefer or allow (TLS if the server has it, unverified), require, verify-ca or verify-full.
        "database.sslmode" => sslmode: SslMode = "prefer",
        /// PEM file of the authorities to trust; without one the verifying modes trust the system's.
        "database.sslrootcert" => sslrootcert: Option<String>,
        /// PEM file of the client's certificate chain.
        "database.sslcert" => sslcert: Option<String>,
        /// PEM file of the client's private key, without a pass phrase.
        "database.sslkey" => sslkey: Option<String>,

        /// Statements that each SQL session begins with, separated by `;`, of which `;;` stands for one within a
        /// statement. For settings and SET ROLE; time zone, search path and time limits are set afterwards.
        "database.initial.statements" => initial_statements: Statements = "",

        /// Prefix of all topic and schema names. Changing it starts new topics.
        "topic.prefix" => topic_prefix: String,
        /// How topics of tables are named: by prefix, schema and table (SchemaTopicNamingStrategy), or by prefix
        /// and table (DefaultTopicNamingStrategy). What Kafka does not allow becomes `_`, or in the strategies
        /// with Unicode in their names `_u` and the character's number in hexadecimal. Those with Regex in their names
        /// rename the topic, so that tables can share one.
        "topic.naming.strategy" => topic_naming: TopicNaming = "io.debezium.schema.SchemaTopicNamingStrategy",
        /// For a naming strategy with Regex: Java regular expression; a topic that it matches as a whole is renamed.
        "topic.regex" => topic_regex: Option<String>,
        /// The new name of such a topic; `$1` and `${name}` stand for groups.
        "topic.replacement" => topic_replacement: Option<String>,
        /// For a naming strategy with Regex: add a field to the key that tells the table.
        "topic.key.enforce.uniqueness" => topic_key_unique: bool = "true",
        /// Name of that field.
        "topic.key.field.name" => topic_key_field: String = "__dbz__physicalTableIdentifier",
        /// What makes the field's value of the topic that the table would have; it is that topic unless told.
        "topic.key.field.regex" => topic_key_regex: Option<String>,
        /// The field's value; see `topic.key.field.regex`.
        "topic.key.field.replacement" => topic_key_replacement: Option<String>,
        /// What stands between the parts of a topic name.
        "topic.delimiter" => topic_delimiter: String = ".",
        /// Name of the topic of heartbeats without the prefix that follows it.
        "topic.heartbeat.prefix" => heartbeat_prefix: String = "__debezium-heartbeat",
        /// Whole name of the topic of heartbeats, so that connectors can share one.
        "topic.heartbeat.name" => heartbeat_name: Option<String>,
        /// Name of the topic of transactions without the prefix in front of it.
        "topic.transaction" => transaction_topic: String = "transaction",
        /// Output plugin of the slot. Only pgoutput, which is built into Postgres.
        "plugin.name" => plugin: Plugin = "pgoutput",
        /// Replication slot; created on the first start. Lower-case letters, digits and `_`, 63 at the most.
        "slot.name" => slot: String = "debezium",
        /// Drop the slot when the connector stops. For tests: what happens while it is down is lost.
        "slot.drop.on.stop" => slot_drop_on_stop: bool = "false",
        /// How often to try again when another session holds the slot.
        "slot.max.retries" => slot_max_retries: u32 = "6",
        /// Wait between these attempts, in milliseconds.
        "slot.retry.delay.ms" => slot_retry_delay: Millis = "10000",
        /// What counts when the slot is past the saved position. With no_validation and trust_offset it is the position: changes
        /// may be missing, so the connector stops, where Debezium's no_validation goes on without a word. With trust_slot and
        /// trust_greater_lsn it is the slot: the stream goes on there, and a warning names both places. A slot
        /// behind the position is no mismatch, whatever is set.
        "offset.mismatch.strategy" => offset_mismatch: OffsetMismatch = "no_validation",
        /// Make the slot a failover slot (PostgreSQL 17).
        "slot.failover" => slot_failover: bool = "false",
        /// Options of the output plugin, as `name=value` separated by `;`. Only `origin` (PostgreSQL 16): `origin=none`
        /// leaves out changes that were replicated from elsewhere.
        "slot.stream.params" => stream_params: StreamParams = "",
        /// Publication that says what the server sends.
        "publication.name" => publication: String = "dbz_publication",
        /// What to do about the publication: all_tables (create it for all tables if it is missing; needs a
        /// superuser), filtered (create it for the captured tables, and keep it to them; needs their owner),
        /// disabled (it must be there), no_tables (create an empty one if it is missing).
        "publication.autocreate.mode" => publication_autocreate: AutoCreate = "all_tables",
        /// Create the publication so that changes of partitions appear under their partitioned table.
        "publish.via.partition.root" => publish_via_partition_root: bool = "false",

        /// Schemas to capture: regular expressions that match the whole name. Not together with the exclude list.
        "schema.include.list" => schema_include: Option<PatternList>,
        /// Schemas to leave out.
        "schema.exclude.list" => schema_exclude: Option<PatternList>,
        /// Tables to capture: regular expressions that match the whole `schema.table`.
        "table.include.list" => table_include: Option<PatternList>,
        /// Tables to leave out. PostGIS's `spatial_ref_sys` always is.
        "table.exclude.list" => table_exclude: Option<PatternList>,
        /// Columns to capture: regular expressions that match the whole `schema.table.column`.
        "column.include.list" => column_include: Option<PatternList>,
        /// Columns to leave out of rows. In the key they stay.
        "column.exclude.list" => column_exclude: Option<PatternList>,
        /// Prefixes of the logical messages (`pg_logical_emit_message`) to capture: regular expressions that match the
        /// whole prefix. Without a list all are. Not together with the exclude list.
        "message.prefix.include.list" => message_include: Option<PatternList>,
        /// Prefixes of the logical messages to leave out.
        "message.prefix.exclude.list" => message_exclude: Option<PatternList>,
        /// Cut the texts and bytes of the columns that these regular expressions match, each the whole
        /// `schema.table.column`: `column.truncate.to.20.chars` to 20 characters. Of `column.truncate.to`,
        /// `column.mask.with`, `column.propagate.source.type`, `datatype.propagate.source.type` and
        /// `column.mask.hash` only the first, in this order, concerns a column; keys are left as they are.
        "column.truncate.to." => truncated_columns: ColumnChars,
        /// Hide the texts of the columns: `column.mask.with.5.chars` writes `*****`, for NULL too.
        "column.mask.with." => masked_columns: ColumnChars,
        /// Hide the texts of the columns by a hash, cut to the column's length: `column.mask.hash.SHA-256.with.salt.SALT`
        /// hashes as Debezium always did, `column.mask.hash.v2.SHA-256.with.salt.SALT` the plain bytes of salt and text.
        "column.mask.hash." => hashed_columns: ColumnHashes,
        /// Columns whose schemas tell their type in Postgres, its length and scale, and the column's name.
        "column.propagate.source.type" => propagated_columns: Option<PatternList>,
        /// The same for all columns of types, each entry a regular expression that matches the whole
        /// `schema.table.type`.
        "datatype.propagate.source.type" => propagated_types: Option<PatternList>,
        /// Keys for tables, in place of their primary keys: `schema.table:column,column;…`, table and columns being
        /// regular expressions. The replica identity of such a table must cover these columns.
        "message.key.columns" => message_keys: MessageKeys = "",

        /// Replica identities that captured tables are given at the start unless they have them, as
        /// `schema.table:IDENTITY` separated by commas: the table being a regular expression, the identity DEFAULT,
        /// FULL, NOTHING or INDEX with a name. It takes their owner.
        "replica.identity.autoset.values" => replica_identities: ReplicaIdentities = "",
        /// Most tables to capture; 0 is no limit.
        "guardrail.collections.max" => guardrail_max: u32 = "0",
        /// What happens beyond `guardrail.collections.max`: warn or fail.
        "guardrail.collections.limit.action" => guardrail_action: GuardrailAction = "warn",

        /// When to read the rows that are there: initial (on the first start), always (at each start),
        /// initial_only (then stop), no_data or never, when_needed (also when the slot is gone),
        /// configuration_based (as `snapshot.mode.configuration.based.*` say).
        "snapshot.mode" => snapshot_mode: SnapshotMode = "initial",
        /// In mode configuration_based: read the rows at each start.
        "snapshot.mode.configuration.based.snapshot.data" => based_data: bool = "false",
        /// In mode configuration_based: stream changes, after the rows if they are read.
        "snapshot.mode.configuration.based.start.stream" => based_stream: bool = "false",
        /// In mode configuration_based: read the rows when the slot is gone.
        "snapshot.mode.configuration.based.snapshot.on.data.error" => based_data_error: bool = "false",
        /// How many connections read the snapshot.
        "snapshot.max.threads" => snapshot_threads: u32 = "1",
        /// Tables that a snapshot reads, of those that are captured: regular expressions that match the whole
        /// `schema.table`. Changes of the others are streamed as ever.
        "snapshot.include.collection.list" => snapshot_include: Option<PatternList>,
        /// Tables, as `schema.table`, whose rows a SELECT of your own reads in a snapshot.
        "snapshot.select.statement.overrides" => snapshot_overrides: Names,
        /// That SELECT, for each of these tables: `snapshot.select.statement.overrides.<schema>.<table>`. Columns count
        /// by their names; one that it leaves out is NULL.
        "snapshot.select.statement.overrides." => snapshot_statements: Prefixed,

        /// Follow each delete by a record with the same key and no value.
        "tombstones.on.delete" => tombstones: bool = "true",
        /// Leave out updates that change no captured column. It needs REPLICA IDENTITY FULL: under another one they stay.
        "skip.messages.without.change" => skip_unchanged: bool = "false",
        /// Operations to leave out: c (insert), u (update), d (delete), t (truncate), or none.
        "skipped.operations" => skipped: SkippedOperations = "t",
        /// Numbers of any precision: precise (exact bytes), string or double.
        "decimal.handling.mode" => decimal: DecimalMode = "precise",
        /// Decimals of columns of type money where `decimal.handling.mode` is precise, 18 at the most.
        "money.fraction.digits" => money_digits: u16 = "2",
        /// Dates and times: adaptive (as precise as the column), adaptive_time_microseconds, connect
        /// (milliseconds), isostring (text), microseconds, nanoseconds, or structured (year, month, day …).
        "time.precision.mode" => time: TimeMode = "adaptive",
        /// Columns of type bytea: bytes, base64, base64-url-safe or hex.
        "binary.handling.mode" => binary: BinaryMode = "bytes",
        /// Intervals: numeric (microseconds, a month being 30.4375 days) or string (ISO 8601).
        "interval.handling.mode" => interval: IntervalMode = "numeric",
        /// Columns of type hstore: json or map.
        "hstore.handling.mode" => hstore: HstoreMode = "json",
        /// Pass columns of types without mapping (line, pg_lsn, composite types, multiranges …) on as the bytes
        /// of their text. Without it such a column stops the start.
        "include.unknown.datatypes" => include_unknown: bool = "false",
        /// Values where Debezium loses, invents or corrupts data: correct (what Postgres holds) or debezium
        /// (what Debezium sends, in the same schema).
        "compatibility" => compatibility: Compatibility = "correct",
        /// Text that stands for a large value that did not change and was therefore not sent.
        "unavailable.value.placeholder" => unavailable_placeholder: String = "__debezium_unavailable_value",
        /// Schema names: none (as they are), avro (what Avro does not allow becomes `_`) or avro_unicode (it becomes
        /// `_u` and the character's number in hexadecimal, and so does `_` itself).
        "schema.name.adjustment.mode" => schema_names: Adjustment = "none",
        /// Field names: none, avro or avro_unicode. With an Avro converter none means avro.
        "field.name.adjustment.mode" => field_names: FieldAdjustment = "none",
        /// Events with a value that cannot be read: fail (refused; `errors.tolerance` says what then), warn (skipped,
        /// with a line in the log), skip or ignore.
        "event.processing.failure.handling.mode" => event_failures: EventFailures = "fail",
        /// Put four `__debezium.context.*` headers on each record.
        "extended.headers.enabled" => extended_headers: bool = "true",
        /// Tell in each event of the stream which transaction it is in and at which place, and write a record when a
        /// transaction begins and one with the number of its events when it ends.
        "provide.transaction.metadata" => transaction_metadata: bool = "false",

        /// How often to write a heartbeat to its topic, in milliseconds, and one when a snapshot ends; 0 for none. An idle
        /// slot moves without them.
        "heartbeat.interval.ms" => heartbeat_interval: Millis = "0",
        /// Statement to run with each heartbeat, such as an upsert of a row in a table of heartbeats. One that fails is
        /// logged and counted, and stops nothing.
        "heartbeat.action.query" => heartbeat_query: Option<String>,
        /// Where to tell what becomes of the initial snapshot: sink (a topic) and log. jmx is accepted and has no effect. With
        /// several `snapshot.max.threads` parts of tables are told of, too; they are ranges of 32 MiB, where Debezium
        /// cuts by keys. That a snapshot failed reaches the topic here; in Debezium it reaches the log only.
        "notification.enabled.channels" => notification_channels: NotificationChannels = "",
        /// Topic of the notifications, for the channel sink.
        "notification.sink.topic.name" => notification_topic: Option<String>,
        /// How often to ask for the oldest transaction that the slot keeps the catalog for, in milliseconds; it is
        /// `source.xmin` of the events that follow. 0 leaves that empty.
        "xmin.fetch.interval.ms" => xmin_interval: Millis = "0",
        /// How often to report the position to the server at least, in milliseconds.
        "status.update.interval.ms" => status_interval: Millis = "10000",
        /// Memory for transactions that wait for their commit; beyond it they go to a file.
        "transaction.memory.bytes" => transaction_memory: ByteSize = "33554432",
        /// Directory of that file; the system's directory for temporary files if left out.
        "spool.directory" => spool_directory: Option<String>,
    }
}

impl PostgresConfig {
    /// Returns the directory for spool files.
    pub(crate) fn spool_directory(&self) -> PathBuf {
        self.spool_directory.as_ref().map_or_else(std::env::temp_dir, PathBuf::from)
    }
}

/// Reads a configuration from pairs, for tests.
#[cfg(test)]
pub(crate) fn from_pairs(pairs: &[(&str, &str)]) -> Result<PostgresConfig, Vec<config::Fault>> {
    let mut properties = config::Properties::default();
    let needed =
        [("database.hostname", "h"), ("database.user", "u"), ("database.dbname", "d"), ("topic.prefix", "p")];
    needed.iter().chain(pairs).for_each(|(key, value)| properties.set(*key, *value));
    config::Config::from_properties(&properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_debeziums() {
        let config = from_pairs(&[]).unwrap();

        assert_eq!((config.slot.as_str(), config.publication.as_str()), ("debezium", "dbz_publication"));
        assert!(config.tombstones && config.extended_headers && config.skipped.truncate);
        assert!(validate(&config).is_empty());
    }
}
