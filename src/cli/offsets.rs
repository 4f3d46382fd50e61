//! `sluice import-offsets` and `sluice export-offsets`: from Kafka Connect and back.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::json;
use sluice_core::{
    checkpoint::{self, Checkpoint, CheckpointStore, FileCheckpoints},
    connect_offsets::{OffsetsError, SourceOffset, java_map, to_rest},
    error::Error,
};
use sluice_kafka::write_connect_offset;

use super::{Files, run::with_runtime};
use crate::{
    settings::Settings,
    takeover::{self, Store, TakeOverError},
    worker::{Direction, Plan},
};

/// What both commands are told about the connector.
#[derive(Debug, Args)]
struct Connector {
    /// Worker settings in Kafka Connect's names; environment variables CONNECT_… and --set come on top.
    #[arg(long, value_name = "FILE")]
    worker: Option<PathBuf>,
    /// Sets a worker property, such as `bootstrap.servers=kafka:9092`.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::key_value)]
    set: Vec<(String, String)>,
    /// The connector's file.
    file: PathBuf,
}

impl Connector {
    fn files(&self) -> Files {
        Files { worker: self.worker.clone(), set: self.set.clone(), files: vec![self.file.clone()] }
    }
}

/// Arguments of `import-offsets`.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    connector: Connector,
    #[command(flatten)]
    from: From,
    /// Replace a position that the connector has already.
    #[arg(long)]
    force: bool,
}

/// Where the offsets are; without it, where the worker file says.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct From {
    /// The file of a standalone worker, or of Debezium Server.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// The offsets topic of a cluster, on the worker's brokers.
    #[arg(long, value_name = "TOPIC")]
    from_topic: Option<String>,
    /// The answer of GET /connectors/NAME/offsets.
    #[arg(long, value_name = "FILE")]
    from_json: Option<PathBuf>,
}

/// Arguments of `export-offsets`.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    connector: Connector,
    #[command(flatten)]
    to: To,
}

/// Where the offset goes; without it, to stdout as JSON.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct To {
    /// Put it into the file of a standalone worker that is not running; others' offsets in it are kept.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
    /// Write it into the offsets topic of a cluster whose workers are not running.
    #[arg(long, value_name = "TOPIC")]
    to_topic: Option<String>,
    /// Print it: the body of PATCH /connectors/NAME/offsets.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
}

impl Import {
    pub(super) fn files(&self) -> Files {
        self.connector.files()
    }

    /// Reads the offset, tells what it means, and saves the position.
    pub(super) fn run(&self, settings: &Settings, plan: &Plan) -> ExitCode {
        conclude(self.import(settings, plan))
    }

    async fn import(&self, settings: &Settings, plan: &Plan) -> Result<(), Error> {
        let name = &plan.name;
        let checkpoints = FileCheckpoints::open(settings.worker.offsets_file.as_ref())?;
        if checkpoints.load(name)?.is_some() && !self.force {
            let path = checkpoints.path().to_owned();
            return Err(TakeOverError::HasPosition { connector: name.clone(), path }.into());
        }
        let stores = self.stores(settings, plan)?;
        if stores.is_empty() {
            return Err(TakeOverError::NoStore.into());
        }
        let found = takeover::look_or_list(plan, &stores).await?;
        println!("{name}: in {}", found.store);
        println!("  {}", json!(found.offset));
        for sentence in &found.imported.meaning {
            println!("  - {sentence}");
        }
        let path = checkpoints.path().display();
        match found.imported.position {
            Some(position) => {
                checkpoints.save(&Checkpoint::new(name, position))?;
                println!("{name}: saved in `{path}`; `sluice run` goes on there");
            }
            None => {
                checkpoints.remove(name)?;
                println!("{name}: no position in `{path}`; `sluice run` starts anew");
            }
        }
        Ok(())
    }

    fn stores(&self, settings: &Settings, plan: &Plan) -> Result<Vec<Store>, Error> {
        let From { from_file, from_topic, from_json } = &self.from;
        let topic = |name: &String| Store::topic(plan, &settings.worker, name);
        let file = from_file.clone().map(Store::File).or_else(|| from_json.clone().map(Store::Answer));
        Ok(match file.or_else(|| from_topic.as_ref().map(topic)) {
            Some(given) => vec![given],
            None => Store::of(plan, &settings.worker)?,
        })
    }
}

