//! Errors: a routing decision plus a sentence for a human.
//!
//! A connector has its own `thiserror` enum that implements [`Classify`]; `?` turns it into [`Error`],
//! which the engine routes by class without knowing the connector.

use std::{error::Error as StdError, fmt};

/// What the engine does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Passing: the same again, later.
    Retry,
    /// This record is bad; the error policy decides (fail, skip, dead letter).
    Reject,
    /// Nothing helps until an operator acts.
    Stop,
}

/// The part of a record that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordPart {
    /// Its key.
    Key,
    /// Its value.
    Value,
    /// One of its headers.
    Header,
}

/// An error that knows what should be done about it.
///
/// `Display` is one lower-case phrase without the causes; those are its `source()` chain.
pub trait Classify: StdError + Send + Sync + 'static {
    /// Returns the routing decision.
    fn class(&self) -> ErrorClass;

    /// Returns a stable code such as `postgres.slot_in_use`, for alerts and documentation.
    fn code(&self) -> &'static str;

    /// Returns what to do next, as a sentence or the statements to run.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Returns the part of a record that could not be read, if that is what the error is about.
    fn part(&self) -> Option<RecordPart> {
        None
    }
}

/// Any [`Classify`] error, as the engine holds it.
pub struct Error(Box<dyn Classify>);

impl Error {
    /// Returns the routing decision.
    pub fn class(&self) -> ErrorClass {
        self.0.class()
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    /// Returns what to do next.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// Returns the part of a record that could not be read, if that is what the error is about.
    pub fn part(&self) -> Option<RecordPart> {
        self.0.part()
    }

    /// Returns the error itself, for its `source()` chain or a downcast.
    pub fn as_dyn(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }

    /// Writes the error with its code, its causes and its hint, a line each.
    pub fn report(&self) -> String {
        let mut report = format!("{} [{}]", self.0, self.code());
        for cause in causes(self.as_dyn()) {
            report.push_str(&format!("\n  caused by: {cause}"));
        }
        if let Some(hint) = self.hint() {
            report.push_str(&format!("\n  hint: {hint}"));
        }
        report
    }
}

/// Lists the causes of an error, but for those that its text ends with: some libraries print them there, too.
pub(crate) fn causes(error: &dyn StdError) -> Vec<String> {
    let mut causes = Vec::new();
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.ends_with(&text) {
            causes.push(text.clone());
        }
        (told, cause) = (text, error.source());
    }
    causes
}

impl<E: Classify> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `ca.pem`: {0}")]
    struct Unreadable(#[source] Missing);

    #[derive(Debug, thiserror::Error)]
    #[error("no such file")]
    struct Missing(#[source] std::io::Error);

    #[test]
    fn cause_that_an_error_prints_itself_is_told_once() {
        let error = Unreadable(Missing(std::io::Error::other("the folder is gone")));

        assert_eq!(causes(&error), ["the folder is gone"]);
    }
}
