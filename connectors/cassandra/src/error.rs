//! What can go wrong, and what the engine should do about it.

use std::fmt;

use scylla::errors::{ExecutionError, NewSessionError, RequestAttemptError};
use sluice_core::{Classify, ErrorClass};

use crate::{
    schema::TableName,
    types::ValueError,
    verdict::{Verdict, judge, judge_connect},
};

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
        source: DriverError<NewSessionError>,
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
        source: DriverError<ExecutionError>,
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

/// An error of the driver. Its text holds its causes already, so it names none.
#[derive(Debug)]
pub struct DriverError<E>(Box<E>);

impl<E> DriverError<E> {
    /// Takes an error of the driver.
    pub(crate) fn new(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl<E: fmt::Display> fmt::Display for DriverError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for DriverError<E> {}

/// What was tried when a keyspace was created.
pub(crate) const CREATE_KEYSPACE: &str = "create the keyspace of";
/// What was tried when a table was created.
pub(crate) const CREATE_TABLE: &str = "create";
/// What was tried when a table was extended.
pub(crate) const ADD_COLUMNS: &str = "add columns to";

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
        Self::Request { doing, table: table.clone(), source: DriverError::new(source) }
    }

    /// Whether plans must be made anew before the next attempt.
    pub(crate) fn is_schema_change(&self) -> bool {
        match self {
            Self::Request { source, .. } => judge(&source.0) == Verdict::Schema,
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
            Self::Connect { source, .. } => of(judge_connect(&source.0)),
            Self::Request { source, .. } => of(judge(&source.0)),
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
            Self::Connect { source, .. } => match judge_connect(&source.0) {
                Verdict::Login => "cassandra.login_refused",
                Verdict::Stop => "cassandra.connection_refused",
                _ => "cassandra.unreachable",
            },
            Self::Tls { .. } => "cassandra.certificate_unusable",
            Self::DataCentre { .. } => "cassandra.data_centre",
            Self::Request { source, .. } => match judge(&source.0) {
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
            Self::Connect { source, .. } => connect_hint(&source.0).to_owned(),
            Self::Tls { .. } => "give certificates and keys as PEM files".to_owned(),
            Self::DataCentre { .. } => "set `loadBalancing.localDc` to one of them".to_owned(),
            Self::Request { doing, table, source } => request_hint(doing, table, &source.0)?,
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

fn connect_hint(error: &NewSessionError) -> &'static str {
    match judge_connect(error) {
        Verdict::Login => {
            "set `auth.username` and `auth.password` to a role that may log in: \
             CREATE ROLE sluice WITH LOGIN = true AND PASSWORD = '…';"
        }
        Verdict::Stop => {
            "look at the `ssl.` properties: the authority of the servers' certificates goes into \
             `ssl.truststore.path`, and certificates must name the servers' IP addresses"
        }
        _ => {
            "is the node up, and are `contactPoints` and `port` its native transport? A node that expects TLS \
             ends plain connections (`ssl.provider=JDK`), and those without the certificate that it demands \
             (`ssl.openssl.keyCertChain`)"
        }
    }
}

fn request_hint(doing: &str, table: &TableName, error: &ExecutionError) -> Option<String> {
    match judge(error) {
        Verdict::Privilege => Some(match doing {
            CREATE_KEYSPACE => "GRANT CREATE ON ALL KEYSPACES TO <role>;".to_owned(),
            CREATE_TABLE => {
                format!("GRANT CREATE ON KEYSPACE {} TO <role>;", crate::schema::quoted(&table.keyspace))
            }
            ADD_COLUMNS => format!("GRANT ALTER ON TABLE {table} TO <role>;"),
            _ => format!("GRANT SELECT ON TABLE {table} TO <role>; GRANT MODIFY ON TABLE {table} TO <role>;"),
        }),
        Verdict::Login => Some("look at `auth.username` and `auth.password`".to_owned()),
        Verdict::DataCentre => Some("set `loadBalancing.localDc` to a data centre that has nodes".to_owned()),
        Verdict::Schema => Some("the table is looked at again before the next attempt".to_owned()),
        Verdict::Retry | Verdict::Data | Verdict::Stop => None,
    }
}

#[cfg(test)]
mod tests {
    use scylla::errors::DbError;

    use super::*;

    #[test]
    fn missing_privilege_comes_with_the_grant() {
        let denied = RequestAttemptError::DbError(DbError::Unauthorized, "no".to_owned());
        let table = TableName::new("ks", "t");

        let error = CassandraError::request("write to", &table, denied.into());

        assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "cassandra.privilege_missing"));
        assert_eq!(
            error.hint().as_deref(),
            Some(
                "GRANT SELECT ON TABLE \"ks\".\"t\" TO <role>; GRANT MODIFY ON TABLE \"ks\".\"t\" TO <role>;"
            )
        );
    }
}
