//! The macros that declare configurations and enumerated values.

/// Declares a configuration struct, its parsing and its manual.
///
/// Each property is a doc comment, a key, a field, a type and perhaps a default as text:
///
/// ```
/// sluice_core::config! {
///     /// Settings of a greeter.
///     pub struct GreeterConfig {
///         /// Whom to greet.
///         "greeter.name" => name: String,
///         /// How often, in milliseconds.
///         "greeter.interval.ms" => interval: sluice_core::config::Millis = "1000",
///     }
/// }
///
/// use sluice_core::config::{Config, Properties};
///
/// let config = GreeterConfig::from_properties(&Properties::from([("greeter.name", "ann")])).unwrap();
/// assert_eq!(config.name, "ann");
/// assert_eq!(config.interval.0.as_secs(), 1);
/// ```
#[macro_export]
macro_rules! config {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $key:literal => $field:ident : $type:ty $(= $default:literal)?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $visibility struct $name {
            $(
                $(#[doc = $doc])+
                pub $field: $type,
            )*
        }

        impl $crate::config::Config for $name {
            fn definitions() -> Vec<$crate::config::Definition> {
                vec![$({
                    let default: Option<&'static str> = None $(.or(Some($default)))?;
                    $crate::config::Definition {
                        name: $key,
                        prefix: <$type as $crate::config::ConfigValue>::PREFIX,
                        kind: <$type as $crate::config::ConfigValue>::KIND,
                        required: default.is_none() && !<$type as $crate::config::ConfigValue>::OPTIONAL,
                        default,
                        documentation: [$($doc),+].map(str::trim).join(" ").into(),
                        allowed: <$type as $crate::config::ConfigValue>::ALLOWED,
                        support: $crate::config::Support::Obeyed,
                        restating: &[],
                    }
                }),*]
            }

            fn from_properties(
                properties: &$crate::config::Properties,
            ) -> Result<Self, Vec<$crate::config::Fault>> {
                let mut faults: Vec<$crate::config::Fault> = Vec::new();
                $(
                    let default: Option<&'static str> = None $(.or(Some($default)))?;
                    let $field = <$type as $crate::config::ConfigValue>::find(properties, $key, default)
                        .map_err(|fault| faults.push(fault));
                )*
                match ($($field,)*) {
                    ($(Ok($field),)*) if faults.is_empty() => Ok(Self { $($field),* }),
                    _ => Err(faults),
                }
            }
        }
    };
}

/// Declares an enumeration whose values are texts in a configuration.
///
/// ```
/// sluice_core::config_enum! {
///     /// How loud.
///     pub enum Volume {
///         /// Hardly.
///         Low = "low",
///         /// Very.
///         High = "high",
///     }
/// }
/// assert_eq!(<Volume as sluice_core::config::ConfigValue>::parse("HIGH"), Ok(Volume::High));
/// ```
#[macro_export]
macro_rules! config_enum {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name {
            $( $(#[$variant_meta])* $variant, )+
        }

        impl $crate::config::ConfigValue for $name {
            const KIND: $crate::config::Kind = $crate::config::Kind::String;
            const ALLOWED: &'static [&'static str] = &[$($text),+];

            fn parse(text: &str) -> Result<Self, String> {
                match text.to_ascii_lowercase().as_str() {
                    $( $text => Ok(Self::$variant), )+
                    _ => Err(format!("one of {}", Self::ALLOWED.join(", "))),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Millis, Names, Prefixed, Properties, Secret, suggest};

    crate::config! {
        /// A configuration for the tests.
        struct Sample {
            /// Host.
            "host" => host: String,
            /// Port of the
            /// server.
            "port" => port: u16 = "5432",
            /// Wait.
            "wait.ms" => wait: Millis = "10",
            /// Password.
            "password" => password: Option<Secret>,
            /// Passed on.
            "driver." => driver: Prefixed,
            /// Tables.
            "tables" => tables: Names,
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let faults =
            Sample::from_properties(&Properties::from([("port", "many"), ("wait.ms", "-1")])).unwrap_err();

        let properties: Vec<_> = faults.iter().map(|fault| fault.property.as_str()).collect();
        assert_eq!(properties, ["host", "port", "wait.ms"]);
    }

    #[test]
    fn defaults_and_prefixes_are_read() {
        let sample = Sample::from_properties(&Properties::from([
            ("host", "h"),
            ("driver.a", "1"),
            ("tables", "x, y,"),
        ]))
        .unwrap();

        assert_eq!((sample.host.as_str(), sample.port, sample.wait.0.as_millis()), ("h", 5432, 10));
        assert_eq!(sample.driver.0.get("a").map(String::as_str), Some("1"));
        assert_eq!(sample.tables.0, ["x", "y"]);
        assert!(sample.password.is_none());
    }

    #[test]
    fn secret_is_not_printed() {
        let sample =
            Sample::from_properties(&Properties::from([("host", "h"), ("password", "hunter2")])).unwrap();

        assert!(!format!("{sample:?}").contains("hunter2"));
    }

    #[test]
    fn documentation_is_the_doc_comment() {
        let definitions = Sample::definitions();

        assert_eq!(definitions[1].documentation, "Port of the server.");
        assert!(definitions[0].required && !definitions[3].required);
    }

    #[test]
    fn misspelt_name_finds_its_neighbour() {
        assert_eq!(
            suggest("database.hostnam", ["database.port", "database.hostname"]),
            Some("database.hostname")
        );
        assert_eq!(suggest("zzz", ["database.port"]), None);
    }
}
