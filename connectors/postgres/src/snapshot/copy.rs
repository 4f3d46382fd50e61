//! `COPY … (FORMAT binary)`: messages in, tuples out.
//!
//! Hot path. Layout: Postgres manual, `COPY`, "Binary Format". Postgres sends one tuple a message,
//! the first one after the header; what is read here may hold any number of whole tuples.

use crate::error::SourceError;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Bit of the flags: rows carry oids, which no supported server writes.
const HAS_OIDS: u32 = 1 << 16;

/// Reads the messages of one `COPY`.
#[derive(Debug, Default)]
pub(crate) struct CopyRows {
    started: bool,
}

/// The fields of a tuple; none is null.
#[derive(Debug)]
pub(crate) struct CopyTuple<'a> {
    rest: &'a [u8],
    left: u16,
}

impl CopyRows {
    /// Calls `row` with each tuple of a message.
    ///
    /// # Errors
    /// When the bytes are not whole tuples, or `row` fails.
    pub(crate) fn each(
        &mut self,
        message: &[u8],
        mut row: impl FnMut(&mut CopyTuple<'_>) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut rest = message;
        if !self.started {
            rest = skip_header(rest).ok_or_else(broken)?;
            self.started = true;
        }
        while let Some((count, fields)) = rest.split_first_chunk::<2>() {
            let Ok(left) = u16::try_from(i16::from_be_bytes(*count)) else {
                // -1 ends the data.
                return Ok(());
            };
            let mut tuple = CopyTuple { rest: fields, left };
            row(&mut tuple)?;
            rest = tuple.finish()?;
        }
        if rest.is_empty() { Ok(()) } else { Err(broken()) }
    }
}

impl<'a> CopyTuple<'a> {
    fn finish(mut self) -> Result<&'a [u8], SourceError> {
        for field in self.by_ref() {
            field?;
        }
        Ok(self.rest)
    }

    fn field(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            self.rest = rest;
            return Some(None);
        }
        let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(Some(value))
    }
}

impl<'a> Iterator for CopyTuple<'a> {
    type Item = Result<Option<&'a [u8]>, SourceError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = self.field();
        if field.is_none() {
            self.left = 0;
        }
        Some(field.ok_or_else(broken))
    }
}

fn skip_header(message: &[u8]) -> Option<&[u8]> {
    let rest = message.strip_prefix(SIGNATURE)?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let (extension, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_be_bytes(*flags) & HAS_OIDS != 0 {
        return None;
    }
    rest.get(usize::try_from(u32::from_be_bytes(*extension)).ok()?..)
}

fn broken() -> SourceError {
    SourceError::Stream { what: "COPY data that is not in the binary format".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<u8> {
        [SIGNATURE, &[0; 8]].concat()
    }

    fn read(messages: &[&[u8]]) -> Result<Vec<Vec<Option<Vec<u8>>>>, SourceError> {
        let mut rows = CopyRows::default();
        let mut out = Vec::new();
        for message in messages {
            rows.each(message, |tuple| {
                let fields: Result<Vec<_>, SourceError> =
                    tuple.map(|field| Ok(field?.map(<[u8]>::to_vec))).collect();
                out.push(fields?);
                Ok(())
            })?;
        }
        Ok(out)
    }

    #[test]
    fn tuples_are_read_one_or_many_a_message() {
        let tuple = [&[0, 2][..], &[0, 0, 0, 1, 7], &[255; 4]].concat();
        let first = [header(), tuple.clone()].concat();
        let two = [tuple.clone(), tuple].concat();

        let rows = read(&[&first, &two, &[255, 255]]).unwrap();

        assert_eq!(rows, vec![vec![Some(vec![7]), None]; 3]);
    }

    #[test]
    fn data_cut_anywhere_is_an_error_or_shorter() {
        let whole = [header(), vec![0, 1, 0, 0, 0, 2, 1, 2]].concat();

        for end in 0..whole.len() {
            assert!(read(&[&whole[..end]]).map_or(true, |rows| rows.is_empty()), "cut at {end}");
        }
    }
}
