//! The servers around Sluice together.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};

use crate::doctor::Java;
use crate::downloads::Major;
use crate::pid_file::Identity;
use crate::ports::Port;
use crate::process::{Blueprint, Lifetime, Server, pid_files};
use crate::servers::{Setting, Tuning, cassandra, connect, kafka, kafka39, postgres, registry, zookeeper};
use crate::wait;

mod janitor;

use janitor::Janitor;

/// How long the servers of an earlier stack may take to leave a folder.
const HANDOVER: Duration = Duration::from_secs(30);

/// The names of the servers, as in logs and pid files.
pub const SERVERS: [&str; 4] = ["postgres", "kafka", "registry", "cassandra"];

/// Which ports the servers take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ports {
    /// Free ones, so that any number of stacks run side by side.
    #[default]
    Free,
    /// Those that everybody knows (5432, 9092 …), each replaceable by `SLUICE_<NAME>_PORT`: `SLUICE_POSTGRES_PORT`,
    /// `SLUICE_SPARK_MASTER_PORT`.
    WellKnown,
}

impl Ports {
    /// Takes the port of a server.
    ///
    /// # Errors
    /// Fails when another program listens there, or when no port is free.
    pub(crate) fn take(self, name: &str, usual: u16) -> anyhow::Result<Port> {
        match self {
            Self::Free => Port::free(),
            Self::WellKnown => {
                let variable = format!("SLUICE_{}_PORT", name.to_uppercase().replace('-', "_"));
                Port::known(name, &variable, usual)
            }
        }
    }
}

/// How to start a stack; the default is what tests want.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// Which ports to take.
    pub ports: Ports,
    /// Where data, logs and pid files go; they stay there, and a later stack goes on with them.
    /// `None` takes a temporary folder, removed with the stack.
    pub directory: Option<PathBuf>,
    /// What the servers are tuned for.
    pub tuning: Tuning,
    /// Whether the servers end with this process. Detached servers need a directory.
    pub lifetime: Lifetime,
    /// The servers to start, by their names in [`SERVERS`]; empty starts all. The others can be started later.
    pub only: Vec<String>,
    /// The version of Postgres. A directory keeps to the one it was made with.
    pub postgres: Major,
    /// Kafka 3.9 with ZooKeeper instead of the newest Kafka, which needs none.
    pub zookeeper: bool,
    /// A worker of Kafka Connect too, with Debezium's Postgres connector and Apicurio's converters.
    pub connect: bool,
}

/// The running servers, all on 127.0.0.1.
///
/// They end when the stack is dropped, and also when this process ends without dropping it, however it ends.
#[derive(Debug)]
pub struct Stack {
    /// Postgres with `wal_level=logical`; superuser `postgres` with password `postgres`.
    pub postgres: Server,
    /// What coordinates Kafka, if that needs something.
    pub zookeeper: Option<Server>,
    /// Kafka; topics are not created by themselves.
    pub kafka: Server,
    /// The schema registry, with compatibility BACKWARD. Its schemas survive a restart; what was registered in the
    /// last half second may not survive a kill.
    pub registry: Server,
    /// Cassandra; data centre `datacenter1`.
    pub cassandra: Server,
    /// The worker of Kafka Connect, if the options ask for one.
    pub connect: Option<Server>,
    setting: Setting,
    /// Ends after the servers: fields are dropped in order.
    _janitor: Option<Janitor>,
}

impl Stack {
    /// Starts the servers side by side and waits until each answers. Downloads them before, once per user and version.
    ///
    /// # Errors
    /// Fails when Java 17 is missing, a download fails, a port is taken, or a server does not come up (the error
    /// shows the end of its log). Whatever was started is stopped again.
    pub fn start(options: &StackOptions) -> anyhow::Result<Self> {
        let stack = Self::prepare(options)?;
        let wanted = |server: &&Server| {
            let named = |name| options.only.iter().any(|only| only == name);
            options.only.is_empty()
                || named(server.name())
                || server.name() == "connect"
                || (server.name() == "zookeeper" && named("kafka"))
        };
        let started = each(stack.servers().into_iter().filter(wanted), Server::start);
        if let Err(error) = started {
            // Detached servers would stay otherwise.
            stack.stop()?;
            return Err(error);
        }
        Ok(stack)
    }

