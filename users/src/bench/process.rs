//! `sluice` as a process, and what it uses.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Ticks per second of the CPU times in `/proc`: fixed at 100 in the kernel's interface.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used since its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// CPU time in user and kernel mode of all its threads.
    pub(super) cpu: Duration,
    /// Largest resident memory.
    pub(super) peak_bytes: u64,
}

/// A running `sluice run` of one connector.
pub(super) struct Sluice {
    child: Child,
    port: u16,
    log: std::path::PathBuf,
}

impl Sluice {
    pub(super) fn start(
        program: &Path,
        directory: &Path,
        bootstrap_servers: &str,
        connector: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let (file, log) = (directory.join("connector.properties"), directory.join("sluice.log"));
        fs::write(
            &file,
            connector.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<String>(),
        )?;
        let log_file = File::create(&log)?;
        let child = Command::new(program)
            .arg("run")
            .args(["--set", &format!("bootstrap.servers={bootstrap_servers}")])
            .args(["--set", &format!("listeners=http://127.0.0.1:{port}")])
            .args(["--set", &format!("offset.storage.file.filename={}", directory.join("offsets").display())])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Self { child, port, log })
    }

    /// Fails when the process has ended or the run takes too long.
    pub(super) fn still_runs(&mut self, start: Instant, limit: Duration) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => super::ended(status, &fs::read_to_string(&self.log).unwrap_or_default()),
            None => super::limit(start, limit),
        }
    }

    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        let pid = self.child.id().context("sluice has ended")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // Fields are counted behind the name in brackets, which may hold spaces: utime and stime are 14th and 15th.
        let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
        let fields: Vec<_> = fields.split_whitespace().collect();
        let ticks = |index: usize| {
            fields.get(index).and_then(|field| field.parse::<u64>().ok()).context("no CPU time")
        };
        let millis = (ticks(11)? + ticks(12)?) * (1_000 / TICKS_PER_SECOND);
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak memory")?;
        let kilobytes: u64 = peak.trim().trim_end_matches("kB").trim().parse()?;
        Ok(Usage { cpu: Duration::from_millis(millis), peak_bytes: kilobytes * 1_024 })
    }

    /// Reads a counter of `/metrics`; one that is not there yet counts as 0.
    pub(super) async fn counter(&self, name: &str) -> anyhow::Result<u64> {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else { return Ok(0) };
        stream.write_all(b"GET /metrics HTTP/1.0\r\nhost: sluice\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let line = answer.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()).map_or(Ok(0), |count| Ok(count.parse()?))
    }

    /// Ends the process with SIGTERM; it must end well.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().context("sluice has ended")?;
        Command::new("kill").arg(pid.to_string()).status().await?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "SIGTERM ended sluice with {status}");
        Ok(())
    }
}
