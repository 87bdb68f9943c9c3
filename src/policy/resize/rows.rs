//! Rows of a picture as RGB, converted only where resizing looks.

use crate::types::Picture;

/// The two source rows that one output row is blended from.
///
/// A row is converted to 8-bit RGB exactly as the whole picture would be, as recorded training pictures were: resizing then
/// gives the same bits by either way. Rows between those that count are never converted.
#[derive(Clone, Debug)]
pub(super) struct ConvertedRows {
    /// By the row's parity: neighbours never share a place.
    places: [Row; 2],
}

#[derive(Clone, Debug)]
struct Row {
    number: Option<u32>,
    rgb: Vec<u8>,
}

impl ConvertedRows {
    /// Room for rows of `bytes` RGB bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let row = Row { number: None, rgb: vec![0; bytes] };
        Self { places: [row.clone(), row] }
    }

    /// Forgets the last picture.
    pub(super) fn begin(&mut self) {
        self.places.iter_mut().for_each(|row| row.number = None);
    }

    /// Two neighbouring rows, or the same one twice. `None` if the converter refuses the picture.
    pub(super) fn pair(&mut self, picture: &Picture<'_>, first: u32, second: u32) -> Option<[&[u8]; 2]> {
        for number in [first, second] {
            let row = &mut self.places[(number % 2) as usize];
            if row.number != Some(number) {
                picture.row_as_rgb(number, &mut row.rgb)?;
                row.number = Some(number);
            }
        }
        Some([first, second].map(|number| self.places[(number % 2) as usize].rgb.as_slice()))
    }
}
