//! Rows of a picture as RGB, converted only where resizing looks.

use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix};

use crate::types::{Picture, PixelLayout};

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
                convert(picture, number, &mut row.rgb)?;
                row.number = Some(number);
            }
        }
        Some([first, second].map(|number| self.places[(number % 2) as usize].rgb.as_slice()))
    }
}

/// Converts one row of `picture`.
fn convert(picture: &Picture<'_>, row: u32, rgb: &mut [u8]) -> Option<()> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
    let (width, rgb_stride) = (picture.width, picture.width * 3);
    let line = |offset: usize, stride: u32| {
        let start = offset + stride as usize * row as usize;
        picture.bytes.get(start..start + stride as usize)
    };
    match picture.layout {
        PixelLayout::Rgb8 => {
            rgb.copy_from_slice(line(0, rgb_stride)?);
            Some(())
        }
        PixelLayout::Yuyv { stride } => {
            let packed = YuvPackedImage { yuy: line(0, stride)?, yuy_stride: stride, width, height: 1 };
            yuv::yuyv422_to_rgb(&packed, rgb, rgb_stride, range, matrix).ok()
        }
        PixelLayout::Nv12 { stride } => {
            let chroma = stride as usize * (picture.height as usize + row as usize / 2);
            let planes = YuvBiPlanarImage {
                y_plane: line(0, stride)?,
                y_stride: stride,
                uv_plane: picture.bytes.get(chroma..chroma + stride as usize)?,
                uv_stride: stride,
                width,
                height: 1,
            };
            yuv::yuv_nv12_to_rgb(&planes, rgb, rgb_stride, range, matrix, YuvConversionMode::Balanced).ok()
        }
    }
}
