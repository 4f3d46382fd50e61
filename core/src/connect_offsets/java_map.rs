//! The file of a standalone worker: a `HashMap<byte[], byte[]>` in Java's serialisation.
//!
//! Connect's `FileOffsetBackingStore` writes it, and Debezium Server and Engine with it. Only this one shape is read and
//! written; its bytes are those of the Java Object Serialization Specification, chapter 6:
//!
//! ```text
//! AC ED 00 05                                   magic, version
//! 73                                            an object
//!   72 "java.util.HashMap" uid 03 0002          its class: two fields, and a writeObject of its own
//!     'F' "loadFactor"  'I' "threshold"  78 70  no annotation, no parent
//!   3F400000  threshold                         the fields
//!   77 08 capacity size                         what writeObject wrote: a block of two numbers,
//!   key value key value …                       then the entries, each a byte[] (75) or null (70)
//! 78
//! ```
//!
//! The class of `byte[]` is described at its first use and referred to (71) afterwards; so is an array that
//! stands twice.

use super::StoredPair;

/// First bytes of every Java serialisation.
pub const MAGIC: [u8; 4] = [0xAC, 0xED, 0x00, 0x05];

const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_ARRAY: u8 = 0x75;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
/// Things are numbered from 0x7E0000 as they come: the class of the map, the map, the class of `byte[]`, the arrays.
const BYTES_CLASS_HANDLE: u32 = 0x7E_0002;

/// From the class of the map to its default load factor, 0.75.
const MAP_HEAD: &[u8] = b"\x73\x72\x00\x11java.util.HashMap\x05\x07\xDA\xC1\xC3\x16\x60\xD1\x03\x00\x02F\x00\x0AloadFactorI\x00\x09threshold\x78\x70";
const LOAD_FACTOR: [u8; 4] = 0.75_f32.to_be_bytes();
/// The class of `byte[]`.
const BYTES_CLASS: &[u8] = b"\x72\x00\x02[B\xAC\xF3\x17\xF8\x06\x08\x54\xE0\x02\x00\x00\x78\x70";

/// A file that is not a serialised map of byte strings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: expected {expected}")]
pub struct JavaMapError {
    /// Where.
    pub at: usize,
    /// What should stand there.
    pub expected: &'static str,
}

/// Tells whether a file's content begins as Java's serialisation does.
pub fn recognise(content: &[u8]) -> bool {
    content.starts_with(&MAGIC)
}

/// Reads the map, in the file's order.
///
/// # Errors
/// At the first byte that does not fit; nothing is guessed.
pub fn read(content: &[u8]) -> Result<Vec<StoredPair>, JavaMapError> {
    let mut reader = Reader { content, at: 0, arrays: Vec::new(), class_known: false };
    reader.expect(&MAGIC, "Java's magic number")?;
    reader.expect(MAP_HEAD, "a java.util.HashMap")?;
    reader.take(8, "the fields of the map")?;
    reader.expect(&[TC_BLOCKDATA, 8], "a block of two numbers")?;
    reader.take(4, "the capacity")?;
    let size = reader.number("the number of entries")?;
    let mut pairs = Vec::new();
    for _ in 0..size {
        let key = reader.bytes()?.ok_or_else(|| reader.wrong("a key that is not null"))?;
        pairs.push((key, reader.bytes()?));
    }
    reader.expect(&[TC_ENDBLOCKDATA], "the end of the map")?;
    if reader.at == content.len() { Ok(pairs) } else { Err(reader.wrong("the end of the file")) }
}

/// Writes a map that Java reads back as a `HashMap<byte[], byte[]>`.
pub fn write(pairs: &[StoredPair]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
    // As Java counts: a power of two that holds the entries at 0.75.
    let capacity = (pairs.len() * 4).div_ceil(3).next_power_of_two().max(16) as u32;
    let mut out = [&MAGIC, MAP_HEAD, &LOAD_FACTOR, &(capacity / 4 * 3).to_be_bytes()].concat();
    out.extend([TC_BLOCKDATA, 8]);
    out.extend(capacity.to_be_bytes());
    out.extend((pairs.len() as u32).to_be_bytes());
    let mut class_known = false;
    for bytes in pairs.iter().flat_map(|(key, value)| [Some(key), value.as_ref()]) {
        let Some(bytes) = bytes else {
            out.push(TC_NULL);
            continue;
        };
        out.push(TC_ARRAY);
        if class_known {
            out.push(TC_REFERENCE);
            out.extend(BYTES_CLASS_HANDLE.to_be_bytes());
        } else {
            out.extend(BYTES_CLASS);
            class_known = true;
        }
        out.extend(length(bytes));
        out.extend(bytes);
    }
    out.push(TC_ENDBLOCKDATA);
    out
}

struct Reader<'a> {
    content: &'a [u8],
    at: usize,
    /// Those read so far, in the order of their handles.
    arrays: Vec<Vec<u8>>,
    class_known: bool,
}

