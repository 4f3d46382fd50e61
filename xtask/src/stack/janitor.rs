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
        command.args(["-c", SCRIPT, "janitor"]).arg(directory);
        // Data that are thrown away need no orderly end.
        command.args(if temporary { ["remove", "50"] } else { ["keep", "150"] });
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
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::pid_file::Identity;
    use crate::process::pid_path;
    use crate::wait;

    #[test]
    fn the_janitor_ends_what_a_dead_server_left_behind() {
        let directory = tempfile::tempdir().unwrap().keep();
        let server = directory.join("server");
        std::fs::create_dir(&server).unwrap();
        // A server that leads a session and is gone, and a child of it that ignores every request to end.
        let mut command = Command::new("setsid");
        command.args([
            "bash",
            "-c",
            "bash -c 'trap \"\" TERM; echo $$ > ../child; while :; do sleep 1; done' & wait",
        ]);
        let mut leader = command.current_dir(&server).spawn().unwrap();
        let child = directory.join("child");
        let child = wait::until(Duration::from_secs(10), || {
            Identity::of(std::fs::read_to_string(&child).ok()?.trim().parse().ok()?)
        });
        let child = child.unwrap();
        Identity::of(leader.id()).unwrap().write(&pid_path(&directory, "server")).unwrap();
        leader.kill().unwrap();
        leader.wait().unwrap();

        drop(Janitor::start(&directory, true).unwrap());

        assert!(!child.alive());
    }

    #[test]
    fn the_janitor_removes_the_folder_when_its_owner_is_gone() {
        let directory = tempfile::tempdir().unwrap().keep();

        drop(Janitor::start(&directory, true).unwrap());

        assert!(!directory.exists());
    }
}
