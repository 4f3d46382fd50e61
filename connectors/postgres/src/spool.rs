//! Where a transaction waits for its commit: in memory, and past a budget in a file.
//!
//! Hot path. The file has no name: the system removes it with the process, whatever happens. Writes
//! go to the page cache in large pieces, so they are done in place and not on another thread.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::table::Table;

/// Written and read at once.
const PIECE: usize = 256 * 1024;
/// What an entry costs in memory beside its payload.
const ENTRY_BYTES: usize = size_of::<Entry>();
const TAG_FRAME: u8 = 0;
const TAG_TABLE: u8 = 1;
/// Tag, position and length of a frame in the file.
const FRAME_HEAD: usize = 1 + 8 + 4;

/// What a transaction is made of.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A message of the output plugin.
    Frame {
        /// The position that the server gave it.
        lsn: Lsn,
        /// The message.
        payload: Bytes,
    },
    /// From here on, changes of this relation follow this version of its table.
    Table(Arc<Table>),
}

/// The entries of one transaction, in their order: first written, then read.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    memory: VecDeque<Entry>,
    memory_bytes: usize,
    file_bytes: u64,
    tables: VecDeque<Arc<Table>>,
    writer: Option<BufWriter<File>>,
    reader: Option<SpoolReader>,
    directory: String,
}

#[derive(Debug)]
struct SpoolReader {
    file: File,
    buffer: BytesMut,
}

impl Spool {
    /// Returns how much memory the entries hold.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Returns how many bytes went to a file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Whether entries are in a file.
    #[cfg(test)]
    pub(crate) fn spilled(&self) -> bool {
        self.writer.is_some() || self.reader.is_some()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), SourceError> {
        if self.writer.is_some() {
            return self.write(&entry);
        }
        if let Entry::Frame { payload, .. } = &entry {
            self.memory_bytes += payload.len() + ENTRY_BYTES;
        }
        self.memory.push_back(entry);
        Ok(())
    }

    /// Copies the frames from `first` on into memory of their own, so that they do not hold large
    /// receive buffers of which they are a small part.
    pub(crate) fn compact(&mut self, first: usize) {
        for entry in self.memory.range_mut(first.min(self.memory.len())..) {
            if let Entry::Frame { payload, .. } = entry {
                *payload = Bytes::copy_from_slice(payload);
            }
        }
    }

    /// Returns how many entries are in memory.
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// Moves all entries to a file; what is pushed later goes there, too.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub(crate) fn spill(&mut self, directory: &Path) -> Result<(), SourceError> {
        if self.writer.is_some() {
            return Ok(());
        }
        self.directory = directory.display().to_string();
        let file = tempfile::tempfile_in(directory).map_err(|source| self.failed("create", source))?;
        self.writer = Some(BufWriter::with_capacity(PIECE, file));
        self.memory_bytes = 0;
        for entry in std::mem::take(&mut self.memory) {
            self.write(&entry)?;
        }
        Ok(())
    }

    /// Ends writing.
    ///
    /// # Errors
    /// When the file cannot be written to its end.
    pub(crate) fn finish(&mut self) -> Result<(), SourceError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let mut file = writer.into_inner().map_err(|error| self.failed("write", error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(|source| self.failed("read", source))?;
        self.reader = Some(SpoolReader { file, buffer: BytesMut::new() });
        Ok(())
    }

    /// Takes the next entry; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        let Some(reader) = &mut self.reader else { return Ok(self.memory.pop_front()) };
        reader.next(&mut self.tables).map_err(|source| self.failed("read", source))
    }

    fn write(&mut self, entry: &Entry) -> Result<(), SourceError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = match entry {
            Entry::Frame { lsn, payload } => {
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                self.file_bytes += FRAME_HEAD as u64 + payload.len() as u64;
                let mut head = [0; FRAME_HEAD];
                head[0] = TAG_FRAME;
                head[1..9].copy_from_slice(&lsn.as_u64().to_be_bytes());
                head[9..].copy_from_slice(&length.to_be_bytes());
                writer.write_all(&head).and_then(|()| writer.write_all(payload))
            }
            Entry::Table(table) => {
                self.tables.push_back(Arc::clone(table));
                writer.write_all(&[TAG_TABLE])
            }
        };
        written.map_err(|source| self.failed("write", source))
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> SourceError {
        SourceError::Spool { action, directory: self.directory.clone(), source }
    }
}

impl SpoolReader {
    fn next(&mut self, tables: &mut VecDeque<Arc<Table>>) -> std::io::Result<Option<Entry>> {
        if !self.fill(1)? {
            return Ok(None);
        }
        if self.buffer[0] == TAG_TABLE {
            let _tag = self.buffer.split_to(1);
            let table = tables.pop_front().ok_or_else(|| std::io::Error::other("a table is missing"))?;
            return Ok(Some(Entry::Table(table)));
        }
        self.need(FRAME_HEAD)?;
        let head = self.buffer.split_to(FRAME_HEAD);
        let number = |range: std::ops::Range<usize>| {
            head[range].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let length = usize::try_from(number(9..FRAME_HEAD)).map_err(std::io::Error::other)?;
        self.need(length)?;
        Ok(Some(Entry::Frame { lsn: Lsn::new(number(1..9)), payload: self.buffer.split_to(length).freeze() }))
    }

    fn need(&mut self, count: usize) -> std::io::Result<()> {
        if self.fill(count)? { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads until the buffer holds `count` bytes; false at the end of the file.
    fn fill(&mut self, count: usize) -> std::io::Result<bool> {
        while self.buffer.len() < count {
            let start = self.buffer.len();
            self.buffer.resize(start + PIECE.max(count - start), 0);
            let read = self.file.read(&mut self.buffer[start..]);
            let read = read.inspect_err(|_| self.buffer.truncate(start))?;
            self.buffer.truncate(start + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u8, length: usize) -> Entry {
        Entry::Frame { lsn: Lsn::new(number.into()), payload: vec![number; length].into() }
    }

    fn drain(spool: &mut Spool) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| spool.next().unwrap())
            .map(|entry| match entry {
                Entry::Frame { lsn, payload } => (lsn.as_u64(), payload.len()),
                Entry::Table(_) => panic!("no table was pushed"),
            })
            .collect()
    }

    #[test]
    fn entries_come_back_in_order_from_memory_and_from_the_file() {
        for spill_after in [None, Some(0), Some(2), Some(4)] {
            let directory = tempfile::tempdir().unwrap();
            let mut spool = Spool::default();
            for (index, length) in [3, PIECE + 7, 0, 5].into_iter().enumerate() {
                if spill_after == Some(index) {
                    spool.spill(directory.path()).unwrap();
                }
                spool.push(frame(u8::try_from(index).unwrap(), length)).unwrap();
            }
            if spill_after == Some(4) {
                spool.spill(directory.path()).unwrap();
            }
            assert_eq!(spool.spilled(), spill_after.is_some());
            spool.finish().unwrap();

            assert_eq!(drain(&mut spool), [(0, 3), (1, PIECE + 7), (2, 0), (3, 5)]);
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");
        }
    }

    #[test]
    fn spilling_frees_the_memory() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::default();
        spool.push(frame(1, 1000)).unwrap();
        assert!(spool.memory_bytes() > 1000);

        spool.spill(directory.path()).unwrap();
        spool.push(frame(2, 1000)).unwrap();

        assert_eq!(spool.memory_bytes(), 0);
    }

    #[test]
    fn missing_directory_is_told() {
        let error = Spool::default().spill(Path::new("/does/not/exist")).unwrap_err();

        assert!(error.to_string().contains("/does/not/exist"), "{error}");
    }
}
