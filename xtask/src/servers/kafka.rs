//! Kafka: one KRaft node that is broker and controller.

use std::io::{Read, Write};

use anyhow::{Context, ensure};

use super::{Setting, Tuning, fill, with_path, write};
use crate::downloads::KAFKA;
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, First};

/// The cluster's id: any 16 bytes, the same for every stack.
const CLUSTER_ID: &str = "c2x1aWNlLXRlc3Qtc3RhYw";
const PROPERTIES: &str = include_str!("../../servers/kafka/server.properties");
const LOGGING: &str = include_str!("../../servers/kafka/log4j2.properties");

/// Describes the server: its log folder is formatted once.
pub(crate) fn blueprint(setting: &Setting, port: Port) -> anyhow::Result<Blueprint> {
    let package = KAFKA.install()?;
    let folder = setting.folder("kafka")?;
    let controller_port = Port::free()?;
    let data = folder.join("data");
    let properties = folder.join("server.properties");
    let logging = folder.join("log4j2.properties");
    let text = fill(
        PROPERTIES,
        &[
            ("port", &port.number().to_string()),
            ("controller_port", &controller_port.number().to_string()),
            ("data", data.to_str().context("Kafka takes no folder that is not UTF-8")?),
        ],
    );
    write(&properties, &text)?;
    write(&logging, LOGGING)?;

    let java = |tail: &[&str]| {
        let mut arguments: Vec<_> = heap(setting.tuning).map(Into::into).into();
        arguments.push(with_path("-Dlog4j2.configurationFile=", &logging));
        arguments.extend(["-cp".into(), package.join("app/*").into_os_string()]);
        arguments.extend(tail.iter().map(Into::into));
        arguments.push(properties.clone().into_os_string());
        setting.java(&folder, arguments)
    };
    let format = java(&["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]);
    Ok(Blueprint {
        name: "kafka",
        port,
        inner_ports: vec![controller_port],
        directory: setting.directory.clone(),
        first: Some(First { launch: format, mark: data.join("meta.properties") }),
        launch: java(&["kafka.Kafka"]),
        probe,
    })
}

/// What the broker's JVM gets.
pub(super) fn heap(tuning: Tuning) -> [&'static str; 4] {
    match tuning {
        Tuning::Test => ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
        Tuning::Bench => ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"],
    }
}

/// Asks for the metadata of no topic: the answer lists the broker once it takes part, not merely when its port is open.
pub(super) fn probe(port: u16) -> anyhow::Result<()> {
    // Length 14; key 3 (Metadata), version 1, correlation 1, no client id, no topics.
    const REQUEST: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
    let mut stream = http::connect(port)?;
    stream.write_all(&REQUEST)?;
    // Length, correlation, number of brokers.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    ensure!(answer[4..8] == [0, 0, 0, 1], "answered another request: {answer:?}");
    ensure!(answer[8..12] == [0, 0, 0, 1], "no broker has joined yet");
    Ok(())
}
