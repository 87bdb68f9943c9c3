//! Middle and tail of measured times.

use std::time::Duration;

use serde::Serialize;

use crate::policy::StageTimings;

/// Middle and tail, ms. Each is one of the measured times (nearest rank), none is interpolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Percentiles {
    /// Of times in ms; zero without any.
    pub fn of_ms(times: impl IntoIterator<Item = f64>) -> Self {
        let mut times: Vec<f64> = times.into_iter().collect();
        times.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let index = (share * times.len() as f64).ceil() as usize;
            times.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Self { p50: rank(0.50), p95: rank(0.95), p99: rank(0.99) }
    }
}

/// Middle and tail of each stage, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StagePercentiles {
    /// Resize, scale and normalise.
    pub preprocess: Percentiles,
    /// Vision encoder, all cameras.
    pub vision: Percentiles,
    /// Key/value cache of images, text and state.
    pub prefix: Percentiles,
    /// All flow matching steps.
    pub flow: Percentiles,
    /// Back to degrees.
    pub denormalise: Percentiles,
    /// The whole.
    pub total: Percentiles,
}

impl StagePercentiles {
    /// Of one timing a chunk.
    pub fn of(timings: &[StageTimings]) -> Self {
        let of = |stage: fn(&StageTimings) -> Duration| {
            Percentiles::of_ms(timings.iter().map(|timing| stage(timing).as_secs_f64() * 1e3))
        };
        Self {
            preprocess: of(|timing| timing.preprocess),
            vision: of(|timing| timing.vision),
            prefix: of(|timing| timing.prefix),
            flow: of(|timing| timing.flow),
            denormalise: of(|timing| timing.denormalise),
            total: of(|timing| timing.total),
        }
    }

    /// Names and values, in the order of the work.
    pub fn rows(&self) -> [(&'static str, Percentiles); 6] {
        [
            ("preprocess", self.preprocess),
            ("vision", self.vision),
            ("prefix", self.prefix),
            ("flow", self.flow),
            ("denormalise", self.denormalise),
            ("total", self.total),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let times = (1..=100).rev().map(f64::from);
        assert_eq!(Percentiles::of_ms(times), Percentiles { p50: 50.0, p95: 95.0, p99: 99.0 });
        assert_eq!(Percentiles::of_ms([3.0]), Percentiles { p50: 3.0, p95: 3.0, p99: 3.0 });
        assert_eq!(Percentiles::of_ms([1.0, 9.0]), Percentiles { p50: 1.0, p95: 9.0, p99: 9.0 });
        assert_eq!(Percentiles::of_ms([]), Percentiles::default());
    }
}
