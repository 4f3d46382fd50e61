//! The schema registry: Apicurio, asked through its Confluent-compatible interface.

use std::ffi::OsString;

use anyhow::ensure;

use super::{Setting, Tuning, with_path};
use crate::downloads::REGISTRY;
use crate::http;
use crate::ports::Port;
use crate::process::Blueprint;

/// Where the Confluent-compatible interface is.
pub(crate) const PATH: &str = "/apis/ccompat/v7";

/// Describes the server, which stores schemas in a file of its folder, so that their ids survive a restart.
pub(crate) fn blueprint(setting: &Setting, port: Port) -> anyhow::Result<Blueprint> {
    let app = REGISTRY.install()?.join("app");
    let folder = setting.folder("registry")?;
    let speed = match setting.tuning {
        Tuning::Test => "-XX:TieredStopAtLevel=1",
        Tuning::Bench => "-XX:TieredStopAtLevel=4",
    };
    let mut arguments: Vec<OsString> =
        ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", speed].map(OsString::from).into();
    arguments.push("-Dquarkus.http.host=127.0.0.1".into());
    arguments.push(format!("-Dquarkus.http.port={}", port.number()).into());
    arguments.push("-Dquarkus.console.color=false".into());
    arguments
        .extend(["-jar".into(), app.join("apicurio-registry-app-2.6.13.Final-runner.jar").into_os_string()]);
    let mut launch = setting.java(&folder, arguments);
    launch.environment.push(("REGISTRY_DATASOURCE_URL", with_path("jdbc:h2:file:", &folder.join("data"))));
    let directory = setting.directory.clone();
    Ok(Blueprint { name: "registry", port, inner_ports: Vec::new(), directory, first: None, launch, probe })
}

/// Sets Confluent's default compatibility (Apicurio's own is none): a registry that takes it is ready, after every start.
fn probe(port: u16) -> anyhow::Result<()> {
    let response = http::request(port, "PUT", &format!("{PATH}/config"), r#"{"compatibility":"BACKWARD"}"#)?;
    ensure!(response.status == 200, "set the compatibility: {}", response.text);
    Ok(())
}
