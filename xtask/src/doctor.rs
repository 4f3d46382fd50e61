//! Finds the programs and headers that Sluice is built and tested with, and says how to get the missing ones.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::account;
use crate::python::Python;
use crate::report::{answer, say};
use crate::versions::Version;

/// The Java that runs every server: Cassandra 5.0 starts on no other.
const JAVA_MAJOR: u32 = 17;
const JAVA_PACKAGE: &str = "openjdk-17-jdk-headless";
/// The interpreter, and what Debian takes out of it.
const PYTHON_PACKAGES: &str = "python3.11 python3.11-venv";

/// A Java 17, with what the servers need to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// The folder to set as `JAVA_HOME`.
    pub home: PathBuf,
    version: String,
}

impl Java {
    /// The `java` program.
    pub fn program(&self) -> PathBuf {
        self.home.join("bin/java")
    }

    /// Finds Java 17: in `JAVA_HOME`, behind `java` on the path, or where Debian puts it.
    ///
    /// # Errors
    /// Fails when there is none; the error names the package.
    pub fn find() -> anyhow::Result<Self> {
        let of_path =
            on_path("java").filter_map(|java| Some(java.canonicalize().ok()?.parent()?.parent()?.to_owned()));
        let named = env::var_os("JAVA_HOME").map(PathBuf::from);
        let mut installed: Vec<PathBuf> =
            fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        installed.sort();
        let homes = named.into_iter().chain(of_path).chain(installed);
        homes.filter_map(Self::at).next().with_context(|| {
            format!(
                "find Java {JAVA_MAJOR}; install {JAVA_PACKAGE}, or set JAVA_HOME to any other build of it"
            )
        })
    }

    /// Reads the version that every JDK states about itself: quicker than starting it.
    fn at(home: PathBuf) -> Option<Self> {
        let release = fs::read_to_string(home.join("release")).ok()?;
        let line = release.lines().find(|line| line.starts_with("JAVA_VERSION="))?;
        let version = Version::find(line)?;
        let fits = version.major() == JAVA_MAJOR && home.join("bin/java").exists();
        fits.then(|| Self { home, version: version.to_string() })
    }
}

/// What a command is about to do, as far as it needs more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Build, and run Sluice between its servers.
    Sluice,
    /// Also run what stands around it: Airflow and Spark.
    Pipeline,
}

/// What a look at the machine found.
#[derive(Debug)]
pub struct Diagnosis {
    /// One entry per needed item, in the order of the table.
    findings: Vec<Finding>,
}

/// One needed item.
#[derive(Debug)]
struct Finding {
    need: &'static Need,
    /// What is there; `None` when it is missing or too old.
    found: Option<String>,
}

/// What is needed, how to see it, and which Debian package brings it.
#[derive(Debug)]
struct Need {
    item: &'static str,
    version: &'static str,
    package: &'static str,
    look: Look,
}

/// How to see an item.
#[derive(Debug)]
enum Look {
    Java,
    /// A program that prints its version, which must be at least this.
    Program(&'static str, u32, u32),
    /// A header that states its version in a line with this name.
    Header(&'static str, &'static str),
    Python,
}

/// Airflow and Spark are Python programs; nothing else here is.
const PYTHON: Need = Need { item: "Python", version: "3.11", package: PYTHON_PACKAGES, look: Look::Python };

/// librdkafka's `configure` is a bash script and builds its C++ part too; Python and Perl it can do without.
const NEEDS: [Need; 12] = [
    Need { item: "Java", version: "17", package: JAVA_PACKAGE, look: Look::Java },
    Need { item: "Maven", version: ">= 3.8", package: "maven", look: Look::Program("mvn", 3, 8) },
    Need { item: "Node.js", version: ">= 16", package: "nodejs", look: Look::Program("node", 16, 0) },
    Need { item: "npm", version: ">= 7", package: "npm", look: Look::Program("npm", 7, 0) },
    Need { item: "C compiler", version: "any", package: "build-essential", look: Look::Program("cc", 0, 0) },
    Need {
        item: "C++ compiler",
        version: "any",
        package: "build-essential",
        look: Look::Program("c++", 0, 0),
    },
    Need { item: "make", version: "any", package: "build-essential", look: Look::Program("make", 0, 0) },
    Need { item: "bash", version: "any", package: "bash", look: Look::Program("bash", 0, 0) },
    Need {
        item: "pkg-config",
        version: "any",
        package: "pkg-config",
        look: Look::Program("pkg-config", 0, 0),
    },
    Need {
        item: "OpenSSL headers",
        version: "any",
        package: "libssl-dev",
        look: Look::Header("openssl/opensslv.h", "OPENSSL_VERSION_TEXT"),
    },
    Need {
        item: "zlib headers",
        version: "any",
        package: "zlib1g-dev",
        look: Look::Header("zlib.h", "define ZLIB_VERSION"),
    },
    Need {
        item: "setpriv",
        version: ">= 2.33",
        package: "util-linux",
        look: Look::Program("setpriv", 2, 33),
    },
];

impl Diagnosis {
    /// Looks at everything that the purpose needs; installs nothing.
    pub fn make(purpose: Purpose) -> Self {
        let python = (purpose == Purpose::Pipeline).then_some(&PYTHON);
        let findings = NEEDS.iter().chain(python).map(|need| Finding { need, found: need.look() }).collect();
        Self { findings }
    }

    /// The Debian packages of the missing items, each once.
    pub fn missing_packages(&self) -> Vec<&'static str> {
        let missing = self.findings.iter().filter(|finding| finding.found.is_none());
        let mut packages: Vec<_> =
            missing.flat_map(|finding| finding.need.package.split_whitespace()).collect();
        packages.dedup();
        packages
    }

