//! Sluice, run as its users run it: the binary with a connector file.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::side::{Servers, Side};

/// How many lines of a log without errors are shown.
const TAIL: usize = 12;

/// The program with its files.
#[derive(Debug)]
pub struct Sluice {
    program: PathBuf,
    kafka: String,
    folder: TempDir,
    child: Option<Child>,
}

impl Sluice {
    /// Writes the connector's file.
    ///
    /// # Errors
    /// Fails when files cannot be written.
    pub fn prepare(servers: &Servers, side: &Side) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("differential-").tempdir().context("make a folder")?;
        let mut properties = side.properties.clone();
        properties.insert("name".to_owned(), side.prefix.clone());
        let text = serde_json::to_string(&properties)?;
        fs::write(folder.path().join("connector.json"), text).context("write the connector's file")?;
        Ok(Self { program: servers.sluice.clone(), kafka: servers.kafka.clone(), folder, child: None })
    }

    /// Asks Sluice what is wrong with the properties; `None` when nothing is.
    ///
    /// # Errors
    /// Fails when the program cannot be run.
    pub async fn refusal(&self) -> anyhow::Result<Option<String>> {
        let output = self.command("validate").output().await.context("run sluice validate")?;
        let text = [output.stdout, output.stderr].concat();
        Ok((!output.status.success()).then(|| plain(&String::from_utf8_lossy(&text))))
    }

    /// Starts the program.
    ///
    /// # Errors
    /// Fails when it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log()).context("open sluice's log")?;
        let mut command = self.command("run");
        command.stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().context("start sluice")?);
        Ok(())
    }

    /// The end of the log if the program has ended by itself.
    ///
    /// # Errors
    /// Fails when the program cannot be asked.
    pub fn ended(&mut self) -> anyhow::Result<Option<String>> {
        let Some(child) = &mut self.child else { return Ok(Some("sluice was not started".to_owned())) };
        Ok(child.try_wait()?.map(|_| self.tail()))
    }

    /// Asks the program to stop and waits until it has, its records sent and its position stored.
    ///
    /// # Errors
    /// Fails when it ends with a fault.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(pid) = child.id() {
            let mut kill = Command::new("kill");
            kill.args(["-s", "TERM", &pid.to_string()]).status().await.context("run kill")?;
        }
        let status = child.wait().await.context("wait for sluice")?;
        if !status.success() {
            bail!("sluice: {status}\n{}", self.tail());
        }
        Ok(())
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(word).arg(self.folder.path().join("connector.json"));
        let settings = [
            format!("bootstrap.servers={}", self.kafka),
            "listeners=http://127.0.0.1:0".to_owned(),
            "offset.storage.file.filename=offsets".to_owned(),
        ];
        for setting in settings {
            command.args(["--set", &setting]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What the log says from its last error on, or its last lines.
    fn tail(&self) -> String {
        let text = plain(&fs::read_to_string(self.log()).unwrap_or_default());
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().rposition(|line| line.contains(" ERROR "));
        let from = last.unwrap_or(lines.len().saturating_sub(TAIL));
        lines[from..].iter().filter(|line| !line.contains(" INFO ")).copied().collect::<Vec<_>>().join("\n")
    }
}

/// Leaves out the colours of a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut coloured = false;
    for letter in text.chars() {
        match letter {
            '\u{1b}' => coloured = true,
            'm' if coloured => coloured = false,
            _ if coloured => {}
            _ => plain.push(letter),
        }
    }
    plain
}
