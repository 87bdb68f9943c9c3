//! A camera picture in the layout that its source delivers.

use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix};

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
    /// A number that says which picture this is: the same pixels give the same number, others almost surely another one. It is no
    /// cryptographic hash. Takes a fraction of a millisecond for a megabyte.
    #[must_use]
    pub fn digest(&self) -> u64 {
        // Four lanes, so that the multiplications of one word need not wait for those of the last. The constant is that of
        // FxHash (Firefox); every step can be undone, so no change of a single word is lost.
        const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
        let mix = |lane: u64, word: u64| (lane.rotate_left(5) ^ word).wrapping_mul(FACTOR);
        let mut lanes = [u64::from(self.width), u64::from(self.height), self.bytes.len() as u64, FACTOR];
        let (blocks, rest) = self.bytes.as_chunks::<32>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (lane, word) in lanes.iter_mut().zip(words) {
                *lane = mix(*lane, u64::from_le_bytes(*word));
            }
        }
        for byte in rest {
            lanes[0] = mix(lanes[0], u64::from(*byte));
        }
        let [first, rest @ ..] = lanes;
        rest.into_iter().fold(first, mix)
    }

    /// Writes one row as RGB, `width * 3` bytes; YUV as BT.601 of limited range. `None` where the picture has no such row, or its strides are too
    /// short for it.
    pub fn row_as_rgb(&self, row: u32, rgb: &mut [u8]) -> Option<()> {
        let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
        let (width, rgb_stride) = (self.width, self.width * 3);
        let line = |offset: usize, stride: u32| {
            let start = offset + stride as usize * row as usize;
            self.bytes.get(start..start + stride as usize)
        };
        match self.layout {
            PixelLayout::Rgb8 => {
                rgb.copy_from_slice(line(0, rgb_stride)?);
                Some(())
            }
            PixelLayout::Yuyv { stride } => {
                let packed = YuvPackedImage { yuy: line(0, stride)?, yuy_stride: stride, width, height: 1 };
                yuv::yuyv422_to_rgb(&packed, rgb, rgb_stride, range, matrix).ok()
            }
            PixelLayout::Nv12 { stride } => {
                let chroma = stride as usize * (self.height as usize + row as usize / 2);
                let planes = YuvBiPlanarImage {
                    y_plane: line(0, stride)?,
                    y_stride: stride,
                    uv_plane: self.bytes.get(chroma..chroma + stride as usize)?,
                    uv_stride: stride,
                    width,
                    height: 1,
                };
                yuv::yuv_nv12_to_rgb(&planes, rgb, rgb_stride, range, matrix, YuvConversionMode::Balanced)
                    .ok()
            }
        }
    }

    /// Writes the whole picture as RGB rows without padding, `width * height * 3` bytes. `None` as in [`Picture::row_as_rgb`].
    pub fn write_rgb(&self, rgb: &mut Vec<u8>) -> Option<()> {
        rgb.resize(PixelLayout::Rgb8.byte_len(self.width, self.height), 0);
        if self.layout == PixelLayout::Rgb8 {
            let length = rgb.len();
            rgb.copy_from_slice(self.bytes.get(..length)?);
            return Some(());
        }
        let bytes = self.width as usize * 3;
        (0..self.height)
            .zip(rgb.chunks_exact_mut(bytes.max(1)))
            .try_for_each(|(row, rgb)| self.row_as_rgb(row, rgb))
    }

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
    fn a_change_of_any_bit_changes_the_digest() {
        let mut bytes: Vec<u8> = (0..105_u32).map(|byte| (byte * 37 % 251) as u8).collect();
        let digest = |bytes: &[u8]| Picture::rgb8(5, 7, bytes).digest();
        let before = digest(&bytes);
        assert_eq!(digest(&bytes.clone()), before);
        for place in 0..bytes.len() {
            for bit in 0..8 {
                bytes[place] ^= 1 << bit;
                assert_ne!(digest(&bytes), before, "bit {bit} of byte {place}");
                bytes[place] ^= 1 << bit;
            }
        }
        assert_ne!(Picture::rgb8(7, 5, &bytes).digest(), before);
        // Pixels that change places.
        bytes.swap(3, 40);
        assert_ne!(digest(&bytes), before);
    }

    #[test]
    fn lengths_count_the_padding_of_rows_and_the_half_row_of_chroma() {
        assert_eq!(PixelLayout::Rgb8.byte_len(5, 3), 45);
        assert_eq!(PixelLayout::Yuyv { stride: 12 }.byte_len(5, 3), 36);
        assert_eq!(PixelLayout::Nv12 { stride: 8 }.byte_len(5, 3), 40);
    }
}
