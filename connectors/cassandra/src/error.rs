//! What can go wrong, and what the engine should do about it.

use scylla::errors::{
    BadQuery, ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError,
    MetadataError, NewSessionError, PrepareError, RequestAttemptError,
};
use sluice_core::{Classify, ErrorClass};

use crate::{schema::TableName, types::ValueError};

/// Any error of the sink.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CassandraError {
    /// No session.
    #[error("cannot connect to `{contact_points}`")]
    Connect {
        /// The contact points.
        contact_points: String,
        /// Why.
        #[source]
        source: Box<NewSessionError>,
    },
    /// Certificates that cannot be used.
    #[error("cannot use `{path}` of property `{property}`: {reason}")]
    Tls {
        /// The property that names the file.
        property: &'static str,
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A data centre that the cluster does not have, or none where there are several.
    #[error("{what}; the cluster has {}", .known.join(", "))]
    DataCentre {
        /// What is wrong.
        what: String,
        /// The data centres of the cluster.
        known: Vec<String>,
    },
    /// A request failed.
    #[error("cannot {doing} {table}")]
    Request {
        /// What was tried.
        doing: &'static str,
        /// The table.
        table: TableName,
        /// Why.
        #[source]
        source: Box<ExecutionError>,
    },
    /// The server refused one row.
    #[error("{table} refused the row: {reason}")]
    Refused {
        /// The table.
        table: TableName,
        /// The server's words.
        reason: String,
    },
    /// A value that the column cannot hold.
    #[error("column `{column}` of {table} cannot hold the value")]
    Value {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// Why.
        #[source]
        source: ValueError,
    },
    /// A record that is not a row.
    #[error("record of topic `{topic}` {what}")]
    Record {
        /// The topic.
        topic: String,
        /// What is wrong.
        what: &'static str,
        /// Stable code.
        code: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A table that does not fit what should be written to it.
    #[error("{table} does not fit:\n  - {}", .faults.join("\n  - "))]
    Misfit {
        /// The table.
        table: TableName,
        /// Everything that does not fit.
        faults: Vec<String>,
        /// Statements or settings that help.
        hint: String,
    },
    /// A keyspace or table that does not exist.
    #[error("{what} does not exist")]
    Missing {
        /// Keyspace or table.
        what: String,
        /// Statement that creates it.
        create: String,
    },
    /// Existing data would hide what is written.
    #[error("writes to {table} would stay invisible: {reason}")]
    Hidden {
        /// The table.
        table: TableName,
        /// Why.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// An epoch without an offset.
    #[error("record of topic `{topic}` has epoch {epoch}, for which no timestamp offset is set")]
    Epoch {
        /// The topic.
        topic: String,
        /// The epoch.
        epoch: u32,
    },
    /// A topic that no table is named for.
    #[error("topic `{topic}` has no mapping and there is no keyspace")]
    Unmapped {
        /// The topic.
        topic: String,
    },
    /// A TRUNCATE that must not happen.
    #[error("the source table of {table} was truncated")]
    Truncated {
        /// The table.
        table: TableName,
    },
    /// A table that changed while plans for it were in use.
    #[error("{table} changed")]
    Changed {
        /// The table.
        table: TableName,
    },
    /// The sender of requests is gone.
    #[error("the sink is closed")]
    Closed,
}

/// What a server's answer means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Passing: the same again.
    Retry,
    /// The row is bad.
    Data,
    /// The schema is another one than the plan was made for.
    Schema,
    /// The login is wrong.
    Login,
    /// A privilege is missing.
    Privilege,
    /// No data centre of that name has nodes.
    DataCentre,
    /// Nothing helps but an operator.
    Stop,
}

/// Texts of `Invalid` (0x2200) that say: another schema. From 4.1.10 and 5.0.9.
const SCHEMA_TEXTS: [&str; 8] = [
    "Undefined column name",
    "Undefined name",
    "Unknown identifier",
    "unconfigured table",
    "was not found in table",
    "does not exist",
    "Unknown keyspace",
    "Unknown column",
];

/// Texts of `Invalid` (0x2200) that say: bad value. From 4.1.10 and 5.0.9.
const DATA_TEXTS: [&str; 18] = [
    "Key may not be empty",
    "Key length of",
    "Request is too big",
    "CQL Message of size",
    "didn't validate",
    "Invalid null value",
    "must be all of the same sign",
    "Rejected an oversized mutation",
    "exceeds maximum supported expiration date",
    "ttl is too large",
    "Out of bound timestamp",
    "null is not supported inside collections",
    "Map value cannot be null",
    "Not enough bytes to read",
    "Unexpected extraneous bytes",
    "Invalid remaining data",
    "Invalid number of",
    "Cannot build an inet",
];

/// Reads a server's error code and text.
pub(crate) fn judge_answer(error: &DbError, text: &str) -> Verdict {
    let contains = |texts: &[&str]| texts.iter().any(|known| text.contains(known));
    match error {
        DbError::Invalid if contains(&DATA_TEXTS) => Verdict::Data,
        DbError::Invalid if text.contains("Expected ") && text.contains(" byte") => Verdict::Data,
        DbError::Invalid | DbError::ConfigError if contains(&SCHEMA_TEXTS) => Verdict::Schema,
        DbError::Unauthorized => Verdict::Privilege,
        DbError::AuthenticationError => Verdict::Login,
        DbError::Unprepared { .. } => Verdict::Schema,
        DbError::Invalid
        | DbError::SyntaxError
        | DbError::ConfigError
        | DbError::ProtocolError
        | DbError::AlreadyExists { .. }
        | DbError::FunctionFailure { .. } => Verdict::Stop,
        _ => Verdict::Retry,
    }
}

/// Judges a failed request.
pub(crate) fn judge(error: &ExecutionError) -> Verdict {
    match error {
        ExecutionError::BadQuery(BadQuery::ValuesTooLongForKey(..)) => Verdict::Data,
        ExecutionError::BadQuery(_) => Verdict::Stop,
        ExecutionError::EmptyPlan => Verdict::DataCentre,
        ExecutionError::LastAttemptError(attempt) => judge_attempt(attempt),
        ExecutionError::PrepareError(PrepareError::AllAttemptsFailed { first_attempt }) => {
            judge_attempt(first_attempt)
        }
        ExecutionError::ConnectionPoolError(pool)
        | ExecutionError::PrepareError(PrepareError::ConnectionPoolError(pool)) => judge_pool(pool),
        _ => Verdict::Retry,
    }
}

fn judge_attempt(error: &RequestAttemptError) -> Verdict {
    match error {
        RequestAttemptError::DbError(error, text) => judge_answer(error, text),
        RequestAttemptError::RepreparedIdChanged { .. } => Verdict::Schema,
        // The frame that would not be written: only a value past 2 GiB does that.
        RequestAttemptError::CqlRequestSerialization(_) | RequestAttemptError::SerializationError(_) => {
            Verdict::Data
        }
        _ => Verdict::Retry,
    }
}

fn judge_pool(error: &ConnectionPoolError) -> Verdict {
    match error {
        ConnectionPoolError::Broken { last_connection_error } => judge_connection(last_connection_error),
        _ => Verdict::Retry,
    }
}

fn judge_connection(error: &ConnectionError) -> Verdict {
    match error {
        ConnectionError::ConnectionSetupRequestError(setup) => match setup.get_error() {
            ConnectionSetupRequestErrorKind::DbError(error, text) => match judge_answer(error, text) {
                Verdict::Data | Verdict::Schema => Verdict::Stop,
                verdict => verdict,
            },
            ConnectionSetupRequestErrorKind::MissingAuthentication
            | ConnectionSetupRequestErrorKind::StartAuthSessionError(_)
            | ConnectionSetupRequestErrorKind::AuthChallengeEvaluationError(_)
            | ConnectionSetupRequestErrorKind::AuthFinishError(_) => Verdict::Login,
            _ => Verdict::Retry,
        },
        ConnectionError::IoError(error) if is_certificate_error(error) => Verdict::Stop,
        _ => Verdict::Retry,
    }
}

fn is_certificate_error(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref()).is_some_and(|error| {
        matches!(
            error,
            rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::AlertReceived(_)
        )
    })
}

