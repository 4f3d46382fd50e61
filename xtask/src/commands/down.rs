//! `cargo xtask down`: stops what `cargo xtask demo --keep` left running.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::demo;
use crate::pid_file::Identity;
use crate::process::{Signal, family, pid_files, send};
use crate::report::say;
use crate::wait;

/// How long a server may take to stop, before it is killed.
const LIMIT: Duration = Duration::from_secs(30);

/// What must stop before the servers that it uses, in this order.
const FIRST: [&str; 8] = [
    "users-stats",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-api",
    "spark-worker",
    "spark-master",
    "sluice",
    "randomuser",
];
/// What must stop after the servers that use it.
const LAST: &str = "zookeeper";

/// Stops the servers of every demo and Sluice; pid files of processes that are gone are only removed.
///
/// # Errors
/// Fails when a signal cannot be sent or a pid file not removed.
pub fn run() -> anyhow::Result<()> {
    demo::directories()?.iter().try_for_each(|directory| stop_all(directory))
}

/// Stops whatever the pid files of a stack's folder name.
///
/// # Errors
/// Fails when a signal cannot be sent or a pid file not removed.
pub fn stop_all(directory: &Path) -> anyhow::Result<()> {
    let mut files = pid_files(directory);
    files.sort_by_cached_key(|file| rank(&file.file_stem().unwrap_or_default().to_string_lossy()));
    if files.is_empty() {
        say(format_args!("nothing runs in {}", directory.display()));
    }
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(identity) = Identity::read(&file) {
            stop(&name, identity, directory)?;
        }
        fs::remove_file(&file).with_context(|| format!("remove `{}`", file.display()))?;
    }
    Ok(())
}

/// The place of a server in the order of stopping.
fn rank(name: &str) -> usize {
    let first = FIRST.iter().position(|first| *first == name);
    first.unwrap_or(FIRST.len() + usize::from(name == LAST))
}

fn stop(name: &str, identity: Identity, directory: &Path) -> anyhow::Result<()> {
    if identity.alive() && works_in(identity.pid, directory) {
        let signal = if name == "postgres" { Signal::Int } else { Signal::Term };
        send(signal, &[identity.pid])?;
        let _ = wait::until(LIMIT, || (!identity.alive()).then_some(()));
        say(format_args!("{name} stopped"));
    } else {
        say(format_args!("{name} is gone already"));
    }
    // Itself if it did not stop in time, and what it started and left behind.
    let mut left = family(identity.pid);
    left.retain(|pid| works_in(*pid, directory));
    send(Signal::Kill, &left)
}

/// Tells whether a process works in this folder, as every server of it does: a last look before a signal.
fn works_in(pid: u32, directory: &Path) -> bool {
    let directory = directory.canonicalize().unwrap_or_default();
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(directory))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn clients_stop_before_their_servers() {
        let mut names = ["zookeeper", "postgres", "sluice", "airflow-api", "airflow-scheduler", "kafka"];

        names.sort_by_key(|name| rank(name));

        assert_eq!(names, ["airflow-scheduler", "airflow-api", "sluice", "postgres", "kafka", "zookeeper"]);
    }

    #[test]
    fn stops_only_what_works_in_the_folder() {
        let directory = tempfile::tempdir().unwrap();
        let sleeper = |folder: &Path| {
            let mut command = Command::new("sleep");
            command.arg("600").current_dir(folder).stdout(Stdio::null()).spawn().unwrap()
        };
        let mut ours = sleeper(directory.path());
        let mut other = sleeper(Path::new("/"));
        for (name, child) in [("kafka", &ours), ("registry", &other)] {
            let file = directory.path().join(format!("{name}.pid"));
            Identity::of(child.id()).unwrap().write(&file).unwrap();
        }

        stop_all(directory.path()).unwrap();

        assert!(ours.wait().unwrap().code().is_none());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
