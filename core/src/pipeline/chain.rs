//! The transforms of a pipeline, in order, each with its predicate.

use std::sync::Arc;

use crate::{
    config::ConfigValue as _,
    config::{Fault, Names, Properties, suggest},
    error::Error,
    record::Record,
    registry::{DynPredicateFactory, DynTransformFactory, Registry, find},
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

/// Reading Connect's wiring of transforms and predicates.
mod wiring {
    use super::*;

    const TYPE: &str = "type";
    const PREDICATE: &str = "predicate";
    const NEGATE: &str = "negate";

    pub(super) fn claims(properties: &Properties, key: &str) -> bool {
        ["transforms", "predicates"].into_iter().any(|list| {
            let below = |alias: &String| {
                key.strip_prefix(list).is_some_and(|rest| {
                    rest.strip_prefix('.')
                        .and_then(|rest| rest.strip_prefix(alias.as_str()))
                        .is_some_and(|rest| rest.starts_with('.'))
                })
            };
            key == list || aliases(properties, list).iter().any(below)
        })
    }

    pub(super) fn read(registry: &Registry, properties: &Properties) -> Result<Vec<Stage>, Vec<Fault>> {
        let mut faults = Vec::new();
        let predicates: Vec<_> = aliases(properties, "predicates")
            .into_iter()
            .map(|alias| {
                let built = build_predicate(registry.predicates(), properties, &alias);
                (alias, built.map_err(|mut found| faults.append(&mut found)).ok())
            })
            .collect();
        let mut stages = Vec::new();
        for alias in aliases(properties, "transforms") {
            match build_stage(registry.transforms(), properties, &alias, &predicates) {
                Ok(stage) => stages.push(stage),
                Err(mut found) => faults.append(&mut found),
            }
        }
        if faults.is_empty() { Ok(stages) } else { Err(faults) }
    }

    fn aliases(properties: &Properties, list: &str) -> Vec<String> {
        Names::parse(properties.value(list).unwrap_or_default()).unwrap_or_default().0
    }

    type Predicates = [(String, Option<Arc<dyn Predicate>>)];

    fn build_stage(
        factories: &[Arc<dyn DynTransformFactory>],
        properties: &Properties,
        alias: &str,
        predicates: &Predicates,
    ) -> Result<Stage, Vec<Fault>> {
        let prefix = format!("transforms.{alias}.");
        let mut own = properties.below(&prefix);
        let below = |fault: Fault| fault.below(&prefix);
        let (predicate, negate) = take_predicate(&mut own, predicates).map_err(|fault| vec![below(fault)])?;
        let factory = take_type(factories, &mut own).map_err(|fault| vec![below(fault)])?;
        let unknown = unknown_keys(&own, &factory.definitions());
        match (factory.build(&own), unknown.is_empty()) {
            (Ok(transform), true) => Ok(Stage { transform, predicate, negate }),
            (built, _) => {
                Err(built.err().unwrap_or_default().into_iter().chain(unknown).map(below).collect())
            }
        }
    }

    fn build_predicate(
        factories: &[Arc<dyn DynPredicateFactory>],
        properties: &Properties,
        alias: &str,
    ) -> Result<Arc<dyn Predicate>, Vec<Fault>> {
        let prefix = format!("predicates.{alias}.");
        let mut own = properties.below(&prefix);
        let below = |fault: Fault| fault.below(&prefix);
        let factory = take_type(factories, &mut own).map_err(|fault| vec![below(fault)])?;
        let unknown = unknown_keys(&own, &factory.definitions());
        match (factory.build(&own), unknown.is_empty()) {
            (Ok(predicate), true) => Ok(predicate),
            (built, _) => {
                Err(built.err().unwrap_or_default().into_iter().chain(unknown).map(below).collect())
            }
        }
    }

    fn take_type<'a, P: crate::registry::Plugin + ?Sized>(
        factories: &'a [Arc<P>],
        own: &mut Properties,
    ) -> Result<&'a Arc<P>, Fault> {
        let known = || factories.iter().map(|factory| factory.name()).collect::<Vec<_>>().join(", ");
        let Some(class) = own.remove(TYPE) else {
            return Err(Fault::new(
                "config.missing_property",
                TYPE,
                format!("must be set; known: {}", known()),
            ));
        };
        find(factories, &class).ok_or_else(|| {
            Fault::new("config.unknown_class", TYPE, format!("unknown class `{class}`; known: {}", known()))
        })
    }

    fn take_predicate(
        own: &mut Properties,
        predicates: &Predicates,
    ) -> Result<(Option<Arc<dyn Predicate>>, bool), Fault> {
        let negate = own.remove(NEGATE);
        let negate = bool::parse(negate.as_deref().unwrap_or("false"))
            .map_err(|expected| Fault::invalid(NEGATE, format!("expected {expected}")))?;
        let Some(name) = own.remove(PREDICATE) else { return Ok((None, negate)) };
        match predicates.iter().find(|(alias, _)| *alias == name) {
            Some((_, predicate)) => Ok((predicate.clone(), negate)),
            None => {
                let known = predicates.iter().map(|(alias, _)| alias.as_str()).collect::<Vec<_>>().join(", ");
                Err(Fault::invalid(
                    PREDICATE,
                    format!("unknown predicate `{name}`; `predicates` lists: {known}"),
                ))
            }
        }
    }

    fn unknown_keys(own: &Properties, definitions: &[crate::config::Definition]) -> Vec<Fault> {
        let unknown = own.keys().filter(|key| !definitions.iter().any(|definition| definition.claims(key)));
        unknown
            .map(|key| {
                let fault = Fault::new("config.unknown_property", key, "unknown property");
                match suggest(key, definitions.iter().map(|definition| definition.name)) {
                    Some(name) => fault.hint(format!("did you mean `{name}`?")),
                    None => fault,
                }
            })
            .collect()
    }
}
