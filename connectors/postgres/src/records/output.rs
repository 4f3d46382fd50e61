//! What a batch is made of while it is made.
//!
//! Hot path.

use sluice_core::Error;
use sluice_core::record::Record;

use crate::debezium_offset::Part;

/// Records and what could not become one.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) records: Vec<Record>,
    pub(crate) rejected: Vec<(Record, Error)>,
    pub(crate) bytes: usize,
}

impl Output {
    /// Whether a batch of such a size can take more. An empty one always can, whatever was skipped: it would be taken for
    /// the end of what there is to read.
    pub(crate) fn has_room(&self, records: usize, bytes: usize) -> bool {
        let empty = self.records.is_empty() && self.rejected.is_empty();
        empty || self.records.len() < records && self.bytes < bytes
    }

    /// Notes how much there is.
    pub(crate) fn mark(&self) -> Mark {
        Mark { records: self.records.len(), rejected: self.rejected.len() }
    }

    /// Leaves out a part of what came since.
    pub(crate) fn leave_out(&mut self, since: Mark, part: Part) {
        match part {
            Part::None => {}
            Part::First if self.rejected.len() == since.rejected && self.records.len() > since.records => {
                self.records.remove(since.records);
            }
            Part::First => {}
            Part::All => {
                self.records.truncate(since.records);
                self.rejected.truncate(since.rejected);
            }
        }
    }
}

/// How much there was of an [`Output`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    records: usize,
    rejected: usize,
}

#[cfg(test)]
mod tests {
    use sluice_core::record::{Datum, Payload};

    use super::*;

    #[test]
    fn batch_is_not_full_of_what_was_skipped() {
        let mut out = Output { bytes: 100, ..Output::default() };
        assert!(out.has_room(2, 10));

        out.records.push(Record::new("t".into(), Datum::NULL, Payload::TOMBSTONE));

        assert!(!out.has_room(2, 10));
        assert!(out.has_room(2, 101));
        assert!(!out.has_room(1, 101));
    }
}
