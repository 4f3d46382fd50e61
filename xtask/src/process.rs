//! One server process: started, asked until it really answers, stopped, killed, paused, started again.
//!
//! Nothing is left behind: an attached server gets a signal from the kernel when its parent ends in any way
//! (`setpriv --pdeathsig`), and a janitor beside the stack kills what ignores it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};

use crate::account::Account;
use crate::pid_file::Identity;
use crate::ports::Port;
use crate::report::{say, seconds};
use crate::{spawner, wait};

mod signal;

pub use signal::Signal;
pub(crate) use signal::{family, send};

/// How long a server may take to answer: Cassandra needs 5 s alone and a minute when others use both cores.
const READY_LIMIT: Duration = Duration::from_secs(180);
/// How long a server may take to stop when asked, before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How much of a log an error shows.
const TAIL_LINES: usize = 30;

/// Whether a server ends with the process that started it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// It ends with its parent, however that ends.
    #[default]
    Attached,
    /// It stays until somebody stops it by its pid file.
    Detached,
}

/// How to start a program.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// The working directory, which exists and belongs to the account.
    pub(crate) directory: PathBuf,
    /// The account to change to; `None` stays with ours.
    pub(crate) account: Option<Account>,
    pub(crate) lifetime: Lifetime,
    /// What asks the program to stop in order.
    pub(crate) stop: Signal,
    /// What ends it when its owner is gone.
    pub(crate) abandon: Signal,
}

impl Launch {
    /// The command line: `setsid` and `setpriv` first, which change themselves into the program and keep the pid.
    pub(crate) fn command(&self) -> Command {
        // A session of its own: ctrl-c at the terminal goes to us, and what the program starts can be told by it.
        let mut command = Command::new("setsid");
        command.arg("setpriv");
        if self.lifetime == Lifetime::Attached {
            command.args(["--pdeathsig", self.abandon.name()]);
        }
        match &self.account {
            Some(account) => command.args(account.setpriv_arguments()),
            // setpriv wants at least one change to make.
            None => command.arg("--inh-caps=-all"),
        };
        command.arg("--").arg(&self.program).args(&self.arguments).current_dir(&self.directory);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end and fails, with its output, when the program does.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let output = self.command().output().with_context(|| format!("run `{}`", self.program.display()))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        ensure!(output.status.success(), "run `{}`: {}\n{text}", self.program.display(), output.status);
        Ok(())
    }
}

/// What makes a [`Server`].
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) name: &'static str,
    /// Where clients connect, or where another server of the same system tells how this one is.
    pub(crate) port: Port,
    /// Ports that the server uses for itself.
    #[expect(dead_code, reason = "held, so that nobody else takes them")]
    pub(crate) inner_ports: Vec<Port>,
    /// The stack's folder, for log and pid file.
    pub(crate) directory: PathBuf,
    /// What must run once, before the first start.
    pub(crate) first: Option<First>,
    pub(crate) launch: Launch,
    /// Asks the port a real question; `Ok` when the server answers as it should.
    pub(crate) probe: fn(u16) -> anyhow::Result<()>,
}

/// A program that fills a data folder once.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) launch: Launch,
    /// The file that is there afterwards.
    pub(crate) mark: PathBuf,
}

/// A server that can be stopped and started again on the same ports and data.
///
/// All methods take `&self`, so that tests can share a stack; a server ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    blueprint: Blueprint,
    child: Mutex<Option<Child>>,
}

impl Server {
    pub(crate) fn new(blueprint: Blueprint) -> Self {
        Self { blueprint, child: Mutex::new(None) }
    }

