use crate::{
    config::{Config, Definition, Fault, Properties, Secret},
    registry::Plugin,
    testkit::{Violation, config},
};

crate::config! {
    /// A configuration for the kit.
    struct Sample {
        /// Where.
        "host" => host: String,
        /// Port.
        "port" => port: u16 = "1",
        /// Whether.
        "enabled" => enabled: bool = "true",
        /// Password.
        "password" => password: Option<Secret>,
    }
}

/// A plugin that passes its faults through a defect.
struct Broken(fn(&Properties, Vec<Fault>) -> Vec<Fault>);

impl Plugin for Broken {
    fn name(&self) -> &'static str {
        "Broken"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    fn definitions(&self) -> Vec<Definition> {
        Sample::definitions()
    }

    fn validate(&self, properties: &Properties) -> Vec<Fault> {
        let faults = match Sample::from_properties(properties) {
            Ok(sample) => {
                let secret = sample.password.is_some_and(|password| password.expose().is_empty());
                let _ = (sample.host, sample.port, sample.enabled, secret);
                Vec::new()
            }
            Err(faults) => faults,
        };
        (self.0)(properties, faults)
    }
}

fn check(defect: fn(&Properties, Vec<Fault>) -> Vec<Fault>) -> Result<(), Violation> {
    config::check(&Broken(defect), &Properties::from([("host", "h")]))
}

fn broken(defect: fn(&Properties, Vec<Fault>) -> Vec<Fault>) -> String {
    check(defect).expect_err("the defect is seen").0
}

#[test]
fn sound_configuration_passes() {
    check(|_, faults| faults).unwrap();
}

#[test]
fn fault_without_its_property_is_seen() {
    let unnamed = |_: &Properties, faults: Vec<Fault>| {
        faults.into_iter().map(|fault| Fault { property: String::new(), ..fault }).collect()
    };

    assert!(broken(unnamed).contains("`host` is missing"));
}

#[test]
fn unchecked_type_is_seen() {
    let lax = |_: &Properties, faults: Vec<Fault>| {
        faults.into_iter().filter(|fault| fault.property != "enabled").collect()
    };

    assert!(broken(lax).contains("`enabled` has a value of another type"));
}

#[test]
fn faults_one_at_a_time_are_seen() {
    let first_only = |_: &Properties, faults: Vec<Fault>| faults.into_iter().take(1).collect();

    assert!(broken(first_only).contains("wrong among others"));
}

#[test]
fn shown_password_is_seen() {
    let telling = |properties: &Properties, faults: Vec<Fault>| {
        let password = properties.value("password").unwrap_or_default().to_owned();
        faults.into_iter().map(|fault| fault.hint(format!("with {password}"))).collect()
    };

    assert!(broken(telling).contains("shows a password"));
}

#[test]
fn refused_valid_properties_are_seen() {
    assert!(broken(|_, _| vec![Fault::invalid("host", "no")]).contains("calls valid"));
}
