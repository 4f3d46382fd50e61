//! Reading Connect's wiring of transforms and predicates.

use std::sync::Arc;

use super::Stage;
use crate::{
    config::{ConfigValue as _, Definition, Fault, Names, Properties, suggest},
    registry::{Plugin, Registry, find},
    transform::Predicate,
    transforms::alternative,
};

const TRANSFORMS: &str = "transforms";
const PREDICATES: &str = "predicates";
const TYPE: &str = "type";
const PREDICATE: &str = "predicate";
const NEGATE: &str = "negate";

/// Predicates by alias; one that could not be built is there without it, so that it is not called unknown.
type Predicates = Vec<(String, Option<Arc<dyn Predicate>>)>;

pub(super) fn claims(properties: &Properties, key: &str) -> bool {
    let claimed = |list: &str, alias: &String| key.starts_with(&format!("{list}.{alias}."));
    [TRANSFORMS, PREDICATES]
        .into_iter()
        .any(|list| key == list || aliases(properties, list).iter().any(|alias| claimed(list, alias)))
}

pub(super) fn read(registry: &Registry, properties: &Properties) -> Result<Vec<Stage>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut predicates = Predicates::new();
    for alias in distinct_aliases(properties, PREDICATES, &mut faults) {
        let mut own = Own::new(properties, PREDICATES, &alias);
        let built = own.build(registry.predicates(), |factory, own| factory.build(own));
        faults.append(&mut own.faults);
        predicates.push((alias, built));
    }
    let mut stages = Vec::new();
    for alias in distinct_aliases(properties, TRANSFORMS, &mut faults) {
        let mut own = Own::new(properties, TRANSFORMS, &alias);
        let (predicate, negate) = own.take_predicate(&predicates);
        let built = own.build(registry.transforms(), |factory, own| factory.build(own));
        faults.append(&mut own.faults);
        stages.extend(built.map(|transform| Stage { transform, predicate, negate }));
    }
    if faults.is_empty() { Ok(stages) } else { Err(faults) }
}

fn aliases(properties: &Properties, list: &str) -> Vec<String> {
    Names::parse(properties.value(list).unwrap_or_default()).unwrap_or_default().0
}

fn distinct_aliases(properties: &Properties, list: &'static str, faults: &mut Vec<Fault>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for alias in aliases(properties, list) {
        if distinct.contains(&alias) {
            let message =
                format!("lists `{alias}` twice; each alias stands for one, give the second another");
            faults.push(Fault::invalid(list, message));
        } else {
            distinct.push(alias);
        }
    }
    distinct
}

/// The properties of one alias, and what is wrong with them.
struct Own {
    prefix: String,
    properties: Properties,
    faults: Vec<Fault>,
}

impl Own {
    fn new(properties: &Properties, list: &str, alias: &str) -> Self {
        let prefix = format!("{list}.{alias}.");
        Self { properties: properties.below(&prefix), prefix, faults: Vec::new() }
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault.below(&self.prefix));
    }

    /// Finds the class and builds it from what is left of the properties.
    fn build<P: Plugin + ?Sized, T>(
        &mut self,
        factories: &[Arc<P>],
        build: impl FnOnce(&P, &Properties) -> Result<T, Vec<Fault>>,
    ) -> Option<T> {
        let factory = self.take_type(factories)?;
        let built = build(factory, &self.properties);
        let unknown = unknown_keys(&self.properties, &factory.definitions());
        let (built, found) = match built {
            Ok(built) => (Some(built), Vec::new()),
            Err(found) => (None, found),
        };
        found.into_iter().chain(unknown).for_each(|fault| self.fault(fault));
        built
    }

    fn take_type<'a, P: Plugin + ?Sized>(&mut self, factories: &'a [Arc<P>]) -> Option<&'a P> {
        let known = || factories.iter().map(|factory| factory.name()).collect::<Vec<_>>().join(", ");
        let Some(class) = self.properties.remove(TYPE) else {
            let message = format!("must be set; known: {}", known());
            self.fault(Fault::new("config.missing_property", TYPE, message));
            return None;
        };
        let factory = find(factories, class.trim());
        if factory.is_none() {
            let message = format!("unknown class `{class}`; known: {}", known());
            let fault = Fault::new("config.unknown_class", TYPE, message);
            self.fault(match alternative(class.trim()) {
                Some(hint) => fault.hint(hint),
                None => fault,
            });
        }
        factory.map(|factory| &**factory)
    }

    fn take_predicate(&mut self, predicates: &Predicates) -> (Option<Arc<dyn Predicate>>, bool) {
        let (negate, name) = (self.properties.remove(NEGATE), self.properties.remove(PREDICATE));
        let parsed = bool::parse(negate.as_deref().unwrap_or("false").trim());
        match &parsed {
            Err(expected) => self.fault(Fault::invalid(NEGATE, format!("expected {expected}"))),
            Ok(true) if name.is_none() => {
                self.fault(Fault::invalid(
                    NEGATE,
                    "turns a predicate round, but there is none; set `predicate`",
                ));
            }
            Ok(_) => {}
        }
        let Some(name) = name else { return (None, false) };
        let found = predicates.iter().find(|(alias, _)| *alias == name.trim());
        if found.is_none() {
            let known = predicates.iter().map(|(alias, _)| alias.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("unknown predicate `{name}`; `{PREDICATES}` lists: {known}");
            self.fault(Fault::invalid(PREDICATE, message));
        }
        (found.and_then(|(_, predicate)| predicate.clone()), parsed.unwrap_or_default())
    }
}

fn unknown_keys(own: &Properties, definitions: &[Definition]) -> Vec<Fault> {
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
