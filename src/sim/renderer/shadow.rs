//! Shadows on the table.

use nalgebra::Vector3;

use super::background::Background;
use super::blur::SoftMap;
use super::grid::{HeightGrid, Region};
use super::pinhole::PinholeCamera;
use super::shading::{Lighting, ToneCurve};

/// Cells of the lamp's shadow, metres.
const LAMP_CELL_M: f32 = 0.0025;
/// Cells of the darkening under things near the table, metres.
const SKY_CELL_M: f32 = 0.010;
/// Height at which a thing no longer hides the sky from the table below it, metres.
const SKY_REACH_M: f32 = 0.09;
/// Share of the sky that a thing lying on the table hides around it.
const SKY_STRENGTH: f32 = 0.75;
/// Height above which a shadow's edge is as soft as it gets, metres.
const SOFT_HEIGHT_M: f32 = 0.30;

/// The lamp's shadow, sharp where things touch the table and softer below high ones, and the dark under low things.
#[derive(Clone, Debug)]
pub(super) struct TableShadow {
    /// What the lamp sees; also tells which parts of the arm lie in the shadow of others.
    pub(super) lamp: HeightGrid,
    /// What stands above the table, seen from straight above. Holds `SKY_REACH_M - height`.
    pub(super) sky: HeightGrid,
    sharp: SoftMap,
    soft: SoftMap,
    soft_height: SoftMap,
    occlusion: SoftMap,
    /// For each cell of the lamp's grid the shares of sky and lamp that are hidden from the table there, in 255ths: bytes, since
    /// all of it is read for each picture and should stay near the processor.
    hidden: Vec<[u8; 2]>,
    hidden_region: Region,
}

impl TableShadow {
    pub(super) fn new(lighting: &Lighting) -> Self {
        let lamp = HeightGrid::new(lighting.direction, LAMP_CELL_M);
        let sky = HeightGrid::new(Vector3::z(), SKY_CELL_M);
        Self {
            sharp: SoftMap::new(lamp.size, 1),
            soft: SoftMap::new(lamp.size, 4),
            soft_height: SoftMap::new(lamp.size, 4),
            occlusion: SoftMap::new(sky.size, 2),
            hidden: vec![[0; 2]; lamp.size * lamp.size],
            hidden_region: Region::EMPTY,
            lamp,
            sky,
        }
    }

    /// Forgets the last frame.
    pub(super) fn clear(&mut self) {
        self.lamp.clear();
        self.sky.clear();
    }

    /// After all triangles: makes the soft maps.
    pub(super) fn finish(&mut self) {
        let heights = &self.lamp.heights;
        let covered = |cell: usize| if heights[cell] > 0.0 { 1.0 } else { 0.0 };
        self.sharp.fill(self.lamp.touched, covered);
        self.soft.fill(self.lamp.touched, covered);
        self.soft_height.fill(self.lamp.touched, |cell| heights[cell].clamp(0.0, SOFT_HEIGHT_M));
        let nearness = &self.sky.heights;
        self.occlusion.fill(self.sky.touched, |cell| {
            let share = nearness[cell] / SKY_REACH_M;
            share * share
        });
        self.combine();
    }

    /// Puts the soft maps together, since each cell is seen by many pixels.
    fn combine(&mut self) {
        let size = self.lamp.size;
        let stale = self.hidden_region;
        if !stale.is_empty() {
            for y in stale.y[0]..stale.y[1] {
                self.hidden[y * size + stale.x[0]..y * size + stale.x[1]].fill([0; 2]);
            }
        }
        // cells of both grids cover the same square of the table
        let ratio = SKY_CELL_M / LAMP_CELL_M;
        let sky = self.occlusion.filled();
        let scaled = |[from, to]: [usize; 2]| [from * ratio as usize, to * ratio as usize];
        let sky = if sky.is_empty() { sky } else { Region { x: scaled(sky.x), y: scaled(sky.y) } };
        self.hidden_region = self.soft.filled().union(sky).grown(0, size, size);
        if self.hidden_region.is_empty() {
            return;
        }
        for y in self.hidden_region.y[0]..self.hidden_region.y[1] {
            for x in self.hidden_region.x[0]..self.hidden_region.x[1] {
                let index = y * size + x;
                let soft = self.soft.value(index);
                let lamp = if soft > 1e-4 {
                    let softness = (self.soft_height.value(index) / soft / SOFT_HEIGHT_M).clamp(0.0, 1.0);
                    self.sharp.value(index) + (soft - self.sharp.value(index)) * softness
                } else {
                    0.0
                };
                let coarse = [(x as f32 + 0.5) / ratio - 0.5, (y as f32 + 0.5) / ratio - 0.5];
                let sky = SKY_STRENGTH * self.occlusion.sample(coarse);
                self.hidden[index] = [sky, lamp].map(|share| (share * 255.0 + 0.5) as u8);
            }
        }
    }

