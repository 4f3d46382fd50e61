//! Properties of the Cassandra sink: the DataStax connector's names where it has them.

use scylla::statement::Consistency as CqlConsistency;
use sluice_core::{
    config::{ByteSize, Fault, Names, Prefixed, Secret},
    config_enum,
};

use crate::mapping::{self, TopicTable};
pub(crate) use values::{Replication, Revision, TableFormat, TimestampOffsets};

mod values;

config_enum! {
    /// How the sink proves who it is.
    pub enum AuthProvider {
        /// Not at all.
        None = "none",
        /// User name and password.
        Plain = "plain",
    }
}

config_enum! {
    /// Whether connections are encrypted. There is one TLS implementation here; both of DataStax's names mean it.
    pub enum SslProvider {
        /// Plain text.
        None = "none",
        /// TLS.
        Jdk = "jdk",
        /// TLS.
        OpenSsl = "openssl",
    }
}

config_enum! {
    /// Compression of requests and responses.
    pub enum Compression {
        /// None: cheapest for single rows.
        None = "none",
        /// LZ4.
        Lz4 = "lz4",
        /// Snappy.
        Snappy = "snappy",
    }
}

config_enum! {
    /// How many replicas must have a write before it counts.
    pub enum Consistency {
        /// One replica, or a hint.
        Any = "any",
        /// One replica.
        One = "one",
        /// Two replicas.
        Two = "two",
        /// Three replicas.
        Three = "three",
        /// A majority of all replicas.
        Quorum = "quorum",
        /// All replicas.
        All = "all",
        /// A majority of the replicas in the local data centre.
        LocalQuorum = "local_quorum",
        /// A majority in each data centre.
        EachQuorum = "each_quorum",
        /// One replica in the local data centre.
        LocalOne = "local_one",
    }
}

impl Consistency {
    /// Returns the driver's constant.
    pub(crate) fn to_cql(self) -> CqlConsistency {
        match self {
            Self::Any => CqlConsistency::Any,
            Self::One => CqlConsistency::One,
            Self::Two => CqlConsistency::Two,
            Self::Three => CqlConsistency::Three,
            Self::Quorum => CqlConsistency::Quorum,
            Self::All => CqlConsistency::All,
            Self::LocalQuorum => CqlConsistency::LocalQuorum,
            Self::EachQuorum => CqlConsistency::EachQuorum,
            Self::LocalOne => CqlConsistency::LocalOne,
        }
    }
}

config_enum! {
    /// What the sink may do to the schema, and how closely it looks.
    pub enum SchemaPolicy {
        /// Takes the tables as they are and looks at types only.
        None = "none",
        /// Refuses a table that does not fit.
        Validate = "validate",
        /// Also makes the keyspace and tables that are missing.
        Create = "create",
        /// Also adds columns that are missing. Never drops or changes one.
        Evolve = "evolve",
    }
}

impl SchemaPolicy {
    /// Whether missing keyspaces and tables are made.
    pub(crate) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Evolve)
    }
}

config_enum! {
    /// What a TRUNCATE of the source table does.
    pub enum TruncatePolicy {
        /// Reads all keys and deletes each at the time of the TRUNCATE: safe to replay.
        KeyedDeletes = "keyed-deletes",
        /// Leaves the rows.
        Ignore = "ignore",
        /// Stops the connector.
        Fail = "fail",
    }
}

config_enum! {
    /// Where write timestamps come from.
    pub enum TimestampSource {
        /// The event's place in the source's log: the same for every replay, ordered within a millisecond.
        Position = "position",
        /// The record's time in milliseconds: changes within one millisecond are decided by their values.
        RecordTime = "record-time",
    }
}

config_enum! {
    /// DataStax's `ignoreErrors`.
    pub enum IgnoreErrors {
        /// Errors are told to the engine, whose `errors.tolerance` decides.
        None = "none",
        /// Not supported.
        All = "all",
        /// Not supported.
        Driver = "driver",
    }
}

