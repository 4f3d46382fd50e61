//! The socket, with or without TLS.
//!
//! Blocking, owned by one thread. Reads take as much as there is in one go and return at once
//! when something is there; a read timeout (`WouldBlock`) only bounds idle waits.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::{ClientConfig, ClientConnection};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::error::ReplicationError;
use super::options::ConnectOptions;
use crate::tls::{self, TlsError, TlsMode};

/// An idle link is probed well before firewalls forget it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// Between probes that go unanswered.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Encrypted bytes read at once; rustls alone would ask for 4 KiB at a time.
const TLS_READ_BUFFER: usize = 256 * 1024;

/// A connected socket.
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsSocket>),
}

pub(super) struct TlsSocket {
    session: ClientConnection,
    socket: BufReader<TcpStream>,
}

impl Transport {
    /// Connects, and negotiates TLS as the mode asks.
    pub(super) fn connect(options: &ConnectOptions) -> Result<Self, ReplicationError> {
        let tls_error = |source: TlsError| ReplicationError::Tls { host: options.host.clone(), source };
        let config = tls::client_config(&options.tls).map_err(tls_error)?;
        let mut socket = connect_tcp(options)?;
        socket.set_read_timeout(Some(options.connect_timeout))?;
        socket.set_write_timeout(Some(options.connect_timeout))?;
        let Some(config) = config else {
            return Ok(Self::Plain(socket));
        };
        if !request_tls(&mut socket)? {
            return match options.tls.mode {
                TlsMode::Prefer => Ok(Self::Plain(socket)),
                _ => Err(tls_error(TlsError::NotOffered)),
            };
        }
        handshake(socket, config, options).map(|tls| Self::Tls(Box::new(tls)))
    }

    /// Reads what there is, at least one byte; 0 means that the server is gone.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }

    /// Writes all of it.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes),
        }
    }

    /// Bounds the wait of each read; `None` for no bound.
    pub(super) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket().set_read_timeout(timeout)
    }

    pub(super) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket().set_write_timeout(timeout)
    }

    /// Ends the connection, whatever other handles on the socket there are.
    pub(super) fn close(&self) {
        // It fails only if the connection is gone already.
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// Returns a second handle on the socket, by which another thread can shut it down.
    pub(super) fn try_clone_socket(&self) -> io::Result<TcpStream> {
        self.socket().try_clone()
    }

    /// Returns the `tls-server-end-point` binding, if there is TLS and the certificate has one.
    pub(super) fn channel_binding(&self) -> Option<Vec<u8>> {
        let Self::Tls(tls) = self else {
            return None;
        };
        tls::channel_binding(tls.session.peer_certificates()?.first()?)
    }

    pub(super) fn encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.socket.get_ref(),
        }
    }
}

impl TlsSocket {
    /// Takes all that has arrived; waits only while there is nothing to return.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.session.reader().read(&mut buffer[filled..]) {
                Ok(0) => return Ok(filled),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            let drained = self.socket.buffer().is_empty();
            if filled == buffer.len() || (filled > 0 && drained) {
                return Ok(filled);
            }
            if drained && self.socket.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.session.read_tls(&mut self.socket)?;
            self.session
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            self.flush()?;
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.session.writer().write_all(bytes)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(self.socket.get_mut())?;
        }
        Ok(())
    }
}

fn connect_tcp(options: &ConnectOptions) -> Result<TcpStream, ReplicationError> {
    let failed =
        |source| ReplicationError::Connect { host: options.host.clone(), port: options.port, source };
    let addresses = (options.host.as_str(), options.port).to_socket_addrs().map_err(failed)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match connect_address(address, options) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn connect_address(address: SocketAddr, options: &ConnectOptions) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(bytes) = options.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !options.tcp_user_timeout.is_zero() {
        socket.set_tcp_user_timeout(Some(options.tcp_user_timeout))?;
    }
    socket.connect_timeout(&address.into(), options.connect_timeout)?;
    Ok(socket.into())
}

/// Asks for TLS. Reads one byte and no more: what follows in the clear must never be taken for
/// something said under TLS.
fn request_tls(socket: &mut TcpStream) -> Result<bool, ReplicationError> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request)?;
    let mut answer = [0];
    socket.read_exact(&mut answer)?;
    match answer {
        [b'S'] => Ok(true),
        [b'N'] => Ok(false),
        [other] => Err(ReplicationError::protocol(format!(
            "answer `{}` to the request for TLS",
            other.escape_ascii()
        ))),
    }
}

fn handshake(
    socket: TcpStream,
    config: Arc<ClientConfig>,
    options: &ConnectOptions,
) -> Result<TlsSocket, ReplicationError> {
    let refused = |source| ReplicationError::Tls { host: options.host.clone(), source };
    let name = tls::server_name(&options.host).map_err(refused)?;
    let session = ClientConnection::new(config, name).map_err(|error| refused(error.into()))?;
    let socket = BufReader::with_capacity(TLS_READ_BUFFER, socket);
    let mut tls = TlsSocket { session, socket };
    let deadline = Instant::now() + options.connect_timeout;
    while tls.session.is_handshaking() {
        tls.flush()?;
        if !tls.session.wants_read() {
            continue;
        }
        if Instant::now() >= deadline {
            return Err(ReplicationError::Timeout {
                what: "the TLS handshake",
                after: options.connect_timeout,
            });
        }
        if tls.session.read_tls(&mut tls.socket)? == 0 {
            return Err(ReplicationError::Closed);
        }
        if let Err(error) = tls.session.process_new_packets() {
            // The alert tells the server why; that it cannot be sent changes nothing here.
            let _ = tls.flush();
            return Err(refused(error.into()));
        }
    }
    tls.flush()?;
    Ok(tls)
}
