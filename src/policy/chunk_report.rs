//! What is known of each chunk, and of all chunks of a run.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{GuidanceReport, StageTimings, Statistics};
use crate::types::{ChunkTimes, DatasetAngles, InferenceSummary, JOINT_COUNT, StageTimes, ZRange};

/// A chunk's z-scores as a whole: a policy that says nothing but the mean (the commonest way to fail) has them all near 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ZStatistics {
    /// Smallest.
    pub min: f32,
    /// Largest.
    pub max: f32,
    /// Mean over actions and joints.
    pub mean: f32,
    /// Largest distance from 0. NaN if any z-score is.
    pub max_abs: f32,
    /// Share of the values in degrees that lie outside the training data's minimum and maximum of their joint, 0 to 1. NaN counts as outside.
    pub beyond_trained_range: f32,
}

impl ZStatistics {
    /// Of a chunk's z-scores as the policy says them, and of the actions in degrees that come of them.
    #[must_use]
    pub fn of(z_scores: &[[f32; JOINT_COUNT]], actions: &[DatasetAngles], trained: &Statistics) -> Self {
        let values = || z_scores.iter().flatten().copied();
        let count = (z_scores.len() * JOINT_COUNT).max(1) as f32;
        let outside = actions.iter().map(|action| {
            let degrees = action.to_array_deg();
            let inside = |joint: &usize| {
                let range = f64::from(trained.min[*joint])..=f64::from(trained.max[*joint]);
                range.contains(&degrees[*joint])
            };
            JOINT_COUNT - (0..JOINT_COUNT).filter(inside).count()
        });
        if z_scores.is_empty() {
            return Self::default();
        }
        Self {
            min: values().fold(f32::INFINITY, f32::min),
            max: values().fold(f32::NEG_INFINITY, f32::max),
            mean: values().sum::<f32>() / count,
            // `f32::max` would pass over a NaN; in this order it is the largest.
            max_abs: values().map(f32::abs).max_by(f32::total_cmp).unwrap_or_default(),
            beyond_trained_range: outside.sum::<usize>() as f32 / count,
        }
    }
}

/// All that is known of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkReport {
    /// Its number, which is also that of its noise.
    pub chunk_id: u64,
    /// Seed of the noise: with the number it determines every value of it.
    pub noise_seed: u64,
    /// Where the time went.
    pub timings: StageTimings,
    /// Age of the oldest picture when inference began.
    pub observation_age_start: Duration,
    /// Age of the oldest picture when the chunk was finished.
    pub observation_age_end: Duration,
    /// Its z-scores.
    pub z: ZStatistics,
    /// What its z-scores were multiplied with.
    pub action_scale: f32,
    /// How close it stayed to the chunk that it continues, if it continues one.
    pub guidance: Option<GuidanceReport>,
}

/// The chunks of a run so far.
#[derive(Clone, Debug)]
pub struct ChunkReports {
    /// µs: preprocess, vision, prefix, flow, denormalise, total.
    stages: [Histogram<u64>; 6],
    /// µs: at start, at end.
    ages: [Histogram<u64>; 2],
    count: u64,
    noise_seed: u64,
    action_scale: f32,
    range: ZStatistics,
    mean_sum: f64,
    beyond_sum: f64,
}

impl ChunkReports {
    /// None yet.
    ///
    /// # Errors
    /// If the histograms cannot be made.
    pub fn new() -> Result<Self, hdrhistogram::CreationError> {
        // 1 µs to 10 minutes, 3 digits.
        let histogram = || Histogram::new_with_bounds(1, 600_000_000, 3);
        Ok(Self {
            stages: [histogram()?, histogram()?, histogram()?, histogram()?, histogram()?, histogram()?],
            ages: [histogram()?, histogram()?],
            count: 0,
            noise_seed: 0,
            action_scale: 1.0,
            range: ZStatistics::default(),
            mean_sum: 0.0,
            beyond_sum: 0.0,
        })
    }

