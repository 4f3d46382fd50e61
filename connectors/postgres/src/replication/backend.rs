//! Messages of the server outside the stream: bytes in, values out.
//!
//! Layouts: Postgres manual, "Message Formats". The driver crate's own parser is left aside since
//! it does not know `CopyBothResponse`, and reserves what a length field says before it is checked.

use bytes::{Buf, Bytes, BytesMut};

use super::error::{ReplicationError, ServerError};
use crate::pgoutput::reader::Reader;

pub(super) const AUTHENTICATION: u8 = b'R';
pub(super) const COMMAND_COMPLETE: u8 = b'C';
pub(super) const COPY_BOTH: u8 = b'W';
pub(super) const COPY_DATA: u8 = b'd';
pub(super) const COPY_DONE: u8 = b'c';
pub(super) const DATA_ROW: u8 = b'D';
pub(super) const EMPTY_QUERY: u8 = b'I';
pub(super) const ERROR: u8 = b'E';
pub(super) const KEY_DATA: u8 = b'K';
pub(super) const NEGOTIATE: u8 = b'v';
pub(super) const NOTICE: u8 = b'N';
pub(super) const PARAMETER: u8 = b'S';
pub(super) const READY: u8 = b'Z';
pub(super) const ROW_DESCRIPTION: u8 = b'T';

/// A tag and a 32-bit length.
pub(super) const HEADER: usize = 5;

/// A message, its header taken off.
#[derive(Debug)]
pub(super) struct BackendMessage {
    pub(super) tag: u8,
    pub(super) body: Bytes,
}

impl BackendMessage {
    pub(super) fn unexpected(&self, when: &str) -> ReplicationError {
        let tag = self.tag.escape_ascii();
        ReplicationError::protocol(format!("unexpected message `{tag}` {when}"))
    }
}

/// Returns the full length of the message that starts here, header and all; `None` if its header
/// is not complete.
///
/// # Errors
///
/// When the length is impossible or above `limit`: nobody may allocate by it.
#[inline]
pub(super) fn message_length(received: &[u8], limit: usize) -> Result<Option<usize>, ReplicationError> {
    let Some([tag, length @ ..]) = received.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    match usize::try_from(length) {
        Ok(length) if length >= 4 && length <= limit => Ok(Some(length + 1)),
        _ => Err(ReplicationError::protocol(format!("length {length} of message `{}`", tag.escape_ascii()))),
    }
}

/// Takes one whole message off the front, if there is one.
pub(super) fn take_message(
    received: &mut BytesMut,
    limit: usize,
) -> Result<Option<BackendMessage>, ReplicationError> {
    let Some(length) = message_length(received, limit)? else {
        return Ok(None);
    };
    if received.len() < length {
        return Ok(None);
    }
    let mut body = received.split_to(length).freeze();
    let tag = body.get_u8();
    body.advance(HEADER - 1);
    Ok(Some(BackendMessage { tag, body }))
}

/// Reads an `ErrorResponse` or `NoticeResponse`. Never fails: a broken error is still an error.
pub(super) fn server_error(body: &Bytes) -> ServerError {
    let mut error = ServerError::default();
    let mut reader = Reader::new(body);
    while let Ok(code @ 1..) = reader.u8("field code") {
        let Ok(text) = reader.text("field") else {
            break;
        };
        match code {
            // `V` is `S` untranslated and comes after it.
            b'S' | b'V' => error.severity = text,
            b'C' => error.sqlstate = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            _ => {}
        }
    }
    error
}

/// Reads the column names of a `RowDescription`.
pub(super) fn column_names(body: &Bytes) -> Result<Vec<String>, ReplicationError> {
    /// Table, column number, type, type length, type modifier, format.
    const REST: usize = 4 + 2 + 4 + 2 + 4 + 2;

    let mut reader = Reader::new(body);
    let count = reader.count16("column count")?;
    (0..count)
        .map(|_| {
            let name = reader.text("column name")?;
            reader.take(REST, "column description")?;
            Ok(name)
        })
        .collect()
}

/// Reads the values of a `DataRow` in text format.
pub(super) fn row_values(body: &Bytes) -> Result<Vec<Option<String>>, ReplicationError> {
    let mut reader = Reader::new(body);
    let count = reader.count16("column count")?;
    (0..count)
        .map(|_| {
            let length = reader.i32("column length")?;
            let Ok(length) = usize::try_from(length) else {
                return Ok(None);
            };
            let value = reader.take(length, "column value")?;
            let value = String::from_utf8(value.to_vec())
                .map_err(|_| ReplicationError::protocol("a value is not valid UTF-8"))?;
            Ok(Some(value))
        })
        .collect()
}

