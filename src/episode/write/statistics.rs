//! Statistics of one episode as LeRobot 0.4.4 computes them (`datasets/compute_stats.py`).
//!
//! Quantiles come from a histogram of 5,000 bins between the lowest and highest value; arithmetic is done in the type of the data, as
//! NumPy does, because sums in single precision differ from those in double precision by more than the comparison allows.

/// Bins of a histogram (`num_quantile_bins`).
const BINS: usize = 5000;

/// Shares of the values below each quantile (`DEFAULT_QUANTILES`).
const QUANTILES: [f64; 5] = [0.01, 0.10, 0.50, 0.90, 0.99];

/// Names of the statistics of [`FeatureStatistics::values`], in order, as LeRobot names and orders them.
pub(super) const NAMES: [&str; 10] =
    ["min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"];

/// What kind of feature it is: it decides how the numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers with a fraction, `[n]`.
    Floats,
    /// Whole numbers, `[1]`.
    Integers,
    /// Pictures: one number a colour, `[3][1][1]`, scaled to 0..1.
    Pictures,
}

/// The statistics of one feature: of an episode, or of several together.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::episode) struct FeatureStatistics {
    pub(super) kind: Kind,
    pub(super) min: Vec<f64>,
    pub(super) max: Vec<f64>,
    pub(super) mean: Vec<f64>,
    pub(super) std: Vec<f64>,
    /// Rows, or pictures that were looked at.
    pub(super) count: u64,
    pub(super) quantiles: [Vec<f64>; 5],
}

impl FeatureStatistics {
    /// The statistic with this place in [`NAMES`]; `count` is one number.
    pub(super) fn values(&self, name: usize) -> Vec<f64> {
        match name {
            0 => self.min.clone(),
            1 => self.max.clone(),
            2 => self.mean.clone(),
            3 => self.std.clone(),
            4 => vec![self.count as f64],
            quantile => self.quantiles[quantile - 5].clone(),
        }
    }

    /// Of vectors in single precision: states and actions.
    pub(super) fn of_vectors<const N: usize>(rows: &[[f32; N]]) -> Self {
        let columns = (0..N).map(|column| {
            let mut values: Vec<f32> = rows.iter().map(|row| row[column]).collect();
            of_singles(&mut values)
        });
        Self::from_columns(Kind::Floats, columns, rows.len() as u64)
    }

    /// Of numbers in double precision: stamps before they are stored.
    pub(super) fn of_numbers(values: &[f64]) -> Self {
        Self::from_columns(Kind::Floats, [of_doubles(values.to_vec())].into_iter(), values.len() as u64)
    }

    /// Of whole numbers.
    pub(super) fn of_integers(values: impl Iterator<Item = usize>) -> Self {
        let values: Vec<f64> = values.map(|value| value as f64).collect();
        let count = values.len() as u64;
        Self::from_columns(Kind::Integers, [of_doubles(values)].into_iter(), count)
    }

    fn from_columns(kind: Kind, columns: impl Iterator<Item = Column>, count: u64) -> Self {
        let mut all = Self {
            kind,
            min: Vec::new(),
            max: Vec::new(),
            mean: Vec::new(),
            std: Vec::new(),
            count,
            quantiles: Default::default(),
        };
        for column in columns {
            all.min.push(column.min);
            all.max.push(column.max);
            all.mean.push(column.mean);
            all.std.push(column.std);
            for (all, quantile) in all.quantiles.iter_mut().zip(column.quantiles) {
                all.push(quantile);
            }
        }
        all
    }

    /// Adds an episode's statistics, weighted by count (`aggregate_stats`).
    pub(super) fn join(&mut self, other: &Self) {
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let total = ours + theirs;
        for place in 0..self.mean.len() {
            let mean = (self.mean[place] * ours + other.mean[place] * theirs) / total;
            let spread = |std: f64, of: f64| std * std + (of - mean) * (of - mean);
            let variance = (spread(self.std[place], self.mean[place]) * ours
                + spread(other.std[place], other.mean[place]) * theirs)
                / total;
            self.mean[place] = mean;
            self.std[place] = variance.sqrt();
            self.min[place] = self.min[place].min(other.min[place]);
            self.max[place] = self.max[place].max(other.max[place]);
            for (ours_q, theirs_q) in self.quantiles.iter_mut().zip(&other.quantiles) {
                ours_q[place] = (ours_q[place] * ours + theirs_q[place] * theirs) / total;
            }
        }
        self.count += other.count;
    }
}