    /// The port of Postgres.
    pub fn postgres_port(&self) -> u16 {
        self.postgres.port()
    }

    /// How to connect to a database as the superuser, in libpq's words.
    pub fn postgres_config(&self, database: &str) -> String {
        let user = postgres::SUPERUSER;
        format!("host=127.0.0.1 port={} user={user} password={user} dbname={database}", self.postgres_port())
    }

    /// Kafka's `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.kafka.port())
    }

    /// The registry's URL, as clients of Confluent's take it.
    pub fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.registry.port(), registry::PATH)
    }

    /// Cassandra's contact point, `host:port`.
    pub fn cassandra_address(&self) -> String {
        format!("127.0.0.1:{}", self.cassandra.port())
    }

    /// The REST API of the worker of Kafka Connect, if there is one.
    pub fn connect_url(&self) -> Option<String> {
        self.connect.as_ref().map(|worker| format!("http://127.0.0.1:{}", worker.port()))
    }

    /// A standalone worker of Kafka Connect for some connector files, not started yet. Its settings, `worker.properties`,
    /// and its offsets, `connect.offsets`, are in the folder `connect-standalone`; a stack runs one at a time.
    ///
    /// # Errors
    /// Fails when its packages cannot be had, or its folder cannot be written.
    pub fn standalone_worker(&self, connectors: &[PathBuf]) -> anyhow::Result<Server> {
        let port = Port::free()?;
        let blueprint = connect::standalone(&self.setting, port, self.kafka.port(), connectors);
        blueprint.map(Server::new).context("prepare connect-standalone")
    }

    /// The folder with data, logs and pid files.
    pub fn directory(&self) -> &Path {
        &self.setting.directory
    }

    /// The servers, in the order of [`SERVERS`], then those that not every stack has: ZooKeeper, Kafka Connect.
    pub fn servers(&self) -> Vec<&Server> {
        let servers = [&self.postgres, &self.kafka, &self.registry, &self.cassandra];
        servers.into_iter().chain(&self.zookeeper).chain(&self.connect).collect()
    }

    /// The home of the Java that the servers run on.
    pub(crate) fn java_home(&self) -> &Path {
        &self.setting.java.home
    }

    /// What servers beside these need to know.
    pub(crate) fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The addresses of the running servers, under the names that the connector files in `config/` use.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let host = || "127.0.0.1".to_owned();
        let addresses = [
            (&self.postgres, "POSTGRES_HOST", host()),
            (&self.postgres, "POSTGRES_PORT", self.postgres_port().to_string()),
            (&self.kafka, "KAFKA_BOOTSTRAP_SERVERS", self.bootstrap_servers()),
            (&self.registry, "SCHEMA_REGISTRY_URL", self.registry_url()),
            (&self.cassandra, "CASSANDRA_HOST", host()),
            (&self.cassandra, "CASSANDRA_PORT", self.cassandra.port().to_string()),
        ];
        let running = addresses.into_iter().filter(|(server, ..)| server.pid().is_some());
        let connect = self.connect_url().map(|url| ("CONNECT_URL", url));
        running.map(|(_, name, value)| (name, value)).chain(connect).collect()
    }

    /// The addresses under the names that the crates' tests and benchmarks read.
    pub fn test_environment(&self) -> Vec<(&'static str, String)> {
        let addresses = [
            ("SLUICE_TEST_POSTGRES", self.postgres_config("postgres")),
            ("SLUICE_TEST_KAFKA", self.bootstrap_servers()),
            ("SLUICE_TEST_REGISTRY", self.registry_url()),
            ("SLUICE_TEST_CASSANDRA", self.cassandra_address()),
        ];
        let connect = self.connect_url().map(|url| ("SLUICE_TEST_CONNECT", url));
        addresses.into_iter().chain(connect).collect()
    }

    /// The addresses under the names that the differential reads.
    ///
    /// # Errors
    /// Fails when the stack has no worker of Kafka Connect.
    pub fn differential_environment(&self) -> anyhow::Result<[(&'static str, String); 4]> {
        let connect = self.connect_url().context("start the stack with a worker of Kafka Connect")?;
        Ok([
            ("SLUICE_DIFFERENTIAL_POSTGRES", self.postgres_config("postgres")),
            ("SLUICE_DIFFERENTIAL_KAFKA", self.bootstrap_servers()),
            ("SLUICE_DIFFERENTIAL_REGISTRY", format!("http://127.0.0.1:{}", self.registry.port())),
            ("SLUICE_DIFFERENTIAL_CONNECT", connect),
        ])
    }

    /// Stops all servers in order; what they stored stays if a directory was given.
    ///
    /// # Errors
    /// Fails when a signal cannot be sent.
    pub fn stop(&self) -> anyhow::Result<()> {
        // Connect takes its leave from Kafka, and Kafka from ZooKeeper.
        each(self.connect.iter(), Server::stop)?;
        each([&self.postgres, &self.kafka, &self.registry, &self.cassandra].into_iter(), Server::stop)?;
        each(self.zookeeper.iter(), Server::stop)
    }

    fn prepare(options: &StackOptions) -> anyhow::Result<Self> {
        check(options)?;
        let (directory, janitor) = folder(options)?;
        let setting = Setting {
            java: Java::find()?,
            directory,
            temporary: options.directory.is_none(),
            lifetime: options.lifetime,
            tuning: options.tuning,
        };
        type Prepare<'a> = &'a dyn Fn(&Setting, Port) -> anyhow::Result<Blueprint>;
        let server = |name: &str, usual: u16, prepare: Prepare<'_>| {
            let port = options.ports.take(name, usual)?;
            prepare(&setting, port).map(Server::new).with_context(|| format!("prepare {name}"))
        };
        let postgres = server("postgres", 5432, &|setting: &Setting, port| {
            postgres::blueprint(setting, port, options.postgres)
        })?;
        let (zookeeper, kafka) = if options.zookeeper {
            let coordinator = options.ports.take("zookeeper", 2181)?;
            let zookeeper =
                zookeeper::blueprint(&setting, coordinator.clone()).context("prepare zookeeper")?;
            let kafka39 = |setting: &Setting, port| kafka39::blueprint(setting, port, &coordinator);
            (Some(Server::new(zookeeper)), server("kafka", 9092, &kafka39)?)
        } else {
            (None, server("kafka", 9092, &kafka::blueprint)?)
        };
        let registry = server("registry", 8081, &registry::blueprint)?;
        let cassandra = server("cassandra", 9042, &cassandra::blueprint)?;
        // Beside Kafka: it looks for its plugins first, and waits for the broker then.
        let worker = |setting: &Setting, port| connect::blueprint(setting, port, kafka.port());
        let connect = options.connect.then(|| server("connect", 8083, &worker)).transpose()?;
        Ok(Self { postgres, zookeeper, kafka, registry, cassandra, connect, setting, _janitor: janitor })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // All at once; each server's own drop then waits for its end.
        self.servers().into_iter().for_each(Server::abandon);
    }
}

