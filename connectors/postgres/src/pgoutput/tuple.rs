//! The columns of one row version.
//!
//! Hot path.
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::indexing_slicing)]

use std::iter::FusedIterator;

use bytes::Bytes;

use super::error::DecodeError;
use super::reader::Reader;

/// One row version as received: a slice of the message, checked but not taken apart.
///
/// Layout: per column a marker (`n` null, `u` unchanged, `t` text, `b` binary) and, for the last
/// two, a 32-bit length and that many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TupleData {
    bytes: Bytes,
    columns: u16,
}

/// One column of a row version. `B` is how its bytes are held: borrowed or shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column<B> {
    /// The value is null.
    Null,
    /// The value is stored out of line (TOAST) and did not change, so it was not sent: neither
    /// null nor a value.
    Unchanged,
    /// The value as the type's output function prints it.
    Text(B),
    /// The value as the type's send function writes it.
    Binary(B),
}

impl TupleData {
    /// Checks a tuple from its column count on, and shares it.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let columns = reader.count16("column count")?;
        let start = reader.offset();
        for _ in 0..columns {
            skip_column(reader)?;
        }
        Ok(Self { bytes: reader.shared_since(start), columns })
    }

    /// Returns the number of columns.
    #[must_use]
    pub fn column_count(&self) -> u16 {
        self.columns
    }

    /// Returns how many bytes the tuple takes on the wire, for memory accounts.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Walks over the columns in the relation's order, borrowing their bytes.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        Columns { rest: &self.bytes, left: self.columns }
    }

    /// Walks over the columns in the relation's order, sharing their bytes by reference count.
    #[must_use]
    pub fn shared_columns(&self) -> SharedColumns<'_> {
        SharedColumns { tuple: self, columns: self.columns() }
    }

    /// Shares one value that [`Self::columns`] lent, so that it can outlive the tuple.
    ///
    /// # Panics
    ///
    /// If `value` does not lie within this tuple.
    #[must_use]
    pub fn share(&self, value: &[u8]) -> Bytes {
        self.bytes.slice_ref(value)
    }
}

/// The columns of a tuple, borrowed; made by [`TupleData::columns`].
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Iterator for Columns<'a> {
    type Item = Column<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (column, rest) = split_column(self.rest)?;
        self.rest = rest;
        Some(column)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

impl ExactSizeIterator for Columns<'_> {}
impl FusedIterator for Columns<'_> {}

/// The columns of a tuple, shared; made by [`TupleData::shared_columns`].
#[derive(Clone, Debug)]
pub struct SharedColumns<'a> {
    tuple: &'a TupleData,
    columns: Columns<'a>,
}

impl Iterator for SharedColumns<'_> {
    type Item = Column<Bytes>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.columns.next()? {
            Column::Null => Column::Null,
            Column::Unchanged => Column::Unchanged,
            Column::Text(value) => Column::Text(self.tuple.share(value)),
            Column::Binary(value) => Column::Binary(self.tuple.share(value)),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.columns.size_hint()
    }
}

impl ExactSizeIterator for SharedColumns<'_> {}
impl FusedIterator for SharedColumns<'_> {}

#[inline]
fn skip_column(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    match reader.u8("column marker")? {
        b'n' | b'u' => Ok(()),
        b't' | b'b' => {
            let length = reader.length32("column length")?;
            reader.take(length, "column value").map(drop)
        }
        value => Err(DecodeError::UnknownMarker { field: "column marker", value }),
    }
}

/// Takes one column off a tuple that `TupleData::read` checked; `None` is out of reach then.
#[inline]
fn split_column(tuple: &[u8]) -> Option<(Column<&[u8]>, &[u8])> {
    let (&marker, rest) = tuple.split_first()?;
    match marker {
        b'n' => Some((Column::Null, rest)),
        b'u' => Some((Column::Unchanged, rest)),
        _ => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (value, rest) = rest.split_at_checked(length)?;
            let column = if marker == b't' { Column::Text(value) } else { Column::Binary(value) };
            Some((column, rest))
        }
    }
}
