//! Whether the arm stands still: nothing may move before it does.

use std::time::Duration;

use crate::types::{FeedbackSample, JointAngles, Timestamp};

/// Angles may spread this far and still count as standing: six encoder steps, 0.53°.
const TOLERANCE_RAD: f64 = 6.0 * std::f64::consts::TAU / 4096.0;

/// Feedback samples that the window must hold, so that a single one is no proof.
const MINIMUM_SAMPLES: u32 = 5;

/// Watches feedback for a window without motion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stillness {
    window: Duration,
    started: Option<(Timestamp, JointAngles)>,
    samples: u32,
}

impl Stillness {
    pub(super) const fn new(window: Duration) -> Self {
        Self { window, started: None, samples: 0 }
    }

    /// Takes the next sample; whether the arm has now stood still for the whole window.
    pub(super) fn observe(&mut self, sample: &FeedbackSample) -> bool {
        match self.started {
            Some((since, pose)) if sample.angles.max_difference(&pose) <= TOLERANCE_RAD => {
                self.samples += 1;
                self.samples >= MINIMUM_SAMPLES && sample.measured.since(since) >= self.window
            }
            _ => {
                self.started = Some((sample.measured, sample.angles));
                self.samples = 1;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(millis: u64, angle: f64) -> FeedbackSample {
        FeedbackSample {
            sequence: 0,
            angles: JointAngles::from_array_rad([angle; 6]),
            measured: Timestamp::ZERO + Duration::from_millis(millis),
        }
    }

    #[test]
    fn needs_the_whole_window_without_motion() {
        let mut stillness = Stillness::new(Duration::from_secs(1));
        assert!((0..50).all(|n| !stillness.observe(&sample(n * 20, 0.0))), "not yet a second");
        assert!(!stillness.observe(&sample(1_000, 0.1)), "it moved: from the start again");
        assert!((51..100).all(|n| !stillness.observe(&sample(n * 20, 0.1))));
        assert!(stillness.observe(&sample(2_000, 0.1)));
    }

    #[test]
    fn a_slow_drift_is_motion() {
        let mut stillness = Stillness::new(Duration::from_secs(1));
        assert!((0..500).all(|n| !stillness.observe(&sample(n * 20, n as f64 * 0.000_3))));
    }
}