fn check(options: &StackOptions) -> anyhow::Result<()> {
    let unknown = options.only.iter().find(|name| !SERVERS.contains(&name.as_str()));
    if let Some(name) = unknown {
        return Err(anyhow!("unknown server {name}; known: {}", SERVERS.join(", ")));
    }
    let kafka = options.only.is_empty() || options.only.iter().any(|name| name == "kafka");
    ensure!(!options.connect || kafka, "a worker of Kafka Connect needs kafka among the servers to start");
    let detached = options.lifetime == Lifetime::Detached;
    ensure!(!detached || options.directory.is_some(), "servers that outlive this process need a directory");
    Ok(())
}

/// Makes the stack's folder and, unless the servers are to stay, the janitor that looks after it.
fn folder(options: &StackOptions) -> anyhow::Result<(PathBuf, Option<Janitor>)> {
    let directory = match &options.directory {
        Some(directory) => {
            fs::create_dir_all(directory)
                .with_context(|| format!("make the folder `{}`", directory.display()))?;
            let directory = directory.canonicalize().context("find the data folder")?;
            refuse_second_owner(&directory, HANDOVER)?;
            directory
        }
        None => {
            let directory =
                tempfile::Builder::new().prefix("sluice-stack-").tempdir().context("make a folder")?;
            // The account that runs Postgres must be able to enter; its own folder is closed to others.
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
            directory.keep()
        }
    };
    let attached = options.lifetime == Lifetime::Attached;
    let janitor = attached.then(|| Janitor::start(&directory, options.directory.is_none())).transpose()?;
    Ok((directory, janitor))
}