fn judge_connect(error: &NewSessionError) -> Verdict {
    match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(pool)) => judge_pool(pool),
        NewSessionError::EmptyKnownNodesList | NewSessionError::IllegalConfig(_) => Verdict::Stop,
        _ => Verdict::Retry,
    }
}

impl CassandraError {
    /// Makes the error of a failed request on a table.
    pub(crate) fn request(doing: &'static str, table: &TableName, source: ExecutionError) -> Self {
        if judge(&source) == Verdict::Data {
            let reason = match &source {
                ExecutionError::LastAttemptError(RequestAttemptError::DbError(_, text)) => text.clone(),
                other => other.to_string(),
            };
            return Self::Refused { table: table.clone(), reason };
        }
        Self::Request { doing, table: table.clone(), source: Box::new(source) }
    }

    /// Whether plans must be made anew before the next attempt.
    pub(crate) fn is_schema_change(&self) -> bool {
        match self {
            Self::Request { source, .. } => judge(source) == Verdict::Schema,
            Self::Changed { .. } => true,
            _ => false,
        }
    }
}

impl Classify for CassandraError {
    fn class(&self) -> ErrorClass {
        let of = |verdict| match verdict {
            Verdict::Retry | Verdict::Schema => ErrorClass::Retry,
            Verdict::Data => ErrorClass::Reject,
            Verdict::Login | Verdict::Privilege | Verdict::DataCentre | Verdict::Stop => ErrorClass::Stop,
        };
        match self {
            Self::Connect { source, .. } => of(judge_connect(source)),
            Self::Request { source, .. } => of(judge(source)),
            Self::Refused { .. } | Self::Value { .. } | Self::Record { .. } => ErrorClass::Reject,
            Self::Changed { .. } | Self::Closed => ErrorClass::Retry,
            Self::Tls { .. }
            | Self::DataCentre { .. }
            | Self::Misfit { .. }
            | Self::Missing { .. }
            | Self::Hidden { .. }
            | Self::Epoch { .. }
            | Self::Unmapped { .. }
            | Self::Truncated { .. } => ErrorClass::Stop,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Connect { source, .. } => match judge_connect(source) {
                Verdict::Login => "cassandra.login_refused",
                Verdict::Stop => "cassandra.connection_refused",
                _ => "cassandra.unreachable",
            },
            Self::Tls { .. } => "cassandra.certificate_unusable",
            Self::DataCentre { .. } => "cassandra.data_centre",
            Self::Request { source, .. } => match judge(source) {
                Verdict::Schema => "cassandra.schema_changed",
                Verdict::Privilege => "cassandra.privilege_missing",
                Verdict::Login => "cassandra.login_refused",
                Verdict::DataCentre => "cassandra.data_centre",
                Verdict::Stop => "cassandra.statement_refused",
                Verdict::Retry | Verdict::Data => "cassandra.request_failed",
            },
            Self::Refused { .. } => "cassandra.row_refused",
            Self::Value { source, .. } => source.code(),
            Self::Record { code, .. } => code,
            Self::Misfit { .. } => "cassandra.table_misfit",
            Self::Missing { .. } => "cassandra.table_missing",
            Self::Hidden { .. } => "cassandra.writes_hidden",
            Self::Epoch { .. } => "cassandra.epoch_without_offset",
            Self::Unmapped { .. } => "cassandra.topic_unmapped",
            Self::Truncated { .. } => "cassandra.truncated",
            Self::Changed { .. } => "cassandra.schema_changed",
            Self::Closed => "cassandra.closed",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Connect { source, .. } => match judge_connect(source) {
                Verdict::Login => "set `auth.username` and `auth.password` to a role that may log in: \
                     CREATE ROLE sluice WITH LOGIN = true AND PASSWORD = '…';"
                    .to_owned(),
                Verdict::Stop => {
                    "look at the `ssl.` properties: the authority of the servers' certificates goes into \
                     `ssl.truststore.path`, and certificates must name the servers' IP addresses"
                        .to_owned()
                }
                _ => "is the node up, and are `contactPoints` and `port` its native transport? \
                     A node that expects TLS ends plain connections: `ssl.provider=JDK`"
                    .to_owned(),
            },
            Self::Tls { .. } => "give certificates and keys as PEM files".to_owned(),
            Self::DataCentre { .. } => "set `loadBalancing.localDc` to one of them".to_owned(),
            Self::Request { table, source, .. } => request_hint(table, source)?,
            Self::Refused { .. } => {
                "the row breaks a limit of Cassandra's and can never be written".to_owned()
            }
            Self::Value { source, .. } => source.hint().to_owned(),
            Self::Record { hint, .. } => (*hint).to_owned(),
            Self::Misfit { hint, .. } => hint.clone(),
            Self::Missing { create, .. } => {
                format!("{create}\n  or set `schema.policy=create`")
            }
            Self::Hidden { remedy, .. } => remedy.clone(),
            Self::Epoch { epoch, .. } => format!(
                "add `{epoch}=<microseconds>` to `write.timestamp.offset`, above every timestamp written so far"
            ),
            Self::Unmapped { topic } => {
                format!("set `keyspace`, or `topic.{topic}.<keyspace>.<table>.mapping`")
            }
            Self::Truncated { .. } => {
                "set `truncate.policy` to `keyed-deletes` to empty the table here, too, or to `ignore`"
                    .to_owned()
            }
            Self::Changed { .. } => "the table is looked at again before the next attempt".to_owned(),
            Self::Closed => return None,
        })
    }
}

