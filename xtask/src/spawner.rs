//! One long-lived thread that starts every child process.
//!
//! The kernel sends a child its parent-death signal when the *thread* that started it ends, not the process.
//! A test's own thread may end long before the test program, so children are started here.

use std::io;
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

static JOBS: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || jobs.into_iter().for_each(|job| job()))
        .expect("a process that starts servers can start a thread");
    sender
});

/// Starts a command from the thread that lives as long as the process.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    let (sender, child) = mpsc::channel();
    let job = Box::new(move || {
        let _ = sender.send(command.spawn());
    });
    JOBS.send(job).expect("the spawner never ends");
    child.recv().expect("the spawner answers every job")
}
