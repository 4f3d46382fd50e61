//! Airflow: its three processes, with the DAGs of `airflow/dags/` and its metadata in a database of the stack's Postgres.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{Setting, with_path};
use crate::commands::root;
use crate::downloads::AIRFLOW;
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, First, Launch, Server, Signal};
use crate::stack::each;

/// The user of the web interface and the REST API; the password is the same, since both are for loopback only.
pub(crate) const USER: &str = "admin";
/// The role and database of the metadata, as `postgres-init/` makes them; the password is the same.
const METADATA: &str = "airflow";

/// Prepares the metadata and the pool of the DAGs, then leaves the mark.
const PREPARE: &str = r#"
"$1" -m airflow db migrate
"$1" -m airflow pools set users_db 2 'connections to the users database'
touch "$2"
"#;

/// Settings that are the same on every machine.
const SETTINGS: [(&str, &str); 13] = [
    ("AIRFLOW__CORE__LOAD_EXAMPLES", "False"),
    ("AIRFLOW__CORE__EXECUTOR", "LocalExecutor"),
    ("AIRFLOW__CORE__PARALLELISM", "4"),
    ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "admin:admin"),
    ("AIRFLOW__API__HOST", "127.0.0.1"),
    ("AIRFLOW__API__WORKERS", "1"),
    ("AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL", "10"),
    ("AIRFLOW__LOGGING__COLORED_CONSOLE_LOG", "False"),
    ("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "False"),
    // The checkout is not the place for compiled DAGs.
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("NO_COLOR", "1"),
    // As much as one user at one terminal can watch.
    ("AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE", "3"),
    ("AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW", "7"),
];

/// Where the DAGs find what they work on, and how often they run.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// `AIRFLOW_CONN_…` and `USERS_…` variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The port of the Postgres that holds the metadata.
    pub(crate) metadata_port: u16,
}

/// The three processes. They share one folder, and are asked for through the one that serves the REST API.
#[derive(Debug)]
pub struct Airflow {
    prepare: First,
    pub(crate) api: Server,
    pub(crate) scheduler: Server,
    pub(crate) dag_processor: Server,
    home: PathBuf,
}

impl Airflow {
    /// Describes the processes; the database of the metadata must exist when they start.
    pub(crate) fn new(setting: &Setting, port: &Port, surroundings: &Surroundings) -> anyhow::Result<Self> {
        let package = AIRFLOW.install()?;
        let home = setting.folder("airflow")?;
        let environment = environment(&home, port, surroundings)?;
        let python = package.join("venv/bin/python");
        let launch = |program: PathBuf, arguments: Vec<OsString>| Launch {
            program,
            arguments,
            environment: environment.clone(),
            directory: home.clone(),
            account: None,
            lifetime: setting.lifetime,
            stop: Signal::Term,
            abandon: if setting.temporary { Signal::Kill } else { Signal::Term },
        };
        let server = |name, words: &[&str], probe| {
            let arguments = ["-m", "airflow"].iter().chain(words).map(OsString::from).collect();
            let directory = setting.directory.clone();
            let launch = launch(python.clone(), arguments);
            Server::new(Blueprint {
                name,
                port: port.clone(),
                inner_ports: Vec::new(),
                directory,
                first: None,
                launch,
                probe,
            })
        };
        // Another Airflow has other metadata: its migration is run again.
        let version = package.file_name().context("name Airflow's folder")?;
        let mark = home.join(with_path("migrated-", Path::new(version)));
        let arguments =
            vec!["-ec".into(), PREPARE.into(), "sh".into(), python.clone().into(), mark.clone().into()];
        Ok(Self {
            prepare: First { launch: launch("sh".into(), arguments), mark },
            api: server("airflow-api", &["api-server"], |port| healthy(port, "metadatabase")),
            // The files of the tasks' logs lie where the API looks; serving them too would open a port to the world.
            scheduler: server("airflow-scheduler", &["scheduler", "--skip-serve-logs"], |port| {
                healthy(port, "scheduler")
            }),
            dag_processor: server("airflow-dag-processor", &["dag-processor"], |port| {
                healthy(port, "dag_processor")
            }),
            home,
        })
    }

    /// Migrates the metadata if that was not done, and starts the processes side by side.
    ///
    /// # Errors
    /// Fails when the migration fails or a process does not come up; the error shows the end of its log.
    pub fn start(&self) -> anyhow::Result<()> {
        if !self.prepare.mark.exists() {
            self.prepare.launch.run().context("prepare Airflow's metadata")?;
        }
        each([&self.api, &self.scheduler, &self.dag_processor].into_iter(), Server::start)
    }

    /// Stops the processes: the scheduler first, whose tasks report to the API until they end.
    ///
    /// # Errors
    /// Fails when a signal cannot be sent.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.scheduler.stop()?;
        each([&self.api, &self.dag_processor].into_iter(), Server::stop)
    }

    /// Where the tasks' logs are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }
}

fn environment(
    home: &Path,
    port: &Port,
    surroundings: &Surroundings,
) -> anyhow::Result<Vec<(&'static str, OsString)>> {
    let number = port.number();
    let metadata_port = surroundings.metadata_port;
    let passwords = home.join("passwords.json");
    fs::write(&passwords, format!("{{\"{USER}\": \"{USER}\"}}\n")).context("write Airflow's passwords")?;
    let mut environment: Vec<(&'static str, OsString)> =
        SETTINGS.iter().map(|(name, value)| (*name, value.into())).collect();
    environment.extend([
        ("AIRFLOW_HOME", home.into()),
        ("AIRFLOW__CORE__DAGS_FOLDER", root().join("airflow/dags").into()),
        ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", passwords.into()),
        ("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", format!("http://127.0.0.1:{number}/execution/").into()),
        ("AIRFLOW__API__PORT", number.to_string().into()),
        ("AIRFLOW__API__BASE_URL", format!("http://127.0.0.1:{number}").into()),
        ("AIRFLOW__API__SECRET_KEY", secret(&home.join("session.key"))?.into()),
        ("AIRFLOW__API_AUTH__JWT_SECRET", secret(&home.join("jwt.key"))?.into()),
        (
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            format!("postgresql+psycopg2://{METADATA}:{METADATA}@127.0.0.1:{metadata_port}/{METADATA}")
                .into(),
        ),
    ]);
    environment.extend(surroundings.variables.iter().map(|(name, value)| (*name, value.into())));
    Ok(environment)
}

/// Reads a secret of 64 characters, and makes it up before if it is not there.
fn secret(path: &Path) -> anyhow::Result<String> {
    if !path.exists() {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
    }
    fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))
}

/// Asks the API how a component is: it answers as soon as its own process serves.
fn healthy(port: u16, component: &str) -> anyhow::Result<()> {
    let response = http::request(port, "GET", "/api/v2/monitor/health", "")?;
    let health: Value = serde_json::from_str(response.body()).context("read Airflow's health")?;
    let status = &health[component]["status"];
    ensure!(status == "healthy", "{component} is {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_up_once_and_closed_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwt.key");

        let secrets = [secret(&path).unwrap(), secret(&path).unwrap()];

        assert_eq!(secrets[0], secrets[1]);
        assert_eq!(secrets[0].len(), 64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
