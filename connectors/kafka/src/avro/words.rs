//! Words that nearly every record repeats, kept once for the life of the process.
//!
//! Hot path, but for the first record of a schema. The text fields of a `source` block (connector,
//! database, table …) are the same in all records of a schema. A static text is cloned for free, where a
//! slice of the record counts a reference up and down and is checked for UTF-8.

use std::{
    collections::BTreeSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use bytestring::ByteString;

/// Words kept for one field: the snapshot marker goes through four, all others have one.
const WORDS: usize = 4;
/// Longest word kept, in bytes: Postgres identifiers have up to 63.
const LONGEST: usize = 64;
/// Most words kept by the process; they are never freed, so that there must be an end.
const POOL: usize = 16_384;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The first words seen in one field.
#[derive(Debug, Default)]
pub(super) struct Words([OnceLock<ByteString>; WORDS]);

impl Words {
    /// Returns the kept word that these bytes are.
    #[inline(always)]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<ByteString> {
        let mut kept = self.0.iter().map_while(OnceLock::get);
        kept.find(|word| word.as_bytes() == bytes).cloned()
    }

    /// Keeps a word while there is room.
    #[inline]
    pub(super) fn learn(&self, word: &ByteString) {
        if self.0.last().is_some_and(|last| last.get().is_none()) {
            self.keep(word);
        }
    }

    #[cold]
    fn keep(&self, word: &str) {
        if let Some(word) = pooled(word) {
            // Another thread may have taken the place; then the word is found or learnt next time.
            let free = self.0.iter().find(|cell| cell.get().is_none());
            free.map(|cell| cell.set(ByteString::from_static(word)).is_ok());
        }
    }
}

/// Returns the process's copy of a word, made when it is new and there is room.
fn pooled(word: &str) -> Option<&'static str> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(word) {
        return Some(word);
    }
    if word.len() > LONGEST || known.len() >= POOL {
        return None;
    }
    let word: &'static str = Box::leak(word.into());
    known.insert(word);
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_is_found_once_learnt() {
        let words = Words::default();
        assert_eq!(words.find(b"orders"), None);

        words.learn(&"orders".into());

        assert_eq!(words.find(b"orders").as_deref(), Some("orders"));
        assert_eq!(words.find(b"order"), None);
    }

    #[test]
    fn fifth_word_is_not_learnt() {
        let words = Words::default();

        for word in ["first", "true", "last", "false", "incremental"] {
            words.learn(&word.into());
        }

        assert!(words.find(b"false").is_some());
        assert!(words.find(b"incremental").is_none());
    }

    #[test]
    fn equal_words_share_their_memory() {
        assert_eq!(pooled("public").map(str::as_ptr), pooled("public").map(str::as_ptr));
        assert_eq!(pooled(&"x".repeat(65)), None);
    }
}
