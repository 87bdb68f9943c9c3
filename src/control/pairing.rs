//! Pairs a picture with the pose that was measured nearest to it in time.

use crate::types::{FeedbackSample, Timestamp};

/// Samples kept: more than a second at 56 Hz.
const CAPACITY: usize = 64;

/// The latest feedback samples.
#[derive(Clone, Debug)]
pub(super) struct FeedbackHistory {
    samples: [Option<FeedbackSample>; CAPACITY],
    next: usize,
}

impl FeedbackHistory {
    pub(super) const fn new() -> Self {
        Self { samples: [None; CAPACITY], next: 0 }
    }

    pub(super) const fn push(&mut self, sample: FeedbackSample) {
        self.samples[self.next] = Some(sample);
        self.next = (self.next + 1) % CAPACITY;
    }

    pub(super) const fn newest(&self) -> Option<&FeedbackSample> {
        self.samples[(self.next + CAPACITY - 1) % CAPACITY].as_ref()
    }

    /// The sample measured nearest to `at`.
    pub(super) fn nearest(&self, at: Timestamp) -> Option<&FeedbackSample> {
        self.samples.iter().flatten().min_by_key(|sample| sample.measured.distance(at))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::types::JointAngles;

    #[test]
    fn finds_the_nearest_of_the_latest_samples() {
        let mut history = FeedbackHistory::new();
        for sequence in 0..100_u64 {
            let measured = Timestamp::ZERO + Duration::from_millis(sequence * 18);
            history.push(FeedbackSample { sequence, angles: JointAngles::ZERO, measured, torque_off: false });
        }
        let at = |millis| {
            history.nearest(Timestamp::ZERO + Duration::from_millis(millis)).map(|found| found.sequence)
        };
        assert_eq!(at(90 * 18 + 8), Some(90));
        assert_eq!(at(90 * 18 + 10), Some(91));
        assert_eq!(at(0), Some(36), "older ones are forgotten");
        assert_eq!(history.newest().map(|newest| newest.sequence), Some(99));
    }
}
