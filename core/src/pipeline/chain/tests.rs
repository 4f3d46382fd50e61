use super::*;
use crate::{
    testkit::memory::{TestError, key_text, text_record},
    transform::TransformFactory,
    transforms,
};

/// Makes two of a record, or refuses it; in the class names of the tests only.
struct Copies;

crate::config! {
    /// Properties of the double.
    struct CopiesConfig {
        /// How many go on; none is an error.
        "copies" => copies: u16,
    }
}

struct CopiesOf(u16);

impl TransformFactory for Copies {
    const NAME: &'static str = "test.Copies";
    type Config = CopiesConfig;
    type Transform = CopiesOf;

    fn build(&self, config: CopiesConfig) -> Result<CopiesOf, Vec<Fault>> {
        Ok(CopiesOf(config.copies))
    }
}

impl Transform for CopiesOf {
    fn apply(&self, record: Record) -> Result<Transformed, Error> {
        match self.0 {
            0 => Err(TestError::reject()),
            copies => Ok(Transformed::Several(vec![record; copies.into()])),
        }
    }
}

fn registry() -> Registry {
    transforms::register(Registry::default()).transform(Copies)
}

fn chain<const N: usize>(pairs: [(&str, &str); N]) -> Chain {
    Chain::from_properties(&registry(), &Properties::from(pairs))
        .unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn faults<const N: usize>(pairs: [(&str, &str); N]) -> Vec<Fault> {
    Chain::from_properties(&registry(), &Properties::from(pairs)).err().expect("there are faults")
}

/// Topics of what comes out of the chain for records of these topics.
fn topics(chain: &Chain, topics: &[&str]) -> Vec<String> {
    let mut output = Vec::new();
    for topic in topics {
        chain.apply(text_record(topic, "k", Some("v")), &mut output).unwrap();
    }
    output.iter().map(|record| record.topic.to_string()).collect()
}

#[test]
fn transforms_run_in_their_order() {
    let chain = chain([
        ("transforms", "second, first"),
        ("transforms.first.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.first.regex", "b"),
        ("transforms.first.replacement", "c"),
        ("transforms.second.type", "RegexRouter"),
        ("transforms.second.regex", "a"),
        ("transforms.second.replacement", "b"),
    ]);

    assert_eq!(topics(&chain, &["a", "b", "x"]), ["c", "c", "x"]);
}

#[test]
fn predicate_lets_in_and_negate_keeps_out() {
    let filter = |negate| {
        chain([
            ("transforms", "f"),
            ("transforms.f.type", "Filter"),
            ("transforms.f.predicate", "p"),
            ("transforms.f.negate", negate),
            ("predicates", "p"),
            ("predicates.p.type", "TopicNameMatches"),
            ("predicates.p.pattern", "a.*"),
        ])
    };

    assert_eq!(topics(&filter("false"), &["a1", "b", "a2"]), ["b"]);
    assert_eq!(topics(&filter("true"), &["a1", "b", "a2"]), ["a1", "a2"]);
}

#[test]
fn each_of_several_records_goes_through_the_rest() {
    let chain = chain([
        ("transforms", "copies,route"),
        ("transforms.copies.type", "test.Copies"),
        ("transforms.copies.copies", "3"),
        ("transforms.route.type", "RegexRouter"),
        ("transforms.route.regex", "a"),
        ("transforms.route.replacement", "b"),
    ]);

    assert_eq!(topics(&chain, &["a"]), ["b", "b", "b"]);
}

#[test]
fn error_takes_back_what_the_record_had_become() {
    // The second copy is refused after the first went through: nothing of the record may stay.
    let chain = Chain::new(vec![
        Stage { transform: Arc::new(CopiesOf(2)), predicate: None, negate: false },
        Stage { transform: Arc::new(SecondFails::default()), predicate: None, negate: false },
    ]);
    let mut output = vec![text_record("before", "k", None)];

    chain.apply(text_record("t", "k", Some("v")), &mut output).unwrap_err();

    assert_eq!(output.len(), 1);
    assert_eq!((&*output[0].topic, key_text(&output[0])), ("before", "k"));
}

#[derive(Default)]
struct SecondFails(std::sync::atomic::AtomicBool);

impl Transform for SecondFails {
    fn apply(&self, record: Record) -> Result<Transformed, Error> {
        match self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
            true => Err(TestError::reject()),
            false => Ok(Transformed::Keep(record)),
        }
    }
}

