//! Where Kafka Connect keeps the offsets of a connector that is taken over or given back.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use sluice_core::{
    checkpoint::{CheckpointError, is_connects},
    config::Properties,
    connect_offsets::{OffsetMap, SourceOffset, from_pairs, from_rest, java_map},
    error::{Classify, Error, ErrorClass},
    source::Imported,
};
use sluice_kafka::read_connect_offsets;

use crate::{
    settings::WorkerSettings,
    worker::{Direction, Plan, client_properties},
};

/// A place where Connect's offsets are.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    /// The topic of a cluster, and how to reach it.
    Topic { name: String, client: Properties },
    /// The file of a standalone worker, or of Debezium Server.
    File(PathBuf),
    /// What `GET /connectors/NAME/offsets` answered.
    Answer(PathBuf),
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic { name, .. } => write!(formatter, "topic `{name}`"),
            Self::File(path) | Self::Answer(path) => write!(formatter, "file `{}`", path.display()),
        }
    }
}

impl Store {
    /// The topic of this name.
    pub(crate) fn topic(plan: &Plan, worker: &WorkerSettings, name: &str) -> Self {
        Self::Topic { name: name.to_owned(), client: topic_client(plan, worker, name) }
    }

    /// Finds the places that the files of connector and worker name, in the order in which Connect looks: the connector's own
    /// topic; the topic of the cluster, or a file that a standalone worker wrote.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub(crate) fn of(plan: &Plan, worker: &WorkerSettings) -> Result<Vec<Self>, CheckpointError> {
        let topic = |name: &String| Self::topic(plan, worker, name);
        let mut stores: Vec<_> = plan.offsets_topic.iter().map(topic).collect();
        let path = Path::new(&worker.offsets_file);
        if let (Some(_), Some(name)) = (&worker.group, &worker.offsets_topic) {
            stores.push(topic(name));
        } else if is_connects(path)? {
            stores.push(Self::File(path.to_owned()));
        }
        Ok(stores)
    }

    /// Reads all offsets that are there; an answer of the REST API is one about `connector`.
    ///
    /// # Errors
    /// When the place cannot be read, or what is there is not what Connect writes.
    async fn read(&self, connector: &str) -> Result<Vec<SourceOffset>, Error> {
        let content = |path: &Path| {
            fs::read(path).map_err(|source| TakeOverError::Io { path: path.to_owned(), source })
        };
        Ok(match self {
            Self::Topic { name, client } => {
                let pairs = read_connect_offsets(client, name).await?;
                if pairs.is_none() {
                    tracing::warn!(topic = name, "there is no such topic of Kafka Connect's offsets");
                }
                from_pairs(&pairs.unwrap_or_default())?
            }
            Self::File(path) => {
                let pairs = java_map::read(&content(path)?);
                from_pairs(&pairs.map_err(sluice_core::connect_offsets::OffsetsError::JavaMap)?)?
            }
            Self::Answer(path) => from_rest(connector, &content(path)?)?,
        })
    }
}

/// How to reach a topic of offsets: the connector's own as the connector does, another as the worker does.
pub(crate) fn topic_client(plan: &Plan, worker: &WorkerSettings, topic: &str) -> Properties {
    let own = plan.offsets_topic.as_deref() == Some(topic);
    if own { plan.properties.clone() } else { client_properties(worker) }
}

/// Why a connector cannot be taken over or given back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeOverError {
    #[error("cannot read `{}`", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{store} has the offset of this `topic.prefix` under another name of the connector: `{found}`")]
    OtherName { store: String, found: String },
    #[error(
        "{store} has no offset of connector `{connector}` with partition {partition}; there are: {known}"
    )]
    NotFound { store: String, connector: String, partition: String, known: String },
    #[error("connector `{connector}` has a position of its own in `{}` already", path.display())]
    HasPosition { connector: String, path: PathBuf },
    #[error("connector `{connector}` has no position in `{}`", path.display())]
    NoPosition { connector: String, path: PathBuf },
    #[error("no offsets of Kafka Connect are named")]
    NoStore,
    #[error("connector `{connector}` is no source that Kafka Connect has, too")]
    NoCounterpart { connector: String },
    #[error("`{}` is there and was not written by Kafka Connect", path.display())]
    NotConnects { path: PathBuf },
}