    /// Shares of sky and lamp hidden at a place of the lamp's grid; `None` where next to nothing is.
    pub(super) fn hidden(&self, cell: [f32; 2]) -> Option<[f32; 2]> {
        let last = (self.lamp.size - 2) as f32;
        if !(cell[0] >= 0.0 && cell[1] >= 0.0 && cell[0] < last && cell[1] < last) {
            return None;
        }
        let (x, y) = (cell[0] as usize, cell[1] as usize);
        let start = y * self.lamp.size + x;
        let (upper, lower) = (start..start + 2, start + self.lamp.size..start + self.lamp.size + 2);
        let (&[a, b], &[c, d]) = (self.hidden[upper].as_array()?, self.hidden[lower].as_array()?);
        if [a, b, c, d] == [[0; 2]; 4] {
            return None;
        }
        let [a, b, c, d] = [a, b, c, d].map(|shares| shares.map(|share| f32::from(share) / 255.0));
        let (fx, fy) = (cell[0] - x as f32, cell[1] - y as f32);
        Some(std::array::from_fn(|k| {
            (a[k] * (1.0 - fx) + b[k] * fx) * (1.0 - fy) + (c[k] * (1.0 - fx) + d[k] * fx) * fy
        }))
    }

    /// Lays the shadows on the picture of the empty cell.
    pub(super) fn apply(
        &self,
        background: &Background,
        camera: &PinholeCamera,
        lighting: &Lighting,
        tone: &ToneCurve,
        width: usize,
        rgb: &mut [[u8; 3]],
    ) {
        let height = rgb.len() / width;
        let region = picture_region(&self.lamp, self.hidden_region, camera, width, height);
        if region.is_empty() {
            return;
        }
        for y in region.y[0]..region.y[1] {
            let first = camera.ray(region.x[0] as f32 + 0.5, y as f32 + 0.5);
            let step = camera.right / camera.focal_px;
            let row = y * width + region.x[0]..y * width + region.x[1];
            for (column, (index, out)) in row.clone().zip(&mut rgb[row]).enumerate() {
                let ray = first + step * column as f32;
                if ray.z > -1e-4 {
                    continue;
                }
                let depth = -camera.eye.z / ray.z;
                let cell = self.lamp.table_cell([camera.eye.x + ray.x * depth, camera.eye.y + ray.y * depth]);
                let Some([sky, lamp]) = self.hidden(cell) else { continue };
                let lit = lighting.table_colour(background.table[index], sky, lamp);
                let wall = background.wall[index];
                *out = tone.bytes(std::array::from_fn(|channel| wall[channel] + lit[channel]));
            }
        }
    }
}

/// The pixels in which a region of a grid can be seen; the whole picture when part of it lies behind the camera.
fn picture_region(
    grid: &HeightGrid,
    cells: Region,
    camera: &PinholeCamera,
    width: usize,
    height: usize,
) -> Region {
    if cells.is_empty() {
        return Region::EMPTY;
    }
    let mut region = Region::EMPTY;
    for x in cells.x {
        for y in cells.y {
            let Some(corner) = camera.project(&grid.table_point(x, y)) else {
                return Region { x: [0, width], y: [0, height] };
            };
            region = region.union(Region {
                x: [
                    (corner.x_px.max(0.0) as usize).min(width),
                    (corner.x_px.max(0.0) as usize + 1).min(width),
                ],
                y: [
                    (corner.y_px.max(0.0) as usize).min(height),
                    (corner.y_px.max(0.0) as usize + 1).min(height),
                ],
            });
        }
    }
    region.grown(1, width, height)
}

/// What the sky's grid holds for a point at a height: larger for lower points, zero from `SKY_REACH_M` up.
pub(super) fn sky_nearness(height_m: f32) -> f32 {
    SKY_REACH_M - height_m.clamp(0.0, SKY_REACH_M)
}
