//! Where connectors stand, kept across restarts.
//!
//! The file store holds all connectors of a process in one file: a first line with the format's
//! version and a CRC-32 of the rest, then one JSON object from connector name to position. It is
//! replaced as a whole: write beside, sync, rename, sync the directory. A file that does not read is an
//! error; it is never taken for "start anew".
//!
//! A file of the same name that Kafka Connect's standalone worker wrote is left alone: ours then stands beside it,
//! under its name with `.sluice`.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value as Json;

use crate::{
    connect_offsets::java_map,
    error::{Classify, Error, ErrorClass},
};

/// First words of a checkpoint file.
const MAGIC: &str = "sluice-checkpoints 1 crc32=";
/// Ending of our file beside one of Kafka Connect's.
const BESIDE_CONNECT: &str = ".sluice";

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
    /// Another process keeps its positions there.
    #[error("checkpoint file `{}` is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
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
            Self::InUse { .. } => "checkpoint.in_use",
            Self::Damaged { .. } => "checkpoint.damaged",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "check that the directory exists, is writable and has room".to_owned(),
            Self::InUse { .. } => {
                "give each process a file of its own with `offset.storage.file.filename`, or run the connectors in \
                one process: two would overwrite each other's positions"
                    .to_owned()
            }
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
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    positions: BTreeMap<String, Json>,
    /// Keeps other processes out from the first use on; the system lets go of it with the process.
    lock: Option<File>,
}

impl FileCheckpoints {
    /// Opens the file, or starts without positions if there is none. Where the path leads to a file of Kafka
    /// Connect's, the one beside it is opened.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let own = beside(path, BESIDE_CONNECT);
        // Ours stays where it is when the other is moved away: it must not be missed.
        let path = if own.exists() || is_connects(path)? { own } else { path.to_owned() };
        read(&path)?;
        Ok(Self { path: path.into(), state: Arc::default() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Locks the file and reads it, at the first use.
    fn state(&self) -> Result<MutexGuard<'_, State>, CheckpointError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lock.is_none() {
            let lock = lock(&self.path)?;
            state.positions = read(&self.path)?;
            state.lock = Some(lock);
        }
        Ok(state)
    }

    /// Changes the positions in memory and then on disk; on failure both keep the old state.
    fn update(&self, change: impl FnOnce(&mut BTreeMap<String, Json>)) -> Result<(), Error> {
        let mut state = self.state()?;
        let mut changed = state.positions.clone();
        change(&mut changed);
        replace(&self.path, encode(&changed).as_bytes())?;
        state.positions = changed;
        Ok(())
    }
}

impl CheckpointStore for FileCheckpoints {
    fn load(&self, connector: &str) -> Result<Option<Json>, Error> {
        Ok(self.state()?.positions.get(connector).cloned())
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

/// Whether there is a file that Kafka Connect's standalone worker wrote.
///
/// # Errors
/// When it cannot be read.
pub fn is_connects(path: &Path) -> Result<bool, CheckpointError> {
    let mut magic = [0; java_map::MAGIC.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut magic)) {
        Ok(()) => Ok(java_map::recognise(&magic)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {
            Ok(false)
        }
        Err(source) => Err(CheckpointError::Io { action: "read", path: path.to_owned(), source }),
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Json>, CheckpointError> {
    let damaged = |what| CheckpointError::Damaged { path: path.to_owned(), what };
    match fs::read_to_string(path) {
        Ok(text) => decode(&text).map_err(damaged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(damaged("not UTF-8 text".to_owned())),
        Err(source) => Err(CheckpointError::Io { action: "read", path: path.to_owned(), source }),
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

/// Locks the file by one beside it, since the file itself is replaced at each save.
fn lock(path: &Path) -> Result<File, CheckpointError> {
    let failed = |source| CheckpointError::Io { action: "lock", path: path.to_owned(), source };
    fs::create_dir_all(directory(path)).map_err(failed)?;
    let file = File::create(beside(path, ".lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CheckpointError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Replaces a file so that a crash at any moment leaves the old or the new content.
///
/// # Errors
/// When the new content is not known to be durable.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), CheckpointError> {
    let failed = |action| move |source| CheckpointError::Io { action, path: path.to_owned(), source };
    let directory = directory(path);
    fs::create_dir_all(directory).map_err(failed("create the directory of"))?;
    let beside = beside(path, ".new");
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
        let (path, store) = saved(directory.path());
        drop(store);

        let reopened = FileCheckpoints::open(&path).unwrap();

        assert_eq!(reopened.load("users").unwrap(), Some(json!({"lsn": "0/16"})));
        assert_eq!(reopened.load("orders").unwrap(), None);
    }

    #[test]
    fn second_process_cannot_overwrite_what_the_first_saves() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let idle = FileCheckpoints::open(&path).unwrap();
        let (_, store) = saved(directory.path());
        let orders = Checkpoint { connector: "orders".to_owned(), position: json!(1) };

        assert_eq!(idle.save(&orders).unwrap_err().code(), "checkpoint.in_use");
        assert_eq!(idle.load("users").unwrap_err().code(), "checkpoint.in_use");
        drop(store);
        idle.save(&orders).unwrap();
        assert_eq!(idle.load("users").unwrap(), Some(json!({"lsn": "0/16"})), "what came meanwhile is kept");
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
    fn file_of_connect_is_left_alone_and_ours_stands_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let theirs = java_map::write(&[]);
        fs::write(&path, &theirs).unwrap();

        let (_, store) = saved(directory.path());

        assert_eq!(fs::read(&path).unwrap(), theirs);
        assert_eq!(store.path(), directory.path().join("offsets.sluice"));
        drop(store);
        fs::remove_file(&path).unwrap();
        let alone = FileCheckpoints::open(&path).unwrap();
        assert!(alone.load("users").unwrap().is_some(), "without Connect's file ours is still found");
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
