//! Sluice itself, with the connectors of `config/`.

use std::ffi::OsString;
use std::path::Path;

use super::Setting;
use crate::commands::root;
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, Launch, Signal};

/// The password that `postgres-init/` gives to the replication role of developers' machines.
const REPLICATION_PASSWORD: &str = "sluice";
/// The settings of the process.
const WORKER: &str = "config/worker.properties";
/// The connectors that it runs.
const CONNECTORS: [&str; 2] = ["config/users-source.properties", "config/users-sink.properties"];

/// Describes the process, which keeps its positions in its own folder beside the servers'.
///
/// `addresses` are those of the servers, under the names that the files in `config/` use.
pub(crate) fn blueprint(
    setting: &Setting,
    program: &Path,
    addresses: Vec<(&'static str, String)>,
    port: Port,
) -> anyhow::Result<Blueprint> {
    let listeners = format!("listeners=http://127.0.0.1:{}", port.number());
    let mut arguments: Vec<OsString> = vec!["run".into(), "--worker".into(), root().join(WORKER).into()];
    arguments.extend(["--set".into(), listeners.into()]);
    arguments.extend(CONNECTORS.map(|file| root().join(file).into_os_string()));
    let addresses = addresses.into_iter().map(|(name, value)| (name, value.into()));
    let password = ("POSTGRES_REPLICATION_PASSWORD", REPLICATION_PASSWORD.into());
    Ok(Blueprint {
        name: "sluice",
        port,
        inner_ports: Vec::new(),
        directory: setting.directory.clone(),
        first: None,
        launch: Launch {
            program: program.to_owned(),
            arguments,
            environment: addresses.chain([password]).collect(),
            directory: setting.folder("sluice")?,
            account: None,
            lifetime: setting.lifetime,
            stop: Signal::Term,
            abandon: Signal::Term,
        },
        // Any answer will do: a connector that fails to start is for the workload to tell.
        probe: |port| http::request(port, "GET", "/health", "").map(drop),
    })
}
