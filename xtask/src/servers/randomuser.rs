//! The stand-in for randomuser.me: people without a network.

use std::path::Path;

use anyhow::ensure;

use super::Setting;
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, Launch, Signal};

/// Describes the server, which is a command of the workload's program.
pub(crate) fn blueprint(setting: &Setting, program: &Path, port: Port) -> anyhow::Result<Blueprint> {
    let listen = format!("127.0.0.1:{}", port.number());
    Ok(Blueprint {
        name: "randomuser",
        port,
        inner_ports: Vec::new(),
        directory: setting.directory.clone(),
        first: None,
        launch: Launch {
            program: program.to_owned(),
            arguments: vec!["randomuser".into(), "--listen".into(), listen.into()],
            environment: Vec::new(),
            directory: setting.folder("randomuser")?,
            account: None,
            lifetime: setting.lifetime,
            stop: Signal::Term,
            abandon: Signal::Term,
        },
        probe,
    })
}

fn probe(port: u16) -> anyhow::Result<()> {
    let response = http::request(port, "GET", "/_health", "")?;
    ensure!(response.status == 200, "answered {}", response.status);
    Ok(())
}
