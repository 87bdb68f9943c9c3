//! Shadows on the table.

use nalgebra::Vector3;

use super::background::Background;
use super::blur::SoftMap;
use super::grid::{HeightGrid, Region};
use super::pinhole::PinholeCamera;
use super::shading::{Lighting, ToneCurve};

/// Cells of the lamp's shadow, metres.
const LAMP_CELL_M: f32 = 0.002;
/// Cells of the darkening under things near the table, metres.
const SKY_CELL_M: f32 = 0.008;
/// Height at which a thing no longer hides the sky from the table below it, metres.
const SKY_REACH_M: f32 = 0.09;
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
}

impl TableShadow {
    pub(super) fn new(lighting: &Lighting) -> Self {
        let lamp = HeightGrid::new(lighting.direction, LAMP_CELL_M);
        let sky = HeightGrid::new(Vector3::z(), SKY_CELL_M);
        Self {
            sharp: SoftMap::new(lamp.size, 1),
            soft: SoftMap::new(lamp.size, 5),
            soft_height: SoftMap::new(lamp.size, 5),
            occlusion: SoftMap::new(sky.size, 2),
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
    }

    /// Share of lamp light taken away at a place of the lamp's grid.
    fn lamp_shadow(&self, cell: [f32; 2]) -> f32 {
        let soft = self.soft.sample(cell);
        if soft <= 0.0 {
            return 0.0;
        }
        let softness = (self.soft_height.sample(cell) / soft / SOFT_HEIGHT_M).clamp(0.0, 1.0);
        let sharp = self.sharp.sample(cell);
        sharp + (soft - sharp) * softness
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
        let lamp = picture_region(&self.lamp, self.soft.filled(), camera, width, height);
        let region = lamp.union(picture_region(&self.sky, self.occlusion.filled(), camera, width, height));
        if region.is_empty() {
            return;
        }
        for y in region.y[0]..region.y[1] {
            for x in region.x[0]..region.x[1] {
                let index = y * width + x;
                let table = background.table[index];
                if table == [0.0; 3] {
                    continue;
                }
                let ray = camera.ray(x as f32 + 0.5, y as f32 + 0.5);
                if ray.z >= 0.0 {
                    continue;
                }
                let mut point = camera.eye - ray * (camera.eye.z / ray.z);
                point.z = 0.0;
                let shadow = self.lamp_shadow(self.lamp.locate(&point).cell);
                let occlusion = 0.75 * self.occlusion.sample(self.sky.locate(&point).cell);
                if shadow > 0.002 || occlusion > 0.002 {
                    let lit = lighting.table_colour(table, occlusion, shadow);
                    let wall = background.wall[index];
                    rgb[index] = tone.bytes(std::array::from_fn(|channel| wall[channel] + lit[channel]));
                }
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
                x: [(corner.x_px.max(0.0) as usize).min(width), (corner.x_px.max(0.0) as usize + 1).min(width)],
                y: [(corner.y_px.max(0.0) as usize).min(height), (corner.y_px.max(0.0) as usize + 1).min(height)],
            });
        }
    }
    region.grown(1, width, height)
}

/// What the sky's grid holds for a point at a height: larger for lower points, zero from `SKY_REACH_M` up.
pub(super) fn sky_nearness(height_m: f32) -> f32 {
    SKY_REACH_M - height_m.clamp(0.0, SKY_REACH_M)
}
