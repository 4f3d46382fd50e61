//! The servers: each file knows how to prepare its folder, start its program and ask whether it is ready.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::doctor::Java;
use crate::process::{Launch, Lifetime, Signal};

pub(crate) mod airflow;
pub(crate) mod cassandra;
pub(crate) mod connect;
pub(crate) mod kafka;
pub(crate) mod kafka39;
pub(crate) mod postgres;
pub(crate) mod randomuser;
pub(crate) mod registry;
pub(crate) mod sluice;
pub(crate) mod spark;
pub(crate) mod zookeeper;

/// What a server is tuned for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tuning {
    /// A quick start and little memory.
    #[default]
    Test,
    /// Throughput: full just-in-time compilation and larger heaps and buffers.
    Bench,
}

/// What a server needs to know of its stack.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) java: Java,
    /// The stack's folder; each server has one of its own name in it.
    pub(crate) directory: PathBuf,
    /// The data is thrown away with the stack, so an end need not be orderly.
    pub(crate) temporary: bool,
    pub(crate) lifetime: Lifetime,
    pub(crate) tuning: Tuning,
}

impl Setting {
    /// Makes the folder of a server.
    fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.directory.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("make the folder `{}`", folder.display()))?;
        Ok(folder)
    }

    /// A Java program with these arguments, working in a folder.
    fn java(&self, folder: &Path, arguments: Vec<OsString>) -> Launch {
        Launch {
            program: self.java.program(),
            arguments,
            environment: Vec::new(),
            directory: folder.to_owned(),
            account: None,
            lifetime: self.lifetime,
            stop: Signal::Term,
            abandon: if self.temporary { Signal::Kill } else { Signal::Term },
        }
    }
}

/// Fills `{name}` marks of a template.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Writes a settings file.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write `{}`", path.display()))
}

/// Makes an argument of a text and a path, which need not be UTF-8.
fn with_path(text: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(text);
    argument.push(path);
    argument
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_replaces_every_mark() {
        assert_eq!(fill("a={port}, b={port}:{id}", &[("port", "7"), ("id", "x")]), "a=7, b=7:x");
    }
}
