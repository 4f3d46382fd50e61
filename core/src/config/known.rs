//! What the properties that somebody set are to those who are to read them.

use super::{Definition, Fault, Properties, Severity, Support, suggest};

/// All definitions that properties may be of. Where several claim a key the most exact one counts, and of
/// equals one that is obeyed, so that each key is judged once.
pub struct Known<'a>(&'a [Definition]);

impl<'a> Known<'a> {
    /// Looks keys up in these definitions.
    pub fn new(definitions: &'a [Definition]) -> Self {
        Self(definitions)
    }

    /// Returns the definition of a key.
    pub fn find(&self, key: &str) -> Option<&'a Definition> {
        let claiming = self.0.iter().filter(|definition| definition.claims(key));
        claiming.max_by_key(|definition| (definition.name.len(), definition.support == Support::Obeyed))
    }

    /// Reports what is set and not obeyed: a warning where it has no effect, an error where it is refused.
    pub fn unobeyed(&self, properties: &Properties) -> Vec<Fault> {
        let judged = |(key, value): (&str, &str)| self.find(key)?.unobeyed(key, value.trim());
        properties.iter().filter_map(judged).collect()
    }

    /// Reports a key that nobody knows, with the nearest known one or `otherwise` as hint.
    pub fn unknown(&self, key: &str, severity: Severity, otherwise: &str) -> Fault {
        let fault = Fault::new("config.unknown_property", key, "unknown property");
        let fault = match suggest(key, self.0.iter().map(|definition| definition.name)) {
            Some(name) => fault.hint(format!("did you mean `{name}`?")),
            None => fault.hint(otherwise),
        };
        Fault { severity, ..fault }
    }
}

impl Definition {
    fn unobeyed(&self, key: &str, value: &str) -> Option<Fault> {
        let mut same = self.default.iter().chain(self.restating);
        if value.is_empty() || same.any(|same| same.eq_ignore_ascii_case(value)) {
            return None;
        }
        match self.support {
            Support::Obeyed => None,
            Support::NoEffect => {
                let message = format!("has no effect: {}", self.documentation);
                Some(Fault::new("config.without_effect", key, message).warning())
            }
            Support::Refused => {
                let message = match (self.default, self.restating) {
                    (None, []) => "is not supported".to_owned(),
                    (default, more) => {
                        let values: Vec<_> =
                            default.iter().chain(more).map(|value| format!("`{value}`")).collect();
                        format!("other values than {} are not supported", values.join(" and "))
                    }
                };
                let instead = self.documentation.to_string();
                Some(Fault::new("config.unsupported_property", key, message).hint(instead))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, no_effect, refused};

    static DEFINITIONS: [Definition; 5] = [
        no_effect("queue.size", Kind::Int, "8192", "queues are bounded in bytes"),
        refused("signal.table", Kind::String, "", "restart it"),
        refused("signal.", Kind::String, "", "there are no signals"),
        refused("query.mode", Kind::String, "select_all", "write a view").restating(&["all"]),
        no_effect("driver.", Kind::String, "", "there is no driver"),
    ];

    fn told(pairs: &[(&str, &str)]) -> Vec<(String, Severity, String)> {
        let properties = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let faults = Known::new(&DEFINITIONS).unobeyed(&properties);
        faults.into_iter().map(|fault| (fault.property, fault.severity, fault.message)).collect()
    }

    #[test]
    fn default_and_restating_values_are_nothing_to_report() {
        assert!(
            told(&[("queue.size", " 8192"), ("query.mode", "SELECT_ALL"), ("signal.table", "")]).is_empty()
        );
        assert!(told(&[("query.mode", "all")]).is_empty());
    }

    #[test]
    fn value_without_effect_is_a_warning_with_the_reason() {
        let told = told(&[("queue.size", "5"), ("driver.x", "1")]);

        assert_eq!(told[0].2, "has no effect: there is no driver");
        assert_eq!(told[1].2, "has no effect: queues are bounded in bytes");
        assert!(told.iter().all(|(_, severity, _)| *severity == Severity::Warning));
    }

    #[test]
    fn refused_property_is_an_error_told_once_though_a_prefix_claims_it_too() {
        let told = told(&[("signal.table", "a.b"), ("query.mode", "custom")]);

        let expected = [
            ("query.mode", "other values than `select_all` and `all` are not supported"),
            ("signal.table", "is not supported"),
        ];
        assert_eq!(told.iter().map(|(key, _, message)| (&**key, &**message)).collect::<Vec<_>>(), expected);
        assert!(told.iter().all(|(_, severity, _)| *severity == Severity::Error));
    }

    #[test]
    fn unknown_key_finds_its_neighbour_and_is_as_bad_as_the_caller_says() {
        let known = Known::new(&DEFINITIONS);

        let fault = known.unknown("queue.sizes", Severity::Warning, "see the manual");

        assert_eq!(
            (fault.severity, fault.hint.as_deref()),
            (Severity::Warning, Some("did you mean `queue.size`?"))
        );
        assert_eq!(
            known.unknown("colour", Severity::Error, "see the manual").hint.as_deref(),
            Some("see the manual")
        );
    }
}
