//! Maps of the table top, seen along a direction of light.

use nalgebra::{Point3, Vector3};

/// Cells that were touched, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) x: [usize; 2],
    pub(super) y: [usize; 2],
}

impl Region {
    pub(super) const EMPTY: Self = Self { x: [usize::MAX, 0], y: [usize::MAX, 0] };

    pub(super) const fn is_empty(&self) -> bool {
        self.x[0] >= self.x[1] || self.y[0] >= self.y[1]
    }

    /// The smallest region with both.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            x: [self.x[0].min(other.x[0]), self.x[1].max(other.x[1])],
            y: [self.y[0].min(other.y[0]), self.y[1].max(other.y[1])],
        }
    }

    /// Grown by `margin` on each side, inside a grid of `width` by `height`.
    pub(super) fn grown(self, margin: usize, width: usize, height: usize) -> Self {
        if self.is_empty() {
            return Self::EMPTY;
        }
        Self {
            x: [self.x[0].saturating_sub(margin), (self.x[1] + margin).min(width)],
            y: [self.y[0].saturating_sub(margin), (self.y[1] + margin).min(height)],
        }
    }

    /// The cells that the corners span, inside a grid of `width` by `height`.
    pub(super) fn around(corners: [[f32; 2]; 3], width: usize, height: usize) -> Self {
        // `as` saturates, so that corners far outside stay outside
        let low = |k: usize, end: usize| {
            (corners[0][k].min(corners[1][k]).min(corners[2][k]).floor().max(0.0) as usize).min(end)
        };
        let high = |k: usize, end: usize| {
            (corners[0][k].max(corners[1][k]).max(corners[2][k]).ceil().max(0.0) as usize).min(end)
        };
        Self { x: [low(0, width), high(0, width)], y: [low(1, height), high(1, height)] }
    }
}

/// Lower left corner of all grids in the world, metres.
const ORIGIN_M: [f32; 2] = [-0.50, -0.70];
/// Edge of all grids, metres.
const EDGE_M: f32 = 1.40;

/// A point as the light sees it: place on the grid in cells, and its height above the table in metres.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GridPoint {
    pub(super) cell: [f32; 2],
    pub(super) height_m: f32,
}

/// For each cell of the table, the highest thing that light along `direction` meets above it.
#[derive(Clone, Debug)]
pub(super) struct HeightGrid {
    slope: [f32; 2],
    cells_per_metre: f32,
    pub(super) size: usize,
    pub(super) heights: Vec<f32>,
    pub(super) touched: Region,
}

impl HeightGrid {
    /// A grid for light from `direction` (towards the lamp) with cells of `cell_m` metres.
    pub(super) fn new(direction: Vector3<f32>, cell_m: f32) -> Self {
        let size = (EDGE_M / cell_m).round() as usize;
        Self {
            slope: [direction.x / direction.z, direction.y / direction.z],
            cells_per_metre: 1.0 / cell_m,
            size,
            heights: vec![0.0; size * size],
            touched: Region::EMPTY,
        }
    }

    /// Where the light through `point` meets the table.
    pub(super) fn locate(&self, point: &Point3<f32>) -> GridPoint {
        let place = |axis: usize| {
            (point[axis] - self.slope[axis] * point.z - ORIGIN_M[axis]) * self.cells_per_metre - 0.5
        };
        GridPoint { cell: [place(0), place(1)], height_m: point.z }
    }

    /// The place of a point of the table.
    pub(super) fn table_cell(&self, point: [f32; 2]) -> [f32; 2] {
        std::array::from_fn(|axis| (point[axis] - ORIGIN_M[axis]) * self.cells_per_metre - 0.5)
    }

    /// The point of the table in the middle of a cell.
    pub(super) fn table_point(&self, x: usize, y: usize) -> Point3<f32> {
        let place = |axis: usize, cell: usize| (cell as f32 + 0.5) / self.cells_per_metre + ORIGIN_M[axis];
        Point3::new(place(0, x), place(1, y), 0.0)
    }

    /// Forgets the last frame.
    pub(super) fn clear(&mut self) {
        if !self.touched.is_empty() {
            for y in self.touched.y[0]..self.touched.y[1] {
                let row = y * self.size;
                self.heights[row + self.touched.x[0]..row + self.touched.x[1]].fill(0.0);
            }
        }
        self.touched = Region::EMPTY;
    }

    /// Raises the cells under a triangle that faces the light; others cast the same shadow and are left out.
    pub(super) fn raise(&mut self, corners: [GridPoint; 3]) {
        let [a, b, c] = corners.map(|corner| corner.cell);
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
        if area.is_nan() || area <= 1e-9 {
            return;
        }
        let region = Region::around([a, b, c], self.size, self.size).grown(1, self.size, self.size);
        if region.is_empty() {
            return;
        }
        self.touched = self.touched.union(region);
        // weights of the corners and the height are affine in the cell's place
        let share = 1.0 / area;
        let by_x = [(c[1] - a[1]) * share, (a[1] - b[1]) * share];
        let by_y = [(a[0] - c[0]) * share, (b[0] - a[0]) * share];
        let rise = [corners[1].height_m - corners[0].height_m, corners[2].height_m - corners[0].height_m];
        for y in region.y[0]..region.y[1] {
            let py = y as f32 - a[1];
            let row = &mut self.heights[y * self.size + region.x[0]..y * self.size + region.x[1]];
            for (x, cell) in (region.x[0]..).zip(row) {
                let px = x as f32 - a[0];
                let (w1, w2) = (px * by_x[0] + py * by_y[0], px * by_x[1] + py * by_y[1]);
                if w1 >= 0.0 && w2 >= 0.0 && w1 + w2 <= 1.0 {
                    *cell = cell.max(corners[0].height_m + w1 * rise[0] + w2 * rise[1]);
                }
            }
        }
    }

    /// Share of the light, 0 to 1, that reaches a point: four cells around it are asked and blended.
    pub(super) fn visibility(&self, cell: [f32; 2], height_m: f32, bias_m: f32) -> f32 {
        let last = (self.size - 2) as f32;
        if !(cell[0] >= 0.0 && cell[1] >= 0.0 && cell[0] < last && cell[1] < last) {
            return 1.0;
        }
        let (x, y) = (cell[0] as usize, cell[1] as usize);
        let (fx, fy) = (cell[0] - x as f32, cell[1] - y as f32);
        let start = y * self.size + x;
        let limit = height_m + bias_m;
        let lit = |index: usize| if self.heights[index] > limit { 0.0 } else { 1.0 };
        let upper = lit(start) * (1.0 - fx) + lit(start + 1) * fx;
        let lower = lit(start + self.size) * (1.0 - fx) + lit(start + self.size + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}
