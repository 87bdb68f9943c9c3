//! From what a driver delivers to the pool.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder};

/// Takes an uncompressed frame as it is. Drivers may pad behind it, but not deliver less.
pub(super) fn copy_whole(content: &[u8], pixels: &mut [u8]) -> Result<(), String> {
    let whole = content
        .get(..pixels.len())
        .ok_or_else(|| format!("{} bytes, expected {}", content.len(), pixels.len()))?;
    pixels.copy_from_slice(whole);
    Ok(())
}

/// An APP0 segment of 16 bytes: marker, length, name, field order 0 (whole frames).
const AVI1_SEGMENT: &[u8] = b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";

/// Decodes one JPEG of exactly `width` x `height`.
///
/// The decoder would show a cut-off picture grey below the cut, so the end mark is asked for first.
pub(super) fn mjpeg_to_rgb(jpeg: &[u8], width: u32, height: u32, rgb: &mut [u8]) -> Result<(), String> {
    if !jpeg.starts_with(&[0xff, 0xd8]) {
        return Err("no JPEG begins here".to_owned());
    }
    // Drivers pad with zeros behind the end mark.
    let end = jpeg.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if !jpeg[..end].ends_with(&[0xff, 0xd9]) {
        return Err("the JPEG is cut short".to_owned());
    }
    // Many cameras leave out the standard Huffman tables. The decoder has them, and uses those that a frame lacks, when the frame
    // calls itself "AVI1" in its first segment, which many cameras leave out too: so it is put in front.
    let mut whole = Vec::with_capacity(end + 32);
    whole.extend_from_slice(&jpeg[..2]);
    whole.extend_from_slice(AVI1_SEGMENT);
    whole.extend_from_slice(&jpeg[2..end]);
    let decoder = JpegDecoder::new(Cursor::new(&whole)).map_err(|error| error.to_string())?;
    if decoder.dimensions() != (width, height) {
        let (found_width, found_height) = decoder.dimensions();
        return Err(format!("a JPEG of {found_width}x{found_height}, expected {width}x{height}"));
    }
    match decoder.color_type() {
        ColorType::Rgb8 => decoder.read_image(rgb).map_err(|error| error.to_string()),
        ColorType::L8 => {
            let mut grey = vec![0; rgb.len() / 3];
            decoder.read_image(&mut grey).map_err(|error| error.to_string())?;
            rgb.chunks_exact_mut(3).zip(grey).for_each(|(pixel, value)| pixel.fill(value));
            Ok(())
        }
        other => Err(format!("a JPEG of type {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use proptest::prelude::*;

    use super::*;

    fn jpeg(rgb: &[u8], width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(rgb, width, height, ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    fn flat(color: [u8; 3], pixels: usize) -> Vec<u8> {
        color.repeat(pixels)
    }

    #[test]
    fn a_short_frame_is_damaged() {
        let mut pixels = [0; 4];
        copy_whole(&[1, 2, 3, 4, 5], &mut pixels).unwrap();
        assert_eq!(pixels, [1, 2, 3, 4]);
        assert!(copy_whole(&[0; 3], &mut pixels).unwrap_err().contains("3 bytes, expected 4"));
    }

    #[test]
    fn mjpeg_round_trip_with_padding() {
        let mut bytes = jpeg(&flat([200, 100, 50], 32 * 16), 32, 16);
        bytes.extend_from_slice(&[0; 100]);
        let mut rgb = vec![0; 32 * 16 * 3];
        mjpeg_to_rgb(&bytes, 32, 16, &mut rgb).unwrap();
        assert!(
            rgb.chunks(3)
                .all(|p| p[0].abs_diff(200) <= 2 && p[1].abs_diff(100) <= 2 && p[2].abs_diff(50) <= 2)
        );
        assert!(mjpeg_to_rgb(&bytes, 16, 32, &mut rgb).unwrap_err().contains("32x16"));
    }

    #[test]
    fn a_frame_without_huffman_tables_decodes() {
        // USB cameras leave the standard tables out ("AVI1" MJPEG).
        let bytes = jpeg(&flat([10, 200, 30], 32 * 16), 32, 16);
        let mut bare = vec![0xff, 0xd8];
        let mut at = 2;
        while bytes[at + 1] != 0xda {
            let length = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            if bytes[at + 1] != 0xc4 {
                bare.extend_from_slice(&bytes[at..at + length]);
            }
            at += length;
        }
        bare.extend_from_slice(&bytes[at..]);
        assert!(bare.len() + 400 < bytes.len(), "the tables are gone");
        let mut rgb = vec![0; 32 * 16 * 3];
        mjpeg_to_rgb(&bare, 32, 16, &mut rgb).unwrap();
        assert!(
            rgb.chunks(3)
                .all(|p| p[0].abs_diff(10) <= 2 && p[1].abs_diff(200) <= 2 && p[2].abs_diff(30) <= 2)
        );
    }

    #[test]
    fn a_cut_frame_is_refused() {
        let bytes = jpeg(&flat([1, 2, 3], 64 * 64), 64, 64);
        let mut rgb = vec![0; 64 * 64 * 3];
        for length in 0..bytes.len() {
            assert!(
                mjpeg_to_rgb(&bytes[..length], 64, 64, &mut rgb).is_err(),
                "{length} of {} bytes",
                bytes.len()
            );
        }
    }

    proptest! {
        #[test]
        fn damaged_jpegs_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = jpeg(&flat([90, 20, 160], 24 * 24), 24, 24);
            for (place, value) in flips {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            let mut rgb = vec![0; 24 * 24 * 3];
            let _ = mjpeg_to_rgb(&bytes, 24, 24, &mut rgb);
        }
    }
}
