//! `RegexRouter`: gives records another topic.
//!
//! Hot path. The answer is kept per topic.

use std::sync::Arc;

use super::cache::Cache;
use crate::{
    config::Fault,
    error::Error,
    java_regex::{Rewrite, RewriteError},
    record::Record,
    transform::{Transform, TransformFactory, Transformed},
};

crate::config! {
    /// Properties of `RegexRouter`.
    pub struct RegexRouterConfig {
        /// Java regular expression; a topic that it matches as a whole is renamed.
        "regex" => regex: String,
        /// New topic: replaces what `regex` finds first; `$1` and `${name}` stand for groups.
        "replacement" => replacement: String,
    }
}

/// Renames the topics that a regular expression matches.
#[derive(Debug, Clone, Copy)]
pub struct RegexRouter;

/// A [`RegexRouter`] at work.
pub struct RegexRoute {
    rewrite: Rewrite,
    routes: Cache<Arc<str>, Arc<str>>,
}

impl TransformFactory for RegexRouter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.RegexRouter";
    type Config = RegexRouterConfig;
    type Transform = RegexRoute;

    fn build(&self, config: RegexRouterConfig) -> Result<RegexRoute, Vec<Fault>> {
        let rewrite = Rewrite::parse(&config.regex, &config.replacement).map_err(|error| match error {
            RewriteError::Pattern(reason) => vec![Fault::invalid("regex", reason)],
            RewriteError::Replacement(reason) => vec![Fault::invalid("replacement", reason)],
        })?;
        Ok(RegexRoute { rewrite, routes: Cache::default() })
    }
}

impl Transform for RegexRoute {
    fn apply(&self, mut record: Record) -> Result<Transformed, Error> {
        record.topic = self.routes.get_or_derive(Arc::clone(&record.topic), || {
            let topic = self.rewrite.apply(&record.topic).map(Arc::from);
            Ok::<_, Error>(topic.unwrap_or_else(|| Arc::clone(&record.topic)))
        })?;
        Ok(Transformed::Keep(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Datum, Payload};

    fn routed(regex: &str, replacement: &str, topic: &str) -> String {
        let config = RegexRouterConfig { regex: regex.to_owned(), replacement: replacement.to_owned() };
        let route = RegexRouter.build(config).expect("the properties are right");
        let record = || Record::new(topic.into(), Datum::NULL, Payload::TOMBSTONE);
        route.apply(record()).unwrap();
        match route.apply(record()).unwrap() {
            Transformed::Keep(record) => record.topic.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn topic_is_renamed_as_recorded_from_the_original() {
        // Recorded: golden/smt_regex_route.json.
        assert_eq!(
            routed("([^.]+)\\.([^.]+)\\.([^.]+)", "smt_regex_route.rr.$3", "smt_regex_route.public.t"),
            "smt_regex_route.rr.t"
        );
    }

    #[test]
    fn topic_that_matches_in_part_only_keeps_its_name() {
        assert_eq!(routed("public", "x", "users.public.users"), "users.public.users");
    }

    #[test]
    fn what_is_found_first_is_replaced() {
        assert_eq!(routed("a|ab", "x", "ab"), "xb");
    }

    #[test]
    fn faults_name_the_property() {
        let faults = |regex: &str, replacement: &str| {
            let config = RegexRouterConfig { regex: regex.to_owned(), replacement: replacement.to_owned() };
            RegexRouter.build(config).err().unwrap_or_default().remove(0).property
        };

        assert_eq!(faults("(x", "y"), "regex");
        assert_eq!(faults("x", "$1"), "replacement");
    }
}
