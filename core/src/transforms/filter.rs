//! `Filter`: drops records.

use crate::{
    config::Fault,
    error::Error,
    record::Record,
    transform::{Transform, TransformFactory, Transformed},
};

/// Drops every record that reaches it: to be used with a predicate. It has no properties of its own.
#[derive(Debug, Clone, Copy)]
pub struct Filter;

impl TransformFactory for Filter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.Filter";
    type Config = ();
    type Transform = Self;

    fn build(&self, (): ()) -> Result<Self, Vec<Fault>> {
        Ok(*self)
    }
}

impl Transform for Filter {
    fn apply(&self, _record: Record) -> Result<Transformed, Error> {
        Ok(Transformed::Drop)
    }
}
