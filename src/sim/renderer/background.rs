//! What never moves: the table top with its grain, and the wall behind. Drawn once for a scene.

use nalgebra::Vector3;

use super::pinhole::PinholeCamera;
use super::shading::{Lighting, ToneCurve};
use crate::sim::scene::{Scene, TABLE_EXTENT_M, Table};

/// The picture of the empty cell, kept in parts so that shadows can be laid on the table.
#[derive(Clone, Debug)]
pub(super) struct Background {
    /// The unshadowed picture.
    pub(super) bytes: Vec<[u8; 3]>,
    /// The wall's light, weighted by its share of the pixel.
    pub(super) wall: Vec<[f32; 3]>,
    /// The table's reflectance, weighted by its share of the pixel.
    pub(super) table: Vec<[f32; 3]>,
}

/// Points in a pixel that the static picture averages.
const SUBPIXELS: [[f32; 2]; 4] = [[0.125, 0.625], [0.375, 0.125], [0.625, 0.875], [0.875, 0.375]];

impl Background {
    pub(super) fn new(
        scene: &Scene,
        camera: &PinholeCamera,
        lighting: &Lighting,
        tone: &ToneCurve,
        width: usize,
        height: usize,
    ) -> Self {
        let wood = Wood::new(&scene.table);
        let mut background = Self {
            bytes: Vec::with_capacity(width * height),
            wall: Vec::with_capacity(width * height),
            table: Vec::with_capacity(width * height),
        };
        for y in 0..height {
            for x in 0..width {
                let (mut wall, mut table) = ([0.0; 3], [0.0; 3]);
                for [dx, dy] in SUBPIXELS {
                    let ray = camera.ray(x as f32 + dx, y as f32 + dy);
                    let (sum, colour) = match table_point(camera, &ray) {
                        Some((point, footprint_m)) => (&mut table, wood.albedo(point, footprint_m)),
                        None => (&mut wall, wall_light(scene.backdrop, &ray)),
                    };
                    for channel in 0..3 {
                        sum[channel] += colour[channel] / SUBPIXELS.len() as f32;
                    }
                }
                let lit = lighting.table_colour(table, 0.0, 0.0);
                background
                    .bytes
                    .push(tone.bytes(std::array::from_fn(|channel| wall[channel] + lit[channel])));
                background.wall.push(wall);
                background.table.push(table);
            }
        }
        background
    }
}

/// Where a ray meets the table top (x, y in metres), and the width of a pixel there; `None` beside the table.
fn table_point(camera: &PinholeCamera, ray: &Vector3<f32>) -> Option<([f32; 2], f32)> {
    if ray.z >= -1e-4 {
        return None;
    }
    let depth = -camera.eye.z / ray.z;
    let point = [camera.eye.x + ray.x * depth, camera.eye.y + ray.y * depth];
    let inside = point
        .iter()
        .zip(TABLE_EXTENT_M)
        .all(|(&place, [from, to])| f64::from(place) > from && f64::from(place) < to);
    inside.then_some((point, depth / camera.focal_px))
}

/// A plain wall, brighter upwards and out of focus.
fn wall_light(backdrop: [f32; 3], ray: &Vector3<f32>) -> [f32; 3] {
    let direction = ray.normalize();
    let rise = ((direction.z + 0.75) / 0.75).clamp(0.0, 1.2);
    let side = 1.0 + 0.10 * (direction.x * 1.7 + direction.y * 0.9);
    backdrop.map(|channel| channel * (0.55 + 0.55 * rise * rise) * side)
}

/// Planks with grain.
struct Wood {
    albedo: [f32; 3],
    along: [f32; 2],
    seed: u32,
}

const PLANK_WIDTH_M: f32 = 0.105;
const GAP_M: f32 = 0.0016;

impl Wood {
    fn new(table: &Table) -> Self {
        let (sin, cos) = table.plank_bearing_rad.sin_cos();
        Self { albedo: table.albedo, along: [cos as f32, sin as f32], seed: table.grain_seed }
    }

    fn albedo(&self, [x, y]: [f32; 2], footprint_m: f32) -> [f32; 3] {
        let along = x * self.along[0] + y * self.along[1];
        let across = y * self.along[0] - x * self.along[1];
        let plank = (across / PLANK_WIDTH_M).floor();
        let in_plank = across - plank * PLANK_WIDTH_M;
        let number = plank as i32;
        let tone = hash_unit(self.seed, number, 17);
        let shift = 10.0 * hash_unit(self.seed, number, 91);

        // year rings, bent by slow noise; fine fibres on top
        let bend = self.noise(along * 2.2 + shift, across * 9.0 + shift);
        let ring = (across * 150.0 + 9.0 * bend + shift).sin();
        let streak = self.noise(along * 5.0 + shift, across * 210.0);
        let fibre = self.noise(along * 34.0, across * 900.0 + shift);
        // what is finer than a pixel is left out
        let fine = (0.0011 / footprint_m).clamp(0.0, 1.0);
        let mut value =
            0.90 + 0.22 * (tone - 0.5) + 0.055 * ring + 0.16 * (streak - 0.5) + 0.14 * fine * (fibre - 0.5);

        // gaps between planks, softened to the width of a pixel
        let to_gap = in_plank.min(PLANK_WIDTH_M - in_plank);
        let edge = 0.5 * GAP_M + footprint_m;
        let gap = (1.0 - to_gap / edge).clamp(0.0, 1.0) * (GAP_M / (GAP_M + footprint_m)).min(1.0);
        value *= 1.0 - 0.75 * gap;
        // the lamp's pool of light
        let (dx, dy) = (x - 0.22, y);
        value *= 1.08 - 0.42 * (dx * dx + dy * dy).min(1.0);
        let warm = 1.0 + 0.08 * (tone - 0.5);
        [self.albedo[0] * value * warm, self.albedo[1] * value, self.albedo[2] * value / warm]
    }

    /// Smooth value noise in 0..1 with cells of size 1.
    fn noise(&self, x: f32, y: f32) -> f32 {
        let (cell_x, cell_y) = (x.floor(), y.floor());
        let ease = |fraction: f32| fraction * fraction * (3.0 - 2.0 * fraction);
        let (fx, fy) = (ease(x - cell_x), ease(y - cell_y));
        let (cx, cy) = (cell_x as i32, cell_y as i32);
        let at = |dx: i32, dy: i32| hash_unit(self.seed, cx.wrapping_add(dx), cy.wrapping_add(dy));
        let upper = at(0, 0) * (1.0 - fx) + at(1, 0) * fx;
        let lower = at(0, 1) * (1.0 - fx) + at(1, 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// A number in 0..1 that depends on nothing but its arguments (the finaliser of MurmurHash3).
fn hash_unit(seed: u32, x: i32, y: i32) -> f32 {
    let mut hash = seed ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    hash ^= hash >> 16;
    (hash >> 8) as f32 / 16_777_216.0
}
