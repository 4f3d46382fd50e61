//! `cargo xtask down`: stops what `cargo xtask demo --keep` left running.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::demo;
use crate::pid_file::Identity;
use crate::process::{Signal, send, tree};
use crate::report::say;
use crate::wait;

/// How long a server may take to stop, before it is killed.
const LIMIT: Duration = Duration::from_secs(30);

/// Stops the demo's servers and Sluice; pid files of processes that are gone are only removed.
///
/// # Errors
/// Fails when a signal cannot be sent or a pid file not removed.
pub fn run() -> anyhow::Result<()> {
    stop_all(&demo::directory()?)
}

/// Stops whatever the pid files of a stack's folder name.
///
/// # Errors
/// Fails when a signal cannot be sent or a pid file not removed.
pub fn stop_all(directory: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "pid"));
    let mut files: Vec<_> = files.collect();
    // Sluice first: it should not see its servers go.
    files.sort_by_key(|file| file.file_stem().is_none_or(|name| name != "sluice"));
    if files.is_empty() {
        say(format_args!("nothing runs in {}", directory.display()));
    }
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match Identity::read(&file) {
            Some(identity) if identity.alive() && works_in(identity.pid, directory) => stop(&name, identity)?,
            _ => say(format_args!("{name} is gone already")),
        }
        fs::remove_file(&file).with_context(|| format!("remove `{}`", file.display()))?;
    }
    Ok(())
}

fn stop(name: &str, identity: Identity) -> anyhow::Result<()> {
    let signal = if name == "postgres" { Signal::Int } else { Signal::Term };
    send(signal, &[identity.pid])?;
    if wait::until(LIMIT, || (!identity.alive()).then_some(())).is_none() {
        send(Signal::Kill, &tree(identity.pid))?;
    }
    say(format_args!("{name} stopped"));
    Ok(())
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
