//! Sessions: from properties to a connected driver.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use scylla::{
    client::{
        Compression as CqlCompression, PoolSize, execution_profile::ExecutionProfile, session::Session,
        session_builder::SessionBuilder,
    },
    errors::{DbError, RequestAttemptError},
    policies::{
        load_balancing::DefaultPolicy,
        retry::{DefaultRetryPolicy, RequestInfo, RetryDecision, RetryPolicy, RetrySession},
    },
};

use crate::{
    config::{CassandraConfig, Compression, SslProvider},
    error::{CassandraError, DriverError},
    tls,
};

/// How long connecting to one node may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often agreement on a schema change is asked for; the driver's 200 ms make each statement take 0.6 s.
const AGREEMENT_INTERVAL: Duration = Duration::from_millis(50);

/// Connects, and makes sure that the data centre to write to is known.
///
/// # Errors
/// *Stop* for refused logins, certificates and data centres, *retry* for nodes that are away.
pub(crate) async fn connect(config: &CassandraConfig) -> Result<Session, CassandraError> {
    let session = builder(config)?.build().await.map_err(|source| CassandraError::Connect {
        contact_points: addresses(config).join(","),
        source: DriverError::new(source),
    })?;
    check_data_centre(config, &session)?;
    Ok(session)
}

fn addresses(config: &CassandraConfig) -> Vec<String> {
    let with_port = |host: &String| {
        let is_ipv6 = host.matches(':').count() > 1;
        match host.rsplit_once(':') {
            Some(_) if !is_ipv6 || host.starts_with('[') && host.contains("]:") => host.clone(),
            _ if is_ipv6 && !host.starts_with('[') => format!("[{host}]:{}", config.port),
            _ => format!("{host}:{}", config.port),
        }
    };
    config.contact_points.0.iter().map(with_port).collect()
}

fn builder(config: &CassandraConfig) -> Result<SessionBuilder, CassandraError> {
    let pool = NonZeroUsize::new(config.pool_size as usize).unwrap_or(NonZeroUsize::MIN);
    let mut builder = SessionBuilder::new()
        .known_nodes(addresses(config))
        .connection_timeout(CONNECT_TIMEOUT)
        .schema_agreement_interval(AGREEMENT_INTERVAL)
        .pool_size(PoolSize::PerHost(pool))
        .compression(match config.compression {
            Compression::None => None,
            Compression::Lz4 => Some(CqlCompression::Lz4),
            Compression::Snappy => Some(CqlCompression::Snappy),
        })
        .default_execution_profile_handle(profile(config).into_handle());
    if config.ssl_provider != SslProvider::None {
        builder = builder.tls_context(Some(tls::client_config(config)?));
    }
    if let (true, Some(username), Some(password)) = (config.logs_in(), &config.username, &config.password) {
        builder = builder.user(username, password.expose());
    }
    Ok(builder)
}

fn profile(config: &CassandraConfig) -> ExecutionProfile {
    let mut balancing = DefaultPolicy::builder().token_aware(true);
    if let Some(data_centre) = &config.local_dc {
        balancing = balancing.prefer_datacenter(data_centre.clone());
    }
    ExecutionProfile::builder()
        .consistency(config.consistency.to_cql())
        .request_timeout(Some(Duration::from_secs(config.query_timeout.into())))
        .load_balancing_policy(balancing.build())
        .retry_policy(Arc::new(OtherNode))
        .build()
}

fn check_data_centre(config: &CassandraConfig, session: &Session) -> Result<(), CassandraError> {
    let state = session.get_cluster_state();
    let mut known: Vec<String> =
        state.get_nodes_info().iter().filter_map(|node| node.datacenter.clone()).collect();
    known.sort();
    known.dedup();
    let what = match &config.local_dc {
        Some(given) if !known.contains(given) => format!("no node is in data centre `{given}`"),
        None if known.len() > 1 => "there are several data centres to choose from".to_owned(),
        _ => return Ok(()),
    };
    Err(CassandraError::DataCentre { what, known })
}

/// The driver's default, and one attempt on another node after a write that timed out or failed: the driver
/// does not repeat those by itself, though ours are safe to repeat.
#[derive(Debug)]
struct OtherNode;

impl RetryPolicy for OtherNode {
    fn new_session(&self) -> Box<dyn RetrySession> {
        Box::new(OtherNodeSession { moved: false, default: DefaultRetryPolicy::new().new_session() })
    }
}

struct OtherNodeSession {
    moved: bool,
    default: Box<dyn RetrySession>,
}

impl RetrySession for OtherNodeSession {
    fn decide_should_retry(&mut self, request: RequestInfo<'_>) -> RetryDecision {
        let unfinished = matches!(
            request.error,
            RequestAttemptError::DbError(DbError::WriteTimeout { .. } | DbError::WriteFailure { .. }, _)
        );
        if unfinished && request.is_idempotent && !self.moved {
            self.moved = true;
            return RetryDecision::RetryNextTarget(None);
        }
        self.default.decide_should_retry(request)
    }

    fn reset(&mut self) {
        self.moved = false;
        self.default.reset();
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::config::{Config, Properties};

    use super::*;

    #[test]
    fn contact_points_may_carry_their_port() {
        let properties =
            Properties::from([("contactPoints", "a, b:9043, ::1, [::2]:9044"), ("port", "9142")]);
        let config = CassandraConfig::from_properties(&properties).unwrap();

        assert_eq!(addresses(&config), ["a:9142", "b:9043", "[::1]:9142", "[::2]:9044"]);
    }
}
