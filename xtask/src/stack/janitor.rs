//! The end of a stack whose process was killed.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::spawner;

const SCRIPT: &str = include_str!("../../servers/janitor.sh");

/// Watches over a stack from a process of its own, because this one may be killed.
#[derive(Debug)]
pub(super) struct Janitor(Child);

impl Janitor {
    pub(super) fn start(directory: &Path, temporary: bool) -> anyhow::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "janitor"]).arg(directory).arg(if temporary { "remove" } else { "keep" });
        // A group of its own: ctrl-c at the terminal must not end it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/");
        spawner::spawn(command).map(Self).context("start the janitor")
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            let _ = input.flush();
        }
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_janitor_removes_the_folder_when_its_owner_is_gone() {
        let directory = tempfile::tempdir().unwrap().keep();

        drop(Janitor::start(&directory, true).unwrap());

        assert!(!directory.exists());
    }
}
