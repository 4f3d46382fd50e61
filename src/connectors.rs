//! The list of built-in connectors, transforms and predicates.

use sluice_core::registry::Registry;

/// Returns everything that this binary was built with.
pub fn built_in() -> Registry {
    let registry = sluice_core::transforms::register(Registry::default());
    #[cfg(feature = "postgres")]
    let registry = registry.source(sluice_postgres::PostgresSource);
    #[cfg(feature = "cassandra")]
    let registry = registry.sink(sluice_cassandra::CassandraSink);
    #[cfg(feature = "stdout")]
    let registry = registry.sink(sluice_stdout::Stdout);
    registry
}
