//! Actions that the arm cannot execute: the firmware clamps them silently.

use calibration::JointLimits;
use firmware_protocol::Generation;
use serde::Serialize;

use crate::types::{DatasetAngles, Joint, JointAngles};

/// How far beyond a limit an action may go before it counts, degrees: half a servo step.
const TOLERANCE_DEG: f64 = 0.044;

/// Actions of one joint beyond one limit of a firmware generation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unreachable {
    /// The firmware generation: `g1`, `g1b` or `g3`.
    pub generation: &'static str,
    /// The joint.
    pub joint: &'static str,
    /// The limit, degrees in the dataset's frame.
    pub limit_deg: f64,
    /// Whether the actions lie below it; else above.
    pub below: bool,
    /// Actions beyond it.
    pub frames: usize,
    /// Their share of all actions, 0 to 1.
    pub share: f64,
    /// The farthest of them, degrees.
    pub farthest_deg: f64,
}

/// Counts by generation, joint and side.
#[derive(Debug, Default)]
pub(super) struct Reach {
    frames: usize,
    counts: [[[(usize, f64); 2]; 6]; Generation::ALL.len()],
}

impl Reach {
    /// Counts actions, degrees.
    pub(super) fn add(&mut self, actions: &[[f64; 6]]) {
        self.frames += actions.len();
        for (counts, generation) in self.counts.iter_mut().zip(Generation::ALL) {
            let limits = JointLimits::of(generation);
            for action in actions {
                let angles = DatasetAngles::from_array_deg(*action);
                for violation in limits.violations(&JointAngles::from(angles)) {
                    let angle = angles.get(violation.joint);
                    let (below, above) = (
                        violation.min_rad.to_degrees() - angle > TOLERANCE_DEG,
                        angle - violation.max_rad.to_degrees() > TOLERANCE_DEG,
                    );
                    if below || above {
                        let (count, farthest) = &mut counts[violation.joint.index()][usize::from(above)];
                        let farther =
                            *count == 0 || if below { angle < *farthest } else { angle > *farthest };
                        *farthest = if farther { angle } else { *farthest };
                        *count += 1;
                    }
                }
            }
        }
    }

    /// What cannot be executed, by generation and joint.
    pub(super) fn unreachable(&self) -> Vec<Unreachable> {
        let mut found = Vec::new();
        for (counts, generation) in self.counts.iter().zip(Generation::ALL) {
            for joint in Joint::ALL {
                let (min_rad, max_rad) = JointLimits::of(generation).range_rad(joint);
                for (below, limit_rad) in [(true, min_rad), (false, max_rad)] {
                    let (frames, farthest_deg) = counts[joint.index()][usize::from(!below)];
                    if frames > 0 {
                        found.push(Unreachable {
                            generation: generation.name(),
                            joint: joint.name(),
                            limit_deg: limit_rad.to_degrees(),
                            below,
                            frames,
                            share: frames as f64 / self.frames as f64,
                            farthest_deg,
                        });
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_its_own_share() {
        let mut reach = Reach::default();
        let elbow = |angle| [0.0, 0.0, angle, 0.0, 0.0, 10.0];
        reach.add(&[elbow(-60.0), elbow(-72.0), elbow(-20.0), elbow(-0.01)]);
        let found = reach.unreachable();
        let of = |generation: &str| {
            found.iter().find(|one| one.generation == generation && one.joint == "elbow").cloned()
        };
        for generation in ["g1", "g1b"] {
            let one = of(generation).unwrap_or_else(|| panic!("{generation} clamps at −45°: {found:?}"));
            assert_eq!((one.frames, one.share, one.below, one.farthest_deg), (2, 0.5, true, -72.0));
            assert!((one.limit_deg + 45.0).abs() < 0.1);
        }
        assert_eq!(of("g3").map(|one| one.frames), Some(3), "0° but for half a step");
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
