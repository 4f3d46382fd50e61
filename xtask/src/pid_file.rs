//! Pid files that cannot be mistaken: a process is named by its pid and its start time.
//!
//! Pids come back, on some machines within minutes; the pair of pid and start time does not.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// A process as its pid file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The process id.
    pub(crate) pid: u32,
    /// Start of the process in clock ticks since boot: field 22 of `/proc/PID/stat`.
    started: u64,
}

impl Identity {
    /// Reads who has this pid now; `None` when nobody has, or only a zombie.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name, in parentheses, may hold anything, so fields are counted after it.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let zombie = fields.next()? == "Z";
        let started = fields.nth(18)?.parse().ok()?;
        (!zombie).then_some(Self { pid, started })
    }

    /// Tells whether the process still runs.
    pub(crate) fn alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Writes the pid file.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let Self { pid, started } = self;
        fs::write(path, format!("{pid} {started}\n")).with_context(|| format!("write `{}`", path.display()))
    }

    /// Reads a pid file; `None` when there is none or it makes no sense.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (pid, started) = text.trim_end().split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, started: started.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_survives_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("self.pid");
        let identity = Identity::of(std::process::id()).unwrap();

        identity.write(&path).unwrap();

        assert_eq!(Identity::read(&path), Some(identity));
        assert!(identity.alive());
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let identity = Identity { started: 1, ..Identity::of(std::process::id()).unwrap() };

        assert!(!identity.alive());
    }
}
