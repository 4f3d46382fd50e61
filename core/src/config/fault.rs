//! Faults of a configuration, or of the systems it names.

use crate::error::{Classify, causes};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The connector cannot run.
    Error,
    /// It runs, but somebody should look.
    Warning,
}

/// Something wrong with a configuration, or with the systems it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Property at fault; empty when it is none in particular.
    pub property: String,
    /// How bad it is.
    pub severity: Severity,
    /// Stable code such as `config.unknown_property`.
    pub code: &'static str,
    /// What is wrong and what is allowed. Never holds a secret.
    pub message: String,
    /// What to do next: a sentence, or the statements to run.
    pub hint: Option<String>,
}

impl Fault {
    /// Makes an error about a property's value.
    pub fn invalid(property: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("config.invalid_value", property, message)
    }

    /// Makes an error with a code of its own.
    pub fn new(code: &'static str, property: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            property: property.into(),
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Shows an error, with its causes and its hint, as a fault of the property that leads to it.
    pub fn from_error(property: impl Into<String>, error: &dyn Classify) -> Self {
        let mut message = error.to_string();
        for cause in causes(error) {
            message.push_str(&format!(": {cause}"));
        }
        Self { hint: error.hint(), ..Self::new(error.code(), property, message) }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Makes it a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Puts the property below a prefix, such as `transforms.unwrap.`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.property.insert_str(0, prefix);
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.property.is_empty() {
            write!(formatter, "`{}`: ", self.property)?;
        }
        write!(formatter, "{} [{}]", self.message, self.code)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorClass;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the file")]
    struct Unreadable(#[source] std::io::Error);

    impl Classify for Unreadable {
        fn class(&self) -> ErrorClass {
            ErrorClass::Stop
        }

        fn code(&self) -> &'static str {
            "test.unreadable"
        }

        fn hint(&self) -> Option<String> {
            Some("name another".to_owned())
        }
    }

    #[test]
    fn fault_of_an_error_tells_its_causes_and_its_hint() {
        let error = Unreadable(std::io::Error::other("no such file"));

        let fault = Fault::from_error("file", &error);

        assert_eq!(
            fault.to_string(),
            "`file`: cannot read the file: no such file [test.unreadable]\n  hint: name another"
        );
    }
}