/// The statistics of one dimension.
struct Column {
    min: f64,
    max: f64,
    mean: f64,
    std: f64,
    quantiles: [f64; 5],
}

/// Sums are taken row by row in single precision.
fn of_singles(values: &mut [f32]) -> Column {
    let count = values.len() as f32;
    let mean = values.iter().sum::<f32>() / count;
    let squares = values.iter().map(|value| value * value).sum::<f32>() / count;
    let std = f64::from((squares - mean * mean).max(0.0).sqrt());
    values.sort_by(f32::total_cmp);
    let (min, max) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    let mean = f64::from(mean);
    if values.len() < 2 {
        return Column { min: min.into(), max: max.into(), mean, std: 0.0, quantiles: [mean; 5] };
    }
    let below = |edge: f64| values.partition_point(|value| f64::from(*value) < edge) as u64;
    let edges = single_edges(min - 1e-10, max + 1e-10);
    let width = |low: f64, high: f64| f64::from(high as f32 - low as f32);
    let quantiles = quantiles(&edges, below, width, values.len() as u64);
    Column { min: min.into(), max: max.into(), mean, std, quantiles }
}

fn of_doubles(mut values: Vec<f64>) -> Column {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| value * value).sum::<f64>() / count;
    values.sort_by(f64::total_cmp);
    let (min, max) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    if values.len() < 2 {
        return Column { min, max, mean, std: 0.0, quantiles: [mean; 5] };
    }
    let below = |edge: f64| values.partition_point(|value| *value < edge) as u64;
    let edges = double_edges(min - 1e-10, max + 1e-10);
    let quantiles = quantiles(&edges, below, |low, high| high - low, values.len() as u64);
    Column { min, max, mean, std: (squares - mean * mean).max(0.0).sqrt(), quantiles }
}

/// `numpy.linspace` in double precision.
fn double_edges(from: f64, to: f64) -> Vec<f64> {
    let step = (to - from) / BINS as f64;
    let mut edges: Vec<f64> = (0..=BINS).map(|place| place as f64 * step + from).collect();
    edges[BINS] = to;
    edges
}

/// `numpy.linspace` in single precision.
fn single_edges(from: f32, to: f32) -> Vec<f64> {
    let step = (to - from) / BINS as f32;
    let mut edges: Vec<f64> = (0..=BINS).map(|place| f64::from(place as f32 * step + from)).collect();
    edges[BINS] = to.into();
    edges
}

/// Quantiles by the histogram over `edges`: the last bin holds its upper edge too, as in `numpy.histogram`.
fn quantiles(
    edges: &[f64],
    below: impl Fn(f64) -> u64,
    width: impl Fn(f64, f64) -> f64,
    count: u64,
) -> [f64; 5] {
    // Values at or before the end of each bin.
    let first = below(edges[0]);
    let mut ends: Vec<u64> = edges[1..].iter().map(|edge| below(*edge) - first).collect();
    // The highest value is below or at the last edge: nothing lies beyond.
    ends[BINS - 1] = count - first;
    QUANTILES.map(|share| {
        let target = share * count as f64;
        let bin = ends.partition_point(|end| (*end as f64) < target);
        if bin == 0 {
            return edges[0];
        }
        if bin >= BINS {
            return edges[BINS];
        }
        let before = ends[bin - 1] as f64;
        let inside = ends[bin] as f64 - before;
        if inside == 0.0 {
            return edges[bin];
        }
        edges[bin] + (target - before) / inside * width(edges[bin], edges[bin + 1])
    })
}

/// How often each value of each colour is in one picture that was thinned out.
type ColourCounts = [[u32; 256]; 3];

/// The pictures of one camera and episode, as counts: which of them are looked at is known only at the end.
#[derive(Debug, Default)]
pub(super) struct PictureStatistics {
    pictures: Vec<ColourCounts>,
}

impl PictureStatistics {
    /// Counts one picture, RGB rows without padding.
    pub(super) fn add(&mut self, rgb: &[u8], width: usize, height: usize) {
        let step = thinning(width, height);
        let mut counts = [[0_u32; 256]; 3];
        for row in rgb.chunks_exact(width * 3).step_by(step) {
            for pixel in row.chunks_exact(3).step_by(step) {
                for (counts, value) in counts.iter_mut().zip(pixel) {
                    counts[usize::from(*value)] += 1;
                }
            }
        }
        self.pictures.push(counts);
    }

