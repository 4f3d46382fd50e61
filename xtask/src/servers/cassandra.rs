//! Cassandra: one node.

use std::ffi::OsString;
use std::io::{Read, Write};

use anyhow::ensure;

use super::{Setting, Tuning, fill, with_path, write};
use crate::downloads::CASSANDRA;
use crate::http;
use crate::ports::Port;
use crate::process::Blueprint;

const SETTINGS: &str = include_str!("../../servers/cassandra/cassandra.yaml");
const JAVA_ARGUMENTS: &str = include_str!("../../servers/cassandra/jvm17.args");
const LOGGING: &str = include_str!("../../servers/cassandra/logback.xml");

/// Describes the server.
pub(crate) fn blueprint(setting: &Setting, port: Port) -> anyhow::Result<Blueprint> {
    let package = CASSANDRA.install()?;
    let folder = setting.folder("cassandra")?;
    let [storage_port, ssl_storage_port] = [Port::free()?, Port::free()?];
    let text = fill(
        SETTINGS,
        &[
            ("port", &port.number().to_string()),
            ("storage_port", &storage_port.number().to_string()),
            ("ssl_storage_port", &ssl_storage_port.number().to_string()),
        ],
    );
    let [settings, java_arguments, logging] =
        ["cassandra.yaml", "jvm17.args", "logback.xml"].map(|name| folder.join(name));
    write(&settings, &text)?;
    write(&java_arguments, JAVA_ARGUMENTS)?;
    write(&logging, LOGGING)?;

    let heap: &[&str] = match setting.tuning {
        Tuning::Test => &["-Xms512M", "-Xmx512M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
        Tuning::Bench => &["-Xms1G", "-Xmx1G", "-XX:+UseG1GC", "-XX:+AlwaysPreTouch"],
    };
    let mut arguments = vec![with_path("@", &java_arguments)];
    arguments.extend(heap.iter().map(OsString::from));
    arguments.push(with_path("-Dcassandra.config=file://", &settings));
    arguments.push(with_path("-Dcassandra.storagedir=", &folder.join("data")));
    arguments.push(with_path("-Dcassandra.logdir=", &folder));
    arguments.push(with_path("-Dlogback.configurationFile=", &logging));
    arguments.extend(["-cp".into(), package.join("app/*").into_os_string()]);
    arguments.push("org.apache.cassandra.service.CassandraDaemon".into());
    let launch = setting.java(&folder, arguments);
    let inner_ports = vec![storage_port, ssl_storage_port];
    let directory = setting.directory.clone();
    Ok(Blueprint { name: "cassandra", port, inner_ports, directory, first: None, launch, probe })
}

/// Sends OPTIONS of the native protocol, version 4, and wants SUPPORTED.
fn probe(port: u16) -> anyhow::Result<()> {
    const OPTIONS: u8 = 0x05;
    const SUPPORTED: u8 = 0x06;
    let mut stream = http::connect(port)?;
    stream.write_all(&[4, 0, 0, 0, OPTIONS, 0, 0, 0, 0])?;
    let mut header = [0; 9];
    stream.read_exact(&mut header)?;
    ensure!(header[4] == SUPPORTED, "answered OPTIONS with {header:?}");
    Ok(())
}
