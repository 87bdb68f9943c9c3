//! LeRobot's `resize_with_pad`, from camera pixels straight into the vision encoder's input tensor.
//!
//! The numbers must be those of PyTorch's `F.interpolate(mode="bilinear", align_corners=False)` on float pixels: half-pixel centres,
//! no antialiasing, no rounding to 8 bits in between. Resizers that filter or round miss the parity by 100 times the limit.

mod rows;

use super::bundle::manifest::CameraContract;
use crate::types::{Picture, PixelLayout};
use rows::ConvertedRows;

/// Colour planes of a picture.
const CHANNELS: usize = 3;

/// Resizes pictures of one size into the padded tensor; the tables are made once for a size, and nothing is allocated afterwards.
#[derive(Clone, Debug)]
pub struct ResizeWithPad {
    source: (usize, usize),
    target: (usize, usize),
    /// Empty columns on the left and rows at the top.
    padding: (usize, usize),
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    low: f32,
    span: f32,
    pad: f32,
    /// One source row, blended from two.
    blended: Vec<f32>,
    converted: ConvertedRows,
}

/// Two neighbouring source positions and the weight of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    first: u32,
    second: u32,
    weight: f32,
}

impl ResizeWithPad {
    /// Tables for pictures of `width` x `height`; `None` if the picture is empty, above 16384 pixels a side, or so narrow that nothing
    /// of it remains.
    pub fn new(width: u32, height: u32, cameras: &CameraContract) -> Option<Self> {
        let (target_width, target_height) = (cameras.input_width, cameras.input_height);
        if width == 0 || height == 0 || width > 16384 || height > 16384 {
            return None;
        }
        // Double precision and truncation as in LeRobot (modeling_smolvla.py, resize_with_pad): int(width / ratio) may come out one
        // pixel short of the target, and must do so here too.
        let ratio = (f64::from(width) / target_width as f64).max(f64::from(height) / target_height as f64);
        let kept_width = ((f64::from(width) / ratio) as usize).min(target_width);
        let kept_height = ((f64::from(height) / ratio) as usize).min(target_height);
        if kept_width == 0 || kept_height == 0 {
            return None;
        }
        let (low, high) = (cameras.range[0] as f32, cameras.range[1] as f32);
        Some(Self {
            source: (width as usize, height as usize),
            target: (target_width, target_height),
            padding: (target_width - kept_width, target_height - kept_height),
            columns: taps(width, kept_width),
            rows: taps(height, kept_height),
            low,
            span: high - low,
            pad: low + (high - low) * cameras.pad_value as f32,
            blended: vec![0.0; width as usize * CHANNELS],
            converted: ConvertedRows::new(width as usize * CHANNELS),
        })
    }

    /// Width and height of the pictures it takes.
    pub fn source(&self) -> (u32, u32) {
        (self.source.0 as u32, self.source.1 as u32)
    }

    /// Values of the output: 3 x target height x target width.
    pub fn output_len(&self) -> usize {
        CHANNELS * self.target.0 * self.target.1
    }

    /// Resizes a camera's picture, in the layout that it came in, into 3 planes. `false` if a size or length is wrong; then the
    /// output is unspecified.
    pub fn picture(&mut self, picture: &Picture<'_>, output: &mut [f32]) -> bool {
        let Picture { width, height, layout, bytes } = *picture;
        if (width, height) != self.source()
            || bytes.len() != layout.byte_len(width, height)
            || output.len() != self.output_len()
        {
            return false;
        }
        self.converted.begin();
        let [red, green, blue] = planes(output, self.target);
        let (top, width) = (self.padding.1, self.target.0);
        for plane in [&mut *red, &mut *green, &mut *blue] {
            plane[..top * width].fill(self.pad);
        }
        let stride = self.source.0 * CHANNELS;
        for (index, row) in self.rows.iter().enumerate() {
            let pair = match layout {
                PixelLayout::Rgb8 => {
                    Some([row.first, row.second].map(|row| &bytes[row as usize * stride..][..stride]))
                }
                PixelLayout::Yuyv { .. } | PixelLayout::Nv12 { .. } => {
                    self.converted.pair(picture, row.first, row.second)
                }
            };
            let Some([first, second]) = pair else { return false };
            let keep = 1.0 - row.weight;
            for ((blended, first), second) in self.blended.iter_mut().zip(first).zip(second) {
                *blended = f32::from(*first) * keep + f32::from(*second) * row.weight;
            }
            let line = (top + index) * width..(top + index + 1) * width;
            self.spread_columns([&mut red[line.clone()], &mut green[line.clone()], &mut blue[line]]);
        }
        true
    }

