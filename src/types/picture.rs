//! A camera picture in the layout that its source delivers.

/// How the bytes of a picture are laid out; rows from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelLayout {
    /// Red, green, blue, 8 bits each; no padding between rows.
    Rgb8,
    /// YUV 4:2:2, packed `Y0 U Y1 V` for two pixels, as USB cameras send it uncompressed (BT.601, limited range).
    Yuyv {
        /// Bytes from row to row, at least `2 * width`.
        stride: u32,
    },
    /// YUV 4:2:0: a plane of Y, then one of `U V` pairs at half the height (BT.601, limited range).
    Nv12 {
        /// Bytes from row to row of both planes, at least `width` rounded up to even.
        stride: u32,
    },
}

impl PixelLayout {
    /// Bytes of a whole picture of this size.
    #[must_use]
    pub const fn byte_len(self, width: u32, height: u32) -> usize {
        let (width, height) = (width as usize, height as usize);
        match self {
            Self::Rgb8 => width * height * 3,
            Self::Yuyv { stride } => stride as usize * height,
            Self::Nv12 { stride } => stride as usize * (height + height.div_ceil(2)),
        }
    }
}

/// The pixels of a picture, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How `bytes` is laid out.
    pub layout: PixelLayout,
    /// [`PixelLayout::byte_len`] bytes.
    pub bytes: &'a [u8],
}

impl<'a> Picture<'a> {
    /// A picture of `width * height * 3` RGB bytes.
    #[must_use]
    pub const fn rgb8(width: u32, height: u32, bytes: &'a [u8]) -> Self {
        Self { width, height, layout: PixelLayout::Rgb8, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_the_padding_of_rows_and_the_half_row_of_chroma() {
        assert_eq!(PixelLayout::Rgb8.byte_len(5, 3), 45);
        assert_eq!(PixelLayout::Yuyv { stride: 12 }.byte_len(5, 3), 36);
        assert_eq!(PixelLayout::Nv12 { stride: 8 }.byte_len(5, 3), 40);
    }
}
