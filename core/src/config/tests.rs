//! Reading properties, and what is said when they do not read.

use serde_json::json;

use super::*;

crate::config! {
    /// A configuration for the tests.
    struct Sample {
        /// Port of the server.
        "server.port" => port: u16,
        /// Wait between attempts.
        "wait.ms" => wait: Millis = "250",
        /// Memory to use.
        "buffer.bytes" => buffer: ByteSize = "1024",
        /// Whether to start.
        "enabled" => enabled: bool = "true",
        /// Tables to read.
        "table.include.list" => tables: Option<PatternList>,
        /// Password of the user.
        "server.password" => password: Option<Secret>,
        /// Passed on to the client.
        "client." => client: Prefixed,
    }
}

fn sample<const N: usize>(pairs: [(&str, &str); N]) -> Sample {
    Sample::from_properties(&Properties::from(pairs)).unwrap()
}

fn faults<const N: usize>(pairs: [(&str, &str); N]) -> Vec<Fault> {
    Sample::from_properties(&Properties::from(pairs)).expect_err("there are faults")
}

#[test]
fn defaults_are_read_as_a_user_would_write_them() {
    let sample = sample([("server.port", " 5432 ")]);

    assert_eq!((sample.port, sample.wait.0.as_millis(), sample.buffer.0), (5432, 250, 1024));
    assert!(sample.enabled && sample.tables.is_none() && sample.password.is_none());
}

#[test]
fn wrong_values_are_told_with_what_is_allowed() {
    let found = faults([
        ("server.port", "65536"),
        ("wait.ms", "1s"),
        ("buffer.bytes", "-1"),
        ("enabled", "yes"),
        ("table.include.list", "a(,b"),
    ]);

    let told: Vec<_> = found.iter().map(|fault| (fault.property.as_str(), fault.message.as_str())).collect();
    assert_eq!(told[0], ("server.port", "expected an integer from 0 to 65535, got `65536`"));
    assert_eq!(told[1], ("wait.ms", "expected milliseconds as a whole number, 0 or more, got `1s`"));
    assert_eq!(told[2], ("buffer.bytes", "expected bytes as a whole number, 0 or more, got `-1`"));
    assert_eq!(told[3], ("enabled", "expected true or false, got `yes`"));
    assert!(told[4].0 == "table.include.list" && told[4].1.contains("regular expressions"), "{told:?}");
}

#[test]
fn missing_property_says_that_it_must_be_set() {
    let found = faults([]);

    assert_eq!((found[0].property.as_str(), found[0].code), ("server.port", "config.missing_property"));
}

#[test]
fn patterns_match_whole_names_whatever_the_case() {
    let tables =
        sample([("server.port", "1"), ("table.include.list", "public\\.users, audit\\..*")]).tables.unwrap();

    assert!(tables.matches("public.USERS") && tables.matches("audit.log"));
    assert!(!tables.matches("public.users2") && !tables.matches("my.public.users"));
}

#[test]
fn passwords_are_in_no_form_that_is_printed() {
    let properties = Properties::from([("server.port", "x"), ("server.password", "hunter2")]);

    assert!(!format!("{properties:?}").contains("hunter2"));
    assert!(!format!("{:?}", Sample::from_properties(&properties)).contains("hunter2"));
    let sample = sample([("server.port", "1"), ("server.password", "hunter2")]);
    assert!(!format!("{sample:?}").contains("hunter2"));
    assert_eq!(sample.password.unwrap().expose(), "hunter2");
}

#[test]
fn prefix_takes_the_keys_below_it_and_not_itself() {
    let sample = sample([("server.port", "1"), ("client.linger.ms", "5"), ("client.", "odd")]);

    assert_eq!(sample.client.0.get("linger.ms").map(String::as_str), Some("5"));
    assert!(Sample::claims("client.linger.ms") && Sample::claims("wait.ms"));
    assert!(!Sample::claims("client.") && !Sample::claims("clients"));
}

#[test]
fn fault_shows_property_code_and_hint() {
    let fault = Fault::invalid("regex", "no").hint("try another").below("transforms.r.");

    assert_eq!(fault.to_string(), "`transforms.r.regex`: no [config.invalid_value]\n  hint: try another");
    assert_eq!(fault.warning().severity, Severity::Warning);
}

#[test]
fn json_schema_tells_types_defaults_and_what_is_required() {
    let schema = json_schema("sample", &Sample::definitions());

    assert_eq!(schema["required"], json!(["server.port"]));
    assert_eq!(schema["properties"]["wait.ms"]["default"], "250");
    assert_eq!(schema["properties"]["enabled"]["enum"], json!(["true", "false"]));
    assert_eq!(schema["properties"]["server.password"]["writeOnly"], true);
    assert!(schema["patternProperties"]["^client\\..+"].is_object());
}

#[test]
fn nearest_name_is_suggested_and_a_far_one_is_not() {
    let known = ["slot.name", "plugin.name", "publication.name"];

    assert_eq!(suggest("slot.nam", known), Some("slot.name"));
    assert_eq!(suggest("colour", known), None);
}

#[test]
fn commas_of_a_pattern_are_written_with_a_backslash() {
    let sample = sample([("server.port", "1"), ("table.include.list", " a\\d{1\\,2} ,, b\\\\,c, ")]);
    let tables = sample.tables.unwrap();

    assert_eq!(tables.len(), 3);
    assert!(tables.matches("A12") && tables.matches("b\\") && tables.matches("c") && !tables.matches("a123"));
}

#[test]
fn blank_list_is_none() {
    assert!(sample([("server.port", "1"), ("table.include.list", "  ")]).tables.is_none());
}

#[test]
fn password_keeps_its_spaces() {
    let sample = sample([("server.port", "1"), ("server.password", " p ")]);

    assert_eq!(sample.password.unwrap().expose(), " p ");
}