/// Two stacks in one folder would destroy each other's data. Servers that an interrupted command left to stop get
/// the time for it.
fn refuse_second_owner(directory: &Path, patience: Duration) -> anyhow::Result<()> {
    let running = || {
        let files = pid_files(directory).into_iter();
        files.filter(|file| Identity::read(file).is_some_and(|identity| identity.alive())).collect::<Vec<_>>()
    };
    if wait::until(patience, || running().is_empty().then_some(())).is_none() {
        let names: Vec<_> =
            running().iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
        bail!(
            "{} already runs in `{}`; stop it with: cargo xtask down",
            names.join(", "),
            directory.display()
        );
    }
    Ok(())
}

/// Does the same with several servers at once and reports every failure.
pub(crate) fn each<'a>(
    servers: impl Iterator<Item = &'a Server>,
    act: fn(&Server) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let tasks: Vec<_> = servers.map(|server| move || act(server)).collect();
    side_by_side(tasks.iter().map(|task| task as Task<'_>))
}

/// Something that can be done beside something else.
pub(crate) type Task<'a> = &'a (dyn Fn() -> anyhow::Result<()> + Sync);

/// Does several things at once and reports every failure.
pub(crate) fn side_by_side<'a>(tasks: impl IntoIterator<Item = Task<'a>>) -> anyhow::Result<()> {
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = tasks.into_iter().map(|task| scope.spawn(task)).collect();
        let outcomes =
            runs.into_iter().map(|run| run.join().unwrap_or_else(|_| Err(anyhow!("a task panicked"))));
        outcomes.filter_map(Result::err).map(|error| format!("{error:#}")).collect()
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::pid_path;

    #[test]
    fn an_unknown_server_is_refused_with_the_known_ones() {
        let options = StackOptions { only: vec!["cuont".to_owned()], ..StackOptions::default() };

        let error = Stack::start(&options).unwrap_err().to_string();

        assert_eq!(error, "unknown server cuont; known: postgres, kafka, registry, cassandra");
    }

    #[test]
    fn a_worker_without_kafka_is_refused() {
        let only = vec!["registry".to_owned()];
        let options = StackOptions { only, connect: true, ..StackOptions::default() };

        let error = Stack::start(&options).unwrap_err().to_string();

        assert_eq!(error, "a worker of Kafka Connect needs kafka among the servers to start");
    }

    #[test]
    fn a_folder_with_a_running_server_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let own = Identity::of(std::process::id()).unwrap();
        own.write(&pid_path(directory.path(), "kafka")).unwrap();

        let error = refuse_second_owner(directory.path(), Duration::ZERO).unwrap_err().to_string();

        assert!(error.starts_with("kafka already runs in"), "{error}");
    }
}
