//! Plans by topic and schemas.
//!
//! Hot path. Records of one topic share their schemas by pointer, so the plan of the record before is nearly
//! always the right one; the pointers are held, so that no other schema can come to live at their address.

use std::sync::Arc;

use sluice_core::{Record, SchemaRef, record::Payload};

use crate::statement::Plan;

/// Plans that are kept. More schemas than this at a time means that something makes a schema per record.
const MOST: usize = 512;

struct Entry {
    topic: Arc<str>,
    key: Option<SchemaRef>,
    row: Option<SchemaRef>,
    plans: Arc<[Arc<Plan>]>,
}

/// Plans of the schemas that were seen.
#[derive(Default)]
pub(crate) struct PlanCache {
    entries: Vec<Entry>,
    last: usize,
}

fn row_schema(record: &Record) -> Option<&SchemaRef> {
    match &record.value {
        Payload::Change(change) => Some(&change.schema.row),
        Payload::Plain(datum) => datum.schema.as_ref().filter(|_| !datum.value.is_null()),
    }
}

fn same_pointer(one: Option<&SchemaRef>, other: Option<&SchemaRef>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl Entry {
    fn is_for(&self, record: &Record) -> bool {
        same_pointer(self.row.as_ref(), row_schema(record))
            && same_pointer(self.key.as_ref(), record.key.schema.as_ref())
            && (Arc::ptr_eq(&self.topic, &record.topic) || self.topic == record.topic)
    }

    fn is_equal(&self, record: &Record) -> bool {
        self.topic == record.topic
            && self.row.as_ref() == row_schema(record)
            && self.key.as_ref() == record.key.schema.as_ref()
    }
}

impl PlanCache {
    /// Returns the plans of a record's topic and schemas, if they were made.
    pub(crate) fn find(&mut self, record: &Record) -> Option<&Arc<[Arc<Plan>]>> {
        if !self.entries.get(self.last).is_some_and(|entry| entry.is_for(record)) {
            self.last = self.search(record)?;
        }
        self.entries.get(self.last).map(|entry| &entry.plans)
    }

    fn search(&mut self, record: &Record) -> Option<usize> {
        if let Some(index) = self.entries.iter().position(|entry| entry.is_for(record)) {
            return Some(index);
        }
        // The same schema read anew, as after a restart of the source: take over the new pointers.
        let index = self.entries.iter().position(|entry| entry.is_equal(record))?;
        self.entries[index].row = row_schema(record).cloned();
        self.entries[index].key = record.key.schema.clone();
        Some(index)
    }

    /// Keeps the plans of a record's topic and schemas.
    pub(crate) fn insert(&mut self, record: &Record, plans: Arc<[Arc<Plan>]>) {
        if self.entries.len() >= MOST {
            self.entries.clear();
        }
        self.last = self.entries.len();
        self.entries.push(Entry {
            topic: Arc::clone(&record.topic),
            key: record.key.schema.clone(),
            row: row_schema(record).cloned(),
            plans,
        });
    }

    /// Forgets all plans.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