impl Export {
    pub(super) fn files(&self) -> Files {
        self.connector.files()
    }

    /// Writes the saved position as an offset of Connect's.
    pub(super) fn run(&self, settings: &Settings, plan: &Plan) -> ExitCode {
        conclude(self.export(settings, plan))
    }

    async fn export(&self, settings: &Settings, plan: &Plan) -> Result<(), Error> {
        let name = &plan.name;
        let partition = takeover::partition(plan)?;
        let checkpoints = FileCheckpoints::open(settings.worker.offsets_file.as_ref())?;
        let (Some(position), Direction::Source { connector, .. }) =
            (checkpoints.load(name)?, &plan.direction)
        else {
            let path = checkpoints.path().to_owned();
            return Err(TakeOverError::NoPosition { connector: name.clone(), path }.into());
        };
        let offset = Some(connector.export_offset(position)?);
        let offset = SourceOffset { connector: name.clone(), partition, offset };
        if let Some(file) = &self.to.to_file {
            put_into(file, &offset)?;
            eprintln!("{name}: its offset is in `{}`", file.display());
        } else if let Some(topic) = &self.to.to_topic {
            let client = takeover::topic_client(plan, &settings.worker, topic);
            write_connect_offset(&client, topic, &offset).await?;
            eprintln!("{name}: its offset is in topic `{topic}`");
        } else {
            println!("{:#}", to_rest(&offset));
        }
        eprintln!(
            "{name}: its position stays in `{}`; once Debezium has run, come back with `sluice import-offsets --force`",
            checkpoints.path().display()
        );
        Ok(())
    }
}

/// Puts an offset into a standalone worker's file, which is made if there is none.
fn put_into(path: &Path, offset: &SourceOffset) -> Result<(), Error> {
    let mut pairs = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(TakeOverError::Io { path: path.to_owned(), source }.into()),
        // Java takes an empty file for one without offsets.
        Ok(content) if content.is_empty() => Vec::new(),
        Ok(content) if !java_map::recognise(&content) => {
            return Err(TakeOverError::NotConnects { path: path.to_owned() }.into());
        }
        Ok(content) => java_map::read(&content).map_err(OffsetsError::JavaMap)?,
    };
    let (key, value) = offset.to_pair();
    let mut others = Vec::with_capacity(pairs.len() + 1);
    for pair in pairs.drain(..) {
        let stored = SourceOffset::from_pair(&pair.0, None)?;
        let same = stored.is_some_and(|stored| {
            stored.connector == offset.connector && stored.partition == offset.partition
        });
        if !same {
            others.push(pair);
        }
    }
    others.push((key, value));
    Ok(checkpoint::replace(path, &java_map::write(&others))?)
}

fn conclude(work: impl Future<Output = Result<(), Error>>) -> ExitCode {
    with_runtime(async {
        match work.await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {}", error.report());
                ExitCode::FAILURE
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(connector: &str, lsn: u64) -> SourceOffset {
        let map = |name: &str, value: serde_json::Value| [(name.to_owned(), value)].into_iter().collect();
        SourceOffset {
            connector: connector.to_owned(),
            partition: map("server", "p".into()),
            offset: Some(map("lsn", lsn.into())),
        }
    }

    #[test]
    fn other_connectors_of_a_file_are_kept_and_the_own_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("connect.offsets");
        for (connector, lsn) in [("orders", 1), ("inventory", 2), ("inventory", 3)] {
            put_into(&path, &offset(connector, lsn)).unwrap();
        }

        let pairs = java_map::read(&fs::read(&path).unwrap()).unwrap();

        assert_eq!(pairs, [offset("orders", 1).to_pair(), offset("inventory", 3).to_pair()]);
    }

    #[test]
    fn file_of_somebody_else_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sluice.offsets");
        fs::write(&path, "sluice-checkpoints 1 crc32=…").unwrap();

        let error = put_into(&path, &offset("inventory", 1)).unwrap_err();

        assert_eq!(error.code(), "takeover.not_connects");
        assert!(fs::read_to_string(&path).unwrap().starts_with("sluice"));
    }
}
