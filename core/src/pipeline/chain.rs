//! The transforms of a pipeline, in order, each with its predicate.
//!
//! Hot path.

mod wiring;

use std::sync::Arc;

use crate::{
    config::{Fault, Properties},
    error::Error,
    record::Record,
    registry::Registry,
    transform::{Predicate, Transform, Transformed},
};

/// One transform with the question whether it applies.
#[derive(Clone)]
pub struct Stage {
    /// The transform.
    pub transform: Arc<dyn Transform>,
    /// Applies only where this holds.
    pub predicate: Option<Arc<dyn Predicate>>,
    /// Turns the predicate's answer round.
    pub negate: bool,
}

impl Stage {
    fn applies(&self, record: &Record) -> bool {
        self.predicate.as_ref().is_none_or(|predicate| predicate.test(record) != self.negate)
    }
}

/// All transforms of a pipeline.
#[derive(Clone, Default)]
pub struct Chain(Vec<Stage>);

impl Chain {
    /// Makes a chain of stages.
    pub fn new(stages: Vec<Stage>) -> Self {
        Self(stages)
    }

    /// Reads Connect's wiring: `transforms`, `transforms.<alias>.type|predicate|negate|…`, `predicates`, ….
    ///
    /// # Errors
    /// Every fault, with the full property name.
    pub fn from_properties(registry: &Registry, properties: &Properties) -> Result<Self, Vec<Fault>> {
        wiring::read(registry, properties).map(Self)
    }

    /// Whether a key belongs to the transforms or predicates that the properties name.
    pub fn claims(properties: &Properties, key: &str) -> bool {
        wiring::claims(properties, key)
    }

    /// Whether there is no transform.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes a record through all stages and appends what comes out.
    ///
    /// # Errors
    /// The first transform's error; nothing was appended then.
    pub fn apply(&self, record: Record, output: &mut Vec<Record>) -> Result<(), Error> {
        let length = output.len();
        self.apply_from(0, record, output).inspect_err(|_| output.truncate(length))
    }

    fn apply_from(&self, first: usize, mut record: Record, output: &mut Vec<Record>) -> Result<(), Error> {
        for (index, stage) in self.0.iter().enumerate().skip(first) {
            if !stage.applies(&record) {
                continue;
            }
            record = match stage.transform.apply(record)? {
                Transformed::Keep(record) => record,
                Transformed::Drop => return Ok(()),
                Transformed::Several(records) => {
                    return records
                        .into_iter()
                        .try_for_each(|record| self.apply_from(index + 1, record, output));
                }
            };
        }
        output.push(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
