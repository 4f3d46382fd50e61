//! The program under test, as a process.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};
use xtask::ports::Port;

use crate::world::{tail, until};

/// Path of the binary that cargo built for these tests.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sluice");

/// A running `sluice run`; it is killed when dropped.
pub(crate) struct Sluice {
    child: Child,
    log: PathBuf,
    port: u16,
}

impl Sluice {
    /// Starts the program with connector files; logs are appended to one file per directory.
    pub(crate) fn start(
        directory: &Path,
        bootstrap_servers: &str,
        files: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let servers = format!("bootstrap.servers={bootstrap_servers}");
        let offsets = format!("offset.storage.file.filename={}", directory.join("offsets").display());
        Self::start_as_worker(directory, &["--set", &servers, "--set", &offsets], files)
    }

    /// Starts the program with arguments that say what worker it is, such as a worker file.
    pub(crate) fn start_as_worker<A: AsRef<OsStr>>(
        directory: &Path,
        worker: &[A],
        files: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let port = Port::free()?.number();
        let log = directory.join("sluice.log");
        let log_file = File::options().create(true).append(true).open(&log)?;
        let child = Command::new(BINARY)
            .arg("run")
            .args(worker)
            .args(["--set", &format!("listeners=http://127.0.0.1:{port}")])
            .args(files)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {BINARY}"))?;
        Ok(Self { child, log, port })
    }

    /// Kills the process as a crash of the machine would: SIGKILL.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let pid = self.child.id().context("sluice has ended already")?;
        let sent = Command::new("kill").arg(pid.to_string()).status().await?;
        ensure!(sent.success(), "kill {pid} failed");
        Ok(self.child.wait().await?)
    }

    /// Waits until the process ends by itself. Cancel safe.
    pub(crate) async fn exited(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Waits until `/health` shows a connector in a state.
    pub(crate) async fn wait_for_state(&mut self, connector: &str, state: &str) -> anyhow::Result<()> {
        let url = format!("http://127.0.0.1:{}/health", self.port);
        let what = format!("`{connector}` is {state}");
        let looked = until(&what, || async {
            let Ok(answer) = reqwest::get(&url).await else { return Ok(false) };
            let health: serde_json::Value = answer.json().await?;
            Ok(health["connectors"][connector]["state"] == state)
        })
        .await;
        looked.with_context(|| self.log_tail())
    }

    /// Reads `/metrics`.
    pub(crate) async fn metrics(&self) -> anyhow::Result<String> {
        Ok(reqwest::get(format!("http://127.0.0.1:{}/metrics", self.port)).await?.text().await?)
    }

    /// Returns all that the program has logged in this scenario.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Returns the end of the log, for messages.
    pub(crate) fn log_tail(&self) -> String {
        format!("end of sluice's log:\n{}", tail(&self.log, 30))
    }
}

/// Runs the program to its end and returns what it printed.
pub(crate) async fn output(arguments: &[&str]) -> anyhow::Result<Output> {
    Command::new(BINARY).args(arguments).output().await.with_context(|| format!("run {BINARY} {arguments:?}"))
}