#[test]
fn empty_list_is_an_empty_chain() {
    assert!(chain([("transforms", "")]).is_empty());
    assert!(chain([]).is_empty());
}

#[test]
fn unknown_class_lists_the_known_ones() {
    let found = faults([
        ("transforms", "t"),
        ("transforms.t.type", "com.acme.Magic"),
        ("predicates", "p"),
        ("predicates.p.type", "Nope"),
    ]);

    assert_eq!(
        found.iter().map(|fault| fault.property.as_str()).collect::<Vec<_>>(),
        ["predicates.p.type", "transforms.t.type"]
    );
    assert!(
        found[0].message.contains("`Nope`") && found[0].message.contains("TopicNameMatches"),
        "{}",
        found[0]
    );
    assert!(found[1].message.contains("`com.acme.Magic`"), "{}", found[1]);
    assert!(found[1].message.contains("io.debezium.transforms.ExtractNewRecordState"), "{}", found[1]);
}

#[test]
fn well_known_class_that_is_not_built_in_has_an_alternative() {
    let found =
        faults([("transforms", "t"), ("transforms.t.type", "io.debezium.transforms.ByLogicalTableRouter")]);

    assert!(found[0].hint.as_ref().unwrap().contains("SchemaRegexTopicNamingStrategy"), "{}", found[0]);
}

#[test]
fn missing_class_is_a_fault() {
    let found = faults([("transforms", "t")]);

    assert_eq!((found[0].property.as_str(), found[0].code), ("transforms.t.type", "config.missing_property"));
}

#[test]
fn unknown_property_suggests_its_neighbour() {
    let found = faults([
        ("transforms", "t"),
        ("transforms.t.type", "RegexRouter"),
        ("transforms.t.regexp", "a"),
        ("transforms.t.replacement", "b"),
    ]);

    let unknown = found.iter().find(|fault| fault.code == "config.unknown_property").unwrap();
    assert_eq!(unknown.property, "transforms.t.regexp");
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `regex`?"));
    assert!(found.iter().any(|fault| fault.property == "transforms.t.regex"), "{found:?}");
}

#[test]
fn faults_of_all_transforms_and_predicates_come_at_once() {
    let found = faults([
        ("transforms", "a,b,c"),
        ("transforms.a.type", "RegexRouter"),
        ("transforms.a.regex", "(x"),
        ("transforms.a.replacement", "y"),
        ("transforms.b.type", "test.Copies"),
        ("transforms.b.copies", "many"),
        ("transforms.c.type", "Filter"),
        ("transforms.c.predicate", "q"),
        ("transforms.c.negate", "perhaps"),
        ("predicates", "p"),
        ("predicates.p.type", "HasHeaderKey"),
    ]);

    let properties: Vec<_> = found.iter().map(|fault| fault.property.as_str()).collect();
    assert_eq!(
        properties,
        [
            "predicates.p.name",
            "transforms.a.regex",
            "transforms.b.copies",
            "transforms.c.negate",
            "transforms.c.predicate"
        ]
    );
}

#[test]
fn unknown_predicate_lists_those_that_are_declared() {
    let found = faults([
        ("transforms", "f"),
        ("transforms.f.type", "Filter"),
        ("transforms.f.predicate", "q"),
        ("predicates", "p"),
        ("predicates.p.type", "RecordIsTombstone"),
    ]);

    assert_eq!(found[0].property, "transforms.f.predicate");
    assert!(found[0].message.contains("`q`") && found[0].message.ends_with("lists: p"), "{}", found[0]);
}

#[test]
fn negate_without_predicate_is_a_fault() {
    let found =
        faults([("transforms", "f"), ("transforms.f.type", "Filter"), ("transforms.f.negate", "true")]);

    assert_eq!(found[0].property, "transforms.f.negate");
}

#[test]
fn same_alias_twice_is_a_fault() {
    let found = faults([("transforms", "f,f"), ("transforms.f.type", "Filter")]);

    assert_eq!(found[0].property, "transforms");
    assert!(found[0].message.contains("`f`"), "{}", found[0]);
}

#[test]
fn keys_of_named_aliases_are_claimed_and_no_others() {
    let properties = Properties::from([("transforms", "a"), ("predicates", "p")]);
    let claims = |key| Chain::claims(&properties, key);

    assert!(claims("transforms") && claims("transforms.a.type") && claims("predicates.p.pattern"));
    assert!(!claims("transforms.b.type") && !claims("transforms.ab.type") && !claims("predicates.a.type"));
    assert!(!claims("transform"));
}
