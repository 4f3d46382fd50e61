//! From what the source read to what the sink is given.
//!
//! Hot path.

use serde_json::Value as Json;

use super::{Pipeline, RejectionStage, window::Window};
use crate::{error::Error, record::Record, source::Batch};

impl Pipeline {
    /// Transforms a batch into the window; returns the place of its first record. An error leaves the window as it was.
    pub(super) fn admit(&mut self, batch: Batch<Json>, window: &mut Window) -> Result<usize, Error> {
        let first = window.records.len();
        let (read, mut refused) = (batch.records.len() + batch.rejected.len(), batch.rejected.len());
        for (record, error) in batch.rejected {
            self.errors.refuse(record, error, RejectionStage::Read)?;
        }
        refused += self
            .transform(batch.records, &mut window.records)
            .inspect_err(|_| window.records.truncate(first))?;
        window.advance(batch.position, batch.bytes);
        self.count_batch(read, refused, window.records.len() - first);
        Ok(first)
    }

    /// Appends what becomes of the records to the others and returns how many were refused.
    fn transform(&mut self, records: Vec<Record>, transformed: &mut Vec<Record>) -> Result<usize, Error> {
        if self.chain.is_empty() {
            transformed.extend(records);
            return Ok(0);
        }
        let mut refused = 0;
        for record in records {
            // A transform consumes its record; what an error must tell of it is kept aside.
            let trace = self.errors.trace(&record);
            if let Err(error) = self.chain.apply(record, transformed) {
                self.errors.refuse(trace, error, RejectionStage::Transformation)?;
                refused += 1;
            }
        }
        Ok(refused)
    }
}
