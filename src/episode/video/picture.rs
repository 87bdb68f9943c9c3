//! From decoded planes to RGB.

use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

/// One decoded picture: three planes, chroma at half size both ways, 8 bits a channel.
pub(super) struct Picture<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) luma: &'a [u8],
    pub(super) luma_stride: u32,
    pub(super) chroma: [&'a [u8]; 2],
    pub(super) chroma_stride: u32,
    /// Whether black is 0 and white 255 (`true`), or 16 and 235.
    pub(super) full_range: bool,
}

impl Picture<'_> {
    /// Writes RGB rows without padding, `width * height * 3` bytes.
    ///
    /// The matrix is BT.601 whatever the stream says, as in LeRobot's own readers (swscale's default): what counts is that a policy
    /// sees the colours that it was trained on.
    pub(super) fn write_rgb(&self, rgb: &mut [u8]) -> Result<(), String> {
        let planes = YuvPlanarImage {
            y_plane: self.luma,
            y_stride: self.luma_stride,
            u_plane: self.chroma[0],
            u_stride: self.chroma_stride,
            v_plane: self.chroma[1],
            v_stride: self.chroma_stride,
            width: self.width,
            height: self.height,
        };
        let range = if self.full_range { YuvRange::Full } else { YuvRange::Limited };
        yuv::yuv420_to_rgb(&planes, rgb, self.width * 3, range, YuvStandardMatrix::Bt601)
            .map_err(|error| error.to_string())
    }
}
