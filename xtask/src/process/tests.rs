use std::net::TcpListener;

use super::*;

fn sleeper(directory: &Path, lifetime: Lifetime) -> Server {
    server(directory, lifetime, "sleep", &["600"])
}

fn server(directory: &Path, lifetime: Lifetime, program: &str, arguments: &[&str]) -> Server {
    Server::new(Blueprint {
        name: "sleeper",
        port: Port::free().unwrap(),
        inner_ports: Vec::new(),
        directory: directory.to_owned(),
        first: None,
        launch: Launch {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: Vec::new(),
            directory: directory.to_owned(),
            account: None,
            lifetime,
            stop: Signal::Term,
            abandon: Signal::Kill,
        },
        probe: |_| Ok(()),
    })
}

fn state(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().unwrap_or_default().chars().take(1).collect()
}

#[test]
fn a_server_stops_starts_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = sleeper(directory.path(), Lifetime::Attached);

    server.start().unwrap();
    let first = Identity::of(server.pid().unwrap()).unwrap();
    server.restart().unwrap();
    let second = Identity::of(server.pid().unwrap()).unwrap();
    assert!(!first.alive());
    assert!(second.alive());
    drop(server);

    assert!(!second.alive());
    assert!(!pid_path(directory.path(), "sleeper").exists());
}

#[test]
fn what_a_server_leaves_behind_ends_with_it() {
    // A child in a process group of its own, as Airflow's tasks are, that a signal to the server does not reach.
    let script = "set -m; sleep 600 & exec sleep 600";
    for end in [Server::stop, Server::kill] {
        let directory = tempfile::tempdir().unwrap();
        let server = server(directory.path(), Lifetime::Attached, "bash", &["-c", script]);
        server.start().unwrap();
        let pid = server.pid().unwrap();
        let child = wait::until(STOP_LIMIT, || family(pid).get(1).copied()).unwrap();
        let child = Identity::of(child).unwrap();

        end(&server).unwrap();

        assert!(wait::until(STOP_LIMIT, || (!child.alive()).then_some(())).is_some());
    }
}

#[test]
fn a_paused_server_is_frozen_and_can_still_be_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let server = sleeper(directory.path(), Lifetime::Attached);
    server.start().unwrap();
    let pid = server.pid().unwrap();

    server.pause().unwrap();
    assert!(wait::until(STOP_LIMIT, || (state(pid) == "T").then_some(())).is_some());
    server.stop().unwrap();

    assert_eq!(server.pid(), None);
}

#[test]
fn a_server_that_ends_shows_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = sleeper(directory.path(), Lifetime::Attached);
    server.blueprint.launch.program = "sh".into();
    server.blueprint.launch.arguments = vec!["-c".into(), "echo the port is cursed; exit 3".into()];
    server.blueprint.probe = |_| bail!("no answer");

    let error = server.start().unwrap_err().to_string();

    assert!(error.contains("ended before it answered"), "{error}");
    assert!(error.contains("the port is cursed"), "{error}");
}

#[test]
fn the_spawning_threads_end_does_not_end_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let server = sleeper(directory.path(), Lifetime::Attached);

    std::thread::scope(|scope| scope.spawn(|| server.start().unwrap()).join().unwrap());

    assert!(wait::until(Duration::from_millis(200), || server.pid().is_none().then_some(())).is_none());
}

#[test]
fn tail_shows_the_last_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.log");
    let lines: Vec<String> = (1..=20_000).map(|number| format!("line {number}")).collect();
    fs::write(&path, lines.join("\n")).unwrap();

    assert_eq!(tail(&path, 2), "line 19999\nline 20000");
    assert_eq!(tail(&directory.path().join("none"), 2), "");
}

#[test]
fn a_port_stays_claimed_by_its_stopped_server() {
    let directory = tempfile::tempdir().unwrap();
    let server = sleeper(directory.path(), Lifetime::Attached);
    server.start().unwrap();
    server.stop().unwrap();

    assert!(TcpListener::bind(("127.0.0.1", server.port())).is_ok());
}