fn request_hint(table: &TableName, error: &ExecutionError) -> Option<String> {
    match judge(error) {
        Verdict::Privilege => Some(format!("GRANT SELECT, MODIFY ON {table} TO <role>;")),
        Verdict::Login => Some("look at `auth.username` and `auth.password`".to_owned()),
        Verdict::DataCentre => Some("set `loadBalancing.localDc` to a data centre that has nodes".to_owned()),
        Verdict::Schema => Some("the table is looked at again before the next attempt".to_owned()),
        Verdict::Retry | Verdict::Data | Verdict::Stop => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_texts_of_both_versions_ask_for_new_plans() {
        for text in [
            "Undefined column name b in table ks.t",
            "Undefined column name \"b\" in table ks.t",
            "table t does not exist",
            "unconfigured table t",
            "keyspace ks does not exist",
            "Undefined name b in selection clause",
            "Unknown identifier b",
        ] {
            assert_eq!(judge_answer(&DbError::Invalid, text), Verdict::Schema, "{text}");
        }
    }

    #[test]
    fn data_texts_of_both_versions_refuse_the_row_alone() {
        for text in [
            "Key may not be empty",
            "Key length of 65536 is longer than maximum of 65535",
            "Request is too big: length 16777300 exceeds maximum allowed length 16777216.",
            "CQL Message of size 16777300 bytes exceeds allowed maximum of 16777216 bytes",
            "String didn't validate.",
            "Expected 4 or 0 byte int (8)",
            "Invalid null value in condition for column k",
            "The duration months, days and nanoseconds must be all of the same sign (1, -1, 0)",
            "Map value cannot be null",
            "Not enough bytes to read a vector<float, 3>",
        ] {
            assert_eq!(judge_answer(&DbError::Invalid, text), Verdict::Data, "{text}");
        }
    }

    #[test]
    fn an_unknown_invalid_statement_stops_instead_of_looping() {
        assert_eq!(
            judge_answer(&DbError::Invalid, "Cannot provide custom timestamp for counter"),
            Verdict::Stop
        );
        assert_eq!(judge_answer(&DbError::SyntaxError, "line 1:3"), Verdict::Stop);
    }

    #[test]
    fn overload_and_timeouts_pass() {
        for error in
            [DbError::Overloaded, DbError::ServerError, DbError::IsBootstrapping, DbError::TruncateError]
        {
            assert_eq!(judge_answer(&error, ""), Verdict::Retry);
        }
    }

    #[test]
    fn missing_privilege_comes_with_the_grant() {
        let denied = RequestAttemptError::DbError(DbError::Unauthorized, "no".to_owned());
        let table = TableName::new("ks", "t");

        let error = CassandraError::request("write to", &table, denied.into());

        assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "cassandra.privilege_missing"));
        assert_eq!(error.hint().as_deref(), Some("GRANT SELECT, MODIFY ON \"ks\".\"t\" TO <role>;"));
    }
}