    /// Resizes RGB bytes (rows from the top, 3 bytes a pixel), as [`ResizeWithPad::picture`] does.
    pub fn rgb8(&mut self, rgb: &[u8], output: &mut [f32]) -> bool {
        let (width, height) = self.source();
        self.picture(&Picture::rgb8(width, height, rgb), output)
    }

    /// Fills one line of each plane from the blended row.
    fn spread_columns(&self, lines: [&mut [f32]; CHANNELS]) {
        let [red, green, blue] = lines;
        let left = self.padding.0;
        let (pixels, _) = self.blended.as_chunks::<CHANNELS>();
        let scale = self.span / 255.0;
        for line in [&mut *red, &mut *green, &mut *blue] {
            line[..left].fill(self.pad);
        }
        let outputs = red[left..].iter_mut().zip(&mut green[left..]).zip(&mut blue[left..]);
        for (((red, green), blue), column) in outputs.zip(&self.columns) {
            let (first, second) = (&pixels[column.first as usize], &pixels[column.second as usize]);
            let keep = 1.0 - column.weight;
            let blend =
                |channel: usize| (first[channel] * keep + second[channel] * column.weight) * scale + self.low;
            *red = blend(0);
            *green = blend(1);
            *blue = blend(2);
        }
    }

    /// Resizes 3 planes of values from 0 to 1, LeRobot's own form of a picture. `false`, and nothing written, if a length is wrong.
    pub fn planar_float(&mut self, picture: &[f32], output: &mut [f32]) -> bool {
        let (source_width, source_height) = self.source;
        let plane_len = source_width * source_height;
        if picture.len() != CHANNELS * plane_len || output.len() != self.output_len() {
            return false;
        }
        let (left, top) = self.padding;
        let width = self.target.0;
        for (plane, picture) in planes(output, self.target).into_iter().zip(picture.chunks_exact(plane_len)) {
            plane[..top * width].fill(self.pad);
            for (row, line) in self.rows.iter().zip(plane[top * width..].chunks_exact_mut(width)) {
                let first = &picture[row.first as usize * source_width..][..source_width];
                let second = &picture[row.second as usize * source_width..][..source_width];
                let keep = 1.0 - row.weight;
                for ((blended, first), second) in self.blended.iter_mut().zip(first).zip(second) {
                    *blended = first * keep + second * row.weight;
                }
                line[..left].fill(self.pad);
                for (value, column) in line[left..].iter_mut().zip(&self.columns) {
                    let first = self.blended[column.first as usize];
                    let second = self.blended[column.second as usize];
                    *value = (first * (1.0 - column.weight) + second * column.weight) * self.span + self.low;
                }
            }
        }
        true
    }
}

fn planes(output: &mut [f32], (width, height): (usize, usize)) -> [&mut [f32]; CHANNELS] {
    let (red, rest) = output.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    [red, green, blue]
}

