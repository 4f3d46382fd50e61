//! Where connectors stand, kept across restarts.
//!
//! The file store holds all connectors of a process in one file: a first line with the format's
//! version and a CRC-32 of the rest, then one JSON object from connector name to position. It is
//! replaced as a whole: write beside, sync, rename, sync the directory. A file that does not read is an
//! error; it is never taken for "start anew".

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value as Json;

use crate::error::{Classify, Error, ErrorClass};

/// First words of a checkpoint file.
const MAGIC: &str = "sluice-checkpoints 1 crc32=";

/// What is saved after a flush.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Name of the connector.
    pub connector: String,
    /// The source's position, as its `Position` type serialises.
    pub position: Json,
}

impl Checkpoint {
    /// Joins a connector's name and a position.
    pub fn new(connector: &str, position: Json) -> Self {
        Self { connector: connector.to_owned(), position }
    }
}

/// Keeps the newest checkpoint of each connector. Blocking; the driver calls it off the async threads.
pub trait CheckpointStore: Send + Sync {
    /// Returns a connector's position, or none if it never saved one.
    ///
    /// # Errors
    /// When the store cannot be read or its content is damaged.
    fn load(&self, connector: &str) -> Result<Option<Json>, Error>;

    /// Saves a position durably: on return it survives a crash of the machine.
    ///
    /// # Errors
    /// When it is not known to be durable.
    fn save(&self, checkpoint: &Checkpoint) -> Result<(), Error>;

    /// Forgets a connector's position.
    ///
    /// # Errors
    /// As for [`CheckpointStore::save`].
    fn remove(&self, connector: &str) -> Result<(), Error>;
}

/// A checkpoint file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {action} checkpoint file `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The content is not what was written.
    #[error("checkpoint file `{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

impl Classify for CheckpointError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "checkpoint.io",
            Self::Damaged { .. } => "checkpoint.damaged",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "check that the directory exists, is writable and has room".to_owned(),
            Self::Damaged { .. } => {
                "restore the file from a backup; or move it away and decide, connector by \
                connector, whether to start from a new snapshot: sluice never guesses a position"
                    .to_owned()
            }
        })
    }
}

/// A store in one file, shared by all the connectors of a process.
#[derive(Debug, Clone)]
pub struct FileCheckpoints {
    path: Arc<Path>,
    positions: Arc<Mutex<BTreeMap<String, Json>>>,
}

impl FileCheckpoints {
    /// Opens the file, or starts without positions if there is none.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let positions = match fs::read_to_string(path) {
            Ok(text) => {
                decode(&text).map_err(|what| CheckpointError::Damaged { path: path.to_owned(), what })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(CheckpointError::Damaged {
                    path: path.to_owned(),
                    what: "not UTF-8 text".to_owned(),
                });
            }
            Err(source) => return Err(CheckpointError::Io { action: "read", path: path.to_owned(), source }),
        };
        Ok(Self { path: path.into(), positions: Arc::new(Mutex::new(positions)) })
    }

    /// Changes the positions in memory and then on disk; on failure both keep the old state.
    fn update(&self, change: impl FnOnce(&mut BTreeMap<String, Json>)) -> Result<(), Error> {
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = positions.clone();
        change(&mut changed);
        replace(&self.path, encode(&changed).as_bytes())?;
        *positions = changed;
        Ok(())
    }
}

impl CheckpointStore for FileCheckpoints {
    fn load(&self, connector: &str) -> Result<Option<Json>, Error> {
        let positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(positions.get(connector).cloned())
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        self.update(|positions| {
            positions.insert(checkpoint.connector.clone(), checkpoint.position.clone());
        })
    }

    fn remove(&self, connector: &str) -> Result<(), Error> {
        self.update(|positions| {
            positions.remove(connector);
        })
    }
}

fn encode(positions: &BTreeMap<String, Json>) -> String {
    let body = serde_json::to_string_pretty(positions).expect("a map from text to JSON serialises");
    format!("{MAGIC}{:08x}\n{body}\n", crc32fast::hash(body.as_bytes()))
}

fn decode(text: &str) -> Result<BTreeMap<String, Json>, String> {
    let (head, body) = text.split_once('\n').ok_or("no end of the first line")?;
    let checksum = head.strip_prefix(MAGIC).ok_or_else(|| format!("does not begin with `{MAGIC}`"))?;
    let body = body.strip_suffix('\n').ok_or("no end of the last line")?;
    if checksum != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
        return Err("the checksum does not match".to_owned());
    }
    serde_json::from_str(body).map_err(|error| error.to_string())
}

/// Replaces a file so that a crash at any moment leaves the old or the new content.
fn replace(path: &Path, content: &[u8]) -> Result<(), CheckpointError> {
    let failed = |action| move |source| CheckpointError::Io { action, path: path.to_owned(), source };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).map_err(failed("create the directory of"))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = File::create(&beside).map_err(failed("create"))?;
    file.write_all(content).map_err(failed("write"))?;
    file.sync_all().map_err(failed("sync"))?;
    fs::rename(&beside, path).map_err(failed("replace"))?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("sync the directory of"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn saved(directory: &Path) -> (PathBuf, FileCheckpoints) {
        let path = directory.join("offsets");
        let store = FileCheckpoints::open(&path).unwrap();
        store.save(&Checkpoint { connector: "users".to_owned(), position: json!({"lsn": "0/16"}) }).unwrap();
        (path, store)
    }

    #[test]
    fn saved_position_survives_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _store) = saved(directory.path());

        let reopened = FileCheckpoints::open(&path).unwrap();

        assert_eq!(reopened.load("users").unwrap(), Some(json!({"lsn": "0/16"})));
        assert_eq!(reopened.load("orders").unwrap(), None);
    }

    #[test]
    fn file_cut_at_any_byte_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _store) = saved(directory.path());
        let whole = fs::read(&path).unwrap();

        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = FileCheckpoints::open(&path).unwrap_err();
            assert_eq!(error.code(), "checkpoint.damaged", "cut at {length}");
        }
    }

    #[test]
    fn failed_save_keeps_the_old_position() {
        let directory = tempfile::tempdir().unwrap();
        let (path, store) = saved(directory.path());
        fs::create_dir(path.with_extension("new")).unwrap();

        let result = store.save(&Checkpoint { connector: "users".to_owned(), position: json!(2) });

        assert!(result.is_err());
        assert_eq!(store.load("users").unwrap(), Some(json!({"lsn": "0/16"})));
    }
}
