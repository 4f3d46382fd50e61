//! Startup and authentication.
//!
//! ```text
//! startup ─→ trust, password, md5 ─────────────────────────────┐
//!        └─→ SASL: choose mechanism ─→ challenge ─→ proof ─→ ok ┴─→ parameters ─→ ready
//! ```

use bytes::{Bytes, BytesMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::frontend;
use secrecy::ExposeSecret;

use super::backend::{self, AuthenticationRequest, BackendMessage};
use super::error::ReplicationError;
use super::options::ConnectOptions;
use super::wire::Wire;

/// How the session was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing was asked: trust, peer, or a client certificate.
    Trust,
    /// The password itself was sent.
    Cleartext,
    /// A hash of the password by MD5.
    Md5,
    /// SCRAM without channel binding.
    ScramSha256,
    /// SCRAM bound to the server's certificate: nobody sits in between.
    ScramSha256Plus,
}

/// What is known of the server when the session stands.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) authentication: Authentication,
    /// `server_version`, like `15.18 (Debian 15.18-0)`.
    pub(super) server_version: String,
}

/// Values are sent as text in one form only, whatever the role's or database's settings are. The
/// walsender prints them by its session's settings.
const SESSION_PARAMETERS: [(&str, &str); 7] = [
    ("replication", "database"),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
];

/// Starts a replication session and waits until it takes commands.
pub(super) fn open_session(wire: &mut Wire, options: &ConnectOptions) -> Result<Greeting, ReplicationError> {
    let named = [
        ("user", options.user.as_str()),
        ("database", options.database.as_str()),
        ("application_name", options.application_name.as_str()),
    ];
    let mut startup = BytesMut::new();
    frontend::startup_message(named.into_iter().chain(SESSION_PARAMETERS), &mut startup)?;
    wire.send(&startup)?;
    let authentication = authenticate(wire, options)?;
    let server_version = await_ready(wire, options)?;
    Ok(Greeting { authentication, server_version })
}

fn authenticate(wire: &mut Wire, options: &ConnectOptions) -> Result<Authentication, ReplicationError> {
    let mut used = Authentication::Trust;
    loop {
        match request(wire, options)? {
            AuthenticationRequest::Ok => return Ok(used),
            AuthenticationRequest::Cleartext => {
                send_password(wire, password(options)?)?;
                used = Authentication::Cleartext;
            }
            AuthenticationRequest::Md5(salt) => {
                let hash = md5_hash(options.user.as_bytes(), password(options)?, salt);
                send_password(wire, hash.as_bytes())?;
                used = Authentication::Md5;
            }
            AuthenticationRequest::Sasl(mechanisms) => used = scram(wire, options, &mechanisms)?,
            AuthenticationRequest::Unsupported(method) => {
                return Err(ReplicationError::UnsupportedAuth { method });
            }
            AuthenticationRequest::SaslContinue(_) | AuthenticationRequest::SaslFinal(_) => {
                return Err(ReplicationError::protocol("SASL answer without a question"));
            }
        }
    }
}

fn scram(
    wire: &mut Wire,
    options: &ConnectOptions,
    mechanisms: &[String],
) -> Result<Authentication, ReplicationError> {
    let (authentication, mechanism, binding) = choose_mechanism(wire, mechanisms)?;
    let mut scram = ScramSha256::new(password(options)?, binding);
    let mut message = BytesMut::new();
    frontend::sasl_initial_response(mechanism, scram.message(), &mut message)?;
    wire.send(&message)?;
    let AuthenticationRequest::SaslContinue(challenge) = request(wire, options)? else {
        return Err(ReplicationError::protocol("no SASL challenge"));
    };
    scram.update(&challenge).map_err(ReplicationError::ServerProof)?;
    message.clear();
    frontend::sasl_response(scram.message(), &mut message)?;
    wire.send(&message)?;
    let AuthenticationRequest::SaslFinal(proof) = request(wire, options)? else {
        return Err(ReplicationError::protocol("no SASL proof of the server"));
    };
    scram.finish(&proof).map_err(ReplicationError::ServerProof)?;
    Ok(authentication)
}

/// Chooses channel binding whenever both sides can. If only we can, that is said in the exchange,
/// so that a man in the middle who took the offer away is found out.
fn choose_mechanism(
    wire: &Wire,
    mechanisms: &[String],
) -> Result<(Authentication, &'static str, ChannelBinding), ReplicationError> {
    let offered = |name: &str| mechanisms.iter().any(|mechanism| mechanism == name);
    let binding = wire.transport.channel_binding();
    match binding {
        Some(binding) if offered(SCRAM_SHA_256_PLUS) => Ok((
            Authentication::ScramSha256Plus,
            SCRAM_SHA_256_PLUS,
            ChannelBinding::tls_server_end_point(binding),
        )),
        _ if !offered(SCRAM_SHA_256) => {
            Err(ReplicationError::UnsupportedAuth { method: mechanisms.join(", ") })
        }
        Some(_) => Ok((Authentication::ScramSha256, SCRAM_SHA_256, ChannelBinding::unrequested())),
        None => Ok((Authentication::ScramSha256, SCRAM_SHA_256, ChannelBinding::unsupported())),
    }
}

fn request(wire: &mut Wire, options: &ConnectOptions) -> Result<AuthenticationRequest, ReplicationError> {
    loop {
        let message = wire.receive()?;
        match message.tag {
            backend::AUTHENTICATION => return backend::authentication(&message.body),
            backend::ERROR => return Err(refused(&message.body, options)),
            backend::NEGOTIATE => {}
            _ => return Err(message.unexpected("during authentication")),
        }
    }
}

fn await_ready(wire: &mut Wire, options: &ConnectOptions) -> Result<String, ReplicationError> {
    let mut server_version = String::new();
    loop {
        let message: BackendMessage = wire.receive()?;
        match message.tag {
            backend::PARAMETER => {
                let (name, value) = backend::parameter(&message.body)?;
                if name == "server_version" {
                    server_version = value;
                }
            }
            backend::KEY_DATA => {}
            backend::READY => return Ok(server_version),
            backend::ERROR => return Err(refused(&message.body, options)),
            _ => return Err(message.unexpected("before the session is ready")),
        }
    }
}

fn password(options: &ConnectOptions) -> Result<&[u8], ReplicationError> {
    match &options.password {
        Some(password) => Ok(password.expose_secret().as_bytes()),
        None => Err(ReplicationError::NoPassword { user: options.user.clone() }),
    }
}

fn send_password(wire: &mut Wire, password: &[u8]) -> Result<(), ReplicationError> {
    let mut message = BytesMut::new();
    frontend::password_message(password, &mut message)?;
    wire.send(&message)
}

fn refused(body: &Bytes, options: &ConnectOptions) -> ReplicationError {
    ReplicationError::Authentication {
        user: options.user.clone(),
        source: Box::new(backend::server_error(body)),
    }
}
