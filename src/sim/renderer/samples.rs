//! The z-buffer with four samples a pixel, and the triangles in it.

use super::grid::Region;
use super::pinhole::{ImagePoint, PinholeCamera};

/// Sample places in a pixel, from its centre: a rotated grid, good for edges near the axes.
const SAMPLES: [[f32; 2]; 4] = [[-0.125, -0.375], [0.375, -0.125], [0.125, 0.375], [-0.375, 0.125]];

/// Numbers blended over a triangle besides its depth.
pub(super) const ATTRIBUTES: usize = 7;

/// A corner in the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    pub(super) image: ImagePoint,
    pub(super) attributes: [f32; ATTRIBUTES],
}

#[derive(Clone, Copy, Debug)]
struct Pixel {
    /// Of the nearest surface at each sample, 1/m; larger is nearer.
    inverse_depth: [f32; 4],
    /// Red, green, blue; the fourth byte is 255 where something was drawn.
    colour: [[u8; 4]; 4],
}

/// The z-buffer. It starts as the empty table, so that nothing below the table top is seen.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    width: usize,
    height: usize,
    pixels: Vec<Pixel>,
    /// Inverse depth of the table at pixel (x, y): `table[0] + x * table[1] + y * table[2]`, as a plane's is affine.
    table: [f32; 3],
    drawn: Region,
}

impl Samples {
    pub(super) fn new(camera: &PinholeCamera, width: usize, height: usize) -> Self {
        // half a millimetre below the top, so that what stands on it is seen down to its foot
        let drop_m = camera.eye.z + 0.0005;
        let at = |x: f32, y: f32| -camera.ray(x, y).z / drop_m;
        let corner = at(0.5, 0.5);
        let table = [corner, at(1.5, 0.5) - corner, at(0.5, 1.5) - corner];
        let empty = Pixel { inverse_depth: [0.0; 4], colour: [[0; 4]; 4] };
        let mut samples =
            Self { width, height, pixels: vec![empty; width * height], table, drawn: Region::EMPTY };
        samples.drawn = Region { x: [0, width], y: [0, height] };
        samples.clear();
        samples
    }

    /// Forgets the last frame.
    pub(super) fn clear(&mut self) {
        if !self.drawn.is_empty() {
            let [left, right] = self.drawn.x;
            for y in self.drawn.y[0]..self.drawn.y[1] {
                let row = &mut self.pixels[y * self.width + left..y * self.width + right];
                for (x, pixel) in (left..).zip(row) {
                    let table = self.table[0] + self.table[1] * x as f32 + self.table[2] * y as f32;
                    *pixel = Pixel { inverse_depth: [table.max(0.0); 4], colour: [[0; 4]; 4] };
                }
            }
        }
        self.drawn = Region::EMPTY;
    }