    /// The server's name, as in its log and pid file.
    pub fn name(&self) -> &'static str {
        self.blueprint.name
    }

    /// The port that clients connect to, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.blueprint.port.number()
    }

    /// Where the server's output goes.
    pub fn log_path(&self) -> PathBuf {
        self.blueprint.directory.join(format!("{}.log", self.name()))
    }

    /// The process id; `None` when it is not running.
    pub fn pid(&self) -> Option<u32> {
        let mut child = self.lock();
        running(&mut child).map(|child| child.id())
    }

    /// Starts the server and waits until it answers. Does nothing when it runs already.
    ///
    /// # Errors
    /// Fails when the program cannot be started, ends, or does not answer in time; the error ends with its log's tail.
    pub fn start(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        {
            let mut child = self.lock();
            if running(&mut child).is_some() {
                return Ok(());
            }
            *child = Some(self.spawn()?);
        }
        self.await_answer()?;
        say(format_args!(
            "{} is ready after {} (asked on port {})",
            self.name(),
            seconds(started.elapsed()),
            self.port()
        ));
        Ok(())
    }

    /// Asks the server to stop in order, waits for its end, and kills it when it takes too long.
    ///
    /// # Errors
    /// Fails when signals cannot be sent.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.end(self.blueprint.launch.stop)
    }

    /// Kills the server and its children at once, as a crash would.
    ///
    /// # Errors
    /// Fails when signals cannot be sent.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.end(Signal::Kill)
    }

    /// Freezes the server with all its children: connections stay open and nobody answers.
    ///
    /// # Errors
    /// Fails when the server does not run.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal_tree(Signal::Stop)
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// Fails when the server does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal_tree(Signal::Cont)
    }

    /// Stops the server in order and starts it again on the same ports and data.
    ///
    /// # Errors
    /// Fails as [`Server::stop`] and [`Server::start`] do.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.stop()?;
        self.start()
    }

    /// Sends the signal that ends an ownerless server, without waiting.
    pub(crate) fn abandon(&self) {
        if let (Lifetime::Attached, Some(pid)) = (self.blueprint.launch.lifetime, self.pid()) {
            let _ = send(self.blueprint.launch.abandon, &[pid]);
            let _ = send(Signal::Cont, &family(pid));
        }
    }

    fn spawn(&self) -> anyhow::Result<Child> {
        if let Some(first) = self.blueprint.first.as_ref().filter(|first| !first.mark.exists()) {
            first.launch.run().with_context(|| format!("prepare the data of {}", self.name()))?;
        }
        let log = File::options().create(true).append(true).open(self.log_path()).context("open the log")?;
        let mut command = self.blueprint.launch.command();
        command.stdout(log.try_clone().context("share the log")?).stderr(log);
        let child = spawner::spawn(command).with_context(|| format!("start {}", self.name()))?;
        if let Some(identity) = Identity::of(child.id()) {
            identity.write(&pid_path(&self.blueprint.directory, self.name()))?;
        }
        Ok(child)
    }

    fn await_answer(&self) -> anyhow::Result<()> {
        let mut last = anyhow!("never asked");
        let outcome = wait::until(READY_LIMIT, || match (self.blueprint.probe)(self.port()) {
            _ if self.pid().is_none() => Some(false),
            Ok(()) => Some(true),
            Err(error) => {
                last = error;
                None
            }
        });
        let fault = match outcome {
            Some(true) => return Ok(()),
            Some(false) => "ended before it answered".to_owned(),
            None => format!("did not answer within {} ({last:#})", seconds(READY_LIMIT)),
        };
        self.kill()?;
        let log = self.log_path();
        bail!("{} {fault}; the end of `{}`:\n{}", self.name(), log.display(), tail(&log, TAIL_LINES))
    }

    fn end(&self, signal: Signal) -> anyhow::Result<()> {
        let mut child = self.lock();
        if let Some(mut process) = child.take() {
            let pid = process.id();
            if matches!(process.try_wait(), Ok(None)) {
                end_process(self.name(), &mut process, signal)?;
            }
            // What the server started and did not end itself.
            send(Signal::Kill, &family(pid)[1..])?;
        }
        let _ = fs::remove_file(pid_path(&self.blueprint.directory, self.name()));
        Ok(())
    }

    fn signal_tree(&self, signal: Signal) -> anyhow::Result<()> {
        let mut child = self.lock();
        let process = running(&mut child).with_context(|| format!("{} does not run", self.name()))?;
        let pid = process.id();
        // The parent first: a frozen parent has no new children.
        send(signal, &[pid])?;
        send(signal, &family(pid))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.blueprint.launch.lifetime == Lifetime::Attached {
            let _ = self.end(self.blueprint.launch.abandon);
        }
    }
}

/// Sends the signal and waits for the end, which comes by force when it takes too long.
fn end_process(name: &str, process: &mut Child, signal: Signal) -> anyhow::Result<()> {
    let pid = process.id();
    match signal {
        Signal::Kill => send(signal, &family(pid))?,
        _ => {
            send(signal, &[pid])?;
            // A paused server would never see the request.
            send(Signal::Cont, &family(pid))?;
        }
    }
    if wait::until(STOP_LIMIT, || process.try_wait().ok().flatten()).is_none() {
        say(format_args!("{name} did not stop within {}: killing it", seconds(STOP_LIMIT)));
        send(Signal::Kill, &family(pid))?;
        process.wait().context("wait for the killed process")?;
    }
    Ok(())
}

/// The file that names the process of a server.
pub(crate) fn pid_path(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.pid"))
}

/// The pid files of a stack's folder, in no order.
pub(crate) fn pid_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "pid")).collect()
}

/// The last lines of a log; a log that cannot be read is empty.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    const REACH: u64 = 64 * 1024;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(REACH)))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The child if it still runs: as long as it is not waited for, its pid cannot name another process.
fn running(child: &mut Option<Child>) -> Option<&mut Child> {
    let child = child.as_mut()?;
    matches!(child.try_wait(), Ok(None)).then_some(child)
}

#[cfg(test)]
mod tests;
