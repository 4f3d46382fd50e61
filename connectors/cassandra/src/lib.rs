//! Cassandra sink: idempotent, order-free upserts and deletes.
