//! What every connector's configuration must keep.

use super::{Violation, ensure};
use crate::{
    config::{Definition, Fault, Kind, Properties, Severity, Support},
    registry::{Plugin, Registry},
    sink::SinkConnector,
    source::SourceConnector,
};

/// Stands for a password in the checked properties; must never be seen again.
const SECRET: &str = "kit-secret-Yq7Zp";
/// A value of no type but text.
const NONSENSE: &str = "no such value";

/// Checks a source connector's configuration; `valid` must hold what it requires.
///
/// # Errors
/// The violation.
pub fn check_source(connector: impl SourceConnector, valid: &Properties) -> Result<(), Violation> {
    let registry = Registry::default().source(connector);
    registry.sources().iter().try_for_each(|source| check(&**source, valid))
}

/// Checks a sink connector's configuration; `valid` must hold what it requires.
///
/// # Errors
/// The violation.
pub fn check_sink(connector: impl SinkConnector, valid: &Properties) -> Result<(), Violation> {
    let registry = Registry::default().sink(connector);
    registry.sinks().iter().try_for_each(|sink| check(&**sink, valid))
}

/// Checks any plugin's configuration: valid properties give no error; each required property left out, and
/// each typed property with a value of another type, gives an error that names it; all such errors come
/// at once; no fault holds a password; each property is documented.
///
/// # Errors
/// The violation.
pub fn check(plugin: &dyn Plugin, valid: &Properties) -> Result<(), Violation> {
    let definitions = plugin.definitions();
    let faults: Vec<_> = plugin.validate(valid).into_iter().filter(is_error).collect();
    ensure!(faults.is_empty(), "properties that the test calls valid give {faults:?}");
    let mut base = valid.clone();
    for definition in definitions.iter().filter(|definition| definition.kind == Kind::Password) {
        base.set(definition.name, SECRET);
    }
    let mut all_wrong = base.clone();
    let mut named = Vec::new();
    for definition in &definitions {
        let name = definition.name;
        ensure!(!definition.documentation.trim().is_empty(), "`{name}` is not documented");
        if definition.prefix || definition.support != Support::Obeyed {
            continue;
        }
        if definition.required {
            let mut properties = base.clone();
            properties.remove(name);
            expect_fault(plugin, &properties, name, "is missing")?;
        }
        if is_typed(definition) {
            let mut properties = base.clone();
            properties.set(name, NONSENSE);
            expect_fault(plugin, &properties, name, "has a value of another type")?;
            all_wrong.set(name, NONSENSE);
            named.push(name);
        }
    }
    for name in named {
        expect_fault(plugin, &all_wrong, name, "is wrong among others")?;
    }
    Ok(())
}

fn is_typed(definition: &Definition) -> bool {
    let by_kind = matches!(definition.kind, Kind::Boolean | Kind::Int | Kind::Long | Kind::Double);
    by_kind || !definition.allowed.is_empty()
}

fn is_error(fault: &Fault) -> bool {
    fault.severity == Severity::Error
}

fn expect_fault(
    plugin: &dyn Plugin,
    properties: &Properties,
    name: &str,
    what: &str,
) -> Result<(), Violation> {
    let faults = plugin.validate(properties);
    for fault in &faults {
        let seen = format!("{fault} {fault:?}");
        ensure!(!seen.contains(SECRET), "a fault of `{}` shows a password", fault.property);
    }
    let found = faults.iter().any(|fault| is_error(fault) && fault.property == name);
    let others: Vec<_> = faults.iter().map(|fault| &fault.property).collect();
    ensure!(found, "`{name}` {what}, but the faults name {others:?}");
    Ok(())
}
