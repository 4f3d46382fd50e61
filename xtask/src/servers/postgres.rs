//! Postgres with logical replication on.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{bail, ensure};

use super::{Setting, Tuning, with_path, write};
use crate::account::{self, Account};
use crate::downloads::{Major, native};
use crate::http;
use crate::ports::Port;
use crate::process::{Blueprint, First, Launch, Signal};

/// The superuser's name, and its password too.
pub(crate) const SUPERUSER: &str = "postgres";

/// Settings that go into `postgresql.conf`, so that tests may still change them by ALTER SYSTEM.
/// A suite uses up 20 slots soon, hence 60.
const SETTINGS: [&str; 11] = [
    "wal_level=logical",
    "max_replication_slots=60",
    "max_wal_senders=60",
    "max_connections=200",
    "fsync=on",
    "listen_addresses=127.0.0.1",
    "password_encryption=scram-sha-256",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] ",
    "logging_collector=off",
];
const BENCH_SETTINGS: [&str; 2] = ["shared_buffers=512MB", "max_wal_size=8GB"];

/// The longest folder in which Postgres can make its socket: the address holds 107 bytes, the file's name needs 20.
/// A longer one gets no socket; everything here connects by TCP.
const SOCKET_FOLDER_LIMIT: usize = 85;

/// Describes the server: the database cluster is made once per folder.
pub(crate) fn blueprint(setting: &Setting, port: Port, major: Major) -> anyhow::Result<Blueprint> {
    let native = native(&major.package().install()?);
    let folder = setting.folder("postgres")?;
    let account = Account::unprivileged()?;
    if let Some(account) = &account {
        for path in [&folder, &native] {
            if let Some(barrier) = account::barrier(path) {
                bail!(
                    "Postgres refuses to run as root and its account cannot enter `{}`; use a data folder outside of it",
                    barrier.display()
                );
            }
        }
        account.own(&folder)?;
    }
    let launch = |program: &str, arguments| Launch {
        program: native.join("bin").join(program),
        arguments,
        environment: vec![("LD_LIBRARY_PATH", native.join("lib").into_os_string())],
        directory: folder.clone(),
        account: account.clone(),
        lifetime: setting.lifetime,
        stop: Signal::Int,
        // An orderly end waits for replication clients, which may be as dead as the owner.
        abandon: if setting.temporary { Signal::Quit } else { Signal::Int },
    };
    let data = folder.join("data");
    let [password, settings] = ["password", "settings.conf"].map(|name| folder.join(name));
    write(&password, SUPERUSER)?;
    write(&settings, &settings_file(setting.tuning))?;
    let initdb = native.join("bin/initdb");
    Ok(Blueprint {
        name: "postgres",
        inner_ports: Vec::new(),
        directory: setting.directory.clone(),
        first: Some(First {
            launch: Launch {
                program: "sh".into(),
                ..launch("initdb", initdb_arguments(&initdb, &data, &password, &settings))
            },
            mark: data.join("PG_VERSION"),
        }),
        launch: launch("postgres", server_arguments(&data, port.number())),
        port,
        probe,
    })
}

/// The lines of `postgresql.conf`.
fn settings_file(tuning: Tuning) -> String {
    let bench = if tuning == Tuning::Bench { &BENCH_SETTINGS[..] } else { &[] };
    let settings = SETTINGS.iter().chain(bench).filter_map(|setting| setting.split_once('='));
    settings.map(|(name, value)| format!("{name} = '{value}'\n")).collect()
}

/// The arguments of a shell that makes the cluster and adds the settings, which initdb takes only since Postgres 16.
fn initdb_arguments(initdb: &Path, data: &Path, password: &Path, settings: &Path) -> Vec<OsString> {
    const SCRIPT: &str = r#"set -e; settings=$1 data=$2; shift 2; "$@" "--pgdata=$data"; cat "$settings" >> "$data/postgresql.conf""#;
    let mut arguments: Vec<OsString> = ["-c", SCRIPT, "sh"].map(OsString::from).into();
    arguments.extend([settings, data, initdb].map(|path| path.as_os_str().to_owned()));
    let fixed = ["--username", SUPERUSER, "--auth-local=trust", "--auth-host=scram-sha-256"];
    arguments.extend(fixed.map(OsString::from));
    arguments.extend(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"].map(OsString::from));
    arguments.push(with_path("--pwfile=", password));
    arguments
}

/// The socket, which asks for no password, goes into the data folder, which is closed to other accounts.
fn server_arguments(data: &Path, port: u16) -> Vec<OsString> {
    let socket_folder = if data.as_os_str().len() <= SOCKET_FOLDER_LIMIT { data } else { Path::new("") };
    let port = format!("port={port}");
    let sockets = with_path("unix_socket_directories=", socket_folder);
    vec!["-D".into(), data.into(), "-c".into(), port.into(), "-c".into(), sockets]
}

/// Asks for TLS, then logs in as far as the question for a password: only a server that takes clients gets there.
fn probe(port: u16) -> anyhow::Result<()> {
    let mut stream = http::connect(port)?;
    let mut answer = [0];
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    stream.read_exact(&mut answer)?;
    ensure!(matches!(answer, [b'N' | b'S']), "answered the request for TLS with {answer:?}");

    let body = format!("user\0{SUPERUSER}\0database\0postgres\0\0");
    let length = u32::try_from(body.len() + 8)?;
    let startup = [&length.to_be_bytes()[..], &0x0003_0000_u32.to_be_bytes(), body.as_bytes()].concat();
    stream.write_all(&startup)?;
    stream.read_exact(&mut answer)?;
    ensure!(answer == [b'R'], "does not take clients yet: answered the login with {answer:?}");
    Ok(())
}
