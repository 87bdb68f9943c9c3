//! Does the arm stand still?

use std::time::Duration;

use super::{JointAngles, Timestamp};

/// Tells when every joint has stayed within a tolerance of one pose for a time.
///
/// The pose is the one that the still time began with, so that a slow drift does not pass for standing still.
#[derive(Clone, Copy, Debug)]
pub struct StillnessDetector {
    time: Duration,
    tolerance_rad: f64,
    anchor: Option<(JointAngles, Timestamp)>,
}

impl StillnessDetector {
    /// A detector that has seen nothing yet.
    pub const fn new(time: Duration, tolerance_rad: f64) -> Self {
        Self { time, tolerance_rad, anchor: None }
    }

    /// Takes a measured pose; whether the arm now stands still.
    pub fn observe(&mut self, angles: &JointAngles, measured: Timestamp) -> bool {
        if !angles.is_finite() {
            self.anchor = None;
            return false;
        }
        match self.anchor {
            Some((pose, since)) if pose.max_difference(angles) <= self.tolerance_rad => {
                measured.since(since) >= self.time
            }
            _ => {
                self.anchor = Some((*angles, measured));
                self.time.is_zero()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_at(poses_rad: &[f64]) -> Vec<bool> {
        let mut detector = StillnessDetector::new(Duration::from_secs(1), 0.01);
        let at = |index: usize| Timestamp::from_nanos(index as u64 * 250_000_000);
        poses_rad
            .iter()
            .enumerate()
            .map(|(index, angle)| {
                detector.observe(&JointAngles::from_array_rad([0.0, *angle, 0.0, 0.0, 0.0, 0.0]), at(index))
            })
            .collect()
    }

    #[test]
    fn still_after_the_time_and_again_after_each_motion() {
        assert_eq!(seen_at(&[0.0; 5]), [false, false, false, false, true]);
        assert_eq!(
            seen_at(&[0.0, 0.005, 0.0, 0.02, 0.02, 0.02, 0.02, 0.02]),
            [false, false, false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_slow_drift_is_motion() {
        let drift: Vec<f64> = (0..40).map(|step| f64::from(step) * 0.004).collect();
        assert!(seen_at(&drift).iter().all(|still| !still));
    }

    #[test]
    fn nan_is_not_still() {
        assert!(
            seen_at(&[f64::NAN; 8]).iter().all(|still| !still),
            "a NaN must never count as standing still"
        );
    }
}
