//! Signals to servers, and to everything that they started.

use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};

/// A signal, by what it means to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop in order.
    Term,
    /// Stop in order (Postgres: fast shutdown; its TERM would wait for clients).
    Int,
    /// Stop without order, but clean up (Postgres: immediate shutdown).
    Quit,
    /// End now.
    Kill,
    /// Freeze.
    Stop,
    /// Go on after a freeze.
    Cont,
}

impl Signal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// Sends a signal with the shell's own `kill`: a machine without procps has no other. Pids that are gone are no fault.
pub(crate) fn send(signal: Signal, pids: &[u32]) -> anyhow::Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    let script = r#"signal=$1; shift; kill -s "$signal" "$@" 2> /dev/null; true"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "kill", signal.name()]).args(pids.iter().map(u32::to_string));
    let status = command.status().context("run sh")?;
    ensure!(status.success(), "send {}: {status}", signal.name());
    Ok(())
}

/// A server's process and whatever runs that it has started, the server first.
///
/// Those are its descendants and the members of the session that it leads: Postgres gives its children sessions of
/// their own, and the workers of a killed Airflow scheduler live on without their parent.
pub(crate) fn family(server: u32) -> Vec<u32> {
    let running: Vec<Relations> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Relations::of(entry.file_name().to_str()?.parse().ok()?))
        .collect();
    let mut family = vec![server];
    loop {
        let belongs = |process: &&Relations| {
            !family.contains(&process.pid) && (process.session == server || family.contains(&process.parent))
        };
        let more: Vec<u32> = running.iter().filter(belongs).map(|process| process.pid).collect();
        if more.is_empty() {
            return family;
        }
        family.extend(more);
    }
}

/// Where a process belongs.
struct Relations {
    pid: u32,
    parent: u32,
    session: u32,
}

impl Relations {
    /// Reads fields 3 to 6 of `/proc/PID/stat`; `None` for zombies.
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name, in parentheses, may hold anything, so fields are counted after it.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        (state != "Z").then_some(Self { pid, parent, session })
    }
}
