//! What the driver's and the servers' errors mean: by code, and by text where one code stands for many things.

use scylla::errors::{
    BadQuery, ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError,
    MetadataError, NewSessionError, PrepareError, RequestAttemptError,
};

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

/// Judges a session that was not opened.
pub(crate) fn judge_connection(error: &ConnectionError) -> Verdict {
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

/// Judges a session that was not opened.
pub(crate) fn judge_connect(error: &NewSessionError) -> Verdict {
    match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(pool)) => judge_pool(pool),
        NewSessionError::EmptyKnownNodesList | NewSessionError::IllegalConfig(_) => Verdict::Stop,
        _ => Verdict::Retry,
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
}