    /// The table that a person reads, one row per item.
    pub fn table(&self) -> String {
        let mut table = format!("{:<16} {:<12} {:<9} result\n", "item", "found", "needed");
        for Finding { need, found } in &self.findings {
            let version = found.as_deref().unwrap_or("-");
            let result = match found {
                Some(_) => "ok".to_owned(),
                None => format!("missing: {}", need.package),
            };
            table += &format!("{:<16} {version:<12} {:<9} {result}\n", need.item, need.version);
        }
        table
    }
}

/// Makes sure that nothing is missing, and returns the Java for the servers.
///
/// Installs what is missing when `install` is set, or as root in CI. Prints the table when `verbose` or when
/// something is missing.
///
/// # Errors
/// Fails when something is missing still; the error holds the one command that installs it.
pub fn require(purpose: Purpose, install: bool, verbose: bool) -> anyhow::Result<Java> {
    let mut diagnosis = Diagnosis::make(purpose);
    let mut missing = diagnosis.missing_packages();
    let ci = account::root() && env::var_os("CI").is_some();
    if !missing.is_empty() && (install || ci) {
        say(diagnosis.table());
        install_packages(&missing)?;
        diagnosis = Diagnosis::make(purpose);
        missing = diagnosis.missing_packages();
    }
    if verbose || !missing.is_empty() {
        answer(diagnosis.table());
    }
    if !missing.is_empty() {
        bail!(
            "something is missing; install it with\n\n    {}\n{}",
            install_command(&missing),
            hint(&missing)
        );
    }
    Java::find()
}

/// What else will do: Debian 13 has left this Java and this Python behind.
fn hint(missing: &[&str]) -> String {
    let ways = [
        (JAVA_PACKAGE, "unpack any build of Java 17 and set JAVA_HOME to it"),
        ("python3.11", "put any CPython 3.11 on the PATH as python3.11 (`uv python install 3.11` does)"),
    ];
    let ways = ways.iter().filter(|(package, _)| missing.contains(package));
    ways.map(|(package, way)| format!("\nwhere no {package} is to be had, {way}")).collect()
}

/// The one command that installs these packages.
fn install_command(packages: &[&str]) -> String {
    let sudo = if account::root() { "" } else { "sudo " };
    format!("{sudo}apt-get install -y {}", packages.join(" "))
}

fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    say(install_command(packages));
    apt_get(&["update", "-q"])?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments)
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = if account::root() { Command::new("apt-get") } else { Command::new("sudo") };
    if !account::root() {
        command.arg("apt-get");
    }
    let status =
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status().context("run apt-get")?;
    ensure!(status.success(), "apt-get {}: {status}", arguments.join(" "));
    Ok(())
}

impl Need {
    fn look(&self) -> Option<String> {
        match self.look {
            Look::Java => Java::find().ok().map(|java| java.version),
            Look::Program(program, major, minor) => {
                let version = program_version(program)?;
                version.at_least(major, minor).then(|| version.to_string())
            }
            Look::Header(header, name) => header_version(header, name),
            Look::Python => Python::find().ok().map(|python| python.version),
        }
    }
}

fn program_version(program: &str) -> Option<Version> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?;
    // `cc` tells its packager's version first, in parentheses.
    let version = line.split_once(") ").map_or(line, |(_, version)| version);
    output.status.success().then(|| Version::find(version)).flatten()
}

/// Reads a version from a header, which Debian keeps beside or in the folder of the machine's architecture.
fn header_version(header: &str, name: &str) -> Option<String> {
    let include = Path::new("/usr/include");
    let architecture = include.join(format!("{}-linux-gnu", env::consts::ARCH));
    let text =
        [include, &architecture].iter().find_map(|folder| fs::read_to_string(folder.join(header)).ok())?;
    let stated = text.lines().find_map(|line| Version::find(line.split_once(name)?.1));
    Some(stated.map_or_else(|| "found".to_owned(), |version| version.to_string()))
}

/// The files of this name in the folders of `PATH`, in their order.
pub(crate) fn on_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let program = program.to_owned();
    folders.into_iter().map(move |folder| folder.join(&program)).filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jdk(release: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        fs::write(home.path().join("bin/java"), "").unwrap();
        fs::write(home.path().join("release"), release).unwrap();
        home
    }

    #[test]
    fn only_java_17_will_do() {
        let [old, right, new] = ["1.8.0_402", "17.0.15", "25.0.3"]
            .map(|version| jdk(&format!("IMPLEMENTOR=\"2 Debs\"\nJAVA_VERSION=\"{version}\"\n")));

        assert_eq!(Java::at(old.path().to_owned()), None);
        assert_eq!(Java::at(right.path().to_owned()).unwrap().version, "17.0.15");
        assert_eq!(Java::at(new.path().to_owned()), None);
    }

    #[test]
    fn a_missing_item_names_its_package_once() {
        let [compiler, make] = [&NEEDS[4], &NEEDS[6]];
        let findings = vec![Finding { need: compiler, found: None }, Finding { need: make, found: None }];
        let diagnosis = Diagnosis { findings };

        assert_eq!(diagnosis.missing_packages(), ["build-essential"]);
        assert!(diagnosis.table().contains("missing: build-essential"));
    }

    #[test]
    fn a_missing_python_names_both_packages_and_the_other_way() {
        let diagnosis = Diagnosis { findings: vec![Finding { need: &PYTHON, found: None }] };

        let missing = diagnosis.missing_packages();

        assert_eq!(missing, ["python3.11", "python3.11-venv"]);
        assert!(hint(&missing).contains("any CPython 3.11 on the PATH"));
    }

    #[test]
    fn an_unknown_program_has_no_version() {
        assert_eq!(program_version("sluice-no-such-program"), None);
        assert_eq!(header_version("sluice/none.h", "VERSION"), None);
    }
}
