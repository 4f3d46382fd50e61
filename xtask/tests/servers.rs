//! The real servers: they come up, stand the treatment that fault tests give them, and leave nothing behind.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtask::commands::down;
use xtask::process::{Lifetime, Server};
use xtask::stack::{Stack, StackOptions};

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn all_end_within(pids: &[u32], seconds: u64) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    while pids.iter().any(|pid| alive(*pid)) && Instant::now() < end {
        thread::park_timeout(Duration::from_millis(20));
    }
    !pids.iter().any(|pid| alive(*pid))
}

fn pids(stack: &Stack) -> Vec<u32> {
    stack.servers().into_iter().filter_map(Server::pid).collect()
}

/// Asks Postgres whether it speaks TLS: any answer shows that it serves.
fn postgres_answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
        stream.read_exact(&mut [0])
    };
    ask().is_ok()
}

/// Sends a request to the registry and returns the whole answer.
fn registry_says(stack: &Stack, method: &str, path: &str, body: &str) -> String {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", stack.registry.port()))?;
        let length = body.len();
        let request = format!(
            "{method} /apis/ccompat/v7{path} HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        std::io::read_to_string(stream)
    };
    ask().unwrap_or_default()
}

#[test]
fn servers_stand_faults_and_leave_nothing() {
    let stack = Stack::start(&StackOptions::default()).unwrap();
    let directory = stack.directory().to_owned();
    let first = pids(&stack);
    assert_eq!(first.len(), 4);

    stack.postgres.pause().unwrap();
    assert!(!postgres_answers(stack.postgres_port()));
    stack.postgres.resume().unwrap();
    assert!(postgres_answers(stack.postgres_port()));

    assert!(
        registry_says(&stack, "POST", "/subjects/kept/versions", r#"{"schema":"\"string\""}"#)
            .contains("\"id\":")
    );

    for server in stack.servers() {
        server.kill().unwrap();
        assert_eq!(server.pid(), None, "{} after kill", server.name());
        server.start().unwrap();
    }
    stack.kafka.restart().unwrap();
    stack.postgres.restart().unwrap();
    stack.registry.restart().unwrap();
    assert!(registry_says(&stack, "GET", "/subjects", "").contains("[\"kept\"]"));
    let second = pids(&stack);
    assert_eq!(second.len(), 4);
    drop(stack);

    assert!(all_end_within(&[first, second].concat(), 0));
    assert!(!directory.exists());
}

#[test]
fn a_kept_directory_serves_again_on_other_ports() {
    let directory = tempfile::tempdir().unwrap();
    // The account that runs Postgres must be able to enter.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let options = StackOptions { directory: Some(directory.path().to_owned()), ..StackOptions::default() };

    let stack = Stack::start(&options).unwrap();
    let port = stack.postgres_port();
    stack.stop().unwrap();
    drop(stack);
    let stack = Stack::start(&options).unwrap();

    assert_ne!(stack.postgres_port(), port);
    assert_eq!(pids(&stack).len(), 4);
}

#[test]
fn detached_servers_stay_until_they_are_stopped() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let options = StackOptions {
        directory: Some(directory.path().to_owned()),
        lifetime: Lifetime::Detached,
        only: vec!["postgres".to_owned(), "kafka".to_owned()],
        ..StackOptions::default()
    };
    let stack = Stack::start(&options).unwrap();
    let pids = pids(&stack);
    let port = stack.postgres_port();

    drop(stack);
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| alive(*pid)));
    assert!(postgres_answers(port));
    down::stop_all(directory.path()).unwrap();

    assert!(all_end_within(&pids, 0));
}

#[test]
fn nothing_is_left_when_the_owner_is_killed() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["servers", "--only", "postgres,registry"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let last = BufReader::new(owner.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("logs are in"));
    let line = last.expect("the servers start");
    let directory = Path::new(line.split(&[' ', ';']).nth(3).unwrap());
    let pids = ["postgres", "registry"].map(|name| {
        let text = fs::read_to_string(directory.join(format!("{name}.pid"))).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    });
    assert!(pids.iter().all(|pid| alive(*pid)));

    owner.kill().unwrap();
    owner.wait().unwrap();

    assert!(all_end_within(&pids, 10));
    let end = Instant::now() + Duration::from_secs(10);
    while directory.exists() && Instant::now() < end {
        thread::park_timeout(Duration::from_millis(20));
    }
    assert!(!directory.exists());
}
