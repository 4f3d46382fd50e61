//! Faults on demand, so that a client's retries and rejections can be shown.
//!
//! A fault is written `KIND:COUNT`, on the command line and in the JSON of `/_faults` alike:
//!
//! | fault | the next COUNT answers |
//! |---|---|
//! | `429:COUNT`, `500:COUNT`, `503:COUNT` | have that status and no people |
//! | `slow:COUNT:MILLISECONDS` | come so much later |
//! | `truncated:COUNT` | end in the middle, short of their Content-Length |
//! | `malformed:COUNT` | have a body that is cut and does not parse, with status 200 and the right length |
//! | `missing-field:COUNT:PEOPLE` | lack a required field in their first PEOPLE documents |
//! | `wrong-type:COUNT:PEOPLE` | have an array where a scalar belongs in their first PEOPLE documents |
//!
//! Faults come one after the other, in the order given, and end when all are counted down.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

/// Fields that [`Kind::MissingField`] and [`Kind::WrongType`] spoil, each in its turn, as JSON pointers of parent and key.
const SPOILED: [(&str, &str); 4] =
    [("/login", "uuid"), ("", "email"), ("/dob", "date"), ("/location", "postcode")];

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An error status instead of people: 429, 500 or 503.
    Status(StatusCode),
    /// A delay.
    Slow(Duration),
    /// A body that breaks off.
    Truncated,
    /// A body that does not parse.
    Malformed,
    /// So many documents without a required field.
    MissingField(u32),
    /// So many documents with a field of another type.
    WrongType(u32),
}

/// A kind, and how many answers are to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    count: NonZeroU32,
}

/// A fault that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "fault `{}` is not known; known: 429:COUNT, 500:COUNT, 503:COUNT, slow:COUNT:MILLISECONDS, \
             truncated:COUNT, malformed:COUNT, missing-field:COUNT:PEOPLE, wrong-type:COUNT:PEOPLE, \
             each COUNT at least 1",
            self.0
        )
    }
}

impl std::error::Error for FaultError {}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        parse(text).ok_or_else(|| FaultError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Fault> {
    let parts: Vec<_> = text.split(':').collect();
    let (kind, count) = match parts[..] {
        ["429", count] => (Kind::Status(StatusCode::TOO_MANY_REQUESTS), count),
        ["500", count] => (Kind::Status(StatusCode::INTERNAL_SERVER_ERROR), count),
        ["503", count] => (Kind::Status(StatusCode::SERVICE_UNAVAILABLE), count),
        ["slow", count, milliseconds] => {
            (Kind::Slow(Duration::from_millis(milliseconds.parse().ok()?)), count)
        }
        ["truncated", count] => (Kind::Truncated, count),
        ["malformed", count] => (Kind::Malformed, count),
        ["missing-field", count, people] => (Kind::MissingField(people.parse().ok()?), count),
        ["wrong-type", count, people] => (Kind::WrongType(people.parse().ok()?), count),
        _ => return None,
    };
    Some(Fault { kind, count: count.parse().ok()? })
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count;
        match self.kind {
            Kind::Status(status) => write!(formatter, "{}:{count}", status.as_u16()),
            Kind::Slow(delay) => write!(formatter, "slow:{count}:{}", delay.as_millis()),
            Kind::Truncated => write!(formatter, "truncated:{count}"),
            Kind::Malformed => write!(formatter, "malformed:{count}"),
            Kind::MissingField(people) => write!(formatter, "missing-field:{count}:{people}"),
            Kind::WrongType(people) => write!(formatter, "wrong-type:{count}:{people}"),
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub(super) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().collect()))
    }

    /// Takes one count off the first fault.
    pub(super) fn next(&self) -> Option<Kind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.front_mut()?;
        let kind = fault.kind;
        match NonZeroU32::new(fault.count.get() - 1) {
            Some(left) => fault.count = left,
            None => drop(faults.pop_front()),
        }
        Some(kind)
    }

    /// The faults that are still to come, in their own notation.
    pub(super) fn left(&self) -> Vec<String> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().map(Fault::to_string).collect()
    }

    /// Puts `faults` in the place of all that were still to come.
    pub(super) fn replace(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults.into();
    }
}

impl Kind {
    /// Breaks the contract in the first documents, if that is what this fault does.
    pub(super) fn spoil(self, people: &mut [Value]) {
        let (count, spoil): (u32, fn(&mut Value, &str)) = match self {
            Self::MissingField(count) => (count, remove),
            Self::WrongType(count) => (count, wrap),
            _ => return,
        };
        for (person, (parent, key)) in people.iter_mut().zip(SPOILED.iter().cycle()).take(count as usize) {
            if let Some(parent) = person.pointer_mut(parent) {
                spoil(parent, key);
            }
        }
    }
}

fn remove(parent: &mut Value, key: &str) {
    if let Some(fields) = parent.as_object_mut() {
        fields.shift_remove(key);
    }
}

fn wrap(parent: &mut Value, key: &str) {
    if let Some(field) = parent.get_mut(key) {
        *field = json!([field.take()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Generator;
    use crate::row::UserRow;

    #[test]
    fn faults_are_written_as_they_are_read() {
        for text in [
            "429:3",
            "500:1",
            "503:2",
            "slow:1:2500",
            "truncated:1",
            "malformed:4",
            "missing-field:1:9",
            "wrong-type:2:5",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn unknown_faults_are_refused_with_the_known_ones() {
        for text in ["404:1", "429", "429:0", "429:x", "slow:1", "slow:1:fast", "truncated:1:1", ""] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("slow:COUNT:MILLISECONDS"));
        }
    }

    #[test]
    fn faults_count_down_in_order_and_end() {
        let faults = Faults::new(["500:2", "truncated:1"].map(|text| text.parse().unwrap()));
        let broken = Some(Kind::Status(StatusCode::INTERNAL_SERVER_ERROR));

        assert_eq!(faults.next(), broken);
        assert_eq!(faults.left(), ["500:1", "truncated:1"]);
        assert_eq!(faults.next(), broken);
        assert_eq!(faults.next(), Some(Kind::Truncated));
        assert_eq!(faults.next(), None);
    }

    #[test]
    fn every_spoiled_document_is_rejected_and_no_other() {
        for kind in [Kind::MissingField(6), Kind::WrongType(6)] {
            let mut generator = Generator::new(1);
            let mut people: Vec<_> = std::iter::repeat_with(|| generator.person()).take(8).collect();

            kind.spoil(&mut people);

            let rows: Vec<_> = people.into_iter().map(|person| UserRow::try_from(person).is_ok()).collect();
            assert_eq!(rows, [false, false, false, false, false, false, true, true], "{kind:?}");
        }
    }
}