    /// Draws a triangle that faces the camera. `shade` gives the colour for attributes and inverse depth, once a pixel.
    pub(super) fn draw(&mut self, corners: [&Corner; 3], shade: impl Fn(&[f32; ATTRIBUTES], f32) -> [u8; 3]) {
        let [a, b, c] = corners.map(|corner| [corner.image.x_px, corner.image.y_px]);
        // rows run downwards, so that a triangle facing us has its corners clockwise here
        let area = (c[0] - a[0]) * (b[1] - a[1]) - (b[0] - a[0]) * (c[1] - a[1]);
        if area.is_nan() || area <= 1e-6 {
            return;
        }
        let region = Region::around([a, b, c], self.width, self.height);
        if region.is_empty() {
            return;
        }
        self.drawn = self.drawn.union(region);
        // weight of corner k at (x, y): base[k] + x * step[k][0] + y * step[k][1]
        let edge = |from: [f32; 2], to: [f32; 2]| [(from[1] - to[1]) / area, (to[0] - from[0]) / area];
        let step = [edge(c, b), edge(a, c), edge(b, a)];
        let start = [region.x[0] as f32 + 0.5, region.y[0] as f32 + 0.5];
        let weight_at = |k: usize, through: [f32; 2]| {
            step[k][0] * (start[0] - through[0]) + step[k][1] * (start[1] - through[1])
        };
        let first = [weight_at(0, b), weight_at(1, c), weight_at(2, a)];
        let depth = corners.map(|corner| corner.image.inverse_depth);
        // by corner, then by sample: four neighbours in memory, so that the compiler works on all samples at once
        let offset: [[f32; 4]; 3] =
            std::array::from_fn(|k| SAMPLES.map(|[dx, dy]| step[k][0] * dx + step[k][1] * dy));
        // no sample of a pixel can lie inside when its centre is further outside than this
        let reach: [f32; 3] =
            std::array::from_fn(|k| offset[k].iter().fold(0.0, |far: f32, &by| far.max(by)));
        let depth_offset: [f32; 4] = std::array::from_fn(|sample| {
            offset[0][sample] * depth[0] + offset[1][sample] * depth[1] + offset[2][sample] * depth[2]
        });

        for y in region.y[0]..region.y[1] {
            let row = y as f32 + 0.5 - start[1];
            // the columns between the edges in this row, and one pixel more for rounding
            let (mut left, mut right) = (0.0, (region.x[1] - region.x[0]) as f32);
            for k in 0..3 {
                let there = first[k] + step[k][1] * row + reach[k];
                if step[k][0] > 1e-9 {
                    left = f32::max(left, -there / step[k][0] - 1.0);
                } else if step[k][0] < -1e-9 {
                    right = f32::min(right, there / -step[k][0] + 2.0);
                } else if there < 0.0 {
                    right = 0.0;
                }
            }
            let (left, right) = (left as usize, right as usize);
            if left >= right {
                continue;
            }
            let start = y * self.width + region.x[0];
            for (column, pixel) in (left..right).zip(&mut self.pixels[start + left..start + right]) {
                let weight: [f32; 3] =
                    std::array::from_fn(|k| first[k] + step[k][0] * column as f32 + step[k][1] * row);
                if weight[0] < -reach[0] || weight[1] < -reach[1] || weight[2] < -reach[2] {
                    continue;
                }
                let inverse_depth = weight[0] * depth[0] + weight[1] * depth[1] + weight[2] * depth[2];
                let at_sample: [f32; 4] = std::array::from_fn(|sample| inverse_depth + depth_offset[sample]);
                let visible: [bool; 4] = std::array::from_fn(|sample| {
                    (weight[0] + offset[0][sample] >= 0.0)
                        & (weight[1] + offset[1][sample] >= 0.0)
                        & (weight[2] + offset[2][sample] >= 0.0)
                        & (at_sample[sample] > pixel.inverse_depth[sample])
                });
                if visible == [false; 4] {
                    continue;
                }
                let attributes = std::array::from_fn(|index| {
                    weight[0] * corners[0].attributes[index]
                        + weight[1] * corners[1].attributes[index]
                        + weight[2] * corners[2].attributes[index]
                });
                let [red, green, blue] = shade(&attributes, inverse_depth);
                for sample in 0..4 {
                    if visible[sample] {
                        pixel.inverse_depth[sample] = at_sample[sample];
                        pixel.colour[sample] = [red, green, blue, 255];
                    }
                }
            }
        }
    }

    /// Averages the samples of each pixel over what `rgb` shows already.
    pub(super) fn resolve(&self, rgb: &mut [[u8; 3]]) {
        if self.drawn.is_empty() {
            return;
        }
        let [left, right] = self.drawn.x;
        for y in self.drawn.y[0]..self.drawn.y[1] {
            let row = y * self.width + left..y * self.width + right;
            for (pixel, out) in self.pixels[row.clone()].iter().zip(&mut rgb[row]) {
                let mut sum = [0_u16; 4];
                for sample in pixel.colour {
                    for (sum, value) in sum.iter_mut().zip(sample) {
                        *sum += u16::from(value);
                    }
                }
                let behind = 4 - sum[3] / 255;
                for (out, sum) in out.iter_mut().zip(sum) {
                    *out = ((sum + behind * u16::from(*out) + 2) / 4) as u8;
                }
            }
        }
    }
}
