//! As much HTTP/1.1 as readiness needs: one request on one connection to a loopback port.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

/// How long one probe may take: a server that accepts but does not answer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a request may take that does something: a machine with other work may need it.
const WORK_PATIENCE: Duration = Duration::from_secs(60);

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The head and body as they came.
    pub(crate) text: String,
}

impl Response {
    /// What comes after the head.
    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Connects to a loopback port with a time limit on every later read and write.
pub(crate) fn connect(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Asks whether a server is ready: sends a request with a JSON body (empty for none) and reads the answer to its end.
pub(crate) fn request(port: u16, method: &str, path: &str, body: &str) -> anyhow::Result<Response> {
    exchange(connect(port)?, method, path, body, None)
}

/// Sends a request as [`request`] does, to a server that is ready but may have other things to do.
pub(crate) fn call(
    port: u16,
    method: &str,
    path: &str,
    body: &str,
    token: Option<&str>,
) -> anyhow::Result<Response> {
    let stream = connect(port)?;
    stream.set_read_timeout(Some(WORK_PATIENCE))?;
    exchange(stream, method, path, body, token)
}

fn exchange(
    mut stream: TcpStream,
    method: &str,
    path: &str,
    body: &str,
    token: Option<&str>,
) -> anyhow::Result<Response> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).context("wait for the answer")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).context("read the status line")?;
    Ok(Response { status, text })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn request_reads_status_and_body() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            (&stream).write_all(b"HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\nno").unwrap();
            head
        });

        let response = request(port, "PUT", "/config", "").unwrap();

        assert_eq!(response.status, 409);
        assert_eq!(response.body(), "no");
        assert_eq!(server.join().unwrap()[0], "PUT /config HTTP/1.1");
    }
}
