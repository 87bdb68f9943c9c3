//! Softening of a map of the table.

use super::grid::Region;

/// A square map of values that can be softened by a box filter applied twice.
#[derive(Clone, Debug)]
pub(super) struct SoftMap {
    size: usize,
    radius: usize,
    values: Vec<f32>,
    scratch: Vec<f32>,
    column_sums: Vec<f32>,
    filled: Region,
}

impl SoftMap {
    /// A map of `size` by `size`, softened over `radius` cells to each side (twice).
    pub(super) fn new(size: usize, radius: usize) -> Self {
        Self {
            size,
            radius,
            values: vec![0.0; size * size],
            scratch: vec![0.0; size * size],
            column_sums: vec![0.0; size],
            filled: Region::EMPTY,
        }
    }

    /// Takes `value(cell)` over `region`, zero elsewhere, and softens it.
    pub(super) fn fill(&mut self, region: Region, value: impl Fn(usize) -> f32) {
        let stale = self.filled;
        for map in [&mut self.values, &mut self.scratch] {
            if !stale.is_empty() {
                for y in stale.y[0]..stale.y[1] {
                    map[y * self.size + stale.x[0]..y * self.size + stale.x[1]].fill(0.0);
                }
            }
        }
        self.filled = region.grown(2 * self.radius, self.size, self.size);
        if region.is_empty() {
            return;
        }
        for y in region.y[0]..region.y[1] {
            for index in y * self.size + region.x[0]..y * self.size + region.x[1] {
                self.values[index] = value(index);
            }
        }
        for _ in 0..2 {
            self.soften_rows();
            self.soften_columns();
        }
    }

    fn soften_rows(&mut self) {
        let [from, to] = self.filled.x;
        let (radius, share) = (self.radius, 1.0 / (2 * self.radius + 1) as f32);
        for y in self.filled.y[0]..self.filled.y[1] {
            let row = &self.values[y * self.size + from..y * self.size + to];
            let out = &mut self.scratch[y * self.size + from..y * self.size + to];
            let mut sum: f32 = row.iter().take(radius).sum();
            for x in 0..row.len() {
                sum += row.get(x + radius).copied().unwrap_or(0.0);
                out[x] = sum * share;
                if x >= radius {
                    sum -= row[x - radius];
                }
            }
        }
    }

    fn soften_columns(&mut self) {
        let [from, to] = self.filled.x;
        let [top, bottom] = self.filled.y;
        let (size, radius, share) = (self.size, self.radius, 1.0 / (2 * self.radius + 1) as f32);
        let row = |y: usize| y * size + from..y * size + to;
        let sums = &mut self.column_sums[from..to];
        sums.fill(0.0);
        for y in top..(top + radius).min(bottom) {
            sums.iter_mut().zip(&self.scratch[row(y)]).for_each(|(sum, value)| *sum += value);
        }
        for y in top..bottom {
            if y + radius < bottom {
                sums.iter_mut().zip(&self.scratch[row(y + radius)]).for_each(|(sum, value)| *sum += value);
            }
            self.values[row(y)].iter_mut().zip(&*sums).for_each(|(out, sum)| *out = sum * share);
            if y >= top + radius {
                sums.iter_mut().zip(&self.scratch[row(y - radius)]).for_each(|(sum, value)| *sum -= value);
            }
        }
    }

    /// The cells that may differ from zero.
    pub(super) const fn filled(&self) -> Region {
        self.filled
    }

    /// The value of a cell by its index.
    pub(super) fn value(&self, index: usize) -> f32 {
        self.values[index]
    }

    /// The value between four cells, zero outside the map.
    pub(super) fn sample(&self, cell: [f32; 2]) -> f32 {
        let last = (self.size - 2) as f32;
        if !(cell[0] >= 0.0 && cell[1] >= 0.0 && cell[0] < last && cell[1] < last) {
            return 0.0;
        }
        let (x, y) = (cell[0] as usize, cell[1] as usize);
        let (fx, fy) = (cell[0] - x as f32, cell[1] - y as f32);
        let start = y * self.size + x;
        let upper = self.values[start] * (1.0 - fx) + self.values[start + 1] * fx;
        let lower = self.values[start + self.size] * (1.0 - fx) + self.values[start + self.size + 1] * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softening_keeps_the_sum_and_spreads_evenly() {
        let mut map = SoftMap::new(40, 3);
        let region = Region { x: [18, 22], y: [20, 22] };
        map.fill(region, |_| 1.0);
        let sum: f32 = map.values.iter().sum();
        assert!((sum - 8.0).abs() < 1e-4, "{sum}");
        assert!((map.sample([15.0, 20.0]) - map.sample([24.0, 20.0])).abs() < 1e-6);
        assert!(map.sample([19.5, 20.5]) > map.sample([15.0, 20.5]) && map.sample([15.0, 20.5]) > 0.0);
        map.fill(Region::EMPTY, |_| 1.0);
        assert!(map.values.iter().all(|&value| value == 0.0), "the last frame is forgotten");
    }
}
