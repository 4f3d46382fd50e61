//! Debezium's properties, and earlier names of them, that have no effect here or are refused.
//!
//! Name, type and default are Debezium's. A value that is the default, or restates what is done, is no
//! reason to report anything. A property that gains a meaning moves to [`PostgresConfig`](super::PostgresConfig).

use sluice_core::config::Kind::{Boolean, Class, Int, List, Long, Password, String as Text};
use sluice_core::config::{Definition, no_effect, refused};

const NO_JDBC: &str = "there is no JDBC driver";
const NO_SIGNALS: &str = "there are no signals";
const NO_JAVA: &str = "remove it; classes of Java cannot be loaded";
const READ_AGAIN: &str = "remove it; to read tables again, stop the connector, delete its position and start it with \
                          `snapshot.mode=always`";
const COPIED: &str = "rows are copied as a stream";
const SHARED_OUT: &str = "large tables are shared out by ranges of pages";
const NO_INCREMENTS: &str = "there are no incremental snapshots, as there are no signals";
const KEPT_ONCE: &str = "schemas are kept once per version of a table";
const NO_HISTORY: &str = "schemas come with the stream and need no history";
const ALWAYS_MEASURED: &str = "metrics are always on, at /metrics";
const NO_LINEAGE: &str = "`openlineage.integration.enabled` is false";
const NO_CLUSTER: &str = "there is no cluster whose rebalancing it would wait for";
const CAPTURED_ONLY: &str = "the catalog is read for captured tables only";
const ALWAYS_KNOWN: &str = "schemas are always known";