/// PyTorch's `area_pixel_compute_source_index`: `max((i + 0.5) * in / out - 0.5, 0)` in single precision.
fn taps(source: u32, target: usize) -> Vec<Tap> {
    let scale = source as f32 / target as f32;
    (0..target)
        .map(|index| {
            let position = ((index as f32 + 0.5) * scale - 0.5).max(0.0);
            let first = (position as u32).min(source - 1);
            Tap { first, second: (first + 1).min(source - 1), weight: position - first as f32 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn contract(width: usize, height: usize) -> CameraContract {
        CameraContract {
            slots: Vec::new(),
            empty: 0,
            input_height: height,
            input_width: width,
            pad_side: "left_top".to_owned(),
            pad_value: 0.0,
            range: [-1.0, 1.0],
            tokens_per_image: 4,
        }
    }

    fn resize(width: u32, height: u32, rgb: &[u8], target: usize) -> Vec<f32> {
        let mut resize = ResizeWithPad::new(width, height, &contract(target, target)).unwrap();
        let mut output = vec![f32::NAN; resize.output_len()];
        assert!(resize.rgb8(rgb, &mut output));
        output
    }

    #[test]
    fn a_wide_picture_is_padded_at_the_top() {
        let output = resize(4, 2, &[255; 24], 4);
        let plane = [[-1.0; 4], [-1.0; 4], [1.0; 4], [1.0; 4]].concat();
        assert_eq!(output, [plane.clone(), plane.clone(), plane].concat());
    }

    #[test]
    fn a_tall_picture_is_padded_on_the_left() {
        let output = resize(2, 4, &[255; 24], 4);
        assert_eq!(output[..8], [-1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0]);
    }

    #[test]
    fn colours_go_to_their_planes() {
        let output = resize(1, 1, &[255, 0, 51], 1);
        assert_eq!(output[..2], [1.0, -1.0]);
        assert!((output[2] + 0.6).abs() < 1e-6);
    }

    #[test]
    fn halving_takes_the_mean_of_two_by_two_and_keeps_the_rest_out() {
        // Without antialiasing, 4 -> 2 blends only the inner pair of each half: positions 0.5 and 2.5.
        let grey = |value: u8| [value; 3];
        let row: Vec<u8> = [0, 100, 200, 50].into_iter().flat_map(grey).collect();
        let output = resize(4, 4, &row.repeat(4), 2);
        for (value, expected) in output[..2].iter().zip([50.0, 125.0]) {
            assert!((value - (expected / 127.5 - 1.0)).abs() < 1e-6);
        }
    }

    #[test]
    fn impossible_sizes_have_no_tables() {
        for (width, height) in [(0, 4), (4, 0), (16385, 1), (16384, 1)] {
            assert!(ResizeWithPad::new(width, height, &contract(64, 64)).is_none(), "{width}x{height}");
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let mut resize = ResizeWithPad::new(4, 4, &contract(2, 2)).unwrap();
        assert!(!resize.rgb8(&[0; 47], &mut [0.0; 12]));
        assert!(!resize.rgb8(&[0; 48], &mut [0.0; 11]));
        assert!(!resize.planar_float(&[0.0; 47], &mut [0.0; 12]));
    }

    /// Converts a whole picture at once, as the camera thread would.
    fn whole_picture_as_rgb(picture: &Picture<'_>) -> Vec<u8> {
        let (width, height) = (picture.width, picture.height);
        let mut rgb = vec![0; (width * height * 3) as usize];
        let (range, matrix) = (yuv::YuvRange::Limited, yuv::YuvStandardMatrix::Bt601);
        match picture.layout {
            PixelLayout::Rgb8 => rgb.copy_from_slice(picture.bytes),
            PixelLayout::Yuyv { stride } => {
                let packed = yuv::YuvPackedImage { yuy: picture.bytes, yuy_stride: stride, width, height };
                yuv::yuyv422_to_rgb(&packed, &mut rgb, width * 3, range, matrix).unwrap();
            }
            PixelLayout::Nv12 { stride } => {
                let (y_plane, uv_plane) = picture.bytes.split_at((stride * height) as usize);
                let planes = yuv::YuvBiPlanarImage {
                    y_plane,
                    y_stride: stride,
                    uv_plane,
                    uv_stride: stride,
                    width,
                    height,
                };
                let mode = yuv::YuvConversionMode::Balanced;
                yuv::yuv_nv12_to_rgb(&planes, &mut rgb, width * 3, range, matrix, mode).unwrap();
            }
        }
        rgb
    }

    #[test]
    fn yuyv_of_known_colours() {
        // BT.601 limited: white, black, a saturated red and blue (ITU-R BT.601 table); rows have four bytes of padding.
        for (yuyv, rgb) in [
            ([235, 128, 235, 128], [1.0, 1.0, 1.0]),
            ([16, 128, 16, 128], [-1.0, -1.0, -1.0]),
            ([81, 90, 81, 240], [1.0, -1.0, -1.0]),
            ([41, 240, 41, 110], [-1.0, -1.0, 1.0]),
        ] {
            let bytes = [&yuyv[..], &[0xee; 4]].concat().repeat(2);
            let layout = PixelLayout::Yuyv { stride: 8 };
            let mut resize = ResizeWithPad::new(2, 2, &contract(2, 2)).unwrap();
            let mut output = vec![0.0; resize.output_len()];
            assert!(resize.picture(&Picture { width: 2, height: 2, layout, bytes: &bytes }, &mut output));
            let expected = rgb.into_iter().flat_map(|value: f32| [value; 4]);
            assert!(output.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.02), "{output:?} for {rgb:?}");
        }
    }

    #[test]
    fn nv12_of_known_colours() {
        // BT.601 limited: a saturated red over two by two pixels.
        let bytes = [81, 81, 81, 81, 90, 240];
        let picture = Picture { width: 2, height: 2, layout: PixelLayout::Nv12 { stride: 2 }, bytes: &bytes };
        let mut resize = ResizeWithPad::new(2, 2, &contract(2, 2)).unwrap();
        let mut output = vec![0.0; resize.output_len()];
        assert!(resize.picture(&picture, &mut output));
        let red_then_none = [[1.0; 4], [-1.0; 4], [-1.0; 4]].concat();
        assert!(
            output.iter().zip(red_then_none).all(|(a, b): (&f32, f32)| (a - b).abs() < 0.02),
            "{output:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn packed_layouts_give_the_same_bits_as_a_whole_conversion(
            width in 2_u32..90, height in 2_u32..70, target in 1_usize..40, padding in 0_u32..3, nv12: bool, seed: u8,
        ) {
            let stride = if nv12 { width.next_multiple_of(2) } else { width.next_multiple_of(2) * 2 } + 2 * padding;
            let layout = if nv12 { PixelLayout::Nv12 { stride } } else { PixelLayout::Yuyv { stride } };
            let bytes: Vec<u8> =
                (0..layout.byte_len(width, height)).map(|index| (index as u8).wrapping_mul(57) ^ seed).collect();
            let picture = Picture { width, height, layout, bytes: &bytes };
            let Some(mut resize) = ResizeWithPad::new(width, height, &contract(target, target)) else {
                return Ok(());
            };
            let mut straight = vec![f32::NAN; resize.output_len()];
            let mut by_rgb = straight.clone();
            prop_assert!(resize.picture(&picture, &mut straight));
            prop_assert!(resize.rgb8(&whole_picture_as_rgb(&picture), &mut by_rgb));
            prop_assert_eq!(straight, by_rgb);
        }

        #[test]
        fn any_size_fills_every_value_and_both_forms_agree(
            width in 1_u32..70, height in 1_u32..70, target_width in 1_usize..40, target_height in 1_usize..40, seed: u8,
        ) {
            let Some(mut resize) = ResizeWithPad::new(width, height, &contract(target_width, target_height)) else {
                return Ok(());
            };
            let pixels = (width * height) as usize;
            let rgb: Vec<u8> = (0..pixels * 3).map(|index| (index as u8).wrapping_mul(37) ^ seed).collect();
            let planar: Vec<f32> =
                (0..3).flat_map(|channel| rgb.iter().skip(channel).step_by(3).map(|value| f32::from(*value) / 255.0)).collect();
            let mut from_bytes = vec![f32::NAN; resize.output_len()];
            let mut from_floats = from_bytes.clone();
            prop_assert!(resize.rgb8(&rgb, &mut from_bytes));
            prop_assert!(resize.planar_float(&planar, &mut from_floats));
            for (a, b) in from_bytes.iter().zip(&from_floats) {
                prop_assert!((a - b).abs() < 1e-6 && (-1.0 - 1e-6..=1.0 + 1e-6).contains(a));
            }
        }
    }
}