/// Reads the value of one `ParameterStatus`.
pub(super) fn parameter(body: &Bytes) -> Result<(String, String), ReplicationError> {
    let mut reader = Reader::new(body);
    Ok((reader.text("parameter name")?, reader.text("parameter value")?))
}

/// What the server wants next of an authentication.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuthenticationRequest {
    Ok,
    Cleartext,
    Md5([u8; 4]),
    Sasl(Vec<String>),
    SaslContinue(Bytes),
    SaslFinal(Bytes),
    Unsupported(String),
}

/// Reads an `Authentication…` message.
pub(super) fn authentication(body: &Bytes) -> Result<AuthenticationRequest, ReplicationError> {
    use AuthenticationRequest as Request;

    let mut reader = Reader::new(body);
    let unsupported = |name: &str| Request::Unsupported(name.to_owned());
    Ok(match reader.u32("authentication kind")? {
        0 => Request::Ok,
        2 => unsupported("Kerberos V5"),
        3 => Request::Cleartext,
        5 => Request::Md5(reader.u32("salt")?.to_be_bytes()),
        6 => unsupported("SCM credential"),
        7 | 8 => unsupported("GSSAPI"),
        9 => unsupported("SSPI"),
        10 => {
            let mut mechanisms = Vec::new();
            loop {
                match reader.text("mechanism")? {
                    last if last.is_empty() => break Request::Sasl(mechanisms),
                    mechanism => mechanisms.push(mechanism),
                }
            }
        }
        11 => Request::SaslContinue(body.slice(4..)),
        12 => Request::SaslFinal(body.slice(4..)),
        kind => Request::Unsupported(format!("unknown (code {kind})")),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn error_fields_are_told_apart() {
        let body =
            Bytes::from_static(b"SFEHLER\0VERROR\0C42704\0Mno slot\0DMore.\0HTry.\0Fslot.c\0L1\0Rsearch\0\0");

        let error = server_error(&body);

        assert_eq!(error.severity, "ERROR");
        assert_eq!(error.sqlstate, "42704");
        assert_eq!(error.to_string(), "ERROR 42704: no slot (More.)");
        assert_eq!(error.hint.as_deref(), Some("Try."));
    }

    #[test]
    fn absurd_lengths_are_refused_before_allocation() {
        for length in [[0xFF; 4], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 3]] {
            let mut received = BytesMut::from(&b"D"[..]);
            received.extend_from_slice(&length);

            let error = take_message(&mut received, 1 << 20).unwrap_err();

            assert!(error.to_string().contains("of message `D`"), "{error}");
            assert!(received.capacity() < 1024);
        }
    }

    #[test]
    fn part_of_a_message_is_left_in_place() {
        let mut received = BytesMut::from(&b"Z\0\0\0\x05"[..]);

        assert!(take_message(&mut received, 1024).unwrap().is_none());
        received.extend_from_slice(b"IZ");
        let message = take_message(&mut received, 1024).unwrap().unwrap();

        assert_eq!((message.tag, &message.body[..]), (READY, &b"I"[..]));
        assert_eq!(&received[..], b"Z");
    }

    #[test]
    fn sasl_mechanisms_end_with_an_empty_one() {
        let body = Bytes::from_static(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");

        let request = authentication(&body).unwrap();

        let mechanisms = vec!["SCRAM-SHA-256-PLUS".to_owned(), "SCRAM-SHA-256".to_owned()];
        assert_eq!(request, AuthenticationRequest::Sasl(mechanisms));
    }

    #[test]
    fn unknown_authentication_is_named() {
        let gss = authentication(&Bytes::from_static(b"\0\0\0\x07")).unwrap();
        let new = authentication(&Bytes::from_static(b"\0\0\0\x63")).unwrap();

        assert_eq!(gss, AuthenticationRequest::Unsupported("GSSAPI".into()));
        assert_eq!(new, AuthenticationRequest::Unsupported("unknown (code 99)".into()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let body = Bytes::from(bytes.clone());

            let _ = (server_error(&body), column_names(&body), row_values(&body));
            let _ = (parameter(&body), authentication(&body));
            let _ = take_message(&mut BytesMut::from(&bytes[..]), 64);
        }
    }
}
