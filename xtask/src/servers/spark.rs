//! Spark: a standalone cluster of one worker, and the streaming job of `spark/` on it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::Setting;
use crate::commands::root;
use crate::downloads::{SPARK, SPARK_JARS};
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, Launch, Server};
use crate::stack::{Ports, Stack};

/// The Cassandra keyspace that the job makes and owns.
const KEYSPACE: &str = "spark_streams";

/// Master, worker and the job's driver.
#[derive(Debug)]
pub(crate) struct Spark {
    pub(crate) master: Server,
    pub(crate) worker: Server,
    pub(crate) users_stats: Server,
}

impl Spark {
    /// Describes the processes; the job reads `topic` of the stack's Kafka.
    pub(crate) fn new(stack: &Stack, ports: Ports, topic: &str) -> anyhow::Result<Self> {
        let installed = Installed::get(stack.setting())?;
        let master_port = ports.take("spark-master", 7077)?;
        let master_ui = ports.take("spark-master-ui", 8090)?;
        let worker_ui = ports.take("spark-worker-ui", 8091)?;
        let job_ui = ports.take("users-stats", 4040)?;
        let master_url = format!("spark://127.0.0.1:{}", master_port.number());
        let job = Job { stack, topic, master: &master_url };
        Ok(Self {
            master: Server::new(installed.master(master_port, &master_ui)?),
            worker: Server::new(installed.worker(&master_url, worker_ui, &master_ui)?),
            users_stats: Server::new(installed.users_stats(&job, job_ui)?),
        })
    }

    /// Starts master and worker.
    pub(crate) fn start_cluster(&self) -> anyhow::Result<()> {
        [&self.master, &self.worker].into_iter().try_for_each(Server::start)
    }

    /// Stops the job and then the cluster.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        [&self.users_stats, &self.worker, &self.master].into_iter().try_for_each(Server::stop)
    }
}

/// What the job works on.
struct Job<'a> {
    stack: &'a Stack,
    topic: &'a str,
    master: &'a str,
}

/// Spark as it lies in the cache, and the stack that it runs for.
struct Installed<'a> {
    setting: &'a Setting,
    environment: PathBuf,
    jars: PathBuf,
}

impl<'a> Installed<'a> {
    fn get(setting: &'a Setting) -> anyhow::Result<Self> {
        let [spark, jars] = [SPARK.install()?, SPARK_JARS.install()?];
        Ok(Self { setting, environment: spark.join("venv"), jars: jars.join("app") })
    }

    /// The folder that Spark calls its home: PySpark's wheel holds all of it.
    fn home(&self) -> PathBuf {
        self.environment.join("lib/python3.11/site-packages/pyspark")
    }

    fn master(&self, port: Port, ui: &Port) -> anyhow::Result<Blueprint> {
        let [port_number, ui_number] = [&port, ui].map(|port| port.number().to_string());
        let arguments = [
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            &port_number,
            "--webui-port",
            &ui_number,
        ];
        let launch = self.launch(self.spark_class(), "spark-master", arguments.map(OsString::from).into())?;
        // The protocol's own port answers no question that is not Java: the web interface does.
        Ok(self
            .blueprint("spark-master", ui.clone(), vec![port], launch, |port| shows(port, "/json/", "ALIVE")))
    }

    /// The worker counts when the master counts it.
    fn worker(&self, master: &str, ui: Port, master_ui: &Port) -> anyhow::Result<Blueprint> {
        let folder = self.setting.folder("spark-worker")?;
        let work = folder.join("work");
        if work.exists() {
            // Logs and copied jars of earlier runs, which Spark never removes.
            fs::remove_dir_all(&work).context("remove the work of earlier runs")?;
        }
        let ui_number = ui.number().to_string();
        let mut arguments: Vec<OsString> = [
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "127.0.0.1",
            "--cores",
            "2",
            "--memory",
            "1g",
            "--webui-port",
            &ui_number,
            "--work-dir",
        ]
        .map(OsString::from)
        .into();
        arguments.extend([work.into(), master.into()]);
        let launch = self.launch(self.spark_class(), "spark-worker", arguments)?;
        Ok(self.blueprint("spark-worker", master_ui.clone(), vec![ui], launch, |port| {
            shows(port, "/json/", "\"aliveworkers\" : 1")
        }))
    }

    fn users_stats(&self, job: &Job<'_>, ui: Port) -> anyhow::Result<Blueprint> {
        let folder = self.setting.folder("users-stats")?;
        // What spark-submit would be given: without it the driver is a Python process, which ends between two batches
        // when it is asked to.
        let submit = format!(
            "--driver-memory 512m --executor-memory 768m --conf spark.ui.port={} \
             --conf spark.ui.showConsoleProgress=false pyspark-shell",
            ui.number()
        );
        let mut arguments: Vec<OsString> = vec![root().join("spark/users_stats_job.py").into()];
        arguments.extend([
            "--master".into(),
            job.master.into(),
            "--jars-dir".into(),
            self.jars.clone().into(),
        ]);
        arguments.extend(["--bootstrap-servers".into(), job.stack.bootstrap_servers().into()]);
        arguments.extend(["--schema-registry".into(), job.stack.registry_url().into()]);
        arguments.extend(["--cassandra".into(), job.stack.cassandra_address().into()]);
        arguments.extend(["--topic", job.topic, "--keyspace", KEYSPACE, "--checkpoint"].map(OsString::from));
        arguments.push(folder.join("checkpoint").into());
        let mut launch = self.launch(self.python(), "users-stats", arguments)?;
        launch.environment.push(("PYSPARK_SUBMIT_ARGS", submit.into()));
        Ok(self.blueprint("users-stats", ui, Vec::new(), launch, |port| {
            shows(port, "/api/v1/applications", "\"completed\" : false")
        }))
    }

    fn python(&self) -> PathBuf {
        self.environment.join("bin/python")
    }

    /// The script that becomes the JVM which it starts.
    fn spark_class(&self) -> PathBuf {
        self.home().join("bin/spark-class")
    }

    fn launch(&self, program: PathBuf, folder: &str, arguments: Vec<OsString>) -> anyhow::Result<Launch> {
        let environment: [(&'static str, OsString); 7] = [
            ("SPARK_HOME", self.home().into()),
            ("JAVA_HOME", self.setting.java.home.clone().into()),
            ("SPARK_LOCAL_IP", "127.0.0.1".into()),
            ("SPARK_DAEMON_MEMORY", "256m".into()),
            ("PYSPARK_PYTHON", self.python().into()),
            ("PYSPARK_DRIVER_PYTHON", self.python().into()),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ];
        Ok(Launch {
            program,
            environment: environment.into(),
            ..self.setting.java(&self.setting.folder(folder)?, arguments)
        })
    }

    fn blueprint(
        &self,
        name: &'static str,
        port: Port,
        inner_ports: Vec<Port>,
        launch: Launch,
        probe: fn(u16) -> anyhow::Result<()>,
    ) -> Blueprint {
        let directory = self.setting.directory.clone();
        Blueprint { name, port, inner_ports, directory, first: None, launch, probe }
    }
}

/// Asks a web interface, whose answer must hold the text.
fn shows(port: u16, path: &str, text: &str) -> anyhow::Result<()> {
    let response = http::request(port, "GET", path, "")?;
    ensure!(response.body().contains(text), "{path} does not show {text}");
    Ok(())
}
