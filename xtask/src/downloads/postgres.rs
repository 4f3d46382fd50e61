//! The Postgres servers, one package for each major version.

use std::fmt;

use super::{Client, Package};

/// A major version of Postgres.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Major {
    /// Postgres 14.
    #[value(name = "14")]
    Fourteen,
    /// Postgres 15.
    #[value(name = "15")]
    Fifteen,
    /// Postgres 16.
    #[value(name = "16")]
    Sixteen,
    /// Postgres 17, which everything runs on that does not ask for another.
    #[default]
    #[value(name = "17")]
    Seventeen,
    /// Postgres 18.
    #[value(name = "18")]
    Eighteen,
}

/// Makes a package of the folder `xtask/servers/$name`.
macro_rules! package {
    ($name:literal, $summary:literal) => {
        Package {
            name: $name,
            summary: $summary,
            manifest: &[
                ("package.json", include_str!(concat!("../../servers/", $name, "/package.json"))),
                ("package-lock.json", include_str!(concat!("../../servers/", $name, "/package-lock.json"))),
            ],
            client: Client::Npm,
        }
    };
}

impl Major {
    /// The server with all of contrib.
    pub const fn package(self) -> Package {
        match self {
            Self::Fourteen => package!("postgres-14", "Postgres 14.22 (15 MB)"),
            Self::Fifteen => package!("postgres-15", "Postgres 15.18 (15 MB)"),
            Self::Sixteen => package!("postgres-16", "Postgres 16.14 (15 MB)"),
            Self::Seventeen => package!("postgres", "Postgres 17.10 (15 MB)"),
            Self::Eighteen => package!("postgres-18", "Postgres 18.4 (15 MB)"),
        }
    }
}

impl fmt::Display for Major {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = match self {
            Self::Fourteen => 14,
            Self::Fifteen => 15,
            Self::Sixteen => 16,
            Self::Seventeen => 17,
            Self::Eighteen => 18,
        };
        write!(formatter, "{number}")
    }
}