sluice_core::config! {
    /// Configuration of the Cassandra sink.
    pub struct CassandraConfig {
        /// Nodes to connect to first, as `host` or `host:port`, separated by commas. The others are found through them.
        "contactPoints" => contact_points: Names = "localhost",
        /// Port of contact points given without one.
        "port" => port: u16 = "9042",
        /// Data centre to write to, as `nodetool status` names it. Needed when the cluster has more than one.
        "loadBalancing.localDc" => local_dc: Option<String>,
        /// `PLAIN` logs in with `auth.username` and `auth.password`; `None` does not log in. Default: `PLAIN` when
        /// there is a user name.
        "auth.provider" => auth_provider: Option<AuthProvider>,
        /// User name.
        "auth.username" => username: Option<String>,
        /// Password.
        "auth.password" => password: Option<Secret>,
        /// `JDK` and `OpenSSL` both mean TLS; `None` means plain text.
        "ssl.provider" => ssl_provider: SslProvider = "None",
        /// Certificates of the authorities that may sign the servers' certificates, as a PEM file. Default: those of
        /// the operating system.
        "ssl.truststore.path" => truststore: Option<String>,
        /// Our own certificate with its chain, as a PEM file, for servers that demand one.
        "ssl.openssl.keyCertChain" => certificate_chain: Option<String>,
        /// Private key of our own certificate, as a PEM file without password.
        "ssl.openssl.privateKey" => private_key: Option<String>,
        /// Whether a server's certificate must carry the address that we connect to. Nodes are reached by IP address,
        /// so certificates need it as a subject alternative name.
        "ssl.hostnameValidation" => hostname_validation: bool = "true",
        /// Upper bound of requests in flight. Below it a limiter follows the servers' latency.
        "maxConcurrentRequests" => max_concurrent_requests: u32 = "500",
        /// Seconds that a request may take before it is repeated. Above the server's own write timeout (2 s by
        /// default), so that it answers first; far below a minute, so that a hung node costs seconds.
        "queryExecutionTimeout" => query_timeout: u32 = "5",
        /// Connections to each node. One carries some 100,000 rows a second.
        "connectionPoolLocalSize" => pool_size: u32 = "1",
        /// Compression of requests and responses: `None`, `LZ4` or `Snappy`.
        "compression" => compression: Compression = "None",
        /// How many replicas must have a write before it counts; a table may have its own.
        "consistencyLevel" => consistency: Consistency = "LOCAL_QUORUM",
        /// Seconds that rows live, from the write on; -1 or 0 for ever. A table may have its own.
        "ttl" => ttl: i32 = "-1",
        /// Mappings as `topic.<topic>.<keyspace>.<table>.mapping=column=value.field, …` with their settings
        /// `consistencyLevel`, `ttl`, `ttlTimeUnit`, `timestampTimeUnit`, `nullToUnset` and `deletesEnabled`. Sources
        /// are `key`, `value` and `header`; `__ttl` and `__timestamp` are columns, too.
        "topic." => topics: Prefixed,
        /// Keyspace of topics without a mapping.
        "keyspace" => keyspace: Option<String>,
        /// Table of topics without a mapping, with `${topic}`, `${schema}` and `${table}` from a topic named
        /// `prefix.schema.table`. Characters that Cassandra does not allow become `_`.
        "table.name.format" => table_format: TableFormat = "${table}",
        /// What may be done to the schema: `none`, `validate`, `create` (keyspace and tables that are missing) or
        /// `evolve` (columns, too).
        "schema.policy" => schema_policy: SchemaPolicy = "validate",
        /// Replication of a keyspace that is created, as a CQL map.
        "keyspace.replication" => replication: Replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}",
        /// `position` makes write timestamps from the place of the change in the source's log; `record-time` from the
        /// record's time, as DataStax does, for topics that carry no position.
        "write.timestamp" => timestamp_source: TimestampSource = "position",
        /// Added to write timestamps, in microseconds: one number, or `epoch=number` separated by commas. Raise it
        /// above the timestamps of rows that another tool wrote before.
        "write.timestamp.offset" => timestamp_offset: TimestampOffsets = "0",
        /// Largest request in bytes. A row beyond it is refused here: a server answers to one past its own limit
        /// (`native_transport_max_frame_size`, 16 MiB by default) only now and then.
        "max.request.bytes" => max_request_bytes: ByteSize = "16777216",
        /// Raised by one, from 0 to 7, to write the same changes again and win over what was written before.
        "revision" => revision: Revision = "0",
        /// What a TRUNCATE of the source table does: `keyed-deletes`, `ignore` or `fail`.
        "truncate.policy" => truncate_policy: TruncatePolicy = "keyed-deletes",
        /// DataStax's policy for errors. Only `None` here: use `errors.tolerance`.
        "ignoreErrors" => ignore_errors: IgnoreErrors = "None",
        /// DataStax's switch for JMX; without effect, metrics are served for Prometheus.
        "jmx" => jmx: Option<bool>,
        /// DataStax's batch size; without effect, rows are written one by one to the node that owns them.
        "maxNumberOfRecordsInBatch" => max_records_in_batch: Option<u32>,
    }
}

impl CassandraConfig {
    /// Returns the mappings and the faults in them.
    pub(crate) fn topic_tables(&self) -> (Vec<TopicTable>, Vec<Fault>) {
        mapping::topic_tables(&self.topics.0)
    }

    /// Whether the sink logs in.
    pub(crate) fn logs_in(&self) -> bool {
        self.auth_provider.map_or(self.username.is_some(), |provider| provider == AuthProvider::Plain)
    }

