//! The one direction in which the workspace's crates may depend on each other.
//!
//! ```text
//! root → connectors/* → core          root's tests → users, xtask
//! ```
//!
//! Every other edge is a fault: a connector that knew another, or a core that knew a system, could not be taken apart.

use anyhow::{Context, bail};
use serde_json::Value;

/// Where a crate stands, told by its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Core,
    Connector,
    Differential,
    Users,
    Xtask,
}

/// Checks the output of `cargo metadata --no-deps`.
///
/// # Errors
/// Fails with a line for every edge in a forbidden direction, and when the output is not as expected.
pub fn check(metadata: &Value) -> anyhow::Result<()> {
    let root = metadata["workspace_root"].as_str().context("find the workspace's root")?;
    let packages = metadata["packages"].as_array().context("find the workspace's packages")?;
    let mut crates = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("read a package's name")?;
        let manifest = package["manifest_path"].as_str().context("read a package's path")?;
        let place = Place::of(root, manifest).with_context(|| format!("tell the place of `{manifest}`"))?;
        crates.push((name, place, package));
    }
    let mut faults = Vec::new();
    for (name, place, package) in &crates {
        for dependency in package["dependencies"].as_array().context("read dependencies")? {
            let target = crates.iter().find(|(other, ..)| dependency["name"] == **other && other != name);
            let for_tests = dependency["kind"] == "dev";
            if let Some((other, target, _)) = target
                && !place.may_use(*target, for_tests)
            {
                faults.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    if !faults.is_empty() {
        bail!(
            "{}\nallowed: root → connectors, core; connectors → core; root's tests → users, xtask",
            faults.join("\n")
        );
    }
    Ok(())
}

impl Place {
    fn of(root: &str, manifest: &str) -> Option<Self> {
        let folder = manifest.strip_prefix(root)?.strip_suffix("/Cargo.toml")?;
        match folder.trim_start_matches('/') {
            "" => Some(Self::Root),
            "core" => Some(Self::Core),
            "differential" => Some(Self::Differential),
            "users" => Some(Self::Users),
            "xtask" => Some(Self::Xtask),
            folder if folder.starts_with("connectors/") => Some(Self::Connector),
            _ => None,
        }
    }

    fn may_use(self, target: Self, for_tests: bool) -> bool {
        match (self, target) {
            (Self::Root, Self::Connector | Self::Core) | (Self::Connector, Self::Core) => true,
            (Self::Root, Self::Users | Self::Xtask) => for_tests,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, folder: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> =
            dependencies.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
        json!({"name": name, "manifest_path": format!("/w{folder}/Cargo.toml"), "dependencies": dependencies})
    }

    fn workspace(wrong: Option<Value>) -> Value {
        let mut packages = vec![
            package(
                "sluice-cdc",
                "",
                &[("sluice-core", None), ("sluice-kafka", None), ("xtask", Some("dev"))],
            ),
            package("sluice-core", "/core", &[("serde", None), ("sluice-core", Some("dev"))]),
            package("sluice-kafka", "/connectors/kafka", &[("sluice-core", None), ("rdkafka", None)]),
            package("sluice-users", "/users", &[("anyhow", None)]),
        ];
        packages.extend(wrong);
        json!({"workspace_root": "/w", "packages": packages})
    }

    fn fault(wrong: Value) -> String {
        check(&workspace(Some(wrong))).unwrap_err().to_string()
    }

    #[test]
    fn the_intended_edges_pass() {
        check(&workspace(None)).unwrap();
    }

    #[test]
    fn a_connector_must_not_use_another() {
        let wrong = package("sluice-postgres", "/connectors/postgres", &[("sluice-kafka", None)]);

        assert!(fault(wrong).starts_with("sluice-postgres must not depend on sluice-kafka\n"));
    }

    #[test]
    fn a_connectors_tests_must_not_use_another_either() {
        let wrong = package("sluice-postgres", "/connectors/postgres", &[("sluice-kafka", Some("dev"))]);

        assert!(fault(wrong).contains("sluice-postgres must not depend on sluice-kafka"));
    }

    #[test]
    fn only_the_roots_tests_use_the_workload() {
        let wrong = package("sluice-other", "", &[("sluice-users", None)]);

        assert!(fault(wrong).contains("sluice-other must not depend on sluice-users"));
    }

    #[test]
    fn xtask_uses_nothing_of_ours() {
        let wrong = package("xtask", "/xtask", &[("sluice-core", None)]);

        assert!(fault(wrong).contains("xtask must not depend on sluice-core"));
    }

    #[test]
    fn a_crate_in_an_unknown_place_is_a_fault() {
        assert!(fault(package("sluice-new", "/new", &[])).contains("tell the place"));
    }
}
