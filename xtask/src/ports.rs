//! Ports for servers: below the ephemeral range, so that no outgoing connection can hold one when a server wants it.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};

/// Below this, ports belong to well-known services of developers' machines (5432, 8080, 9092 ...).
const LOWEST: u16 = 15_000;
/// Linux's default start of the ephemeral range, taken when the real one cannot be read.
const EPHEMERAL: u16 = 32_768;

/// A port that is this process's own until dropped: other processes that pick ports here pass it by.
#[derive(Debug, Clone)]
pub struct Port {
    number: u16,
    /// Locked while the port is ours; `None` where lock files cannot be kept.
    _claim: Option<Arc<File>>,
}

impl Port {
    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Picks a free port.
    ///
    /// # Errors
    /// Fails when every port below the ephemeral range is taken.
    pub fn free() -> anyhow::Result<Self> {
        let range = range();
        let width = u32::from(range.end - range.start);
        let offset = seed() % width;
        let candidates = (0..width).map(|step| range.start + ((offset + step) % width) as u16);
        let mut ports = candidates.filter_map(Self::claim);
        ports.next().with_context(|| format!("find a free port in {range:?}"))
    }

    /// Takes a port by number: the environment variable's if it is set, else the usual one.
    ///
    /// # Errors
    /// Fails when the variable holds no port, or when another program listens there.
    pub fn known(server: &str, variable: &str, usual: u16) -> anyhow::Result<Self> {
        let number = match env::var(variable) {
            Ok(text) => text.parse().with_context(|| format!("read the port in `{variable}`: {text:?}"))?,
            Err(_) => usual,
        };
        ensure!(
            bindable(number),
            "port {number} for {server} is taken by another program; stop that program, or set {variable} to another port"
        );
        Ok(Self { number, _claim: None })
    }

    fn claim(number: u16) -> Option<Self> {
        let claim = match lock_file(number) {
            Some(file) => Some(Arc::new(file.try_lock().is_ok().then_some(file)?)),
            None => None,
        };
        bindable(number).then_some(Self { number, _claim: claim })
    }
}

fn bindable(number: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
}

fn lock_file(number: u16) -> Option<File> {
    let directory = env::temp_dir().join("sluice-ports");
    fs::create_dir_all(&directory).ok()?;
    OpenOptions::new().create(true).append(true).open(directory.join(number.to_string())).ok()
}

fn range() -> Range<u16> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let start = text.split_whitespace().next().and_then(|start| start.parse().ok()).unwrap_or(EPHEMERAL);
    LOWEST..start.max(LOWEST + 1_000)
}

/// Where to begin looking: different for every process and moment, so that two rarely try the same port.
fn seed() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    now ^ process::id().wrapping_mul(0x9E37_79B9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_lie_below_the_ephemeral_range() {
        let port = Port::free().unwrap();

        assert!(range().contains(&port.number()));
        assert!(range().end <= EPHEMERAL.max(LOWEST + 1_000));
    }

    #[test]
    fn a_claimed_port_is_not_given_twice() {
        let port = Port::free().unwrap();

        assert!(Port::claim(port.number()).is_none());
    }

    #[test]
    fn a_taken_port_is_named_with_its_remedy() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = listener.local_addr().unwrap().port();

        let error = Port::known("postgres", "SLUICE_NO_SUCH_VARIABLE", number).unwrap_err().to_string();

        assert!(error.contains(&format!("port {number} for postgres is taken")));
        assert!(error.contains("SLUICE_NO_SUCH_VARIABLE"));
    }
}