impl Reader<'_> {
    fn wrong(&self, expected: &'static str) -> JavaMapError {
        JavaMapError { at: self.at, expected }
    }

    fn take(&mut self, count: usize, expected: &'static str) -> Result<&[u8], JavaMapError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.content.len());
        let end = end.ok_or_else(|| self.wrong(expected))?;
        let taken = &self.content[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn expect(&mut self, bytes: &[u8], expected: &'static str) -> Result<(), JavaMapError> {
        let found = self.content.get(self.at..).is_some_and(|rest| rest.starts_with(bytes));
        if !found {
            return Err(self.wrong(expected));
        }
        self.at += bytes.len();
        Ok(())
    }

    fn number(&mut self, expected: &'static str) -> Result<u32, JavaMapError> {
        let bytes = self.take(4, expected)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// Reads a `byte[]`, in place or by reference, or null.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, JavaMapError> {
        const EXPECTED: &str = "a byte[] or null";
        match self.take(1, EXPECTED)?[0] {
            TC_NULL => Ok(None),
            TC_ARRAY => {
                self.class()?;
                let length = self.number("the length of a byte[]")? as usize;
                let bytes = self.take(length, "the bytes of a byte[]")?.to_vec();
                self.arrays.push(bytes.clone());
                Ok(Some(bytes))
            }
            TC_REFERENCE => {
                let handle = self.number("the number of a byte[]")?;
                let place = handle.checked_sub(BYTES_CLASS_HANDLE + 1);
                let array = place.and_then(|place| self.arrays.get(place as usize)).cloned();
                array.map(Some).ok_or_else(|| self.wrong("the number of a byte[] that came before"))
            }
            _ => {
                self.at -= 1;
                Err(self.wrong(EXPECTED))
            }
        }
    }

    /// Reads the class of an array: in full the first time, by its number afterwards.
    fn class(&mut self) -> Result<(), JavaMapError> {
        if !self.class_known {
            self.class_known = true;
            return self.expect(BYTES_CLASS, "the class byte[]");
        }
        self.expect(&[TC_REFERENCE], "a reference to the class byte[]")?;
        self.expect(&BYTES_CLASS_HANDLE.to_be_bytes(), "the number of the class byte[]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connect_offsets::from_pairs;

    /// Written by Kafka Connect 4.3's standalone worker for Debezium 3.6.1.
    const RECORDED: &[u8] = include_bytes!("testdata/standalone.offsets");

    /// Written by two of Debezium's engines, 3.6.1, one after the other; Debezium Server has such an engine, called
    /// after its sink.
    const RECORDED_OF_ENGINES: &[u8] = include_bytes!("testdata/engine.offsets");

    #[test]
    fn recorded_file_holds_debeziums_offset() {
        let offsets = from_pairs(&read(RECORDED).unwrap()).unwrap();

        assert_eq!(offsets.len(), 1);
        assert_eq!(offsets[0].connector, "takeover-recording");
        assert_eq!(offsets[0].partition["server"], "takeover_rec");
        assert_eq!(offsets[0].offset.as_ref().unwrap()["messageType"], "INSERT");
    }

    #[test]
    fn recorded_file_of_an_engine_holds_the_offset_of_each() {
        let offsets = from_pairs(&read(RECORDED_OF_ENGINES).unwrap()).unwrap();

        let found: Vec<_> = offsets
            .iter()
            .map(|offset| (&*offset.connector, offset.partition["server"].as_str().unwrap(), &offset.offset))
            .collect();
        assert!(
            matches!(found[..], [
                ("kafka", "takeover_engine", Some(streamed)),
                ("orders", "takeover_engine_b", Some(snapshotted)),
            ] if streamed["lsn"] == 2_732_801_672_u64 && snapshotted["snapshot"] == "INITIAL"),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_written_is_byte_for_byte_what_java_writes() {
        for recorded in [RECORDED, RECORDED_OF_ENGINES] {
            assert_eq!(write(&read(recorded).unwrap()), recorded);
        }
    }

    #[test]
    fn file_cut_at_any_byte_is_refused() {
        for length in 0..RECORDED.len() {
            assert!(read(&RECORDED[..length]).is_err(), "cut at {length}");
        }
        assert!(read(&[RECORDED, &[0]].concat()).is_err(), "a byte more");
    }

    #[test]
    fn array_that_stands_twice_is_found_by_its_number() {
        let twice = write(&[(b"k".to_vec(), None)]);
        let mut by_reference = twice[..twice.len() - 2].to_vec();
        by_reference.extend([TC_REFERENCE, 0, 0x7E, 0, 3, TC_ENDBLOCKDATA]);

        assert_eq!(read(&by_reference).unwrap(), [(b"k".to_vec(), Some(b"k".to_vec()))]);
    }

    proptest! {
        #[test]
        fn every_map_survives_its_file(pairs: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
            prop_assert_eq!(read(&write(&pairs)).unwrap(), pairs);
        }

        #[test]
        fn no_damage_makes_the_reader_panic(at in 0..RECORDED.len(), byte: u8, cut in 0..RECORDED.len()) {
            let mut damaged = RECORDED.to_vec();
            damaged[at] = byte;
            damaged.truncate(cut.max(1));

            let _ = read(&damaged);
        }
    }
}
