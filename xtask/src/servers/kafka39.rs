//! Kafka 3.9, the last with ZooKeeper: one broker, for what still runs that way.

use anyhow::Context;

use super::{Setting, fill, kafka, with_path, write};
use crate::downloads::KAFKA39;
use crate::ports::Port;
use crate::process::Blueprint;

const PROPERTIES: &str = include_str!("../../servers/kafka39/server.properties");
const LOGGING: &str = include_str!("../../servers/kafka39/log4j.properties");

/// Describes the server, which finds ZooKeeper on the given port.
pub(crate) fn blueprint(setting: &Setting, port: Port, zookeeper: &Port) -> anyhow::Result<Blueprint> {
    let package = KAFKA39.install()?;
    let folder = setting.folder("kafka39")?;
    let data = folder.join("data");
    let [properties, logging] = ["server.properties", "log4j.properties"].map(|name| folder.join(name));
    let text = fill(
        PROPERTIES,
        &[
            ("port", &port.number().to_string()),
            ("zookeeper_port", &zookeeper.number().to_string()),
            ("data", data.to_str().context("Kafka takes no folder that is not UTF-8")?),
        ],
    );
    write(&properties, &text)?;
    write(&logging, LOGGING)?;

    let mut arguments: Vec<_> = kafka::heap(setting.tuning).map(Into::into).into();
    arguments.push(with_path("-Dlog4j.configuration=file:", &logging));
    arguments.extend(["-cp".into(), package.join("app/*").into_os_string()]);
    arguments.extend(["kafka.Kafka".into(), properties.into_os_string()]);
    Ok(Blueprint {
        name: "kafka",
        port,
        inner_ports: Vec::new(),
        directory: setting.directory.clone(),
        first: None,
        launch: setting.java(&folder, arguments),
        probe: kafka::probe,
    })
}
