//! What both sides have in common: names, the properties they are given, and how to wait for something.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use crate::case::{Case, Properties};

/// How long anything may take before a case fails; generous, since machines differ.
const LIMIT: Duration = Duration::from_secs(90);
/// Rest between two looks.
const REST: Duration = Duration::from_millis(20);

/// Stands for the topic prefix in the properties of a case: each side has its own topics.
const PREFIX: &str = "${prefix}";

/// The two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Debezium's connector in Kafka Connect.
    Debezium,
    /// Ours.
    Sluice,
}

impl Program {
    /// The name in properties and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debezium => "debezium",
            Self::Sluice => "sluice",
        }
    }
}

/// The addresses of the servers and programs.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Postgres, as a superuser; the database is replaced.
    pub postgres: tokio_postgres::Config,
    /// Kafka's `bootstrap.servers`.
    pub kafka: String,
    /// The registry's root, such as `http://127.0.0.1:8081`.
    pub registry: String,
    /// Kafka Connect's REST API.
    pub connect: String,
    /// The `sluice` program.
    pub sluice: std::path::PathBuf,
}

/// The names and properties of one side of one case.
#[derive(Debug, Clone)]
pub struct Side {
    /// Which program it is.
    pub program: Program,
    /// Topic prefix and connector name; found in nothing else, so that it can be replaced wherever it occurs.
    pub prefix: String,
    /// Replication slot and publication.
    pub slot: String,
    /// The connector's properties, complete.
    pub properties: Properties,
}

impl Side {
    /// Names a side of a case; `run` keeps the names of different runs apart.
    ///
    /// # Errors
    /// Fails when the Postgres address is not one host and port with a password.
    pub fn new(
        program: Program,
        case: &Case,
        database: &str,
        run: &str,
        servers: &Servers,
    ) -> anyhow::Result<Self> {
        // The run comes last: so no prefix is the beginning of another case's.
        let slot = format!("diff_{}_{}_{run}", &program.name()[..3], case.identifier());
        // Letters and digits only: no naming strategy and no adjustment may change it.
        let prefix = slot.replace('_', "");
        ensure!(slot.len() < 64, "give the case `{}` a shorter name: it is part of a slot's", case.name);
        let mut properties = connection(servers, database)?;
        let mut set = |name: &str, value: &str| properties.insert(name.to_owned(), value.to_owned());
        set("topic.prefix", &prefix);
        set("slot.name", &slot);
        set("publication.name", &slot);
        for role in ["key", "value"] {
            let converter = format!("{role}.converter");
            if !case.settings.contains_key(&converter) {
                avro(role, &servers.registry, &mut properties);
            }
        }
        let own = case.properties(program.name()).into_iter();
        properties.extend(own.map(|(name, value)| (name, value.replace(PREFIX, &prefix))));
        include_the_marker(&mut properties);
        Ok(Self { program, prefix, slot, properties })
    }

    /// Whether the converter of keys or values (`key`, `value`) has a class whose name holds `word`.
    pub fn converts(&self, role: &str, word: &str) -> bool {
        self.properties.get(&format!("{role}.converter")).is_some_and(|class| class.contains(word))
    }
}

fn connection(servers: &Servers, database: &str) -> anyhow::Result<Properties> {
    use tokio_postgres::config::Host;
    let [Host::Tcp(host)] = servers.postgres.get_hosts() else {
        anyhow::bail!("give Postgres as one host");
    };
    let port = servers.postgres.get_ports().first().context("give the port of Postgres")?;
    let password = servers.postgres.get_password().context("give the password of Postgres")?;
    let properties = [
        ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
        ("tasks.max", "1"),
        ("plugin.name", "pgoutput"),
        ("database.hostname", host),
        ("database.port", &port.to_string()),
        ("database.user", servers.postgres.get_user().context("give the user of Postgres")?),
        ("database.password", std::str::from_utf8(password)?),
        ("database.dbname", database),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
        // Debezium looks for changes every half second by default, and hides faults behind retries.
        ("poll.interval.ms", "10"),
        ("errors.max.retries", "0"),
    ];
    Ok(properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// Apicurio's converter in Confluent's wire format: Confluent's own is not in the package registries.
fn avro(role: &str, registry: &str, properties: &mut Properties) {
    let converter = format!("{role}.converter");
    let url = format!("{registry}/apis/registry/v2");
    properties.insert(converter.clone(), "io.apicurio.registry.utils.converter.AvroConverter".to_owned());
    for (name, value) in [
        ("url", url.as_str()),
        ("as-confluent", "true"),
        ("use-id", "contentId"),
        ("auto-register", "true"),
        ("find-latest", "false"),
        ("headers.enabled", "false"),
    ] {
        properties.insert(format!("{converter}.apicurio.registry.{name}"), value.to_owned());
    }
}

/// A list of what to include must let the marker through.
fn include_the_marker(properties: &mut Properties) {
    for (list, marker) in [
        ("schema.include.list", "differential"),
        ("table.include.list", r"differential\.marker"),
        ("column.include.list", r"differential\.marker\..*"),
    ] {
        if let Some(value) = properties.get_mut(list) {
            value.push(',');
            value.push_str(marker);
        }
    }
}

/// Looks again and again until `look` has an answer.
///
/// # Errors
/// Fails when the look does, or when it takes too long.
pub async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = look().await.with_context(|| format!("wait until {what}"))? {
            return Ok(answer);
        }
        ensure!(Instant::now() < deadline, "waited {LIMIT:?} until {what}");
        sleep(REST).await;
    }
}
