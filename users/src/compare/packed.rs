//! Rows in little memory: a million of them are held at once.

/// The canonical cells of a row, one after the other: length (4 bytes, all ones for NULL), then the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackedRow(Box<[u8]>);

const NULL: u32 = u32::MAX;

impl PackedRow {
    /// Packs canonical cells.
    pub(super) fn from_cells(cells: &[Option<String>]) -> Self {
        let bytes = cells.iter().map(|cell| 4 + cell.as_ref().map_or(0, String::len)).sum();
        let mut packed = Vec::with_capacity(bytes);
        for cell in cells {
            let length =
                cell.as_ref().map_or(NULL, |text| u32::try_from(text.len()).expect("a cell is below 4 GiB"));
            packed.extend_from_slice(&length.to_ne_bytes());
            packed.extend_from_slice(cell.as_deref().unwrap_or_default().as_bytes());
        }
        Self(packed.into_boxed_slice())
    }

    /// The cells in their order; `None` is NULL.
    pub(super) fn cells(&self) -> impl Iterator<Item = Option<&str>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = u32::from_ne_bytes(*length);
            let (text, after) = after.split_at(if length == NULL { 0 } else { length as usize });
            rest = after;
            let text = std::str::from_utf8(text).expect("cells are packed from strings");
            Some((length != NULL).then_some(text))
        })
    }
}

/// The name of a row: its key's canonical cells, in key order.
pub(super) fn key_name(cells: &[Option<String>], key: &[usize]) -> String {
    let parts: Vec<&str> = key.iter().map(|position| cells[*position].as_deref().unwrap_or("NULL")).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_stay_apart() {
        let cells = [None, Some(String::new()), Some("é".to_owned())];

        let packed = PackedRow::from_cells(&cells);

        assert_eq!(packed.cells().collect::<Vec<_>>(), [None, Some(""), Some("é")]);
    }
}
