//! Which people a request asks for, and how much of them.

use super::PasswordRule;
use crate::words::{NATIONS, Nation};

/// The fields of a document in the order of the service: what can be selected, parts of them cannot.
pub const FIELDS: [&str; 12] = [
    "gender",
    "name",
    "location",
    "email",
    "login",
    "dob",
    "registered",
    "phone",
    "cell",
    "id",
    "picture",
    "nat",
];

/// The service knows two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// `male`
    Male,
    /// `female`
    Female,
}

impl Gender {
    /// The word of the document and of the query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
        }
    }
}

/// Whom to make; by default anybody, with all fields.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Nationalities to draw from, at least one; one that is named twice is drawn twice as often.
    pub nations: Vec<&'static Nation>,
    /// The only gender, or both.
    pub gender: Option<Gender>,
    /// Those of [`FIELDS`] that the document shall hold.
    pub fields: Vec<&'static str>,
    /// How passwords are made.
    pub password: PasswordRule,
}

impl Selection {
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains(&field)
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            nations: NATIONS.iter().collect(),
            gender: None,
            fields: FIELDS.to_vec(),
            password: PasswordRule::default(),
        }
    }
}
