//! What a transform derives from a schema or a topic, derived once.
//!
//! Hot path. Transforms are shared (`&self`), so the derived things stand behind a read-write lock whose
//! write side is taken once per schema version or topic. A read is two uncontended atomic operations and
//! one look-up, some 20 ns; nobody waits, since one task drives a pipeline.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

use crate::schema::SchemaRef;

/// More than the tables or topics of one pipeline; passing it starts anew and costs only time.
const CAPACITY: usize = 4096;

/// Derived values by what they were derived from.
pub(super) struct Cache<K, V>(RwLock<HashMap<K, V>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// Returns what was derived for `key`, deriving it the first time; failures are not kept.
    pub(super) fn get_or_derive<E>(&self, key: K, derive: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let derived = derive()?;
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, derived.clone());
        Ok(derived)
    }
}

/// A schema by its address. Holding it keeps the address from being used by another.
pub(super) struct ByAddress(pub(super) SchemaRef);

impl PartialEq for ByAddress {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ByAddress {}

impl Hash for ByAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::schema::{Kind, Schema};

    #[test]
    fn same_schema_is_derived_once_and_an_equal_one_again() {
        let cache = Cache::default();
        let schema = Schema::new(Kind::Int8).shared();
        let derive = |schema: &SchemaRef, value: u8| {
            cache.get_or_derive(ByAddress(Arc::clone(schema)), || Ok::<_, Infallible>(value)).unwrap()
        };

        assert_eq!(derive(&schema, 1), 1);
        assert_eq!(derive(&schema, 2), 1);
        assert_eq!(derive(&Schema::new(Kind::Int8).shared(), 3), 3);
    }

    #[test]
    fn full_cache_starts_anew() {
        let cache = Cache::default();
        for number in 0..=CAPACITY {
            cache.get_or_derive(number, || Ok::<_, Infallible>(())).unwrap();
        }

        assert_eq!(cache.0.read().unwrap().len(), 1);
    }
}
