//! Pictures: RGB as PNG, YUV as it came. Both come back bit by bit.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::{ExtendedColorType, ImageDecoder, ImageEncoder};

use super::error::{Unreadable, WriteFailed};
use super::wire::{self, foxglove};
use crate::types::{FrameMetadata, Picture, PixelLayout};

/// A picture's message.
pub(super) enum PictureMessage {
    Compressed(foxglove::CompressedImage),
    Raw(foxglove::RawImage),
}

/// Layout and stride as the log names them.
pub(super) const fn layout_name(layout: PixelLayout) -> (&'static str, u32) {
    match layout {
        PixelLayout::Rgb8 => ("rgb8", 0),
        PixelLayout::Yuyv { stride } => ("yuyv", stride),
        PixelLayout::Nv12 { stride } => ("nv12", stride),
    }
}

pub(super) fn layout(wire: &wire::Frame) -> Result<PixelLayout, Unreadable> {
    match wire.layout.as_str() {
        "rgb8" => Ok(PixelLayout::Rgb8),
        "yuyv" => Ok(PixelLayout::Yuyv { stride: wire.stride }),
        "nv12" => Ok(PixelLayout::Nv12 { stride: wire.stride }),
        other => Err(Unreadable::invalid("a layout", other)),
    }
}

/// A picture as it will stand in the log. Making one takes long; [`RunLogWriter::encoded`](super::RunLogWriter::encoded) does not.
#[derive(Debug)]
pub struct EncodedPicture {
    pub(super) slot: usize,
    pub(super) metadata: FrameMetadata,
    pub(super) layout: PixelLayout,
    /// Of the pixels as they were captured.
    pub(super) crc32: u32,
    data: Vec<u8>,
}

impl EncodedPicture {
    /// A slot's picture: RGB is compressed without loss, YUV stays as it is.
    ///
    /// # Errors
    /// If the PNG library refuses.
    pub fn of(slot: usize, metadata: FrameMetadata, picture: &Picture<'_>) -> Result<Self, WriteFailed> {
        let Picture { width, height, layout, bytes } = *picture;
        let data = match layout {
            PixelLayout::Rgb8 => {
                let mut data = Vec::with_capacity(bytes.len() / 2);
                // The fastest that is lossless and that viewers show: half the bytes of a camera's picture.
                PngEncoder::new_with_quality(&mut data, CompressionType::Fast, FilterType::Paeth)
                    .write_image(bytes, width, height, ExtendedColorType::Rgb8)?;
                data
            }
            PixelLayout::Yuyv { .. } | PixelLayout::Nv12 { .. } => bytes.to_vec(),
        };
        Ok(Self { slot, metadata, layout, crc32: crc32fast::hash(bytes), data })
    }

    /// The message of a picture taken at `wall_ns`.
    pub(super) fn into_message(self, camera: &str, wall_ns: u64) -> PictureMessage {
        let FrameMetadata { width, height, .. } = self.metadata;
        let (timestamp, frame_id, data) = (Some(timestamp(wall_ns)), camera.to_owned(), self.data);
        match layout_name(self.layout) {
            ("rgb8", _) => {
                let format = "png".to_owned();
                PictureMessage::Compressed(foxglove::CompressedImage { timestamp, data, format, frame_id })
            }
            (name, step) => {
                let encoding = name.to_owned();
                PictureMessage::Raw(foxglove::RawImage {
                    timestamp,
                    width,
                    height,
                    encoding,
                    step,
                    data,
                    frame_id,
                })
            }
        }
    }
}

/// A moment of the wall clock.
pub(super) fn timestamp(wall_ns: u64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: i64::try_from(wall_ns / 1_000_000_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(wall_ns % 1_000_000_000).unwrap_or_default(),
    }
}

/// The pixels of a PNG of this size.
pub(super) fn decode_png(data: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Unreadable> {
    let unreadable = |error: image::ImageError| Unreadable(error.to_string());
    let decoder = PngDecoder::new(Cursor::new(data)).map_err(unreadable)?;
    if decoder.dimensions() != (width, height) || decoder.color_type() != image::ColorType::Rgb8 {
        return Err(Unreadable::invalid("a picture", "of another size or colour than its frame"));
    }
    // The size is that of a frame that was checked: no header can ask for more.
    let mut pixels = vec![0; PixelLayout::Rgb8.byte_len(width, height)];
    decoder.read_image(&mut pixels).map_err(unreadable)?;
    Ok(pixels)
}
