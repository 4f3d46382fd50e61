//! `sluice describe`: the manual, from the code.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;
use sluice_core::{
    config::{Config as _, Definition, Support, json_schema, suggest},
    registry::{Plugin, Registry, find},
};

use super::EXIT_USAGE;
use crate::{
    settings::WorkerSettings,
    worker::{Direction, common},
};

/// How a description is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// JSON schema of the properties, or a JSON list of names.
    Json,
}

/// Shows the list, or one entry of it.
pub(super) fn describe(registry: &Registry, name: Option<&str>, format: Format) -> ExitCode {
    let Some(name) = name else {
        list(registry, format);
        return ExitCode::SUCCESS;
    };
    match definitions(registry, name) {
        Some((title, definitions)) => {
            match format {
                Format::Text => print_definitions(title, &definitions),
                Format::Json => println!("{:#}", json_schema(title, &definitions)),
            }
            ExitCode::SUCCESS
        }
        None => {
            let names = names(registry);
            eprintln!("unknown name `{name}`; `sluice describe` lists what there is");
            if let Some(near) = suggest(name, names.into_iter().map(|(_, name, _)| name)) {
                eprintln!("  hint: did you mean `{near}`?");
            }
            EXIT_USAGE.into()
        }
    }
}

type Named = (&'static str, &'static str, &'static [&'static str]);

fn names(registry: &Registry) -> Vec<Named> {
    fn of<'a, P: Plugin + ?Sized + 'a>(kind: &'static str, plugin: &'a P) -> Named {
        (kind, plugin.name(), plugin.aliases())
    }
    let sources = registry.sources().iter().map(|plugin| of("source", &**plugin));
    let sinks = registry.sinks().iter().map(|plugin| of("sink", &**plugin));
    let transforms = registry.transforms().iter().map(|plugin| of("transform", &**plugin));
    let predicates = registry.predicates().iter().map(|plugin| of("predicate", &**plugin));
    sources.chain(sinks).chain(transforms).chain(predicates).collect()
}

fn list(registry: &Registry, format: Format) {
    let names = names(registry);
    if format == Format::Json {
        let entries = names
            .iter()
            .map(|(kind, name, aliases)| json!({"type": kind, "class": name, "aliases": aliases}));
        println!("{:#}", json!(entries.collect::<Vec<_>>()));
        return;
    }
    for (kind, name, aliases) in names {
        println!("{kind:<10} {name}");
        for alias in aliases {
            println!("{:<10} also {alias}", "");
        }
    }
    println!("\n`sluice describe NAME` shows the properties of one; `common` those of all connectors,");
    println!("`worker` those of the worker file.");
}

fn definitions<'a>(registry: &Registry, name: &'a str) -> Option<(&'a str, Vec<Definition>)> {
    let found = match name {
        "worker" => WorkerSettings::definitions(),
        "common" => common(),
        _ => {
            if let Ok(direction) = Direction::new(registry, name) {
                direction.definitions()
            } else if let Some(transform) = find(registry.transforms(), name) {
                transform.definitions()
            } else {
                find(registry.predicates(), name)?.definitions()
            }
        }
    };
    Some((name, found))
}

fn print_definitions(title: &str, definitions: &[Definition]) {
    println!("{title}\n");
    for definition in definitions {
        let name =
            if definition.prefix { format!("{}…", definition.name) } else { definition.name.to_owned() };
        let default = match (definition.required, definition.default) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("default `{default}`"),
            (false, None) => "optional".to_owned(),
        };
        println!("{name}  ({}, {default})", definition.kind.name());
        if !definition.allowed.is_empty() {
            println!("    one of: {}", definition.allowed.join(", "));
        }
        let answer = match definition.support {
            Support::Obeyed => String::new(),
            unobeyed => format!("{}: ", unobeyed.name()),
        };
        println!("    {answer}{}\n", definition.documentation);
    }
}