/// The table.
#[rustfmt::skip]
pub(crate) const UNOBEYED: &[Definition] = &[
    // Connection.
    no_effect("database.tcpKeepAlive", Boolean, "true", "idle connections are always probed"),
    no_effect("database.query.timeout.ms", Int, "600000", "statements may take as long as they need; a dead connection is noticed by probes"),
    no_effect("connection.validation.timeout.ms", Long, "60000", "a connection that cannot be made within 10 s is tried again"),
    refused("database.sslpassword", Password, "", "store the key of `database.sslkey` without a pass phrase, readable by Sluice only"),
    refused("database.sslfactory", Text, "", "remove it; `database.sslmode` says what is verified, and `require` without a root certificate verifies nothing"),
    refused("database.connection.factory.class", Class, "", NO_JAVA),
    no_effect("driver.", Text, "", NO_JDBC),
    no_effect("database.server.id", Long, "", "it is of Debezium's MySQL connector"),
    no_effect("database.history.", Text, "", NO_HISTORY),
    no_effect("database.ApplicationName", Text, "", "sessions are called `sluice`"),
    no_effect("database.connectTimeout", Int, "", NO_JDBC),
    no_effect("database.loginTimeout", Int, "", NO_JDBC),
    no_effect("database.socketTimeout", Int, "", NO_JDBC),
    no_effect("database.loggerLevel", Text, "", NO_JDBC),
    no_effect("database.readOnly", Boolean, "", NO_JDBC),
    no_effect("database.targetServerType", Text, "", "a connector follows one server, the one that has its slot"),
    refused("database.options", Text, "", "remove it, and give the role its settings with ALTER ROLE … SET …"),
    refused("database.currentSchema", Text, "", "remove it; tables are always named with their schema"),

    // Slot and position.
    refused("lsn.flush.mode", Text, "", "remove it; the slot always moves once positions are saved, and by keepalives when idle").restating(&["connector", "connector_and_driver"]),
    refused("flush.lsn.source", Boolean, "true", "remove it; the slot always moves once positions are saved"),
    no_effect("lsn.flush.timeout.ms", Long, "30000", "nothing waits for the server to take an acknowledgement"),
    no_effect("lsn.flush.timeout.action", Text, "fail", "see `lsn.flush.timeout.ms`"),
    no_effect("slot.seek.to.known.offset.on.start", Boolean, "true", "the stream always begins at the saved position"),
    no_effect("create.slot.command.timeout", Long, "90", "a new slot may wait for 90 s"),
    no_effect("read.only", Boolean, "false", "a signal table, which is what it is about, is never written"),

    // Snapshot.
    no_effect("snapshot.tables.order.by.row.count", Text, "disabled", "tables are read in the order of `table.include.list`, and several threads share ranges of them"),
    refused("snapshot.mode.custom.name", Text, "", NO_JAVA),
    no_effect("snapshot.mode.configuration.based.snapshot.schema", Boolean, "false", ALWAYS_KNOWN),
    no_effect("snapshot.mode.configuration.based.snapshot.on.schema.error", Boolean, "false", ALWAYS_KNOWN),
    refused("snapshot.query.mode", Text, "select_all", "remove it, and use `snapshot.select.statement.overrides`"),
    refused("snapshot.query.mode.custom.name", Text, "", NO_JAVA),
    no_effect("snapshot.isolation.mode", Text, "serializable", "a snapshot is always one consistent state, whatever is set").restating(&["repeatable_read"]),
    refused("snapshot.locking.mode", Text, "none", "remove it; a snapshot reads one consistent state, exported with the slot, and needs no locks").restating(&["shared"]),
    refused("snapshot.locking.mode.custom.name", Text, "", NO_JAVA),
    no_effect("snapshot.lock.timeout.ms", Long, "10000", "a snapshot takes no locks that it would have to wait for"),
    no_effect("snapshot.delay.ms", Long, "0", NO_CLUSTER),
    no_effect("streaming.delay.ms", Long, "0", NO_CLUSTER),
    no_effect("snapshot.fetch.size", Int, "", COPIED),
    no_effect("query.fetch.size", Int, "0", COPIED),
    no_effect("snapshot.max.threads.multiplier", Int, "1", SHARED_OUT),
    no_effect("legacy.snapshot.max.threads", Boolean, "false", SHARED_OUT),
    no_effect("snapshot.scan.all.columns.force", Boolean, "false", CAPTURED_ONLY),

    // Signals and what they start.
    refused("signal.data.collection", List, "", READ_AGAIN),
    refused("signal.enabled.channels", List, "source", READ_AGAIN),
    no_effect("signal.", Text, "", NO_SIGNALS),
    no_effect("signal.poll.interval.ms", Long, "5000", NO_SIGNALS),
    no_effect("incremental.snapshot.", Text, "", NO_INCREMENTS),
    no_effect("incremental.snapshot.chunk.size", Int, "1024", NO_INCREMENTS),
    no_effect("incremental.snapshot.watermarking.strategy", Text, "INSERT_INSERT", NO_INCREMENTS),

    // Heartbeats, transactions.
    no_effect("heartbeat.topics.prefix", Text, "__debezium-heartbeat", "`topic.heartbeat.prefix` names the topic, as by Debezium"),
    refused("transaction.metadata.factory", Class, "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory", NO_JAVA),

    // Rows and topics.
    no_effect("include.schema.comments", Boolean, "false", "Debezium's Postgres connector writes no comments into schemas either"),
    no_effect("topic.cache.size", Int, "10000", "names are built once per table"),
    refused("converters", List, "", "remove it; the modes of types and transforms say how values look"),
    refused("post.processors", List, "", "remove it; unchanged large values are known as such, and sinks leave them as they are"),
    refused("sourceinfo.struct.maker", Class, "io.debezium.connector.postgresql.PostgresSourceInfoStructMaker", NO_JAVA),
    refused("table.ignore.builtin", Boolean, "true", "remove it; Postgres does not publish its own tables, and PostGIS's `spatial_ref_sys` is always left out"),
    no_effect("schema.refresh.mode", Text, "columns_diff", "the catalog is read again whenever Postgres announces a change"),
    no_effect("schema.history.internal", Class, "", NO_HISTORY),
    no_effect("schema.history.internal.", Text, "", NO_HISTORY),
    no_effect("include.schema.changes", Boolean, "true", "Debezium's Postgres connector sends no schema changes either"),
    no_effect("memory.management.", Class, "", KEPT_ONCE),
    no_effect("memory.management.schemas.class", Class, "io.debezium.relational.ConcurrentMapTableMappingStorage", KEPT_ONCE),
    no_effect("memory.management.tables.class", Class, "io.debezium.relational.ConcurrentMapTableMappingStorage", KEPT_ONCE),

    // Queues, retries and failures.
    no_effect("max.queue.size", Int, "8192", "queues are bounded in bytes"),
    no_effect("max.queue.size.in.bytes", Long, "0", "queues are bounded in bytes; see `transaction.memory.bytes`"),
    no_effect("max.batch.size", Int, "2048", "batches follow what arrives"),
    no_effect("poll.interval.ms", Long, "500", "nothing is polled"),
    no_effect("poll.dispatch.interval.ms", Long, "0", "nothing is polled"),
    no_effect("queue.provider.type", Text, "memory", "transactions beyond `transaction.memory.bytes` go to a file"),
    no_effect("event.converting.failure.handling.mode", Text, "warn", "a record with a value that cannot be converted is refused; `errors.tolerance` says what then"),
    no_effect("retriable.restart.connector.wait.ms", Long, "10000", "waits between attempts grow from 0.1 s to 30 s"),
    no_effect("custom.retriable.exception", Text, "", "the server's error codes say what is temporary"),
    no_effect("executor.shutdown.timeout.ms", Long, "4000", "the worker's `task.shutdown.graceful.timeout.ms` says how long a stop may take"),

    // Watching.
    no_effect("custom.metric.tags", List, "", "metrics have the label `connector`"),
    no_effect("statistics.metrics.enabled", Boolean, "true", ALWAYS_MEASURED),
    no_effect("advanced.metrics.enable", Boolean, "false", ALWAYS_MEASURED),
    no_effect("offset.activity.monitor.interval.ms", Long, "600000", "the metrics tell how far the slot is behind"),
    no_effect("custom.sanitize.pattern", Text, r".*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info|.*registry\.auth\.client-secret|.*credentials\.json$|.*connectionstring$|.*connection\.string$", "values of properties are never logged"),
    no_effect("openlineage.integration.", Text, "", NO_LINEAGE),
    refused("openlineage.integration.enabled", Boolean, "false", "set it to false; Sluice sends no lineage"),
    no_effect("openlineage.integration.config.file.path", Text, "./openlineage.yml", NO_LINEAGE),
    no_effect("openlineage.integration.job.description", Text, "Debezium change data capture job", NO_LINEAGE),
    no_effect("internal.", Text, "", "it is a switch for Debezium's own developers"),
    no_effect("internal.legacy.snapshot.max.threads", Boolean, "false", SHARED_OUT),
    no_effect("internal.log.position.check.enable", Boolean, "true", "the saved position is always checked"),
    no_effect("internal.advanced.metrics.enable", Boolean, "false", ALWAYS_MEASURED),
    no_effect("internal.snapshot.scan.all.columns.force", Boolean, "false", CAPTURED_ONLY),

    // Names that Debezium gave up.
    refused("database.server.name", Text, "", "call it `topic.prefix`"),
    refused("schema.whitelist", List, "", "call it `schema.include.list`"),
    refused("schema.blacklist", List, "", "call it `schema.exclude.list`"),
    refused("table.whitelist", List, "", "call it `table.include.list`"),
    refused("table.blacklist", List, "", "call it `table.exclude.list`"),
    refused("column.whitelist", List, "", "call it `column.include.list`"),
    refused("column.blacklist", List, "", "call it `column.exclude.list`"),
    refused("slot.drop_on_stop", Boolean, "false", "call it `slot.drop.on.stop`"),
    refused("toasted.value.placeholder", Text, "", "call it `unavailable.value.placeholder`"),
    refused("sanitize.field.names", Boolean, "false", "set `field.name.adjustment.mode=avro`"),
    refused("truncate.handling.mode", Text, "skip", "set `skipped.operations=none`"),
    refused("source.struct.version", Text, "v2", "remove it; `source` has the fields of Debezium 3.6"),
    refused("snapshot.custom.class", Class, "", NO_JAVA),
    no_effect("rows.fetch.size", Int, "", COPIED),
];