    /// The statistics of the sample that LeRobot would take.
    pub(super) fn finish(&self) -> FeatureStatistics {
        let sample = sample_indices(self.pictures.len());
        let mut counts = [[0_u64; 256]; 3];
        for picture in sample.iter().filter_map(|place| self.pictures.get(*place)) {
            for (counts, picture) in counts.iter_mut().zip(picture.iter()) {
                for (count, more) in counts.iter_mut().zip(picture) {
                    *count += u64::from(*more);
                }
            }
        }
        let columns = counts.iter().map(of_bytes);
        FeatureStatistics::from_columns(Kind::Pictures, columns, sample.len() as u64)
    }
}

/// Statistics of bytes by how often each occurs, scaled to 0..1.
fn of_bytes(counts: &[u64; 256]) -> Column {
    let count: u64 = counts.iter().sum();
    let sum_of = |value: fn(u64) -> u64| -> f64 {
        counts.iter().zip(0..).map(|(count, byte)| *count as f64 * value(byte) as f64).sum()
    };
    let mean = sum_of(|byte| byte) / count as f64;
    // LeRobot squares in 8 bits, so its squares wrap at 256 and the deviation of pictures is mostly 0. What is written here has to
    // be what LeRobot writes.
    let squares = sum_of(|byte| byte * byte % 256) / count as f64;
    let std = (squares - mean * mean).max(0.0).sqrt();
    let min = counts.iter().position(|count| *count > 0).unwrap_or(0) as f64;
    let max = counts.iter().rposition(|count| *count > 0).unwrap_or(0) as f64;
    let mut less = [0_u64; 257];
    for byte in 0..256 {
        less[byte + 1] = less[byte] + counts[byte];
    }
    let below = |edge: f64| less[edge.ceil().clamp(0.0, 256.0) as usize];
    let edges = double_edges(min - 1e-10, max + 1e-10);
    let quantiles = quantiles(&edges, below, |low, high| high - low, count);
    let scaled = quantiles.map(|quantile| quantile / 255.0);
    Column { min: min / 255.0, max: max / 255.0, mean: mean / 255.0, std: std / 255.0, quantiles: scaled }
}

/// Every how many pixels are looked at (`auto_downsample_height_width`).
fn thinning(width: usize, height: usize) -> usize {
    if width.max(height) < 300 { 1 } else { (width.max(height) / 150).max(1) }
}

/// Which of so many pictures are looked at (`sample_indices`).
fn sample_indices(length: usize) -> Vec<usize> {
    let least = length.min(100);
    let samples = least.max(((length as f64).powf(0.75) as usize).min(10_000));
    if samples < 2 {
        return vec![0; samples];
    }
    // numpy.round rounds halves to even.
    let step = (length - 1) as f64 / (samples - 1) as f64;
    let mut sample: Vec<usize> =
        (0..samples).map(|place| (place as f64 * step).round_ties_even() as usize).collect();
    sample[samples - 1] = length - 1;
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_episodes_are_looked_at_whole_and_long_ones_in_part() {
        assert_eq!(sample_indices(1), [0]);
        assert_eq!(sample_indices(12), (0..12).collect::<Vec<_>>());
        assert_eq!((sample_indices(464).len(), sample_indices(1000).len()), (100, 177));
        assert_eq!(sample_indices(300)[..4], [0, 3, 6, 9]);
        assert_eq!(sample_indices(300)[99], 299);
    }

    #[test]
    fn big_pictures_are_thinned_out() {
        assert_eq!(
            (thinning(299, 200), thinning(640, 480), thinning(480, 640), thinning(1280, 720)),
            (1, 4, 4, 8)
        );
    }

    #[test]
    fn squares_wrap_as_in_lerobot() {
        let mut counts = [0; 256];
        (counts[10], counts[16]) = (1, 1);
        let column = of_bytes(&counts);
        // 10² = 100 and 16² = 256, which is 0 in 8 bits: 50 − 13² is below 0.
        assert_eq!((column.mean * 255.0, column.std), (13.0, 0.0));
    }
}
