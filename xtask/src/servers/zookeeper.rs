//! ZooKeeper: one node, for Kafka 3.9.

use std::io::{Read, Write};

use anyhow::{Context, ensure};

use super::{Setting, fill, with_path, write};
use crate::downloads::KAFKA39;
use crate::http;
use crate::ports::Port;
use crate::process::Blueprint;

const PROPERTIES: &str = include_str!("../../servers/zookeeper/zookeeper.properties");
const LOGGING: &str = include_str!("../../servers/kafka39/log4j.properties");

/// Describes the server.
pub(crate) fn blueprint(setting: &Setting, port: Port) -> anyhow::Result<Blueprint> {
    let package = KAFKA39.install()?;
    let folder = setting.folder("zookeeper")?;
    let data = folder.join("data");
    let [properties, logging] = ["zookeeper.properties", "log4j.properties"].map(|name| folder.join(name));
    let text = fill(
        PROPERTIES,
        &[
            ("port", &port.number().to_string()),
            ("data", data.to_str().context("ZooKeeper takes no folder that is not UTF-8")?),
        ],
    );
    write(&properties, &text)?;
    write(&logging, LOGGING)?;

    let mut arguments: Vec<_> =
        ["-Xms32m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"].map(Into::into).into();
    arguments.push(with_path("-Dlog4j.configuration=file:", &logging));
    arguments.extend(["-cp".into(), package.join("app/*").into_os_string()]);
    arguments.push("org.apache.zookeeper.server.quorum.QuorumPeerMain".into());
    arguments.push(properties.into_os_string());
    let launch = setting.java(&folder, arguments);
    let directory = setting.directory.clone();
    Ok(Blueprint { name: "zookeeper", port, inner_ports: Vec::new(), directory, first: None, launch, probe })
}

/// Asks for the server's state with a four-letter word: the mode is told only when it serves.
fn probe(port: u16) -> anyhow::Result<()> {
    let mut stream = http::connect(port)?;
    stream.write_all(b"srvr")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.contains("Mode: "), "does not serve yet: answered srvr with {answer:?}");
    Ok(())
}
