//! The way to the start pose: all joints together, gently.

use std::time::Duration;

use crate::types::{JointAngles, Timestamp};

/// A minimum-jerk motion along the straight line in joint space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    from: JointAngles,
    to: JointAngles,
    start: Timestamp,
    duration: Duration,
}

/// Peak over mean velocity of the minimum-jerk profile 10τ³ − 15τ⁴ + 6τ⁵.
const PEAK_TO_MEAN: f64 = 1.875;

impl Ramp {
    /// A motion whose fastest joint peaks at `speed_rad_s`.
    pub fn new(from: JointAngles, to: JointAngles, start: Timestamp, speed_rad_s: f64) -> Self {
        let duration = Duration::try_from_secs_f64(PEAK_TO_MEAN * from.max_difference(&to) / speed_rad_s)
            .unwrap_or(Duration::MAX);
        Self { from, to, start, duration }
    }

    /// How long it takes.
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// The pose at `now`; the target once it is over.
    pub fn pose(&self, now: Timestamp) -> JointAngles {
        if self.is_over(now) {
            return self.to;
        }
        let part = now.since(self.start).as_secs_f64() / self.duration.as_secs_f64();
        self.from.interpolate(&self.to, part.powi(3) * (10.0 - 15.0 * part + 6.0 * part * part))
    }

    /// Whether the target is reached.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.start) >= self.duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_at_the_given_speed_and_ends_at_the_target() {
        let to = JointAngles::from_array_rad([0.9, -0.4, 0.0, 0.1, 0.0, 0.2]);
        let ramp = Ramp::new(JointAngles::ZERO, to, Timestamp::ZERO, 0.25);
        let at = |millis: u64| ramp.pose(Timestamp::ZERO + Duration::from_millis(millis));
        let total = u64::try_from(ramp.duration().as_millis()).expect("a few seconds");
        let peak = (0..total).map(|ms| at(ms).max_difference(&at(ms + 1)) * 1e3).fold(0.0, f64::max);
        assert!((peak - 0.25).abs() < 1e-3, "peak {peak}");
        assert_eq!(at(total + 1), to);
        assert_eq!(at(0), JointAngles::ZERO);
    }

    #[test]
    fn no_way_to_go_takes_no_time() {
        let ramp = Ramp::new(JointAngles::ZERO, JointAngles::ZERO, Timestamp::ZERO, 0.25);
        assert!(ramp.is_over(Timestamp::ZERO));
    }
}