impl Classify for TakeOverError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "takeover.io",
            Self::OtherName { .. } => "takeover.other_name",
            Self::NotFound { .. } => "takeover.not_found",
            Self::HasPosition { .. } => "takeover.has_position",
            Self::NoPosition { .. } => "takeover.no_position",
            Self::NoStore => "takeover.no_store",
            Self::NoCounterpart { .. } => "takeover.no_counterpart",
            Self::NotConnects { .. } => "takeover.not_connects",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "check the path and who may read it".to_owned(),
            Self::OtherName { found, .. } => {
                format!("Connect keeps offsets by the connector's name: set `name` to `{found}`")
            }
            Self::NotFound { .. } => "`name` and `topic.prefix` must be those that Debezium ran with".to_owned(),
            Self::HasPosition { .. } => {
                "leave it, and `sluice run` goes on there; `--force` puts Debezium's in its place".to_owned()
            }
            Self::NoPosition { .. } => {
                "name the worker file that `sluice run` was started with; a connector that never saved a position \
                 has nothing to give back"
                    .to_owned()
            }
            Self::NoStore => "name them with --from-file, --from-topic or --from-json; or give a worker file of Connect \
                              with --worker: `group.id` and `offset.storage.topic` of a cluster, or \
                              `offset.storage.file.filename` of a standalone worker that has run"
                .to_owned(),
            Self::NoCounterpart { .. } => "only sources can be taken over and given back".to_owned(),
            Self::NotConnects { .. } => "choose another file, or move this one away".to_owned(),
        })
    }
}

/// Names places.
pub(crate) fn names(stores: &[Store]) -> String {
    stores.iter().map(Store::to_string).collect::<Vec<_>>().join(" and ")
}

/// What was found of a connector.
pub(crate) struct Found<'a> {
    pub(crate) store: &'a Store,
    pub(crate) offset: OffsetMap,
    pub(crate) imported: Imported<serde_json::Value>,
}

/// Names the partition of a connector's offsets.
///
/// # Errors
/// [`TakeOverError::NoCounterpart`].
pub(crate) fn partition(plan: &Plan) -> Result<OffsetMap, Error> {
    let Direction::Source { connector, .. } = &plan.direction else {
        return Err(TakeOverError::NoCounterpart { connector: plan.name.clone() }.into());
    };
    let partition = connector.offset_partition(&plan.properties)?;
    partition.ok_or_else(|| TakeOverError::NoCounterpart { connector: plan.name.clone() }.into())
}

/// Looks for the offset of a connector and reads it as a position; none if Connect never stored one, or reset it.
///
/// # Errors
/// When the offsets cannot be read, are of a connector of another name, or do not fit what the source finds.
pub(crate) async fn look<'a>(plan: &Plan, stores: &'a [Store]) -> Result<Option<Found<'a>>, Error> {
    find_and_import(plan, &read(plan, stores).await?).await
}

/// As [`look`], for those who asked for this connector: without an offset it is an error, which names those there are.
///
/// # Errors
/// As for [`look`], and [`TakeOverError::NotFound`].
pub(crate) async fn look_or_list<'a>(plan: &Plan, stores: &'a [Store]) -> Result<Found<'a>, Error> {
    let stored = read(plan, stores).await?;
    if let Some(found) = find_and_import(plan, &stored).await? {
        return Ok(found);
    }
    let line = |Stored { offset, .. }: &Stored<'_>| {
        let reset = if offset.offset.is_none() { " (reset)" } else { "" };
        format!("`{}` {}{reset}", offset.connector, serde_json::json!(offset.partition))
    };
    let known: Vec<_> = stored.iter().map(line).collect();
    Err(TakeOverError::NotFound {
        store: names(stores),
        connector: plan.name.clone(),
        partition: serde_json::json!(partition(plan)?).to_string(),
        known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
    }
    .into())
}

/// An offset and where it is.
struct Stored<'a> {
    store: &'a Store,
    offset: SourceOffset,
}

async fn read<'a>(plan: &Plan, stores: &'a [Store]) -> Result<Vec<Stored<'a>>, Error> {
    let mut stored = Vec::new();
    for store in stores {
        stored.extend(store.read(&plan.name).await?.into_iter().map(|offset| Stored { store, offset }));
    }
    Ok(stored)
}

