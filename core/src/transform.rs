//! What a transform and a predicate promise.

use crate::{
    config::{Config, Fault},
    error::Error,
    record::Record,
};

/// What a transform makes of a record.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box per record would cost more than moving it")]
pub enum Transformed {
    /// The record goes on, changed or not.
    Keep(Record),
    /// The record ends here.
    Drop,
    /// Several go on, in this order.
    Several(Vec<Record>),
}

/// Changes records one by one: synchronous, without I/O, without memory of earlier records.
pub trait Transform: Send + Sync {
    /// Transforms a record.
    ///
    /// # Errors
    /// Class *reject* when this record does not fit the transform; class *stop* never.
    fn apply(&self, record: Record) -> Result<Transformed, Error>;
}

/// Answers a yes-or-no question about a record.
pub trait Predicate: Send + Sync {
    /// Whether the record fulfils the predicate.
    fn test(&self, record: &Record) -> bool;
}

/// A kind of transform: its names and configuration. Keys are those below `transforms.<alias>.`.
pub trait TransformFactory: Send + Sync + 'static {
    /// Well-known class name, such as `org.apache.kafka.connect.transforms.RegexRouter`.
    const NAME: &'static str;
    /// Configuration.
    type Config: Config;
    /// The transform.
    type Transform: Transform + 'static;

    /// Builds the transform; all that does not fit is named, all at once.
    ///
    /// # Errors
    /// The faults, with property names relative to the prefix.
    fn build(&self, config: Self::Config) -> Result<Self::Transform, Vec<Fault>>;
}

/// A kind of predicate: its names and configuration. Keys are those below `predicates.<alias>.`.
pub trait PredicateFactory: Send + Sync + 'static {
    /// Well-known class name.
    const NAME: &'static str;
    /// Configuration.
    type Config: Config;
    /// The predicate.
    type Predicate: Predicate + 'static;

    /// Builds the predicate.
    ///
    /// # Errors
    /// The faults, with property names relative to the prefix.
    fn build(&self, config: Self::Config) -> Result<Self::Predicate, Vec<Fault>>;
}
