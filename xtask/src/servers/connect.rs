//! Kafka Connect: workers with Debezium's Postgres connector and Apicurio's Avro converter.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::{Setting, fill, with_path, write};
use crate::downloads::{CONVERTER, DEBEZIUM, KAFKA};
use crate::http;
use crate::ports::Port;
use crate::process::Blueprint;

const DISTRIBUTED: &str = include_str!("../../servers/connect/worker.properties");
const STANDALONE: &str = include_str!("../../servers/connect/standalone.properties");
const LOGGING: &str = include_str!("../../servers/kafka/log4j2.properties");

/// Describes the worker, which runs on the broker's class path and keeps its state in topics.
pub(crate) fn blueprint(setting: &Setting, port: Port, broker: u16) -> anyhow::Result<Blueprint> {
    let kind = Kind { name: "connect", main: "ConnectDistributed", properties: DISTRIBUTED };
    kind.blueprint(setting, port, broker, &[])
}

/// Describes a worker that runs what files say, and keeps their offsets in the file `connect.offsets`.
pub(crate) fn standalone(
    setting: &Setting,
    port: Port,
    broker: u16,
    connectors: &[PathBuf],
) -> anyhow::Result<Blueprint> {
    let kind = Kind { name: "connect-standalone", main: "ConnectStandalone", properties: STANDALONE };
    kind.blueprint(setting, port, broker, connectors)
}

/// One of the two kinds of workers.
struct Kind {
    name: &'static str,
    /// The program's class.
    main: &'static str,
    /// The template of its settings.
    properties: &'static str,
}

impl Kind {
    fn blueprint(
        &self,
        setting: &Setting,
        port: Port,
        broker: u16,
        connectors: &[PathBuf],
    ) -> anyhow::Result<Blueprint> {
        let [kafka, debezium, converter] = [&KAFKA, &DEBEZIUM, &CONVERTER].map(|package| package.install());
        let (kafka, debezium, converter) = (kafka?, debezium?, converter?);
        let folder = setting.folder(self.name)?;
        // A plugin is a folder of jars within a folder of the path.
        let plugins = format!("{},{}", debezium.join("app").display(), converter.display());
        let text = fill(
            self.properties,
            &[
                ("kafka", &format!("127.0.0.1:{broker}")),
                ("port", &port.number().to_string()),
                ("group", "differential"),
                ("offsets", &folder.join("connect.offsets").display().to_string()),
                ("plugins", &plugins),
            ],
        );
        let [properties, logging] = ["worker.properties", "log4j2.properties"].map(|name| folder.join(name));
        write(&properties, &text)?;
        write(&logging, LOGGING)?;

        let mut arguments: Vec<OsString> =
            ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
                .map(OsString::from)
                .into();
        arguments.push(with_path("-Dlog4j2.configurationFile=", &logging));
        // What a Timestamp of Connect's shows must not hang on the machine's zone.
        arguments.push("-Duser.timezone=UTC".into());
        arguments.extend(["-cp".into(), kafka.join("app/*").into_os_string()]);
        arguments.push(format!("org.apache.kafka.connect.cli.{}", self.main).into());
        arguments.push(properties.into_os_string());
        arguments.extend(connectors.iter().map(|file| file.clone().into_os_string()));
        let launch = setting.java(&folder, arguments);
        let directory = setting.directory.clone();
        let inner_ports = Vec::new();
        Ok(Blueprint { name: self.name, port, inner_ports, directory, first: None, launch, probe })
    }
}

/// Asks for the plugins: a worker answers 404 until it has found them all.
fn probe(port: u16) -> anyhow::Result<()> {
    let answer = http::request(port, "GET", "/connector-plugins", "").context("ask for the plugins")?;
    ensure!(answer.status == 200, "answered {}", answer.status);
    ensure!(answer.text.contains("PostgresConnector"), "lacks the Postgres connector: {}", answer.text);
    Ok(())
}
