//! Pictures: RGB as PNG, YUV as it came. Both come back bit by bit.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::{ExtendedColorType, ImageDecoder, ImageEncoder};

use super::error::{Unreadable, WriteFailed};
use super::wire::{self, foxglove};
use crate::types::{Picture, PixelLayout};

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

/// The message of a picture taken at `wall_ns`.
pub(super) fn encode(
    picture: &Picture<'_>,
    camera: &str,
    wall_ns: u64,
) -> Result<PictureMessage, WriteFailed> {
    let Picture { width, height, layout, bytes } = *picture;
    let (timestamp, frame_id) = (Some(timestamp(wall_ns)), camera.to_owned());
    let raw = |encoding: &str, step| {
        let (encoding, data) = (encoding.to_owned(), bytes.to_vec());
        PictureMessage::Raw(foxglove::RawImage {
            timestamp,
            width,
            height,
            encoding,
            step,
            data,
            frame_id: camera.to_owned(),
        })
    };
    Ok(match layout {
        PixelLayout::Rgb8 => {
            let mut data = Vec::with_capacity(bytes.len() / 2);
            // The fastest that is lossless and that viewers show: half the bytes of a camera's picture.
            PngEncoder::new_with_quality(&mut data, CompressionType::Fast, FilterType::Paeth).write_image(
                bytes,
                width,
                height,
                ExtendedColorType::Rgb8,
            )?;
            let format = "png".to_owned();
            PictureMessage::Compressed(foxglove::CompressedImage { timestamp, data, format, frame_id })
        }
        PixelLayout::Yuyv { stride } => raw("yuyv", stride),
        PixelLayout::Nv12 { stride } => raw("nv12", stride),
    })
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