    /// Adds a chunk. Allocates nothing.
    pub fn add(&mut self, report: &ChunkReport) {
        let StageTimings { preprocess, vision, prefix, flow, denormalise, total } = report.timings;
        let stages = [preprocess, vision, prefix, flow, denormalise, total];
        let ages = [report.observation_age_start, report.observation_age_end];
        for (histogram, time) in self.stages.iter_mut().zip(stages).chain(self.ages.iter_mut().zip(ages)) {
            histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
        let (z, range) = (report.z, &mut self.range);
        if self.count == 0 {
            *range = z;
        }
        range.min = range.min.min(z.min);
        range.max = range.max.max(z.max);
        if range.max_abs.total_cmp(&z.max_abs).is_lt() {
            range.max_abs = z.max_abs;
        }
        self.mean_sum += f64::from(z.mean);
        self.beyond_sum += f64::from(z.beyond_trained_range);
        self.count += 1;
        self.noise_seed = report.noise_seed;
        self.action_scale = report.action_scale;
    }

    /// What the run's summary says of them; `None` if there was none.
    #[must_use]
    pub fn summary(&self) -> Option<InferenceSummary> {
        let times = |histogram: &Histogram<u64>| ChunkTimes {
            p50: histogram.value_at_quantile(0.5) as f64 * 1e-3,
            p95: histogram.value_at_quantile(0.95) as f64 * 1e-3,
        };
        let [preprocess, vision, prefix, flow, denormalise, total] = self.stages.each_ref().map(times);
        let [at_start, at_end] = self.ages.each_ref().map(times);
        let count = self.count as f64;
        (self.count > 0).then(|| InferenceSummary {
            chunks: self.count,
            noise_seed: self.noise_seed,
            action_scale: f64::from(self.action_scale),
            stages_ms: StageTimes { preprocess, vision, prefix, flow, denormalise, total },
            observation_age_start_ms: at_start,
            observation_age_end_ms: at_end,
            z: ZRange {
                min: f64::from(self.range.min),
                max: f64::from(self.range.max),
                mean: self.mean_sum / count,
                max_abs: f64::from(self.range.max_abs),
            },
            beyond_trained_range: self.beyond_sum / count,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trained() -> Statistics {
        Statistics { mean: [0.0; 6], std: [10.0; 6], min: [-15.0; 6], max: [15.0; 6] }
    }

    fn of(z_scores: &[[f32; 6]]) -> ZStatistics {
        let degrees = |row: &[f32; 6]| DatasetAngles::from_array_deg(row.map(|z| f64::from(z) * 10.0));
        ZStatistics::of(z_scores, &z_scores.iter().map(degrees).collect::<Vec<_>>(), &trained())
    }

    #[test]
    fn z_scores_are_summed_up() {
        let statistics = of(&[[1.0, -3.0, 0.0, 0.0, 0.0, 0.5], [1.5, 0.0, 2.0, 0.0, 0.0, -2.0]]);
        assert_eq!((statistics.min, statistics.max, statistics.mean), (-3.0, 2.0, 0.0));
        assert_eq!(statistics.max_abs, 3.0);
        // -30, 20 and -20 degrees of 12 values; 15 itself was seen in training.
        assert_eq!(statistics.beyond_trained_range, 0.25);
        assert_eq!(of(&[]), ZStatistics::default());
    }

    #[test]
    fn nan_is_not_passed_over() {
        let statistics = of(&[[1.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]]);
        assert!(statistics.max_abs.is_nan() && statistics.mean.is_nan());
        assert_eq!(statistics.beyond_trained_range, 1.0 / 6.0);
    }

    #[test]
    fn a_run_is_summed_up() {
        let mut reports = ChunkReports::new().unwrap();
        assert_eq!(reports.summary(), None);
        for (number, z) in [1.0, -2.0, 0.5].into_iter().enumerate() {
            let millis = |factor: u64| Duration::from_millis(factor * (number as u64 + 1));
            reports.add(&ChunkReport {
                chunk_id: number as u64,
                noise_seed: 7,
                timings: StageTimings { flow: millis(10), total: millis(20), ..StageTimings::default() },
                observation_age_start: millis(1),
                observation_age_end: millis(21),
                z: of(&[[z; 6]]),
                action_scale: 0.5,
                guidance: None,
            });
        }
        let summary = reports.summary().unwrap();
        assert_eq!((summary.chunks, summary.noise_seed, summary.action_scale), (3, 7, 0.5));
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 2e-3, "{found}");
        near(summary.stages_ms.flow.p50, 20.0);
        near(summary.stages_ms.total.p95, 60.0);
        near(summary.observation_age_end_ms.p50, 42.0);
        assert_eq!((summary.z.min, summary.z.max, summary.z.max_abs), (-2.0, 1.0, 2.0));
        near(summary.beyond_trained_range, 1.0 / 3.0);
    }
}