async fn find_and_import<'a>(plan: &Plan, stored: &[Stored<'a>]) -> Result<Option<Found<'a>>, Error> {
    let Direction::Source { connector, .. } = &plan.direction else { return Ok(None) };
    let Some((store, offset)) = find(stored, &plan.name, &partition(plan)?)? else { return Ok(None) };
    let imported = connector.import_offset(&plan.properties, &offset).await?;
    Ok(Some(Found { store, offset, imported }))
}

/// Finds the first offset of a partition that was not reset; the partition must be of no other connector alone.
fn find<'a>(
    stored: &[Stored<'a>],
    name: &str,
    partition: &OffsetMap,
) -> Result<Option<(&'a Store, OffsetMap)>, TakeOverError> {
    let same = || stored.iter().filter(|stored| stored.offset.partition == *partition);
    let own = || same().filter(|stored| stored.offset.connector == name);
    if own().next().is_some() {
        return Ok(own().find_map(|stored| Some((stored.store, stored.offset.offset.clone()?))));
    }
    match same().find(|stored| stored.offset.offset.is_some()) {
        None => Ok(None),
        Some(Stored { store, offset }) => {
            Err(TakeOverError::OtherName { store: store.to_string(), found: offset.connector.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(connector: &str, server: &str, lsn: Option<u64>) -> SourceOffset {
        let map = |name: &str, value: serde_json::Value| [(name.to_owned(), value)].into_iter().collect();
        SourceOffset {
            connector: connector.to_owned(),
            partition: map("server", server.into()),
            offset: lsn.map(|lsn| map("lsn", lsn.into())),
        }
    }

    /// Looks in the connector's own topic and in the worker's file.
    fn found_in(own: &[SourceOffset], worker: &[SourceOffset]) -> Result<Option<OffsetMap>, TakeOverError> {
        let [topic, file] = ["own", "connect.offsets"].map(|name| Store::File(name.into()));
        let own = own.iter().map(|offset| Stored { store: &topic, offset: offset.clone() });
        let worker = worker.iter().map(|offset| Stored { store: &file, offset: offset.clone() });
        let stored: Vec<_> = own.chain(worker).collect();
        let partition = self::stored("", "p", None).partition;
        Ok(find(&stored, "inventory", &partition)?.map(|(_, offset)| offset))
    }

    fn found(offsets: &[SourceOffset]) -> Result<Option<OffsetMap>, TakeOverError> {
        found_in(&[], offsets)
    }

    #[test]
    fn own_topic_counts_before_what_the_worker_has() {
        let worker = [stored("inventory", "p", Some(1))];

        let lsn = |own: &[SourceOffset]| found_in(own, &worker).unwrap().unwrap()["lsn"].clone();

        assert_eq!(lsn(&[stored("inventory", "p", Some(2))]), 2);
        assert_eq!(lsn(&[stored("inventory", "q", Some(2))]), 1, "of another prefix");
        assert_eq!(lsn(&[stored("orders", "p", Some(2))]), 1, "of another connector");
        assert_eq!(lsn(&[stored("inventory", "p", None)]), 1, "reset");
    }

    #[test]
    fn offset_is_found_by_name_and_prefix() {
        let offsets = [stored("inventory", "q", Some(1)), stored("inventory", "p", Some(2))];

        assert_eq!(found(&offsets).unwrap().unwrap()["lsn"], 2);
    }

    #[test]
    fn same_prefix_under_another_name_is_refused_by_that_name() {
        let error = found(&[stored("orders", "p", Some(1))]).unwrap_err();

        assert!(error.to_string().contains("`orders`"), "{error}");
        assert!(error.hint().unwrap().contains("set `name` to `orders`"));
    }

    #[test]
    fn reset_offset_and_other_prefixes_are_none() {
        assert_eq!(found(&[stored("inventory", "p", None)]).unwrap(), None);
        assert_eq!(found(&[stored("inventory", "q", Some(1))]).unwrap(), None);
        assert_eq!(found(&[stored("orders", "p", None)]).unwrap(), None);
    }
}