    /// Finds what contradicts, without I/O.
    pub(crate) fn contradictions(&self) -> Vec<Fault> {
        let (_, mut faults) = self.topic_tables();
        if self.keyspace.is_none() && self.topics.0.is_empty() {
            let message = "must be set when no topic has a mapping";
            faults.push(
                Fault::new("config.missing_property", "keyspace", message)
                    .hint("set `keyspace`, or map a topic: topic.<topic>.<keyspace>.<table>.mapping=…"),
            );
        }
        if self.contact_points.0.is_empty() {
            faults.push(Fault::invalid("contactPoints", "expected at least one host"));
        }
        self.auth_contradictions(&mut faults);
        self.tls_contradictions(&mut faults);
        self.limit_contradictions(&mut faults);
        self.foreign_contradictions(&mut faults);
        faults
    }

    fn auth_contradictions(&self, faults: &mut Vec<Fault>) {
        let given = [("auth.username", self.username.is_some()), ("auth.password", self.password.is_some())];
        for (property, is_given) in given {
            if self.auth_provider == Some(AuthProvider::None) && is_given {
                faults.push(Fault::invalid(property, "contradicts `auth.provider=None`"));
            } else if self.logs_in() && !is_given {
                faults.push(Fault::new("config.missing_property", property, "must be set to log in"));
            }
        }
    }

    fn tls_contradictions(&self, faults: &mut Vec<Fault>) {
        let given = [
            ("ssl.truststore.path", self.truststore.is_some()),
            ("ssl.openssl.keyCertChain", self.certificate_chain.is_some()),
            ("ssl.openssl.privateKey", self.private_key.is_some()),
        ];
        if self.ssl_provider == SslProvider::None {
            for (property, _) in given.iter().filter(|(_, is_given)| *is_given) {
                let fault = Fault::invalid(*property, "has no effect with `ssl.provider=None`");
                faults.push(fault.hint("set `ssl.provider=JDK`"));
            }
        }
        if self.certificate_chain.is_some() != self.private_key.is_some() {
            let missing = if self.private_key.is_none() { given[2].0 } else { given[1].0 };
            faults.push(Fault::invalid(missing, "certificate and private key must be set together"));
        }
    }

    fn limit_contradictions(&self, faults: &mut Vec<Fault>) {
        let positive = [
            ("maxConcurrentRequests", self.max_concurrent_requests),
            ("queryExecutionTimeout", self.query_timeout),
            ("connectionPoolLocalSize", self.pool_size),
        ];
        for (property, _) in positive.iter().filter(|(_, value)| *value == 0) {
            faults.push(Fault::invalid(*property, "expected 1 or more"));
        }
        if self.ttl < -1 {
            faults.push(Fault::invalid("ttl", "expected seconds, or -1 for ever"));
        }
    }

    fn foreign_contradictions(&self, faults: &mut Vec<Fault>) {
        if self.ignore_errors != IgnoreErrors::None {
            let fault = Fault::invalid("ignoreErrors", "only `None` is allowed: lost rows must be visible");
            faults.push(fault.hint("set `errors.tolerance=all` and `errors.deadletterqueue.topic.name`"));
        }
        let without_effect = [
            ("jmx", self.jmx.is_some(), "metrics are served for Prometheus"),
            (
                "maxNumberOfRecordsInBatch",
                self.max_records_in_batch.is_some(),
                "each row goes to the node that owns it",
            ),
        ];
        for (property, _, reason) in without_effect.iter().filter(|(_, is_given, _)| *is_given) {
            faults.push(Fault::invalid(*property, format!("has no effect: {reason}")).warning());
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::config::{Config, Properties};

    use super::*;

    fn faults<const N: usize>(properties: [(&str, &str); N]) -> Vec<(String, &'static str)> {
        let config = CassandraConfig::from_properties(&Properties::from(properties)).unwrap();
        config.contradictions().into_iter().map(|fault| (fault.property, fault.code)).collect()
    }

    #[test]
    fn the_files_of_the_demo_parse() {
        assert_eq!(faults([("keyspace", "users"), ("consistencyLevel", "LOCAL_QUORUM")]), []);
    }

    #[test]
    fn all_contradictions_are_told_at_once() {
        let found = faults([
            ("auth.provider", "PLAIN"),
            ("auth.username", "ann"),
            ("ssl.truststore.path", "ca.pem"),
            ("ignoreErrors", "All"),
            ("maxConcurrentRequests", "0"),
        ]);

        let properties: Vec<_> = found.iter().map(|(property, _)| property.as_str()).collect();
        assert_eq!(
            properties,
            ["keyspace", "auth.password", "ssl.truststore.path", "maxConcurrentRequests", "ignoreErrors"]
        );
    }
}
